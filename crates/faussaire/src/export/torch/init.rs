//! Loads the weights of a net from a safetensors file: that of a checkpoint, or one with PyTorch's names and layouts,
//! as written by an export or saved by a training in PyTorch. Names and shapes are checked; errors name the tensors
//! that don't fit.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, SafeTensors};

use super::super::plain::{Part, Plain};
use super::layout;
use crate::error::{Error, Result};
use crate::net::{Network, Weights};

/// A tensor of the net: its name and shape in the file, and the conversion of its values.
struct Wanted {
    name: String,
    shape: Vec<usize>,
    turn: Option<layout::Slot>,
}

/// Reads the weights of `net` from the file's `bytes`; none if the file contains no tensor of it.
///
/// # Errors
/// A file that is not safetensors, or contains other tensors or shapes of the net.
pub fn read(bytes: &[u8], path: &Path, net: &Network, device: &Device) -> Result<Option<Weights>> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| {
        Error::run(
            format!("{} can't be read as safetensors: {e}", path.display()),
            "give a checkpoint's generator.safetensors or a file that the export to safetensors or its save() \
             wrote",
        )
    })?;
    let start = format!("{}.", net.name());
    let mut found: Vec<&str> = file.names().into_iter().filter(|name| name.starts_with(&start)).collect();
    found.retain(|name| !name.ends_with(".num_batches_tracked"));
    found.sort_unstable();
    let Some(first) = found.first() else { return Ok(None) };
    // In a checkpoint's names the layer's number follows, in PyTorch's its name.
    let own = first[start.len()..].starts_with(|c: char| c.is_ascii_digit());
    let plain = Plain::of(net, &net.initial(0, device));
    let layers: Vec<Vec<Wanted>> = plain.parts.iter().map(|part| wanted(&plain, part, own)).collect();
    check_names(&layers, &found, path, net)?;
    let mut values = Vec::with_capacity(layers.len());
    for layer in &layers {
        values.push(layer.iter().map(|wanted| tensor(&file, wanted, path)).collect::<Result<Vec<_>>>()?);
    }
    Ok(Some(net.adopt(values, device)))
}

fn wanted(plain: &Plain, part: &Part, own: bool) -> Vec<Wanted> {
    if own {
        let prefix = format!("{}.{}.{}", plain.name, part.index, part.keyword);
        let of = |w: &super::super::plain::Weight| Wanted {
            name: format!("{prefix}.{}", w.name),
            shape: w.shape.clone(),
            turn: None,
        };
        return part.weights.iter().map(of).collect();
    }
    let of = |slot: layout::Slot| Wanted {
        name: format!("{}.{}.{}", plain.name, part.name(), slot.theirs),
        shape: slot.their_shape.clone(),
        turn: Some(slot),
    };
    layout::slots(part).into_iter().map(of).collect()
}

/// Refuses a file whose tensors are not those of the net, and lists missing and unexpected ones.
fn check_names(layers: &[Vec<Wanted>], found: &[&str], path: &Path, net: &Network) -> Result<()> {
    let names: BTreeMap<&str, ()> = layers.iter().flatten().map(|wanted| (wanted.name.as_str(), ())).collect();
    let missing: Vec<&str> = names.keys().copied().filter(|name| !found.contains(name)).collect();
    // Spectral normalisation has vectors that PyTorch's layout lacks. Without spectral normalisation the kernels would
    // differ.
    let divides = net.specs().any(|spec| spec.name.ends_with("_direction"));
    let vector = |name: &str| divides && name.ends_with("_direction");
    let unexpected: Vec<&str> =
        found.iter().copied().filter(|name| !names.contains_key(name) && !vector(name)).collect();
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    let some = |names: &[&str]| match names {
        [] => "none".into(),
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        all => all.join(", "),
    };
    Err(Error::run(
        format!(
            "{} doesn't contain this recipe's {}: missing: {}; unexpected: {}",
            path.display(),
            net.name(),
            some(&missing),
            some(&unexpected)
        ),
        "train with the recipe that the file came from, such as RUN/config.toml",
    ))
}

fn tensor(file: &SafeTensors, wanted: &Wanted, path: &Path) -> Result<Vec<f32>> {
    let Wanted { name, shape, turn } = wanted;
    let refuse = |what: String, hint: &str| Err(Error::run(format!("{}: {name} {what}", path.display()), hint));
    let view = file.tensor(name).map_err(|e| Error::run(format!("{}: {name}: {e}", path.display()), "report this"))?;
    if view.dtype() != Dtype::F32 {
        return refuse(format!("is {:?}, expected F32", view.dtype()), "call .float() on the module before saving it");
    }
    if view.shape() != shape {
        return refuse(
            format!("has shape {:?}, expected {shape:?}", view.shape()),
            "train with the recipe that the file came from, such as RUN/config.toml",
        );
    }
    let values: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        return refuse(
            format!("[{at}] is {}", values[at]),
            "the training that wrote it has diverged; use an earlier file",
        );
    }
    Ok(match turn {
        Some(slot) => slot.to_ours(&values),
        None => values,
    })
}
