//! Decodes an image file: PNG, JPEG, WebP, GIF (first frame) or BMP, detected by content. The EXIF orientation is applied,
//! transparency is composited over white unless four channels are asked for, 16 bits are rounded to 8. Sizes are checked before
//! allocation.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, LumaA, Rgb, RgbImage, Rgba,
};

use crate::alpha;
use crate::dataset::ImageShape;
use crate::in_memory::MAX_SIDE;
use crate::resize::luma;

/// Memory limit for the pixels of an image (512 MiB).
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Maximum expansion of PNG's deflate.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// The message for an image on which the decoder panics.
pub(crate) const DECODER_FAILED: &str = "the decoder failed on it";

/// Decodes an image file to bytes, channels-last, in `channels` (1, 3 or 4), or as many as in the file, without alpha: 1 for
/// grey images.
///
/// # Errors
/// A description of what is wrong.
pub(crate) fn decode(bytes: &[u8], channels: Option<usize>) -> Result<(ImageShape, Vec<u8>), String> {
    // A decoder's panic on one unusual file must not end a long training.
    catch_unwind(AssertUnwindSafe(|| decode_trusting(bytes, channels)))
        .unwrap_or_else(|_| Err(DECODER_FAILED.to_owned()))
}

fn decode_trusting(bytes: &[u8], channels: Option<usize>) -> Result<(ImageShape, Vec<u8>), String> {
    let mut decoder = open(bytes)?;
    let orientation = decoder.orientation().map_err(plain)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(plain)?;
    if bytes.starts_with(&JPEG_START) && !jpeg_ends(bytes) {
        return Err("it ends before the image does (truncated JPEG)".to_owned());
    }
    image.apply_orientation(orientation);
    if channels == Some(4) {
        let shape = ImageShape { height: image.height() as usize, width: image.width() as usize, channels: 4 };
        let mut pixels = image.into_rgba8().into_raw();
        alpha::clear(&mut pixels);
        return Ok((shape, pixels));
    }
    let image = over_white(image);
    let channels = channels.unwrap_or(if image.color().has_color() { 3 } else { 1 });
    let shape = ImageShape { height: image.height() as usize, width: image.width() as usize, channels };
    Ok((shape, if channels == 1 { to_grey(image) } else { image.into_rgb8().into_raw() }))
}

