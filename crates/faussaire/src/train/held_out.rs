//! Held-out images (`train.held_out`): D is never trained on them, so the difference between their scores and those of
//! training images measures how much it has memorised.

use std::sync::Arc;

use super::Gan;
use super::slices::Part;
use crate::data::{Dataset, Subset, fill};
use crate::error::Result;
use crate::loss::Scores;
use crate::ops::host;
use crate::ops::tensor;
use crate::recipe::Recipe;

/// The training images and the held-out ones of `full_dataset`, as `recipe` says.
pub fn split_held_out(recipe: &Recipe, full_dataset: &Arc<dyn Dataset>) -> (Arc<dyn Dataset>, Option<Subset>) {
    let share = recipe.train.held_out;
    if share == 0.0 || full_dataset.len() < 2 {
        return (Arc::clone(full_dataset), None);
    }
    let [train, held_out] = Subset::split_held_out(full_dataset, share, recipe.train.seed);
    (Arc::new(train), Some(held_out))
}

impl Gan {
    /// D's mean score of a batch of held-out images, augmented like those of its update `turn`; none without such
    /// images.
    pub(super) fn held_out_score(&self, turn: u64) -> Result<Option<f32>> {
        let Some(held_out) = &self.held_out else { return Ok(None) };
        let packing = self.recipe.train.pac;
        let count = self.recipe.train.batch.min(held_out.len()) / packing * packing;
        if count == 0 {
            return Ok(None);
        }
        let first = turn as usize % held_out.len();
        let indices: Vec<usize> = (0..count).map(|i| (first + i) % held_out.len()).collect();
        let mut values = Vec::new();
        fill(held_out, &indices, &mut values)?;
        self.range.from_unit(&mut values);
        let shape = held_out.shape();
        let x = tensor(values, [count, shape.height, shape.width, shape.channels], &self.device);
        let y = self.conditions.as_ref().map(|conditions| {
            tensor(conditions.rows(held_out, &indices), [count, 1, 1, conditions.width()], &self.device)
        });
        let input = self.discriminator_input(x, "held-out", turn, &Part::whole());
        let mut pass = self.discriminator.training_pass(turn * 2).given(y);
        let scores =
            host(&Scores::of(self.discriminator.net.apply_to_logits(&self.discriminator.weights, input, &mut pass)));
        Ok(Some(scores.iter().sum::<f32>() / scores.len().max(1) as f32))
    }
}
