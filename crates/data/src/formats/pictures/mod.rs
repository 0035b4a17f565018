//! Decodes an image file, whose format is detected by its content: PNG, JPEG, WebP, GIF, BMP, TIFF or PNM, also a numpy array; of
//! several frames the first. The EXIF orientation is applied, transparency is composited over a background, 16 bits are rounded to 8. Sizes are
//! checked before allocation.

mod array;
mod frames;
mod jpeg;
mod look;
mod orientation;
mod raster;
mod tiff;

use std::error::Error as _;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::alpha;
use crate::dataset::ImageShape;
use crate::in_memory::MAX_SIDE;
use crate::resize::ImageOptions;
use crate::signatures;
pub(crate) use array::extremes as array_extremes;
pub(crate) use look::{Look, divisor, glance, look, look_at};
use raster::{Raster, Samples};

/// Memory limit for the pixels of an image (512 MiB).
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Maximum expansion of PNG's deflate.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// The message for an image on which the decoder panics.
pub(crate) const DECODER_FAILED: &str = "the decoder failed on it";

/// The formats that are read, for messages.
pub(crate) const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP, TIFF or PNM";

/// Decodes an image file to bytes, channels-last, in `channels` (1, 3, or 4 with opacity), or as many as in the file: 1 for grey
/// images, else 3. Of `options`, background and range are used.
///
/// # Errors
/// A description of what is wrong.
pub(crate) fn decode(
    bytes: &[u8],
    channels: Option<usize>,
    options: &ImageOptions,
) -> Result<(ImageShape, Vec<u8>), String> {
    trusting(|| {
        let opened = open(bytes)?;
        let channels = channels.unwrap_or(if opened.raster.has_colour() { 3 } else { 1 });
        let size = (opened.raster.width, opened.raster.height);
        let mut pixels = opened.raster.into_bytes(channels, options)?;
        if channels == 4 {
            alpha::clear(&mut pixels);
        }
        let ((width, height), pixels) = orientation::upright(pixels, size, channels, opened.orientation);
        Ok((ImageShape { height, width, channels }, pixels))
    })
}

/// Runs a decoder: its panic on one unusual file must not end a long training.
fn trusting<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(DECODER_FAILED.to_owned()))
}

/// Whether a file with these first bytes is an image that is read.
pub(crate) fn is_image(start: &[u8]) -> bool {
    start.starts_with(&jpeg::START) || tiff::matches(start) || format(start).is_some()
}

/// Whether a file with these first 16 bytes is an image that is read, by bytes that other files hardly begin with.
pub(crate) fn is_clearly_image(start: &[u8]) -> bool {
    match format(start) {
        Some(ImageFormat::Pnm) => false,
        // Two letters, the length, and four bytes that are not used.
        Some(ImageFormat::Bmp) => start.get(6..10) == Some(&[0; 4]),
        _ => is_image(start),
    }
}

/// A decoded file.
struct Opened {
    raster: Raster,
    orientation: Option<u8>,
    /// What follows the image that is read, if anything does: `pages`, `frames`.
    more: Option<&'static str>,
}

fn open(bytes: &[u8]) -> Result<Opened, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bytes.starts_with(&jpeg::START) {
        let (raster, orientation) = jpeg::decode(bytes)?;
        return Ok(Opened { raster, orientation, more: None });
    }
    if array::matches(bytes) {
        return Ok(Opened { raster: array::decode(bytes)?, orientation: None, more: None });
    }
    if tiff::matches(bytes) {
        let page = tiff::decode(bytes)?;
        let more = page.more.then_some("pages");
        return Ok(Opened { raster: page.raster, orientation: page.orientation, more });
    }
    let format = format(bytes).ok_or_else(|| signatures::not_an_image(bytes))?;
    let orientation = match format {
        ImageFormat::Png => orientation::in_png(bytes),
        ImageFormat::WebP => orientation::in_webp(bytes),
        _ => None,
    };
    let raster = match format {
        ImageFormat::Png if !png_ends(bytes) => by_crate(&[bytes, PNG_END].concat(), format),
        _ => by_crate(bytes, format),
    };
    let more = frames::has_several(bytes, format).then_some("frames");
    Ok(Opened { raster: raster?, orientation, more })
}

/// The last chunk of every PNG file.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

/// Whether a PNG file has its last chunk, or breaks off within another one; some programs forget it.
fn png_ends(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4).and_then(|four| four.first_chunk()) {
        if bytes.get(at + 4..at + 8) == Some(b"IEND") {
            return true;
        }
        at += 12 + u32::from_be_bytes(*length).min(1 << 30) as usize;
    }
    at != bytes.len()
}

