//! The preset `auto` for the data set that a recipe names: it is opened, examined, and opened again as it is to be read.

use super::Data;
use crate::data::{self, ImageShape};
use crate::error::Result;
use crate::recipe::{Auto, Recipe, auto_length, auto_reading};

impl Recipe {
    /// A recipe made by rule for the images that `changes` name, as `key=value` (`data.source`, `data.size`, ...); `changes`
    /// also win over the rule. Missing files of a named data set are downloaded, with reports to `progress`.
    ///
    /// # Errors
    /// As [`Data::open`] and [`Recipe::for_images`]; changes that can't be made.
    pub fn for_data(changes: &[String], progress: &mut dyn FnMut(data::Progress)) -> Result<Auto> {
        // Any shape will do to read the changes; only the keys of the data are used.
        let any = Self::for_images(ImageShape { height: 32, width: 32, channels: 3 }, 60_000)?.recipe;
        let mut asked = any.changed(changes)?;
        // Images of several sizes can be opened in one size only; the sample shows what they are.
        let mut data = match Data::open(&asked, progress) {
            Err(error) if data::folder::is_of_sizes(&error) => {
                Data::open(&asked.changed(&["data.size=64".to_owned()])?, progress)?
            }
            opened => opened?,
        };
        let sample = data.set().sample();
        let found = sample.shape.filter(|_| sample.other_sizes > 0).unwrap_or(data.set().shape());
        let reading = auto_reading(found, sample, &asked.data);
        let (mut all, mut reasons): (Vec<String>, Vec<String>) = reading.into_iter().unzip();
        if !all.is_empty() {
            asked = asked.changed(&all)?;
            data = Data::open(&asked, progress)?;
        }
        let count = data.set().len();
        let made = Self::for_images(data.set().shape(), count)?;
        all.extend_from_slice(changes);
        let recipe = made.recipe.changed(&all)?;
        reasons.splice(..0, made.reasons);
        reasons.extend(auto_length(&recipe, count));
        Ok(Auto { recipe, unchanged: made.unchanged, reasons })
    }
}
