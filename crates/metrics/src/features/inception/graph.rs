//! InceptionV3 (Szegedy et al. 2016) as the Fréchet Inception Distance uses it: the graph of 2015 whose weights Heusel
//! et al. (2017) chose, with pytorch-fid's names. It differs from torchvision's graph in two points: average pooling
//! doesn't count the padding, and the last block's pooling takes the maximum.
//!
//! The graph is text, one line per block: branches are separated by `;`, the layers of a branch by `|`; `a / b` are two
//! layers on the same input whose outputs are concatenated. A layer is its name, output channels and kernel, then `s2`
//! for a stride of 2 without padding or `valid` for no padding; otherwise images keep their size.

use faussaire_data::error::{Error, Result};

/// torchvision's InceptionA without the channels of its pooled branch.
macro_rules! a {
    () => {
        "branch1x1 64 1x1; branch5x5_1 48 1x1 | branch5x5_2 64 5x5; \
         branch3x3dbl_1 64 1x1 | branch3x3dbl_2 96 3x3 | branch3x3dbl_3 96 3x3; avgpool | branch_pool "
    };
}

/// torchvision's InceptionC with the given number of channels within its long branches.
macro_rules! c {
    ($n:literal) => {
        concat!(
            "branch1x1 192 1x1; branch7x7_1 ",
            $n,
            " 1x1 | branch7x7_2 ",
            $n,
            " 1x7 | branch7x7_3 192 7x1; ",
            "branch7x7dbl_1 ",
            $n,
            " 1x1 | branch7x7dbl_2 ",
            $n,
            " 7x1 | branch7x7dbl_3 ",
            $n,
            " 1x7 | branch7x7dbl_4 ",
            $n,
            " 7x1 | branch7x7dbl_5 192 1x7; avgpool | branch_pool 192 1x1"
        )
    };
}

/// torchvision's InceptionE with the given pooling.
macro_rules! e {
    ($pool:literal) => {
        concat!(
            "branch1x1 320 1x1; branch3x3_1 384 1x1 | branch3x3_2a 384 1x3 / branch3x3_2b 384 3x1; ",
            "branch3x3dbl_1 448 1x1 | branch3x3dbl_2 384 3x3 | branch3x3dbl_3a 384 1x3 / branch3x3dbl_3b 384 3x1; ",
            $pool,
            " | branch_pool 192 1x1"
        )
    };
}

/// Name and line of each block; a block without a name has no prefix in the weights' names.
const BLOCKS: [(&str, &str); 13] = [
    ("", "Conv2d_1a_3x3 32 3x3 s2 | Conv2d_2a_3x3 32 3x3 valid | Conv2d_2b_3x3 64 3x3 | maxpool s2"),
    ("", "Conv2d_3b_1x1 80 1x1 | Conv2d_4a_3x3 192 3x3 valid | maxpool s2"),
    ("Mixed_5b", concat!(a!(), "32 1x1")),
    ("Mixed_5c", concat!(a!(), "64 1x1")),
    ("Mixed_5d", concat!(a!(), "64 1x1")),
    (
        "Mixed_6a",
        "branch3x3 384 3x3 s2; branch3x3dbl_1 64 1x1 | branch3x3dbl_2 96 3x3 | branch3x3dbl_3 96 3x3 s2; maxpool s2",
    ),
    ("Mixed_6b", c!("128")),
    ("Mixed_6c", c!("160")),
    ("Mixed_6d", c!("160")),
    ("Mixed_6e", c!("192")),
    (
        "Mixed_7a",
        "branch3x3_1 192 1x1 | branch3x3_2 320 3x3 s2; branch7x7x3_1 192 1x1 | branch7x7x3_2 192 1x7 | \
         branch7x7x3_3 192 7x1 | branch7x7x3_4 192 3x3 s2; maxpool s2",
    ),
    ("Mixed_7b", e!("avgpool")),
    ("Mixed_7c", e!("maxpool")),
];

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Layer {
    /// Convolution, batch normalisation and ReLU; the index is that of its weights.
    Conv(usize),
    /// 3x3 average with stride 1, the padding not counted.
    AveragePool,
    /// 3x3 maximum: stride 2 without padding, or stride 1 with padding.
    MaxPool { stride: usize },
    /// Two convolutions of the same input, concatenated.
    Both(usize, usize),
}

