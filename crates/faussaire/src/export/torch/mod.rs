//! PyTorch: the weights as safetensors with PyTorch's names and layouts, and a Python file with one `nn.Module` per
//! net, which loads, samples and saves. [`init`] reads weights from such a file or from a checkpoint.

/// Text by which a module that was written here is recognised.
pub(super) const SIGNATURE: &str = "Written by faussaire";

mod code;
pub(crate) mod init;
mod layout;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::plain::Plain;
use super::template::filled;
use super::{Export, Options, Subject, Which, agreement};
use crate::data::LabelKind;
use crate::error::{Error, Result};

/// Writes both files, and reads the weights back.
///
/// # Errors
/// Weights that can't be serialised or read back.
pub fn export(subject: &Subject, options: &Options) -> Result<Export> {
    let chosen = options.net.map_or(vec![Which::Generator, Which::Discriminator], |which| vec![which]);
    let plains: Vec<Plain> = chosen
        .iter()
        .map(|which| {
            let (net, weights) = subject.net(*which);
            Plain::of(net, weights)
        })
        .collect();
    let weights = weights(subject, &plains)?;
    let (mut difference, mut tolerance) = (0.0f64, f64::INFINITY);
    for which in chosen {
        let (net, _) = subject.net(which);
        // In the file, spectrally normalised kernels are divided by their norms.
        let net = net.unnormalised()?;
        let read = init::read(&weights, Path::new("the safetensors file"), &net, &Device::flex())?;
        let read = read.ok_or_else(|| Error::run("the safetensors file lost a net", "report this"))?;
        let (apart, accepted) = agreement::of_weights(subject, which, &net, &read);
        // The net that is nearest to its tolerance.
        if apart / accepted >= difference / tolerance {
            (difference, tolerance) = (apart, accepted);
        }
    }
    let code = code(subject, &plains);
    Ok(Export {
        files: vec![("safetensors", weights), ("py", code.into_bytes())],
        checked: "weights read back",
        difference,
        tolerance,
    })
}

/// The class name of a net.
fn class_name(plain: &Plain) -> &'static str {
    if plain.name == "generator" { "Generator" } else { "Discriminator" }
}

fn weights(subject: &Subject, plains: &[Plain]) -> Result<Vec<u8>> {
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for plain in plains {
        for part in &plain.parts {
            let name = |theirs: &str| format!("{}.{}.{theirs}", plain.name, part.name());
            for slot in layout::slots(part) {
                let values = part.weight(slot.ours).map_or(&[][..], |w| &w.values);
                let bytes = slot.to_theirs(values).iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.push((name(slot.theirs), Dtype::F32, slot.their_shape.clone(), bytes));
            }
            if layout::counts_batches(part) {
                tensors.push((name("num_batches_tracked"), Dtype::I64, Vec::new(), vec![0; 8]));
            }
        }
    }
    let broken = |e: &dyn std::fmt::Display| Error::run(format!("weights can't be serialised: {e}"), "report this");
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, shape, bytes) in &tensors {
        views.push((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| broken(&e))?));
    }
    // One key only, since several would be written in random order.
    let about = format!("run {}, step {}; PyTorch's names and layouts", subject.name, subject.step);
    serialize(views, Some(HashMap::from([("faussaire".to_string(), about)]))).map_err(|e| broken(&e))
}

/// Text as a Python string.
fn quoted(text: &str) -> String {
    // JSON strings are valid in Python.
    serde_json::Value::from(text).to_string()
}

