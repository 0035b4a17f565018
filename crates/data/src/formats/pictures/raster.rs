//! A decoded image in the values of its file, and how these become bytes.

use crate::background::Background;
use crate::formats::array::range;
use crate::resize::{ImageOptions, luma};

/// The values of an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 0 to 255.
    Bytes(Vec<u8>),
    /// 0 to 65535.
    Words(Vec<u16>),
    /// Numbers of another type.
    Numbers {
        values: Vec<f32>,
        /// Their type, for messages: `32-bit floats`.
        kind: String,
        /// The values that are black and white; `None` if the type does not tell.
        range: Option<(f32, f32)>,
    },
}

/// An image with interleaved channels, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    pub width: usize,
    pub height: usize,
    /// 1 grey, 2 grey and opacity, 3 RGB, 4 RGB and opacity.
    pub channels: usize,
    pub samples: Samples,
}

/// Values by less than this part of the range outside of it are rounding errors of whoever wrote them.
const TOLERANCE: f32 = 1e-3;

impl Raster {
    /// Whether it has an opacity.
    pub fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    /// Whether it has colours.
    pub fn has_colour(&self) -> bool {
        self.channels > 2
    }

    /// The image as bytes in `channels`: 1 (grey), 3 (RGB) or 4 (RGB and opacity).
    ///
    /// # Errors
    /// Its values have no usual range, and `options` has none.
    pub fn into_bytes(self, channels: usize, options: &ImageOptions) -> Result<Vec<u8>, String> {
        let from = self.channels;
        let bytes = self.samples.into_bytes(from, options.range)?;
        Ok(in_channels(bytes, from, channels, options.background))
    }
}

impl Samples {
    /// All values as bytes; the last of an even number of channels is opacity, to which `range` does not apply.
    fn into_bytes(self, channels: usize, range: Option<(f32, f32)>) -> Result<Vec<u8>, String> {
        let is_alpha = |at: usize| channels.is_multiple_of(2) && at % channels == channels - 1;
        Ok(match (self, range) {
            (Self::Bytes(bytes), None) => bytes,
            (Self::Bytes(bytes), Some(range)) => {
                let table: Vec<u8> = (0..=255u8).map(|value| level(f32::from(value), range)).collect();
                let map = |(at, &byte): (usize, &u8)| if is_alpha(at) { byte } else { table[usize::from(byte)] };
                bytes.iter().enumerate().map(map).collect()
            }
            (Self::Words(words), None) => words.into_iter().map(rounded).collect(),
            (Self::Words(words), Some(range)) => {
                let map = |(at, &word): (usize, &u16)| {
                    if is_alpha(at) { rounded(word) } else { level(f32::from(word), range) }
                };
                words.iter().enumerate().map(map).collect()
            }
            (Self::Numbers { values, kind, range: usual }, range) => {
                if values.iter().any(|value| value.is_nan()) {
                    return Err(format!("its values are {kind}, and some are NaN"));
                }
                let seen = || extremes(values.iter().enumerate().filter(|(at, _)| !is_alpha(*at)).map(|(_, v)| *v));
                let used = match (range, usual) {
                    (Some(range), _) => range,
                    (None, Some((low, high))) => {
                        let ((least, most), slack) = (seen(), TOLERANCE * (high - low));
                        if least < low - slack || most > high + slack {
                            return Err(format!(
                                "its values are {kind} from {least} to {most}, expected {low} to {high}; the values \
                                 that are black and white can be set: `data.range` = {}",
                                likely(least, most)
                            ));
                        }
                        (low, high)
                    }
                    (None, None) => {
                        let (least, most) = seen();
                        return Err(format!(
                            "its values are {kind} (from {least} to {most}), which have no usual range; the values that \
                             are black and white must be set, such as `data.range` = {}",
                            likely(least, most)
                        ));
                    }
                };
                let opacity = usual.unwrap_or((0.0, 1.0));
                let map = |(at, &value): (usize, &f32)| level(value, if is_alpha(at) { opacity } else { used });
                values.iter().enumerate().map(map).collect()
            }
        })
    }

    /// The smallest and the largest value, and the largest that is usual; opacity is left out. `None` for numbers of types
    /// without a usual range.
    pub fn span(&self, channels: usize) -> Option<(f32, f32, f32)> {
        let is_alpha = |at: usize| channels.is_multiple_of(2) && at % channels == channels - 1;
        fn span<T: Copy>(values: &[T], is_alpha: impl Fn(usize) -> bool, number: impl Fn(T) -> f32) -> (f32, f32) {
            extremes(values.iter().enumerate().filter(|(at, _)| !is_alpha(*at)).map(|(_, &value)| number(value)))
        }
        match self {
            Self::Bytes(bytes) => Some((span(bytes, is_alpha, f32::from), 255.0)),
            Self::Words(words) => Some((span(words, is_alpha, f32::from), 65_535.0)),
            Self::Numbers { values, range, .. } => range.map(|(_, high)| (span(values, is_alpha, |v| v), high)),
        }
        .map(|((low, high), full)| (low, high, full))
    }
}

