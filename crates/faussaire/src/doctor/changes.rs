//! The changes of remedies so far, so that no later one undoes them: a rate that was to be lowered is not raised again.

use crate::recipe::{Recipe, values};

/// Changes to recipes, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Vec<Change>);

#[derive(Clone, Debug, PartialEq)]
struct Change {
    key: String,
    was: String,
    is: String,
}

impl Changes {
    /// Adds the changes `set` to `recipe`.
    pub fn add(&mut self, recipe: &Recipe, set: &[String]) {
        self.0.extend(changes(recipe, set));
    }

    /// Whether the changes `set` to `recipe` undo one of these: the same key in the other direction, or back to what it was.
    pub fn are_undone(&self, recipe: &Recipe, set: &[String]) -> bool {
        changes(recipe, set).iter().any(|new| {
            self.0.iter().filter(|old| old.key == new.key).any(|old| match (old.rise(), new.rise()) {
                (Some(before), Some(now)) => before * now < 0.0,
                _ => new.is == old.was,
            })
        })
    }
}

impl Change {
    /// By how much the number rises; none for other values.
    fn rise(&self) -> Option<f64> {
        let number = |text: &str| text.parse::<f64>().ok();
        Some(number(&self.is)? - number(&self.was)?)
    }
}

fn changes(recipe: &Recipe, set: &[String]) -> Vec<Change> {
    let known = values(recipe).unwrap_or_default();
    let change = |change: &String| {
        let (key, is) = change.split_once('=')?;
        let was = known.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        Some(Change { key: key.into(), was: was.into(), is: is.into() })
    };
    set.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    #[test]
    fn a_change_back_is_told_from_another_one() {
        let recipe = Preset::Quick.recipe().unwrap();
        let set = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let mut changes = Changes::default();
        changes
            .add(&recipe, &set("discriminator.adam.learning_rate=1e-4 train.joint_batch=false train.penalties.r1=1"));
        let undone = |text: &str| changes.are_undone(&recipe, &set(text));
        assert!(undone("discriminator.adam.learning_rate=1e-3") && !undone("discriminator.adam.learning_rate=2e-4"));
        assert!(!undone("generator.adam.learning_rate=1"));
        assert!(undone("train.joint_batch=auto") && !undone("train.joint_batch=true"));
        assert!(undone("train.noise=0.1 discriminator.adam.learning_rate=1") && !undone("train.penalties.r1=2"));
    }
}
