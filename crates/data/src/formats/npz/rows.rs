//! The part of each image of one array, where another array of the file tells it: words (`split`), yes and no (`is_train`,
//! `test_mask`), or the numbers of the images (`train_idx`, `test_idx`).

use std::collections::BTreeSet;

use super::Member;
use crate::error::{Error, Result};
use crate::formats::array::key::{Key, words};
use crate::formats::array::labels::{Labels, Unread};
use crate::parts::{Holdings, Part, part_of};

/// Names of arrays of words, without signs.
const SPLITS: [&str; 16] = [
    "split",
    "splits",
    "datasplit",
    "set",
    "subset",
    "subsets",
    "part",
    "parts",
    "partition",
    "partitions",
    "usage",
    "phase",
    "traintest",
    "traintestsplit",
    "trainvaltest",
    "trainvaltestsplit",
];

/// What is said beside the part in the name of an array of yes and no, and in that of a list of numbers.
const FLAGS: [&str; 8] = ["is", "in", "mask", "flag", "flags", "set", "split", "data"];
const NUMBERS: [&str; 10] = ["idx", "idxs", "index", "indices", "indexes", "ind", "inds", "id", "ids", "rows"];

/// Most different numbers that may stand for parts.
const MAX_NUMBERS: usize = 5;

/// The part of each image, and the arrays that tell it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub parts: Vec<Option<Part>>,
    /// With commas between them.
    pub arrays: String,
}

impl Rows {
    /// The number of images of each part.
    pub fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::new();
        self.parts.iter().for_each(|part| holdings.entry(*part).or_default().files += 1);
        holdings
    }
}

/// What an array of this name may tell of the images' parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// A word for each image.
    Words,
    /// Whether each image is of this part.
    Flag(Part),
    /// The numbers of the images of this part.
    Numbers(Part),
}

/// What an array called `name` may tell.
fn told(name: &str) -> Option<Told> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if SPLITS.contains(&plain.as_str()) {
        return Some(Told::Words);
    }
    let part = part_of(name).filter(|part| *part != Part::Unlabelled && Key::of(name).role.is_none())?;
    let words = words(name);
    let rest: Vec<&str> = words.iter().map(String::as_str).filter(|word| part_of(word).is_none()).collect();
    match () {
        () if rest.iter().all(|word| FLAGS.contains(word)) => Some(Told::Flag(part)),
        () if rest.iter().all(|word| NUMBERS.contains(word)) => Some(Told::Numbers(part)),
        () => None,
    }
}

/// Whether an array of this name tells the parts of images elsewhere.
pub(crate) fn tells_parts(name: &str) -> bool {
    told(name).is_some_and(|told| !matches!(told, Told::Flag(_)) || words(name).len() > 1)
}

/// The parts of `count` images; `read` reads an array. `None` if no array tells them.
///
/// # Errors
/// An array can't be read, or its numbers may be parts, which no word says.
pub(super) fn find(
    path: &str,
    members: &[Member],
    count: u64,
    read: &dyn Fn(&Member) -> Result<Result<Labels, Unread>>,
) -> Result<Option<Rows>> {
    let images = usize::try_from(count).unwrap_or(0);
    let mut parts: Vec<Option<Part>> = vec![None; images];
    let (mut arrays, mut named): (Vec<&str>, BTreeSet<Part>) = (Vec::new(), BTreeSet::new());
    for member in members {
        let is_each = member.array().count() == Some((count, 1));
        let is_list = member.header.shape.len() == 1;
        let told = told(&member.name).filter(|told| is_each || (is_list && matches!(told, Told::Numbers(_))));
        let Some(told) = told else { continue };
        let Ok(values) = read(member)? else { continue };
        match (told, values) {
            (Told::Words, Labels::Text(values)) => {
                let of: Vec<Option<Part>> = values.iter().map(|word| part_of(word.as_deref()?)).collect();
                if of.iter().any(Option::is_some) {
                    return Ok(Some(Rows { parts: of, arrays: member.name.clone() }));
                }
            }
            (Told::Words, Labels::Ints(values)) => {
                let numbers: BTreeSet<i64> = values.iter().flatten().copied().collect();
                if member.name.to_lowercase().contains("partition") && numbers.iter().all(|n| (0..=2).contains(n)) {
                    let of = |value: &Option<i64>| {
                        Some([Part::Train, Part::Validation, Part::Test][usize::try_from((*value)?).ok()?])
                    };
                    return Ok(Some(Rows { parts: values.iter().map(of).collect(), arrays: member.name.clone() }));
                }
                if (2..=MAX_NUMBERS).contains(&numbers.len()) {
                    return Err(unclear(path, &member.name, &numbers));
                }
            }
            (Told::Flag(part), Labels::Ints(values)) => {
                let is_flag = values.iter().all(|value| matches!(value, Some(0 | 1)));
                let has_both = [0, 1].iter().all(|wanted| values.contains(&Some(*wanted)));
                if is_flag && has_both {
                    let rows = (0..images).filter(|row| values[*row] == Some(1));
                    mark(&mut parts, rows, part);
                    arrays.push(&member.name);
                    named.insert(part);
                }
            }
            (Told::Numbers(part), Labels::Ints(values)) => {
                let rows: Option<Vec<usize>> =
                    values.iter().map(|value| usize::try_from((*value)?).ok().filter(|row| *row < images)).collect();
                if let Some(rows) = rows.filter(|rows| !rows.is_empty() && rows.len() < images) {
                    mark(&mut parts, rows.into_iter(), part);
                    arrays.push(&member.name);
                    named.insert(part);
                }
            }
            _ => {}
        }
    }
    if arrays.is_empty() {
        return Ok(None);
    }
    // Images of no array belong to the part that none of them names.
    let rest = match (named.contains(&Part::Train), named.len()) {
        (false, _) => Some(Part::Train),
        (true, 1) => Some(Part::Test),
        (true, _) => None,
    };
    parts.iter_mut().filter(|part| part.is_none()).for_each(|part| *part = rest);
    Ok(Some(Rows { parts, arrays: arrays.join(", ") }))
}

/// Gives rows to a part; what is of another one, too, is not learned from.
fn mark(parts: &mut [Option<Part>], rows: impl Iterator<Item = usize>, part: Part) {
    rows.for_each(|row| parts[row] = parts[row].max(Some(part)));
}

fn unclear(path: &str, name: &str, numbers: &BTreeSet<i64>) -> Error {
    let listed: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Error::data(
        format!("{path}: its array {name} holds the numbers {}, which may be the parts of the set", listed.join(", ")),
        format!(
            "save it as words, such as numpy.where({name} == 0, \"train\", \"test\"); or save the set without it, to learn from \
             all images"
        ),
    )
}