fn extremes(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

/// The usual range that holds these values, as it is written in a recipe.
fn likely(least: f32, most: f32) -> String {
    let [low, high] = range::likely(least.into(), most.into());
    format!("[{low}, {high}]")
}

/// 16 bits rounded to 8.
fn rounded(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

/// A value as a byte, if `range` becomes 0 to 255.
fn level(value: f32, (low, high): (f32, f32)) -> u8 {
    ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8
}

/// Bytes in 1 to 4 channels as bytes in 1, 3 or 4; unless opacity is kept, transparent pixels are composited over `background`.
pub fn in_channels(bytes: Vec<u8>, from: usize, to: usize, background: Background) -> Vec<u8> {
    let [red, green, blue] = background.rgb();
    let on_grey = red == green && green == blue;
    match (from, to) {
        (1, 1) | (3, 3) | (4, 4) => bytes,
        (1, _) => bytes.iter().flat_map(|&grey| [grey, grey, grey, 255].into_iter().take(to)).collect(),
        (3, 1) => bytes.chunks_exact(3).map(luma).collect(),
        (3, _) => bytes.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect(),
        // Grey pixels have no colour over a grey background.
        (2, 1 | 3) if on_grey => {
            let grey = bytes.chunks_exact(2).map(|pixel| blend(pixel[0], red, pixel[1])).collect();
            in_channels(grey, 1, to, background)
        }
        (2, _) => {
            let colour = bytes.chunks_exact(2).flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]]).collect();
            in_channels(colour, 4, to, background)
        }
        _ => {
            let over = |pixel: &[u8]| {
                [blend(pixel[0], red, pixel[3]), blend(pixel[1], green, pixel[3]), blend(pixel[2], blue, pixel[3])]
            };
            in_channels(bytes.chunks_exact(4).flat_map(over).collect(), 3, to, background)
        }
    }
}

fn blend(ink: u8, ground: u8, alpha: u8) -> u8 {
    let (ink, ground, alpha) = (u32::from(ink), u32::from(ground), u32::from(alpha));
    ((ink * alpha + ground * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn raster(channels: usize, samples: Samples) -> Raster {
        let count = match &samples {
            Samples::Bytes(bytes) => bytes.len(),
            Samples::Words(words) => words.len(),
            Samples::Numbers { values, .. } => values.len(),
        };
        Raster { width: count / channels, height: 1, channels, samples }
    }

    fn range(low: f32, high: f32) -> ImageOptions {
        ImageOptions { range: Some((low, high)), ..ImageOptions::default() }
    }

    #[test]
    fn words_are_rounded_and_a_range_is_stretched_and_clipped() {
        let words = vec![0, 128, 129, 385, 386, 65_406, 65_407, 65_535];
        let bytes = |options: &ImageOptions| raster(1, Samples::Words(words.clone())).into_bytes(1, options).unwrap();
        assert_eq!(bytes(&ImageOptions::default()), [0, 0, 1, 1, 2, 254, 255, 255]);
        assert_eq!(bytes(&range(128.0, 386.0)), [0, 0, 1, 254, 255, 255, 255, 255]);
        let mask = raster(1, Samples::Bytes(vec![0, 1, 2, 9])).into_bytes(3, &range(0.0, 2.0)).unwrap();
        assert_eq!(mask, [0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255]);
        // Opacity is no brightness.
        let clear = raster(2, Samples::Bytes(vec![2, 255, 2, 0])).into_bytes(1, &range(0.0, 4.0)).unwrap();
        assert_eq!(clear, [128, 255]);
    }

    #[test]
    fn numbers_need_a_range_that_holds_them() {
        let numbers = |values: &[f32], range| {
            raster(1, Samples::Numbers { values: values.to_vec(), kind: "32-bit floats".into(), range })
        };
        let plain = ImageOptions::default();
        let unit = Some((0.0, 1.0));
        assert_eq!(numbers(&[-0.0005, 0.2, 1.0005], unit).into_bytes(1, &plain).unwrap(), [0, 51, 255]);
        let error = numbers(&[0.0, 255.0], unit).into_bytes(1, &plain).unwrap_err();
        assert!(error.contains("32-bit floats from 0 to 255") && error.contains("`data.range`"), "{error}");
        assert_eq!(numbers(&[0.0, 51.0], unit).into_bytes(1, &range(0.0, 255.0)).unwrap(), [0, 51]);
        assert!(numbers(&[0.0, 5.0], None).into_bytes(1, &plain).unwrap_err().contains("from 0 to 5"));
        assert_eq!(numbers(&[-5.0, 0.0], None).into_bytes(1, &range(-5.0, 5.0)).unwrap(), [0, 128]);
        assert!(numbers(&[f32::NAN], unit).into_bytes(1, &range(0.0, 1.0)).unwrap_err().contains("NaN"));
    }

    #[test]
    fn transparent_pixels_show_the_background() {
        let over = |background: &str, to: usize| {
            let options = ImageOptions { background: background.parse().unwrap(), ..ImageOptions::default() };
            let pixel = raster(4, Samples::Bytes(vec![200, 100, 0, 51, 9, 9, 9, 0, 1, 2, 3, 255]));
            pixel.into_bytes(to, &options).unwrap()
        };
        assert_eq!(over("white", 3), [244, 224, 204, 255, 255, 255, 1, 2, 3]);
        assert_eq!(over("black", 3), [40, 20, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(over("#ff0000", 3), [244, 20, 0, 255, 0, 0, 1, 2, 3]);
        assert_eq!(over("#ff0000", 1)[1], 76);
        assert_eq!(over("black", 4), [200, 100, 0, 51, 9, 9, 9, 0, 1, 2, 3, 255]);
        let grey = |background: &str, to: usize| {
            let options = ImageOptions { background: background.parse().unwrap(), ..ImageOptions::default() };
            raster(2, Samples::Bytes(vec![7, 0, 9, 255])).into_bytes(to, &options).unwrap()
        };
        assert_eq!(grey("white", 1), [255, 9]);
        assert_eq!(grey("#0000ff", 3), [0, 0, 255, 9, 9, 9]);
        assert_eq!(grey("grey", 3), [128, 128, 128, 9, 9, 9]);
        assert_eq!(grey("white", 4), [7, 7, 7, 0, 9, 9, 9, 255]);
    }
}
