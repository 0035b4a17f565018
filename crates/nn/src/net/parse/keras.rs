//! Keras's layers. A name alone is a synonym of a keyword: `Conv2D 64 4x4 strides 2`. With parentheses the line is a call
//! with Keras's meaning and defaults: `Conv2D(64, 4, strides=2)` has padding "valid". What can't be done exactly as Keras
//! does it is refused with the reason.

use super::call::{Call, activation, inside, numbers, pair, parts, square};
use super::{Reading, input};
use faussaire_data::did_you_mean;

/// Keras's names and our keywords for them.
const NAMES: &[(&str, &str)] = &[
    ("Dense", "dense"),
    ("Conv2D", "conv"),
    ("Conv2DTranspose", "convtranspose"),
    ("UpSampling2D", "upsample"),
    ("AveragePooling2D", "avgpool"),
    ("MaxPooling2D", "maxpool"),
    ("GlobalAveragePooling2D", "globalpool"),
    ("ZeroPadding2D", "zeropad"),
    ("BatchNormalization", "batchnorm"),
    ("GroupNormalization", "groupnorm"),
    ("LeakyReLU", "leakyrelu"),
    ("ReLU", "relu"),
    ("Softmax", "softmax"),
    ("Activation", "activation"),
    ("Dropout", "dropout"),
    ("SpatialDropout2D", "dropout2d"),
    ("GaussianNoise", "gaussiannoise"),
    ("Flatten", "flatten"),
    ("Reshape", "reshape"),
    ("Input", "input"),
    ("InputLayer", "input"),
];

/// Other names of Keras's layers, in lower case.
const ALIASES: &[(&str, &str)] = &[
    ("convolution2d", "conv2d"),
    ("convolution2dtranspose", "conv2dtranspose"),
    ("avgpool2d", "averagepooling2d"),
    ("maxpool2d", "maxpooling2d"),
    ("globalavgpool2d", "globalaveragepooling2d"),
    ("batchnorm", "batchnormalization"),
];

/// Unsupported layers of Keras, in lower case, with alternatives.
const WITHOUT: &[(&str, &str)] = &[
    (
        "layernormalization",
        "Keras's normalises the channels of each pixel alone; `layernorm` normalises each image as a whole",
    ),
    ("globalmaxpooling2d", "`globalpool` takes the mean, and `maxpool N` the largest of N x N pixels"),
    ("spectralnormalization", "write the layer alone and set `spectral = true` for the net"),
    ("elu", "there are relu, leakyrelu, tanh, sigmoid and softmax"),
    ("selu", "there are relu, leakyrelu, tanh, sigmoid and softmax"),
    ("prelu", "its slopes would be learned; `leakyrelu 0.2` has a fixed one"),
    (
        "concatenate",
        "nets are lists of layers; labels are joined by `embedding`, a block's input by `residual` and `add`",
    ),
    ("embedding", "labels are not a layer's input here: `embedding N` appends N channels for the image's label"),
    ("separableconv2d", "write it as two convolutions, or use `conv`"),
    ("depthwiseconv2d", "every convolution here joins all channels: `conv`"),
    ("cropping2d", "`crop 37 53` keeps the central part of this height and width"),
    ("conv1d", "nets here are for images: `conv`"),
    ("lstm", "nets here are for images"),
    ("gaussiandropout", "`dropout 0.3` drops values, and `gaussiannoise 0.1` adds noise"),
    ("alphadropout", "`dropout 0.3` drops values"),
    ("lambda", "a program's own layers are registered by name, and called `own:NAME` in recipes"),
];

/// Keras's supported names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// A name in lower case, by the one that is in the table.
fn usual(name: &str) -> String {
    let lower = name.to_lowercase();
    ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower, |(_, usual)| (*usual).into())
}

/// Translates a line whose first word is a name of Keras's without parentheses; `None` for other lines.
pub(super) fn renamed(line: &str) -> Option<Reading<Vec<String>>> {
    let line = line.trim().trim_end_matches(',');
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // A word of our own that is an alias there: `batchnorm`.
    let lower = if name.to_lowercase() == name { name.to_owned() } else { usual(name) };
    let keyword = NAMES.iter().find(|(known, _)| known.to_lowercase() == lower).map(|(_, keyword)| *keyword);
    match keyword {
        Some("activation") => Some(activation(rest).map(|line| line.into_iter().collect())),
        Some(keyword) => (keyword != name).then(|| Ok(vec![format!("{keyword} {rest}").trim().to_string()])),
        // `embedding` is a layer here too.
        None if lower == name => None,
        None => WITHOUT.iter().find(|(known, _)| *known == lower).map(|(_, why)| Err(no_counterpart(name, why))),
    }
}

