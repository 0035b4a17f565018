//! Bringing an image to a wanted shape: grey or RGB, cut to the wanted aspect ratio around its centre, then scaled
//! with a filter that does not alias. `Resized` does so for a whole data set, image by image, as they are read.

use std::sync::OnceLock;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Pixel};

use super::digest::Digest;
use super::memory::{MAX_SIDE, check_read, copy_bytes};
use super::source::{Dataset, ImageShape};
use crate::error::{Error, Result};

/// Images decoded once and kept, where all of them take at most this many bytes (1 GiB).
const CACHE_BYTES: usize = 1 << 30;

/// What images are to be brought to; `None` leaves them as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// Height and width in pixels.
    pub size: Option<(usize, usize)>,
    /// 1 (grey) or 3 (RGB).
    pub channels: Option<usize>,
}

impl ImageOptions {
    /// Refuses sizes and channels that no image can have.
    ///
    /// # Errors
    /// A side of 0 or beyond all reason, or channels other than 1 and 3.
    pub fn check(&self) -> Result<()> {
        if let Some((height, width)) = self.size {
            let fits = |side: usize| (1..=MAX_SIDE).contains(&(side as u64));
            if !fits(height) || !fits(width) {
                return Err(Error::usage(
                    format!("images can't be resized to {height}x{width}"),
                    format!("expected sides from 1 to {MAX_SIDE} pixels, as in --size 64"),
                ));
            }
        }
        match self.channels {
            None | Some(1 | 3) => Ok(()),
            Some(other) => {
                Err(Error::usage(format!("images can't have {other} channels"), "expected 1 (grey) or 3 (RGB)"))
            }
        }
    }

    /// What an image of shape `from` becomes.
    pub fn apply(&self, from: ImageShape) -> ImageShape {
        let (height, width) = self.size.unwrap_or((from.height, from.width));
        ImageShape { height, width, channels: self.channels.unwrap_or(from.channels) }
    }
}

/// Brings `pixels` (bytes, channels-last) from one shape to another.
pub(super) fn fit(pixels: Vec<u8>, from: ImageShape, to: ImageShape) -> Vec<u8> {
    let pixels = match (from.channels, to.channels) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        _ => pixels,
    };
    match to.channels {
        1 => scale::<image::Luma<u8>>(pixels, from, to),
        _ => scale::<image::Rgb<u8>>(pixels, from, to),
    }
}

/// The brightness of an RGB pixel (ITU-R BT.601, as in PIL's mode "L").
fn luma(rgb: &[u8]) -> u8 {
    let sum = 299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * u32::from(rgb[2]);
    ((sum + 500) / 1000) as u8
}

/// Cuts and scales an image of pixels `P`.
fn scale<P: Pixel<Subpixel = u8> + 'static>(pixels: Vec<u8>, from: ImageShape, to: ImageShape) -> Vec<u8> {
    if (from.height, from.width) == (to.height, to.width) {
        return pixels;
    }
    let whole = ImageBuffer::<P, _>::from_raw(from.width as u32, from.height as u32, pixels);
    let Some(whole) = whole else {
        return vec![0; to.len()];
    };
    let (x, y, width, height) = centre(from, to);
    let cut = imageops::crop_imm(&whole, x, y, width, height);
    // Shrinking takes the sharper kernel, which would ring when it enlarges line drawings.
    let shrinks = to.width < width as usize && to.height < height as usize;
    let filter = if shrinks { FilterType::Lanczos3 } else { FilterType::Triangle };
    imageops::resize(&*cut, to.width as u32, to.height as u32, filter).into_raw()
}

/// The largest rectangle (x, y, width, height) around the centre that has the aspect ratio of `to`.
fn centre(from: ImageShape, to: ImageShape) -> (u32, u32, u32, u32) {
    let [fh, fw, th, tw] = [from.height, from.width, to.height, to.width].map(|side| side as u64);
    let (width, height) = if fw * th > tw * fh {
        (((fh * tw + th / 2) / th).clamp(1, fw), fh)
    } else {
        (fw, ((fw * th + tw / 2) / tw).clamp(1, fh))
    };
    (((fw - width) / 2) as u32, ((fh - height) / 2) as u32, width as u32, height as u32)
}

/// The bytes of one image, once they were worked out.
type Slot = OnceLock<Box<[u8]>>;

/// Images that were worked out before, where there is room for all.
pub(super) struct Cache(Option<Box<[Slot]>>);

impl Cache {
    /// Room for `count` images of `shape`, or none where that is too much.
    pub(super) fn new(count: usize, shape: ImageShape) -> Self {
        let fits = count.checked_mul(shape.len()).is_some_and(|bytes| bytes <= CACHE_BYTES);
        Self(fits.then(|| (0..count).map(|_| OnceLock::new()).collect()))
    }

