//! The images that the sizes of an array mean: where rows, columns and channels are.

use crate::dataset::ImageShape;
use crate::in_memory::MAX_SIDE;

/// One reading of an array's sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Number of images.
    pub count: u64,
    /// Height, width and channels.
    sizes: [u64; 3],
    /// Where images, rows, columns and channels are: an axis of the array, and the step along it.
    places: [(usize, u64); 4],
    /// How the axes are read: `[n, height, width]`.
    pub axes: &'static str,
}

impl Reading {
    /// The shape of each image.
    pub fn shape(&self) -> ImageShape {
        let [height, width, channels] = self.sizes.map(|size| size as usize);
        ImageShape { height, width, channels }
    }

    /// The distance, in values of the file, between neighbouring images, rows, columns and channels of an array of `sizes`, whose
    /// last axis varies fastest, or first if `fortran`.
    pub fn strides(&self, sizes: &[u64], fortran: bool) -> [usize; 4] {
        self.places.map(|(axis, step)| {
            let faster = if fortran { sizes.get(..axis) } else { sizes.get(axis + 1..) };
            (step * faster.unwrap_or_default().iter().product::<u64>()) as usize
        })
    }
}

/// Why sizes are not read: the end of a sentence, and a hint.
pub type Refusal = (String, String);

/// The side of a square of this many values.
fn square(values: u64) -> Option<u64> {
    Some(values.isqrt()).filter(|side| *side > 1 && side * side == values)
}

/// The side of a square of this many red, green and blue values.
fn colour_square(values: u64) -> Option<u64> {
    square(values / 3).filter(|_| values.is_multiple_of(3))
}

/// The images that an array of `sizes` holds. Sizes of a single image are refused, unless the array is known to hold `many`.
///
/// # Errors
/// The sizes are no images, those of one image, or have several readings.
pub fn choose(sizes: &[u64], many: bool) -> Result<Reading, Refusal> {
    let refuse = |what: &str, hint: &str| Err((format!("has shape {sizes:?}, {what}"), hint.to_owned()));
    if sizes.contains(&0) {
        return refuse("which is empty", "save it again with images in it");
    }
    if let Some(one) = may_be_one(sizes).filter(|_| !many) {
        return refuse(
            &format!("which may be one image ({one}) instead of {} images", sizes[0]),
            "many images make a data set: numpy.save(\"images.npy\", numpy.stack(images)), or a folder of PNG files; if \
             these are many, give all axes: a.reshape(-1, HEIGHT, WIDTH, CHANNELS)",
        );
    }
    match &readings(sizes)[..] {
        [one] => in_limits(one.clone(), sizes),
        [] => refuse(
            "expected [n, side*side], [n, height, width], [n, height, width, 1, 3 or 4] or [n, 1 or 3, height, width]",
            hint(sizes),
        ),
        several => {
            let listed: Vec<&str> = several.iter().map(|reading| reading.axes).collect();
            refuse(
                &format!("which may be {}", listed.join(" or ")),
                "say which: a.reshape(-1, 3, SIDE, SIDE) where red comes before green and blue, a.reshape(-1, SIDE, SIDE, 3) \
                 where each pixel has its three values",
            )
        }
    }
}

fn in_limits(reading: Reading, sizes: &[u64]) -> Result<Reading, Refusal> {
    let [height, width, _] = reading.sizes;
    if height.max(width) > MAX_SIDE {
        let hint = format!("images have sides of at most {MAX_SIDE} pixels");
        return Err((format!("has shape {sizes:?}, images of {height}x{width} pixels"), hint));
    }
    Ok(reading)
}

/// What to do about sizes that are no images.
fn hint(sizes: &[u64]) -> &'static str {
    match *sizes {
        [] | [_] => "it has one axis, as labels do: give the array of images, or a.reshape(-1, HEIGHT, WIDTH)",
        [values, _] if values >= 64 && square(values).is_some() => {
            "images are rows: if each is a column, numpy.save(\"images.npy\", a.T)"
        }
        [_, _] => {
            "give the sides: numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH)); one image alone makes no data set"
        }
        [_, _, 3, _] => "images come first: numpy.save(\"images.npy\", a.transpose(3, 0, 1, 2))",
        [_, channels, height, width] if channels < height.min(width) => {
            "channels come last, and are 1, 3 or 4: numpy.save(\"images.npy\", a.transpose(0, 2, 3, 1))"
        }
        [_, _, _, _, 3] => "frames of video: numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH, 3))",
        _ => "numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH, CHANNELS))",
    }
}

