//! Images held back (`train.held_out`): D never learns from them, so the way it scores them beside the training images
//! says how much it has learnt by heart.

use std::sync::Arc;

use super::Gan;
use crate::data::{Dataset, Subset, fill};
use crate::error::Result;
use crate::loss::Scores;
use crate::ops::host;
use crate::ops::tensor;
use crate::recipe::Recipe;

/// What to learn from, and what is held back, as `recipe` says.
pub fn split_held_out(recipe: &Recipe, whole: &Arc<dyn Dataset>) -> (Arc<dyn Dataset>, Option<Subset>) {
    let share = recipe.train.held_out;
    if share == 0.0 || whole.len() < 2 {
        return (Arc::clone(whole), None);
    }
    let [kept, held] = Subset::split_held_out(whole, share, recipe.train.seed);
    (Arc::new(kept), Some(held))
}

impl Gan {
    /// D's mean score on a batch of the images held back, seen just as those of its update `turn`; none where there are none.
    pub(super) fn held_out_score(&self, turn: u64) -> Result<Option<f32>> {
        let Some(held) = &self.held_out else { return Ok(None) };
        let packing = self.recipe.train.pac;
        let count = self.recipe.train.batch.min(held.len()) / packing * packing;
        if count == 0 {
            return Ok(None);
        }
        let first = turn as usize % held.len();
        let indices: Vec<usize> = (0..count).map(|i| (first + i) % held.len()).collect();
        let mut values = Vec::new();
        fill(held, &indices, &mut values)?;
        self.range.from_unit(&mut values);
        let shape = held.shape();
        let x = tensor(values, [count, shape.height, shape.width, shape.channels], &self.device);
        let y = self
            .conditions
            .as_ref()
            .map(|conditions| tensor(conditions.rows(held, &indices), [count, 1, 1, conditions.width()], &self.device));
        let seen = self.discriminator_input(x, "held-out", turn);
        let mut pass = self.discriminator.training_pass(turn * 2).given(y);
        let scores =
            host(&Scores::of(self.discriminator.net.apply_to_logits(&self.discriminator.weights, seen, &mut pass)));
        Ok(Some(scores.iter().sum::<f32>() / scores.len().max(1) as f32))
    }
}
