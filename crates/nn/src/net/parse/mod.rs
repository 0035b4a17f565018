//! Parses layer lines: `conv 64 4x4 stride 2` is a keyword followed by words (`words`); Keras's names and calls are
//! translated into such lines first (`keras`).

mod keras;
mod words;

pub use words::{Reading, Surroundings, Words};

use super::layers::{self, Layer};

/// Translates `line` to this program's vocabulary if it is in Keras's. A call with an activation,
/// `Dense(8, activation="relu")`, gives two lines.
///
/// # Errors
/// A sentence on what is not supported.
pub fn expanded(line: &str) -> Reading<Vec<String>> {
    keras::translated(line).unwrap_or_else(|| Ok(vec![line.to_string()]))
}

/// Keras's supported names.
pub(super) fn keras_names() -> impl Iterator<Item = &'static str> {
    keras::NAMES.iter().map(|(name, _)| *name)
}

impl Layer {
    /// Parses one line in the context `around`.
    ///
    /// # Errors
    /// A sentence on what is wrong with the line.
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
