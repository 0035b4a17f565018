//! The generator's update: fresh noise, images, the frozen discriminator's scores, and a step towards better ones.

use super::discriminator_step::RealBatch;
use super::{Gan, Latents};
use crate::error::Result;
use crate::loss::Scores;
use crate::model::Learned;

impl Gan {
    /// Update number `turn` (counted from 0) of the generator. The discriminator's weights take part as constants:
    /// nothing is computed for them, and its layers behave as in its own training.
    pub(super) fn generator_step(&mut self, turn: u64) -> Result<Learned> {
        let Latents { z, y } = self.drawn_latents("latent.generator", turn, self.recipe.train.batch);
        // A loss that compares with real images takes those that D saw last, and their labels.
        let real = self.seen.take();
        let y = real.as_ref().map_or(y, |real| real.y.clone());

        let tracked = self.generator.tracked();
        let mut pass = self.generator.training_pass(turn * 2 + 1).given(y.clone());
        let images = self.generator.net.apply(&tracked, z, &mut pass);
        let seen = self.viewed(images, "generator", turn);
        let discriminator = &self.discriminator;
        let mut judging = discriminator.training_pass(turn * 2 + 1).given(y.clone());
        let logits = discriminator.net.apply_to_logits(&discriminator.weights, seen, &mut judging);
        let scores = Scores::of(logits.clone());
        let mut loss = self.recipe.train.loss.generator(scores, real.map(|real| self.scores_on(real, turn)));
        if let Some(labels) = y.filter(|_| discriminator.net.guesses_labels()) {
            loss = loss.add(self.label_loss(logits, labels));
        }
        let value = loss.clone().into_scalar::<f32>();
        let learned = self.generator.update(tracked, loss, value)?;
        self.generator.net.absorb(&mut self.generator.weights, pass);
        Ok(learned)
    }

    /// D's scores on real images, as constants.
    fn scores_on(&self, real: RealBatch, turn: u64) -> burn::tensor::Tensor<4> {
        let seen = self.viewed(real.x, "generator.real", turn);
        let mut pass = self.discriminator.training_pass(turn * 2 + 1).given(real.y);
        Scores::of(self.discriminator.net.apply_to_logits(&self.discriminator.weights, seen, &mut pass))
    }
}
