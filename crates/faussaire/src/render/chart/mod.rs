//! Charts as inline SVG for self-contained pages: curves over steps, scores as marks in rows, histograms. Series differ in
//! colour, in the pattern of the line and in the shape of the mark, so that no colour needs to be seen. Horizontal places are
//! shares of the width and text is not scaled, so that charts are readable in windows of any width.

mod axis;
mod dots;
mod figure;
mod histogram;
mod lines;

use axis::Scale;

pub(crate) use dots::{Dots, dots};
pub(crate) use figure::Figure;
pub(crate) use histogram::{Sample, histogram};
pub(crate) use lines::{Lines, Series, lines};

/// Patterns of lines, as SVG's `stroke-dasharray` has them.
const DASHES: [&str; 8] = ["", "7 4", "2 3", "10 3 2 3", "14 4", "4 2 1 2", "1 4", "8 2 2 2 2 2"];

/// How a series looks: number of its colour, pattern of its line, number of its mark's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    colour: usize,
    dash: &'static str,
    mark: usize,
}

impl Look {
    /// The look of series number `at`; the ninth looks like the first.
    fn of(at: usize) -> Self {
        Self { colour: at % 8, dash: DASHES[at % 8], mark: at % 4 }
    }
}

/// A labelled place on an axis: a percentage of the width, or pixels from the top.
#[derive(Clone, Debug, PartialEq)]
struct Tick {
    at: String,
    text: String,
}

/// The ticks of `scale`, about `count` of them.
fn ticks(scale: &Scale, count: usize) -> Vec<Tick> {
    scale.ticks(count).into_iter().map(|value| tick(scale, value)).collect()
}

fn tick(scale: &Scale, value: f64) -> Tick {
    Tick { at: place(scale.at(value)), text: number(value) }
}

/// A coordinate with the digits that can be seen.
fn place(at: f64) -> String {
    format!("{at:.2}")
}

/// A number with four significant digits, as far as it has them.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size => (3 - size.log10().floor() as i32).clamp(0, 8) as usize,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let all = [0.0, 12345.678, 1.0, 0.012345, -3.45678, 1e-12].map(number);
        assert_eq!(all, ["0", "12346", "1", "0.01235", "-3.457", "0"]);
    }
}
