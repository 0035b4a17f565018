//! The operations for which ONNX has no single operator.

use super::graph::Value;
use super::layers::Trace;
use super::proto::{AttributeProto, data_type};
use crate::export::plain::Part;
use crate::net::Shape;

/// The labels; only nets with labels have layers that use them.
fn labels(trace: &Trace) -> Value {
    trace.labels.clone().unwrap_or_default()
}

/// The shape of one value per channel that broadcasts over the part's output.
fn per_channel(part: &Part) -> Vec<usize> {
    match part.output {
        Shape::Flat(n) => vec![1, n],
        Shape::Image(_, _, c) => vec![1, c, 1, 1],
    }
}

fn keepdims(keep: i64) -> AttributeProto {
    AttributeProto::int("keepdims", keep)
}

/// Gamma and beta are the mean over the rows of the image's labels, or over all rows if it has none.
pub fn conditional_batchnorm(trace: &mut Trace, part: &Part, x: &Value, epsilon: f32) -> Value {
    let (_, c) = part.channels();
    let given = labels(trace);
    let g = &mut trace.graph;
    let ones = g.floats("one", &[c], &vec![1.0; c]);
    let zeros = g.floats("zero", &[c], &vec![0.0; c]);
    let axis = g.ints("axis", &[1]);
    let count = g.node("ReduceSum", &[&given, &axis], vec![keepdims(1)]);
    let none = g.float("none", 0.0);
    let unlabelled = g.node("Equal", &[&count, &none], Vec::new());
    let unlabelled = g.node("Cast", &[&unlabelled], vec![AttributeProto::int("to", i64::from(data_type::FLOAT))]);
    let active = g.node("Add", &[&given, &unlabelled], Vec::new());
    let total = g.node("ReduceSum", &[&active, &axis], vec![keepdims(1)]);
    let shares = g.node("Div", &[&active, &total], Vec::new());
    let standard = trace.batchnorm(part, x, [ones, zeros], epsilon);
    let [gamma, beta] = ["gamma", "beta"].map(|name| {
        let table = trace.plain_weight(part, name);
        let row = trace.graph.node("MatMul", &[&shares, &table], Vec::new());
        match part.output {
            Shape::Flat(_) => row,
            Shape::Image(..) => trace.graph.reshape(&row, &[-1, c as i64, 1, 1]),
        }
    });
    let scaled = trace.graph.node("Mul", &[&standard, &gamma], Vec::new());
    trace.graph.node("Add", &[&scaled, &beta], Vec::new())
}

/// Each group is one channel of an instance normalisation.
pub fn groupnorm(trace: &mut Trace, part: &Part, x: &Value, groups: usize, epsilon: f32) -> Value {
    let g = &mut trace.graph;
    let ones = g.floats("one", &[groups], &vec![1.0; groups]);
    let zeros = g.floats("zero", &[groups], &vec![0.0; groups]);
    let members = (part.input.len() / groups.max(1)) as i64;
    let grouped = g.reshape(x, &[-1, groups as i64, members]);
    let attributes = vec![AttributeProto::float("epsilon", epsilon)];
    let standard = g.node("InstanceNormalization", &[&grouped, &ones, &zeros], attributes);
    let standard = match part.output {
        Shape::Flat(n) => g.reshape(&standard, &[-1, n as i64]),
        Shape::Image(h, w, c) => g.reshape(&standard, &[-1, c as i64, h as i64, w as i64]),
    };
    let shape = per_channel(part);
    let gamma = trace.weight(part, "gamma", &[0], &shape);
    let beta = trace.weight(part, "beta", &[0], &shape);
    let scaled = trace.graph.node("Mul", &[&standard, &gamma], Vec::new());
    trace.graph.node("Add", &[&scaled, &beta], Vec::new())
}

/// `x / sqrt(mean over channels of x^2 + epsilon)`
pub fn pixelnorm(trace: &mut Trace, x: &Value, epsilon: f32) -> Value {
    let g = &mut trace.graph;
    let square = g.node("Mul", &[x, x], Vec::new());
    let mean = g.node("ReduceMean", &[&square], vec![AttributeProto::ints("axes", [1]), keepdims(1)]);
    let epsilon = g.float("epsilon", epsilon);
    let sum = g.node("Add", &[&mean, &epsilon], Vec::new());
    let length = g.node("Sqrt", &[&sum], Vec::new());
    g.node("Div", &[x, &length], Vec::new())
}

/// Concatenates the sum of the rows of the image's labels to the channels.
pub fn embedding(trace: &mut Trace, part: &Part, x: &Value) -> Value {
    let given = labels(trace);
    let (before, behind) = part.channels();
    let channels = behind - before;
    let count = part.weight("table").map_or(0, |table| table.shape[0]);
    let values = match part.input {
        Shape::Flat(_) => {
            let table = trace.plain_weight(part, "table");
            trace.graph.node("MatMul", &[&given, &table], Vec::new())
        }
        Shape::Image(h, w, _) => {
            let table = trace.weight(part, "table", &[0, 3, 1, 2], &[count, channels * h * w]);
            let rows = trace.graph.node("MatMul", &[&given, &table], Vec::new());
            trace.graph.reshape(&rows, &[-1, channels as i64, h as i64, w as i64])
        }
    };
    trace.graph.node("Concat", &[x, &values], vec![AttributeProto::int("axis", 1)])
}