/// A convolution and its place in the weights' file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conv {
    /// Prefix of the weights' names: `Mixed_5b.branch1x1`.
    pub name: String,
    pub inputs: usize,
    pub outputs: usize,
    /// Height, width.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padded: bool,
}

/// The whole graph.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    /// Blocks of branches of layers.
    pub blocks: Vec<Vec<Vec<Layer>>>,
    pub convs: Vec<Conv>,
    /// Number of output channels.
    pub features: usize,
}

impl Graph {
    /// The graph for RGB images.
    ///
    /// # Errors
    /// Where a line of [`BLOCKS`] can't be parsed.
    pub(super) fn new() -> Result<Self> {
        let mut graph = Self { blocks: Vec::new(), convs: Vec::new(), features: 3 };
        for (name, text) in BLOCKS {
            let inputs = graph.features;
            graph.features = 0;
            let mut branches = Vec::new();
            for branch in text.split(';') {
                let mut channels = inputs;
                let mut layers = Vec::new();
                for layer in branch.split('|') {
                    layers.push(graph.layer(name, layer, &mut channels)?);
                }
                graph.features += channels;
                branches.push(layers);
            }
            graph.blocks.push(branches);
        }
        Ok(graph)
    }

    fn layer(&mut self, block: &str, text: &str, channels: &mut usize) -> Result<Layer> {
        let inputs = *channels;
        match text.trim() {
            "avgpool" => return Ok(Layer::AveragePool),
            "maxpool" => return Ok(Layer::MaxPool { stride: 1 }),
            "maxpool s2" => return Ok(Layer::MaxPool { stride: 2 }),
            _ => (),
        }
        *channels = 0;
        let mut indices = Vec::new();
        for text in text.split('/') {
            let conv = conv(block, text, inputs)?;
            *channels += conv.outputs;
            indices.push(self.convs.len());
            self.convs.push(conv);
        }
        match indices[..] {
            [one] => Ok(Layer::Conv(one)),
            [one, other] => Ok(Layer::Both(one, other)),
            _ => Err(unreadable(text)),
        }
    }
}

fn conv(block: &str, text: &str, inputs: usize) -> Result<Conv> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (Some(name), Some(outputs), Some(kernel)) = (words.first(), words.get(1), words.get(2)) else {
        return Err(unreadable(text));
    };
    let sides: Vec<usize> = kernel.split('x').filter_map(|side| side.parse().ok()).collect();
    let (Ok(outputs), [height, width]) = (outputs.parse(), sides.as_slice()) else { return Err(unreadable(text)) };
    let name = if block.is_empty() { (*name).to_owned() } else { format!("{block}.{name}") };
    let (stride, padded) = match words.get(3) {
        None => (1, true),
        Some(&"valid") => (1, false),
        Some(&"s2") => (2, false),
        Some(_) => return Err(unreadable(text)),
    };
    Ok(Conv { name, inputs, outputs, kernel: [*height, *width], stride, padded })
}

fn unreadable(text: &str) -> Error {
    Error::usage(format!("`{text}` is no layer of InceptionV3's graph"), "report this")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn has_the_sizes_of_the_published_net() {
        let graph = Graph::new().unwrap();
        assert_eq!((graph.convs.len(), graph.features, graph.blocks.len()), (94, 2048, 13));
        let weights = |c: &Conv| c.inputs * c.outputs * c.kernel[0] * c.kernel[1];
        // torchvision's Inception3 without its classifiers: 21,751,136 kernels' values, 4 x 17,216 of batch
        // normalisation.
        assert_eq!(graph.convs.iter().map(weights).sum::<usize>(), 21_751_136);
        assert_eq!(graph.convs.iter().map(|c| c.outputs).sum::<usize>(), 17_216);
        let last = graph.convs.last().unwrap();
        assert_eq!((last.name.as_str(), last.inputs, last.outputs), ("Mixed_7c.branch_pool", 2048, 192));
        let asymmetric = graph.convs.iter().find(|c| c.name == "Mixed_6b.branch7x7_2").unwrap();
        assert_eq!((asymmetric.kernel, asymmetric.inputs, asymmetric.stride), ([1, 7], 128, 1));
        assert!(
            conv("x", "y 3", 3).is_err() && conv("x", "y 3 3x3x3", 3).is_err() && conv("", "y 3 3x3 s3", 3).is_err()
        );
    }
}
