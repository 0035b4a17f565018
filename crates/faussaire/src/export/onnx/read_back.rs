//! Runs an ONNX file with `rten`, an independent runtime, and compares its outputs with those of the nets here.

use rten::{Model, ModelOptions, NodeId, Value, ValueOrView, op_registry};

use super::{IMAGES, LABELS, LATENT, SCORE};
use crate::error::{Error, Result};
use crate::export::plain::permuted;
use crate::export::subject::Batch;
use crate::export::{Layout, Options, Pixels, Subject, Which, agreement};

/// The difference between the outputs of the file and of the subject for `batch`, and the largest accepted one.
///
/// # Errors
/// A file that can't be read or run.
pub fn compare(subject: &Subject, which: Which, options: &Options, file: &[u8], batch: Batch) -> Result<(f64, f64)> {
    let model = operators().load(file.to_vec()).map_err(|e| unreadable(&e))?;
    let bounds = subject.range.bounds();
    match which {
        Which::Generator => {
            let ours = channels_as(options.layout, subject, which, &subject.run(which, &batch), batch.n);
            let shape = [batch.n, batch.values.len() / batch.n.max(1)];
            let x = Value::from_shape(shape, batch.values.clone()).map_err(|e| unreadable(&e))?;
            let made = run(&model, &batch, LATENT, x, IMAGES)?;
            Ok(match options.pixels {
                Pixels::Float => agreement::difference(&ours, &numbers(made)?),
                Pixels::Uint8 => agreement::of_bytes(&ours, &bytes(made)?, bounds),
            })
        }
        Which::Discriminator => {
            let (batch, x) = images(subject, options, batch)?;
            let made = run(&model, &batch, IMAGES, x, SCORE)?;
            Ok(agreement::difference(&subject.run(which, &batch), &numbers(made)?))
        }
    }
}

/// The operators that are written: without the others the program is smaller.
fn operators() -> ModelOptions {
    ModelOptions::with_ops(op_registry!(
        Add,
        AveragePool,
        BatchNormalization,
        Cast,
        Clip,
        Concat,
        Conv,
        ConvTranspose,
        DepthToSpace,
        Div,
        Equal,
        Floor,
        Gather,
        Gemm,
        Identity,
        InstanceNormalization,
        LeakyRelu,
        MatMul,
        Max,
        MaxPool,
        Min,
        Mul,
        Pad,
        Range,
        ReduceMean,
        ReduceSum,
        Relu,
        Reshape,
        Resize,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Sqrt,
        Sub,
        Tanh,
        Transpose
    ))
}

/// The batch as the discriminator's input here, and as that of the file.
fn images(subject: &Subject, options: &Options, mut batch: Batch) -> Result<(Batch, Value)> {
    let (net, _) = subject.net(Which::Discriminator);
    let [h, w, c] = net.input().dims();
    let shape = match (net.input(), options.layout) {
        (crate::net::Shape::Flat(n), _) => vec![batch.n, n],
        (_, Layout::Nhwc) => vec![batch.n, h, w, c],
        (_, Layout::Nchw) => vec![batch.n, c, h, w],
    };
    let turned = |values: &[f32]| channels_as(options.layout, subject, Which::Discriminator, values, batch.n);
    let x = match options.pixels {
        Pixels::Float => Value::from_shape(shape, turned(&batch.values)).map_err(|e| unreadable(&e))?,
        Pixels::Uint8 => {
            let (low, high) = subject.range.bounds();
            let whole: Vec<f32> =
                batch.values.iter().map(|v| ((v - low) / (high - low) * 255.0).round().clamp(0.0, 255.0)).collect();
            let bytes: Vec<u8> = turned(&whole).iter().map(|v| *v as u8).collect();
            batch.values = whole.iter().map(|v| v * ((high - low) / 255.0) + low).collect();
            Value::from_shape(shape, bytes).map_err(|e| unreadable(&e))?
        }
    };
    Ok((batch, x))
}

/// Channels-last images in the file's order.
fn channels_as(layout: Layout, subject: &Subject, which: Which, values: &[f32], n: usize) -> Vec<f32> {
    let (net, _) = subject.net(which);
    let shape = if which == Which::Generator { net.output() } else { net.input() };
    let [h, w, c] = shape.dims();
    match layout {
        Layout::Nhwc => values.to_vec(),
        Layout::Nchw => permuted(values, &[n, h, w, c], &[0, 3, 1, 2]),
    }
}

fn unreadable(e: &dyn std::fmt::Display) -> Error {
    Error::run(
        format!("the ONNX file can't be read back: {e}; nothing was written"),
        "report this with the run's config.toml",
    )
}

/// `values` under `shape`, as `rten` takes them.
fn run(model: &Model, batch: &Batch, input: &str, x: Value, output: &str) -> Result<Value> {
    let node = |name: &str| model.node_id(name).map_err(|e| unreadable(&e));
    let mut inputs: Vec<(NodeId, ValueOrView)> = vec![(node(input)?, x.into())];
    if !batch.rows.is_empty() {
        let shape = [batch.n, batch.rows.len() / batch.n.max(1)];
        let rows = Value::from_shape(shape, batch.rows.clone()).map_err(|e| unreadable(&e))?;
        inputs.push((node(LABELS)?, rows.into()));
    }
    let [made] = model.run_n(inputs, [node(output)?], None).map_err(|e| unreadable(&e))?;
    Ok(made)
}

/// The values of a tensor in order.
fn numbers(made: Value) -> Result<Vec<f32>> {
    match made {
        Value::FloatTensor(tensor) => Ok(tensor.into_data()),
        other => Err(unreadable(&format!("its output is {:?}", other.dtype()))),
    }
}

fn bytes(made: Value) -> Result<Vec<u8>> {
    match made {
        Value::UInt8Tensor(tensor) => Ok(tensor.into_data()),
        other => Err(unreadable(&format!("its output is {:?}", other.dtype()))),
    }
}
