//! A net as a Python class: the modules of its layers in `__init__`, and their calls in `forward`. Images are
//! `[n, channels, height, width]`, as in PyTorch.

use super::super::plain::{Part, Plain};
use crate::net::{Op, Shape};

/// Modules that PyTorch lacks, with their source code.
pub const MODULES: [(&str, &str); 6] = [
    ("Attention(", include_str!("modules/attention.py")),
    ("ConditionalBatchNorm(", include_str!("modules/conditionalbatchnorm.py")),
    ("Embedding(", include_str!("modules/embedding.py")),
    ("MinibatchStd(", include_str!("modules/minibatchstd.py")),
    ("PixelNorm(", include_str!("modules/pixelnorm.py")),
    ("Projection(", include_str!("modules/projection.py")),
];

/// The builder of a class.
#[derive(Debug, Default)]
struct Class {
    init: Vec<String>,
    forward: Vec<String>,
    /// The variables with the inputs of the open residual blocks.
    open: Vec<String>,
}

/// The class of `plain`, called `name`.
pub fn class(plain: &Plain, name: &str, about: &str) -> String {
    let mut class = Class::default();
    plain.parts.iter().for_each(|part| class.layer(part));
    let (input, arguments) = match (plain.name, plain.labels) {
        ("generator", 0) => ("z", "z"),
        ("generator", _) => ("z", "z, labels"),
        (_, 0) => ("x", "x"),
        (_, _) => ("x", "x, labels"),
    };
    if input != "x" {
        class.forward.insert(0, format!("x = {input}"));
    }
    let indented = |lines: &[String]| lines.iter().map(|line| format!("        {line}\n")).collect::<String>();
    format!(
        "\n\nclass {name}(nn.Module):\n    \"\"\"{about}\"\"\"\n\n    def __init__(self):\n        super().__init__()\n{}\n    \
         def forward(self, {arguments}):\n{}        return x\n",
        indented(&class.init),
        indented(&class.forward),
    )
}

/// `(2, 1)`, or `2` where both are equal.
fn pair([a, b]: [usize; 2]) -> String {
    if a == b { a.to_string() } else { format!("({a}, {b})") }
}

impl Class {
    /// Adds a line to `forward`, with the recipe's line as a comment.
    fn then(&mut self, part: &Part, code: &str) {
        self.forward.push(format!("x = {code}  # {}", part.line));
    }

    /// Adds a module and its call with the arguments `call`.
    fn module(&mut self, part: &Part, constructor: &str, call: &str) {
        let name = part.name();
        self.init.push(format!("self.{name} = {constructor}"));
        self.then(part, &format!("self.{name}({call})"));
    }

    fn layer(&mut self, part: &Part) {
        let (from, to) = part.channels();
        let (image, _) = part.of_images();
        match part.op {
            // A registered layer is refused before (`Subject::check`).
            Op::Nothing | Op::Opaque => self.dropout(part),
            Op::Reshape => self.reshape(part),
            Op::Dense if image => self.module(part, &format!("nn.Conv2d({from}, {to}, 1)"), "x"),
            Op::Dense => self.module(part, &format!("nn.Linear({from}, {to})"), "x"),
            Op::Conv { kernel, stride, pads } => self.conv(part, kernel, stride, pads),
            Op::ConvTranspose { kernel, stride, crop } => self.conv_transpose(part, kernel, stride, crop),
            Op::Upsample { factor, bilinear: false } => {
                self.then(part, &format!("F.interpolate(x, scale_factor={factor})"));
            }
            Op::Upsample { factor, bilinear: true } => self.then(
                part,
                &format!("F.interpolate(x, scale_factor={factor}, mode=\"bilinear\", align_corners=False)"),
            ),
            Op::Crop { top, left } => {
                let [h, w, _] = part.output.dims();
                self.then(part, &format!("x[:, :, {top}:{}, {left}:{}]", top + h, left + w));
            }
            Op::AveragePool { factor } => self.then(part, &format!("F.avg_pool2d(x, {factor})")),
            Op::MaxPool { factor } => self.then(part, &format!("F.max_pool2d(x, {factor})")),
            Op::ZeroPad { pads: [top, left, bottom, right] } => {
                self.then(part, &format!("F.pad(x, ({left}, {right}, {top}, {bottom}))"));
            }
            Op::GlobalPool { sum: true } => self.then(part, "x.sum((2, 3))"),
            Op::GlobalPool { sum: false } => self.then(part, "x.mean((2, 3))"),
            Op::PixelShuffle { factor } => self.then(part, &format!("F.pixel_shuffle(x, {factor})")),
            Op::BatchNorm { epsilon, momentum } => {
                let d = if image { 2 } else { 1 };
                self.module(
                    part,
                    &format!("nn.BatchNorm{d}d({to}, eps={epsilon}, momentum={})", torch_momentum(momentum)),
                    "x",
                );
            }
            Op::ConditionalBatchNorm { epsilon, momentum } => {
                let labels = part.weight("gamma").map_or(0, |w| w.shape[0]);
                let constructor =
                    format!("ConditionalBatchNorm({labels}, {to}, {epsilon}, {})", torch_momentum(momentum));
                self.module(part, &constructor, "x, labels");
            }
            Op::GroupNorm { groups, epsilon } => {
                self.module(part, &format!("nn.GroupNorm({groups}, {to}, eps={epsilon})"), "x");
            }
            Op::PixelNorm { epsilon } => self.module(part, &format!("PixelNorm({epsilon})"), "x"),
            Op::Relu => self.then(part, "torch.relu(x)"),
            Op::LeakyRelu { slope } => self.then(part, &format!("F.leaky_relu(x, {slope})")),
            Op::Tanh => self.then(part, "torch.tanh(x)"),
            Op::Sigmoid => self.then(part, "torch.sigmoid(x)"),
            Op::Softmax => self.then(part, "torch.softmax(x, 1)"),
            Op::Open => {
                let input = format!("block{}", part.index);
                self.forward.push(format!("{input} = x  # {}", part.line));
                self.open.push(input);
            }
            Op::Close { down, up } => self.close(part, down, up),
            Op::Embedding => self.embedding(part),
            Op::Projection => {
                let labels = part.weight("table").map_or(0, |w| w.shape[0]);
                self.module(part, &format!("Projection({from}, {labels})"), "x, labels");
            }
            Op::MinibatchStd { group, epsilon } => {
                self.module(part, &format!("MinibatchStd({group}, {epsilon})"), "x");
            }
            Op::Attention { narrow, wide } => {
                self.module(part, &format!("Attention({from}, {narrow}, {wide})"), "x");
            }
        }
    }

