//! The types of the table of recipe keys: a line per key with its name, meaning, kind and range. The lines are in
//! `settings.rs`; checks, help, docs/recipes.md, the JSON schema and the studio's form are derived from them.

use std::ops::Bound::{self, Excluded, Included};
use std::ops::RangeBounds;

use serde_json::Value;

use super::ImageSize;
use crate::error::{Error, Result};
use crate::net::summary::grouped;
use crate::registry::PREFIX;

/// The values that a key accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number from `min` to `max`, both included.
    Integer {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// One of these whole numbers.
    OneOf(&'static [u64]),
    /// A finite number between two bounds. Training computes in `f32`, so the value as an `f32` must be within them,
    /// too.
    Number {
        /// The lower bound.
        low: Bound<f64>,
        /// The upper bound.
        high: Bound<f64>,
    },
    /// The size of images ([`ImageSize`]): a number for a square, `"HEIGHTxWIDTH"` for a rectangle.
    Size,
    /// `true` or `false`.
    Switch,
    /// `auto`, `true` or `false`.
    AutoSwitch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A name, a path.
    Text,
    /// A list of such values: `["a", "b"]`.
    List(&'static Kind),
}

/// The word of a switch that is set by the rest of the recipe.
pub(super) const AUTO: &str = "auto";

/// A line of the table: one key, or a group of keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Its name in its group: `batch`.
    pub name: &'static str,
    /// Another name that is read: a former one, which recipes and logs of older runs use, or Keras's.
    pub old: Option<&'static str>,
    /// More names that are read: those of other libraries.
    pub others: &'static [&'static str],
    /// Other words for its values, with the words that they stand for.
    pub synonyms: &'static [(&'static str, &'static str)],
    /// Its meaning, in a sentence.
    pub doc: &'static str,
    /// A key, or the lines of a group.
    pub entry: Entry,
}

/// The content of a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// A key.
    Key {
        /// The values that it accepts.
        kind: Kind,
        /// Whether every recipe must give it.
        required: bool,
    },
    /// A group: `[train]`.
    Group(&'static [Line]),
}

impl Line {
    pub(super) const fn new(name: &'static str, doc: &'static str, entry: Entry) -> Self {
        Self { name, old: None, others: &[], synonyms: &[], doc, entry }
    }

    /// The same line, with a former name.
    pub(super) const fn was(self, old: &'static str) -> Self {
        Self { old: Some(old), ..self }
    }

    /// The same line, with Keras's name.
    pub(super) const fn also(self, keras: &'static str) -> Self {
        Self { old: Some(keras), ..self }
    }

    /// The same line, with more names from other libraries.
    pub(super) const fn reads(self, others: &'static [&'static str]) -> Self {
        Self { others, ..self }
    }

    /// The same line, with other words for its values.
    pub(super) const fn with(self, synonyms: &'static [(&'static str, &'static str)]) -> Self {
        Self { synonyms, ..self }
    }

    /// All other names that are read.
    pub(super) fn other_names(&self) -> impl Iterator<Item = &'static str> {
        self.old.into_iter().chain(self.others.iter().copied())
    }

    /// The word of a choice that `value` is another spelling of: other cases and joints, or a synonym.
    pub(super) fn word(&self, value: &str) -> Option<&'static str> {
        let Entry::Key { kind: Kind::Choice(words), .. } = self.entry else { return None };
        let plain = |text: &str| text.trim().to_lowercase().replace(['_', ' '], "-");
        let wanted = plain(value);
        let own = words.iter().copied().find(|word| plain(word) == wanted);
        own.or_else(|| self.synonyms.iter().find(|(other, _)| plain(other) == wanted).map(|(_, word)| *word))
    }
}

pub(super) const SIZE: Entry = key(Kind::Size);
pub(super) const SWITCH: Entry = key(Kind::Switch);
pub(super) const AUTO_SWITCH: Entry = key(Kind::AutoSwitch);
pub(super) const TEXT: Entry = key(Kind::Text);
pub(super) const TEXTS: Entry = key(Kind::List(&Kind::Text));
/// Any whole number from 0 that TOML can represent.
pub(super) const COUNT: Entry = whole(0, i64::MAX as u64);

const fn key(kind: Kind) -> Entry {
    Entry::Key { kind, required: false }
}

pub(super) const fn whole(min: u64, max: u64) -> Entry {
    key(Kind::Integer { min, max })
}

pub(super) const fn one_of(numbers: &'static [u64]) -> Entry {
    key(Kind::OneOf(numbers))
}

pub(super) const fn number(low: Bound<f64>, high: Bound<f64>) -> Entry {
    key(Kind::Number { low, high })
}

