//! Parses layer lines: `conv 64 4x4 stride 2` is a keyword followed by words (`words`). Calls in the spelling of Keras or
//! PyTorch (`call`) are translated into such lines first (`keras`, `torch`); what they say of their input becomes a line
//! that is checked and makes no layer (`input`).

mod call;
pub(super) mod input;
mod keras;
mod torch;
mod words;

pub use words::{Padding, Reading, Surroundings, Words};

use super::layers::{self, Layer};
use call::Call;

/// Translates `line` to this program's vocabulary if it is in Keras's or PyTorch's. A call with an activation,
/// `Dense(8, activation="relu")`, gives two lines, one with the size of its input another.
///
/// # Errors
/// A sentence on what is not supported.
pub fn expanded(line: &str) -> Reading<Vec<String>> {
    let Some(call) = Call::read(line)? else {
        return keras::renamed(line).unwrap_or_else(|| Ok(vec![line.to_string()]));
    };
    if torch::speaks(&call) { torch::lines(call) } else { keras::lines(call) }
}

/// The supported names of Keras and PyTorch.
pub(super) fn other_names() -> impl Iterator<Item = &'static str> {
    keras::names().chain(torch::names())
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
