//! How digits are written: for each digit its usual styles, and for each style the path of the pen, lift by lift.
//!
//! A path is a list of points `(x, y)` that the pen passes through smoothly (x to the right, y down, a digit about
//! 1 high). A point given twice is a corner. Each style is given by two extremes with the same number of points;
//! a hand writes something between them, or slightly beyond.

mod five_to_nine;
mod zero_to_four;

use five_to_nine::{EIGHT, FIVE, NINE, SEVEN, SIX};
use zero_to_four::{FOUR, ONE, THREE, TWO, ZERO};

/// The points of one pen stroke, in the order in which the pen meets them.
pub(super) type Path = &'static [(f32, f32)];

/// One way of writing a digit.
pub(super) struct Style {
    /// How often the style is met, relative to the digit's other styles.
    pub share: f32,
    /// One extreme of the style.
    pub from: &'static [Path],
    /// The other extreme: the same strokes and points, elsewhere.
    pub to: &'static [Path],
}

/// The styles of digit `d` are `DIGITS[d]`.
pub(super) const DIGITS: [&[Style]; 10] = [ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE];

#[cfg(test)]
mod tests {
    use super::*;

    /// For each point, whether it repeats the one before it.
    fn corners(path: Path) -> Vec<bool> {
        path.windows(2).map(|pair| pair[0] == pair[1]).collect()
    }

    #[test]
    fn the_extremes_of_a_style_match_point_for_point() {
        for (digit, styles) in DIGITS.iter().enumerate() {
            assert!(styles.len() >= 3, "digit {digit}");
            for (index, style) in styles.iter().enumerate() {
                assert!(style.share > 0.0 && style.share <= 1.0, "digit {digit}, style {index}");
                assert_eq!(style.from.len(), style.to.len(), "digit {digit}, style {index}");
                assert_ne!(style.from, style.to, "digit {digit}, style {index}");
                for (from, to) in style.from.iter().zip(style.to) {
                    assert_eq!(corners(from), corners(to), "digit {digit}, style {index}");
                }
            }
        }
    }

    #[test]
    fn points_lie_near_the_unit_box() {
        let paths = DIGITS.iter().copied().flatten().flat_map(|style| style.from.iter().chain(style.to));
        for (x, y) in paths.copied().flatten() {
            assert!((-0.1..=1.01).contains(x) && (-0.1..=1.05).contains(y), "({x}, {y})");
        }
    }
}
