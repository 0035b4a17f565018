//! `data.size`: the size to which images are resized. A square is written as a number, a rectangle as text, height first:
//! `size = 64`, `size = "48x64"`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// Height and width of images, or none to keep their own.
///
/// ```
/// use faussaire::recipe::ImageSize;
///
/// # fn main() -> faussaire::Result<()> {
/// let size: ImageSize = "48x64".parse()?;
/// assert_eq!((size.sides(), size.to_string()), (Some((48, 64)), "48x64".into()));
/// assert_eq!(ImageSize::square(64), "64".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImageSize {
    height: usize,
    width: usize,
}

impl ImageSize {
    /// The size of the data set's own images.
    pub const KEEP: Self = Self { height: 0, width: 0 };

    /// The largest height and width.
    pub const MAX: usize = 65_536;

    /// `side` x `side` pixels; 0 keeps the size.
    pub const fn square(side: usize) -> Self {
        Self { height: side, width: side }
    }

    /// `height` x `width` pixels.
    pub const fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    /// Height and width; none to keep the size.
    pub fn sides(self) -> Option<(usize, usize)> {
        (self != Self::KEEP).then_some((self.height, self.width))
    }

    /// Refuses sides that images can't have.
    fn check(self) -> std::result::Result<Self, String> {
        if self.height > Self::MAX || self.width > Self::MAX || (self.height == 0) != (self.width == 0) {
            return Err(format!("expected sides from 1 to {} pixels, got {self}", Self::MAX));
        }
        Ok(self)
    }

    fn read(text: &str) -> std::result::Result<Self, String> {
        let side = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let size = match text.split_once(['x', 'X']) {
            Some((height, width)) => side(height).zip(side(width)).map(|(height, width)| Self { height, width }),
            None => side(text).map(Self::square),
        };
        size.ok_or_else(|| format!("expected N or HEIGHTxWIDTH such as 48x64, got {text:?}")).and_then(Self::check)
    }
}

impl FromStr for ImageSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).map_err(|problem| {
            Error::usage(format!("{text:?} is not the size of images: {problem}"), "give the height first: 48x64")
        })
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, width } = self;
        if height == width { write!(f, "{height}") } else { write!(f, "{height}x{width}") }
    }
}

impl Serialize for ImageSize {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        if self.height == self.width { to.serialize_u64(self.height as u64) } else { to.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for ImageSize {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = ImageSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number, or a text such as \"48x64\"")
    }

    fn visit_u64<E: de::Error>(self, side: u64) -> std::result::Result<ImageSize, E> {
        ImageSize::square(usize::try_from(side).unwrap_or(usize::MAX)).check().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, side: i64) -> std::result::Result<ImageSize, E> {
        self.visit_u64(u64::try_from(side).map_err(|_| E::custom(format!("{side} is not the side of an image")))?)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<ImageSize, E> {
        ImageSize::read(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Preset, Recipe};

    #[test]
    fn squares_are_numbers_and_rectangles_texts() {
        for (text, sides, written) in [
            ("64", Some((64, 64)), "64"),
            ("0", None, "0"),
            ("48x64", Some((48, 64)), "\"48x64\""),
            ("48X64", Some((48, 64)), "\"48x64\""),
            ("64x64", Some((64, 64)), "64"),
            ("065536x1", Some((65_536, 1)), "\"65536x1\""),
        ] {
            let size: ImageSize = text.parse().unwrap();
            assert_eq!(size.sides(), sides, "{text}");
            assert_eq!(serde_json::to_string(&size).unwrap(), written);
            assert_eq!(serde_json::from_str::<ImageSize>(written).unwrap(), size);
            let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[format!("data.size={text}")]).unwrap();
            assert_eq!(recipe.data.size, size);
            let toml = recipe.to_toml().unwrap();
            assert!(toml.contains(&format!("\nsize = {written}\n")), "{toml}");
            assert_eq!(Recipe::parse(&toml, "again", &[]).unwrap(), recipe);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in
            ["", "x", "48x", "x64", "48,64", "48x64x3", "-3", "+3", "4.5", "0x64", "64x0", "65537", "1x65537", " 4"]
        {
            let error = text.parse::<ImageSize>().unwrap_err();
            assert!(error.hint().contains("height first"), "{text:?}: {error}");
            if text != " 4" {
                let error = Recipe::parse(Preset::Tp.text(), "tp", &[format!("data.size={text}")]).unwrap_err();
                assert!(error.to_string().contains("`data.size`: expected a whole number from 0"), "{text:?}: {error}");
            }
        }
        for value in ["[48, 64]", "true", "1.5", "-1", "{ height = 1 }"] {
            assert!(Recipe::parse(Preset::Tp.text(), "tp", &[format!("data.size={value}")]).is_err(), "{value}");
        }
    }
}