fn no_counterpart(name: &str, why: &str) -> String {
    format!("Keras's `{name}` has no counterpart here: {why}")
}

/// Why Keras's `name` can't be translated.
fn unknown(name: &str) -> String {
    let lower = name.to_lowercase();
    if let Some((_, why)) = WITHOUT.iter().find(|(known, _)| *known == lower) {
        return no_counterpart(name, why);
    }
    let meant = did_you_mean(name, super::other_names());
    format!("there is no layer `{name}` to call; {meant}expected one of {}", names().collect::<Vec<_>>().join(", "))
}

/// The names of a layer's first arguments; `None` for an unknown layer.
fn order(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "dense" => &["units", "activation", "use_bias"],
        "conv2d" | "conv2dtranspose" => &["filters", "kernel_size", "strides", "padding"],
        "upsampling2d" => &["size", "data_format", "interpolation"],
        "averagepooling2d" | "maxpooling2d" => &["pool_size", "strides", "padding"],
        "zeropadding2d" => &["padding"],
        "groupnormalization" => &["groups"],
        "leakyrelu" => &["negative_slope"],
        "activation" => &["activation"],
        "dropout" | "spatialdropout2d" => &["rate"],
        "gaussiannoise" => &["stddev"],
        "reshape" => &["target_shape"],
        "input" | "inputlayer" => &["shape"],
        "softmax" => &["axis"],
        "globalaveragepooling2d" | "batchnormalization" | "relu" | "flatten" => &[],
        _ => return None,
    })
}

/// The lines of a call: the shape of the input if it is given, the layer, and its activation.
pub(super) fn lines(mut call: Call) -> Reading<Vec<String>> {
    let name = usual(&call.name);
    let Some(order) = order(&name) else { return Err(unknown(&call.name)) };
    call.order(order)?;
    call.without_effect(&["name", "dtype", "trainable"]);
    call.neutral("data_format", &["channels_last"], "images are height x width x channels")?;
    let before = if name.starts_with("input") { None } else { given_input(&mut call)? };
    let (line, behind) = layer(&name, &mut call)?;
    call.end()?;
    Ok(before.into_iter().chain(line).chain(behind).collect())
}

/// The line of the layer called `name`, and that of its activation.
fn layer(name: &str, call: &mut Call) -> Reading<(Option<String>, Option<String>)> {
    let mut behind = None;
    let line = match name {
        "input" | "inputlayer" => {
            call.without_effect(&["batch_size"]);
            match shape(call, &["shape", "input_shape", "batch_shape"])? {
                Some(line) => line,
                None => return Err("expected `shape`".into()),
            }
        }
        "dense" => {
            let units = call.size("units")?;
            behind = given_activation(call)?;
            format!("dense {units}{}{}", bias(call)?, init(call)?)
        }
        "conv2d" | "conv2dtranspose" => {
            behind = given_activation(call)?;
            convolution(name, call)?
        }
        "upsampling2d" => upsampling(call)?,
        "averagepooling2d" => format!("avgpool {}", pooling(call)?),
        "maxpooling2d" => format!("maxpool {}", pooling(call)?),
        "globalaveragepooling2d" => {
            call.neutral("keepdims", &["False"], "the result is a vector")?;
            "globalpool".into()
        }
        "zeropadding2d" => zero_padding(&call.take("padding").unwrap_or("1".into()))?,
        "batchnormalization" => {
            normalised(call)?;
            format!("batchnorm{}{}", call.option("momentum", "momentum"), call.option("epsilon", "epsilon"))
        }
        "groupnormalization" => {
            normalised(call)?;
            let (groups, epsilon) = (call.take("groups"), call.take("epsilon"));
            format!("groupnorm {} epsilon {}", groups.unwrap_or("32".into()), epsilon.unwrap_or("0.001".into()))
        }
        "leakyrelu" => {
            let slope = call.take("negative_slope").or_else(|| call.take("alpha"));
            format!("leakyrelu {}", slope.unwrap_or("0.3".into()))
        }
        "relu" => {
            let zero = ["0", "0.0", "0."];
            call.neutral("max_value", &[], "`relu` has no upper bound")?;
            call.neutral("negative_slope", &zero, "write LeakyReLU")?;
            call.neutral("threshold", &zero, "`relu` begins at 0")?;
            "relu".into()
        }
        "softmax" => {
            call.neutral("axis", &["-1"], "it runs over the channels")?;
            "softmax".into()
        }
        "activation" => match activation(&call.needed("activation")?)? {
            Some(line) => line,
            None => return Err("a linear activation changes nothing: leave the line out".into()),
        },
        "dropout" | "spatialdropout2d" => {
            call.neutral("noise_shape", &[], "SpatialDropout2D drops whole channels")?;
            call.neutral("seed", &[], "the recipe's `train.seed` is the seed of everything")?;
            let keyword = if name == "dropout" { "dropout" } else { "dropout2d" };
            format!("{keyword} {}", call.needed("rate")?)
        }
        "gaussiannoise" => {
            call.neutral("seed", &[], "the recipe's `train.seed` is the seed of everything")?;
            format!("gaussiannoise {}", call.needed("stddev")?)
        }
        "flatten" => "flatten".into(),
        "reshape" => {
            let sizes = numbers(&call.needed("target_shape")?);
            if sizes.iter().any(|size| size == "-1") {
                return Err("`-1` has no counterpart here: write the size".into());
            }
            format!("reshape {}", sizes.join(" "))
        }
        other => return Err(unknown(other)),
    };
    Ok((Some(line), behind))
}

