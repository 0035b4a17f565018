//! Every operation as ONNX operators. Images are `[n, channels, height, width]` here, as the operators require; vectors
//! are `[n, features]`.

use super::blocks;
use super::graph::{Graph, Value};
use super::proto::AttributeProto;
use crate::export::plain::{Part, Weight};
use crate::net::{Op, Shape};

/// The state of an export: the graph and what layers share.
#[derive(Debug)]
pub struct Trace {
    /// The graph so far.
    pub graph: Graph,
    /// The input with the labels, where the net takes any.
    pub labels: Option<Value>,
    /// Inputs of the open residual blocks, the innermost last.
    open: Vec<Value>,
}

/// The attributes of a 1x1 convolution; not every runtime knows the defaults.
fn point() -> Vec<AttributeProto> {
    vec![
        AttributeProto::ints("kernel_shape", [1, 1]),
        AttributeProto::ints("strides", [1, 1]),
        AttributeProto::ints("pads", [0; 4]),
    ]
}

impl Trace {
    /// Begins with `graph`.
    pub fn new(graph: Graph, labels: Option<Value>) -> Self {
        Self { graph, labels, open: Vec::new() }
    }

    /// Adds a layer's operators after `x`.
    pub fn layer(&mut self, part: &Part, x: Value) -> Value {
        match part.op {
            // A registered layer is refused before (`Subject::check`).
            Op::Nothing | Op::Opaque => x,
            Op::Reshape => self.reshape(part, &x),
            Op::Dense => self.dense(part, &x),
            Op::Conv { kernel, stride, pads } => {
                let attributes = vec![
                    AttributeProto::ints("kernel_shape", kernel),
                    AttributeProto::ints("strides", stride),
                    AttributeProto::ints("pads", pads),
                ];
                let weight = self.weight(part, "weight", &[3, 2, 0, 1], &[]);
                let bias = self.plain_weight(part, "bias");
                self.graph.node("Conv", &[&x, &weight, &bias], attributes)
            }
            Op::ConvTranspose { kernel, stride, crop } => self.conv_transpose(part, &x, kernel, stride, crop),
            Op::Upsample { factor, bilinear } => self.upsample(&x, factor, bilinear),
            Op::Crop { top, left } => {
                let [h, w, _] = part.output.dims();
                let ends = [top as i64, left as i64, (top + h) as i64, (left + w) as i64];
                let starts = self.graph.ints("starts", &ends[..2]);
                let ends = self.graph.ints("ends", &ends[2..]);
                let axes = self.graph.ints("axes", &[2, 3]);
                self.graph.node("Slice", &[&x, &starts, &ends, &axes], Vec::new())
            }
            Op::AveragePool { factor } => self.average(&x, factor),
            Op::MaxPool { factor } => self.pool("MaxPool", &x, factor),
            Op::ZeroPad { pads: [top, left, bottom, right] } => {
                let pads = [0, 0, top, left, 0, 0, bottom, right].map(|side| side as i64);
                let pads = self.graph.ints("pads", &pads);
                self.graph.node("Pad", &[&x, &pads], Vec::new())
            }
            Op::GlobalPool { sum } => self.global_pool(&x, sum),
            Op::PixelShuffle { factor } => {
                let attributes =
                    vec![AttributeProto::int("blocksize", factor as i64), AttributeProto::text("mode", "CRD")];
                self.graph.node("DepthToSpace", &[&x], attributes)
            }
            Op::BatchNorm { epsilon, .. } => {
                let [gamma, beta] = ["gamma", "beta"].map(|name| self.plain_weight(part, name));
                self.batchnorm(part, &x, [gamma, beta], epsilon)
            }
            Op::ConditionalBatchNorm { epsilon, .. } => blocks::conditional_batchnorm(self, part, &x, epsilon),
            Op::GroupNorm { groups, epsilon } => blocks::groupnorm(self, part, &x, groups, epsilon),
            Op::PixelNorm { epsilon } => blocks::pixelnorm(self, &x, epsilon),
            Op::Relu => self.graph.node("Relu", &[&x], Vec::new()),
            Op::LeakyRelu { slope } => self.graph.node("LeakyRelu", &[&x], vec![AttributeProto::float("alpha", slope)]),
            Op::Tanh => self.graph.node("Tanh", &[&x], Vec::new()),
            Op::Sigmoid => self.graph.node("Sigmoid", &[&x], Vec::new()),
            Op::Softmax => self.graph.node("Softmax", &[&x], vec![AttributeProto::int("axis", 1)]),
            Op::Open => {
                self.open.push(x.clone());
                x
            }
            Op::Close { down, up } => self.close(part, &x, down, up),
            Op::Embedding => blocks::embedding(self, part, &x),
            Op::Projection => blocks::projection(self, part, &x),
            Op::MinibatchStd { group, epsilon } => blocks::minibatchstd(self, part, &x, group, epsilon),
            Op::Attention { narrow, wide } => blocks::attention(self, part, &x, [narrow, wide]),
        }
    }

    /// The weight called `name` with permuted axes, then reshaped to `shape` unless that is empty.
    pub fn weight(&mut self, part: &Part, name: &str, axes: &[usize], shape: &[usize]) -> Value {
        // A part has the weights of its operation; without one, reading the file back would fail.
        let Some(weight) = part.weight(name) else { return format!("{} has no {name}", part.line) };
        let turned: Vec<usize> = axes.iter().map(|axis| weight.shape[*axis]).collect();
        self.graph.floats(name, if shape.is_empty() { &turned } else { shape }, &weight.permuted(axes))
    }

    /// The weight called `name`, unchanged.
    pub fn plain_weight(&mut self, part: &Part, name: &str) -> Value {
        match part.weight(name) {
            Some(Weight { shape, values, .. }) => self.graph.floats(name, shape, values),
            None => format!("{} has no {name}", part.line),
        }
    }

