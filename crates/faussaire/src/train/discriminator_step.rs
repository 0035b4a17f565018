//! The discriminator's update: real and generated images mixed in one batch, scored, and told apart a little better.

use burn::tensor::Tensor;

use super::Gan;
use super::gan::tensor;
use crate::data::fill;
use crate::error::Result;
use crate::loss::Scores;
use crate::model::host;
use crate::net::Pass;
use crate::random::Stream;
use crate::recipe::Fakes;

/// What the discriminator's update saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DiscriminatorReport {
    pub loss: f32,
    /// Share of real images taken for real.
    pub real: f32,
    /// Share of generated images taken for generated.
    pub fake: f32,
}

impl Gan {
    /// Update number `turn` (counted from 0 over the whole training) of the discriminator.
    pub(super) fn discriminator_step(&mut self, turn: u64) -> Result<DiscriminatorReport> {
        let x = self.real_images(turn)?;
        let m = x.dims()[0];
        let fakes = self.generated_images(turn, m);

        let tracked = self.discriminator.tracked();
        let mut pass = self.discriminator.training_pass(turn * 2);
        let logits = self.discriminator.net.logits(&tracked, Tensor::cat(vec![x, fakes], 0), &mut pass);
        let scores = Scores::split(logits, m);
        let [real, fake] = [&scores.real, &scores.fake].map(share_above_zero);
        let loss = self.recipe.train.loss.discriminator(&scores);
        let loss = self.discriminator.update(tracked, loss)?;
        self.discriminator.net.absorb(&mut self.discriminator.weights, pass);
        Ok(DiscriminatorReport { loss, real, fake: 1.0 - fake })
    }

    fn real_images(&mut self, turn: u64) -> Result<Tensor<4>> {
        let indices = self.batches.indices(turn);
        let mut values = Vec::new();
        fill(self.dataset.as_ref(), &indices, &mut values)?;
        self.range.from_unit(&mut values);
        let shape = self.dataset.shape();
        Ok(tensor(values, [indices.len(), shape.height, shape.width, shape.channels], &self.device))
    }

    /// Generated without any gradient: the generator doesn't learn here.
    fn generated_images(&self, turn: u64, m: usize) -> Tensor<4> {
        let noise = Stream::new(self.recipe.train.seed, "latent.discriminator");
        let z = tensor(noise.normal(turn, m * self.recipe.latent), [m, 1, 1, self.recipe.latent], &self.device);
        let mut pass = match self.recipe.train.fakes {
            Fakes::Batch => self.generator.training_pass(turn * 2),
            Fakes::Moving => Pass::infer(),
        };
        self.generator.net.forward(&self.generator.weights, z, &mut pass)
    }
}

fn share_above_zero(scores: &Tensor<4>) -> f32 {
    let scores = host(scores);
    scores.iter().filter(|s| **s > 0.0).count() as f32 / scores.len().max(1) as f32
}
