//! What draws. Pictures of images: bytes from values, sheets of images, and the ways to show them (PNG, animated GIF, text
//! in a terminal); charts, and the pages that hold them. Values of images are mapped from their fixed range to 0..255 and never stretched to look better, so that pictures
//! of different steps can be compared.

pub(crate) mod chart;
mod convert;
pub(crate) mod font;
pub mod gif;
mod ground;
pub mod page;
pub mod png;
pub mod scatter;
pub mod sheet;
mod shrink;
pub mod terminal;
pub mod zip;

use crate::data::{ImageShape, alpha};
use crate::error::{Error, Result};

/// One or more images of one shape, as bytes, channels-last, one image after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The shape of each image; 1 channel (grey), 3 (RGB) or 4 (RGB and alpha, straight).
    pub shape: ImageShape,
    /// `len() * shape.len()` bytes.
    pub bytes: Vec<u8>,
}

/// One picture, ready to be written: grey (1 channel), RGB (3) or RGB with alpha (4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Height and width in pixels, and channels.
    pub shape: ImageShape,
    /// `shape.len()` bytes, row by row, channels-last.
    pub bytes: Vec<u8>,
}

impl Images {
    /// Images from `values` `[n, height, width, channels]`: `range.0` becomes 0, `range.1` becomes 255, what lies
    /// beyond is cut off. The colour of transparent pixels becomes 0.
    ///
    /// # Errors
    /// Where `values` isn't a whole number of images (at least one), the shape isn't that of a picture, the range
    /// isn't one, or a value is NaN or infinite.
    pub fn from_values(values: &[f32], shape: ImageShape, range: (f32, f32)) -> Result<Self> {
        check_length("values", values.len(), shape)?;
        let (low, high) = range;
        if !(low < high && (high - low).is_finite()) {
            return Err(Error::usage(
                format!("image values can't range from {low} to {high}"),
                "expected a range such as 0 to 1 or -1 to 1",
            ));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::Diverged {
                what: format!("image {} holds the value {}", at / shape.len(), values[at]),
                hint: "training has diverged: lower the learning rate, or go on from an earlier checkpoint".to_owned(),
            });
        }
        let byte = |value: &f32| ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8;
        let mut bytes: Vec<u8> = values.iter().map(byte).collect();
        if shape.channels == 4 {
            alpha::clear(&mut bytes);
        }
        Ok(Self { shape, bytes })
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(self.shape.len()).unwrap_or(0)
    }

    /// True where there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of image `index`, where there is one.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let size = self.shape.len();
        let start = index.checked_mul(size)?;
        self.bytes.get(start..start.checked_add(size)?).filter(|bytes| !bytes.is_empty())
    }

    /// Image `index` alone, as a picture of its own size.
    pub fn picture(&self, index: usize) -> Option<Picture> {
        let bytes = self.get(index)?.to_vec();
        Some(Picture { shape: self.shape, bytes })
    }

    /// What every function that shows images asks first, as the fields are open to all.
    fn check(&self) -> Result<()> {
        check_length("bytes", self.bytes.len(), self.shape)
    }
}

/// Refuses shapes that no picture has, and data that isn't a whole number of images, at least one.
fn check_length(unit: &str, length: usize, shape: ImageShape) -> Result<()> {
    if !shape.is_picture() {
        return Err(Error::usage(
            format!("images of {shape} can't be shown"),
            "expected height x width x channels with 1 channel (grey), 3 (RGB) or 4 (RGB and alpha)",
        ));
    }
    if length == 0 || !length.is_multiple_of(shape.len()) {
        return Err(Error::usage(
            format!("{length} {unit} aren't a whole number of images of {shape}"),
            format!("expected {} {unit} per image, and at least one image", shape.len()),
        ));
    }
    Ok(())
}

/// How images of `shape` are enlarged where nothing else is asked: small ones to at most 64 pixels, as long as
/// `columns` of them stay within 4,096.
fn usual_scale(shape: ImageShape, columns: usize) -> usize {
    let side = shape.height.max(shape.width).max(1);
    let row = shape.width.max(1).saturating_mul(columns.max(1));
    (64 / side).min(4096 / row).clamp(1, 8)
}

