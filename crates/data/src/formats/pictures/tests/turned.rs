//! EXIF orientations in every format that has them.

use super::super::orientation::{tests::exif, upright};
use super::*;

/// A chunk of a PNG file.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(content);
    [&(content.len() as u32).to_be_bytes(), &kind[..], content, &sum.sum().to_be_bytes()].concat()
}

fn jpeg(exif: &[u8]) -> Vec<u8> {
    let (whole, segment) = (sample("420.jpg"), [b"Exif\0\0", exif].concat());
    [&whole[..2], &[0xff, 0xe1], &(segment.len() as u16 + 2).to_be_bytes(), &segment, &whole[2..]].concat()
}

/// With the EXIF data before or behind the pixels.
fn png(exif: &[u8], first: bool) -> Vec<u8> {
    let whole = sample("rgb.png");
    let at = if first { 33 } else { whole.len() - 12 };
    [&whole[..at], &chunk(b"eXIf", exif), &whole[at..]].concat()
}

fn webp(exif: &[u8], prefixed: bool) -> Vec<u8> {
    let image = &sample("lossless.webp")[12..];
    let part = |kind: &[u8; 4], content: &[u8]| {
        let padding = &[0][..content.len() % 2];
        [&kind[..], &(content.len() as u32).to_le_bytes(), content, padding].concat()
    };
    let exif = if prefixed { [b"Exif\0\0", exif].concat() } else { exif.to_vec() };
    // The flags of an EXIF chunk, then width and height less one.
    let parts = [part(b"VP8X", &[8, 0, 0, 0, 11, 0, 0, 9, 0, 0]), image.to_vec(), part(b"EXIF", &exif)].concat();
    [b"RIFF", &(parts.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &parts].concat()
}

/// A TIFF file of 2 rows of 3 grey pixels.
fn tiff(orientation: u8, big: bool) -> Vec<u8> {
    let short = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let long = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let entries: [(u16, u16); 8] =
        [(256, 3), (257, 2), (258, 8), (259, 1), (262, 1), (273, 8), (274, u16::from(orientation)), (279, 6)];
    let mut file = [if big { &b"MM\0*"[..] } else { b"II*\0" }, &long(16), &[10, 20, 30, 40, 50, 60, 0, 0]].concat();
    file.extend(short(entries.len() as u16));
    for (tag, value) in entries {
        file.extend([&short(tag)[..], &short(3), &long(1), &short(value), &[0, 0]].concat());
    }
    file.extend(long(0));
    file
}

#[test]
fn all_orientations_are_applied_in_all_formats() {
    for orientation in 1..=8 {
        let note = exif(orientation, orientation % 2 == 0);
        for (which, turned, plain) in [
            ("JPEG", jpeg(&note), sample("420.jpg")),
            ("PNG", png(&note, true), sample("rgb.png")),
            ("PNG, behind", png(&note, false), sample("rgb.png")),
            ("WebP", webp(&note, false), sample("lossless.webp")),
            ("WebP, prefixed", webp(&note, true), sample("lossless.webp")),
            ("TIFF", tiff(orientation, false), tiff(1, false)),
            ("TIFF, big-endian", tiff(orientation, true), tiff(1, true)),
        ] {
            let (shape, pixels) = read(&plain, Some(3)).unwrap();
            let (size, expected) = upright(pixels, (shape.width, shape.height), 3, Some(orientation));
            let (shape, pixels) = read(&turned, Some(3)).unwrap();
            assert_eq!(((shape.width, shape.height), pixels), (size, expected), "{which} {orientation}");
        }
    }
    assert_eq!(read(&tiff(6, true), None).unwrap().1, [40, 10, 50, 20, 60, 30]);
}