    /// Layers without effect in inference, of which dropout has one in further training.
    fn dropout(&mut self, part: &Part) {
        match (part.keyword, part.line.split_whitespace().nth(1)) {
            ("dropout", Some(rate)) => self.then(part, &format!("F.dropout(x, {rate}, self.training)")),
            ("dropout2d", Some(rate)) => self.then(part, &format!("F.dropout2d(x, {rate}, self.training)")),
            ("gaussiannoise", Some(deviation)) => {
                self.then(part, &format!("x + {deviation} * torch.randn_like(x) if self.training else x"));
            }
            _ => self.forward.push(format!("# {}", part.line)),
        }
    }

    /// Values keep their channels-last order.
    fn reshape(&mut self, part: &Part) {
        let last = if matches!(part.input, Shape::Image(..)) { "x.permute(0, 2, 3, 1)" } else { "x" };
        let code = match part.output {
            Shape::Flat(n) => format!("{last}.reshape(-1, {n})"),
            Shape::Image(h, w, c) => format!("{last}.reshape(-1, {h}, {w}, {c}).permute(0, 3, 1, 2)"),
        };
        self.then(part, &code);
    }

    fn conv(&mut self, part: &Part, kernel: [usize; 2], stride: [usize; 2], [top, left, bottom, right]: [usize; 4]) {
        let (from, to) = part.channels();
        let (kernel, stride) = (pair(kernel), pair(stride));
        if (top, left) == (bottom, right) {
            let padding = pair([top, left]);
            let constructor = format!("nn.Conv2d({from}, {to}, {kernel}, stride={stride}, padding={padding})");
            return self.module(part, &constructor, "x");
        }
        let constructor = format!("nn.Conv2d({from}, {to}, {kernel}, stride={stride})");
        self.module(part, &constructor, &format!("F.pad(x, ({left}, {right}, {top}, {bottom}))"));
    }

    fn conv_transpose(&mut self, part: &Part, kernel: [usize; 2], stride: [usize; 2], crop: [usize; 2]) {
        let (from, to) = part.channels();
        let (end, missing) = part.transposed_ends(kernel, stride, crop);
        if let Shape::Flat(n) = part.input {
            self.forward.push(format!("x = x.reshape(-1, {n}, 1, 1)"));
        }
        let start = format!("nn.ConvTranspose2d({from}, {to}, {}, stride={}", pair(kernel), pair(stride));
        if end == crop && missing == [0, 0] {
            return self.module(part, &format!("{start}, padding={})", pair(crop)), "x");
        }
        // PyTorch crops both ends equally, so the output is cropped here.
        self.module(part, &format!("{start}, output_padding={})", pair(missing)), "x");
        let [h, w, _] = part.output.dims();
        self.forward.push(format!("x = x[:, :, {}:{}, {}:{}]", crop[0], crop[0] + h, crop[1], crop[1] + w));
    }

    fn close(&mut self, part: &Part, down: usize, up: usize) {
        let mut shortcut = self.open.pop().unwrap_or_default();
        if down > 1 {
            shortcut = format!("F.avg_pool2d({shortcut}, {down})");
        }
        if let Some(weight) = part.weight("weight") {
            let [from, to] = [weight.shape[0], weight.shape[1]];
            let (image, _) = part.of_images();
            let module = if image { format!("Conv2d({from}, {to}, 1") } else { format!("Linear({from}, {to}") };
            self.init.push(format!("self.{} = nn.{module}, bias=False)", part.name()));
            shortcut = format!("self.{}({shortcut})", part.name());
        }
        if up > 1 {
            shortcut = format!("F.interpolate({shortcut}, scale_factor={up})");
        }
        self.then(part, &format!("x + {shortcut}"));
    }

    fn embedding(&mut self, part: &Part) {
        let labels = part.weight("table").map_or(0, |w| w.shape[0]);
        let (from, to) = part.channels();
        let channels = to - from;
        let shape = match part.input {
            Shape::Flat(_) => format!("{labels}, {channels}"),
            Shape::Image(h, w, _) => format!("{labels}, {channels}, {h}, {w}"),
        };
        self.module(part, &format!("Embedding({shape})"), "x, labels");
    }
}

/// PyTorch's momentum is the weight of the new value, Keras's that of the old one.
fn torch_momentum(momentum: f32) -> f32 {
    // Rounded, since 1 - 0.99 in single precision is 0.00999999.
    ((1.0 - f64::from(momentum)) * 1e6).round() as f32 / 1e6
}
