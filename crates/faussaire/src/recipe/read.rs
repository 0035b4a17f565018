//! Reading recipes from text, or from another recipe with changes, and writing them as text. All recipes pass the same
//! checks.

use std::path::Path;

use serde::Serialize;

use super::settings::ROOT;
use super::{Recipe, change, table, text};
use crate::error::{Error, Result};

impl Recipe {
    /// Reads a recipe's text and applies `key=value` changes to it; `origin` names it in errors.
    ///
    /// ```
    /// use faussaire::{Preset, Recipe};
    ///
    /// # fn main() -> faussaire::Result<()> {
    /// let recipe = Recipe::parse(Preset::Ring.text(), "ring", &["train.batch=16".into()])?;
    /// assert_eq!(recipe.train.batch, 16);
    /// let error = Recipe::parse("latent = 0", "mine", &[]).unwrap_err();
    /// println!("{error}; {}", error.hint());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Text that isn't TOML, an unknown key, a value of the wrong kind or out of range.
    pub fn parse(text: &str, origin: &str, changes: &[String]) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            Error::recipe(
                format!("{origin} can't be read as a recipe: {}", readable(e.to_string().trim_end())),
                text::remedy(text, e.span()),
            )
        })?;
        Self::from_table(table, changes).map_err(|error| from(origin, error))
    }

    /// Reads a recipe file.
    ///
    /// # Errors
    /// As [`Self::parse`], or a file that can't be read.
    pub fn read(path: &Path, changes: &[String]) -> Result<Self> {
        let text = text::read(path)?;
        Self::parse(&text, &path.display().to_string(), changes)
    }

    /// Reads the recipe in a run's folder, to which others may write.
    ///
    /// # Errors
    /// As [`Self::read`], or anything but a regular file.
    pub(crate) fn read_plain(path: &Path) -> Result<Self> {
        let text = text::read_plain(path)?;
        Self::parse(&text, &path.display().to_string(), &[])
    }

    /// The recipe with `key=value` changes, such as those in the log of a run.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn changed(&self, changes: &[String]) -> Result<Self> {
        Self::from_table(self.to_table()?, changes)
    }

    /// The recipe as TOML with every key.
    ///
    /// # Errors
    /// Never for a recipe that [`validate`](Self::validate) accepts.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| self.unwritable(&e))
    }

    /// A recipe from a table with changes, checked.
    fn from_table(mut table: toml::Table, changes: &[String]) -> Result<Self> {
        change::rename(ROOT, "", &mut table)?;
        for change in changes {
            change::apply(&mut table, change)?;
        }
        table::check(ROOT, "", &json(&table)?)?;
        let recipe = Self::from_checked(table)?;
        recipe.validate()?;
        Ok(recipe)
    }

    pub(super) fn from_checked(table: toml::Table) -> Result<Self> {
        let refused = |e: toml::de::Error| Error::recipe(readable(&e.to_string()), "docs/recipes.md lists all keys");
        table.try_into().map_err(refused)
    }

    pub(super) fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|e| self.unwritable(&e))
    }

    /// Why the recipe can't be written: a number that TOML can't represent is also out of its key's range.
    fn unwritable(&self, why: &dyn std::fmt::Display) -> Error {
        let plain = || Error::recipe(format!("the recipe can't be written as TOML: {why}"), "report this");
        self.validate().err().unwrap_or_else(plain)
    }
}

/// `value` as JSON, in which NaN and infinity are null.
pub(super) fn json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value)
        .map_err(|e| Error::recipe(format!("the recipe can't be written as JSON: {e}"), "report this"))
}

/// An error of the TOML reader, which quotes a line of the text: of a long one, the beginning.
fn readable(error: &str) -> String {
    const MAX_CHARS: usize = 200;
    let cut = |line: &str| line.chars().take(MAX_CHARS).collect::<String>();
    error.trim_end().lines().map(cut).collect::<Vec<_>>().join("\n")
}

/// `error`, with the name of the recipe.
fn from(origin: &str, error: Error) -> Error {
    match error {
        Error::Recipe { what, hint } => Error::Recipe { what: format!("{origin}: {what}"), hint },
        other => other,
    }
}