/// The line for the input that a first layer declares.
fn given_input(call: &mut Call) -> Reading<Option<String>> {
    if let Some(features) = call.take("input_dim") {
        return Ok(Some(input::line(&[features.replace(' ', "")])));
    }
    shape(call, &["input_shape", "batch_input_shape"])
}

/// The line for the shape under one of the `names`; those with `batch` begin with the batch's size.
fn shape(call: &mut Call, names: &[&'static str]) -> Reading<Option<String>> {
    for name in names {
        let Some(text) = call.take(name) else { continue };
        let skipped = usize::from(name.contains("batch"));
        let any = |size: String| if size == "None" { "?".into() } else { size };
        let sizes: Vec<String> = numbers(&text).into_iter().skip(skipped).map(any).collect();
        if ![1, 3].contains(&sizes.len()) {
            return Err(format!("expected `{name}` with one size (a vector) or three (an image), found `{text}`"));
        }
        return Ok(Some(input::line(&sizes)));
    }
    Ok(None)
}

fn given_activation(call: &mut Call) -> Reading<Option<String>> {
    call.take("activation").map_or(Ok(None), |name| activation(&name))
}

fn convolution(name: &str, call: &mut Call) -> Reading<String> {
    let (filters, kernel) = (call.size("filters")?, pair(&call.needed("kernel_size")?));
    let one = ["1", "(1,1)", "[1,1]"];
    call.neutral("dilation_rate", &one, "kernels have no gaps")?;
    call.neutral("groups", &one, "every convolution joins all channels")?;
    let stride = call.take("strides").map_or(String::new(), |s| format!(" stride {}", pair(&s)));
    let keyword = if name == "conv2d" { "conv" } else { "convtranspose" };
    let mut padding = match call.take("padding").unwrap_or("valid".into()).to_lowercase().as_str() {
        "same" => String::new(),
        "valid" => " padding valid".into(),
        other => {
            let near = did_you_mean(other, ["same", "valid"]);
            return Err(format!("{near}expected padding \"same\" or \"valid\", found `{other}`"));
        }
    };
    // Of a word such as `3x4`, both numbers.
    let both = |text: &str| {
        let list = numbers(&text.replace('x', ","));
        [0, 1].map(|i| list.get(i).or(list.first()).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1))
    };
    let (kernels, strides) = (both(&kernel), both(stride.trim_start_matches(" stride ")));
    if let Some(extra) = call.take("output_padding") {
        let extra = pair(&extra);
        // In Keras half the kernel is cut off on each side: with this much more the output is the input times the stride.
        let usual = [0, 1].map(|i| strides[i].checked_sub(kernels[i] % 2));
        if !padding.is_empty() {
            padding += &format!(" output_padding {extra}");
        } else if both(&extra).map(Some) != usual {
            return Err(format!(
                "`output_padding={extra}` has no counterpart here under padding \"same\", whose output is the input times the \
                 stride: leave it out"
            ));
        }
    } else if name == "conv2dtranspose" && padding == " padding valid" {
        // Keras's output is the input times the stride at least, also where the kernel is smaller than that.
        let missing = [0, 1].map(|i| strides[i].saturating_sub(kernels[i]));
        if missing != [0, 0] {
            padding += &format!(" output_padding {}x{}", missing[0], missing[1]);
        }
    }
    Ok(format!("{keyword} {filters} {kernel}{stride}{padding}{}{}", bias(call)?, init(call)?))
}