/// The format of a file that the crate `image` decodes.
fn format(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [b'B', b'M', ..] => Some(ImageFormat::Bmp),
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', ..] => Some(ImageFormat::Pnm),
        _ => None,
    }
}

/// Decodes a file with the crate `image`, after a check of the declared size.
fn by_crate(bytes: &[u8], format: ImageFormat) -> Result<Raster, String> {
    let plain = |error: image::ImageError| reason(&error, format, bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = None;
    limits.max_image_height = None;
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(plain)?;
    let ((width, height), kind) = (decoder.dimensions(), decoder.color_type());
    check_size(width as usize, height as usize, usize::from(kind.bytes_per_pixel()))?;
    // A pixel takes at least a bit.
    if format == ImageFormat::Png && u64::from(width) * u64::from(height) / 8 > bytes.len() as u64 * MAX_DEFLATE_RATIO {
        return Err(format!("its header claims {width}x{height} pixels, more than it can hold"));
    }
    raster(DynamicImage::from_decoder(decoder).map_err(plain)?)
}

/// What the crate `image` found wrong with a file.
fn reason(error: &ImageError, format: ImageFormat, bytes: &[u8]) -> String {
    let name = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        _ => "PNM",
    };
    let text = match (error, error.source()) {
        (ImageError::Decoding(_) | ImageError::Unsupported(_), Some(source)) => source.to_string(),
        _ => error.to_string(),
    };
    // The first lengths in a WebP file say where it ends; its decoder calls what is missing corrupt.
    let claimed = (format == ImageFormat::WebP)
        .then(|| Some(u32::from_le_bytes(*bytes.get(4..8)?.first_chunk()?) as usize))
        .flatten();
    let ends = matches!(error, ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof)
        || text.to_ascii_lowercase().contains("end of file")
        || claimed.is_some_and(|length| length > bytes.len());
    match error {
        _ if format == ImageFormat::Png && bytes.get(12..16) == Some(b"CgBI") => {
            "it is a PNG as apps of iPhones have it (CgBI), which is not read: convert it (pngcrush \
             -revert-iphone-optimizations)"
                .to_owned()
        }
        ImageError::Limits(_) => {
            format!("its header claims more than the {} MiB allowed for one image", MAX_DECODED_BYTES >> 20)
        }
        _ if ends => format!("it ends before the image does (truncated {name})"),
        // The names of parts of a file help nobody.
        ImageError::Decoding(_) => {
            let what = text.split(" while decoding ").next().unwrap_or_default();
            // Nor do the fields of a decoder.
            let what = what.split([':', '{']).next().unwrap_or_default();
            let what = what.split(". ").next().unwrap_or_default().trim();
            format!("it is a damaged {name}: {what}")
        }
        ImageError::Unsupported(_) => format!("it is a {name} of a kind that is not read: {text}"),
        _ => text,
    }
}

fn raster(image: DynamicImage) -> Result<Raster, String> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let channels = usize::from(image.color().channel_count());
    let samples = match image {
        DynamicImage::ImageLuma8(image) => Samples::Bytes(image.into_raw()),
        DynamicImage::ImageLumaA8(image) => Samples::Bytes(image.into_raw()),
        DynamicImage::ImageRgb8(image) => Samples::Bytes(image.into_raw()),
        DynamicImage::ImageRgba8(image) => Samples::Bytes(image.into_raw()),
        DynamicImage::ImageLuma16(image) => Samples::Words(image.into_raw()),
        DynamicImage::ImageLumaA16(image) => Samples::Words(image.into_raw()),
        DynamicImage::ImageRgb16(image) => Samples::Words(image.into_raw()),
        DynamicImage::ImageRgba16(image) => Samples::Words(image.into_raw()),
        _ => return Err("its values are of a type that is not read".to_owned()),
    };
    Ok(Raster { width, height, channels, samples })
}

/// Checks the declared size of an image of `depth` bytes per pixel.
///
/// # Errors
/// It has no pixels, or exceeds the limit for a side or for memory, which is named.
fn check_size(width: usize, height: usize, depth: usize) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err("its header claims no pixels".to_owned());
    }
    let claims = format!("its header claims {width}x{height} pixels");
    if width.max(height) as u64 > MAX_SIDE {
        return Err(format!("{claims}, more than the {MAX_SIDE} allowed on a side"));
    }
    let bytes = (width as u64).saturating_mul(height as u64).saturating_mul(depth as u64);
    if bytes > MAX_DECODED_BYTES {
        let [bytes, limit] = [bytes, MAX_DECODED_BYTES].map(|bytes| bytes >> 20);
        return Err(format!("{claims}, which take {bytes} MiB, more than the {limit} MiB allowed for one image"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
