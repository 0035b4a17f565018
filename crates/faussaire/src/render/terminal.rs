//! Images as text: in colour, each character is two pixels, the upper half block's foreground and background; where a
//! terminal has no colours, characters from light to dark stand for a pixel each. Wide strips are broken into rows, and
//! images are made smaller until they fit.

use super::Images;
use super::shrink::shrink;
use crate::data::ImageShape;
use crate::error::{Error, Result};

/// Images in a strip.
const STRIP: usize = 10;

/// Images are made no narrower than this to stand side by side: below it digits can't be read.
const READABLE: usize = 14;

/// Blank columns between images.
const GAP: usize = 1;

/// Characters from black to white.
const SHADES: &[u8] = b" .:-=+*#%@";

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// 16 million colours.
    Full,
    /// The usual 256 colours: 26 levels of grey, a cube of 216 colours.
    Indexed,
    /// None: text only.
    Plain,
}

impl Colours {
    /// What the environment says of the terminal (`NO_COLOR`, `TERM`, `COLORTERM`). Whether there is a terminal at all
    /// is for the caller to find out.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same, with `variable` in place of the environment.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let holds = |name: &str, words: &[&str]| {
            variable(name).is_some_and(|value| words.iter().any(|word| value.contains(word)))
        };
        let term = variable("TERM").unwrap_or_default();
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Self::Plain
        } else if holds("COLORTERM", &["truecolor", "24bit"]) || holds("TERM", &["direct"]) {
            Self::Full
        } else if term.is_empty() {
            Self::Plain
        } else {
            Self::Indexed
        }
    }
}

/// The first ten images for the terminal that the environment describes: its colours, and `COLUMNS` (80 where it
/// isn't set).
///
/// # Errors
/// As [`draw`].
pub fn strip(images: &Images) -> Result<String> {
    let columns = std::env::var("COLUMNS").ok().and_then(|value| value.parse().ok());
    let first =
        Images { shape: images.shape, bytes: images.bytes.iter().copied().take(STRIP * images.shape.len()).collect() };
    draw(&first, columns.filter(|&columns| columns > 0).unwrap_or(80), Colours::from_environment())
}

