//! The file of one part: a line that says whose features it has and what they depend on, then their numbers.

use std::ops::Range;
use std::path::Path;

use faussaire_data::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Features;
use crate::cache::{self, floats, integers};
use crate::features::BLOCK;
use crate::features::extractor::{ClassPredictions, Extracted, Extractor};

/// The ending of a part's file.
const ENDING: &str = "features";

/// The fact that processors differ in.
pub(super) const PROCESSOR: &str = "processor";

/// Most features of an image, and most bytes of a file's first line: larger files are not read.
const MOST_DIMS: u64 = 4096;
const MOST_ABOUT: u64 = 1 << 16;

/// Whose images a part has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Side {
    Generated,
    Real,
}

/// The description of a file's numbers: `[rows, dims]` features, then the predicted class of each row, then `[rows, classes]`
/// probabilities, as far as the extractor gives these.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    side: Side,
    rows: [usize; 2],
    dims: usize,
    has_predictions: bool,
    probabilities: usize,
    facts: Vec<(String, String)>,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Real => "real",
        }
    }

    /// The name of the file that has the images number `rows`.
    pub(super) fn file_name(self, rows: &Range<usize>) -> String {
        format!("{}-{}-{}.{ENDING}", self.name(), rows.start, rows.end)
    }

    /// The rows of the file called `name`, if it is one of this side.
    pub(super) fn rows(self, name: &str) -> Option<Range<usize>> {
        let rows = name.strip_prefix(self.name())?.strip_prefix('-')?.strip_suffix(ENDING)?.strip_suffix('.')?;
        let (start, end) = rows.split_once('-')?;
        let (start, end) = (start.parse::<usize>().ok()?, end.parse::<usize>().ok()?);
        (start < end && start.is_multiple_of(BLOCK)).then_some(start..end)
    }
}

/// Writes the features of the images number `rows` of a side to `path`.
///
/// # Errors
/// A file that can't be written.
pub(super) fn save(
    path: &Path,
    (side, rows): (Side, &Range<usize>),
    facts: &[(String, String)],
    part: &Extracted,
) -> Result<()> {
    let Extracted { features, predictions } = part;
    let probabilities = predictions.as_ref().and_then(|predictions| predictions.probabilities.as_deref());
    let about = About {
        side,
        rows: [rows.start, rows.end],
        dims: features.dims(),
        has_predictions: predictions.is_some(),
        probabilities: probabilities.map_or(0, |all| all.len() / rows.len()),
        facts: facts.to_vec(),
    };
    let mut numbers: Vec<u8> = features.values().iter().flat_map(|v| v.to_le_bytes()).collect();
    let classes = predictions.iter().flat_map(|predictions| &predictions.classes);
    numbers.extend(classes.flat_map(|class| class.to_le_bytes()));
    numbers.extend(probabilities.into_iter().flatten().flat_map(|v| v.to_le_bytes()));
    cache::save(path, &about, &numbers)
}

/// The part in the file at `path`; none where it can't be read or is damaged.
///
/// # Errors
/// A part of another judgement.
pub(super) fn load(
    path: &Path,
    (side, rows): (Side, &Range<usize>),
    facts: &[(String, String)],
    extractor: &Extractor,
) -> Result<Option<Extracted>> {
    let classes = extractor.classes().len();
    let most = (4 * (MOST_DIMS + classes as u64 + 1)).saturating_mul(rows.len() as u64).saturating_add(MOST_ABOUT);
    if std::fs::metadata(path).map_or(true, |about| about.len() > most) {
        return Ok(None);
    }
    let Some((about, numbers)) = cache::load::<About>(path) else { return Ok(None) };
    for (name, here) in facts {
        let there = about.facts.iter().find(|(known, _)| known == name).map_or("unknown", |(_, value)| value);
        if there != here {
            return Err(of_another(path, name, &format!("{there} there, {here} here")));
        }
    }
    let is_named = about.side == side && about.rows == [rows.start, rows.end];
    Ok(if is_named { parsed(&about, &numbers, classes) } else { None })
}

fn parsed(about: &About, numbers: &[u8], known: usize) -> Option<Extracted> {
    let rows = about.rows[1].checked_sub(about.rows[0])?;
    let bytes = |width: usize| rows.checked_mul(width)?.checked_mul(4);
    let (features, rest) = numbers.split_at_checked(bytes(about.dims)?)?;
    let (classes, rest) = rest.split_at_checked(bytes(usize::from(about.has_predictions))?)?;
    if rest.len() != bytes(about.probabilities)? || (about.probabilities > 0 && about.probabilities != known) {
        return None;
    }
    let classes = integers(classes);
    if classes.iter().any(|class| *class as usize >= known) {
        return None;
    }
    let probabilities = (about.probabilities > 0).then(|| floats(rest));
    let predictions = about.has_predictions.then_some(ClassPredictions { classes, probabilities });
    Some(Extracted { features: Features::new(floats(features), rows, about.dims).ok()?, predictions })
}

/// The error that the fact called `name` differs.
pub(super) fn of_another(path: &Path, name: &str, how: &str) -> Error {
    let hint = match name {
        PROCESSOR => {
            "set FAUSSAIRE_ISA to the lesser of both for all parts, such as FAUSSAIRE_ISA=avx2, and write them again"
        }
        _ => "give the options that the parts were given, or name another folder (`judging::Options::parts`)",
    };
    Error::usage(format!("{} is of another judgement: {name}: {how}", path.display()), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts() {
        let rows = |name: &str| Side::Real.rows(name);
        assert_eq!(rows("real-128-300.features"), Some(128..300));
        for other in ["generated-128-300.features", "real-128-300", "real-1-300.features", "real-300-128.features"] {
            assert_eq!(rows(other), None, "{other}");
        }
        assert_eq!(rows("real-0-99999999999999999999999.features"), None);
    }
}
