//! `input 28x28x1`: the shape that a layer in Keras's or PyTorch's words says it is given. It makes no layer; a shape that
//! is another one is an error. `?` stands for any size, and `input channels 3` gives the last size alone.

use super::Reading;
use crate::net::Shape;

/// The keyword of such lines.
pub(crate) const KEYWORD: &str = "input";

/// The line for a shape: `28`, `28x28x1`, `?x?x3`.
pub(super) fn line(sizes: &[String]) -> String {
    format!("{KEYWORD} {}", sizes.join("x"))
}

/// The line for a number of channels or features.
pub(super) fn channels(count: &str) -> String {
    format!("{KEYWORD} channels {count}")
}

/// Checks `words`, those after the keyword, against the shape that is there.
pub(crate) fn check(words: &str, input: Shape) -> Reading<()> {
    let (wanted, [h, w, c]) = (words.trim(), input.dims());
    let (sizes, what) = match wanted.strip_prefix("channels ") {
        Some(channels) => (vec![channels.trim()], "channels or features"),
        None => (wanted.split('x').map(str::trim).collect(), "shape"),
    };
    let there = match (what, input) {
        ("shape", Shape::Image(..)) => vec![h, w, c],
        _ => vec![c],
    };
    let fits = |(size, there): (&&str, &usize)| *size == "?" || super::words::product(size) == Some(*there);
    if sizes.len() == there.len() && sizes.iter().zip(&there).all(fits) {
        return Ok(());
    }
    let wanted = sizes.join("x");
    Err(match what {
        "shape" => format!("the line says that its input is {wanted}, but it is {input}"),
        _ => format!("the line says that its input has {wanted} channels or features, but it is {input}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_compared() {
        let image = Shape::Image(28, 28, 3);
        for (words, input, fits) in [
            ("28x28x3", image, true),
            ("28x28x1", image, false),
            ("?x?x3", image, true),
            ("?x?x1", image, false),
            ("channels 3", image, true),
            ("channels 1", image, false),
            ("784", image, false),
            ("100", Shape::Flat(100), true),
            ("100", Shape::Flat(64), false),
            ("channels 100", Shape::Flat(100), true),
            ("?", Shape::Flat(64), true),
            ("?", image, false),
            ("28 x 28 x 3", image, true),
            ("wide", image, false),
        ] {
            assert_eq!(check(words, input).is_ok(), fits, "{words} {input}");
        }
        assert_eq!(check("28x28x1", image), Err("the line says that its input is 28x28x1, but it is 28x28x3".into()));
    }
}
