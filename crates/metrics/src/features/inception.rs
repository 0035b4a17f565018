//! InceptionV3's features, with weights from the user's own file: most published Fréchet distances use them. Images are
//! processed as pytorch-fid does: resized to 299 x 299 by bilinear interpolation (pixel centres, no antialiasing),
//! values from -1 to 1; the features are the 2,048 averages after the last block.

mod graph;
mod pool;
#[cfg(test)]
mod reference;
mod weights;

use std::path::Path;

use burn::tensor::{Device, Tensor};

use self::graph::{Graph, Layer};
use self::weights::Folded;
use crate::Features;
use crate::features::BLOCK;
use crate::stats::matrix::whole_images;
use faussaire_data::error::{Error, Result};
use faussaire_data::{Digest, ImageShape};
use faussaire_nn::ops::host;
use faussaire_nn::ops::tensor;
use faussaire_nn::ops::{self, Activation, Geometry, Precision};

/// Height and width of the net's input.
const SIDE: usize = 299;

/// Images per pass; their activations take about 100 MB.
const BATCH: usize = 16;
const _: () = assert!(BLOCK.is_multiple_of(BATCH));

/// InceptionV3 up to its last pooling.
#[derive(Clone, Debug)]
pub struct Inception {
    graph: Graph,
    weights: Vec<Folded>,
    shape: ImageShape,
    device: Device,
}

impl Inception {
    /// Reads the weights at `path`, for images of `shape`.
    ///
    /// # Errors
    /// A file that can't be read or has other tensors; images that are no pictures.
    pub fn open(path: &Path, shape: ImageShape, device: &Device) -> Result<Self> {
        if !shape.is_picture() {
            return Err(Error::usage(
                format!("images of {shape} can't be shown to InceptionV3"),
                "expected grey images, or images in colour with or without alpha",
            ));
        }
        let graph = Graph::new()?;
        let weights = weights::read(path, &graph.convs, device)?;
        Ok(Self { graph, weights, shape, device: device.clone() })
    }

    /// Its name in scores.
    pub(crate) fn name(&self) -> String {
        "inception-v3(pytorch-fid)".into()
    }

    /// The shape of the images that it takes.
    pub(crate) fn shape(&self) -> ImageShape {
        self.shape
    }

    /// A digest of its weights.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Digest::new();
        for weights in self.weights.iter().flatten() {
            host(weights).iter().for_each(|v| digest.update(&v.to_le_bytes()));
        }
        digest.finish()
    }

    /// One row of 2,048 features per image of `images`, `[n, h, w, c]` values in [0, 1].
    ///
    /// # Errors
    /// No images, or a number of values that is no multiple of an image's.
    pub(crate) fn features(&self, images: &[f32]) -> Result<Features> {
        let size = self.shape.len();
        let count = whole_images(images, self.shape, "judge images of the shape that was given for the net")?;
        let mut rows = Vec::with_capacity(count * self.graph.features);
        for part in images.chunks(BATCH * size) {
            let values: Vec<f32> = part.chunks_exact(size).flat_map(|image| self.resized(image)).collect();
            let mut x = tensor(values, [part.len() / size, SIDE, SIDE, 3], &self.device);
            for block in &self.graph.blocks {
                let branches = block.iter().map(|branch| self.branch(branch, x.clone())).collect();
                x = Tensor::cat(branches, 3);
            }
            rows.extend(host(&ops::average_pool(x.clone(), x.dims()[1])));
        }
        Features::new(rows, count, self.graph.features)
    }

    fn branch(&self, layers: &[Layer], x: Tensor<4>) -> Tensor<4> {
        layers.iter().fold(x, |x, layer| match layer {
            Layer::Conv(index) => self.conv(*index, x),
            Layer::Both(one, other) => Tensor::cat(vec![self.conv(*one, x.clone()), self.conv(*other, x)], 3),
            Layer::AveragePool => pool::average(&x),
            Layer::MaxPool { stride } => pool::largest(&x, *stride),
        })
    }

    fn conv(&self, index: usize, x: Tensor<4>) -> Tensor<4> {
        let (conv, [kernel, bias]) = (&self.graph.convs[index], &self.weights[index]);
        let [n, h, w, _] = x.dims();
        let (inputs, outputs, stride) = (conv.inputs, conv.outputs, [conv.stride; 2]);
        let geometry = match conv.padded {
            true => Geometry::same(n, h, w, inputs, outputs, conv.kernel, stride),
            false => Geometry::valid(n, h, w, inputs, outputs, conv.kernel, stride),
        };
        let spec = ops::Conv {
            geometry,
            upsample: 1,
            activation: Activation::Relu,
            precision: Precision::F32,
            stored: Precision::F32,
            backward: ops::BackwardFusion::default(),
        };
        ops::conv(x, kernel.clone(), bias.clone(), spec)
    }

    /// An image at the size, number of channels and range that the net takes; one with alpha over white.
    fn resized(&self, image: &[f32]) -> Vec<f32> {
        let ImageShape { height, width, channels } = self.shape;
        let (rows, columns) = (source_pixels(height), source_pixels(width));
        let mut out = Vec::with_capacity(SIDE * SIDE * 3);
        for (top, bottom, down) in &rows {
            for (left, right, along) in &columns {
                for colour in 0..3 {
                    let at = |y: usize, x: usize| match &image[(y * width + x) * channels..][..channels] {
                        [rgb @ .., alpha] if channels == 4 => rgb[colour] * alpha + (1.0 - alpha),
                        pixel => pixel[colour.min(channels - 1)],
                    };
                    let upper = at(*top, *left) * (1.0 - along) + at(*top, *right) * along;
                    let lower = at(*bottom, *left) * (1.0 - along) + at(*bottom, *right) * along;
                    out.push(2.0 * (upper * (1.0 - down) + lower * down) - 1.0);
                }
            }
        }
        out
    }
}

/// For each of the net's input pixels along one axis: the two source pixels around its centre, and the weight of the
/// second.
fn source_pixels(length: usize) -> Vec<(usize, usize, f32)> {
    let scale = length as f32 / SIDE as f32;
    let place = |i: usize| {
        let centre = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
        let first = (centre as usize).min(length - 1);
        (first, (first + 1).min(length - 1), centre - first as f32)
    };
    (0..SIDE).map(place).collect()
}