/// How the sizes of an array that may hold many can be those of a single image; `None` if they can't.
fn may_be_one(sizes: &[u64]) -> Option<String> {
    match *sizes {
        [height, width] if height == width && square(width).is_some() && is_picture(height, width) => {
            Some(format!("{height}x{width}, grey"))
        }
        // Flat images, many of them, have one channel or three as well.
        [height, width, channels @ 1..=4] if width >= 8 && (is_picture(height, width) || square(width).is_none()) => {
            Some(format!("{height}x{width} with {channels} channel{}", if channels == 1 { "" } else { "s" }))
        }
        [3, height, width] if is_picture(height, width) => Some(format!("{height}x{width}, channels first")),
        // Squares, one behind the other.
        [height, width, count] if height == width && count != width && height >= 8 => {
            Some(format!("{height}x{width} with {count} channels, or {count} images with their number last"))
        }
        _ => None,
    }
}

/// Whether single images have such sides: they are neither narrower nor smaller.
fn is_picture(height: u64, width: u64) -> bool {
    height.min(width) >= 8 && height.max(width).div_ceil(4) <= height.min(width)
}

/// The sizes of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneImage {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// The axes of rows, columns and channels; none of grey images of two axes.
    axes: [Option<usize>; 3],
}

impl OneImage {
    /// The distance, in values, between neighbouring rows, columns and channels.
    pub fn strides(&self, sizes: &[u64], fortran: bool) -> [usize; 3] {
        let stride = |axis: usize| {
            let faster = if fortran { sizes.get(..axis) } else { sizes.get(axis + 1..) };
            faster.unwrap_or_default().iter().product::<u64>() as usize
        };
        self.axes.map(|axis| axis.map_or(0, stride))
    }
}

/// Whether sizes are those of one image or of many flat ones, which have a square number of values, and not few.
pub fn is_flat_or_one(sizes: &[u64]) -> bool {
    match *sizes {
        [height, width] => is_picture(height, width) && height != width && width >= 16 && square(width).is_some(),
        _ => false,
    }
}

/// The image that an array of one is; `None` for sizes that are not those of one image, or of flat images as well.
pub fn one_image(sizes: &[u64]) -> Option<OneImage> {
    let (at, channels): ([usize; 2], Option<usize>) = match *sizes {
        [_, _] => ([0, 1], None),
        [_, _, 1 | 3 | 4] => ([0, 1], Some(2)),
        [1 | 3, _, _] => ([1, 2], Some(0)),
        _ => return None,
    };
    let [height, width] = at.map(|axis| sizes[axis]);
    (is_picture(height, width) && !is_flat_or_one(sizes)).then(|| OneImage {
        height: height as usize,
        width: width as usize,
        channels: channels.map_or(1, |axis| sizes[axis] as usize),
        axes: [Some(at[0]), Some(at[1]), channels],
    })
}