/// All images, in lines of at most `columns` characters, each line ended by a line feed.
///
/// # Errors
/// Where there is no image, or no column.
pub fn draw(images: &Images, columns: usize, colours: Colours) -> Result<String> {
    images.check()?;
    if columns == 0 {
        return Err(Error::usage("images can't be drawn 0 columns wide", "expected at least 1 column"));
    }
    let images = &images.over_white();
    let across = across(images, columns);
    let (height, width) = tile_size(images.shape, columns, across, colours);
    let shape = ImageShape { height, width, channels: images.shape.channels };
    let tiles: Vec<Vec<u8>> = (images.bytes.chunks_exact(images.shape.len()))
        .map(|image| shrink(image, images.shape, height, width))
        .collect();
    let mut text = String::new();
    for row in tiles.chunks(across) {
        for top in (0..height).step_by(if colours == Colours::Plain { 1 } else { 2 }) {
            for (index, tile) in row.iter().enumerate() {
                text.push_str(if index > 0 { " " } else { "" });
                write_line(tile, shape, top, colours, &mut text);
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }
    Ok(text)
}

/// How many images stand side by side: as many as stay readable, spread evenly over the rows.
fn across(images: &Images, columns: usize) -> usize {
    let narrowest = images.shape.width.min(READABLE.max(images.shape.width / 4));
    let most = ((columns + GAP) / (narrowest + GAP)).clamp(1, images.len());
    images.len().div_ceil(images.len().div_ceil(most))
}

/// Height and width in pixels at which images are drawn. Without colours a pixel is a character, twice as high as wide.
fn tile_size(shape: ImageShape, columns: usize, across: usize, colours: Colours) -> (usize, usize) {
    let width = ((columns + GAP) / across).saturating_sub(GAP).clamp(1, shape.width);
    let flat = if colours == Colours::Plain { 2 } else { 1 };
    let height = (shape.height * width + flat * shape.width / 2) / (flat * shape.width);
    (height.clamp(1, shape.height), width)
}

/// Appends one line of characters: row `top` of the tile, and in colour also the row below it.
fn write_line(tile: &[u8], shape: ImageShape, top: usize, colours: Colours, text: &mut String) {
    let pixel = |row: usize, column: usize| {
        let start = (row * shape.width + column) * shape.channels;
        match tile.get(start..start + shape.channels) {
            Some(&[red, green, blue]) => Some([red, green, blue]),
            Some(&[grey]) => Some([grey; 3]),
            _ => None,
        }
    };
    let mut last = (String::new(), String::new());
    for column in 0..shape.width {
        let upper = pixel(top, column).unwrap_or_default();
        if colours == Colours::Plain {
            let level = usize::from(luminance(upper)) * SHADES.len() / 256;
            text.push(char::from(SHADES[level]));
            continue;
        }
        let fore = code(38, upper, colours);
        let back = pixel(top + 1, column).map_or("49".to_owned(), |lower| code(48, lower, colours));
        if fore != last.0 || back != last.1 {
            let parts: Vec<&str> = [(&fore, &last.0), (&back, &last.1)]
                .into_iter()
                .filter(|(new, old)| new != old)
                .map(|(new, _)| new.as_str())
                .collect();
            text.push_str(&format!("\x1b[{}m", parts.join(";")));
            last = (fore, back);
        }
        text.push('▀');
    }
    if colours != Colours::Plain {
        text.push_str("\x1b[0m");
    }
}

/// The terminal's code for a colour, in the foreground (38) or the background (48).
fn code(ground: u8, pixel: [u8; 3], colours: Colours) -> String {
    let [red, green, blue] = pixel;
    if colours == Colours::Full {
        return format!("{ground};2;{red};{green};{blue}");
    }
    let index = if red == green && green == blue { grey_index(red) } else { cube_index(pixel) };
    format!("{ground};5;{index}")
}

/// The nearest of black, 24 greys (8, 18, ... 238) and white.
fn grey_index(grey: u8) -> u8 {
    match grey {
        0..=3 => 16,
        247.. => 231,
        _ => 232 + (grey.saturating_sub(3) / 10).min(23),
    }
}

/// The nearest colour of the 6 x 6 x 6 cube, whose levels are 0, 95, 135, 175, 215 and 255.
fn cube_index(pixel: [u8; 3]) -> u8 {
    let [red, green, blue] = pixel.map(|value| match value {
        0..=47 => 0,
        48..=114 => 1,
        _ => (value - 35) / 40,
    });
    16 + 36 * red + 6 * green + blue
}

/// Brightness of a colour (the weights of ITU-R BT.601).
fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn images(count: usize, side: usize, bytes: &[u8]) -> Images {
        let shape = ImageShape { height: side, width: side, channels: bytes.len() / (side * side) };
        Images { shape, bytes: bytes.repeat(count) }
    }

    /// The text without its colours.
    fn bare(text: &str) -> String {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |bare, part| bare + part.split_once('m').unwrap().1)
    }

    #[test]
    fn two_pixels_make_a_character() {
        let image = images(1, 2, &[0, 255, 8, 128]);
        let full = draw(&image, 80, Colours::Full).unwrap();
        let expected = "\x1b[38;2;0;0;0;48;2;8;8;8m▀\x1b[38;2;255;255;255;48;2;128;128;128m▀\x1b[0m\n";
        assert_eq!(full, expected);
        let indexed = draw(&image, 80, Colours::Indexed).unwrap();
        assert_eq!(indexed, "\x1b[38;5;16;48;5;232m▀\x1b[38;5;231;48;5;244m▀\x1b[0m\n");
    }

    #[test]
    fn a_colour_is_named_only_where_it_changes() {
        let bytes = [[9, 8, 7], [9, 8, 7], [1, 2, 3], [4, 5, 6]].concat();
        let text = draw(&images(1, 2, &bytes), 80, Colours::Full).unwrap();
        assert_eq!(text, "\x1b[38;2;9;8;7;48;2;1;2;3m▀\x1b[48;2;4;5;6m▀\x1b[0m\n");
        // An odd last row has the terminal's own background under it.
        let text = draw(&images(1, 1, &[255, 0, 0]), 80, Colours::Indexed).unwrap();
        assert_eq!(text, "\x1b[38;5;196;49m▀\x1b[0m\n");
    }

    #[test]
    fn without_colours_shades_are_characters() {
        let shape = ImageShape { height: 2, width: 10, channels: 1 };
        let bytes: Vec<u8> = (0..20).map(|i| (i % 10 * 28) as u8).collect();
        let text = draw(&Images { shape, bytes }, 80, Colours::Plain).unwrap();
        // Two rows are one line: a character is twice as high as wide. Blanks at the end of a line are left out.
        assert_eq!(text, " .:-=+*#%@\n");
        assert_eq!(draw(&images(1, 2, &[0; 4]), 80, Colours::Plain).unwrap(), "\n");
    }

    #[test]
    fn lines_fit_and_rows_are_even() {
        for colours in [Colours::Full, Colours::Indexed, Colours::Plain] {
            for columns in [1, 2, 13, 40, 79, 80, 120, 200, 500] {
                let text = bare(&draw(&images(10, 28, &[255; 784]), columns, colours).unwrap());
                let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
                assert!(widths.iter().all(|&width| width <= columns), "{columns}: {widths:?}");
                assert!(widths.iter().all(|&width| 10 * width > 6 * columns.min(289)), "{columns}: {widths:?}");
            }
        }
        let lines = |columns| draw(&images(10, 28, &[9; 784]), columns, Colours::Full).unwrap().lines().count();
        // Ten at full size; two rows of five at 15 x 15; a column of ten at 10 x 10.
        assert_eq!((lines(500), lines(80), lines(10)), (14, 2 * 8, 10 * 5));
    }

    #[test]
    fn images_stand_in_order() {
        let shape = ImageShape { height: 1, width: 1, channels: 1 };
        let three = Images { shape, bytes: vec![255, 0, 255] };
        assert_eq!(draw(&three, 80, Colours::Plain).unwrap(), "@   @\n");
        assert_eq!(draw(&three, 3, Colours::Plain).unwrap(), "@\n@\n");
    }

    #[test]
    fn levels_are_the_nearest_of_the_palette() {
        let grey = |index: u8| match index {
            16 => 0,
            231 => 255,
            _ => 8 + 10 * (i32::from(index) - 232),
        };
        for value in 0..=255u8 {
            let distance = |index: u8| (grey(index) - i32::from(value)).abs();
            let best = (231..=255).chain([16]).map(distance).min().unwrap();
            assert_eq!(distance(grey_index(value)), best, "{value}");
            let levels = [0i32, 95, 135, 175, 215, 255];
            let distance = |level: i32| (level - i32::from(value)).abs();
            let best = levels.into_iter().map(distance).min().unwrap();
            let blue = cube_index([0, 0, value]) - 16;
            assert_eq!(distance(levels[usize::from(blue)]), best, "{value}");
        }
        assert_eq!(cube_index([255, 0, 135]), 16 + 36 * 5 + 2);
    }

    #[test]
    fn the_environment_decides_on_colours() {
        let colours = |variables: &[(&str, &str)]| {
            Colours::from_variables(|name| {
                variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(colours(&[xterm, ("COLORTERM", "truecolor")]), Colours::Full);
        assert_eq!(colours(&[xterm]), Colours::Indexed);
        assert_eq!(colours(&[xterm, ("NO_COLOR", "")]), Colours::Indexed);
        assert_eq!(colours(&[xterm, ("COLORTERM", "24bit"), ("NO_COLOR", "1")]), Colours::Plain);
        assert_eq!(colours(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Colours::Plain);
        assert_eq!(colours(&[]), Colours::Plain);
    }

    #[test]
    fn nothing_to_draw_or_nowhere_is_an_error() {
        assert!(draw(&images(1, 2, &[0; 4]), 0, Colours::Full).is_err());
        let none = Images { bytes: Vec::new(), ..images(1, 2, &[0; 4]) };
        assert!(draw(&none, 80, Colours::Full).is_err());
        assert!(strip(&none).is_err());
    }
}
