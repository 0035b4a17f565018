//! A look at a few images spread over a set, before it is used: their usual size, whether they are in colour, and what is
//! doubtful about the set, with the recipe key that helps. The number of images, and what is read and decoded for them, is
//! bounded, so that a set of a million files opens as fast.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::dataset::{Dataset, ImageShape, Sample};
use crate::error::Result;
use crate::pictures::{Look, divisor, look, look_at};
use crate::resize::ImageOptions;
use crate::with_notes::WithNotes;

/// The most images that are looked at.
const IMAGES: usize = 64;

/// Images that are read at once. After each such batch the limits below are checked.
const BATCH: usize = 8;

/// No more is read once the files so far have this many bytes (64 MiB), or their images this many pixels.
const MAX_BYTES: usize = 64 << 20;
const MAX_PIXELS: usize = 32 << 20;

/// A size is usual if at least N images have it, and one in N.
const MIN_USUAL: usize = 2;
const USUAL_SHARE: usize = 4;

/// Fewer images say nothing of a set.
const MIN_IMAGES: usize = 8;

/// With this share of grey images, colour images among them are rare enough to be read in grey.
const GREY_SHARE: f32 = 0.9;

/// An image is blank if this share of its pixels has nearly the same brightness.
const BLANK: f32 = 0.998;

/// A remark is made where one in N images is doubtful.
const NOTABLE: usize = 5;

/// Images whose values differ by less than this on average, at a few points, are nearly the same.
const NEAR: usize = 8;

/// The images looked at, by index.
pub(crate) struct Survey {
    seen: Vec<(usize, Result<Look, String>)>,
}

/// `count` indices spread over a set of `total` images, any first few of which are spread, too.
fn spread(total: usize) -> Vec<usize> {
    if total <= IMAGES {
        return (0..total).collect();
    }
    let reversed = |k: usize| (k as u32).reverse_bits() as usize >> (u32::BITS - IMAGES.ilog2());
    // As if there were `IMAGES` parts, of which each gives its first image, the last one its last.
    (0..IMAGES).map(|k| (reversed(k) as u128 * (total as u128 - 1) / (IMAGES as u128 - 1)) as usize).collect()
}

impl Survey {
    /// Looks at images of `total` files, which `read` returns.
    pub fn of(total: usize, options: &ImageOptions, read: impl Fn(usize) -> Result<Vec<u8>, String> + Sync) -> Self {
        let (mut seen, mut bytes, mut pixels) = (Vec::new(), 0, 0);
        for batch in spread(total).chunks(BATCH) {
            let one = |&index: &usize| {
                let file = read(index);
                let length = file.as_ref().map_or(0, Vec::len);
                (index, length, file.and_then(|file| look(&file, options)))
            };
            let looks: Vec<_> = batch.par_iter().map(one).collect();
            for (index, length, look) in looks {
                bytes += length;
                pixels += look.as_ref().map_or(0, |look| look.height * look.width);
                seen.push((index, look));
            }
            if bytes > MAX_BYTES || pixels > MAX_PIXELS {
                break;
            }
        }
        seen.sort_by_key(|(index, _)| *index);
        Self { seen }
    }

    /// The number of files looked at.
    pub fn tried(&self) -> usize {
        self.seen.len()
    }

    /// The files that can't be used, with the reasons.
    pub fn bad(&self) -> impl Iterator<Item = (usize, &str)> {
        self.seen.iter().filter_map(|(index, look)| Some((*index, look.as_ref().err()?.as_str())))
    }

    /// The images that can be used.
    fn good(&self) -> impl Iterator<Item = (usize, &Look)> {
        self.seen.iter().filter_map(|(index, look)| Some((*index, look.as_ref().ok()?)))
    }