/// All ways to read sizes as images.
fn readings(sizes: &[u64]) -> Vec<Reading> {
    let Some(&count) = sizes.first() else { return Vec::new() };
    // Axes of size 1 say nothing.
    let axes: Vec<(usize, u64)> = sizes.iter().copied().enumerate().skip(1).filter(|(_, size)| *size != 1).collect();
    let reading = |sizes, [rows, columns, channels]: [(usize, u64); 3], axes| Reading {
        count,
        sizes,
        places: [(0, 1), rows, columns, channels],
        axes,
    };
    let grey = (0, 0);
    let mut found = Vec::new();
    match axes[..] {
        [(axis, values)] => {
            if let Some(side) = square(values) {
                found.push(reading([side, side, 1], [(axis, side), (axis, 1), grey], "[n, side*side]"));
            } else if let Some(side) = colour_square(values) {
                let planes = [(axis, side), (axis, 1), (axis, side * side)];
                found.push(reading([side, side, 3], planes, "[n, 3*side*side] (all red values first)"));
                let pixels = [(axis, 3 * side), (axis, 3), (axis, 1)];
                found.push(reading([side, side, 3], pixels, "[n, side*side*3] (three values per pixel)"));
            }
        }
        [(plane, 3), (axis, values)] if values >= 16 && square(values).is_some() => {
            let side = values.isqrt();
            found.push(reading([side, side, 3], [(axis, side), (axis, 1), (plane, 1)], "[n, 3, side*side]"));
        }
        [(axis, values), (channel, 3)] if values >= 16 && square(values).is_some() => {
            let side = values.isqrt();
            found.push(reading([side, side, 3], [(axis, side), (axis, 1), (channel, 1)], "[n, side*side, 3]"));
        }
        [(rows, height), (columns, width)] => {
            found.push(reading([height, width, 1], [(rows, 1), (columns, 1), grey], "[n, height, width]"));
        }
        // Channels last where both are possible, as most programs have it.
        [(rows, height), (columns, width), (channel, 3)] => {
            let places = [(rows, 1), (columns, 1), (channel, 1)];
            found.push(reading([height, width, 3], places, "[n, height, width, 3]"));
        }
        [(channel, 3), (rows, height), (columns, width)] => {
            let places = [(rows, 1), (columns, 1), (channel, 1)];
            found.push(reading([height, width, 3], places, "[n, 3, height, width]"));
        }
        // The fourth value is opacity.
        [(rows, height), (columns, width), (channel, 4)] => {
            let places = [(rows, 1), (columns, 1), (channel, 1)];
            found.push(reading([height, width, 4], places, "[n, height, width, 4]"));
        }
        _ => {}
    }
    found
}

