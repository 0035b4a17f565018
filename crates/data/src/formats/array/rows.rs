//! The part of each image of one array, where another array in the file or beside it tells it: words (`split`), yes and no
//! (`is_train`, `test_mask`), or the numbers of the images (`train_idx`, `test_idx`). Numbers for words are read where their meaning
//! is known (`partition`), else refused.

use std::collections::BTreeSet;

use super::key::{Key, words};
use super::labels::{Labels, Unread};
use crate::Dataset;
use crate::error::{Error, Result};
use crate::in_memory::InMemory;
use crate::open_options::Split;
use crate::parts::{self, Holdings, Part, describe, is_of_parts, is_partition, of_partition, part_of, unclear_numbers};

/// What is said beside the part in the name of an array of yes and no, and in that of a list of numbers.
const FLAGS: [&str; 8] = ["is", "in", "mask", "flag", "flags", "set", "split", "data"];
const NUMBERS: [&str; 10] = ["idx", "idxs", "index", "indices", "indexes", "ind", "inds", "id", "ids", "rows"];

/// An array that may tell parts.
pub struct Teller<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it is called in messages: `array split`, `split.npy`.
    pub shown: String,
    /// The sizes of the array.
    pub sizes: &'a [u64],
    /// The number of values and how many belong together, if the sizes are those of labels.
    pub count: Option<(u64, u64)>,
    /// Reads its values.
    pub read: Box<dyn Fn() -> Result<Result<Labels, Unread>> + 'a>,
}

/// The part of each image, and the arrays that tell it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows {
    parts: Vec<Option<Part>>,
    /// As they are shown.
    arrays: Vec<String>,
}

impl Rows {
    /// Whether an array, as it is shown, is one of those that tell the parts.
    pub fn are_told_by(&self, shown: &str) -> bool {
        self.arrays.iter().any(|array| array == shown)
    }

    /// The images of the part that serves as `split`.
    ///
    /// # Errors
    /// There are none.
    pub fn of_part(&self, set: InMemory, split: Split) -> Result<InMemory> {
        let mut holdings = Holdings::new();
        self.parts.iter().for_each(|part| holdings.entry(*part).or_default().files += 1);
        let by = self.arrays.join(", ");
        let Some(part) = parts::choose(&holdings, split) else {
            let what = format!("{} has no {} images by {by}", set.name(), split.describe());
            return Err(match split {
                Split::Train => Error::data(what, "leave it out to learn from all images"),
                Split::Test => Error::NoTestImages { what, hint: "use its training images".into() },
            });
        };
        let wanted: Vec<usize> = (0..set.len()).filter(|row| self.parts.get(*row) == Some(&Some(part))).collect();
        let said = (split == Split::Train).then(|| describe(&holdings, Some(&by))).flatten();
        let aside = holdings.remove(&None).filter(|_| split == Split::Train);
        let aside = aside.map(|held| format!("left aside: {} in no part of the set", held.describe_files()));
        Ok(set.only(&wanted)?.with_notes(said.into_iter().chain(aside)))
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
    if is_of_parts(name) {
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

/// The parts of `count` images; `None` if no array tells them. `path` is the set's.
///
/// # Errors
/// An array can't be read, or its numbers may be parts, which no word says.
pub fn find(path: &str, tellers: &[Teller<'_>], count: u64) -> Result<Option<Rows>> {
    let images = usize::try_from(count).unwrap_or(0);
    let mut parts: Vec<Option<Part>> = vec![None; images];
    let (mut arrays, mut named): (Vec<String>, BTreeSet<Part>) = (Vec::new(), BTreeSet::new());
    for teller in tellers {
        let is_each = teller.count == Some((count, 1));
        let told = told(teller.name).filter(|told| is_each || (teller.is_list() && matches!(told, Told::Numbers(_))));
        let Some(told) = told else { continue };
        let Ok(values) = (teller.read)()? else { continue };
        let of_words = |parts| Rows { parts, arrays: vec![teller.shown.clone()] };
        match (told, values) {
            (Told::Words, Labels::Text(values)) => {
                let of: Vec<Option<Part>> = values.iter().map(|word| part_of(word.as_deref()?)).collect();
                if of.iter().any(Option::is_some) {
                    return Ok(Some(of_words(of)));
                }
            }
            (Told::Words, Labels::Ints(values)) => {
                let numbers: BTreeSet<i64> = values.iter().flatten().copied().collect();
                if is_partition(teller.name) && numbers.iter().all(|number| of_partition(*number).is_some()) {
                    return Ok(Some(of_words(values.iter().map(|value| of_partition((*value)?)).collect())));
                }
                if let Some((listed, words)) = unclear_numbers(teller.name, &numbers) {
                    return Err(Error::data(
                        format!(
                            "{path}: {} holds the numbers {listed}, which may be the parts of the set",
                            teller.shown
                        ),
                        format!("save it as words, such as {words}; or leave it out, to learn from all images"),
                    ));
                }
            }
            (Told::Flag(part), Labels::Ints(values)) => {
                let is_flag = values.iter().all(|value| matches!(value, Some(0 | 1)));
                let has_both = [0, 1].iter().all(|wanted| values.contains(&Some(*wanted)));
                if is_flag && has_both {
                    let rows = (0..images).filter(|row| values[*row] == Some(1));
                    mark(&mut parts, rows, part);
                    arrays.push(teller.shown.clone());
                    named.insert(part);
                }
            }
            (Told::Numbers(part), Labels::Ints(values)) => {
                let rows: Option<Vec<usize>> =
                    values.iter().map(|value| usize::try_from((*value)?).ok().filter(|row| *row < images)).collect();
                if let Some(rows) = rows.filter(|rows| !rows.is_empty() && rows.len() < images) {
                    mark(&mut parts, rows.into_iter(), part);
                    arrays.push(teller.shown.clone());
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
    Ok(Some(Rows { parts, arrays }))
}

impl Teller<'_> {
    fn is_list(&self) -> bool {
        self.sizes.len() == 1
    }
}

/// Gives rows to a part; what is of another one, too, is not learned from.
fn mark(parts: &mut [Option<Part>], rows: impl Iterator<Item = usize>, part: Part) {
    rows.for_each(|row| parts[row] = parts[row].max(Some(part)));
}
