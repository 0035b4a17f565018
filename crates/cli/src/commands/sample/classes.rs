//! Which labels `sample`'s images get: those that `--class` and `--rows` name, or drawn ones.

use clap::ValueEnum;
use faussaire::data::LabelKind;
use faussaire::run::Sampler;
use faussaire::{Error, Result};

/// What the rows of a grid show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// A class each, the same latent in each column
    Classes,
}

/// The word for all classes.
const ALL: &str = "all";

/// The labels of the images.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Drawn at random, as frequent as in the data.
    Drawn,
    /// These labels for all.
    One(Vec<f32>),
    /// Several classes, an equal share of the images each, in this order.
    Each(Vec<Vec<f32>>),
}

impl Asked {
    /// What `--class TEXT` and `--rows` ask of the generator of `sampler`.
    ///
    /// # Errors
    /// Unknown labels, or a generator that takes none.
    pub fn of(sampler: &Sampler, class: Option<&str>, rows: Option<Rows>) -> Result<Self> {
        let labels = sampler.labels();
        let Some(text) = class.or(rows.map(|_| ALL)) else { return Ok(Self::Drawn) };
        if labels.names.is_empty() && class.is_none() {
            return Err(Error::usage(
                "--rows classes: this run's generator takes no labels",
                "leave it out; a run with classes is trained with --conditional",
            ));
        }
        let place = |word: &str| labels.names.iter().position(|name| name.eq_ignore_ascii_case(word.trim()));
        let row = |at: usize| (0..labels.names.len()).map(|other| f32::from(u8::from(other == at))).collect();
        let chosen: Vec<Vec<f32>> = match place(text) {
            // A class may be called `all`, or have a comma in its name.
            Some(at) => vec![row(at)],
            None if text.trim().eq_ignore_ascii_case(ALL) && !labels.names.is_empty() => {
                (0..labels.names.len()).map(row).collect()
            }
            None if labels.kind == LabelKind::Classes && text.contains(',') && !labels.names.is_empty() => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.map(|word| sampler.encode_label(word)).collect::<Result<_>>()?
            }
            None => vec![sampler.encode_label(text)?],
        };
        Ok(match &chosen[..] {
            [] => {
                return Err(Error::usage(
                    "--class names no class",
                    format!("expected one of: {}", labels.names.join(", ")),
                ));
            }
            [row] if rows.is_none() => Self::One(row.clone()),
            _ => Self::Each(chosen),
        })
    }

    /// How many classes have a share of the images; 1 unless there are several, or each is to have a row.
    pub fn groups(&self) -> Option<usize> {
        if let Self::Each(rows) = self { Some(rows.len()) } else { None }
    }

    /// The class, by its place in the order, of image `index` of `total`.
    pub fn group(&self, index: usize, total: usize) -> usize {
        index * self.groups().unwrap_or(1) / total.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_share_in_order() {
        let three = Asked::Each(vec![vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]]);
        let groups = |n: usize| (0..n).map(|at| three.group(at, n)).collect::<Vec<_>>();
        assert_eq!(groups(6), [0, 0, 1, 1, 2, 2]);
        assert_eq!(groups(4), [0, 0, 1, 2]);
        assert_eq!((Asked::Drawn.groups(), Asked::One(vec![1.0]).group(3, 4)), (None, 0));
    }
}
