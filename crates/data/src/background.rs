//! The colour under transparent pixels.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The colour that transparent images are composited over: `white` (the default), `black`, `grey`, or `#rrggbb`.
///
/// ```
/// use faussaire_data::Background; // faussaire::data
///
/// # fn main() -> faussaire_data::Result<()> {
/// assert_eq!("#ff8000".parse::<Background>()?.rgb(), [255, 128, 0]);
/// assert_eq!("black".parse::<Background>()?, Background::BLACK);
/// assert!("blak".parse::<Background>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Background([u8; 3]);

/// The colours with names.
const NAMES: [(&str, Background); 4] = [
    ("white", Background::WHITE),
    ("black", Background::BLACK),
    ("grey", Background::new([128; 3])),
    ("gray", Background::new([128; 3])),
];

impl Background {
    /// White, which viewers of images show.
    pub const WHITE: Self = Self([255; 3]);

    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    /// A colour from its red, green and blue.
    pub const fn new(rgb: [u8; 3]) -> Self {
        Self(rgb)
    }

    /// Red, green and blue.
    pub const fn rgb(self) -> [u8; 3] {
        self.0
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::WHITE
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, known)| known == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "#{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2]),
        }
    }
}

impl FromStr for Background {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, colour)| *colour);
        named.or_else(|| hexadecimal(text.strip_prefix('#')?)).ok_or_else(|| {
            Error::usage(
                format!("{text:?} is not a colour"),
                "expected white, black, grey or #rrggbb such as #ff8000 (`data.background`)",
            )
        })
    }
}

/// A colour from `rrggbb` or `rgb`.
fn hexadecimal(digits: &str) -> Option<Background> {
    let digits: Vec<u8> = digits.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    match digits[..] {
        [r, g, b] => Some(Background([r, g, b].map(|d| 17 * d))),
        [a, b, c, d, e, f] => Some(Background([16 * a + b, 16 * c + d, 16 * e + f])),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_written() {
        for (text, rgb, shown) in [
            ("white", [255; 3], "white"),
            ("Black", [0; 3], "black"),
            ("gray", [128; 3], "grey"),
            ("#0f8", [0, 255, 136], "#00ff88"),
            ("#FF8001", [255, 128, 1], "#ff8001"),
            ("#ffffff", [255; 3], "white"),
        ] {
            let colour: Background = text.parse().unwrap();
            assert_eq!((colour.rgb(), colour.to_string().as_str()), (rgb, shown), "{text}");
            assert_eq!(shown.parse::<Background>().unwrap(), colour);
        }
        for text in ["", "#", "#12", "#12345", "#1234567", "#gg0000", "0f8", "blau", "#é1", "#+1+1+1"] {
            let error = text.parse::<Background>().unwrap_err();
            assert!(error.hint().contains("`data.background`"), "{text}: {error}");
        }
    }
}
