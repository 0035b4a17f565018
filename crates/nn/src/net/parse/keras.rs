//! Translates Keras's names. A name alone is a synonym of a keyword: `Conv2D 64 4x4 strides 2`. With parentheses the line is a
//! call with Keras's meaning and defaults: `Conv2D(64, 4, strides=2)` has padding "valid". Unsupported names
//! are refused with the reason.

use super::Reading;

/// Keras's names and our keywords for them.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("Dense", "dense"),
    ("Conv2D", "conv"),
    ("Conv2DTranspose", "convtranspose"),
    ("UpSampling2D", "upsample"),
    ("AveragePooling2D", "avgpool"),
    ("GlobalAveragePooling2D", "globalpool"),
    ("BatchNormalization", "batchnorm"),
    ("GroupNormalization", "groupnorm"),
    ("LeakyReLU", "leakyrelu"),
    ("ReLU", "relu"),
    ("Activation", "activation"),
    ("Dropout", "dropout"),
    ("Flatten", "flatten"),
    ("Reshape", "reshape"),
];

/// Unsupported layers of Keras, in lower case, with alternatives.
const WITHOUT: &[(&str, &str)] = &[
    ("input", "the input's shape is known from the data and `latent`: leave the line out"),
    ("inputlayer", "the input's shape is known from the data and `latent`: leave the line out"),
    (
        "layernormalization",
        "Keras's normalises the channels of each pixel alone; `layernorm` normalises each image as a whole",
    ),
    ("maxpooling2d", "there is no maximum pooling; `avgpool 2` or a convolution with `stride 2` makes images smaller"),
    ("globalmaxpooling2d", "there is no maximum pooling; `globalpool` takes the mean"),
    ("spectralnormalization", "write the layer alone and set `spectral = true` for the net"),
    ("cropping2d", "`crop 37 53` keeps the central part of this height and width"),
    ("softmax", "D ends with one score; for guesses of the labels see `auxiliary`"),
];

/// Translates a line in Keras's vocabulary; `None` for other lines.
pub(super) fn translated(line: &str) -> Option<Reading<Vec<String>>> {
    let line = line.trim().trim_end_matches(',');
    if let Some((name, arguments)) = line.split_once('(') {
        let name = name.rsplit('.').next().unwrap_or(name).trim().to_lowercase();
        return Some(match arguments.strip_suffix(')') {
            Some(arguments) => Call::read(&name, arguments).and_then(Call::lines),
            None => Err("the line has an opening parenthesis but doesn't end with a closing one".into()),
        });
    }
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let lower = name.to_lowercase();
    if let Some((_, why)) = WITHOUT.iter().find(|(known, _)| *known == lower) {
        return Some(Err(format!("`{name}` has no counterpart here: {why}")));
    }
    let (_, keyword) = NAMES.iter().find(|(known, _)| known.to_lowercase() == lower)?;
    if *keyword == "activation" {
        return Some(activation(rest).map(|line| line.into_iter().collect()));
    }
    (*keyword != name).then(|| Ok(vec![format!("{keyword} {rest}").trim().to_string()]))
}

/// A call with its arguments by name.
struct Call {
    name: String,
    arguments: Vec<(String, String)>,
}

impl Call {
    fn read(name: &str, arguments: &str) -> Reading<Self> {
        if !NAMES.iter().any(|(known, _)| known.to_lowercase() == name) {
            return Err(unknown(name));
        }
        let mut named = Vec::new();
        for (place, argument) in parts(arguments).into_iter().enumerate() {
            named.push(match argument.split_once('=').filter(|(key, _)| !key.contains('(')) {
                Some((key, value)) => (key.trim().to_string(), value.trim().to_string()),
                None => match positional(name).get(place) {
                    Some(key) => ((*key).to_string(), argument),
                    None => return Err(format!("`{argument}` is not understood here; write its name before it")),
                },
            });
        }
        Ok(Self { name: name.into(), arguments: named })
    }

