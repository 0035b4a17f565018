//! The numbers of a TIFF image, from its strips or tiles.

use super::directory::Directory;
use super::packing::unpack;
use super::{Format, Layout, damaged, unread};
use crate::pictures::jpeg::decode_part;
use crate::pictures::raster::Samples;

/// A grid of strips or tiles.
struct Grid {
    width: usize,
    height: usize,
    across: usize,
    down: usize,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
}

/// Reads all values, pixel after pixel; `ycc` if a JPEG in it has colour differences.
///
/// # Errors
/// The file ends early, or uses what is not read.
pub fn read(bytes: &[u8], directory: &Directory, layout: &Layout, ycc: bool) -> Result<Vec<f32>, String> {
    let grid = grid(directory, layout)?;
    let compression = directory.number(259).unwrap_or(1);
    let predictor = directory.number(317).unwrap_or(1);
    if directory.number(266) == Some(2) {
        return Err(unread("bits in reversed order"));
    }
    let known = match predictor {
        1 => true,
        2 => layout.format != Format::Float && matches!(layout.bits, 8 | 16 | 32),
        3 => layout.format == Format::Float,
        _ => false,
    };
    if !known {
        return Err(unread(&format!("the predictor {predictor} for {} bits", layout.bits)));
    }
    if compression == 7 && (layout.bits != 8 || predictor != 1) {
        return Err(unread("JPEG compression of this kind"));
    }
    let tables: Vec<u8> = directory.numbers(347).unwrap_or_default().into_iter().map(|byte| byte as u8).collect();
    let (planes, together) = if layout.planar { (layout.samples, 1) } else { (1, layout.samples) };
    let in_row = grid.width * together;
    let row_bytes = (in_row * layout.bits).div_ceil(8);
    let mut values = vec![0.0f32; layout.width * layout.height * layout.samples];
    let mut row_values = vec![0.0f32; in_row];
    for index in 0..planes * grid.across * grid.down {
        let (plane, place) = (index / (grid.across * grid.down), index % (grid.across * grid.down));
        let (left, top) = (place % grid.across * grid.width, place / grid.across * grid.height);
        let rows = grid.height.min(layout.height - top);
        // Tiles are whole at the border, strips are not.
        let stored_rows = if grid.across > 1 || directory.number(322).is_some() { grid.height } else { rows };
        let chunk = chunk(bytes, &grid, index)?;
        let mut unpacked = if compression == 7 {
            jpeg(chunk, &tables, (grid.width, together), stored_rows, ycc)?
        } else {
            unpack(chunk, compression, stored_rows * row_bytes)?
        };
        for (y, row) in unpacked.chunks_exact_mut(row_bytes.max(1)).take(rows).enumerate() {
            numbers(row, layout, predictor, together, &mut row_values);
            let width = grid.width.min(layout.width - left);
            let start = ((top + y) * layout.width + left) * layout.samples + plane;
            if layout.planar {
                let place = values[start..].iter_mut().step_by(layout.samples);
                place.zip(&row_values[..width]).for_each(|(place, value)| *place = *value);
            } else {
                values[start..][..width * together].copy_from_slice(&row_values[..width * together]);
            }
        }
    }
    Ok(values)
}

/// A strip or tile that is a JPEG image of `width` pixels of `together` values and at least `rows` rows.
fn jpeg(
    chunk: &[u8],
    tables: &[u8],
    (width, together): (usize, usize),
    rows: usize,
    ycc: bool,
) -> Result<Vec<u8>, String> {
    let raster = decode_part(chunk, tables, ycc)?;
    match raster.samples {
        Samples::Bytes(bytes) if (raster.width, raster.channels) == (width, together) && raster.height >= rows => {
            Ok(bytes)
        }
        _ => Err(damaged("a strip")),
    }
}

