//! PyTorch's layers: `nn.ConvTranspose2d(100, 512, 4, 2, 1, bias=False)`. Sizes of the input that a layer gives are
//! checked. PyTorch keeps the channels of an image before its rows, so what `Flatten` and `Unflatten` make has another
//! order there; a dense layer beside them learns either. Its moving variance is that of the sample, n / (n - 1) times ours.

use super::call::{Call, numbers, pair, square};
use super::{Reading, input};
use faussaire_data::did_you_mean;

/// The supported names, with the names of their first arguments.
const NAMES: &[(&str, &[&str])] = &[
    ("Linear", &["in_features", "out_features", "bias"]),
    ("Conv2d", &["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"]),
    (
        "ConvTranspose2d",
        &[
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "bias",
            "dilation",
        ],
    ),
    ("BatchNorm2d", &["num_features", "eps", "momentum", "affine", "track_running_stats"]),
    ("BatchNorm1d", &["num_features", "eps", "momentum", "affine", "track_running_stats"]),
    ("InstanceNorm2d", &["num_features", "eps", "momentum", "affine", "track_running_stats"]),
    ("GroupNorm", &["num_groups", "num_channels", "eps", "affine"]),
    ("LeakyReLU", &["negative_slope", "inplace"]),
    ("ReLU", &["inplace"]),
    ("Tanh", &[]),
    ("Sigmoid", &[]),
    ("Softmax", &["dim"]),
    ("Dropout", &["p", "inplace"]),
    ("Dropout2d", &["p", "inplace"]),
    ("Flatten", &["start_dim", "end_dim"]),
    ("Unflatten", &["dim", "unflattened_size"]),
    ("Upsample", &["size", "scale_factor", "mode", "align_corners"]),
    ("UpsamplingNearest2d", &["size", "scale_factor"]),
    ("AvgPool2d", &["kernel_size", "stride", "padding"]),
    ("MaxPool2d", &["kernel_size", "stride", "padding"]),
    ("AdaptiveAvgPool2d", &["output_size"]),
    ("PixelShuffle", &["upscale_factor"]),
    ("ZeroPad2d", &["padding"]),
];

/// Unsupported layers, with alternatives.
const WITHOUT: &[(&str, &str)] = &[
    ("Identity", "it changes nothing: leave the line out"),
    ("LayerNorm", "`layernorm` normalises each image as a whole, with a gamma and beta for each channel"),
    ("UpsamplingBilinear2d", "it aligns corners; `upsample 2 bilinear` aligns the edges of pixels"),
    ("Embedding", "labels are not a layer's input here: `embedding N` appends N channels for the image's label"),
    ("ELU", "there are relu, leakyrelu, tanh, sigmoid and softmax"),
    ("SELU", "there are relu, leakyrelu, tanh, sigmoid and softmax"),
    ("GELU", "there are relu, leakyrelu, tanh, sigmoid and softmax"),
    ("PReLU", "its slope would be learned; `leakyrelu 0.2` has a fixed one"),
    ("ReflectionPad2d", "`zeropad` puts zeros around an image"),
    ("Sequential", "write each of its layers on a line of its own"),
];

/// The supported names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Whether `call` is PyTorch's: by the module `nn`, else by a name that Keras doesn't have. Keras's `Conv2D` is another
/// word than `Conv2d`.
pub(super) fn speaks(call: &Call) -> bool {
    let keras = |name: &str| super::keras::names().any(|known| known == name);
    let known = NAMES.iter().map(|(name, _)| *name).chain(WITHOUT.iter().map(|(name, _)| *name));
    call.modules.split('.').next_back() == Some("nn")
        || (call.modules.is_empty()
            && !keras(&call.name)
            && known.into_iter().any(|name| {
                name == call.name && name != "Embedding" && name != "ELU" && name != "SELU" && name != "PReLU"
            }))
}