/// Height and width of an image file, and whether it has transparent pixels; `None` if it can't be decoded. Files without
/// alpha are not decoded.
pub(super) fn look(bytes: &[u8]) -> Option<((usize, usize), bool)> {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let header = || {
        let mut decoder = open(bytes).ok()?;
        let turned = matches!(decoder.orientation().ok()?, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
        let (width, height) = decoder.dimensions();
        let size = if turned { (width, height) } else { (height, width) };
        Some(((size.0 as usize, size.1 as usize), decoder.color_type().has_alpha()))
    };
    let (size, may_be) = catch_unwind(AssertUnwindSafe(header)).ok().flatten()?;
    if !may_be {
        return Some((size, false));
    }
    let (_, pixels) = decode(bytes, Some(4)).ok()?;
    Some((size, pixels.chunks_exact(4).any(|pixel| pixel[3] < 255)))
}

/// Reads the header and checks the declared size.
fn open(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let format = reader.format();
    if !matches!(format, Some(Png | Jpeg | WebP | Gif | Bmp)) {
        return Err("it is not a PNG, JPEG, WebP, GIF or BMP image".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(plain)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err("its header claims no pixels".to_owned());
    }
    if u64::from(width.max(height)) > MAX_SIDE || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(format!("its header claims {width}x{height} pixels, more than the {MAX_SIDE}x{MAX_SIDE} allowed"));
    }
    // A pixel takes at least a bit.
    if format == Some(Png) && u64::from(width) * u64::from(height) / 8 > bytes.len() as u64 * MAX_DEFLATE_RATIO {
        return Err(format!("its header claims {width}x{height} pixels, more than it can hold"));
    }
    Ok(decoder)
}

/// Composites a transparent image over white.
fn over_white(image: DynamicImage) -> DynamicImage {
    let blend =
        |ink: u8, alpha: u8| ((u32::from(ink) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255) as u8;
    match (image.color().has_alpha(), image.color().has_color()) {
        (false, _) => image,
        (true, false) => {
            let image = image.into_luma_alpha8();
            GrayImage::from_fn(image.width(), image.height(), |x, y| {
                let LumaA([grey, alpha]) = *image.get_pixel(x, y);
                Luma([blend(grey, alpha)])
            })
            .into()
        }
        (true, true) => {
            let image = image.into_rgba8();
            RgbImage::from_fn(image.width(), image.height(), |x, y| {
                let Rgba([red, green, blue, alpha]) = *image.get_pixel(x, y);
                Rgb([red, green, blue].map(|ink| blend(ink, alpha)))
            })
            .into()
        }
    }
}

fn to_grey(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_color() {
        return image.into_luma8().into_raw();
    }
    image.into_rgb8().chunks_exact(3).map(luma).collect()
}

/// The first two bytes of a JPEG file.
const JPEG_START: [u8; 2] = [0xff, 0xd8];

/// Whether the end marker follows the first scan. The decoder would fill missing parts with grey without an error.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Skip the segments before the scan: an EXIF thumbnail has its own end marker.
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4).and_then(|four| four.first_chunk()) {
        if marker == 0xff {
            at += 1;
            continue;
        }
        if marker == 0xda {
            return bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}

fn plain(error: image::ImageError) -> String {
    error.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use image::{ImageBuffer, ImageEncoder};

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn ramp() -> DynamicImage {
        RgbImage::from_fn(6, 4, |x, y| Rgb([x as u8 * 40, y as u8 * 60, 7])).into()
    }

    /// Top left, top right, bottom left, bottom right.
    fn corners(bytes: &[u8]) -> [[u8; 3]; 4] {
        let (shape, pixels) = decode(bytes, Some(3)).unwrap();
        let at = |y: usize, x: usize| pixels[3 * (y * shape.width + x)..][..3].try_into().unwrap();
        let (bottom, right) = (shape.height - 1, shape.width - 1);
        [at(0, 0), at(0, right), at(bottom, 0), at(bottom, right)]
    }

    /// Every form in which images come, as Pillow sees it: file, channels, largest difference, corners. The files and
    /// this table come from tests/images/make.py.
    #[rustfmt::skip]
    const FORMS: [(&str, usize, u8, [[u8; 3]; 4]); 19] = [
        ("baseline.jpg", 3, 2, [[0, 1, 0], [218, 0, 110], [0, 226, 91], [218, 226, 203]]),
        ("progressive.jpg", 3, 2, [[0, 1, 0], [218, 0, 110], [0, 226, 91], [218, 226, 203]]),
        ("grey.jpg", 1, 2, [[0, 0, 0], [220, 220, 220], [0, 0, 0], [220, 220, 220]]),
        ("turned.jpg", 3, 2, [[0, 226, 91], [0, 1, 0], [218, 226, 203], [218, 0, 110]]),
        ("cmyk.jpg", 3, 2, [[215, 215, 215], [30, 215, 141], [215, 25, 154], [30, 25, 80]]),
        ("ycck.jpg", 3, 2, [[215, 214, 215], [31, 215, 142], [215, 26, 153], [29, 24, 80]]),
        ("rgb.png", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
        ("rgba.png", 3, 0, [[0, 0, 0], [248, 204, 226], [0, 225, 90], [248, 249, 244]]),
        ("grey-alpha.png", 1, 0, [[0, 0, 0], [248, 248, 248], [0, 0, 0], [248, 248, 248]]),
        ("grey16.png", 1, 0, [[0, 0, 0], [214, 214, 214], [25, 25, 25], [239, 239, 239]]),
        ("palette.png", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
        ("palette-alpha.png", 3, 0, [[40, 38, 35], [160, 38, 95], [255, 255, 255], [255, 255, 255]]),
        ("bit.png", 1, 0, [[0, 0, 0], [255, 255, 255], [255, 255, 255], [0, 0, 0]]),
        ("lossless.webp", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
        ("lossy.webp", 3, 3, [[1, 1, 1], [204, 9, 104], [13, 215, 92], [221, 228, 200]]),
        ("alpha.webp", 3, 0, [[0, 0, 0], [248, 204, 226], [0, 225, 90], [248, 249, 244]]),
        ("frames.gif", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
        ("rgb.bmp", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
        ("palette.bmp", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
    ];

    #[test]
    fn every_form_is_seen_as_pillow_sees_it() {
        for (name, channels, tolerance, expected) in FORMS {
            let bytes = sample(name);
            let (shape, _) = decode(&bytes, None).unwrap_or_else(|reason| panic!("{name}: {reason}"));
            let sides = if name == "turned.jpg" { (12, 10) } else { (10, 12) };
            assert_eq!(((shape.height, shape.width), shape.channels), (sides, channels), "{name}");
            let seen = corners(&bytes);
            let near =
                |(seen, expected): (&[u8; 3], &[u8; 3])| (0..3).all(|c| seen[c].abs_diff(expected[c]) <= tolerance);
            assert!(seen.iter().zip(&expected).all(near), "{name}: {seen:?} is not {expected:?}");
        }
    }

    #[test]
    fn content_tells_the_form_and_grey_is_the_usual_one() {
        let (shape, pixels) = decode(&encode(&ramp(), ImageFormat::Png), None).unwrap();
        assert_eq!((shape.to_string(), &pixels[21..24]), ("4x6x3".to_owned(), &[40, 60, 7][..]));
        let (shape, pixels) = decode(&encode(&ramp(), ImageFormat::Png), Some(1)).unwrap();
        // 0.299 * 40 + 0.587 * 60 + 0.114 * 7.
        assert_eq!((shape.channels, pixels[7]), (1, 48));
        let (shape, pixels) = decode(&encode(&GrayImage::new(2, 3).into(), ImageFormat::Png), Some(3)).unwrap();
        assert_eq!((shape.to_string(), pixels.len()), ("3x2x3".to_owned(), 18));
    }

    #[test]
    fn transparency_is_kept_where_four_channels_are_asked_for() {
        for (name, opaque) in [
            ("rgba.png", false),
            ("grey-alpha.png", false),
            ("palette-alpha.png", false),
            ("alpha.webp", false),
            ("rgb.png", true),
            ("grey.jpg", true),
        ] {
            let bytes = sample(name);
            let (shape, pixels) = decode(&bytes, Some(4)).unwrap();
            assert_eq!((shape.channels, pixels.len()), (4, shape.len()), "{name}");
            assert_eq!(pixels.chunks(4).all(|pixel| pixel[3] == 255), opaque, "{name}");
            assert_eq!(look(&bytes), Some(((shape.height, shape.width), !opaque)), "{name}");
            assert!(pixels.chunks(4).all(|pixel| pixel[3] > 0 || pixel[..3] == [0; 3]), "{name}");
            // Over white it is what three channels show.
            assert_eq!(alpha::over_white(&pixels), decode(&bytes, Some(3)).unwrap().1, "{name}");
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let levels = [0u16, 128, 129, 385, 386, 65_406, 65_407, 65_535, 32_767, 32_896, 1, 2];
        let image = ImageBuffer::<Rgb<u16>, _>::from_raw(2, 2, levels.to_vec()).unwrap();
        let (_, pixels) = decode(&encode(&image.into(), ImageFormat::Png), None).unwrap();
        assert_eq!(pixels, [0, 0, 1, 1, 2, 254, 255, 255, 127, 128, 0, 0]);
    }

    #[test]
    fn png_notes_turn_the_image_too() {
        // A minimal EXIF note: big-endian TIFF with the orientation tag 0x0112 = 6 (turn right).
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
        exif.extend([0; 4]);
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&ramp().into_rgb8(), 6, 4, image::ExtendedColorType::Rgb8).unwrap();
        let (shape, pixels) = decode(&bytes, None).unwrap();
        assert_eq!(shape.to_string(), "6x4x3");
        // The top right corner is what was at the top left.
        assert_eq!(pixels[9..12], [0, 0, 7]);
        assert_eq!(look(&bytes), Some(((6, 4), false)));
    }

    #[test]
    fn damaged_files_say_so() {
        for name in ["baseline.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "palette.png", "frames.gif", "rgb.bmp"] {
            let whole = sample(name);
            for length in [0, 1, 8, 20, whole.len() / 2, whole.len() - whole.len() / 4] {
                let error = decode(&whole[..length], None).expect_err(name);
                assert!(!error.is_empty() && error != DECODER_FAILED, "{name} {length}: {error}");
            }
        }
        for name in ["lossless.webp", "lossy.webp"] {
            let whole = sample(name);
            assert!(decode(&whole[..whole.len() / 2], None).is_err());
        }
        assert!(decode(&sample("arithmetic.jpg"), None).is_err(), "nobody decodes those");
        assert_eq!(decode(b"II*\0", None).unwrap_err(), "it is not a PNG, JPEG, WebP, GIF or BMP image");
        assert_eq!(decode(b"", None).unwrap_err(), "it is empty");
        assert!(look(b"").is_none() && look(&sample("rgba.png")[..60]).is_none());
    }

    #[test]
    fn a_png_that_claims_a_huge_size_is_refused() {
        let mut png = encode(&ramp(), ImageFormat::Png);
        let sizes = [(1u32 << 31, 1u32 << 31), (0x7fff_ffff, 1), (20_000, 20_000), (16_000, 10_000), (0, 5)];
        for (width, height) in sizes {
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            let mut crc = flate2::Crc::new();
            crc.update(&png[12..29]);
            let sum = crc.sum().to_be_bytes();
            png[29..33].copy_from_slice(&sum);
            assert!(decode(&png, None).is_err(), "{width}x{height}");
        }
    }
}
