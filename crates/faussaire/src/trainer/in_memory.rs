//! Trainings in memory: the weights they begin with, the checkpoint they go on from, the folder they are saved to.

use std::path::Path;

use super::resume::resumed_recipe;
use super::{Data, Options, Trainer};
use crate::Model;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::{self, Run};
use crate::train::{Gan, Limits};

impl Trainer {
    /// The same training that begins with the weights of these models, in the place of those that the recipe's seed gives. The
    /// recipe doesn't know them: only this program can repeat the training.
    ///
    /// # Errors
    /// A training that has begun, or models with other layers.
    pub fn beginning_with(mut self, generator: Option<&Model>, discriminator: Option<&Model>) -> Result<Self> {
        if self.gan.progress.step > 0 {
            return Err(Error::usage(
                format!("the training has made {} steps", self.gan.progress.step),
                "give the weights that it begins with before its first step",
            ));
        }
        let of = |given: Option<&Model>, own: &Model| {
            given.map(|given| own.net.weights(given.weights.tensors().to_vec())).transpose()
        };
        let (g, d) = (of(generator, &self.gan.generator)?, of(discriminator, &self.gan.discriminator)?);
        self.gan.replace_weights(g, d);
        Ok(self)
    }

    /// A training in memory that goes on from the checkpoint called `name` of `run`, which stays as it is.
    ///
    /// # Errors
    /// A checkpoint that is missing or damaged, or other data than it was trained on.
    pub fn from_checkpoint(run: &Run, name: &str, data: impl Into<Data>, options: &Options) -> Result<Self> {
        let data = data.into();
        let mut gan = Gan::new(resumed_recipe(run, &options.changes)?, data.shared(), &options.device)?;
        let (place, _) = run.find_checkpoint(name)?;
        run::load(&place, &mut gan)?;
        Self::of(gan, &data, options)
    }

    /// Saves the training as it is now, as a run without a log in the folder `path`, which is new, empty, or was saved like this.
    /// A training that has a run folder saves itself there, too.
    ///
    /// # Errors
    /// A folder with anything else in it, or that can't be written to.
    pub fn save(&self, path: &Path) -> Result<Run> {
        let saved = Run::open(path).ok().filter(|run| !run.path().join("events.jsonl").exists());
        let run = match saved {
            Some(run) => {
                run.write_recipe(&self.gan.recipe)?;
                run
            }
            None => Run::create_at(path, &self.gan.recipe)?,
        };
        let _lock = run.lock()?;
        run::save(&run.checkpoint("latest"), &self.gan, 0, None)?;
        Ok(run)
    }

    /// As [`Self::extend`], for `more` than what is trained so far.
    pub fn extend_by(&mut self, more: Limits) {
        let steps = more.total_steps(&self.gan).map_or(0, |steps| self.gan.progress.step.saturating_add(steps));
        self.extend(Limits { epochs: 0, steps, ..more });
    }

    /// The length that the recipe gives.
    pub fn length(&self) -> Limits {
        let train = &self.gan.recipe.train;
        Limits::epochs(train.epochs).with_steps(train.steps)
    }

    /// The recipe as it is trained: with the labels and the source of the data.
    pub fn recipe(&self) -> &Recipe {
        &self.gan.recipe
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Preset;
    use crate::net::Weights;
    use crate::ops::host;

    fn ring() -> (Recipe, Data) {
        let recipe = Preset::Ring.recipe().unwrap().batch(8);
        let data = Data::open(&recipe, &mut |_| ()).unwrap();
        (recipe, data)
    }

    fn steps(steps: u64) -> Options {
        Options::default().limits(Limits::steps(steps))
    }

    fn run_through(mut trainer: Trainer) -> Trainer {
        trainer.run(|_, _| Ok(Default::default())).unwrap();
        trainer
    }

    fn weights(model: &Model) -> Vec<Vec<f32>> {
        model.weights.tensors().iter().map(host).collect()
    }

    #[test]
    fn a_saved_training_goes_on_bit_for_bit_in_memory_and_in_its_folder() {
        let (recipe, data) = ring();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        let whole = run_through(Trainer::new(recipe.clone(), data.clone(), &steps(6)).unwrap());
        let half = run_through(Trainer::new(recipe, data.clone(), &steps(2)).unwrap());
        half.save(&path).unwrap();
        let half = run_through(
            Trainer::from_checkpoint(&half.save(&path).unwrap(), "latest", data.clone(), &steps(4)).unwrap(),
        );
        let run = half.save(&path).unwrap();
        let memory = run_through(Trainer::from_checkpoint(&run, "latest", data.clone(), &steps(6)).unwrap());
        let resumed = run_through(Trainer::resume(run, data, &steps(6)).unwrap());
        for trainer in [&memory, &resumed] {
            assert!(weights(&trainer.gan().generator) == weights(&whole.gan().generator));
        }
        assert!(weights(&half.gan().generator) != weights(&whole.gan().generator));
        let mut half = half;
        half.extend_by(Limits::steps(2));
        assert_eq!(half.limits(), Limits::steps(6));
        // The folder now has a log, which a save would not know.
        assert!(memory.save(&path).unwrap_err().to_string().contains("not empty"));
    }

    #[test]
    fn a_training_begins_with_the_weights_that_it_is_given() {
        let (recipe, data) = ring();
        let trainer = || Trainer::new(recipe.clone(), data.clone(), &steps(2)).unwrap();
        let mut other = trainer().gan().generator.clone();
        other.weights = other.net.initial(9, &other.device());
        let given = trainer().beginning_with(Some(&other), None).unwrap();
        assert!(weights(&given.gan().generator) == weights(&other));
        assert!(weights(&given.gan().discriminator) == weights(&trainer().gan().discriminator));
        assert!(given.gan().averaged().tensors().iter().map(host).eq(weights(&other)));
        other.weights = Weights::new(Vec::new());
        assert!(trainer().beginning_with(Some(&other), None).is_err());
        assert!(run_through(trainer()).beginning_with(None, None).unwrap_err().to_string().contains("made 2 steps"));
    }
}