/// The score plus the inner product with the rows of the image's labels.
pub fn projection(trace: &mut Trace, part: &Part, x: &Value) -> Value {
    let given = labels(trace);
    let [weight, bias, table] = ["weight", "bias", "table"].map(|name| trace.plain_weight(part, name));
    let g = &mut trace.graph;
    let score = g.node("Gemm", &[x, &weight, &bias], Vec::new());
    let row = g.node("MatMul", &[&given, &table], Vec::new());
    let product = g.node("Mul", &[x, &row], Vec::new());
    let axis = g.ints("axis", &[1]);
    let agreement = g.node("ReduceSum", &[&product, &axis], vec![keepdims(1)]);
    g.node("Add", &[&score, &agreement], Vec::new())
}

/// Groups of images that follow each other as a matrix of who belongs with whom, since their number is known only when the
/// file runs: image i is in group min(i / size, images / size - 1), or 0.
fn companions(trace: &mut Trace, x: &Value, size: usize) -> Value {
    let g = &mut trace.graph;
    let [zero, one, size] = [("first", 0), ("step", 1), ("size", size as i64)].map(|(name, value)| g.int(name, value));
    let shape = g.node("Shape", &[x], Vec::new());
    let n = g.node("Gather", &[&shape, &zero], vec![AttributeProto::int("axis", 0)]);
    let numbers = g.node("Range", &[&zero, &n, &one], Vec::new());
    let groups = g.node("Div", &[&numbers, &size], Vec::new());
    let count = g.node("Div", &[&n, &size], Vec::new());
    let last = g.node("Sub", &[&count, &one], Vec::new());
    let last = g.node("Max", &[&last, &zero], Vec::new());
    let groups = g.node("Min", &[&groups, &last], Vec::new());
    let column = g.reshape(&groups, &[-1, 1]);
    let row = g.reshape(&groups, &[1, -1]);
    let same = g.node("Equal", &[&column, &row], Vec::new());
    g.node("Cast", &[&same], vec![AttributeProto::int("to", i64::from(data_type::FLOAT))])
}

/// One channel more: the mean deviation within groups of the batch.
pub fn minibatchstd(trace: &mut Trace, part: &Part, x: &Value, group: usize, epsilon: f32) -> Value {
    let together = companions(trace, x, group);
    let g = &mut trace.graph;
    let axis = g.ints("axis", &[1]);
    let members = g.node("ReduceSum", &[&together, &axis], vec![keepdims(1)]);
    let shares = g.node("Div", &[&together, &members], Vec::new());
    let values = g.reshape(x, &[-1, part.input.len() as i64]);
    let mean = g.node("MatMul", &[&shares, &values], Vec::new());
    let centred = g.node("Sub", &[&values, &mean], Vec::new());
    let square = g.node("Mul", &[&centred, &centred], Vec::new());
    let variance = g.node("MatMul", &[&shares, &square], Vec::new());
    let epsilon = g.float("epsilon", epsilon);
    let sum = g.node("Add", &[&variance, &epsilon], Vec::new());
    let deviation = g.node("Sqrt", &[&sum], Vec::new());
    let each = g.node("ReduceMean", &[&deviation], vec![AttributeProto::ints("axes", [1]), keepdims(1)]);
    let channel = match part.input {
        Shape::Flat(_) => each,
        Shape::Image(h, w, _) => {
            let one = g.reshape(&each, &[-1, 1, 1, 1]);
            let plane = g.floats("plane", &[1, 1, h, w], &vec![1.0; h * w]);
            g.node("Mul", &[&one, &plane], Vec::new())
        }
    };
    g.node("Concat", &[x, &channel], vec![AttributeProto::int("axis", 1)])
}

/// Every pixel sees every other.
pub fn attention(trace: &mut Trace, part: &Part, x: &Value, [narrow, wide]: [usize; 2]) -> Value {
    let [h, w, _] = part.input.dims().map(|size| size as i64);
    let (narrow, wide) = (narrow as i64, wide as i64);
    let [query, key, value] = [("query", narrow), ("key", narrow), ("value", wide)].map(|(name, channels)| {
        let projected = trace.project(part, name, x);
        trace.graph.reshape(&projected, &[-1, channels, h * w])
    });
    let g = &mut trace.graph;
    let turn = || vec![AttributeProto::ints("perm", [0, 2, 1])];
    let query = g.node("Transpose", &[&query], turn());
    let scores = g.node("MatMul", &[&query, &key], Vec::new());
    let shares = g.node("Softmax", &[&scores], vec![AttributeProto::int("axis", -1)]);
    let value = g.node("Transpose", &[&value], turn());
    let seen = g.node("MatMul", &[&shares, &value], Vec::new());
    let seen = g.node("Transpose", &[&seen], turn());
    let seen = g.reshape(&seen, &[-1, wide, h, w]);
    let back = trace.project(part, "output", &seen);
    let gamma = trace.plain_weight(part, "gamma");
    let scaled = trace.graph.node("Mul", &[&back, &gamma], Vec::new());
    trace.graph.node("Add", &[x, &scaled], Vec::new())
}
