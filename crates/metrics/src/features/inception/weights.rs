//! Reads the user's weights file: the safetensors conversion of pytorch-fid's, with PyTorch's names and layouts. Batch
//! normalisation is folded into the convolutions, whose kernels are converted to `[h, w, in, out]`.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors};

use super::graph::Conv;
use faussaire_data::error::{Error, Result};

/// Batch normalisation's epsilon, added to the variances.
const EPSILON: f64 = 1e-3;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// A convolution's kernel `[h, w, in, out]` and bias.
pub(super) type Folded = [Tensor<1>; 2];

/// Reads the weights of `convs` from the file at `path`.
///
/// # Errors
/// A file that can't be read, is no safetensors file, or lacks one of the tensors in its shape.
pub(super) fn read(path: &Path, convs: &[Conv], device: &Device) -> Result<Vec<Folded>> {
    let size = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
    if size > LARGEST {
        return Err(unusable(path, format!("it has {size} bytes, expected about 95 million")));
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| unusable(path, e.to_string()))?;
    convs.iter().map(|conv| folded(&file, conv, path, device)).collect()
}

fn unusable(path: &Path, what: String) -> Error {
    Error::data(
        format!("{} can't be used as InceptionV3's weights: {what}", path.display()),
        "expected pytorch-fid's weights (pt_inception-2015-12-05) saved as safetensors, in f32, under their own names",
    )
}

fn folded(file: &SafeTensors<'_>, conv: &Conv, path: &Path, device: &Device) -> Result<Folded> {
    let [h, w] = conv.kernel;
    let (inputs, outputs) = (conv.inputs, conv.outputs);
    let take = |name: &str, shape: &[usize]| values(file, &format!("{}.{name}", conv.name), shape, path);
    let kernel = take("conv.weight", &[outputs, inputs, h, w])?;
    let [gamma, beta, mean, variance] =
        ["weight", "bias", "running_mean", "running_var"].map(|name| take(&format!("bn.{name}"), &[outputs]));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let scale: Vec<f64> =
        gamma.iter().zip(&variance).map(|(g, v)| f64::from(*g) / (f64::from(*v) + EPSILON).sqrt()).collect();
    if let Some(at) = scale.iter().position(|s| !s.is_finite()) {
        return Err(unusable(path, format!("{}.bn.running_var[{at}] is {}", conv.name, variance[at])));
    }
    let mut ours = vec![0.0; kernel.len()];
    for (o, of_output) in kernel.chunks_exact(inputs * h * w).enumerate() {
        for (i, plane) in of_output.chunks_exact(h * w).enumerate() {
            for (place, value) in plane.iter().enumerate() {
                ours[(place * inputs + i) * outputs + o] = (f64::from(*value) * scale[o]) as f32;
            }
        }
    }
    let bias: Vec<f32> = (0..outputs).map(|o| (f64::from(beta[o]) - f64::from(mean[o]) * scale[o]) as f32).collect();
    Ok([ours, bias].map(|values| {
        let len = values.len();
        Tensor::from_data(TensorData::new(values, [len]), device)
    }))
}

fn values(file: &SafeTensors<'_>, name: &str, shape: &[usize], path: &Path) -> Result<Vec<f32>> {
    let view = file.tensor(name).map_err(|_| unusable(path, format!("it has no tensor {name}")))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let what = format!("{name} is {:?} {:?}, expected F32 {shape:?}", view.dtype(), view.shape());
        return Err(unusable(path, what));
    }
    let values: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(unusable(path, format!("{name}[{at}] is {}", values[at]))),
        None => Ok(values),
    }
}
