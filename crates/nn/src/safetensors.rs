//! Reads and writes weights and moments as safetensors files; names, shapes, sizes and finite values are checked on reading.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::net::Network;
use crate::ops::host;
use faussaire_data::error::{Error, Result};

/// One tensor of a file: its name and shape, in the file's order.
pub type Entry = (String, Vec<usize>);

/// The entries of Adam's moments: first and second of each trainable weight.
pub fn moment_entries(net: &Network) -> Vec<Entry> {
    let trainable = entries(net).into_iter().zip(net.trainable()).filter(|(_, t)| *t);
    trainable.flat_map(|((name, shape), _)| ["m", "v"].map(|m| (format!("{name}.{m}"), shape.clone()))).collect()
}

/// The entries of a network's weights.
pub fn entries(net: &Network) -> Vec<Entry> {
    net.weight_names().into_iter().zip(net.specs().map(|s| s.shape.clone())).collect()
}

/// Serialises `tensors` under the names and shapes of `entries`.
///
/// # Errors
/// A value that is NaN or infinite.
pub fn encode(entries: &[Entry], tensors: &[Tensor<1>], step: u64) -> Result<Vec<u8>> {
    let layout = "Keras layouts: dense [in, out], conv [h, w, in, out], convtranspose [h, w, out, in]";
    encode_with(entries, tensors, step, format!("step {step}; {layout}"))
}

/// The same with another text in the header, under the key `faussaire`; `step` is for errors.
///
/// # Errors
/// A value that is NaN or infinite.
pub(crate) fn encode_with(entries: &[Entry], tensors: &[Tensor<1>], step: u64, about: String) -> Result<Vec<u8>> {
    let mut bytes: Vec<Vec<u8>> = Vec::with_capacity(tensors.len());
    for ((name, _), tensor) in entries.iter().zip(tensors) {
        let values = host(tensor);
        // Refused before anything is written: such a checkpoint could only replace a good one.
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::Diverged {
                what: format!("{name}[{at}] is {} at step {step}", values[at]),
                hint: "lower the learning rates and start again; the last checkpoint was kept".into(),
            });
        }
        bytes.push(values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }
    let broken = |e: &dyn std::fmt::Display| Error::run(format!("weights can't be serialised: {e}"), "report this");
    let mut views = Vec::with_capacity(entries.len());
    for ((name, shape), bytes) in entries.iter().zip(&bytes) {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|e| broken(&e))?));
    }
    // One key only: several would be written in random order, and equal checkpoints must have equal bytes.
    let about = HashMap::from([("faussaire".to_string(), about)]);
    serialize(views, Some(about)).map_err(|e| broken(&e))
}

/// The text in the header of such a file; none where there is none.
pub fn about(bytes: &[u8]) -> Option<String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    metadata.metadata().as_ref()?.get("faussaire").cloned()
}

/// Reads what [`encode`] wrote; `path` names the file in errors, `hint` says what to do where it is damaged.
///
/// # Errors
/// Other names, shapes or types than those of `entries`, or a value that is NaN or infinite.
pub fn decode(bytes: &[u8], entries: &[Entry], path: &Path, hint: &str, device: &Device) -> Result<Vec<Tensor<1>>> {
    let damaged = |what: String| Error::run(format!("{} is damaged: {what}", path.display()), hint);
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
    if file.len() != entries.len() {
        return Err(damaged(format!("it holds {} tensors, expected {}", file.len(), entries.len())));
    }
    let mut tensors = Vec::with_capacity(entries.len());
    for (name, shape) in entries {
        let view = file.tensor(name).map_err(|_| damaged(format!("it has no tensor {name}")))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(damaged(format!("{name} is {:?} {:?}, expected F32 {shape:?}", view.dtype(), view.shape())));
        }
        let values: Vec<f32> =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(damaged(format!("{name}[{at}] is {}", values[at])));
        }
        let len = values.len();
        tensors.push(Tensor::from_data(TensorData::new(values, [len]), device));
    }
    Ok(tensors)
}
