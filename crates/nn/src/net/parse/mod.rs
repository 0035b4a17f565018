//! Layer lines: `conv 64 4x4 stride 2` is a keyword and the words that follow it (`words`); Keras's names and calls are
//! translated into such lines first (`keras`).

mod keras;
mod words;

pub use words::{Reading, Surroundings, Words};

use super::layers::{self, Layer};

/// The lines in this program's own words that `line` means: itself, or what a line in Keras's words means. A call with an
/// activation, `Dense(8, activation="relu")`, is two.
///
/// # Errors
/// A sentence about what has no counterpart here.
pub fn expanded(line: &str) -> Reading<Vec<String>> {
    keras::translated(line).unwrap_or_else(|| Ok(vec![line.to_string()]))
}

/// Keras's names that a line can begin with.
pub(super) fn keras_names() -> impl Iterator<Item = &'static str> {
    keras::NAMES.iter().map(|(name, _)| *name)
}

impl Layer {
    /// Reads one line that is preceded by `around`.
    ///
    /// # Errors
    /// A sentence about what is wrong with the line.
    pub fn parse(line: &str, around: &Surroundings) -> Reading<Self> {
        let lines = expanded(line)?;
        let [line] = &lines[..] else {
            return Err(format!("it means {} layers: {}", lines.len(), lines.join(", ")));
        };
        let mut parts = line.split_whitespace();
        let Some(keyword) = parts.next() else {
            return Err(format!("the line is empty; expected one of {}", layers::keywords().join(", ")));
        };
        let mut words = Words::new(parts, around);
        let layer = Self::read(keyword, &mut words)?;
        words.end()?;
        Ok(layer)
    }
}
