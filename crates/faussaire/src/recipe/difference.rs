//! The differences between two recipes, by key: a run can be resumed only with the recipe that it was started with.

use super::Recipe;
use crate::error::Result;

/// A key whose value differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Dotted key: `train.batch`.
    pub key: String,
    /// Its value in the first recipe; empty if it has none.
    pub was: String,
    /// Its value in the second.
    pub is: String,
}

/// Keys that may change on resume: the length of the training, intervals of sheets and checkpoints, healing, and the
/// location of the data, whose content is compared separately.
const CHANGEABLE: [&str; 8] = [
    "data.source",
    "data.dir",
    "train.epochs",
    "train.steps",
    "train.sheet_every",
    "train.keep_every",
    "train.save_every",
    "train.heal",
];

/// The keys that differ and affect the training.
///
/// # Errors
/// Never for recipes that were parsed.
pub fn differences(was: &Recipe, is: &Recipe) -> Result<Vec<Difference>> {
    let flat = |recipe: &Recipe| -> Result<Vec<(String, String)>> {
        let mut rows = Vec::new();
        flatten("", &toml::Value::Table(recipe.to_table()?), &mut rows);
        Ok(rows)
    };
    let (was, is) = (flat(was)?, flat(is)?);
    let find = |rows: &[(String, String)], key: &str| {
        rows.iter().find(|(k, _)| k == key).map_or(String::new(), |(_, v)| v.clone())
    };
    let mut keys: Vec<&String> = was.iter().chain(&is).map(|(k, _)| k).collect();
    keys.dedup();
    let mut found: Vec<Difference> = Vec::new();
    for key in keys {
        let (a, b) = (find(&was, key), find(&is, key));
        if a != b && !CHANGEABLE.contains(&key.as_str()) && !found.iter().any(|d| d.key == *key) {
            found.push(Difference { key: key.clone(), was: a, is: b });
        }
    }
    Ok(found)
}

fn flatten(prefix: &str, value: &toml::Value, rows: &mut Vec<(String, String)>) {
    let join = |key: &str| if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(k, v)| flatten(&join(k), v, rows)),
        toml::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| flatten(&join(&i.to_string()), v, rows));
        }
        other => rows.push((prefix.to_string(), other.to_string())),
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |v: &str| if v.is_empty() { "(none)".to_string() } else { v.to_string() };
        write!(f, "{}: {} -> {}", self.key, text(&self.was), text(&self.is))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    #[test]
    fn names_what_differs_and_lets_lengths_change() {
        let read = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            Recipe::parse(Preset::Tp.text(), "tp", &changes).unwrap()
        };
        let was = read(&[]);
        assert_eq!(differences(&was, &read(&["train.epochs=77", "train.sheet_every=3"])).unwrap(), []);
        let found = differences(&was, &read(&["train.batch=7", "generator.layers=[\"dense 784\"]"])).unwrap();
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(text.contains(&"train.batch: 64 -> 7".to_string()), "{text:?}");
        assert!(text.iter().any(|t| t.starts_with("generator.layers.0: \"dense 14*14*128\" -> \"dense 784\"")));
        assert!(text.iter().any(|t| t.ends_with("-> (none)")));
    }
}
