//! Self-contained HTML pages: one file with its style and pictures inside, light or dark as the reader's system, for windows
//! of any width and for paper, and without a request to anywhere. What they look like is in `templates/`, where all text is
//! escaped; only charts and our own scripts are inserted as they are.

use std::io::Cursor;

use askama::Template;
use base64::prelude::{BASE64_STANDARD, Engine};
use image::{ImageFormat, ImageReader};

use crate::error::{Error, Result};

/// The text of a page.
///
/// # Errors
/// Where a part of it can't be written as text.
pub(crate) fn render(page: &impl Template) -> Result<String> {
    page.render()
        .map_err(|e| Error::run(format!("the page can't be written: {e}"), "report this with the run's folder"))
}

/// The program's mark, as the address of an image.
pub(crate) fn mark() -> String {
    format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(include_bytes!("../../templates/mark.svg")))
}

/// A PNG file inside a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    /// The file's bytes.
    pub base64: String,
    /// What it shows, for those who don't see it.
    pub alt: String,
    /// Width and height on the page, in CSS pixels.
    pub width: usize,
    pub height: usize,
}

impl Image {
    /// The PNG file `png` in its own size; none where it is not one.
    pub fn of_file(png: &[u8], alt: String) -> Option<Self> {
        png_size(png).map(|size| Self::new(png, alt, size))
    }

    /// The PNG file `png`, `size` wide and high.
    pub fn new(png: &[u8], alt: String, (width, height): (usize, usize)) -> Self {
        Self { base64: BASE64_STANDARD.encode(png), alt, width, height }
    }
}

/// Width and height of a PNG file, from its header.
pub fn png_size(png: &[u8]) -> Option<(usize, usize)> {
    let (width, height) = ImageReader::with_format(Cursor::new(png), ImageFormat::Png).into_dimensions().ok()?;
    Some((width as usize, height as usize))
}

/// Names that would be markup in a page that doesn't escape them, and what a page is made of.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod hostile {
    use proptest::prelude::*;

    const PARTS: &[&str] =
        &["<script>", "\"", "'", "<b onclick=\"x\">", "-->", "&lt;", "]]>", "{{name}}", "x", "é ", "`", "' onload='y"];

    /// Names with `<script>`, quotes and the like in them; without `/`, so that folders can have them.
    pub fn names() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(PARTS), 1..5).prop_map(|parts| format!("a{}z", parts.concat()))
    }

    /// The elements of a page in order, each with the names of its attributes.
    pub fn elements(page: &str) -> Vec<String> {
        let mut elements = Vec::new();
        let mut rest = page;
        while let Some(begin) = rest.find('<') {
            let (mut quoted, mut shape) = (false, String::new());
            let end = rest[begin..].find(|c| {
                quoted ^= c == '"';
                if !quoted {
                    shape.push(c);
                }
                c == '>' && !quoted
            });
            rest = &rest[begin + end.unwrap() + 1..];
            elements.push(shape);
        }
        elements
    }

    /// `text` as it is between tags or in an attribute.
    pub fn escaped(text: &str) -> String {
        let one = |c: char| if "&<>\"'".contains(c) { format!("&#{};", c as u32) } else { c.to_string() };
        text.chars().map(one).collect()
    }

    #[test]
    fn elements_are_told_apart_by_what_is_not_quoted() {
        assert_eq!(elements("a<p class=\"x>\">b</p><br>"), ["<p class=\">", "</p>", "<br>"]);
        assert_ne!(elements("<p title=\"x\">"), elements("<p title=\"x\" onclick=\"y\">"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_png_is_read_off_its_header() {
        use crate::data::ImageShape;
        use crate::render::{Picture, png};
        let shape = ImageShape { height: 3, width: 5, channels: 1 };
        let bytes = png::encode(&Picture { shape, bytes: vec![7; 15] }).unwrap();
        assert_eq!(png_size(&bytes), Some((5, 3)));
        assert_eq!((png_size(&bytes[..20]), png_size(b"GIF89a")), (None, None));
    }
}