pub(super) const fn choice(words: &'static [&'static str]) -> Entry {
    key(Kind::Choice(words))
}

pub(super) const fn list(item: &'static Kind) -> Entry {
    key(Kind::List(item))
}

/// `entry` as a required one.
pub(super) const fn required(entry: Entry) -> Entry {
    match entry {
        Entry::Key { kind, .. } => Entry::Key { kind, required: true },
        Entry::Group(_) => entry,
    }
}

/// Declares a group of keys in one place: the struct with its fields, their defaults, and the lines of the table. A
/// field's comment is both its rustdoc and its help text.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $group:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(was $old:literal)? $(reads $others:tt)? $(with $synonyms:path)?: $type:ty = $default:expr,
                    $entry:expr;
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[non_exhaustive]
        pub struct $group {
            $(
                $(#[doc = $doc])+
                $(#[serde(alias = $old)])?
                pub $field: $type,
            )+
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $group {
            /// Its lines of the table.
            pub(super) const KEYS: &[Line] = &[
                $(Line::new(stringify!($field), concat!($($doc),+), $entry)
                    $(.was($old))? $(.reads(&$others))? $(.with($synonyms))?,)+
            ];
        }
    };
}
pub(super) use settings;

impl Kind {
    /// The accepted values, as text after "expected".
    pub fn expected(&self) -> String {
        match self {
            Self::Integer { min: 0, max } if *max == i64::MAX as u64 => "a whole number, 0 or more".into(),
            Self::Integer { min, max } => format!("a whole number from {} to {}", grouped(*min), grouped(*max)),
            Self::OneOf(numbers) => one_word_of(numbers.iter().map(u64::to_string)),
            Self::Number { low, high } => {
                let low = bound(low, "from", "above");
                match (low.starts_with("from"), high) {
                    _ if (*high, low.as_str()) == (Bound::Unbounded, "of any size") => "a number".into(),
                    (true, Included(high)) => format!("a number {low} to {}", plain(*high)),
                    _ => format!("a number {low}, {}", bound(high, "at most", "below")),
                }
            }
            Self::Size => {
                let most = grouped(ImageSize::MAX as u64);
                format!("a whole number from 0 to {most}, or HEIGHTxWIDTH such as 48x64")
            }
            Self::Switch => "true or false".into(),
            Self::AutoSwitch => format!("`{AUTO}`, true or false"),
            Self::Choice(words) => one_word_of(words.iter().map(|word| format!("`{word}`"))),
            Self::Text => "a text".into(),
            Self::List(Self::Text) => "a list of texts".into(),
            Self::List(Self::Choice(words)) => {
                format!("a list of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
            }
            Self::List(item) => format!("a list, each {}", item.expected()),
        }
    }

    /// Whether `value` is accepted. NaN and infinity, which JSON lacks, are null.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Integer { min, max } => value.as_u64().is_some_and(|n| (*min..=*max).contains(&n)),
            Self::OneOf(numbers) => value.as_u64().is_some_and(|n| numbers.contains(&n)),
            Self::Number { low, high } => value.as_f64().is_some_and(|x| {
                let computed = f64::from(x as f32);
                [x, computed].iter().all(|x| x.is_finite() && (*low, *high).contains(x))
            }),
            Self::Size => serde_json::from_value::<ImageSize>(value.clone()).is_ok(),
            Self::Switch => value.is_boolean(),
            Self::AutoSwitch => value.is_boolean() || value.as_str() == Some(AUTO),
            // What a program registered is looked up when the recipe is read, and refused there by that reason.
            Self::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word) || word.starts_with(PREFIX)),
            Self::Text => value.is_string(),
            Self::List(item) => value.as_array().is_some_and(|items| items.iter().all(|one| item.accepts(one))),
        }
    }
}

fn one_word_of(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn bound(bound: &Bound<f64>, included: &str, excluded: &str) -> String {
    match bound {
        Included(x) => format!("{included} {}", plain(*x)),
        Excluded(x) => format!("{excluded} {}", plain(*x)),
        Bound::Unbounded => "of any size".into(),
    }
}

/// `0.5`, `10`, `1,000,000`.
fn plain(x: f64) -> String {
    if x.fract() == 0.0 { grouped(x as u64) } else { x.to_string() }
}

/// An error about the value of `key`.
pub(super) fn bad_value(key: &str, problem: impl std::fmt::Display) -> Error {
    Error::recipe(format!("recipe key `{key}`: {problem}"), format!("change it in the recipe (`{key}`)"))
}

/// `group.name`, or `name` at the top.
pub(super) fn dotted(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}.{name}") }
}

