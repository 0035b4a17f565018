//! One image file to bytes: PNG or JPEG, told by content, upright as its EXIF note says, transparency over white.
//! Sizes are limited before anything is allocated.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::data::memory::MAX_SIDE;
use crate::data::source::ImageShape;

/// The largest file that is opened as an image (256 MiB).
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Where a header is nearly always complete; the rest of a large photograph need not be read for it (256 KiB).
const HEADER_BYTES: u64 = 256 << 10;

/// The most memory that decoding one image may take (1 GiB).
const MAX_DECODED_BYTES: u64 = 1 << 30;

/// Decodes an image file to bytes, channels-last: one channel where `grey`, else three.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn decode(path: &Path, grey: bool) -> Result<(ImageShape, Vec<u8>), String> {
    let bytes = read(path, u64::MAX)?;
    let mut decoder = open(&bytes)?;
    let orientation = decoder.orientation().map_err(plain)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(plain)?;
    if bytes.starts_with(&JPEG_START) && !jpeg_ends(&bytes) {
        return Err("it ends before the image does (truncated JPEG)".to_owned());
    }
    image.apply_orientation(orientation);
    let image = over_white(image);
    let shape = |channels| ImageShape { height: image.height() as usize, width: image.width() as usize, channels };
    Ok(if grey { (shape(1), to_grey(image)) } else { (shape(3), image.into_rgb8().into_raw()) })
}

/// The shape of an image file as `decode` would give it, from its header only; grey files have one channel.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn shape(path: &Path) -> Result<ImageShape, String> {
    header(&read(path, HEADER_BYTES)?).or_else(|_| header(&read(path, u64::MAX)?))
}

fn header(bytes: &[u8]) -> Result<ImageShape, String> {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let mut decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    let turned = matches!(decoder.orientation().map_err(plain)?, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let channels = if decoder.color_type().has_color() { 3 } else { 1 };
    Ok(ImageShape { height: height as usize, width: width as usize, channels })
}

/// The first `most` bytes of a file.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("it has {length} bytes, more than the {MAX_FILE_BYTES} allowed for one image"));
    }
    let mut bytes = Vec::with_capacity(length.min(most) as usize);
    file.take(most.min(MAX_FILE_BYTES)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Reads the header and holds its promise against the limits.
fn open(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err("it is neither PNG nor JPEG".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(plain)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width.max(height)) > MAX_SIDE || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(format!("its header claims {width}x{height} pixels, more than the {MAX_SIDE}x{MAX_SIDE} allowed"));
    }
    Ok(decoder)
}

/// Lays a transparent image over white paper.
fn over_white(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let mut rgba = image.into_rgba8();
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel[3]);
        for channel in 0..3 {
            let ink = u32::from(pixel[channel]) * alpha + 255 * (255 - alpha);
            pixel[channel] = ((ink + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    DynamicImage::ImageRgba8(rgba)
}

fn to_grey(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_color() {
        return image.into_luma8().into_raw();
    }
    let rgb = ImageShape { height: image.height() as usize, width: image.width() as usize, channels: 3 };
    crate::data::resize::fit(image.into_rgb8().into_raw(), rgb, ImageShape { channels: 1, ..rgb })
}

/// The first two bytes of a JPEG file.
const JPEG_START: [u8; 2] = [0xff, 0xd8];

/// True where the end marker follows the first scan. The decoder fills what is missing with grey and says nothing.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Walk over the segments before the scan: an EXIF thumbnail in one of them has an end marker of its own.
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
    use image::{GrayImage, ImageEncoder, LumaA, RgbImage};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn put(&self, name: &str, bytes: &[u8]) -> std::path::PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        }
    }

    fn folder() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn ramp() -> DynamicImage {
        RgbImage::from_fn(6, 4, |x, y| image::Rgb([x as u8 * 40, y as u8 * 60, 7])).into()
    }

    #[test]
    fn formats_are_told_by_content() {
        let folder = folder();
        let png = folder.put("really-a.jpg", &encode(&ramp(), ImageFormat::Png));
        let (shape_, pixels) = decode(&png, false).unwrap();
        assert_eq!(shape_, ImageShape { height: 4, width: 6, channels: 3 });
        assert_eq!(shape(&png).unwrap(), shape_);
        assert_eq!(pixels[3 * 7..3 * 8], [40, 60, 7]);
        let jpeg = folder.put("really-b.png", &encode(&ramp(), ImageFormat::Jpeg));
        assert_eq!(decode(&jpeg, true).unwrap().0, ImageShape { height: 4, width: 6, channels: 1 });
        let grey = folder.put("grey.png", &encode(&GrayImage::new(2, 3).into(), ImageFormat::Png));
        assert_eq!(shape(&grey).unwrap(), ImageShape { height: 3, width: 2, channels: 1 });
    }

    #[test]
    fn transparency_shows_white_paper() {
        let mut image = image::GrayAlphaImage::from_pixel(2, 1, LumaA([0, 0]));
        image.put_pixel(1, 0, LumaA([0, 51]));
        let folder = folder();
        let path = folder.put("a.png", &encode(&image.into(), ImageFormat::Png));
        assert_eq!(decode(&path, true).unwrap().1, [255, 204]);
    }

    #[test]
    fn exif_turns_the_image_upright() {
        // A minimal EXIF note: big-endian TIFF with the orientation tag 0x0112 = 6 (turn right).
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
        exif.extend([0; 4]);
        let rgb = ramp().into_rgb8();
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&rgb, 6, 4, image::ExtendedColorType::Rgb8).unwrap();
        let folder = folder();
        let path = folder.put("a.png", &bytes);
        assert_eq!(shape(&path).unwrap(), ImageShape { height: 6, width: 4, channels: 3 });
        let (turned, pixels) = decode(&path, false).unwrap();
        assert_eq!(turned, shape(&path).unwrap());
        // The top right corner is what was at the top left.
        assert_eq!(pixels[9..12], [0, 0, 7]);
    }

    #[test]
    fn damaged_files_say_so() {
        let folder = folder();
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let whole = encode(&ramp(), format);
            for length in [0, 1, 8, 20, whole.len() / 2, whole.len() * 3 / 4] {
                let path = folder.put("cut", &whole[..length]);
                let error = decode(&path, false).unwrap_err();
                assert!(!error.is_empty() && !error.contains("panic"), "{format:?} {length}: {error}");
            }
        }
        let gif = folder.put("a.gif", b"GIF89a\x01\0\x01\0\0\0\0");
        assert_eq!(decode(&gif, false).unwrap_err(), "it is neither PNG nor JPEG");
    }

    #[test]
    fn a_png_that_claims_a_huge_size_is_refused() {
        let mut png = encode(&ramp(), ImageFormat::Png);
        for (width, height) in [(1u32 << 31, 1u32 << 31), (0x7fff_ffff, 1), (20_000, 20_000)] {
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            let mut crc = flate2::Crc::new();
            crc.update(&png[12..29]);
            let sum = crc.sum().to_be_bytes();
            png[29..33].copy_from_slice(&sum);
            let folder = folder();
            let path = folder.put("a.png", &png);
            assert!(shape(&path).is_err() && decode(&path, false).is_err());
        }
    }
}