    /// Removes and returns an argument.
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.arguments.iter().position(|(known, _)| known == name)?;
        Some(unquoted(&self.arguments.remove(at).1).to_string())
    }

    fn needed(&mut self, name: &str) -> Reading<String> {
        self.take(name).ok_or_else(|| format!("expected `{name}`"))
    }

    /// ` word value` if the argument is given.
    fn option(&mut self, name: &str, word: &str) -> String {
        self.take(name).map_or(String::new(), |value| format!(" {word} {value}"))
    }

    fn lines(mut self) -> Reading<Vec<String>> {
        // These have no effect here.
        self.take("name");
        let mut behind = None;
        let line = match self.name.as_str() {
            "dense" => {
                let units = self.needed("units")?.replace(' ', "");
                self.has_bias()?;
                behind = self.activation()?;
                format!("dense {units}{}", self.init()?)
            }
            "conv2d" | "conv2dtranspose" => {
                behind = self.activation()?;
                self.convolution()?
            }
            "upsampling2d" => self.upsampling()?,
            "averagepooling2d" => format!("avgpool {}", square(&self.take("pool_size").unwrap_or("2".into()))?),
            "globalaveragepooling2d" => "globalpool".into(),
            "batchnormalization" => {
                format!("batchnorm{}{}", self.option("momentum", "momentum"), self.option("epsilon", "epsilon"))
            }
            "groupnormalization" => {
                let (groups, epsilon) = (self.take("groups"), self.take("epsilon"));
                format!("groupnorm {} epsilon {}", groups.unwrap_or("32".into()), epsilon.unwrap_or("0.001".into()))
            }
            "leakyrelu" => {
                let slope = self.take("negative_slope").or_else(|| self.take("alpha"));
                format!("leakyrelu {}", slope.unwrap_or("0.3".into()))
            }
            "relu" => "relu".into(),
            "activation" => match activation(&self.needed("activation")?)? {
                Some(line) => line,
                None => return Err("a linear activation changes nothing: leave the line out".into()),
            },
            "dropout" => format!("dropout {}", self.needed("rate")?),
            "flatten" => "flatten".into(),
            "reshape" => format!("reshape {}", numbers(&self.needed("target_shape")?).join(" ")),
            other => return Err(unknown(other)),
        };
        if let Some((name, value)) = self.arguments.first() {
            return Err(format!("`{name}={value}` has no counterpart here"));
        }
        Ok(std::iter::once(line).chain(behind).collect())
    }

    fn convolution(&mut self) -> Reading<String> {
        let (filters, kernel) = (self.needed("filters")?.replace(' ', ""), pair(&self.needed("kernel_size")?));
        self.has_bias()?;
        let stride = self.take("strides").map_or(String::new(), |s| format!(" stride {}", pair(&s)));
        let (keyword, padding) = self.padding()?;
        Ok(format!("{keyword} {filters} {kernel}{stride}{padding}{}", self.init()?))
    }

    fn upsampling(&mut self) -> Reading<String> {
        let size = square(&self.take("size").unwrap_or("2".into()))?;
        match self.take("interpolation").as_deref() {
            None | Some("nearest") => Ok(format!("upsample {size}")),
            Some("bilinear") => Ok(format!("upsample {size} bilinear")),
            Some(other) => Err(format!("expected interpolation nearest or bilinear, found `{other}`")),
        }
    }

    fn has_bias(&mut self) -> Reading<()> {
        match self.take("use_bias").as_deref() {
            None | Some("True") => Ok(()),
            _ => {
                Err("every layer has a bias: leave `use_bias` out (before batch normalisation a bias changes nothing)"
                    .into())
            }
        }
    }

    fn activation(&mut self) -> Reading<Option<String>> {
        self.take("activation").map_or(Ok(None), |name| activation(&name))
    }

    /// The keyword of a convolution, and the words for its padding.
    fn padding(&mut self) -> Reading<(&'static str, &'static str)> {
        let padding = self.take("padding").unwrap_or("valid".into());
        match (self.name.as_str(), padding.to_lowercase().as_str()) {
            ("conv2d", "same") => Ok(("conv", "")),
            ("conv2d", "valid") => Ok(("conv", " padding valid")),
            ("conv2dtranspose", "same") => Ok(("convtranspose", "")),
            ("conv2dtranspose", "valid") => {
                Err("a transposed convolution has padding=\"same\" here: write it (Keras's default is \"valid\")"
                    .into())
            }
            _ => Err(format!("expected padding \"same\" or \"valid\", found `{padding}`")),
        }
    }

    fn init(&mut self) -> Reading<String> {
        let Some(given) = self.take("kernel_initializer") else { return Ok(String::new()) };
        let (name, arguments) = given.split_once('(').unwrap_or((&given, ""));
        let name = name.rsplit('.').next().unwrap_or(name).replace('_', "").to_lowercase();
        let arguments = parts(arguments.trim_end_matches(')'));
        let deviation =
            arguments.iter().find_map(|a| a.strip_prefix("stddev=")).or(arguments.get(1).map(String::as_str));
        match name.as_str() {
            "glorotuniform" => Ok(String::new()),
            "henormal" => Ok(" init he".into()),
            "zeros" => Ok(" init zeros".into()),
            "randomnormal" => Ok(format!(" init normal {}", deviation.unwrap_or("0.05"))),
            _ => Err(format!(
                "expected kernel_initializer glorot_uniform, he_normal, zeros or RandomNormal, found `{given}`"
            )),
        }
    }
}

/// The names of a layer's first arguments.
fn positional(name: &str) -> &'static [&'static str] {
    match name {
        "dense" => &["units", "activation"],
        "conv2d" | "conv2dtranspose" => &["filters", "kernel_size", "strides", "padding"],
        "upsampling2d" => &["size"],
        "averagepooling2d" => &["pool_size"],
        "groupnormalization" => &["groups"],
        "leakyrelu" => &["negative_slope"],
        "activation" => &["activation"],
        "dropout" => &["rate"],
        "reshape" => &["target_shape"],
        _ => &[],
    }
}

