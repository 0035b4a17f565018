//! `--set key=value`: a change to a recipe's table before it is read.

use crate::error::{Error, Result};

/// Sets a dotted key of `table` from `key=value`.
pub(super) fn apply(table: &mut toml::Table, change: &str) -> Result<()> {
    let malformed = || Error::recipe(format!("--set {change}: expected key=value"), "for example --set train.batch=32");
    let (key, value) = change.split_once('=').ok_or_else(malformed)?;
    let path: Vec<&str> = key.trim().split('.').collect();
    let Some((last, parents)) = path.split_last().filter(|(last, _)| !last.is_empty()) else {
        return Err(malformed());
    };
    let mut place = table;
    for parent in parents {
        let entry = place.entry(*parent).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry.as_table_mut().ok_or_else(|| {
            Error::recipe(format!("--set {change}: `{parent}` is a value, not a group of keys"), "check the key")
        })?;
    }
    // Numbers, booleans, lists and quoted text as in TOML; anything else is taken as text.
    let value = format!("v = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.trim().into()));
    place.insert((*last).into(), value);
    Ok(())
}
