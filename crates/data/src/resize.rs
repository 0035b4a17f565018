//! Resizing: conversion to grey or RGB, cropping or padding to the target's aspect ratio, then scaling with an antialiasing
//! filter.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Pixel};
use serde::{Deserialize, Serialize};

use super::alpha;
use super::background::Background;
use super::dataset::ImageShape;
use super::in_memory::MAX_SIDE;
use crate::error::{Error, Result};

/// How an image with another aspect ratio than the target is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Crop: the largest central part with the target's ratio.
    #[default]
    Crop,
    /// Pad: the whole image, with bars in the mean colour of its border.
    Pad,
}

/// How images are read; `None` keeps a property.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImageOptions {
    /// Height and width in pixels.
    pub size: Option<(usize, usize)>,
    /// 1 (grey), 3 (RGB) or 4 (RGB and alpha).
    pub channels: Option<usize>,
    /// How images with another aspect ratio than `size` are fitted.
    pub fit: Fit,
    /// The colour under transparent pixels.
    pub background: Background,
    /// The pixel values that become black and white, in the units of the file; values outside are clipped.
    pub range: Option<(f32, f32)>,
}

impl ImageOptions {
    /// Refuses invalid sizes, channels and ranges.
    ///
    /// # Errors
    /// A side of 0 or above the limit, channels other than 1, 3 and 4, or a range that is empty.
    pub fn check(&self) -> Result<()> {
        if let Some((height, width)) = self.size {
            let fits = |side: usize| (1..=MAX_SIDE).contains(&(side as u64));
            if !fits(height) || !fits(width) {
                return Err(Error::usage(
                    format!("images can't be resized to {height}x{width}"),
                    format!("expected sides from 1 to {MAX_SIDE} pixels (`data.size`), such as 64"),
                ));
            }
        }
        if let Some((low, high)) = self.range
            && !(low < high && (high - low).is_finite())
        {
            return Err(Error::usage(
                format!("pixel values from {low} to {high} are no range"),
                "expected two numbers, the smaller one first, such as [0, 4095] (`data.range`)",
            ));
        }
        match self.channels {
            None | Some(1 | 3 | 4) => Ok(()),
            Some(other) => Err(Error::usage(
                format!("images can't have {other} channels"),
                "expected 1 (grey), 3 (RGB) or 4 (RGB and alpha)",
            )),
        }
    }

    /// The target shape of an image of shape `from`.
    pub fn apply(&self, from: ImageShape) -> ImageShape {
        let (height, width) = self.size.unwrap_or((from.height, from.width));
        ImageShape { height, width, channels: self.channels.unwrap_or(from.channels) }
    }

    /// What a fingerprint and a cache key need to know of background and range: nothing for the defaults.
    pub(super) fn values_key(&self) -> String {
        let background = (self.background != Background::default()).then(|| format!(", over {}", self.background));
        let range = self.range.map(|(low, high)| format!(", from {low:?} to {high:?}"));
        background.into_iter().chain(range).collect()
    }