    /// The first image of the usual size; where none is usual, one of the middle ratio of sides and about the middle size.
    pub fn model(&self) -> Option<usize> {
        let size = |look: &Look| (look.height, look.width);
        let mut counts = HashMap::new();
        self.good().for_each(|(_, look)| *counts.entry(size(look)).or_insert(0usize) += 1);
        let most = counts.values().copied().max()?;
        if most >= MIN_USUAL && most * USUAL_SHARE >= self.good().count() {
            return self.good().find(|(_, look)| counts[&size(look)] == most).map(|(index, _)| index);
        }
        let ratio = |look: &Look| (look.height as f64 / look.width.max(1) as f64).ln();
        let area = |look: &Look| (look.height as f64 * look.width as f64).max(1.0).ln();
        let middle = |of: &dyn Fn(&Look) -> f64| {
            let mut values: Vec<f64> = self.good().map(|(_, look)| of(look)).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
        };
        let (usual_ratio, usual_area) = (middle(&ratio), middle(&area));
        let apart = |look: &Look| 2.0 * (ratio(look) - usual_ratio).abs() + (area(look) - usual_area).abs();
        self.good().min_by(|(_, a), (_, b)| apart(a).total_cmp(&apart(b))).map(|(index, _)| index)
    }

    /// The smallest and the largest size, by the number of pixels.
    pub fn extremes(&self) -> Option<[(usize, usize); 2]> {
        let mut sizes: Vec<(usize, usize)> = self.good().map(|(_, look)| (look.height, look.width)).collect();
        sizes.sort_unstable_by_key(|(height, width)| (height * width, *height));
        Some([*sizes.first()?, *sizes.last()?])
    }

    /// The usual size, and 3 channels unless nearly all images are grey.
    pub fn shape(&self) -> Option<ImageShape> {
        let model = self.model()?;
        let look = self.good().find(|(index, _)| *index == model).map(|(_, look)| look)?;
        let grey = self.good().filter(|(_, look)| !look.has_colour).count() as f32;
        let channels = if grey >= GREY_SHARE * self.good().count() as f32 { 1 } else { 3 };
        Some(ImageShape { height: look.height, width: look.width, channels })
    }

    /// What the sample shows whatever the options are.
    pub fn facts(&self) -> Sample {
        Sample {
            files: self.good().count(),
            transparent: self.good().filter(|(_, look)| look.uniform_over.is_some()).count(),
            other_sizes: self.odd_sizes().0,
            shape: self.shape(),
        }
    }

    /// The numbers of images of other sizes and of all; for sets that are not resized.
    pub fn odd_sizes(&self) -> (usize, usize) {
        let shape = self.shape();
        let odd = |look: &Look| shape.is_some_and(|shape| (look.height, look.width) != (shape.height, shape.width));
        (self.good().filter(|(_, look)| odd(look)).count(), self.good().count())
    }

    /// What is doubtful about the set as `options` read it, a sentence each; `path` is that of a file.
    pub fn remarks(&self, options: &ImageOptions, path: impl Fn(usize) -> PathBuf) -> Vec<String> {
        let looks: Vec<&Look> = self.good().map(|(_, look)| look).collect();
        let mut remarks = Vec::new();
        if let Some((index, reason)) = self.bad().next() {
            let (bad, tried, path) = (self.bad().count(), self.tried(), path(index));
            let path = path.display();
            remarks.push(format!("{bad} of {tried} image files looked at can't be used, such as {path}: {reason}"));
        }
        if options.size.is_none() {
            remarks.extend(self.sizes());
            remarks.extend(self.enlarged(&looks));
        }
        if options.channels.is_none() {
            remarks.extend(self.colours(&looks));
        }
        let clear = transparency(&looks, options);
        let span = spans(&looks, options);
        let blank = clear.is_none() && span.is_none();
        remarks.extend(clear);
        remarks.extend(span);
        if blank {
            remarks.extend(sameness(&looks));
        }
        remarks.extend(pages(&looks));
        remarks
    }

    fn sizes(&self) -> Option<String> {
        let ((odd, all), shape) = (self.odd_sizes(), self.shape()?);
        (odd > 0).then(|| {
            let size = format!("{}x{}", shape.height, shape.width);
            format!(
                "{odd} of {all} images looked at are not {size} and are left aside; `data.size` resizes all to one size"
            )
        })
    }