/// The line among `lines` with the name, or another name that is read, `name`.
pub(super) fn line(lines: &'static [Line], name: &str) -> Option<&'static Line> {
    let is_other = |line: &&Line| line.other_names().any(|other| other == name);
    lines.iter().find(|line| line.name == name).or_else(|| lines.iter().find(is_other))
}

/// The line of the dotted `key`, which may contain former names, and its path with current names.
pub(super) fn find(key: &str) -> Result<(Vec<&'static str>, &'static Line)> {
    let (path, found, rest) = known_part(key);
    match (found, rest) {
        (Some(line), None) => Ok((path, line)),
        (found, _) => Err(unknown(key, found.map(|line| (path, line)))),
    }
}

/// The line of the longest known beginning of `key` and its path, and the rest of `key`, if there is any.
fn known_part(key: &str) -> (Vec<&'static str>, Option<&'static Line>, Option<&str>) {
    let (mut lines, mut path, mut found, mut rest) = (super::settings::ROOT, Vec::new(), None, Some(key));
    while let Some(here) = rest {
        let (name, behind) = here.split_once('.').map_or((here, None), |(name, behind)| (name, Some(behind)));
        let Some(next) = line(lines, name) else { break };
        path.push(next.name);
        (found, rest) = (Some(next), behind);
        lines = match next.entry {
            Entry::Group(inner) => inner,
            Entry::Key { .. } => &[],
        };
    }
    (path, found, rest)
}

/// The error for `key`, which isn't in the table; `before` is the longest part of it that is.
fn unknown(key: &str, before: Option<(Vec<&'static str>, &'static Line)>) -> Error {
    /// No key is as long, and a search for similar names takes time for each character.
    const LONGEST: usize = 120;
    let shown = shortened(key);
    if let Some((path, Line { entry: Entry::Key { .. }, .. })) = before {
        return bad_value(&shown, format_args!("`{}` is a value, not a group of keys", path.join(".")));
    }
    let in_small_letters = |key: &str| {
        let small = key.to_lowercase();
        (small != key).then(|| find(&small).ok().map(|(path, _)| path.join("."))).flatten()
    };
    let near = Some(key).filter(|key| key.len() <= LONGEST);
    let near = near.and_then(|key| in_small_letters(key).or_else(|| meant_key(key).map(str::to_owned)));
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Error::recipe(format!("there is no recipe key `{shown}`{near}"), "docs/recipes.md lists all keys")
}

/// The error for `key`, which is in a recipe's table and not among its lines.
fn stray(key: &str) -> Error {
    match find(key) {
        Err(error) => error,
        // A quoted name with dots: `"train.batch" = 8`.
        Ok(_) => bad_value(key, "its name is in quotes, which makes it one name; expected it without quotes"),
    }
}

/// The key that an unknown one is probably meant to be: one with nearly the same name, else one whose last part, by any
/// of its names, is nearly the same.
pub(super) fn meant_key(key: &str) -> Option<&'static str> {
    let all = super::Key::all();
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let by_name = || crate::data::nearest(key, all.iter().map(|key| key.name.as_str()));
    let wanted = key.rsplit('.').next().filter(|last| !last.is_empty())?;
    let names = |key: &'static super::Key| key.names().map(last).map(move |name| (name, key.name.as_str()));
    let exact = || all.iter().flat_map(names).find(|(name, _)| *name == wanted).map(|(_, key)| key);
    let near = || {
        let near = crate::data::nearest(wanted, all.iter().flat_map(names).map(|(name, _)| name))?;
        all.iter().flat_map(names).find(|(name, _)| *name == near).map(|(_, key)| key)
    };
    exact().or_else(by_name).or_else(near)
}

/// Checks all values of the group `at`, whose keys are `lines`: names, kinds, ranges, and that no required key is
/// missing.
pub(super) fn check(lines: &'static [Line], at: &str, values: &Value) -> Result<()> {
    let Some(table) = values.as_object() else {
        return Err(bad_value(at, format_args!("expected a group of keys, got {}", excerpt(values))));
    };
    for (name, value) in table.iter().filter(|(name, _)| !lines.iter().any(|line| line.name == name.as_str())) {
        // A penalty that a program registered has a weight as the built-in ones.
        match lines.first().filter(|_| at == "train.penalties" && name.starts_with(PREFIX)) {
            Some(weight) => check_line(weight, &dotted(at, name), value)?,
            None => return Err(stray(&dotted(at, name))),
        }
    }
    for line in lines {
        let key = dotted(at, line.name);
        match (table.get(line.name), line.entry) {
            (Some(value), _) => check_line(line, &key, value)?,
            (None, Entry::Group(inner)) => check(inner, &key, &Value::Object(serde_json::Map::new()))?,
            (None, Entry::Key { kind, required: true }) => {
                return Err(bad_value(&key, format_args!("expected {}, but it is missing", kind.expected())));
            }
            (None, Entry::Key { .. }) => {}
        }
    }
    Ok(())
}

