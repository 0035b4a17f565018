//! Changes to single keys of a recipe's table before it is read: `key=value` as text, and former names of keys.

use super::table::{self, Entry, Kind, Line};
use crate::error::{Error, Result};

/// Sets a key of `table`, which has the keys' current names, from `key=value`.
pub(super) fn apply(table: &mut toml::Table, change: &str) -> Result<()> {
    let (key, value) = change.split_once('=').ok_or_else(|| {
        let what = format!("{:?}: expected key=value", table::shortened(change));
        Error::recipe(what, "for example train.batch=32")
    })?;
    if let Some(group) = key.trim().strip_suffix(BETAS) {
        return pair(key.trim(), value.trim())?
            .iter()
            .zip(BETA)
            .try_for_each(|(beta, name)| apply(table, &format!("{group}{name}={beta}")));
    }
    let (path, line) = table::find(key.trim())?;
    let mut value = read(value.trim(), line.entry);
    if let (Entry::Group(inner), Some(group)) = (line.entry, value.as_table_mut()) {
        rename(inner, &path.join("."), group)?;
    }
    respell(line, &mut value);
    insert(table, &path, value)
}

/// PyTorch's name for both moments' decays together, `betas = [0.5, 0.999]`, and ours for each.
const BETAS: &str = "betas";
const BETA: [&str; 2] = ["beta1", "beta2"];

/// The two numbers of `[0.5, 0.999]` or `(0.5, 0.999)`.
fn pair(key: &str, value: &str) -> Result<[f64; 2]> {
    let inside = value.trim_matches(['(', ')', '[', ']', ' ']);
    let numbers: Option<Vec<f64>> = inside.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some([one, other]) => Ok([*one, *other]),
        _ => Err(table::bad_value(key, format_args!("expected two numbers like [0.5, 0.999], got {value}"))),
    }
}

/// Other words of a choice become its own.
pub(super) fn respell(line: &Line, value: &mut toml::Value) {
    if let Some(word) = value.as_str().and_then(|text| line.word(text)) {
        *value = word.into();
    }
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

/// Reads numbers, booleans, lists and quoted text as TOML; anything else is text, and so is every value of a text key
/// or a size.
fn read(text: &str, entry: Entry) -> toml::Value {
    let plain = || toml::Value::String(text.into());
    let value = format!("v = {text}").parse::<toml::Table>().ok().filter(|table| table.len() == 1);
    let value = value.and_then(|mut table| table.remove("v")).unwrap_or_else(plain);
    match entry {
        // A size such as 0x48 would be a hexadecimal number.
        Entry::Key { kind: Kind::Text | Kind::Choice(_) | Kind::Size, .. } if !value.is_str() => plain(),
        _ => value,
    }
}

/// Renames the keys of the group `at` to their current names.
pub(super) fn rename(lines: &'static [Line], at: &str, table: &mut toml::Table) -> Result<()> {
    let has_betas = BETA.iter().all(|name| lines.iter().any(|line| line.name == *name));
    if let Some(both) = has_betas.then(|| table.remove(BETAS)).flatten() {
        let key = table::dotted(at, BETAS);
        for (name, beta) in BETA.into_iter().zip(pair(&key, &both.to_string())?) {
            given_once(table, at, (BETAS, name), beta.into())?;
        }
    }
    for line in lines {
        for other in line.other_names() {
            if let Some(value) = table.remove(other) {
                given_once(table, at, (other, line.name), value)?;
            }
        }
        if let Some(value) = table.get_mut(line.name) {
            respell(line, value);
        }
        if let (Entry::Group(inner), Some(group)) =
            (line.entry, table.get_mut(line.name).and_then(toml::Value::as_table_mut))
        {
            rename(inner, &table::dotted(at, line.name), group)?;
        }
    }
    Ok(())
}

/// Inserts the value that was given as `other` under `name`, which must not be given too.
fn given_once(table: &mut toml::Table, at: &str, (other, name): (&str, &str), value: toml::Value) -> Result<()> {
    if table.insert(name.into(), value).is_none() {
        return Ok(());
    }
    let (other, name) = (table::dotted(at, other), table::dotted(at, name));
    Err(table::bad_value(&name, format_args!("it is given twice, also as `{other}`; expected one of them")))
}

/// Changes as flags of a command: `--set train.batch=32`, quoted where a shell would change them.
pub(crate) fn flags(set: &[String]) -> String {
    let quoted = |change: &String| {
        let plain = change.chars().all(|c| c.is_alphanumeric() || "._-=+".contains(c));
        if plain { format!("--set {change}") } else { format!("--set '{}'", change.replace('\'', "'\\''")) }
    };
    set.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_a_shell() {
        let set = ["train.penalties.r1=1", "train.augment.kinds=[\"translation\"]", "a=it's"].map(String::from);
        let expected = "--set train.penalties.r1=1 --set 'train.augment.kinds=[\"translation\"]' --set 'a=it'\\''s'";
        assert_eq!(flags(&set), expected);
    }
}
