//! What a survey of a set wants to know of an image: whether it is grey, transparent, nearly of one colour.

use super::raster::in_channels;
use super::{open, orientation, trusting};
use crate::background::Background;
use crate::dataset::ImageShape;
use crate::parts::{Glance, SIDE};
use crate::resize::ImageOptions;

/// Sides of a thumbnail.
const THUMBNAIL: usize = 8;

/// Colours that differ by no more than this are grey: scans and JPEG files of grey originals have a slight tint.
const TINT: u8 = 6;

/// One in this many pixels may be more colourful in an image that is grey.
const FEW: usize = 1000;

/// What is seen of an image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    /// Rows, once it is upright.
    pub height: usize,
    /// Columns, once it is upright.
    pub width: usize,
    /// Whether the file has colours.
    pub has_colour: bool,
    /// Whether none of its pixels is colourful.
    pub is_grey: bool,
    /// The share of pixels that are more transparent than not.
    pub clear: f32,
    /// The smallest and the largest value in the file, and the largest that its type has.
    pub span: Option<(f32, f32, f32)>,
    /// The share of pixels of nearly the same brightness, as the image is read.
    pub uniform: f32,
    /// The same over black and over white, for a transparent image.
    pub uniform_over: Option<[f32; 2]>,
    /// The mean brightness, 0 to 255.
    pub mean: f32,
    /// The mean brightness of each of 8x8 parts.
    pub thumbnail: [u8; THUMBNAIL * THUMBNAIL],
    /// The brightness in the middle of each part.
    pub points: [u8; THUMBNAIL * THUMBNAIL],
    /// How many times each of its pixels is repeated to the right and down; 1 for most images, 0 for one brightness.
    pub enlarged: usize,
    /// What follows the image in its file: `pages`, `frames`.
    pub more: Option<&'static str>,
}

/// Levels of brightness, of 32, that hold nearly all pixels of an image with few: a mask or a drawing.
const FEW_LEVELS: usize = 4;
const FLAT: f32 = 0.97;

/// Decodes a file and glances at its image.
///
/// # Errors
/// As `decode`.
pub(crate) fn glance(bytes: &[u8]) -> Result<Glance, String> {
    trusting(|| {
        let opened = open(bytes)?;
        let (raster, options) = (opened.raster, ImageOptions::default());
        let size = (raster.width, raster.height);
        let has_colour = raster.has_colour();
        let pixels = raster.into_bytes(3, &options)?;
        let is_grey = !has_colour || is_grey(&pixels, 3);
        let grey = in_channels(pixels, 3, 1, options.background);
        let ((width, height), grey) = orientation::upright(grey, size, 1, opened.orientation);
        let (thumbnail, is_flat) = (means(&grey, width, height), is_flat(&grey));
        Ok(Glance { thumbnail, is_grey, is_flat, pixels: width * height })
    })
}

/// Whether no pixel but a few is colourful, of 3 values or 4, of which the last is alpha.
fn is_grey(pixels: &[u8], channels: usize) -> bool {
    let colourful = |pixel: &&[u8]| (pixel.len() == 3 || pixel[3] > 0) && is_colourful(pixel);
    pixels.chunks_exact(channels).filter(colourful).count() * FEW * channels <= pixels.len()
}

/// Whether nearly all values are in few levels.
fn is_flat(grey: &[u8]) -> bool {
    let mut counts = [0usize; 32];
    grey.iter().for_each(|value| counts[usize::from(*value) / 8] += 1);
    counts.sort_unstable();
    counts.iter().rev().take(FEW_LEVELS).sum::<usize>() as f32 >= FLAT * grey.len() as f32
}

/// Decodes a file and looks at its image, which is read by `options`.
///
/// # Errors
/// As `decode`.
pub(crate) fn look(bytes: &[u8], options: &ImageOptions) -> Result<Look, String> {
    trusting(|| {
        let opened = open(bytes)?;
        let raster = opened.raster;
        let (size, channels) = ((raster.width, raster.height), raster.channels);
        let (has_colour, has_alpha) = (raster.has_colour(), raster.has_alpha());
        let span = raster.samples.span(channels);
        let kept = if has_alpha { 4 } else { channels };
        let pixels = raster.into_bytes(kept, options)?;
        let clear = if has_alpha { share(pixels.chunks_exact(4), |pixel| pixel[3] < 128) } else { 0.0 };
        let over = |background| in_channels(pixels.clone(), kept, 1, background);
        let uniform_over = (clear > 0.0).then(|| [Background::BLACK, Background::WHITE].map(|b| uniform(&over(b))));
        let is_grey = !has_colour || is_grey(&pixels, kept);
        let grey = over(options.background);
        let ((width, height), grey) = orientation::upright(grey, size, 1, opened.orientation);
        Ok(Look {
            height,
            width,
            has_colour,
            is_grey,
            clear,
            span,
            uniform: uniform(&grey),
            uniform_over,
            mean: mean(&grey),
            thumbnail: thumbnail(&grey, width, height),
            points: points(&grey, width, height),
            enlarged: enlarged(&grey, width, height),
            more: opened.more,
        })
    })
}

