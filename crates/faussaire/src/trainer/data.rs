//! The images of a training: those that the recipe names, or the program's own.

use std::sync::Arc;

use crate::data::{self, Dataset, IN_MEMORY, InMemory, OpenOptions, Subset};
use crate::error::Result;
use crate::recipe::{DataSettings, Recipe};

/// Images to train on.
///
/// Images that a program passes (`InMemory`, `Box<dyn Dataset>`, `Arc<dyn Dataset>`) are its own: the run's recipe then
/// has `data.source = "memory:NAME"`, so that no other data can be mistaken for them. [`Data::open`] opens the images
/// that the recipe names.
#[derive(Clone, Debug)]
pub struct Data {
    set: Arc<dyn Dataset>,
    own: bool,
}

impl Data {
    /// Opens the images that `recipe` names (`data.source`, `data.size`, `data.count`, ...). Missing files of a named
    /// data set are downloaded, with reports to `progress`.
    ///
    /// # Errors
    /// As [`data::open`]; a source `memory:NAME` can't be opened.
    pub fn open(recipe: &Recipe, progress: &mut dyn FnMut(data::Progress)) -> Result<Self> {
        let settings = &recipe.data;
        let set = data::open(&settings.source, &recipe.open_options(OpenOptions::default()), progress)?;
        let set = if settings.count > 0 { Subset::first(set, settings.count) } else { set };
        Ok(Self { set: Arc::from(set), own: false })
    }

    /// A program's own images.
    pub fn own(set: impl Dataset + 'static) -> Self {
        Self { set: Arc::new(set), own: true }
    }

    /// Whether they are the program's own.
    pub(crate) fn is_own(&self) -> bool {
        self.own
    }

    /// The images.
    pub fn set(&self) -> &dyn Dataset {
        self.set.as_ref()
    }

    /// The images, shared.
    pub fn shared(&self) -> Arc<dyn Dataset> {
        Arc::clone(&self.set)
    }

    /// `recipe` with these images as its source, if they are the program's own.
    pub(super) fn named_in(&self, mut recipe: Recipe) -> Recipe {
        if self.own {
            let source = format!("{IN_MEMORY}{}", self.set.name());
            recipe.data = DataSettings { source, mirror: recipe.data.mirror, ..DataSettings::default() };
        }
        recipe
    }
}

impl From<Arc<dyn Dataset>> for Data {
    fn from(set: Arc<dyn Dataset>) -> Self {
        Self { set, own: true }
    }
}

impl From<Box<dyn Dataset>> for Data {
    fn from(set: Box<dyn Dataset>) -> Self {
        Self { set: Arc::from(set), own: true }
    }
}

impl From<InMemory> for Data {
    fn from(set: InMemory) -> Self {
        Self::own(set)
    }
}
