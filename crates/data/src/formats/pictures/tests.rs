//! Images of every form, against what Pillow shows.

mod jpeg;
mod simple;
mod turned;

use super::*;
use crate::background::Background;
use crate::testing::sample;
use image::{GrayImage, ImageBuffer, ImageEncoder, Rgb, RgbImage};

/// `decode` without options.
fn read(bytes: &[u8], channels: Option<usize>) -> Result<(ImageShape, Vec<u8>), String> {
    decode(bytes, channels, &ImageOptions::default())
}

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
    let (shape, pixels) = read(bytes, Some(3)).unwrap();
    let at = |y: usize, x: usize| pixels[3 * (y * shape.width + x)..][..3].try_into().unwrap();
    let (bottom, right) = (shape.height - 1, shape.width - 1);
    [at(0, 0), at(0, right), at(bottom, 0), at(bottom, right)]
}

/// Every form in which images come, as Pillow sees it: file, channels, largest difference, corners. The files and
/// this table come from tests/images/make.py.
#[rustfmt::skip]
const FORMS: [(&str, usize, u8, [[u8; 3]; 4]); 19] = [
    ("baseline.jpg", 3, 0, [[0, 1, 0], [218, 0, 110], [0, 226, 91], [218, 226, 203]]),
    ("progressive.jpg", 3, 0, [[0, 1, 0], [218, 0, 110], [0, 226, 91], [218, 226, 203]]),
    ("grey.jpg", 1, 0, [[0, 0, 0], [220, 220, 220], [0, 0, 0], [220, 220, 220]]),
    ("turned.jpg", 3, 0, [[0, 226, 91], [0, 1, 0], [218, 226, 203], [218, 0, 110]]),
    ("cmyk.jpg", 3, 1, [[215, 215, 215], [30, 215, 141], [215, 25, 154], [30, 25, 80]]),
    ("ycck.jpg", 3, 1, [[215, 214, 215], [31, 215, 142], [215, 26, 153], [29, 24, 80]]),
    ("rgb.png", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
    ("rgba.png", 3, 0, [[0, 0, 0], [248, 204, 226], [0, 225, 90], [248, 249, 244]]),
    ("grey-alpha.png", 1, 0, [[0, 0, 0], [248, 248, 248], [0, 0, 0], [248, 248, 248]]),
    ("grey16.png", 1, 0, [[0, 0, 0], [214, 214, 214], [25, 25, 25], [239, 239, 239]]),
    ("palette.png", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
    ("palette-alpha.png", 3, 0, [[40, 38, 35], [160, 38, 95], [255, 255, 255], [255, 255, 255]]),
    ("bit.png", 1, 0, [[0, 0, 0], [255, 255, 255], [255, 255, 255], [0, 0, 0]]),
    ("lossless.webp", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
    ("lossy.webp", 3, 2, [[1, 1, 1], [204, 9, 104], [13, 215, 92], [221, 228, 200]]),
    ("alpha.webp", 3, 0, [[0, 0, 0], [248, 204, 226], [0, 225, 90], [248, 249, 244]]),
    ("frames.gif", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
    ("rgb.bmp", 3, 0, [[0, 0, 0], [220, 0, 110], [0, 225, 90], [220, 225, 200]]),
    ("palette.bmp", 3, 0, [[40, 0, 20], [190, 50, 115], [40, 213, 105], [190, 213, 180]]),
];

#[test]
fn every_form_is_seen_as_pillow_sees_it() {
    for (name, channels, tolerance, expected) in FORMS {
        let bytes = sample(name);
        let (shape, _) = read(&bytes, None).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let sides = if name == "turned.jpg" { (12, 10) } else { (10, 12) };
        assert_eq!(((shape.height, shape.width), shape.channels), (sides, channels), "{name}");
        let seen = corners(&bytes);
        let near = |(seen, expected): (&[u8; 3], &[u8; 3])| (0..3).all(|c| seen[c].abs_diff(expected[c]) <= tolerance);
        assert!(seen.iter().zip(&expected).all(near), "{name}: {seen:?} is not {expected:?}");
    }
}

/// Forms that are decoded by programs of our own, with the CRC-32 of their pixels, which are exactly those of Pillow. From
/// tests/images/make.py, too.
const EXACT: [(&str, u32); 23] = [
    ("422.jpg", 0xe412_33b7),
    ("420.jpg", 0xae0f_3223),
    ("440.jpg", 0x28c5_d042),
    ("411.jpg", 0xa5fa_7d6f),
    ("mixed.jpg", 0x0395_05d1),
    ("420-progressive.jpg", 0xae0f_3223),
    ("420-restart.jpg", 0xae0f_3223),
    ("420-progressive-restart.jpg", 0xae0f_3223),
    ("420-scans.jpg", 0xae0f_3223),
    ("grey-odd.jpg", 0xe2f6_526e),
    ("rgb.jpg", 0x2579_d164),
    ("lzw.tif", 0xbc9d_691a),
    ("big-endian.tif", 0xbc9d_691a),
    ("tiles.tif", 0xbc9d_691a),
    ("white-is-zero.tif", 0x9d13_5a73),
    ("float.tif", 0x9d13_5a73),
    ("half.tif", 0x9d13_5a73),
    ("bigtiff.tif", 0xbc9d_691a),
    ("opacity.tif", 0x4628_533d),
    ("palette.tif", 0x7097_7daa),
    ("bilevel.tif", 0xeecc_597d),
    ("cmyk.tif", 0xbc9d_691a),
    ("jpeg.tif", 0x5b22_663f),
];

#[test]
fn every_pixel_is_that_of_pillow() {
    for (name, sum) in EXACT {
        let (shape, pixels) = read(&sample(name), Some(3)).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let mut crc = flate2::Crc::new();
        crc.update(&pixels);
        assert_eq!((shape.height, shape.width, crc.sum()), (21, 37, sum), "{name}");
    }
}

#[test]
fn tiff_files_that_break_off_say_so() {
    for (name, _) in EXACT.iter().filter(|(name, _)| name.ends_with(".tif")) {
        let whole = sample(name);
        for length in [8, 20, whole.len() / 2] {
            let reason = read(&whole[..length], None).expect_err(name);
            assert!(reason.contains("TIFF") && reason != DECODER_FAILED, "{name} {length}: {reason}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_plainly() {
    for (name, part, said) in [
        ("rgb.png", 2, "truncated PNG"),
        ("lossy.webp", 2, "truncated WebP"),
        ("frames.gif", 4, "truncated GIF"),
        ("rgb.bmp", 2, "truncated BMP"),
    ] {
        let whole = sample(name);
        let reason = read(&whole[..whole.len() / part], None).unwrap_err();
        assert!(reason.contains(said), "{name}: {reason}");
    }
    let mut damaged = sample("rgb.png");
    let at = damaged.windows(4).position(|name| name == b"IDAT").unwrap() + 9;
    damaged[at] ^= 0x10;
    let reason = read(&damaged, None).unwrap_err();
    assert!(reason.starts_with("it is a damaged PNG: ") && !reason.contains("ChunkType"), "{reason}");
    // A raw photo is a TIFF file that holds a thumbnail; this one begins as Canon's do.
    let raw = [&b"II*\0\x10\0\0\0CR\x02\0"[..], &[0; 20]].concat();
    assert!(read(&raw, None).unwrap_err().starts_with("it is a raw photo"));
}

#[test]
fn content_tells_the_form_and_grey_is_the_usual_one() {
    let (shape, pixels) = read(&encode(&ramp(), ImageFormat::Png), None).unwrap();
    assert_eq!((shape.to_string(), &pixels[21..24]), ("4x6x3".to_owned(), &[40, 60, 7][..]));
    let (shape, pixels) = read(&encode(&ramp(), ImageFormat::Png), Some(1)).unwrap();
    // 0.299 * 40 + 0.587 * 60 + 0.114 * 7.
    assert_eq!((shape.channels, pixels[7]), (1, 48));
    let (shape, pixels) = read(&encode(&GrayImage::new(2, 3).into(), ImageFormat::Png), Some(3)).unwrap();
    assert_eq!((shape.to_string(), pixels.len()), ("3x2x3".to_owned(), 18));
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let levels = [0u16, 128, 129, 385, 386, 65_406, 65_407, 65_535, 32_767, 32_896, 1, 2];
    let image = ImageBuffer::<Rgb<u16>, _>::from_raw(2, 2, levels.to_vec()).unwrap();
    let (_, pixels) = read(&encode(&image.into(), ImageFormat::Png), None).unwrap();
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
    let (shape, pixels) = read(&bytes, None).unwrap();
    assert_eq!(shape.to_string(), "6x4x3");
    // The top right corner is what was at the top left.
    assert_eq!(pixels[9..12], [0, 0, 7]);
}

#[test]
fn damaged_files_say_so() {
    for name in ["baseline.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "palette.png", "frames.gif", "rgb.bmp"] {
        let whole = sample(name);
        for length in [0, 1, 8, 20, whole.len() / 2, whole.len() - whole.len() / 4] {
            let error = read(&whole[..length], None).expect_err(name);
            assert!(!error.is_empty() && error != DECODER_FAILED, "{name} {length}: {error}");
        }
    }
    for name in ["lossless.webp", "lossy.webp"] {
        let whole = sample(name);
        assert!(read(&whole[..whole.len() / 2], None).is_err());
    }
    assert!(read(&sample("arithmetic.jpg"), None).is_err(), "nobody decodes those");
    assert!(read(b"II*\0", None).unwrap_err().starts_with("it is a damaged TIFF file"));
    assert_eq!(read(b"\x01\x02", None).unwrap_err(), format!("it is not a {FORMATS} image"));
    assert_eq!(read(b"", None).unwrap_err(), "it is empty");
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
        let reason = read(&png, None).expect_err("too large");
        // Which limit it is: one side, or all pixels.
        let expected = match (width, height) {
            (16_000, 10_000) => "it can hold",
            (20_000, _) => "more than the 16384 allowed on a side",
            _ => "",
        };
        assert!(reason.contains(expected), "{width}x{height}: {reason}");
    }
}

#[test]
fn limits_are_told_apart() {
    assert_eq!(check_size(16_384, 1, 3), Ok(()));
    let reason = |width, height, depth| check_size(width, height, depth).unwrap_err();
    assert_eq!(reason(16_385, 1, 3), "its header claims 16385x1 pixels, more than the 16384 allowed on a side");
    let bytes = "its header claims 16384x16384 pixels, which take 768 MiB, more than the 512 MiB allowed for one image";
    assert_eq!(reason(16_384, 16_384, 3), bytes);
    assert_eq!(reason(0, 4, 1), "its header claims no pixels");
}

#[test]
fn what_no_decoder_takes_is_called_by_its_name() {
    assert!(read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", None).unwrap_err().starts_with("it is a HEIC image"));
    assert!(read(b"<!DOCTYPE html><title>404</title>", None).unwrap_err().starts_with("it is a web page"));
    // A tiny 12-bit file: only its frame header is reached.
    let twelve = b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x08\0\x08\x01\x01\x11\0";
    assert!(read(twelve, None).unwrap_err().contains("12 bits per sample"));
    assert!(read(&sample("arithmetic.jpg"), None).unwrap_err().contains("arithmetic coding"));
}

#[test]
fn the_look_of_an_image_is_described() {
    let (looked, options) = (|name: &str, options| look(&sample(name), &options).unwrap(), ImageOptions::default());
    let plain = looked("rgb.png", options);
    assert_eq!((plain.height, plain.width, plain.has_colour, plain.is_grey), (10, 12, true, false));
    assert_eq!((plain.clear, plain.uniform_over, plain.span), (0.0, None, Some((0.0, 225.0, 255.0))));
    let grey = looked("grey16.png", options);
    assert_eq!((grey.has_colour, grey.is_grey, grey.span), (false, true, Some((0.0, 61_300.0, 65_535.0))));
    let clear = looked("rgba.png", options);
    assert_eq!((clear.clear, clear.uniform_over.is_some()), (0.5, true));
    assert!(looked("rgba.png", ImageOptions { background: Background::BLACK, ..options }).mean < clear.mean - 60.0);
    // Grey pixels in the form of colours.
    let image = RgbImage::from_fn(9, 9, |x, y| Rgb([(20 * x + 3 * y) as u8; 3]));
    let seen = look(&encode(&image.into(), ImageFormat::Png), &options).unwrap();
    assert_eq!((seen.has_colour, seen.is_grey), (true, true));
    let blank =
        look(&encode(&GrayImage::from_pixel(9, 9, image::Luma([7])).into(), ImageFormat::Png), &options).unwrap();
    assert_eq!((blank.uniform, blank.mean, blank.thumbnail), (1.0, 7.0, [7; 64]));
}