    /// A remark on images of which each pixel is repeated.
    fn enlarged(&self, looks: &[&Look]) -> Option<String> {
        let shape = self.shape().filter(|_| looks.len() >= MIN_IMAGES)?;
        let (odd, factor) = (self.odd_sizes().0, looks.iter().map(|look| look.enlarged).fold(0, divisor));
        let (height, width) = (shape.height / factor.max(1), shape.width / factor.max(1));
        (odd == 0 && factor > 1 && height.min(width) >= 4).then(|| {
            let size = if height == width { height.to_string() } else { format!("\"{height}x{width}\"") };
            format!(
                "the images looked at are enlarged: each of their pixels is repeated {factor} times in both directions; \
                 `data.size` = {size} reads them as they were"
            )
        })
    }

    fn colours(&self, looks: &[&Look]) -> Option<String> {
        let (all, colour) = (looks.len(), looks.iter().filter(|look| look.has_colour).count());
        let shape = self.shape()?;
        match (shape.channels, colour) {
            (1, 1..) => Some(format!(
                "{colour} of {all} images looked at are in colour and are read in grey, as the others are; \
                 `data.channels` = 3 reads all in colour"
            )),
            (3, _) if looks.iter().all(|look| look.is_grey) => Some(format!(
                "all {all} images looked at are grey (red, green and blue are equal); `data.channels` = 1 reads them so"
            )),
            (3, _) if colour < all => Some(format!(
                "{} of {all} images looked at are grey and are read in colour, as the others are; `data.channels` = 1 reads all \
                 in grey",
                all - colour
            )),
            _ => None,
        }
    }
}

/// A remark on transparent images.
fn transparency(looks: &[&Look], options: &ImageOptions) -> Option<String> {
    let clear: Vec<(&Look, [f32; 2])> = looks.iter().filter_map(|look| Some((*look, look.uniform_over?))).collect();
    let (count, all, under) = (clear.len(), looks.len(), options.background);
    if count == 0 || options.channels == Some(4) {
        return None;
    }
    let blank = clear.iter().filter(|(look, _)| look.uniform >= BLANK).count();
    if blank == 0 || NOTABLE * blank < count {
        return Some(format!(
            "{count} of {all} images looked at are transparent in part, and are laid over {under} (`data.background`)"
        ));
    }
    let on = |ground: usize| clear.iter().filter(|(_, over)| over[ground] >= BLANK).count();
    let [on_black, on_white] = [on(0), on(1)];
    let everywhere = clear.iter().filter(|(_, over)| over.iter().all(|over| *over >= BLANK)).count();
    let seen = format!("{blank} of {count} transparent images looked at are blank over {under}");
    let better = match () {
        () if 2 * everywhere >= blank => return Some(format!("{seen}, and would be over any other ground")),
        // What is white in some images is black in others.
        () if NOTABLE * on_black.min(on_white) >= count => "grey",
        () if on_black <= on_white => "black",
        () => "white",
    };
    Some(format!("{seen}: set `data.background` = \"{better}\" to see what is in them"))
}

/// A remark on values that use a small part of their range, or more than the range that was set.
fn spans(looks: &[&Look], options: &ImageOptions) -> Option<String> {
    let spans: Vec<(f32, f32, f32)> = looks.iter().filter_map(|look| look.span).collect();
    let extremes = |spans: &mut dyn Iterator<Item = &(f32, f32, f32)>| {
        spans.fold(None, |so_far: Option<(f32, f32)>, &(low, high, _)| {
            Some(so_far.map_or((low, high), |(least, most)| (least.min(low), most.max(high))))
        })
    };
    let (low, high) = extremes(&mut spans.iter())?;
    if let Some((from, to)) = options.range {
        return (low < from || high > to).then(|| {
            format!("pixel values from {low} to {high} were seen; those outside of `data.range` = [{from}, {to}] are clipped")
        });
    }
    // By type: 8 bits, 16 bits, floats.
    let types: Vec<f32> = spans.iter().map(|span| span.2).fold(Vec::new(), |mut types, full| {
        if !types.contains(&full) {
            types.push(full);
        }
        types
    });
    types.iter().find_map(|&full| {
        let of_type = || spans.iter().filter(|span| span.2 == full);
        let ((low, high), count) = (extremes(&mut of_type())?, of_type().count());
        // Sensors have 12 or 14 bits, which 16 hold.
        let small = full / if full == 65_535.0 && low < full / 64.0 { 4.0 } else { 8.0 };
        if count < MIN_IMAGES || high <= low || high - low >= small {
            return None;
        }
        let seen = match () {
            () if high <= full / 8.0 => "nearly black",
            () if high <= small => "dark",
            () if low >= full * 7.0 / 8.0 => "nearly white",
            () => "washed out",
        };
        let (from, to) = wider(low, high, full);
        let values = format!("their values go from {low} to {high}, of {full}");
        Some(if types.len() == 1 {
            format!("the images looked at are {seen}: {values}; `data.range` = [{from}, {to}] uses the whole range")
        } else {
            format!(
                "{count} of {} images looked at are {seen}: {values}; others are of another type, so that \
                 `data.range` would not fit all: save these with 8 bits, from black to white",
                spans.len()
            )
        })
    })
}

