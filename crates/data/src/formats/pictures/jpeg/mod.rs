//! JPEG files: sequential and progressive ones with Huffman codes, with components in one scan or several, of any resolution.
//! Pixels are those of libjpeg, which nearly every other program shows.
//!
//! Other decoders show what is missing of a truncated or damaged file as grey or noise, without an error, and some get components
//! in scans of their own wrong. Here every code must be there: a data set is better off without half an image.

mod bits;
mod frame;
mod huffman;
mod render;
mod scan;
mod segments;
mod transform;

use super::raster::{Raster, Samples};
use render::Colours;
use segments::Parsed;

/// The first bytes of a JPEG file.
pub const START: [u8; 3] = [0xff, 0xd8, 0xff];

/// Decodes the first image of a file; returns its EXIF orientation, too.
///
/// # Errors
/// It is truncated, damaged, or of a kind that is not read.
pub fn decode(bytes: &[u8]) -> Result<(Raster, Option<u8>), String> {
    let parsed = segments::parse(bytes)?;
    let colours = colours(&parsed)?;
    Ok((raster(&parsed, colours), parsed.orientation))
}

fn raster(parsed: &Parsed, colours: Colours) -> Raster {
    let (width, height) = (parsed.frame.width, parsed.frame.height);
    let pixels = render::pixels(&parsed.frame, colours);
    let channels = if colours == Colours::Grey { 1 } else { 3 };
    Raster { width, height, channels, samples: Samples::Bytes(pixels) }
}

/// Decodes a strip or tile of a TIFF file; `tables` is the JPEG file without an image that holds its tables. Colour differences become
/// RGB if `ycc`, other components stay as they are.
///
/// # Errors
/// As `decode`.
pub fn decode_part(bytes: &[u8], tables: &[u8], ycc: bool) -> Result<Raster, String> {
    let tables = tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables);
    let joined = if tables.is_empty() { bytes.to_vec() } else { [tables, bytes.get(2..).unwrap_or(&[])].concat() };
    let parsed = segments::parse(&joined)?;
    let colours = match (parsed.frame.components.len(), ycc) {
        (1, _) => Colours::Grey,
        (3, true) => Colours::YCbCr,
        (3, false) => Colours::Rgb,
        (count, _) => {
            return Err(format!(
                "it is a TIFF file with JPEG compression of {count} components, which is not read: save it as PNG"
            ));
        }
    };
    Ok(raster(&parsed, colours))
}

/// How the components are to be taken, by libjpeg's rules.
fn colours(parsed: &Parsed) -> Result<Colours, String> {
    let ids: Vec<u8> = parsed.frame.components.iter().map(|component| component.id).collect();
    Ok(match (ids.len(), parsed.adobe) {
        (1, _) => Colours::Grey,
        (3, _) if parsed.jfif => Colours::YCbCr,
        (3, Some(0)) => Colours::Rgb,
        (3, None) if ids == *b"RGB" => Colours::Rgb,
        (3, _) => Colours::YCbCr,
        (4, Some(2)) => Colours::Ycck,
        (4, _) => Colours::Cmyk,
        _ => return Err("it is a JPEG of two components, which is not read: save it as PNG".to_owned()),
    })
}

/// The reason for a file that contradicts the standard.
fn refused(what: &str) -> String {
    format!("it is a damaged JPEG: {what}")
}
