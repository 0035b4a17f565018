//! The keys of recipes as a list, for help, docs/recipes.md, the JSON schema and the studio.

use std::sync::LazyLock;

use super::settings::ROOT;
use super::table::{self, Entry, Line};
use super::{Kind, Recipe, read};
use crate::error::{Error, Result};

/// A key of recipes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Key {
    /// Dotted: `train.batch`.
    pub name: String,
    /// Another name that is read: a former one, which older recipes use, or Keras's.
    pub old: Option<String>,
    /// More names that are read: those of other libraries.
    pub others: Vec<String>,
    /// Its meaning, a sentence without a full stop.
    pub doc: String,
    /// The values that it accepts.
    pub kind: Kind,
    /// Its default, in the form of `key=value` changes; none if it is required or has no default value.
    pub default: Option<String>,
    /// Whether every recipe must give it.
    pub required: bool,
}

impl Key {
    /// All keys, in the order of a recipe.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Key>> = LazyLock::new(|| {
            // Only the required keys are given here.
            let defaults = read::json(&Recipe::new(1, [""; 0], [""; 0])).unwrap_or_default();
            let mut keys = Vec::new();
            collect(ROOT, ["", ""], &defaults, &mut keys);
            keys
        });
        &ALL
    }

    /// Its name, and all others that are read.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.old.as_deref()).chain(self.others.iter().map(String::as_str))
    }

    /// The key that somebody probably means who writes `name`: one that is called so, or nearly so, as a whole or by its
    /// last part.
    ///
    /// ```
    /// use faussaire::recipe::Key;
    ///
    /// assert_eq!(Key::meant("lr").map(|key| key.name.as_str()), Some("generator.adam.learning_rate"));
    /// assert_eq!(Key::meant("colour of the sky"), None);
    /// ```
    pub fn meant(name: &str) -> Option<&'static Self> {
        Self::find(name).ok().or_else(|| Self::find(table::meant_key(name)?).ok())
    }

    /// The key called `name`, now or formerly.
    ///
    /// # Errors
    /// An unknown key; the error suggests one with a similar name.
    pub fn find(name: &str) -> Result<&'static Self> {
        let path = table::find(name)?.0.join(".");
        Self::all()
            .iter()
            .find(|key| key.name == path)
            .ok_or_else(|| Error::recipe(format!("`{name}` is a group of keys"), "name one of its keys"))
    }

    /// The present name of `name`, a key or a group of keys, which may be a former one.
    ///
    /// # Errors
    /// As [`Self::find`], but for groups.
    pub fn path(name: &str) -> Result<String> {
        Ok(table::find(name)?.0.join("."))
    }
}

/// Collects the keys of `lines`, the group `at`, formerly called `old`, with their `defaults`.
fn collect(lines: &'static [Line], [at, old]: [&str; 2], defaults: &serde_json::Value, keys: &mut Vec<Key>) {
    for line in lines {
        let name = table::dotted(at, line.name);
        let earlier = table::dotted(old, line.old.unwrap_or(line.name));
        let default = defaults.get(line.name);
        match line.entry {
            Entry::Group(inner) => collect(inner, [&name, &earlier], default.unwrap_or(&serde_json::Value::Null), keys),
            Entry::Key { kind, required } => keys.push(Key {
                old: (earlier != name).then_some(earlier),
                others: line.others.iter().map(|other| table::dotted(at, other)).collect(),
                doc: sentence(line.doc),
                kind,
                default: default.filter(|_| !required).map(text),
                required,
                name,
            }),
        }
    }
}

/// A doc comment without its leading space and its full stop.
fn sentence(doc: &str) -> String {
    doc.trim().trim_end_matches('.').to_owned()
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The keys of `recipe` with their values, in the form of `key=value` changes.
///
/// # Errors
/// Never for a recipe that was parsed.
pub fn values(recipe: &Recipe) -> Result<Vec<(String, String)>> {
    let mut rows = Vec::new();
    flatten("", &recipe.to_table()?, &mut rows);
    Ok(rows)
}

fn flatten(prefix: &str, table: &toml::Table, rows: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = table::dotted(prefix, key);
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, rows),
            toml::Value::String(text) => rows.push((name, text.clone())),
            other => rows.push((name, other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::recipe::Preset;

    fn tp(changes: &[String]) -> Result<Recipe> {
        Recipe::parse(Preset::Tp.text(), "tp", changes)
    }

    #[test]
    fn every_field_of_a_recipe_is_in_the_table_and_nothing_else() {
        let penalties = ["r1", "r2", "wgan-gp", "dragan"].map(|kind| format!("train.penalties.{kind}=1.0"));
        let written = values(&tp(&penalties).unwrap()).unwrap();
        let written: BTreeSet<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        let known: BTreeSet<&str> = Key::all().iter().map(|key| key.name.as_str()).collect();
        assert_eq!(known, written);
        assert_eq!(known.len(), Key::all().len());
    }

    #[test]
    fn every_key_says_what_it_means_in_a_sentence_and_keeps_its_own_range() {
        for key in Key::all() {
            let sentences = key.doc.replace("et al. ", "et al ");
            assert!(key.doc.starts_with(char::is_uppercase) && !sentences.contains(". "), "{}: {}", key.name, key.doc);
            assert!(!key.doc.contains("  ") && !key.doc.ends_with('.'), "{}: {}", key.name, key.doc);
            let Some(default) = &key.default else { continue };
            assert_eq!(tp(&[format!("{}={default}", key.name)]).map(|_| ()).map_err(|e| e.to_string()), Ok(()));
        }
    }

    #[test]
    fn values_and_choices_can_be_set() {
        let preset = tp(&[]).unwrap();
        let all: Vec<String> =
            values(&preset).unwrap().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(tp(&all).unwrap(), preset);
        for key in Key::all() {
            let Kind::Choice(words) = key.kind else { continue };
            assert!(key.default.as_ref().is_none_or(|word| words.contains(&word.as_str())), "{}", key.name);
            for word in words {
                // Some words require other keys; all must be known to the type that they are read into.
                let outcome = tp(&[format!("{}={word}", key.name)]);
                assert!(!outcome.is_err_and(|e| e.to_string().contains("unknown variant")), "{}={word}", key.name);
            }
            let message = tp(&[format!("{}=no-such-word", key.name)]).unwrap_err().to_string();
            assert!(words.iter().all(|word| message.contains(&format!("`{word}`"))), "{}: {message}", key.name);
        }
        for kind in ["colour", "translation", "cutout"] {
            tp(&[format!("train.augment.kinds=[\"{kind}\"]")]).unwrap();
        }
    }

    #[test]
    fn keys_are_found_by_either_name() {
        for key in Key::all() {
            assert_eq!(Key::find(&key.name).unwrap(), key);
            assert!(key.names().all(|name| Key::find(name).unwrap() == key), "{}", key.name);
        }
        assert_eq!(Key::path("train.penalties").unwrap(), "train.penalties");
        assert!(Key::all().iter().all(|key| Key::path(key.old.as_ref().unwrap_or(&key.name)).unwrap() == key.name));
        for (wrong, said) in [("train.bacth", "did you mean `train.batch`"), ("train", "group"), ("", "no recipe key")]
        {
            assert!(Key::find(wrong).unwrap_err().to_string().contains(said), "{wrong}");
        }
    }
}