/// Why Keras's `name` can't be translated.
fn unknown(name: &str) -> String {
    if let Some((_, why)) = WITHOUT.iter().find(|(known, _)| *known == name) {
        return format!("Keras's `{name}` has no counterpart here: {why}");
    }
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    let meant =
        crate::registry::nearest(name, &names).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    format!("there is no layer `{name}` to call; {meant}expected one of {}", names.join(", "))
}

/// The line of an activation; `None` for a linear one.
fn activation(name: &str) -> Reading<Option<String>> {
    match unquoted(name.trim()).to_lowercase().as_str() {
        "linear" | "none" => Ok(None),
        // Keras's function and layer have different defaults.
        "leaky_relu" => Ok(Some("leakyrelu 0.2".into())),
        known @ ("relu" | "tanh" | "sigmoid") => Ok(Some(known.into())),
        other => Err(format!("expected activation relu, leaky_relu, tanh, sigmoid or linear, found `{other}`")),
    }
}

/// Splits `text` at commas outside parentheses.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut part) = (Vec::new(), 0, String::new());
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// The numbers of `(7, 7, 64)`, `[7, 7, 64]` or `7`.
fn numbers(text: &str) -> Vec<String> {
    parts(text.trim_matches(['(', ')', '[', ']'])).into_iter().map(|n| n.replace(' ', "")).collect()
}

/// `(4, 3)` as `4x3`.
fn pair(text: &str) -> String {
    numbers(text).join("x")
}

/// `(2, 2)` as `2`.
fn square(text: &str) -> Reading<String> {
    match &numbers(text)[..] {
        [one] => Ok(one.clone()),
        [one, other] if one == other => Ok(one.clone()),
        _ => Err(format!("expected the same factor in both directions, found `{text}`")),
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
            ("layers.Dense(units=128, activation='relu', name='d'),", "dense 128 | relu"),
            ("Conv2D(64, 4, strides=2)", "conv 64 4 stride 2 padding valid"),
            ("keras.layers.Conv2D(64, (4, 3), strides=(2, 1), padding=\"same\")", "conv 64 4x3 stride 2x1"),
            ("Conv2D(1, 5, 1, 'same', activation=\"sigmoid\")", "conv 1 5 stride 1 | sigmoid"),
            ("Conv2DTranspose(128, kernel_size=4, strides=2, padding=\"same\")", "convtranspose 128 4 stride 2"),
            ("UpSampling2D()", "upsample 2"),
            ("UpSampling2D(size=(2, 2), interpolation='bilinear')", "upsample 2 bilinear"),
            ("AveragePooling2D()", "avgpool 2"),
            ("GlobalAveragePooling2D()", "globalpool"),
            ("BatchNormalization(momentum=0.8)", "batchnorm momentum 0.8"),
            ("GroupNormalization(8)", "groupnorm 8 epsilon 0.001"),
            ("LeakyReLU()", "leakyrelu 0.3"),
            ("LeakyReLU(alpha=0.2)", "leakyrelu 0.2"),
            ("LeakyReLU(0.1)", "leakyrelu 0.1"),
            ("ReLU()", "relu"),
            ("Activation('tanh')", "tanh"),
            ("Dense(8, 'leaky_relu')", "dense 8 | leakyrelu 0.2"),
            ("Dropout(rate=0.3)", "dropout 0.3"),
            ("Flatten()", "flatten"),
            ("Reshape((7, 7, 64))", "reshape 7 7 64"),
            ("Reshape(target_shape=(100,))", "reshape 100"),
            (
                "Dense(8, kernel_initializer=keras.initializers.RandomNormal(mean=0., stddev=0.02))",
                "dense 8 init normal 0.02",
            ),
            ("Dense(8, kernel_initializer='he_normal')", "dense 8 init he"),
            ("Conv2D 64 4x4 strides 2", "conv 64 4x4 strides 2"),
            ("BatchNormalization", "batchnorm"),
            ("Activation relu", "relu"),
            ("conv 64 4x4", "conv 64 4x4"),
        ] {
            assert_eq!(expanded(line).unwrap().join(" | "), ours, "{line}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused_with_the_reason() {
        for (line, why) in [
            ("Conv2DTranspose(64, 4, strides=2)", "padding=\"same\""),
            ("Dense(8, use_bias=False)", "every layer has a bias"),
            ("Dense(8, activation='gelu')", "expected activation relu"),
            ("Dense()", "expected `units`"),
            ("Conv2D(8, 3, dilation_rate=2)", "`dilation_rate=2` has no counterpart"),
            ("Conv2D(8, 3, 1, 'same', None, 2)", "write its name before it"),
            ("UpSampling2D((2, 3))", "the same factor"),
            ("MaxPooling2D(2)", "no maximum pooling"),
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