/// `pixels` of `shape`, each shown as `scale x scale` equal ones.
fn enlarge(pixels: &[u8], shape: ImageShape, scale: usize) -> Picture {
    let enlarged = ImageShape { height: shape.height * scale, width: shape.width * scale, channels: shape.channels };
    let mut bytes = Vec::with_capacity(enlarged.len());
    for row in pixels.chunks_exact(shape.width * shape.channels) {
        let start = bytes.len();
        for pixel in row.chunks_exact(shape.channels) {
            (0..scale).for_each(|_| bytes.extend_from_slice(pixel));
        }
        let end = bytes.len();
        (1..scale).for_each(|_| bytes.extend_from_within(start..end));
    }
    Picture { shape: enlarged, bytes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PAIR: ImageShape = ImageShape { height: 1, width: 2, channels: 1 };

    #[test]
    fn the_range_is_mapped_and_never_stretched() {
        let images = Images::from_values(&[0.0, 0.5, 1.0, 0.2], PAIR, (0.0, 1.0)).unwrap();
        assert_eq!(images.bytes, [0, 128, 255, 51]);
        assert_eq!((images.len(), images.get(1)), (2, Some(&[255, 51][..])));
        assert_eq!((images.get(2), images.get(usize::MAX)), (None, None));
        assert_eq!(images.picture(1).unwrap().bytes, [255, 51]);
        let images = Images::from_values(&[-1.0, 0.0, 0.5, 7.0, -7.0, 1.0], PAIR, (-1.0, 1.0)).unwrap();
        assert_eq!(images.bytes, [0, 128, 191, 255, 0, 255]);
        // A dull image stays dull.
        assert_eq!(Images::from_values(&[0.4, 0.4], PAIR, (0.0, 1.0)).unwrap().bytes, [102, 102]);
    }

    #[test]
    fn transparent_pixels_lose_their_colour() {
        let shape = ImageShape { height: 1, width: 2, channels: 4 };
        let images = Images::from_values(&[1.0, 0.2, 0.0, 0.001, 1.0, 0.2, 0.0, 0.002], shape, (0.0, 1.0)).unwrap();
        assert_eq!(images.bytes, [0, 0, 0, 0, 255, 51, 0, 1]);
    }

    #[test]
    fn every_byte_comes_back() {
        let values: Vec<f32> = (0..=255).map(|byte| byte as f32 / 255.0).collect();
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(Images::from_values(&values, PAIR, (0.0, 1.0)).unwrap().bytes, bytes);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        let error = |values: &[f32], shape, range| Images::from_values(values, shape, range).unwrap_err().to_string();
        let unit = (0.0, 1.0);
        assert!(error(&[0.0; 3], PAIR, unit).contains("3 values aren't a whole number"));
        assert!(error(&[], PAIR, unit).contains("0 values"));
        assert!(error(&[0.0; 4], shape(1, 2, 2), unit).contains("1x2x2"));
        assert!(error(&[0.0; 4], shape(0, 2, 1), unit).contains("0x2x1"));
        assert!(error(&[0.0; 2], PAIR, (1.0, 1.0)).contains("from 1 to 1"));
        assert!(error(&[0.0; 2], PAIR, (0.0, f32::NAN)).contains("NaN"));
        assert!(error(&[0.0, 1.0, f32::NAN, 0.0], PAIR, unit).contains("image 1 holds the value NaN"));
        assert!(error(&[0.0, f32::INFINITY], PAIR, unit).contains("image 0 holds the value inf"));
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let shape = ImageShape { height: 2, width: 1, channels: 3 };
        let picture = enlarge(&[1, 2, 3, 4, 5, 6], shape, 2);
        assert_eq!((picture.shape.height, picture.shape.width), (4, 2));
        let (top, bottom) = ([1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]);
        assert_eq!(picture.bytes, [top, top, bottom, bottom].concat());
    }

    #[test]
    fn small_images_are_enlarged_as_far_as_there_is_room() {
        let scale = |side, columns| usual_scale(ImageShape { height: side, width: side, channels: 1 }, columns);
        assert_eq!((scale(28, 10), scale(64, 10), scale(16, 10)), (2, 1, 4));
        assert_eq!((scale(28, 100), scale(2, 1), scale(500, 1)), (1, 8, 1));
    }
}