/// Checks the value of one key, or the values of a group.
pub(super) fn check_line(line: &'static Line, key: &str, value: &Value) -> Result<()> {
    match line.entry {
        Entry::Group(inner) => check(inner, key, value),
        Entry::Key { kind, .. } if kind.accepts(value) => Ok(()),
        Entry::Key { kind, .. } => {
            let near = meant(&kind, value).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(bad_value(key, format_args!("expected {}, got {}{near}", kind.expected(), excerpt(value))))
        }
    }
}

/// Methods that are more than a loss, by the names of their papers, with their keys.
const METHODS: [(&str, &str); 5] = [
    ("wgangp", "wasserstein` with `train.penalties.wgan-gp = 10"),
    ("wgan", "wasserstein` with `train.weight_clip = 0.01"),
    ("dragan", "nonsaturating` with `train.penalties.dragan = 10"),
    ("sngan", "hinge` with `discriminator.spectral = true"),
    ("r3gan", "relativistic` with `train.penalties = { r1 = 1, r2 = 1 }"),
];

/// The word that a misspelt `value` of a choice is nearest to.
fn meant(kind: &Kind, value: &Value) -> Option<&'static str> {
    match kind {
        Kind::Choice(words) if words.contains(&"wasserstein") => {
            let word = value.as_str()?;
            let plain: String = word.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            let method = METHODS.iter().find(|(name, _)| *name == plain).map(|(_, keys)| *keys);
            method.or_else(|| crate::data::nearest(word, words.iter().copied()))
        }
        Kind::Choice(words) => crate::data::nearest(value.as_str()?, words.iter().copied()),
        Kind::List(item) => value.as_array()?.iter().find(|one| !item.accepts(one)).and_then(|one| meant(item, one)),
        _ => None,
    }
}

/// `value` for an error, truncated if it is long.
fn excerpt(value: &Value) -> String {
    if value.is_null() {
        return "a number that is not finite".into();
    }
    shortened(&value.to_string())
}

/// `text` for an error, truncated if it is long.
pub(super) fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    match text.char_indices().nth(MAX_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ranges_are_said_and_kept() {
        let number = |low, high| Kind::Number { low, high };
        for (kind, expected, inside, outside) in [
            (Kind::Integer { min: 1, max: 65_536 }, "a whole number from 1 to 65,536", json!(65_536), json!(0)),
            (Kind::Integer { min: 0, max: i64::MAX as u64 }, "a whole number, 0 or more", json!(0), json!(1u64 << 63)),
            (Kind::OneOf(&[0, 1, 3]), "0, 1 or 3", json!(3), json!(2)),
            (
                Kind::Size,
                "a whole number from 0 to 65,536, or HEIGHTxWIDTH such as 48x64",
                json!("48x64"),
                json!("48x"),
            ),
            (Kind::Size, "a whole number from 0 to 65,536, or HEIGHTxWIDTH such as 48x64", json!(64), json!([48, 64])),
            (number(Included(0.0), Excluded(1.0)), "a number from 0, below 1", json!(0), json!(1)),
            (number(Excluded(0.0), Included(10.0)), "a number above 0, at most 10", json!(10), json!(0.0)),
            (number(Included(0.0), Included(1.0)), "a number from 0 to 1", json!(1.0), json!(null)),
            (number(Excluded(0.0), Excluded(1e9)), "a number above 0, below 1,000,000,000", json!(1), json!(1e9)),
            // These round to 1 and to 0 in the f32 that the training computes with.
            (number(Included(0.0), Excluded(1.0)), "a number from 0, below 1", json!(0.9999), json!(0.999_999_999_9)),
            (number(Excluded(0.0), Included(1.0)), "a number above 0, at most 1", json!(1e-30), json!(1e-60)),
            (number(Bound::Unbounded, Bound::Unbounded), "a number", json!(-3), json!(1e39)),
            (Kind::Switch, "true or false", json!(true), json!("true")),
            (Kind::AutoSwitch, "`auto`, true or false", json!("auto"), json!("true")),
            (Kind::AutoSwitch, "`auto`, true or false", json!(false), json!(0)),
            (Kind::Choice(&["crop", "pad"]), "`crop` or `pad`", json!("pad"), json!("cut")),
            (Kind::List(&Kind::Text), "a list of texts", json!(["a"]), json!([1])),
        ] {
            assert_eq!(kind.expected(), expected);
            assert!(kind.accepts(&inside), "{kind:?}: {inside}");
            assert!(!kind.accepts(&outside), "{kind:?}: {outside}");
        }
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