/// The lines of a call: what it says of its input, and the layer.
pub(super) fn lines(mut call: Call) -> Reading<Vec<String>> {
    let Some((name, order)) = NAMES.iter().find(|(name, _)| *name == call.name) else {
        return Err(unknown(&call.name));
    };
    call.order(order)?;
    call.without_effect(&["inplace", "device", "dtype"]);
    let lines = layer(name, &mut call)?;
    call.end()?;
    Ok(lines)
}

fn unknown(name: &str) -> String {
    if let Some((_, why)) = WITHOUT.iter().find(|(known, _)| *known == name) {
        return format!("PyTorch's `{name}` has no counterpart here: {why}");
    }
    let meant = did_you_mean(name, super::other_names());
    format!("there is no layer `{name}` to call; {meant}expected one of {}", names().collect::<Vec<_>>().join(", "))
}

fn layer(name: &str, call: &mut Call) -> Reading<Vec<String>> {
    let alone = |line: String| Ok(vec![line]);
    match name {
        "Linear" => {
            let from = input::line(&[call.size("in_features")?]);
            let units = call.size("out_features")?;
            Ok(vec![from, format!("dense {units}{}", bias(call)?)])
        }
        "Conv2d" | "ConvTranspose2d" => convolution(name, call),
        "BatchNorm2d" | "BatchNorm1d" => {
            call.neutral("affine", &["True"], "every normalisation has a gamma and a beta")?;
            call.neutral("track_running_stats", &["True"], "inference uses moving statistics")?;
            let features = input::channels(&call.size("num_features")?);
            // PyTorch's momentum is the weight of the new value, Keras's and ours that of the old one.
            let momentum = call.take("momentum").unwrap_or("0.1".into());
            let new =
                momentum.parse::<f64>().map_err(|_| format!("expected a number for `momentum`, found `{momentum}`"))?;
            let kept = (1e9 * (1.0 - new)).round() / 1e9;
            let epsilon = call.take("eps").unwrap_or("1e-5".into());
            Ok(vec![features, format!("batchnorm momentum {kept} epsilon {epsilon}")])
        }
        "InstanceNorm2d" => {
            if !call.switch("affine", false)? {
                return Err(
                    "`instancenorm` has a gamma and a beta, and PyTorch's has none unless it says affine=True".into()
                );
            }
            call.neutral("track_running_stats", &["False"], "every image has its own statistics")?;
            call.without_effect(&["momentum"]);
            let features = input::channels(&call.size("num_features")?);
            Ok(vec![features, format!("instancenorm epsilon {}", call.take("eps").unwrap_or("1e-5".into()))])
        }
        "GroupNorm" => {
            call.neutral("affine", &["True"], "every normalisation has a gamma and a beta")?;
            let (groups, channels) = (call.size("num_groups")?, input::channels(&call.size("num_channels")?));
            let epsilon = call.take("eps").unwrap_or("1e-5".into());
            Ok(vec![channels, format!("groupnorm {groups} epsilon {epsilon}")])
        }
        "LeakyReLU" => alone(format!("leakyrelu {}", call.take("negative_slope").unwrap_or("0.01".into()))),
        "ReLU" => alone("relu".into()),
        "Tanh" => alone("tanh".into()),
        "Sigmoid" => alone("sigmoid".into()),
        "Softmax" => {
            call.neutral("dim", &["1"], "it runs over the channels, PyTorch's dimension 1")?;
            alone("softmax".into())
        }
        "Dropout" => alone(format!("dropout {}", call.take("p").unwrap_or("0.5".into()))),
        "Dropout2d" => alone(format!("dropout2d {}", call.take("p").unwrap_or("0.5".into()))),
        "Flatten" => {
            call.neutral("start_dim", &["1"], "an image is flattened as a whole")?;
            call.neutral("end_dim", &["-1"], "an image is flattened as a whole")?;
            alone("flatten".into())
        }
        "Unflatten" => {
            call.neutral("dim", &["1"], "a vector becomes an image")?;
            let shape = call.needed("unflattened_size")?;
            match &numbers(&shape)[..] {
                [channels, height, width] => alone(format!("reshape {height} {width} {channels}")),
                _ => Err(format!("expected unflattened_size like (128, 7, 7), found `{shape}`")),
            }
        }
        "Upsample" | "UpsamplingNearest2d" => upsampling(call),
        "AvgPool2d" => alone(format!("avgpool {}", pooling(call)?)),
        "MaxPool2d" => alone(format!("maxpool {}", pooling(call)?)),
        "AdaptiveAvgPool2d" => {
            call.neutral("output_size", &["1", "(1,1)"], "`globalpool` has one value per channel")?;
            alone("globalpool".into())
        }
        "PixelShuffle" => alone(format!("pixelshuffle {}", call.size("upscale_factor")?)),
        "ZeroPad2d" => {
            let padding = call.needed("padding")?;
            match &numbers(&padding)[..] {
                [all] => alone(format!("zeropad {all}")),
                [left, right, above, below] => alone(format!("zeropad {above} {below} {left} {right}")),
                _ => Err(format!("expected padding like 1 or (left, right, above, below), found `{padding}`")),
            }
        }
        other => Err(unknown(other)),
    }
}

