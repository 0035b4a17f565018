//! Whether images are copies of those that were learned from: which these are, and which real images were not.

use std::sync::Arc;

use super::samples::Samples;
use super::{Options, Progress, Reference};
use crate::data::{Dataset, OpenOptions, Subset};
use crate::error::Result;
use crate::metrics::{self, Judgement, NearestTraining};
use crate::recipe::Recipe;
use crate::train::split_held_out;

/// What was learned from, and real images that were not.
pub(super) struct CopyCheck {
    train: Arc<dyn Dataset>,
    held_out: Option<Arc<dyn Dataset>>,
}

impl CopyCheck {
    /// What the run with `recipe` learned from: the `reference`, unless the images are judged against others.
    pub fn of(
        recipe: Option<&Recipe>,
        reference: Reference,
        options: &Options,
        open: &OpenOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let Some(recipe) = recipe else {
            return Ok(Self { held_out: reference.test_images().cloned(), train: reference.train });
        };
        let others = options.against.is_some() && options.reference.is_none();
        let data = if others { Reference::open(&recipe.data.source, open, progress)? } else { reference };
        Ok(Self::from(recipe, data))
    }

    /// What a run learned from `data`, and real images that it has not seen: held back by its recipe, else the test part.
    fn from(recipe: &Recipe, data: Reference) -> Self {
        let unseen = data.test_images().cloned();
        let mut train = data.train;
        // A run that learned from the first images only can't have copied the others.
        let count = recipe.data.count;
        if count > 0 {
            train = Arc::new(Subset::filter(&train, |index| index < count));
        }
        let (kept, held) = split_held_out(recipe, &train);
        Self { train: kept, held_out: held.map(|held| Arc::new(held) as Arc<dyn Dataset>).or(unseen) }
    }

    /// Looks for copies among `made`, adds what it finds to `judgement`, and returns the page that shows them.
    pub fn compare(&self, made: &Samples, seed: u64, judgement: &mut Judgement) -> Result<String> {
        let images = &made.generated.images;
        let learned = metrics::TrainingImages { train: self.train.as_ref(), held_out: self.held_out.as_deref() };
        let sheet = NearestTraining::new(learned, images, seed)?;
        let page = crate::report::neighbours(&sheet, &made.of, learned.train, images)?;
        judgement.scores.push(sheet.score);
        judgement.copies = Some(sheet.memorization);
        Ok(page)
    }
}