    /// What `background` and `range` do, for the user; `None` for the defaults.
    pub(super) fn describe_values(&self) -> Option<String> {
        let background = (self.background != Background::default())
            .then(|| format!("transparent images are laid over {}", self.background));
        let range = self.range.map(|(low, high)| format!("pixel values from {low} to {high} become black to white"));
        let parts: Vec<String> = background.into_iter().chain(range).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// A description for the run's report; `None` if images are not changed.
    pub fn describe(&self) -> Option<String> {
        let size = self.size.map(|(height, width)| match self.fit {
            Fit::Crop => format!("centre crop, then {height}x{width} (Lanczos; linear where it enlarges)"),
            Fit::Pad => format!(
                "whole image within {height}x{width} (Lanczos; linear where it enlarges), \
                 bars in the mean colour of its border"
            ),
        });
        let name = |channels| match channels {
            1 => "in grey",
            4 => "in RGB with alpha",
            _ => "in RGB",
        };
        let channels = self.channels.map(|channels| name(channels).to_owned());
        let parts: Vec<String> = size.into_iter().chain(channels).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Resizes `pixels` (bytes, channels-last) from one shape to another.
pub(super) fn resize(pixels: Vec<u8>, from: ImageShape, to: ImageShape, fit: Fit) -> Vec<u8> {
    let pixels = match (from.channels, to.channels) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        (1, 4) => pixels.iter().flat_map(|&grey| [grey, grey, grey, 255]).collect(),
        (3, 4) => alpha::opaque(&pixels),
        (4, 3) => alpha::over_white(&pixels),
        (4, 1) => alpha::over_white(&pixels).chunks_exact(3).map(luma).collect(),
        _ => pixels,
    };
    match to.channels {
        4 if (from.height, from.width) != (to.height, to.width) => {
            let mut pixels = pixels;
            alpha::premultiply(&mut pixels);
            let mut scaled = scale::<image::Rgba<u8>>(pixels, from, to, fit);
            alpha::straighten(&mut scaled);
            scaled
        }
        4 => pixels,
        1 => scale::<image::Luma<u8>>(pixels, from, to, fit),
        _ => scale::<image::Rgb<u8>>(pixels, from, to, fit),
    }
}

/// The brightness of an RGB pixel (ITU-R BT.601, as in PIL's mode "L").
pub(super) fn luma(rgb: &[u8]) -> u8 {
    let sum = 299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * u32::from(rgb[2]);
    ((sum + 500) / 1000) as u8
}

/// Crops or pads, and scales, an image of pixels `P`.
fn scale<P: Pixel<Subpixel = u8> + 'static>(pixels: Vec<u8>, from: ImageShape, to: ImageShape, fit: Fit) -> Vec<u8> {
    if (from.height, from.width) == (to.height, to.width) {
        return pixels;
    }
    let whole = ImageBuffer::<P, _>::from_raw(from.width as u32, from.height as u32, pixels);
    let Some(whole) = whole else {
        return vec![0; to.len()];
    };
    match fit {
        Fit::Crop => {
            let (x, y, width, height) = centre(from, to);
            scaled(&*imageops::crop_imm(&whole, x, y, width, height), to.width as u32, to.height as u32).into_raw()
        }
        Fit::Pad => {
            // The image takes the part of the target that a crop to its ratio would take.
            let (x, y, width, height) = centre(to, from);
            let inner = scaled(&whole, width, height);
            let mut canvas = ImageBuffer::from_pixel(to.width as u32, to.height as u32, border_mean(&whole));
            imageops::replace(&mut canvas, &inner, i64::from(x), i64::from(y));
            canvas.into_raw()
        }
    }
}

fn scaled<P, I>(image: &I, width: u32, height: u32) -> ImageBuffer<P, Vec<u8>>
where
    P: Pixel<Subpixel = u8> + 'static,
    I: image::GenericImageView<Pixel = P>,
{
    // Lanczos for shrinking; it would ring when enlarging line drawings.
    let shrinks = width < image.width() && height < image.height();
    let filter = if shrinks { FilterType::Lanczos3 } else { FilterType::Triangle };
    imageops::resize(image, width, height, filter)
}

/// The mean of the border pixels, so that dark images get dark bars and bright images bright bars.
fn border_mean<P: Pixel<Subpixel = u8>>(image: &ImageBuffer<P, Vec<u8>>) -> P {
    let (right, bottom) = (image.width() - 1, image.height() - 1);
    let mut sums = vec![0u64; P::CHANNEL_COUNT as usize];
    let mut count = 0;
    for (_, _, pixel) in image.enumerate_pixels().filter(|&(x, y, _)| x == 0 || y == 0 || x == right || y == bottom) {
        sums.iter_mut().zip(pixel.channels()).for_each(|(sum, &value)| *sum += u64::from(value));
        count += 1;
    }
    let mean: Vec<u8> = sums.iter().map(|sum| ((sum + count / 2) / count.max(1)) as u8).collect();
    *P::from_slice(&mean)
}

/// The largest central rectangle (x, y, width, height) of `from` with the aspect ratio of `to`.
fn centre(from: ImageShape, to: ImageShape) -> (u32, u32, u32, u32) {
    let [fh, fw, th, tw] = [from.height, from.width, to.height, to.width].map(|side| side as u64);
    let (width, height) = if fw * th > tw * fh {
        (((fh * tw + th / 2) / th).clamp(1, fw), fh)
    } else {
        (fw, ((fw * th + tw / 2) / tw).clamp(1, fh))
    };
    (((fw - width) / 2) as u32, ((fh - height) / 2) as u32, width as u32, height as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    fn crop(pixels: Vec<u8>, from: ImageShape, to: ImageShape) -> Vec<u8> {
        resize(pixels, from, to, Fit::Crop)
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
        let small = crop(board, shape(64, 64, 1), shape(8, 8, 1));
        assert_eq!(small.len(), 64);
        assert!(small.iter().all(|&grey| (120..=136).contains(&grey)), "{small:?}");
    }

    #[test]
    fn channels_are_converted() {
        assert_eq!(crop(vec![7, 9], shape(1, 2, 1), shape(1, 2, 3)), [7, 7, 7, 9, 9, 9]);
        // Red, green, blue: 0.299, 0.587, 0.114 of 255.
        let primaries = vec![255, 0, 0, 0, 255, 0, 0, 0, 255];
        assert_eq!(crop(primaries, shape(1, 3, 3), shape(1, 3, 1)), [76, 150, 29]);
        let side = crop([[10u8, 20, 30]; 16].concat(), shape(4, 4, 3), shape(2, 2, 3));
        assert_eq!(side, [10, 20, 30].repeat(4));
    }

    #[test]
    fn a_fitted_image_is_whole_between_bars_of_its_border() {
        // Twice as wide as high: black on the left, white on the right, so the border's mean is grey.
        let wide: Vec<u8> = (0..8 * 4).map(|k| if k % 8 < 4 { 0 } else { 255 }).collect();
        let fitted = resize(wide.clone(), shape(4, 8, 1), shape(4, 4, 1), Fit::Pad);
        assert_eq!((&fitted[..4], &fitted[12..]), (&[128; 4][..], &[128; 4][..]));
        assert!(fitted[4] < 10 && fitted[7] > 245, "{fitted:?}");
        let cut = crop(wide.clone(), shape(4, 8, 1), shape(4, 4, 1));
        assert_eq!(cut, [0, 0, 255, 255].repeat(4), "the crop shows the middle only");
        let colour = resize([[200u8, 10, 30]; 2].concat(), shape(2, 1, 3), shape(4, 4, 3), Fit::Pad);
        assert_eq!(colour, [200, 10, 30].repeat(16));
        assert_eq!(resize(wide, shape(4, 8, 1), shape(1, 100, 1), Fit::Pad).len(), 100);
    }

    #[test]
    fn colours_of_transparent_pixels_do_not_bleed() {
        // Opaque red beside transparent green: no green in between, only less opacity.
        let wide = [[200u8, 0, 0, 255], [0, 250, 0, 0]].map(|pixel| [pixel; 8].concat()).concat();
        let rows = [wide.clone(), wide].concat();
        for fit in [Fit::Crop, Fit::Pad] {
            let small = resize(rows.clone(), shape(2, 16, 4), shape(2, 5, 4), fit);
            assert_eq!(small.len(), 40);
            for pixel in small.chunks(4) {
                assert!(pixel[1] == 0 && (pixel[3] < 2 || pixel[0].abs_diff(200) < 20), "{small:?}");
            }
        }
        let same = resize(vec![9, 8, 7, 3], shape(1, 1, 4), shape(1, 1, 4), Fit::Crop);
        assert_eq!(same, [9, 8, 7, 3]);
    }

    #[test]
    fn alpha_is_added_and_taken_away() {
        assert_eq!(crop(vec![7, 9], shape(1, 2, 1), shape(1, 2, 4)), [7, 7, 7, 255, 9, 9, 9, 255]);
        assert_eq!(crop(vec![1, 2, 3], shape(1, 1, 3), shape(1, 1, 4)), [1, 2, 3, 255]);
        assert_eq!(crop(vec![1, 2, 3, 0, 1, 2, 3, 255], shape(1, 2, 4), shape(1, 2, 3)), [255, 255, 255, 1, 2, 3]);
        assert_eq!(crop(vec![0, 0, 0, 0, 0, 0, 0, 255], shape(1, 2, 4), shape(1, 2, 1)), [255, 0]);
    }

    #[test]
    fn what_is_done_is_said() {
        let options = ImageOptions { size: Some((64, 48)), channels: Some(1), ..ImageOptions::default() };
        let said = "centre crop, then 64x48 (Lanczos; linear where it enlarges), in grey";
        assert_eq!(options.describe().unwrap(), said);
        assert!(ImageOptions { fit: Fit::Pad, ..options }.describe().unwrap().starts_with("whole image within 64x48"));
        assert_eq!(ImageOptions::default().describe(), None);
    }

    #[test]
    fn background_and_range_are_said_and_part_of_the_key_where_they_are_set() {
        let options = ImageOptions::default();
        assert_eq!((options.values_key(), options.describe_values()), (String::new(), None));
        let both = ImageOptions { background: Background::BLACK, range: Some((0.0, 4095.0)), ..options };
        assert_eq!(both.values_key(), ", over black, from 0.0 to 4095.0");
        let said = "transparent images are laid over black; pixel values from 0 to 4095 become black to white";
        assert_eq!(both.describe_values().unwrap(), said);
        both.check().unwrap();
        for range in [(1.0, 1.0), (2.0, 1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY), (f32::MIN, f32::MAX)] {
            let error = ImageOptions { range: Some(range), ..options }.check().unwrap_err();
            assert!(error.hint().contains("`data.range`"), "{error}");
        }
    }

    #[test]
    fn impossible_shapes_are_refused() {
        for (size, channels) in [(Some((0, 4)), None), (Some((4, 1 << 20)), None), (None, Some(2))] {
            assert!(ImageOptions { size, channels, ..ImageOptions::default() }.check().is_err());
        }
    }
}