    /// A 1x1 convolution of an image, or a product with a vector, without bias; the weight is `[from, to]`.
    pub fn project(&mut self, part: &Part, name: &str, x: &Value) -> Value {
        let (image, _) = part.of_images();
        if !image {
            let weight = self.plain_weight(part, name);
            return self.graph.node("MatMul", &[x, &weight], Vec::new());
        }
        let [from, to] = part.weight(name).map_or([0, 0], |w| [w.shape[0], w.shape[1]]);
        let weight = self.weight(part, name, &[1, 0], &[to, from, 1, 1]);
        self.graph.node("Conv", &[x, &weight], point())
    }

    fn dense(&mut self, part: &Part, x: &Value) -> Value {
        let (from, to) = part.channels();
        let bias = self.plain_weight(part, "bias");
        if let (true, _) = part.of_images() {
            let weight = self.weight(part, "weight", &[1, 0], &[to, from, 1, 1]);
            return self.graph.node("Conv", &[x, &weight, &bias], point());
        }
        let weight = self.plain_weight(part, "weight");
        self.graph.node("Gemm", &[x, &weight, &bias], Vec::new())
    }

    /// Values keep their channels-last order, so images are transposed before and after.
    fn reshape(&mut self, part: &Part, x: &Value) -> Value {
        let last = match part.input {
            Shape::Image(..) => self.graph.transpose(x, [0, 2, 3, 1]),
            Shape::Flat(_) => x.clone(),
        };
        match part.output {
            Shape::Flat(n) => self.graph.reshape(&last, &[-1, n as i64]),
            Shape::Image(h, w, c) => {
                let image = self.graph.reshape(&last, &[-1, h as i64, w as i64, c as i64]);
                self.graph.transpose(&image, [0, 3, 1, 2])
            }
        }
    }

    fn conv_transpose(
        &mut self,
        part: &Part,
        x: &Value,
        kernel: [usize; 2],
        stride: [usize; 2],
        crop: [usize; 2],
    ) -> Value {
        // Of the full output, (n - 1) stride + kernel long, `crop` is cut off at the beginning, and what exceeds the
        // output at the end; where it is too short, because the stride is larger than the kernel, it is padded with the
        // bias.
        let (end, missing) = part.transposed_ends(kernel, stride, crop);
        let attributes = vec![
            AttributeProto::ints("kernel_shape", kernel),
            AttributeProto::ints("strides", stride),
            AttributeProto::ints("pads", [crop[0], crop[1], end[0], end[1]]),
            AttributeProto::ints("output_padding", missing),
        ];
        let weight = self.weight(part, "weight", &[3, 2, 0, 1], &[]);
        let bias = self.plain_weight(part, "bias");
        // A vector is an image of one pixel.
        let x = match part.input {
            Shape::Flat(n) => self.graph.reshape(x, &[-1, n as i64, 1, 1]),
            Shape::Image(..) => x.clone(),
        };
        self.graph.node("ConvTranspose", &[&x, &weight, &bias], attributes)
    }

    fn upsample(&mut self, x: &Value, factor: usize, bilinear: bool) -> Value {
        let scales = self.graph.floats("scales", &[4], &[1.0, 1.0, factor as f32, factor as f32]);
        let how = match bilinear {
            true => vec![
                AttributeProto::text("mode", "linear"),
                AttributeProto::text("coordinate_transformation_mode", "half_pixel"),
            ],
            false => vec![
                AttributeProto::text("mode", "nearest"),
                AttributeProto::text("coordinate_transformation_mode", "asymmetric"),
                AttributeProto::text("nearest_mode", "floor"),
            ],
        };
        // The second input, a region of interest, is left out.
        self.graph.node("Resize", &[x, &String::new(), &scales], how)
    }

    fn average(&mut self, x: &Value, factor: usize) -> Value {
        self.pool("AveragePool", x, factor)
    }

    fn pool(&mut self, operator: &str, x: &Value, factor: usize) -> Value {
        let sizes =
            vec![AttributeProto::ints("kernel_shape", [factor; 2]), AttributeProto::ints("strides", [factor; 2])];
        self.graph.node(operator, &[x], sizes)
    }

    fn global_pool(&mut self, x: &Value, sum: bool) -> Value {
        if sum {
            let axes = self.graph.ints("axes", &[2, 3]);
            return self.graph.node("ReduceSum", &[x, &axes], vec![AttributeProto::int("keepdims", 0)]);
        }
        let attributes = vec![AttributeProto::ints("axes", [2, 3]), AttributeProto::int("keepdims", 0)];
        self.graph.node("ReduceMean", &[x], attributes)
    }

    /// Batch normalisation with moving statistics.
    pub fn batchnorm(&mut self, part: &Part, x: &Value, [gamma, beta]: [Value; 2], epsilon: f32) -> Value {
        let [mean, variance] = ["mean", "variance"].map(|name| self.plain_weight(part, name));
        let attributes = vec![AttributeProto::float("epsilon", epsilon)];
        self.graph.node("BatchNormalization", &[x, &gamma, &beta, &mean, &variance], attributes)
    }

    fn close(&mut self, part: &Part, x: &Value, down: usize, up: usize) -> Value {
        let mut shortcut = self.open.pop().unwrap_or_default();
        if down > 1 {
            shortcut = self.average(&shortcut, down);
        }
        if part.weight("weight").is_some() {
            shortcut = self.project(part, "weight", &shortcut);
        }
        if up > 1 {
            shortcut = self.upsample(&shortcut, up, false);
        }
        self.graph.node("Add", &[x, &shortcut], Vec::new())
    }
}
