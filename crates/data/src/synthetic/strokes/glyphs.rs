//! How digits are written: the styles of `glyphs.toml`, which says what they mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The points of one pen stroke, in the order in which the pen meets them.
pub(super) type Path = Vec<(f32, f32)>;

/// One way of writing a digit.
#[derive(Debug, Deserialize)]
pub(super) struct Style {
    /// How often the style is met, relative to the digit's other styles.
    pub share: f32,
    /// One extreme of the style.
    pub from: Vec<Path>,
    /// The other extreme: the same strokes and points, elsewhere.
    pub to: Vec<Path>,
}

/// The styles of digit `d` are `DIGITS[d]`.
pub(super) static DIGITS: LazyLock<[Vec<Style>; 10]> = LazyLock::new(|| {
    // The file is part of the program, and the tests read it.
    let mut styles: BTreeMap<String, Vec<Style>> = toml::from_str(include_str!("glyphs.toml")).unwrap_or_default();
    std::array::from_fn(|digit| styles.remove(&digit.to_string()).unwrap_or_default())
});

#[cfg(test)]
mod tests {
    use super::*;

    /// For each point, whether it repeats the one before it.
    fn corners(path: &[(f32, f32)]) -> Vec<bool> {
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
                for (from, to) in style.from.iter().zip(&style.to) {
                    assert_eq!(corners(from), corners(to), "digit {digit}, style {index}");
                }
            }
        }
    }

    #[test]
    fn points_lie_near_the_unit_box() {
        let paths = DIGITS.iter().flatten().flat_map(|style| style.from.iter().chain(&style.to));
        for (x, y) in paths.flatten() {
            assert!((-0.1..=1.01).contains(x) && (-0.1..=1.05).contains(y), "({x}, {y})");
        }
    }
}
