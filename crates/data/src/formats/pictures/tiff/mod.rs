//! TIFF files: the first page of grey, RGB, palette and CMYK images of 1 to 64 bits, as whole numbers or floats, in strips or tiles,
//! interleaved or in planes, plain or packed with LZW, deflate, PackBits or JPEG. Others are refused by the name of what they use.

mod directory;
mod packing;
mod values;

use super::check_size;
use super::raster::{Raster, Samples};
use directory::Directory;

/// Whether a file with these first bytes is a TIFF file.
pub fn matches(start: &[u8]) -> bool {
    matches!(start.first_chunk(), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
}

/// An image of a TIFF file.
pub struct Page {
    pub raster: Raster,
    pub orientation: Option<u8>,
    /// Whether more images follow.
    pub more: bool,
}

/// What the header says of the image.
struct Layout {
    width: usize,
    height: usize,
    /// Values of a pixel, of which the first ones are its colour.
    samples: usize,
    bits: usize,
    format: Format,
    big: bool,
    planar: bool,
}

/// The kind of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Unsigned,
    Signed,
    Float,
}

/// Decodes the first image of a file.
///
/// # Errors
/// The file is damaged, or uses what is not read.
pub fn decode(bytes: &[u8]) -> Result<Page, String> {
    let directory = Directory::first(bytes)?;
    if is_raw(bytes, &directory) {
        return Err("it is a raw photo, which is not read: develop it to JPEG or PNG".to_owned());
    }
    let layout = layout(&directory)?;
    let mut photometric = directory.number(262).unwrap_or(if layout.samples >= 3 { 2 } else { 1 });
    let ycc = photometric == 6;
    if ycc && directory.number(259) == Some(7) {
        // What is unpacked are colours.
        photometric = 2;
    }
    let extra = directory.numbers(338).unwrap_or_default();
    let colours = match photometric {
        0 | 1 | 3 => 1,
        2 => 3,
        5 => 4,
        6 => 3,
        8..=10 => return Err(unread("CIE L*a*b* colours")),
        other => return Err(unread(&format!("colours of kind {other}"))),
    };
    if layout.samples < colours || (colours == 1 && layout.samples > 2) {
        return Err(unread(&format!("{} values per pixel of this kind", layout.samples)));
    }
    if photometric == 6 && directory.numbers(530).is_none_or(|factors| factors != [1, 1]) {
        return Err(unread("colour differences of lower resolution"));
    }
    let values = values::read(bytes, &directory, &layout, ycc)?;
    let alpha = match (extra.first(), layout.samples - colours) {
        (Some(1), 1..) => Some(true),
        (Some(2), 1..) => Some(false),
        _ => None,
    };
    let kept = colours + usize::from(alpha.is_some());
    let values = if kept < layout.samples {
        values.chunks_exact(layout.samples).flat_map(|pixel| &pixel[..kept]).copied().collect()
    } else {
        values
    };
    let image = Image { layout: &layout, values, kept, multiplied: alpha == Some(true) };
    let (channels, samples) = image.colours(photometric, &directory)?;
    let raster = Raster { width: layout.width, height: layout.height, channels, samples };
    let orientation = directory.number(u64::from(super::orientation::TAG)).and_then(|value| u8::try_from(value).ok());
    Ok(Page { raster, orientation, more: directory.more })
}

/// Whether it is a raw photo: the image of a Canon CR2, the values of a sensor, or a thumbnail before these (DNG, NEF, ARW).
fn is_raw(bytes: &[u8], directory: &Directory) -> bool {
    let has_values_elsewhere = directory.numbers(50_706).is_some() || directory.numbers(330).is_some();
    let is_thumbnail = directory.number(254).is_some_and(|kind| kind & 1 > 0);
    bytes.get(8..10) == Some(b"CR")
        || matches!(directory.number(262), Some(32_803 | 34_892))
        || (has_values_elsewhere && is_thumbnail)
}

fn layout(directory: &Directory) -> Result<Layout, String> {
    let number =
        |tag, usual| directory.number(tag).map_or(Ok(usual), usize::try_from).map_err(|_| damaged("its header"));
    let (width, height, samples) = (number(256, 0)?, number(257, 0)?, number(277, 1)?);
    let bits = directory.numbers(258).unwrap_or_else(|| vec![1]);
    let formats = directory.numbers(339).unwrap_or_else(|| vec![1]);
    let uniform = |values: &[u64]| values.first().copied().filter(|first| values.iter().all(|value| value == first));
    let (Some(bits), Some(format)) = (uniform(&bits), uniform(&formats)) else {
        return Err(unread("values of several types in a pixel"));
    };
    if !(1..=64).contains(&samples) {
        return Err(unread(&format!("{samples} values per pixel")));
    }
    // Its values are kept as floats.
    check_size(width, height, 4 * samples)?;
    let format = match (format, bits) {
        (1 | 4, 1..=16 | 32) => Format::Unsigned,
        (2, 8 | 16 | 32) => Format::Signed,
        (3, 16 | 32 | 64) => Format::Float,
        _ => return Err(unread(&format!("values of {bits} bits and format {format}"))),
    };
    Ok(Layout {
        width,
        height,
        samples,
        bits: bits as usize,
        format,
        big: directory.big,
        planar: directory.number(284) == Some(2),
    })
}

