//! Errors (what happened, a hint, the flags for what the library names), numbers and counted nouns, as they are printed. Exit
//! status 1 for failures, 2 for misuse.

use console::Style;
use faussaire::Error;
use faussaire::data::ImageShape;

use crate::flags;
use crate::print::{self, Line};
pub use crate::quoting::quoted;

/// Prints `error` and gives the exit status that fits it.
pub fn failure(error: &Error) -> u8 {
    if print::is_unread(error) {
        return 0;
    }
    let bold = || Style::new().bold();
    print::remark(&Line::headed("error:", bold().red(), error));
    let hint = flags::in_hint(error.hint());
    if !hint.is_empty() {
        self::hint(&hint);
    }
    let text = format!("{error}\n{hint}");
    let names: Vec<String> = error.named().into_iter().filter(|name| text.contains(&format!("`{name}`"))).collect();
    if let Some(line) = flags::line(&names, &hint) {
        print::remark(&Line::headed("flags:", bold(), line));
    }
    match error {
        Error::Usage { .. } | Error::Recipe { .. } | Error::NoTestImages { .. } => 2,
        _ => 1,
    }
}

/// Prints a hint.
pub fn hint(text: &str) {
    print::remark(&Line::headed("hint:", Style::new().bold(), text));
}

/// A whole number with a comma between thousands.
pub fn count(n: impl TryInto<u64>) -> String {
    faussaire::net::summary::grouped(n.try_into().unwrap_or(u64::MAX))
}

/// `1 thread`, `2 threads`: a number and its noun, which takes an `s` for the plural.
pub fn counted(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `60,000 images of 28x28x1`; `1,000 points` where an image is one point of the plane.
pub fn images(n: impl TryInto<u64>, shape: ImageShape) -> String {
    let (noun, of) = noun(shape);
    counted(n, noun) + &of
}

/// The same for a set that has no end.
pub fn any_images(shape: ImageShape) -> String {
    let (noun, of) = noun(shape);
    format!("any number of {noun}s{of}")
}

/// What one example of this shape is called, and its size.
fn noun(shape: ImageShape) -> (&'static str, String) {
    match shape {
        ImageShape { height: 1, width: 1, .. } => ("point", String::new()),
        ImageShape { height: 0, .. } => ("image", String::new()),
        shape => ("image", format!(" of {shape}")),
    }
}

/// A speed in images per second: whole from 10 on.
pub fn rate(images: u64, seconds: f64) -> String {
    let rate = images as f64 / seconds.max(1e-9);
    if rate < 10.0 { format!("{rate:.1} images/s") } else { format!("{} images/s", count(rate.round() as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1_u64, "thread"), "1 thread");
        assert_eq!(counted(12_000_u64, "step"), "12,000 steps");
        let shape = |height, width, channels| ImageShape { height, width, channels };
        assert_eq!(images(1_u64, shape(28, 28, 1)), "1 image of 28x28x1");
        assert_eq!(images(50_000_u64, shape(1, 1, 2)), "50,000 points");
        assert_eq!(any_images(shape(1, 1, 2)), "any number of points");
    }

    #[test]
    fn speeds_read_well() {
        assert_eq!(rate(23_796, 2.0), "11,898 images/s");
        assert_eq!(rate(5, 2.0), "2.5 images/s");
    }
}
