//! The discriminator's inputs: a batch of real images with their labels and one of generated images, both augmented,
//! with instance noise, packed. The generator's update uses the same, differentiably.

use burn::tensor::Tensor;

use super::slices::{Part, Slices};
use super::{Gan, Latents};
use crate::augment::augment;
use crate::error::Result;
use crate::loss::Scores;
use crate::net::Pass;
use crate::ops::tensor;
use crate::random::Stream;
use crate::ranks::agreed;
use crate::recipe::FakeBatchnorm;

/// Real images with their labels.
#[derive(Clone, Debug)]
pub(super) struct RealBatch {
    pub x: Tensor<4>,
    pub y: Option<Tensor<4>>,
}

impl RealBatch {
    /// Those of a part of the batch.
    pub(super) fn of(&self, part: &Part, slices: &Slices) -> Self {
        let rows = |t: &Tensor<4>| part.rows_here(t.clone(), slices.count_here());
        Self { x: rows(&self.x), y: self.y.as_ref().map(rows) }
    }
}

impl Gan {
    /// The real images of D's update `turn` that this process learns from, with their labels.
    pub(super) fn real_images(&mut self, turn: u64) -> Result<RealBatch> {
        let indices = self.batches.indices(turn);
        let values = self.reader.take(turn);
        let mut values = agreed(self.slices.ranks(), values)?;
        self.replaced.agree(&self.slices, self.dataset.as_ref(), &indices)?;
        self.range.from_unit(&mut values);
        let (shape, m) = (self.dataset.shape(), indices.len());
        let y = self.conditions.as_ref().map(|conditions| {
            tensor(conditions.rows(self.dataset.as_ref(), &indices), [m, 1, 1, conditions.width()], &self.device)
        });
        Ok(RealBatch { x: tensor(values, [m, shape.height, shape.width, shape.channels], &self.device), y })
    }

    /// Generated images for D's update `turn`, without gradients. The labels are those of the real images, so that only
    /// the images differ between real and generated.
    pub(super) fn generated_images(&self, turn: u64, part: &Part, y: Option<Tensor<4>>) -> Tensor<4> {
        let Latents { z, .. } = self.part_of_latents("latent.discriminator", turn, part);
        let pass = match self.recipe.train.fake_batchnorm {
            FakeBatchnorm::Batch => self.generator.training_pass(turn * 2),
            FakeBatchnorm::Moving => Pass::infer().rounded(self.generator.precision),
        };
        self.generator.net.apply(&self.generator.weights, z, &mut pass.within(part.slice.clone()).given(y))
    }

    /// A part's latents of batch `turn` of the random stream `name`.
    pub(super) fn part_of_latents(&self, name: &str, turn: u64, part: &Part) -> Latents {
        let Latents { z, y } = self.sample_latents(name, turn, self.recipe.train.batch);
        Latents { z: part.rows(z), y: y.map(|y| part.rows(y)) }
    }

    /// The scores with some pairs exchanged (`train.label_flip`).
    pub(super) fn flipped(&self, scores: Scores, turn: u64, part: &Part) -> Scores {
        let share = self.recipe.train.label_flip as f32;
        if share == 0.0 {
            return scores;
        }
        let m = scores.real.dims()[0];
        let draws = Stream::new(self.recipe.train.seed, &part.stream("flips".into())).uniform(turn, m, 0.0, 1.0);
        let flips = draws.into_iter().map(|u| f32::from(u < share)).collect();
        scores.flipped(tensor(flips, [m, 1, 1, 1], &self.device))
    }

    /// What `train.label_noise` adds to D's loss at its update `turn`: a cross-entropy with a label that is smaller by u is
    /// greater by u times the logit.
    pub(super) fn label_noise(&self, scores: Scores, turn: u64, part: &Part) -> Tensor<1> {
        let logits = Tensor::cat(vec![scores.real, scores.fake], 0);
        let count = logits.dims()[0];
        let draws = Stream::new(self.recipe.train.seed, &part.stream("label_noise".into()));
        let noise = draws.uniform(turn, count, 0.0, self.recipe.train.label_noise as f32);
        logits.mul(tensor(noise, [count, 1, 1, 1], &self.device)).mean()
    }

    /// `images` as input of D at its (or G's) update `turn`: augmented, with noise, packed. `of` names the random
    /// streams, of which each part of a batch has its own.
    pub(super) fn discriminator_input(&self, images: Tensor<4>, of: &str, turn: u64, part: &Part) -> Tensor<4> {
        let train = &self.recipe.train;
        let stream = |what: &str| Stream::new(train.seed, &part.stream(format!("{what}.{of}")));
        let images = match train.augment.kinds.as_slice() {
            [] => images,
            kinds => augment(images, kinds, self.progress.augment, &stream("augment"), turn),
        };
        packed(self.with_noise(images, &stream("noise"), turn), train.pac)
    }

    fn with_noise(&self, images: Tensor<4>, noise: &Stream, turn: u64) -> Tensor<4> {
        let train = &self.recipe.train;
        let (low, high) = self.range.bounds();
        let remaining = match train.noise_steps {
            0 => 1.0,
            steps => (1.0 - self.progress.step as f64 / steps as f64).max(0.0),
        };
        let deviation = (train.noise * remaining) as f32 * (high - low);
        if deviation == 0.0 {
            return images;
        }
        let dims = images.dims();
        let draws = noise.normal(turn, dims.iter().product()).into_iter().map(|v| v * deviation).collect();
        images.add(tensor(draws, dims, &self.device))
    }
}

/// `packing` images each of `[batch, h, w, c]` stacked along the channels: `[batch / packing, h, w, c * packing]`
/// (PacGAN, Lin et al. 2018).
fn packed(images: Tensor<4>, packing: usize) -> Tensor<4> {
    if packing == 1 {
        return images;
    }
    let packs = images.dims()[0] / packing;
    let part = |i: usize| images.clone().narrow(0, i * packs, packs);
    Tensor::cat((0..packing).map(part).collect(), 3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::host;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn label_noise_is_the_cross_entropy_of_smaller_labels() {
        let shape = crate::data::ImageShape { height: 8, width: 8, channels: 1 };
        let bytes = (0..32 * 64).map(|at| (at % 251) as u8).collect();
        let images = crate::data::InMemory::from_bytes("images", shape, bytes).unwrap();
        let recipe = crate::Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]);
        let recipe = recipe.batch(8).set("train.label_noise", 0.05).unwrap();
        let gan = Gan::new(recipe, std::sync::Arc::new(images), &crate::Device::cpu()).unwrap();
        let column = |values: [f32; 2]| tensor(values.to_vec(), [2, 1, 1, 1], &gan.device);
        let (real, fake) = ([1.5f32, -2.0], [0.5f32, 3.0]);
        let added = host(&gan.label_noise(Scores { real: column(real), fake: column(fake) }, 3, &Part::whole()))[0];
        let noise = Stream::new(0, "label_noise").uniform(3, 4, 0.0, 0.05);
        // The cross-entropy of a label and a logit.
        let loss = |label: f32, logit: f32| logit.exp().ln_1p() - label * logit;
        let pairs = real.map(|t| (1.0, t)).into_iter().chain(fake.map(|t| (0.0, t))).zip(noise);
        let expected = pairs.map(|((label, t), u)| loss(label - u, t) - loss(label, t)).sum::<f32>() / 4.0;
        assert!((added - expected).abs() < 1e-6 && added.abs() > 1e-3, "{added} {expected}");
    }

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
