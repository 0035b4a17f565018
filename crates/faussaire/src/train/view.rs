//! What the discriminator gets to see of images, real or generated: changed at random (`augment`), with noise, packed.
//! Generated images pass through here in the generator's update too, gradient and all.

use burn::tensor::Tensor;

use super::Gan;
use crate::augment::augment;
use crate::ops::tensor;
use crate::random::Stream;

impl Gan {
    /// `images` as D sees them at its (or G's) update `turn`; `of` keeps the randomness of different uses apart.
    pub(super) fn viewed(&self, images: Tensor<4>, of: &str, turn: u64) -> Tensor<4> {
        let train = &self.recipe.train;
        let stream = |what: &str| Stream::new(train.seed, &format!("{what}.{of}"));
        let images = match train.augment.kinds.as_slice() {
            [] => images,
            kinds => augment(images, kinds, self.progress.augment, &stream("augment"), turn),
        };
        packed(self.noisy(images, &stream("noise"), turn), train.pac)
    }

    fn noisy(&self, images: Tensor<4>, noise: &Stream, turn: u64) -> Tensor<4> {
        let train = &self.recipe.train;
        let (low, high) = self.range.bounds();
        let left = match train.noise_steps {
            0 => 1.0,
            steps => (1.0 - self.progress.step as f64 / steps as f64).max(0.0),
        };
        let deviation = (train.noise * left) as f32 * (high - low);
        if deviation == 0.0 {
            return images;
        }
        let dims = images.dims();
        let draws = noise.normal(turn, dims.iter().product()).into_iter().map(|v| v * deviation).collect();
        images.add(tensor(draws, dims, &self.device))
    }
}

/// Every `packing` images of `[batch, h, w, c]` as one `[batch / packing, h, w, c * packing]` (Lin et al. 2018).
fn packed(images: Tensor<4>, packing: usize) -> Tensor<4> {
    if packing == 1 {
        return images;
    }
    let packs = images.dims()[0] / packing;
    let part = |i: usize| images.clone().narrow(0, i * packs, packs);
    Tensor::cat((0..packing).map(part).collect(), 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::host;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn packs_hold_whole_images() {
        let values: Vec<f32> = (0..4 * 2 * 3).map(|v| v as f32).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values, [4, 1, 2, 3]), &Device::flex());
        let packs = packed(images, 2);
        assert_eq!(packs.dims(), [2, 1, 2, 6]);
        // Pack 0 holds images 0 and 2.
        assert_eq!(host(&packs)[..12], [0., 1., 2., 12., 13., 14., 3., 4., 5., 15., 16., 17.]);
    }
}