fn convolution(name: &str, call: &mut Call) -> Reading<Vec<String>> {
    let one = ["1", "(1,1)"];
    let (from, to) = (input::channels(&call.size("in_channels")?), call.size("out_channels")?);
    let kernel = pair(&call.needed("kernel_size")?);
    call.neutral("dilation", &one, "kernels have no gaps")?;
    call.neutral("groups", &one, "every convolution joins all channels")?;
    call.neutral("padding_mode", &["zeros"], "images are padded with zeros")?;
    let stride = call.take("stride").map_or(String::new(), |stride| format!(" stride {}", pair(&stride)));
    let padding = match call.take("padding").as_deref() {
        None | Some("valid") => " padding 0".into(),
        // As Keras's, for the stride of 1 that PyTorch allows it with.
        Some("same") => String::new(),
        Some(sides) => format!(" padding {}", pair(sides)),
    };
    let (keyword, more) = match name {
        "Conv2d" => ("conv", String::new()),
        _ => (
            "convtranspose",
            call.take("output_padding").map_or(String::new(), |more| format!(" output_padding {}", pair(&more))),
        ),
    };
    Ok(vec![from, format!("{keyword} {to} {kernel}{stride}{padding}{more}{}", bias(call)?)])
}

fn bias(call: &mut Call) -> Reading<&'static str> {
    Ok(if call.switch("bias", true)? { "" } else { " nobias" })
}

fn upsampling(call: &mut Call) -> Reading<Vec<String>> {
    call.neutral("size", &[], "write `scale_factor`")?;
    let factor = square(&call.needed("scale_factor")?)?;
    let factor = factor.strip_suffix(".0").unwrap_or(&factor);
    let aligned = call.switch("align_corners", false)?;
    match call.take("mode").as_deref() {
        _ if aligned => {
            Err("`align_corners=True` has no counterpart here: `bilinear` aligns the edges of pixels".into())
        }
        None | Some("nearest") => Ok(vec![format!("upsample {factor}")]),
        Some("bilinear") => Ok(vec![format!("upsample {factor} bilinear")]),
        Some(other) => {
            let near = did_you_mean(other, ["nearest", "bilinear"]);
            Err(format!("{near}expected mode nearest or bilinear, found `{other}`"))
        }
    }
}