/// A range with round ends for values from `low` to `high`.
fn wider(low: f32, high: f32, full: f32) -> (f32, f32) {
    let from = if high <= full / 4.0 && low < high / 4.0 { 0.0 } else { low };
    // The largest number of so many bits, as cameras and scanners have.
    let bits = (8..16).map(|bits| ((1u32 << bits) - 1) as f32).find(|top| *top >= high);
    let to = bits.filter(|_| full == 65_535.0 && from == 0.0).unwrap_or(high);
    (from, to)
}

/// A remark on images without content, or with the same content.
fn sameness(looks: &[&Look]) -> Option<String> {
    let all = looks.len();
    if all < MIN_IMAGES {
        return None;
    }
    let blank: Vec<&&Look> = looks.iter().filter(|look| look.uniform >= BLANK).collect();
    if NOTABLE * blank.len() >= all {
        let mean = blank.iter().map(|look| look.mean).sum::<f32>() / blank.len() as f32;
        let which = match mean {
            ..5.0 => " (black)",
            250.0.. => " (white)",
            _ => "",
        };
        return Some(format!("{} of {all} images looked at are blank: of one brightness{which}", blank.len()));
    }
    // The means alone are the same for all fine textures.
    let alike = |a: &Look, b: &Look| {
        let apart: usize = a.points.iter().zip(&b.points).map(|(a, b)| usize::from(a.abs_diff(*b))).sum();
        a.thumbnail.iter().zip(&b.thumbnail).all(|(a, b)| a.abs_diff(*b) <= 1) && apart < NEAR * a.points.len()
    };
    let copies = (0..all).filter(|&k| looks[..k].iter().any(|other| alike(other, looks[k]))).count();
    match copies + 1 {
        same if same == all => Some(format!("all {all} images looked at are the same, or nearly so")),
        _ if 2 * copies >= all => {
            Some(format!("{copies} of {all} images looked at are nearly the same as another one"))
        }
        _ => None,
    }
}

/// A remark on files of which only the first image is read.
fn pages(looks: &[&Look]) -> Option<String> {
    let more: Vec<&str> = looks.iter().filter_map(|look| look.more).collect();
    let what = more.first()?;
    Some(format!("{} of {} files looked at have several {what}; the first is read", more.len(), looks.len()))
}

/// Remarks on images that were read from arrays.
///
/// # Errors
/// An image can't be read.
fn of_arrays(set: &dyn Dataset) -> Result<Vec<String>> {
    let shape = set.shape();
    let mut values = vec![0.0; shape.len()];
    let mut looks = Vec::new();
    for index in spread(set.len()) {
        set.read(index, &mut values)?;
        let bytes: Vec<u8> = values.iter().map(|value| (value * 255.0).round() as u8).collect();
        looks.push(look_at(bytes, shape));
    }
    let looks: Vec<&Look> = looks.iter().collect();
    // A small range of values is noticed by the readers of arrays, which see all of them.
    Ok(sameness(&looks).into_iter().collect())
}

/// `set` with the remarks of a look at its images, for sets whose images were read from arrays.
///
/// # Errors
/// An image can't be read.
pub(crate) fn remarked(set: Box<dyn Dataset>) -> Result<Box<dyn Dataset>> {
    // Points and tiny images have no look.
    if set.toy().is_some() || set.shape().height.min(set.shape().width) < 4 {
        return Ok(set);
    }
    let remarks = of_arrays(set.as_ref())?;
    Ok(WithNotes::over(set, remarks))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