fn code(subject: &Subject, plains: &[Plain]) -> String {
    let names = plains.iter().map(|plain| format!("{}: {}", quoted(plain.name), class_name(plain)));
    let table = format!("{{{}}}", names.collect::<Vec<_>>().join(", "));
    let classes: String =
        plains.iter().map(|plain| code::class(plain, class_name(plain), &about(plain, subject))).collect();
    let modules = code::MODULES.iter().filter(|(call, _)| classes.contains(call));
    let modules: String = modules.map(|(_, source)| format!("\n\n{source}")).collect();
    let (low, high) = subject.range.bounds();
    let labels = subject.labels();
    let names: Vec<String> = labels.names.iter().map(|name| quoted(name)).collect();
    let file = format!("{}.safetensors", subject.title);
    let plain_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let importable = subject.title.chars().all(plain_name) && !subject.title.starts_with(|c: char| c.is_ascii_digit());
    let fields = [
        ("about", heading(subject)),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("weights_text", quoted(&file)),
        ("weights", safe(&file)),
        ("file", safe(&format!("{}.py", subject.title))),
        ("module", if importable { subject.title.clone() } else { "nets".into() }),
        ("rename", if importable { String::new() } else { "      # once this file is called nets.py".into() }),
        ("nets", plains.iter().map(|p| format!("nets[\"{}\"]", p.name)).collect::<Vec<_>>().join(" and ")),
        ("notes", notes(plains, labels.kind)),
        ("latent", subject.recipe.latent.to_string()),
        ("labels", format!("[{}]", names.join(", "))),
        ("bounds", format!("({low:?}, {high:?})")),
        ("latents_about", if conditional(plains) { ", and a row of labels for each".into() } else { String::new() }),
        ("latents", latents(subject, conditional(plains))),
        ("modules", modules),
        ("classes", classes),
        ("table", table),
    ];
    filled(include_str!("frame.py"), &fields)
}

fn conditional(plains: &[Plain]) -> bool {
    plains.iter().any(|plain| plain.name == "generator" && plain.labels > 0)
}

/// Text that is valid in a docstring.
fn safe(text: &str) -> String {
    text.replace(['\\', '"'], "'")
}

fn heading(subject: &Subject) -> String {
    let scores = subject.scores.iter().map(|(name, value)| format!("\n{}: {value:.4}", safe(name))).collect::<String>();
    format!("The nets of {} after {} steps.{scores}", safe(&subject.name), subject.step)
}

fn about(plain: &Plain, subject: &Subject) -> String {
    let (low, high) = subject.range.bounds();
    let outside = |shape| match shape {
        crate::net::Shape::Flat(n) => format!("[n, {n}]"),
        crate::net::Shape::Image(h, w, c) => format!("[n, {c}, {h}, {w}]"),
    };
    let labels = if plain.labels > 0 { format!(" and labels [n, {}]", plain.labels) } else { String::new() };
    let (before, behind) = (outside(plain.input), outside(plain.output));
    match plain.name {
        "generator" => format!("Noise {before}{labels} to images {behind} from {low} to {high}."),
        _ => format!("Images {before}{labels} from {low} to {high} to scores {behind}."),
    }
}

fn notes(plains: &[Plain], kind: LabelKind) -> String {
    if plains.iter().all(|plain| plain.labels == 0) {
        return String::new();
    }
    let which = match kind {
        LabelKind::Classes => "one of LABELS is 1, the others are 0",
        LabelKind::Attributes => "each of the image's LABELS is 1, the others are 0",
    };
    format!("\nLabels are rows of numbers: {which}.\n")
}

fn latents(subject: &Subject, conditional: bool) -> String {
    if !conditional {
        return "return (torch.randn(n, LATENT),)".into();
    }
    let labels = match subject.labels().kind {
        LabelKind::Classes => "F.one_hot(torch.randint(len(LABELS), (n,)), len(LABELS)).float()".into(),
        LabelKind::Attributes => {
            let even = vec![1.0 / subject.labels().names.len().max(1) as f64; subject.labels().names.len()];
            let shares = &subject.labels().shares;
            let shares = if shares.is_empty() { &even } else { shares };
            format!("torch.bernoulli(torch.tensor({shares:?}).expand(n, -1))")
        }
    };
    format!("return torch.randn(n, LATENT), {labels}")
}
