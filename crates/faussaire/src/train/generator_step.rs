//! The generator's update: fresh noise, images, the frozen discriminator's scores, and a step towards better ones.

use super::Gan;
use super::gan::tensor;
use crate::error::Result;
use crate::random::Stream;

impl Gan {
    /// Update number `turn` (counted from 0) of the generator. The discriminator's weights take part as constants:
    /// nothing is computed for them, and its layers behave as in its own training.
    pub(super) fn generator_step(&mut self, turn: u64) -> Result<f32> {
        let (m, latent) = (self.recipe.train.batch, self.recipe.latent);
        let noise = Stream::new(self.recipe.train.seed, "latent.generator");
        let z = tensor(noise.normal(turn, m * latent), [m, 1, 1, latent], &self.device);

        let tracked = self.generator.tracked();
        let mut pass = self.generator.training_pass(turn * 2 + 1);
        let images = self.generator.net.forward(&tracked, z, &mut pass);
        let discriminator = &self.discriminator;
        let mut judging = discriminator.training_pass(turn * 2 + 1);
        let logits = discriminator.net.logits(&discriminator.weights, images, &mut judging);
        let loss = self.recipe.train.loss.generator(logits);
        let loss = self.generator.update(tracked, loss)?;
        self.generator.net.absorb(&mut self.generator.weights, pass);
        Ok(loss)
    }
}
