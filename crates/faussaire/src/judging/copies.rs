//! Memorisation: compares generated images with the run's training images and with real images that it was not trained
//! on.

use std::sync::Arc;

use super::{Options, Progress, Reference};
use crate::data::{Dataset, Mirrored, OpenOptions, Subset};
use crate::error::Result;
use crate::metrics::{self, Judgement, NearestTraining};
use crate::recipe::Recipe;
use crate::train::split_held_out;

/// The training images of a run, and real images that it was not trained on.
pub(super) struct CopyCheck {
    /// With their mirror images, if it was trained on those too.
    train: Arc<dyn Dataset>,
    /// Number of training images without mirror images.
    originals: usize,
    held_out: Option<Arc<dyn Dataset>>,
}

impl CopyCheck {
    /// The training images of the run with `recipe`: those of `reference`, unless the images are judged against other
    /// data.
    pub fn of(
        recipe: Option<&Recipe>,
        reference: Reference,
        options: &Options,
        open: &OpenOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let Some(recipe) = recipe else {
            let (train, held_out) = (Arc::clone(&reference.train), reference.test_images().cloned());
            return Ok(Self { originals: train.len(), train, held_out });
        };
        let others = options.against.is_some() && options.reference.is_none();
        let data = if others { Reference::open(&recipe.data.source, open, progress)? } else { reference };
        Ok(Self::from(recipe, data))
    }

    /// The images of `data` that a run was trained on, and those that it was not: held out by its recipe, else the test
    /// images.
    fn from(recipe: &Recipe, data: Reference) -> Self {
        let test = data.test_images().cloned();
        let mut train = data.train;
        // A run that was trained on the first images only can't have copied the others.
        let count = recipe.data.count;
        if count > 0 {
            train = Arc::new(Subset::filter(&train, |index| index < count));
        }
        let (mut train, held_out) = split_held_out(recipe, &train);
        let originals = train.len();
        if recipe.data.mirror {
            train = Arc::new(Mirrored::over(train));
        }
        Self { train, originals, held_out: held_out.map(|set| Arc::new(set) as Arc<dyn Dataset>).or(test) }
    }

    /// Looks for copies among `images`, described by `of`, adds the result to `judgement`, and returns the page that shows them.
    pub fn compare(&self, (of, images): (&str, &[f32]), seed: u64, judgement: &mut Judgement) -> Result<String> {
        let learned = metrics::TrainingImages { train: self.train.as_ref(), held_out: self.held_out.as_deref() };
        let sheet = NearestTraining::new(learned, images, seed)?;
        let page = crate::report::neighbours(&sheet, of, (learned.train, self.originals), images)?;
        judgement.scores.push(sheet.score);
        judgement.copies = Some(sheet.memorization);
        Ok(page)
    }
}