fn upsampling(call: &mut Call) -> Reading<String> {
    let size = square(&call.take("size").unwrap_or("2".into()))?;
    match call.take("interpolation").as_deref() {
        None | Some("nearest") => Ok(format!("upsample {size}")),
        Some("bilinear") => Ok(format!("upsample {size} bilinear")),
        Some(other) => {
            let near = did_you_mean(other, ["nearest", "bilinear"]);
            Err(format!("{near}expected interpolation nearest or bilinear, found `{other}`"))
        }
    }
}

/// The factor of a pooling without overlaps. Under either padding images are whole numbers of pools here, where the two
/// are the same.
fn pooling(call: &mut Call) -> Reading<String> {
    let size = square(&call.take("pool_size").unwrap_or("2".into()))?;
    call.neutral("padding", &["valid", "same"], "expected \"valid\" or \"same\"")?;
    match call.take("strides").map(|strides| square(&strides)).transpose()? {
        Some(stride) if stride != size => {
            Err(format!("pools of {size} with strides of {stride} have no counterpart here"))
        }
        _ => Ok(size),
    }
}

/// `1`, `(1, 2)`, `((0, 1), (2, 3))`: all sides; rows and columns; above, below, left, right.
fn zero_padding(text: &str) -> Reading<String> {
    let sides: Vec<Vec<String>> = parts(inside(text)).iter().map(|part| numbers(part)).collect();
    let plain: Vec<&[String]> = sides.iter().map(Vec::as_slice).collect();
    match &plain[..] {
        [[all]] => Ok(format!("zeropad {all}")),
        [[rows], [columns]] => Ok(format!("zeropad {rows} {rows} {columns} {columns}")),
        [[above, below], [left, right]] => Ok(format!("zeropad {above} {below} {left} {right}")),
        _ => Err(format!("expected padding like 1, (1, 2) or ((0, 1), (0, 1)), found `{text}`")),
    }
}

/// What all normalisations have in common.
fn normalised(call: &mut Call) -> Reading<()> {
    call.neutral("axis", &["-1", "3", "[-1]", "[3]"], "it is the channels that are normalised")?;
    for switch in ["center", "scale"] {
        call.neutral(switch, &["True"], "every normalisation has a gamma and a beta")?;
    }
    call.neutral("beta_initializer", &["zeros", "Zeros()"], "beta begins at 0")?;
    call.neutral("gamma_initializer", &["ones", "Ones()"], "gamma begins at 1")
}

fn bias(call: &mut Call) -> Reading<&'static str> {
    call.neutral("bias_initializer", &["zeros", "Zeros()"], "a bias begins at 0")?;
    for one in
        ["kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"]
    {
        call.neutral(one, &[], "losses have no such terms; see `train.weight_clip` and `train.penalties`")?;
    }
    Ok(if call.switch("use_bias", true)? { "" } else { " nobias" })
}