/// The values of an image, before their colours are known.
struct Image<'a> {
    layout: &'a Layout,
    values: Vec<f32>,
    /// Values of a pixel: its colour, and perhaps its opacity.
    kept: usize,
    /// Whether colours are multiplied by the opacity.
    multiplied: bool,
}

impl Image<'_> {
    /// Channels and samples, by the photometric interpretation.
    fn colours(mut self, photometric: u64, directory: &Directory) -> Result<(usize, Samples), String> {
        let full = self.full();
        match photometric {
            0 => match full {
                Some(full) => {
                    let kept = self.kept;
                    self.values.chunks_exact_mut(kept).for_each(|pixel| pixel[0] = full - pixel[0]);
                }
                None => return Err(unread("signed numbers of which 0 is white")),
            },
            3 => {
                let table = directory.numbers(320).unwrap_or_default();
                return palette(&self.values, self.kept, self.layout.bits, &table)
                    .map(|bytes| (3, Samples::Bytes(bytes)));
            }
            5 | 6 => {
                let Some(full) = full.filter(|_| self.kept <= 4) else { return Err(unread("ink with opacity")) };
                let pixel = |pixel: &[f32]| if photometric == 5 { ink(pixel, full) } else { ycc(pixel, full) };
                let bytes = self.values.chunks_exact(self.kept).flat_map(pixel).collect();
                return Ok((3, Samples::Bytes(bytes)));
            }
            _ => {}
        }
        if let (true, Some(full)) = (self.multiplied, full) {
            for pixel in self.values.chunks_exact_mut(self.kept) {
                if let Some((alpha, colours)) = pixel.split_last_mut()
                    && *alpha > 0.0
                {
                    colours.iter_mut().for_each(|value| *value = (*value * full / *alpha).clamp(0.0, full));
                }
            }
        }
        Ok((self.kept, self.samples(full)))
    }

    /// The value that is white by the type of the numbers.
    fn full(&self) -> Option<f32> {
        match (self.layout.format, self.layout.bits) {
            (Format::Float, _) => Some(1.0),
            (Format::Unsigned, bits @ 1..=16) => Some(((1u32 << bits) - 1) as f32),
            _ => None,
        }
    }

    fn samples(self, full: Option<f32>) -> Samples {
        let bits = self.layout.bits;
        match (self.layout.format, full) {
            (Format::Unsigned, Some(full)) if bits <= 8 => {
                Samples::Bytes(self.values.iter().map(|value| (value * 255.0 / full).round() as u8).collect())
            }
            (Format::Unsigned, Some(_)) if bits == 16 => {
                Samples::Words(self.values.iter().map(|value| value.round() as u16).collect())
            }
            (format, full) => {
                let kind = match format {
                    Format::Unsigned => "whole numbers",
                    Format::Signed => "signed numbers",
                    Format::Float => "floats",
                };
                let range = full.map(|full| (0.0, full));
                Samples::Numbers { values: self.values, kind: format!("{bits}-bit {kind}"), range }
            }
        }
    }
}

/// The colours of palette indices.
fn palette(values: &[f32], kept: usize, bits: usize, table: &[u64]) -> Result<Vec<u8>, String> {
    let count = 1 << bits.min(16);
    if bits > 16 || table.len() < 3 * count {
        return Err(damaged("its palette"));
    }
    // Entries have 16 bits; some programs write 8.
    let shift = if table.iter().all(|&entry| entry < 256) { 0 } else { 8 };
    let colour = |pixel: &[f32]| {
        let index = (pixel[0] as usize).min(count - 1);
        [0, 1, 2].map(|channel| (table[channel * count + index] >> shift).min(255) as u8)
    };
    Ok(values.chunks_exact(kept).flat_map(colour).collect())
}

/// Cyan, magenta, yellow and black ink as RGB.
fn ink(pixel: &[f32], full: f32) -> [u8; 3] {
    [0, 1, 2].map(|channel| ((full - pixel[channel]) * (full - pixel[3]) / (full * full) * 255.0).round() as u8)
}

/// Brightness and colour differences (BT.601) as RGB.
fn ycc(pixel: &[f32], full: f32) -> [u8; 3] {
    let [y, cb, cr] = [0, 1, 2].map(|channel| pixel[channel] * 255.0 / full);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}

fn unread(what: &str) -> String {
    format!("it is a TIFF file with {what}, which is not read: save it with 8 or 16 bits in grey or RGB, or as PNG")
}

fn damaged(what: &str) -> String {
    format!("it is a damaged TIFF file: {what} ends early or is impossible")
}