fn grid(directory: &Directory, layout: &Layout) -> Result<Grid, String> {
    let side = |tag| directory.number(tag).and_then(|side| usize::try_from(side).ok()).filter(|side| *side > 0);
    let (width, height, offsets, lengths) = if directory.number(322).is_some() {
        let (Some(width), Some(height)) = (side(322), side(323)) else { return Err(damaged("its list of tiles")) };
        (width, height, directory.numbers(324), directory.numbers(325))
    } else {
        let rows = side(278).unwrap_or(layout.height).min(layout.height);
        (layout.width, rows, directory.numbers(273), directory.numbers(279))
    };
    super::check_size(width, height, 4 * layout.samples)?;
    let (across, down) = (layout.width.div_ceil(width), layout.height.div_ceil(height));
    let count = across * down * if layout.planar { layout.samples } else { 1 };
    let offsets = offsets.unwrap_or_default();
    // Without lengths, each strip may reach to the end of the file.
    let lengths = lengths.unwrap_or_else(|| vec![u64::MAX; offsets.len()]);
    if offsets.len() < count || lengths.len() < count {
        return Err(damaged("its list of strips"));
    }
    Ok(Grid { width, height, across, down, offsets, lengths })
}

/// The packed bytes of a strip or tile.
fn chunk<'a>(bytes: &'a [u8], grid: &Grid, index: usize) -> Result<&'a [u8], String> {
    let start = usize::try_from(grid.offsets[index]).ok().filter(|start| *start <= bytes.len());
    let start = start.ok_or_else(|| damaged("a strip"))?;
    let length = usize::try_from(grid.lengths[index]).unwrap_or(usize::MAX).min(bytes.len() - start);
    Ok(&bytes[start..start + length])
}

/// The numbers of a row, with `together` numbers in a pixel.
fn numbers(row: &mut [u8], layout: &Layout, predictor: u64, together: usize, values: &mut [f32]) {
    let width = layout.bits / 8;
    if predictor == 3 {
        // The bytes of all numbers, the most significant ones first, as differences.
        for at in together..row.len() {
            row[at] = row[at].wrapping_add(row[at - together]);
        }
        let count = values.len();
        let bits = |k: usize| (0..width).fold(0u64, |value, byte| value << 8 | u64::from(row[byte * count + k]));
        values.iter_mut().enumerate().for_each(|(k, value)| *value = number(bits(k), layout));
        return;
    }
    if layout.bits.is_multiple_of(8) {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let mut before = vec![0u64; together];
        for (k, (value, bytes)) in values.iter_mut().zip(row.chunks_exact(width)).enumerate() {
            let mut bits = if layout.big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
            if predictor == 2 {
                let before = &mut before[k % together];
                bits = bits.wrapping_add(*before) & (u64::MAX >> (64 - layout.bits));
                *before = bits;
            }
            *value = number(bits, layout);
        }
        return;
    }
    for (k, value) in values.iter_mut().enumerate() {
        let bit = |k: usize| u64::from(row[k / 8] >> (7 - k % 8) & 1);
        *value = (k * layout.bits..(k + 1) * layout.bits).fold(0, |value, k| value << 1 | bit(k)) as f32;
    }
}

/// A number from its bits.
fn number(bits: u64, layout: &Layout) -> f32 {
    match (layout.format, layout.bits) {
        (Format::Unsigned, _) => bits as f32,
        (Format::Signed, 8) => f32::from(bits as u8 as i8),
        (Format::Signed, 16) => f32::from(bits as u16 as i16),
        (Format::Signed, _) => bits as u32 as i32 as f32,
        (Format::Float, 16) => half(bits as u16),
        (Format::Float, 32) => f32::from_bits(bits as u32),
        (Format::Float, _) => f64::from_bits(bits) as f32,
    }
}

/// A float of 16 bits.
fn half(bits: u16) -> f32 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (1, 5.960_464_5e-8), (0x7bff, 65504.0)]
        {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan() && half(0x7c00) == f32::INFINITY);
    }
}
