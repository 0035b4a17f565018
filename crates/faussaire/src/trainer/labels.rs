//! The labels of a conditional recipe, filled in from the data.

use crate::data::Dataset;
use crate::data::LabelKind;
use crate::data::LabelSettings;
use crate::error::Result;
use crate::recipe::{Conditional, Recipe};

/// `recipe` with the labels of `dataset`, if its nets are conditional: made so by `how`, or as written. With
/// `new_classes`, a recipe that was written for other classes gets those of `dataset`.
///
/// # Errors
/// Labels that the data don't have, or nets that can't be made conditional.
pub(super) fn filled_in(
    mut recipe: Recipe,
    dataset: &dyn Dataset,
    how: Option<Conditional>,
    new_classes: bool,
) -> Result<Recipe> {
    if let Some(how) = how {
        let labels = match recipe.labels.names.is_empty() {
            true => LabelSettings::of(dataset)?,
            false => recipe.labels.clone().counted(dataset)?,
        };
        return recipe.conditioned(labels, how);
    }
    if recipe.labels.names.is_empty() {
        return Ok(recipe);
    }
    let new = new_classes && recipe.labels.kind == LabelKind::Classes;
    recipe.labels = if new { LabelSettings::of(dataset)? } else { recipe.labels.counted(dataset)? };
    Ok(recipe)
}