/// Looks at an image of bytes in 1 or 3 channels.
pub(crate) fn look_at(pixels: Vec<u8>, shape: ImageShape) -> Look {
    let ImageShape { height, width, channels } = shape;
    let span = pixels.iter().fold((255, 0), |(low, high), &value| (value.min(low), value.max(high)));
    let is_grey = channels == 1 || !pixels.chunks_exact(channels).any(is_colourful);
    let grey = in_channels(pixels, channels, 1, Background::default());
    Look {
        height,
        width,
        has_colour: channels > 1,
        is_grey,
        clear: 0.0,
        span: Some((f32::from(span.0), f32::from(span.1), 255.0)),
        uniform: uniform(&grey),
        uniform_over: None,
        mean: mean(&grey),
        thumbnail: thumbnail(&grey, width, height),
        points: points(&grey, width, height),
        enlarged: enlarged(&grey, width, height),
        more: None,
    }
}

fn is_colourful(pixel: &[u8]) -> bool {
    pixel[0].abs_diff(pixel[1]) > TINT || pixel[1].abs_diff(pixel[2]) > TINT
}

fn mean(grey: &[u8]) -> f32 {
    grey.iter().map(|&value| f64::from(value)).sum::<f64>() as f32 / grey.len().max(1) as f32
}

fn share<'a>(pixels: impl ExactSizeIterator<Item = &'a [u8]>, is: impl Fn(&[u8]) -> bool) -> f32 {
    let count = pixels.len();
    pixels.filter(|pixel| is(pixel)).count() as f32 / count.max(1) as f32
}

/// The largest share of values that are within 4 of one of them.
fn uniform(grey: &[u8]) -> f32 {
    let mut counts = [0usize; 256];
    grey.iter().for_each(|&value| counts[usize::from(value)] += 1);
    let near = |level: usize| counts[level.saturating_sub(4)..=(level + 4).min(255)].iter().sum::<usize>();
    (0..256).map(near).max().unwrap_or(0) as f32 / grey.len().max(1) as f32
}

/// The values in the middle of 8x8 parts.
fn points(grey: &[u8], width: usize, height: usize) -> [u8; THUMBNAIL * THUMBNAIL] {
    std::array::from_fn(|part| {
        let place = |part: usize, side: usize| (2 * part + 1) * side / (2 * THUMBNAIL);
        let (y, x) = (place(part / THUMBNAIL, height), place(part % THUMBNAIL, width));
        grey.get(y * width + x).copied().unwrap_or(0)
    })
}

/// The largest factor by which an image is enlarged without smoothing: the greatest common divisor of its sides and of the places
/// where a row or column differs from the one before; 0 if none differs.
fn enlarged(grey: &[u8], width: usize, height: usize) -> usize {
    let row = |y: usize| &grey[y * width..(y + 1) * width];
    let mut factor = 0;
    for y in 1..height {
        if factor != 1 && row(y) != row(y - 1) {
            factor = divisor(factor, y);
        }
    }
    for y in 0..height {
        // Rows that repeat the one before say nothing new.
        if factor != 1 && (y == 0 || row(y) != row(y - 1)) {
            let differs = |pair: &[u8]| pair[0] != pair[1];
            let places = row(y).windows(2).enumerate().filter(|(_, pair)| differs(pair)).map(|(x, _)| x + 1);
            factor = places.fold(factor, divisor);
        }
    }
    if factor == 0 { 0 } else { divisor(divisor(factor, width), height) }
}

/// The greatest common divisor; that of 0 and another number is the other.
pub(crate) fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The means of 8x8 parts.
fn thumbnail(grey: &[u8], width: usize, height: usize) -> [u8; THUMBNAIL * THUMBNAIL] {
    let mut sums = [(0u64, 0u64); THUMBNAIL * THUMBNAIL];
    for (y, row) in grey.chunks_exact(width.max(1)).enumerate() {
        for (x, &value) in row.iter().enumerate() {
            let part = &mut sums[y * THUMBNAIL / height * THUMBNAIL + x * THUMBNAIL / width];
            *part = (part.0 + u64::from(value), part.1 + 1);
        }
    }
    sums.map(|(sum, count)| (sum / count.max(1)) as u8)
}

/// The means of 16x16 parts, each of at least one pixel.
fn means(grey: &[u8], width: usize, height: usize) -> Vec<u8> {
    let range = |part: usize, side: usize| {
        let start = part * side / SIDE;
        start..((part + 1) * side / SIDE).max(start + 1)
    };
    let mean = |part: usize| {
        let (rows, columns) = (range(part / SIDE, height), range(part % SIDE, width));
        let values = rows.flat_map(|y| columns.clone().map(move |x| y * width + x)).filter_map(|at| grey.get(at));
        let (sum, count) = values.fold((0u64, 0u64), |(sum, count), value| (sum + u64::from(*value), count + 1));
        (sum / count.max(1)) as u8
    };
    (0..SIDE * SIDE).map(mean).collect()
}
