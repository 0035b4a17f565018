//! Changes to single keys of a recipe's table before it is read: `key=value` as text, and former names of keys.

use super::table::{self, Entry, Kind, Line};
use crate::error::{Error, Result};

/// Sets a key of `table`, which has the keys' current names, from `key=value`.
pub(super) fn apply(table: &mut toml::Table, change: &str) -> Result<()> {
    let (key, value) = change.split_once('=').ok_or_else(|| {
        let what = format!("{:?}: expected key=value", table::shortened(change));
        Error::recipe(what, "for example train.batch=32")
    })?;
    let (path, line) = table::find(key.trim())?;
    let mut value = read(value.trim(), line.entry);
    if let (Entry::Group(inner), Some(group)) = (line.entry, value.as_table_mut()) {
        rename(inner, &path.join("."), group)?;
    }
    insert(table, &path, value)
}

/// Inserts `value` at `path`.
pub(super) fn insert(table: &mut toml::Table, path: &[&str], value: toml::Value) -> Result<()> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut place = table;
    for (depth, parent) in parents.iter().enumerate() {
        let entry = place.entry(*parent).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry
            .as_table_mut()
            .ok_or_else(|| table::bad_value(&parents[..=depth].join("."), "expected a group of keys, got a value"))?;
    }
    place.insert((*last).into(), value);
    Ok(())
}

/// Reads numbers, booleans, lists and quoted text as TOML; anything else is text, and so is every value of a text key.
fn read(text: &str, entry: Entry) -> toml::Value {
    let plain = || toml::Value::String(text.into());
    let value = format!("v = {text}").parse::<toml::Table>().ok().filter(|table| table.len() == 1);
    let value = value.and_then(|mut table| table.remove("v")).unwrap_or_else(plain);
    match entry {
        Entry::Key { kind: Kind::Text | Kind::Choice(_), .. } if !value.is_str() => plain(),
        _ => value,
    }
}

/// Renames the keys of the group `at` to their current names.
pub(super) fn rename(lines: &'static [Line], at: &str, table: &mut toml::Table) -> Result<()> {
    for line in lines {
        if let Some(old) = line.old
            && let Some(value) = table.remove(old)
            && table.insert(line.name.into(), value).is_some()
        {
            let (old, new) = (table::dotted(at, old), table::dotted(at, line.name));
            return Err(table::bad_value(
                &new,
                format_args!("it is given twice, also as `{old}`; expected one of them"),
            ));
        }
        if let (Entry::Group(inner), Some(group)) =
            (line.entry, table.get_mut(line.name).and_then(toml::Value::as_table_mut))
        {
            rename(inner, &table::dotted(at, line.name), group)?;
        }
    }
    Ok(())
}
