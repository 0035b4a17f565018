//! Whether a file is an animation, of which only the first frame is read.

use image::ImageFormat;

/// Whether a GIF, PNG or WebP file has more than one frame; `false` for what can't be followed.
pub fn has_several(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Gif => gif_frames(bytes).is_some_and(|count| count > 1),
        ImageFormat::Png => png_frames(bytes).is_some_and(|count| count > 1),
        // The flag of an animation in the chunk VP8X.
        ImageFormat::WebP => bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 > 0),
        _ => false,
    }
}

/// The number of frames that an animated PNG file declares before its pixels, in a chunk acTL.
fn png_frames(bytes: &[u8]) -> Option<u32> {
    let mut at = 8usize;
    loop {
        let length = u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        match bytes.get(at + 4..at + 8)? {
            b"acTL" => return Some(u32::from_be_bytes(*bytes.get(at + 8..)?.first_chunk()?)),
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// The number of frames of a GIF file, up to two.
fn gif_frames(bytes: &[u8]) -> Option<u32> {
    let colours = |flags: u8| if flags & 0x80 > 0 { 3usize << ((flags & 7) + 1) } else { 0 };
    let mut at = 13 + colours(*bytes.get(10)?);
    let mut frames = 0;
    while frames < 2 {
        match bytes.get(at)? {
            b',' => {
                frames += 1;
                // The size of the first code follows the colours.
                at += 11 + colours(*bytes.get(at + 9)?);
            }
            b'!' => at += 2,
            _ => break,
        }
        // Blocks, each with its length, up to an empty one.
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
    Some(frames)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::sample;

    #[test]
    fn animations_are_told_from_single_images() {
        let of = |name: &str, format| has_several(&sample(name), format);
        assert!(of("frames.gif", ImageFormat::Gif));
        assert!(!of("rgb.png", ImageFormat::Png) && !of("lossless.webp", ImageFormat::WebP));
        // The first frame alone: up to where the second one begins, and the end.
        let whole = sample("frames.gif");
        let (mut first, mut seen) = (0, 0);
        for length in 0..whole.len() {
            let part = [&whole[..length], b";"].concat();
            if gif_frames(&part) == Some(1) {
                (first, seen) = (length, seen + 1);
            }
        }
        assert!(seen > 0 && !has_several(&[&whole[..first], b";"].concat(), ImageFormat::Gif));
        let png = sample("rgb.png");
        let control = |frames: u8| {
            let content = [0, 0, 0, 8, b'a', b'c', b'T', b'L', 0, 0, 0, frames, 0, 0, 0, 0, 1, 2, 3, 4];
            [&png[..33], &content, &png[33..]].concat()
        };
        assert!(has_several(&control(2), ImageFormat::Png) && !has_several(&control(1), ImageFormat::Png));
        let webp = |flags: u8| [b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0", &[flags, 0, 0, 0][..]].concat();
        assert!(has_several(&webp(0x12), ImageFormat::WebP) && !has_several(&webp(0x10), ImageFormat::WebP));
        for length in 0..whole.len() {
            has_several(&whole[..length], ImageFormat::Gif);
        }
    }
}