/// Whether an array of these sizes can be images; for the choice among several arrays.
pub fn like_images(sizes: &[u64]) -> bool {
    let enough = |reading: &Reading| reading.sizes.iter().product::<u64>() >= 16 || sizes.len() > 2;
    readings(sizes).iter().any(enough)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_is_read() {
        let shape = |sizes: &[u64]| {
            choose(sizes, false).map(|reading| format!("{} of {} as {}", reading.count, reading.shape(), reading.axes))
        };
        for (sizes, expected) in [
            (&[2, 784][..], "2 of 28x28x1 as [n, side*side]"),
            (&[1797, 64], "1797 of 8x8x1 as [n, side*side]"),
            (&[2, 1, 784], "2 of 28x28x1 as [n, side*side]"),
            (&[100, 784, 1], "100 of 28x28x1 as [n, side*side]"),
            (&[6000, 784, 1], "6000 of 28x28x1 as [n, side*side]"),
            (&[2, 1, 1, 784], "2 of 28x28x1 as [n, side*side]"),
            (&[2, 3, 5], "2 of 3x5x1 as [n, height, width]"),
            (&[2, 6, 5, 4], "2 of 6x5x4 as [n, height, width, 4]"),
            (&[2, 3, 5, 1], "2 of 3x5x1 as [n, height, width]"),
            (&[2, 1, 28, 28], "2 of 28x28x1 as [n, height, width]"),
            (&[2, 3, 5, 3], "2 of 3x5x3 as [n, height, width, 3]"),
            (&[2, 3, 32, 30], "2 of 32x30x3 as [n, 3, height, width]"),
            (&[2, 3, 1024], "2 of 32x32x3 as [n, 3, side*side]"),
            (&[20_000, 1024, 3], "20000 of 32x32x3 as [n, side*side, 3]"),
            (&[1, 64, 48], "1 of 64x48x1 as [n, height, width]"),
            (&[2, 2, 2], "2 of 2x2x1 as [n, height, width]"),
            (&[50, 4], "50 of 2x2x1 as [n, side*side]"),
        ] {
            assert_eq!(shape(sizes).unwrap(), expected, "{sizes:?}");
        }
    }

    #[test]
    fn no_or_several_readings_are_refused() {
        for (sizes, what, hint) in [
            (&[48, 64, 3][..], "may be one image (48x64 with 3 channels) instead of 48 images", "numpy.stack"),
            (&[640, 50, 3], "one image", "numpy.stack"),
            (&[64, 64], "one image (64x64, grey)", "numpy.stack"),
            (&[64, 48, 4], "one image", "numpy.stack"),
            (&[3, 64, 48], "one image (64x48, channels first)", "numpy.stack"),
            (&[784, 784, 1], "one image (784x784 with 1 channel)", "numpy.stack"),
            (
                &[20, 3072],
                "[n, 3*side*side] (all red values first) or [n, side*side*3]",
                "a.reshape(-1, 3, SIDE, SIDE)",
            ),
            (&[784, 40], "expected [n, side*side]", "a.T"),
            (&[20, 10], "expected [n, side*side]", "reshape(-1, HEIGHT, WIDTH)"),
            (&[784], "expected [n, side*side]", "as labels do"),
            (&[], "expected [n, side*side]", "as labels do"),
            (&[0, 784], "which is empty", "with images in it"),
            (&[2, 5, 5, 5], "expected [n, side*side]", "CHANNELS"),
            (&[32, 32, 3, 26_032], "expected", "a.transpose(3, 0, 1, 2)"),
            (&[2, 28, 28, 28], "expected", "CHANNELS"),
            (&[20, 4, 16, 16], "expected", "a.transpose(0, 2, 3, 1)"),
            (&[2, 9, 28, 28, 3], "expected", "frames"),
            (&[2, 20_000, 30], "images of 20000x30 pixels", "at most 16384"),
        ] {
            let (said, hinted) = choose(sizes, false).unwrap_err();
            assert!(said.contains(what) && hinted.contains(hint), "{sizes:?}: {said}: {hinted}");
        }
    }

    #[test]
    fn sizes_of_one_image() {
        let shape = |sizes: &[u64]| one_image(sizes).map(|one| (one.height, one.width, one.channels));
        for (sizes, expected) in [
            (&[28, 28][..], Some((28, 28, 1))),
            (&[48, 60], Some((48, 60, 1))),
            (&[48, 64, 3], Some((48, 64, 3))),
            (&[48, 64, 4], Some((48, 64, 4))),
            (&[48, 64, 1], Some((48, 64, 1))),
            (&[3, 48, 64], Some((48, 64, 3))),
            (&[1, 48, 64], Some((48, 64, 1))),
            // Flat images, narrow ones, many, labels.
            (&[300, 400], None),
            (&[100, 784], None),
            (&[4, 4], None),
            (&[48, 64, 5], None),
            (&[100, 28, 28], None),
            (&[2, 8, 8, 3], None),
            (&[64], None),
        ] {
            assert_eq!(shape(sizes), expected, "{sizes:?}");
        }
        let strides = |sizes: &[u64], fortran| one_image(sizes).unwrap().strides(sizes, fortran);
        assert_eq!((strides(&[8, 9, 3], false), strides(&[3, 8, 9], false)), ([27, 3, 1], [9, 1, 72]));
        assert_eq!((strides(&[8, 9, 3], true), strides(&[8, 9], false)), ([1, 8, 72], [9, 1, 0]));
    }

    #[test]
    fn known_axes_are_not_doubted() {
        assert_eq!(choose(&[3, 28, 28], true).unwrap().shape().to_string(), "28x28x1");
        assert_eq!(choose(&[48, 64, 4], true).unwrap().shape().to_string(), "64x4x1");
        assert!(choose(&[20, 3072], true).is_err());
    }

    #[test]
    fn strides_of_both_orders() {
        let strides = |sizes: &[u64], fortran| choose(sizes, false).unwrap().strides(sizes, fortran);
        assert_eq!(strides(&[2, 5, 7, 3], false), [105, 21, 3, 1]);
        assert_eq!(strides(&[2, 3, 5, 7], false), [105, 7, 1, 35]);
        assert_eq!(strides(&[2, 5, 7, 3], true), [1, 2, 10, 70]);
        assert_eq!(strides(&[9, 784], false), [784, 28, 1, 0]);
        assert_eq!(strides(&[9, 784], true), [1, 252, 9, 0]);
        assert_eq!(strides(&[9, 3, 1024], false), [3072, 32, 1, 1024]);
    }

    #[test]
    fn arrays_like_images() {
        for sizes in [&[9, 784][..], &[9, 28, 28], &[9, 2, 2], &[9, 3, 8, 8], &[64, 64], &[9, 3072]] {
            assert!(like_images(sizes), "{sizes:?}");
        }
        for sizes in [&[9][..], &[], &[9, 1], &[9, 10], &[9, 4], &[9, 2], &[9, 28, 28, 28]] {
            assert!(!like_images(sizes), "{sizes:?}");
        }
    }
}
