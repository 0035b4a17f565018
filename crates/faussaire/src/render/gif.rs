//! Animated GIF files: one frame per image, shown for ever. Grey is exact; where an RGB frame has more than the 256
//! colours that a GIF frame can hold, the nearest ones are taken. Transparent images are over white. The file appears whole or not at all.

use std::path::Path;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::{Images, Picture, enlarge, usual_scale};
use crate::data::write_file;
use crate::error::{Error, Result};

/// Milliseconds per frame that a GIF can express and that viewers respect.
const DELAYS: std::ops::RangeInclusive<u32> = 20..=60_000;

/// How hard the encoder looks for 256 colours: 1 (best) to 30 (fastest).
const SPEED: i32 = 10;

/// Writes `frames` to `path`, each for `delay` milliseconds (rounded to hundredths of a second), enlarged as in a
/// sheet. The folder must exist.
///
/// # Errors
/// Where there is no frame, the delay is outside 20 to 60,000, a side is beyond 65,535 pixels, or the file can't be
/// written.
pub fn write(path: &Path, frames: &Images, delay: u32) -> Result<()> {
    write_file(path, &encode(frames, delay)?)
}

/// The bytes of a GIF file that shows `frames`; see [`write()`].
///
/// # Errors
/// As [`write()`], but for those of files.
pub fn encode(frames: &Images, delay: u32) -> Result<Vec<u8>> {
    frames.check()?;
    if !DELAYS.contains(&delay) {
        return Err(Error::usage(
            format!("frames can't be shown for {delay} milliseconds each"),
            "expected 20 to 60000",
        ));
    }
    let refused = |error: image::ImageError| {
        Error::usage(
            format!("images of {} can't be an animated GIF: {error}", frames.shape),
            "ask for smaller images, or for PNG files",
        )
    };
    let frames = &frames.over_white();
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(refused)?;
    let scale = usual_scale(frames.shape, 1);
    let delay = (delay + 5) / 10 * 10;
    for image in frames.bytes.chunks_exact(frames.shape.len()) {
        if let Some(pixels) = opaque(&enlarge(image, frames.shape, scale)) {
            let frame = Frame::from_parts(pixels, 0, 0, Delay::from_numer_denom_ms(delay, 1));
            encoder.encode_frame(frame).map_err(refused)?;
        }
    }
    drop(encoder);
    Ok(bytes)
}

/// `picture` as red, green, blue and full opacity.
fn opaque(picture: &Picture) -> Option<RgbaImage> {
    let shape = picture.shape;
    let pixels = picture.bytes.chunks_exact(shape.channels);
    let rgba = pixels
        .flat_map(|pixel| match *pixel {
            [red, green, blue] => [red, green, blue, 255],
            _ => [pixel[0], pixel[0], pixel[0], 255],
        })
        .collect();
    RgbaImage::from_raw(u32::try_from(shape.width).ok()?, u32::try_from(shape.height).ok()?, rgba)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::ImageShape;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use std::io::Cursor;

    fn decode(bytes: &[u8]) -> Vec<Frame> {
        GifDecoder::new(Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap()
    }

    #[test]
    fn grey_frames_are_exact() {
        // All 256 levels in each frame, in another order each time.
        let shape = ImageShape { height: 64, width: 64, channels: 1 };
        let bytes: Vec<u8> = (0..3 * 64 * 64).map(|i| (i * 7 + i / 4096) as u8).collect();
        let frames = decode(&encode(&Images { shape, bytes: bytes.clone() }, 63).unwrap());
        assert_eq!(frames.len(), 3);
        for (frame, expected) in frames.iter().zip(bytes.chunks_exact(64 * 64)) {
            assert_eq!(frame.delay().numer_denom_ms(), (60, 1));
            let pixels = frame.buffer().pixels().zip(expected);
            assert!(pixels.into_iter().all(|(pixel, &grey)| pixel.0 == [grey, grey, grey, 255]));
        }
        assert_ne!(frames[0].buffer(), frames[1].buffer());
    }

    #[test]
    fn small_frames_are_enlarged_and_loop_for_ever() {
        let shape = ImageShape { height: 28, width: 28, channels: 3 };
        let mut bytes = vec![0; 2 * shape.len()];
        bytes[..3].copy_from_slice(&[200, 100, 50]);
        let gif = encode(&Images { shape, bytes }, 100).unwrap();
        assert!(gif.windows(11).any(|bytes| bytes == b"NETSCAPE2.0"));
        let frames = decode(&gif);
        assert_eq!((frames.len(), frames[0].buffer().dimensions()), (2, (56, 56)));
        let pixel = |x, y| frames[0].buffer().get_pixel(x, y).0;
        assert_eq!((pixel(1, 1), pixel(2, 1)), ([200, 100, 50, 255], [0, 0, 0, 255]));
    }

    #[test]
    fn transparent_frames_are_over_white() {
        let shape = ImageShape { height: 1, width: 2, channels: 4 };
        let gif = encode(&Images { shape, bytes: vec![200, 0, 0, 255, 0, 0, 0, 0] }, 100).unwrap();
        let frames = decode(&gif);
        let pixel = |x| frames[0].buffer().get_pixel(x, 0).0;
        assert_eq!((pixel(0), pixel(15)), ([200, 0, 0, 255], [255; 4]));
    }

    #[test]
    fn many_colours_are_approached() {
        let shape = ImageShape { height: 64, width: 64, channels: 3 };
        let bytes: Vec<u8> = (0..64 * 64).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 4) as u8, 128]).collect();
        let frames = decode(&encode(&Images { shape, bytes: bytes.clone() }, 100).unwrap());
        let pixels = frames[0].buffer().pixels().zip(bytes.chunks_exact(3));
        let error: u32 = pixels
            .flat_map(|(read, wanted)| read.0.into_iter().zip(wanted).map(|(a, b)| u32::from(a.abs_diff(*b))))
            .sum();
        let mean = f64::from(error) / bytes.len() as f64;
        assert!(mean > 0.0 && mean < 8.0, "mean error {mean}");
    }

    #[test]
    fn what_cannot_be_animated_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shape = ImageShape { height: 2, width: 2, channels: 1 };
        let one = Images { shape, bytes: vec![7; 4] };
        let path = folder.path().join("walk.gif");
        for delay in [0, 19, 60_001, u32::MAX] {
            assert!(write(&path, &one, delay).is_err(), "{delay}");
        }
        assert!(write(&path, &Images { shape, bytes: Vec::new() }, 100).is_err());
        assert!(write(&folder.path().join("missing/walk.gif"), &one, 100).is_err());
        let wide = ImageShape { height: 1, width: 70_000, channels: 1 };
        assert!(write(&path, &Images { shape: wide, bytes: vec![0; 70_000] }, 100).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        write(&path, &one, 100).unwrap();
        assert_eq!(decode(&std::fs::read(&path).unwrap()).len(), 1);
    }
}
