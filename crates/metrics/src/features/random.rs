//! Features for sets without labels: the outputs of a convolutional net with fixed random weights. Such features don't
//! describe the content of an image, but respond to edges, textures and their arrangement, and are the same on every
//! machine; the names of scores that use them include `random-convnet`.

use burn::tensor::Device;

use crate::Features;
use crate::features::BLOCK;
use crate::stats::matrix::whole_images;
use faussaire_data::ImageShape;
use faussaire_data::error::{Error, Result};
use faussaire_nn::model::Model;
use faussaire_nn::net::{Network, Pass, Shape};
use faussaire_nn::ops::host;
use faussaire_nn::ops::tensor;

/// The seed of its weights.
const SEED: u64 = 20_141_210;
/// Channels of the last layer. They are averaged over each quarter of the image: four times as many features.
const CHANNELS: usize = 32;
const BATCH: usize = 128;
const _: () = assert!(BLOCK.is_multiple_of(BATCH));

/// A fixed, untrained feature net.
#[derive(Clone, Debug)]
pub struct RandomFeatures {
    model: Model,
    shape: ImageShape,
    device: Device,
    reason: String,
}

impl RandomFeatures {
    /// The net for images of `shape`.
    ///
    /// # Errors
    /// Images of fewer than 4 x 4 pixels.
    pub(crate) fn new(shape: ImageShape, device: &Device) -> Result<Self> {
        if shape.height < 4 || shape.width < 4 {
            return Err(Error::usage(
                format!("images of {shape} are too small for the random feature net"),
                "expected at least 4x4 pixels",
            ));
        }
        let lines = ["conv 16 3x3 init he", "leakyrelu 0.1", "conv 32 3x3 stride 2 init he", "leakyrelu 0.1"];
        let last = ["conv 32 3x3 stride 2 init he", "leakyrelu 0.1"];
        let lines: Vec<String> = lines.iter().chain(&last).map(ToString::to_string).collect();
        let net = Network::new("random features", &lines, Shape::from(shape))?;
        let model = Model::from_network(net, SEED, device);
        Ok(Self { model, shape, device: device.clone(), reason: "no labels are known".into() })
    }

    /// With the reason for using it.
    #[must_use]
    pub(crate) fn because(self, reason: String) -> Self {
        Self { reason, ..self }
    }

    /// Why no trained features are used.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// Its name in scores.
    pub(crate) fn name(&self) -> String {
        "random-convnet".into()
    }

    /// The shape of the images that it takes.
    pub(crate) fn shape(&self) -> ImageShape {
        self.shape
    }

    /// A digest of its layers and weights.
    pub(crate) fn digest(&self) -> String {
        crate::features::classifier::weights_digest(&self.model)
    }

    /// One row of features per image of `images`, `[n, h, w, c]` values in [0, 1].
    ///
    /// # Errors
    /// No images, or a number of values that is no multiple of an image's.
    pub(crate) fn features(&self, images: &[f32]) -> Result<Features> {
        let count = whole_images(images, self.shape, "judge images of the shape that was given for the net")?;
        let ImageShape { height, width, channels } = self.shape;
        let mut rows = Vec::new();
        for part in images.chunks(BATCH * self.shape.len()) {
            let n = part.len() / self.shape.len();
            let x = tensor(part.to_vec(), [n, height, width, channels], &self.device);
            let seen = self.model.net.apply(&self.model.weights, x, &mut Pass::infer());
            let [_, h, w, _] = seen.dims();
            for image in host(&seen).chunks_exact(h * w * CHANNELS) {
                rows.extend(quarters(image, h, w));
            }
        }
        Features::new(rows, count, 4 * CHANNELS)
    }
}

/// The mean of every channel over each quarter of an image.
fn quarters(image: &[f32], h: usize, w: usize) -> Vec<f32> {
    let mut sums = vec![0.0f32; 4 * CHANNELS];
    let mut counts = [0u32; 4];
    for (place, pixel) in image.chunks_exact(CHANNELS).enumerate() {
        let quarter = 2 * (2 * (place / w) / h).min(1) + (2 * (place % w) / w).min(1);
        counts[quarter] += 1;
        let sums = &mut sums[quarter * CHANNELS..][..CHANNELS];
        sums.iter_mut().zip(pixel).for_each(|(s, v)| *s += v);
    }
    for (sums, count) in sums.chunks_exact_mut(CHANNELS).zip(counts) {
        sums.iter_mut().for_each(|s| *s /= count.max(1) as f32);
    }
    sums
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scores::frechet::frechet_distance;
    use faussaire_data::{Dataset, Strokes, fill};

    #[test]
    fn tells_strokes_from_damaged_strokes() {
        let strokes = Strokes::new(1, 600);
        let net = RandomFeatures::new(strokes.shape(), &Device::flex()).unwrap();
        let features = |from: usize, damage: f32| {
            let mut images = Vec::new();
            fill(&strokes, &(from..from + 300).collect::<Vec<_>>(), &mut images).unwrap();
            images.iter_mut().enumerate().for_each(|(i, v)| *v = (*v - damage * (i % 3) as f32).clamp(0.0, 1.0));
            net.features(&images).unwrap()
        };
        let distance = |damage: f32| frechet_distance(&features(0, 0.0), &features(300, damage)).unwrap().distance;
        let (alike, damaged) = (distance(0.0), distance(0.2));
        assert!(damaged > 2.0 * alike && alike > 0.0, "{alike} {damaged}");
        assert!(net.features(&[]).is_err());
        assert!(net.features(&[0.0; 1000]).unwrap_err().to_string().contains("no images of 28x28x1"));
    }
}