fn init(call: &mut Call) -> Reading<String> {
    let Some(given) = call.take("kernel_initializer") else { return Ok(String::new()) };
    let (name, arguments) = given.split_once('(').unwrap_or((&given, ""));
    let name = name.rsplit('.').next().unwrap_or(name).replace('_', "").to_lowercase();
    let arguments = parts(arguments.trim_end_matches(')'));
    let value = |key: &str, place: usize| {
        let named =
            arguments.iter().find_map(|argument| argument.replace(' ', "").strip_prefix(key).map(str::to_owned));
        named.or_else(|| arguments.get(place).filter(|argument| !argument.contains('=')).cloned())
    };
    match name.as_str() {
        "glorotuniform" => Ok(String::new()),
        // Of the same variance; Keras's is cut off at two deviations.
        "henormal" => Ok(" init he".into()),
        "zeros" => Ok(" init zeros".into()),
        "randomnormal" => {
            if value("mean=", 0).is_some_and(|mean| mean.parse::<f32>() != Ok(0.0)) {
                return Err(format!("`{given}` has no counterpart here: weights have a mean of 0"));
            }
            Ok(format!(" init normal {}", value("stddev=", 1).unwrap_or("0.05".into())))
        }
        _ => {
            let near = did_you_mean(&name, ["glorot_uniform", "he_normal", "zeros", "RandomNormal"]);
            Err(format!(
                "{near}expected kernel_initializer glorot_uniform, he_normal, zeros or RandomNormal, found `{given}`"
            ))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::expanded;

    #[test]
    fn calls_mean_what_they_mean_in_keras() {
        for (line, ours) in [
            ("Dense(7*7*64)", "dense 7*7*64"),
            ("Dense(14 * 14 * 128, input_dim=32)", "input 32 | dense 14*14*128"),
            ("layers.Dense(units=128, activation='relu', name='d'),", "dense 128 | relu"),
            ("tf.keras.layers.Dense(8, use_bias=False)", "dense 8 nobias"),
            ("model.add(Dense(8, activation=LeakyReLU(alpha=0.2)))", "dense 8 | leakyrelu 0.2"),
            ("Dense(8, activation=tf.nn.tanh)", "dense 8 | tanh"),
            ("Conv2D(64, 4, strides=2)", "conv 64 4 stride 2 padding valid"),
            ("keras.layers.Conv2D(64, (4, 3), strides=(2, 1), padding=\"same\")", "conv 64 4x3 stride 2x1"),
            (
                "Conv2D(filters=64, kernel_size=(4, 4), strides=(2, 2), padding=\"same\", activation=\"relu\")",
                "conv 64 4x4 stride 2x2 | relu",
            ),
            ("Conv2D(1, 5, 1, 'same', activation=\"sigmoid\")", "conv 1 5 stride 1 | sigmoid"),
            (
                "Conv2D(8, 3, padding='same', input_shape=(28, 28, 1), data_format='channels_last', dilation_rate=(1, 1))",
                "input 28x28x1 | conv 8 3",
            ),
            ("Conv2DTranspose(128, kernel_size=4, strides=2, padding=\"same\")", "convtranspose 128 4 stride 2"),
            ("Conv2DTranspose(256, 4, strides=2)", "convtranspose 256 4 stride 2 padding valid"),
            ("Conv2DTranspose(8, 3, strides=2, padding='same', output_padding=1)", "convtranspose 8 3 stride 2"),
            (
                "Conv2DTranspose(8, (4, 5), strides=(2, 2), padding='same', output_padding=(2, 1))",
                "convtranspose 8 4x5 stride 2x2",
            ),
            ("Conv2DTranspose(8, 2, strides=3)", "convtranspose 8 2 stride 3 padding valid output_padding 1x1"),
            ("UpSampling2D()", "upsample 2"),
            ("UpSampling2D(2)", "upsample 2"),
            ("UpSampling2D(size=(2, 2), interpolation='bilinear')", "upsample 2 bilinear"),
            ("AveragePooling2D()", "avgpool 2"),
            ("MaxPooling2D(pool_size=(2, 2), strides=2)", "maxpool 2"),
            ("MaxPool2D(3)", "maxpool 3"),
            ("GlobalAveragePooling2D()", "globalpool"),
            ("ZeroPadding2D()", "zeropad 1"),
            ("ZeroPadding2D((1, 2))", "zeropad 1 1 2 2"),
            ("ZeroPadding2D(padding=((0,1),(0,1)))", "zeropad 0 1 0 1"),
            ("BatchNormalization(momentum=0.8)", "batchnorm momentum 0.8"),
            ("BatchNormalization(axis=-1, center=True, epsilon=1e-5)", "batchnorm epsilon 1e-5"),
            ("GroupNormalization(8)", "groupnorm 8 epsilon 0.001"),
            ("LeakyReLU()", "leakyrelu 0.3"),
            ("LeakyReLU(alpha=0.2)", "leakyrelu 0.2"),
            ("LeakyReLU(negative_slope=0.2)", "leakyrelu 0.2"),
            ("LeakyReLU(0.1)", "leakyrelu 0.1"),
            ("ReLU()", "relu"),
            ("ReLU(max_value=None, threshold=0.0)", "relu"),
            ("Softmax()", "softmax"),
            ("Activation('tanh')", "tanh"),
            ("Activation(\"sigmoid\")", "sigmoid"),
            ("Dense(8, 'leaky_relu')", "dense 8 | leakyrelu 0.2"),
            ("Dropout(rate=0.3)", "dropout 0.3"),
            ("SpatialDropout2D(0.3)", "dropout2d 0.3"),
            ("GaussianNoise(0.1)", "gaussiannoise 0.1"),
            ("Flatten()", "flatten"),
            ("Flatten(input_shape=[28, 28, 1])", "input 28x28x1 | flatten"),
            ("Reshape((7, 7, 64))", "reshape 7 7 64"),
            ("Reshape(target_shape=(100,))", "reshape 100"),
            ("Input(shape=(100,))", "input 100"),
            ("keras.Input((None, None, 3))", "input ?x?x3"),
            ("InputLayer(input_shape=(28, 28, 1))", "input 28x28x1"),
            (
                "Dense(8, kernel_initializer=keras.initializers.RandomNormal(mean=0., stddev=0.02))",
                "dense 8 init normal 0.02",
            ),
            ("Dense(8, kernel_initializer=RandomNormal(stddev=0.02))", "dense 8 init normal 0.02"),
            ("Dense(8, kernel_initializer='he_normal')", "dense 8 init he"),
            ("Conv2D 64 4x4 strides 2", "conv 64 4x4 strides 2"),
            ("BatchNormalization", "batchnorm"),
            ("MaxPooling2D 2", "maxpool 2"),
            ("Activation relu", "relu"),
            ("conv 64 4x4", "conv 64 4x4"),
            ("embedding 16", "embedding 16"),
            ("batchnorm", "batchnorm"),
        ] {
            assert_eq!(expanded(line).unwrap().join(" | "), ours, "{line}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused_with_the_reason() {
        for (line, why) in [
            ("Dense(8, activation='gelu')", "expected activation relu"),
            ("Dense(8, activation='rleu')", "did you mean `relu`?"),
            ("Dense(8, activation=Dense(3))", "is no activation"),
            ("Dense()", "expected `units`"),
            ("Dense(8, units=9)", "`units` is given twice"),
            ("Dense(8, kernel_regularizer='l2')", "`kernel_regularizer=l2` has no counterpart here: losses"),
            ("Dense(8, use_bias=maybe)", "expected `use_bias` True or False"),
            ("Dense(8, kernel_initializer=RandomNormal(1.0, 0.02))", "a mean of 0"),
            ("Conv2D(8, 3, dilation_rate=2)", "`dilation_rate=2` has no counterpart here: kernels have no gaps"),
            ("Conv2D(8, 3, stride=2)", "did you mean `strides`?"),
            ("Conv2D(8, 3, padding='smae')", "did you mean `same`?"),
            ("Conv2D(8, 3, data_format='channels_first')", "height x width x channels"),
            ("Conv2D(8, 3, 1, 'same', None, 2)", "write its name before it"),
            ("Conv2DTranspose(8, 3, 2, 'same', output_padding=0)", "under padding \"same\""),
            ("UpSampling2D((2, 3))", "the same factor"),
            ("MaxPooling2D(3, strides=2)", "pools of 3 with strides of 2"),
            ("GlobalMaxPooling2D()", "`globalpool` takes the mean"),
            ("ReLU(max_value=6)", "has no upper bound"),
            ("BatchNormalization(scale=False)", "every normalisation has a gamma"),
            ("ZeroPadding2D((1, 2, 3))", "expected padding like"),
            ("Reshape((-1, 7))", "write the size"),
            ("Input(shape=(28, 28))", "one size (a vector) or three"),
            ("Concatenate()", "nets are lists of layers"),
            ("LayerNormalization", "each image as a whole"),
            ("Convo2D(8, 3)", "did you mean `Conv2D`?"),
            ("Dense(8", "closing one"),
            ("Activation('linear')", "leave the line out"),
        ] {
            let said = expanded(line).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