fn pooling(call: &mut Call) -> Reading<String> {
    let size = square(&call.needed("kernel_size")?)?;
    call.neutral("padding", &["0", "(0,0)"], "pools are not padded")?;
    match call.take("stride").map(|stride| square(&stride)).transpose()? {
        Some(stride) if stride != size => {
            Err(format!("pools of {size} with a stride of {stride} have no counterpart here"))
        }
        _ => Ok(size),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::expanded;

    #[test]
    fn calls_mean_what_they_mean_in_pytorch() {
        for (line, ours) in [
            ("nn.Linear(128, 784)", "input 128 | dense 784"),
            ("Linear(128, 7*7*64, bias=False),", "input 128 | dense 7*7*64 nobias"),
            ("nn.Conv2d(3, 64, 4, 2, 1)", "input channels 3 | conv 64 4 stride 2 padding 1"),
            ("torch.nn.Conv2d(3, 64, (4, 3), padding='same')", "input channels 3 | conv 64 4x3"),
            ("Conv2d(3, 64, 3)", "input channels 3 | conv 64 3 padding 0"),
            (
                "nn.ConvTranspose2d(100, 512, 4, 2, 1, bias=False)",
                "input channels 100 | convtranspose 512 4 stride 2 padding 1 nobias",
            ),
            (
                "nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)",
                "input channels 8 | convtranspose 4 3 stride 2 padding 1 output_padding 1",
            ),
            ("nn.BatchNorm2d(64)", "input channels 64 | batchnorm momentum 0.9 epsilon 1e-5"),
            ("nn.BatchNorm1d(64, momentum=0.2)", "input channels 64 | batchnorm momentum 0.8 epsilon 1e-5"),
            ("nn.InstanceNorm2d(8, affine=True)", "input channels 8 | instancenorm epsilon 1e-5"),
            ("nn.GroupNorm(4, 8)", "input channels 8 | groupnorm 4 epsilon 1e-5"),
            ("nn.LeakyReLU(0.2, inplace=True)", "leakyrelu 0.2"),
            ("nn.LeakyReLU()", "leakyrelu 0.01"),
            ("nn.ReLU(True)", "relu"),
            ("nn.Tanh()", "tanh"),
            ("nn.Sigmoid()", "sigmoid"),
            ("nn.Softmax(dim=1)", "softmax"),
            ("nn.Dropout(0.3)", "dropout 0.3"),
            ("nn.Dropout()", "dropout 0.5"),
            ("nn.Dropout2d(0.25)", "dropout2d 0.25"),
            ("nn.Flatten()", "flatten"),
            ("nn.Unflatten(1, (128, 7, 5))", "reshape 7 5 128"),
            ("nn.Upsample(scale_factor=2)", "upsample 2"),
            ("nn.Upsample(scale_factor=2.0, mode='bilinear', align_corners=False)", "upsample 2 bilinear"),
            ("nn.AvgPool2d(2)", "avgpool 2"),
            ("nn.MaxPool2d(2, 2)", "maxpool 2"),
            ("nn.AdaptiveAvgPool2d((1, 1))", "globalpool"),
            ("nn.PixelShuffle(2)", "pixelshuffle 2"),
            ("nn.ZeroPad2d((1, 0, 2, 0))", "zeropad 2 0 1 0"),
        ] {
            assert_eq!(expanded(line).unwrap().join(" | "), ours, "{line}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused_with_the_reason() {
        for (line, why) in [
            ("nn.Linear(128)", "expected `out_features`"),
            ("nn.Conv2d(3, 64, 4, groups=3)", "joins all channels"),
            ("nn.Conv2d(3, 64, 4, strides=2)", "did you mean `stride`?"),
            ("nn.InstanceNorm2d(8)", "affine=True"),
            ("nn.BatchNorm2d(8, affine=False)", "a gamma and a beta"),
            ("nn.BatchNorm2d(8, momentum=low)", "expected a number for `momentum`"),
            ("nn.Upsample(size=28)", "write `scale_factor`"),
            ("nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)", "aligns the edges"),
            ("nn.MaxPool2d(3, 2)", "pools of 3 with a stride of 2"),
            ("nn.Identity()", "leave the line out"),
            ("nn.Softmax(dim=0)", "dimension 1"),
            ("nn.Unflatten(1, (128, 49))", "expected unflattened_size"),
            ("nn.Conv2D(3, 64, 4)", "did you mean `Conv2D`?"),
            ("nn.Sequental()", "there is no layer `Sequental`"),
        ] {
            let said = expanded(line).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