    /// Writes image `index` into `out` as floats, from memory or from `make`.
    pub(super) fn read(&self, index: usize, out: &mut [f32], make: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
        let slot = self.0.as_ref().and_then(|slots| slots.get(index));
        if let Some(bytes) = slot.and_then(OnceLock::get) {
            copy_bytes(bytes, out);
            return Ok(());
        }
        let bytes = make()?;
        copy_bytes(&bytes, out);
        if let Some(slot) = slot {
            // Another thread may have been first, with the same bytes.
            let _ = slot.set(bytes.into_boxed_slice());
        }
        Ok(())
    }
}

/// A data set whose images are brought to another shape as they are read.
pub struct Resized {
    inner: Box<dyn Dataset>,
    shape: ImageShape,
    cache: Cache,
}

impl Resized {
    /// `inner` in the shape that `options` ask for; `inner` itself where it has that shape.
    ///
    /// # Errors
    /// Where the options make no sense.
    pub fn over(inner: Box<dyn Dataset>, options: &ImageOptions) -> Result<Box<dyn Dataset>> {
        options.check()?;
        let shape = options.apply(inner.shape());
        if shape == inner.shape() {
            return Ok(inner);
        }
        let cache = Cache::new(inner.len(), shape);
        Ok(Box::new(Self { inner, shape, cache }))
    }
}

impl std::fmt::Debug for Resized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resized({:?} to {})", self.inner, self.shape)
    }
}

impl Dataset for Resized {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        self.cache.read(index, out, || {
            let mut image = vec![0.0; self.inner.shape().len()];
            self.inner.read(index, &mut image)?;
            let bytes = image.iter().map(|value| (value * 255.0).round() as u8).collect();
            Ok(fit(bytes, self.inner.shape(), self.shape))
        })
    }

    fn label(&self, index: usize) -> Option<u32> {
        self.inner.label(index)
    }

    fn classes(&self) -> Vec<String> {
        self.inner.classes()
    }

    fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        digest.update(format!("{} as {}", self.inner.fingerprint(), self.shape).as_bytes());
        digest.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::data::Memory;

    fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    #[test]
    fn the_cut_is_central_and_keeps_the_aspect() {
        assert_eq!(centre(shape(218, 178, 3), shape(64, 64, 3)), (0, 20, 178, 178));
        assert_eq!(centre(shape(100, 300, 1), shape(50, 100, 1)), (50, 0, 200, 100));
        assert_eq!(centre(shape(1, 1000, 1), shape(1000, 1, 1)), (499, 0, 1, 1));
        assert_eq!(centre(shape(28, 28, 1), shape(64, 64, 1)), (0, 0, 28, 28));
    }

    #[test]
    fn shrinking_does_not_alias() {
        // A fine checkerboard becomes grey, not black or white.
        let board: Vec<u8> = (0..64 * 64).map(|k| if (k / 64 + k % 64) % 2 == 0 { 0 } else { 255 }).collect();
        let small = fit(board, shape(64, 64, 1), shape(8, 8, 1));
        assert_eq!(small.len(), 64);
        assert!(small.iter().all(|&grey| (120..=136).contains(&grey)), "{small:?}");
    }

    #[test]
    fn channels_are_converted() {
        assert_eq!(fit(vec![7, 9], shape(1, 2, 1), shape(1, 2, 3)), [7, 7, 7, 9, 9, 9]);
        // Red, green, blue: 0.299, 0.587, 0.114 of 255.
        let primaries = vec![255, 0, 0, 0, 255, 0, 0, 0, 255];
        assert_eq!(fit(primaries, shape(1, 3, 3), shape(1, 3, 1)), [76, 150, 29]);
        let side = fit([[10u8, 20, 30]; 16].concat(), shape(4, 4, 3), shape(2, 2, 3));
        assert_eq!(side, [10, 20, 30].repeat(4));
    }

    #[test]
    fn a_set_is_resized_as_it_is_read() {
        let bytes: Vec<u8> = (0..32).map(|k| if k < 16 { 0 } else { 204 }).collect();
        let set = || Box::new(Memory::from_bytes("x", shape(4, 4, 1), bytes.clone()).unwrap());
        let options = ImageOptions { size: Some((2, 3)), channels: Some(3) };
        let resized = Resized::over(set(), &options).unwrap();
        assert_eq!((resized.len(), resized.shape()), (2, shape(2, 3, 3)));
        for _ in 0..2 {
            let mut image = [9.0; 18];
            resized.read(1, &mut image).unwrap();
            assert_eq!(image, [0.8; 18]);
        }
        assert!(resized.read(2, &mut [0.0; 18]).is_err());
        assert_ne!(resized.fingerprint(), set().fingerprint());
        let same = Resized::over(set(), &ImageOptions::default()).unwrap();
        assert_eq!(same.fingerprint(), set().fingerprint());
    }

    #[test]
    fn impossible_shapes_are_refused() {
        for (size, channels) in [(Some((0, 4)), None), (Some((4, 1 << 20)), None), (None, Some(2))] {
            assert!(ImageOptions { size, channels }.check().is_err());
        }
    }
}
