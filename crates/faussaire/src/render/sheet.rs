//! Sheets: many images side by side in one picture, row by row, in their order. Transparent images are over a checkerboard.

use super::{Images, Picture, enlarge, usual_scale};
use crate::data::ImageShape;
use crate::error::{Error, Result};

/// The largest picture that is put together, in bytes (1 GiB).
const MAX_BYTES: usize = 1 << 30;

/// Images in a strip.
const STRIP: usize = 10;

/// How a sheet is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Pixels between images, and around all of them.
    pub gap: usize,
    /// The grey of the gaps and of places without an image.
    pub background: u8,
    /// Each pixel of an image is shown as `scale x scale` equal ones; without, images smaller than 64 pixels are
    /// enlarged as far as they stay within that.
    pub scale: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { gap: 2, background: 64, scale: None }
    }
}

/// The first `rows * columns` images as one picture. Where there are fewer, the last places stay empty.
///
/// # Errors
/// Where there is no image or no place, or the picture would be larger than 1 GiB.
pub fn sheet(images: &Images, rows: usize, columns: usize, options: &Options) -> Result<Picture> {
    images.check()?;
    let scale = (options.scale).unwrap_or_else(|| usual_scale(images.shape, columns));
    if rows == 0 || columns == 0 || scale == 0 {
        return Err(Error::usage(
            format!("a sheet of {rows}x{columns} images at {scale} times their size has no room"),
            "expected at least 1 row, 1 column and a scale of 1",
        ));
    }
    let too_large = || {
        Error::usage(
            format!("a sheet of {rows}x{columns} images of {} would take more than 1 GiB", images.shape),
            "ask for fewer images, or for a smaller scale",
        )
    };
    let shape = layout(images.shape, rows, columns, scale, options.gap).ok_or_else(too_large)?;
    let mut picture = Picture { shape, bytes: vec![options.background; shape.len()] };
    let tile = (images.shape.height * scale, images.shape.width * scale);
    for (place, image) in images.bytes.chunks_exact(images.shape.len()).take(rows * columns).enumerate() {
        let top = options.gap + (place / columns) * (tile.0 + options.gap);
        let left = options.gap + (place % columns) * (tile.1 + options.gap);
        let tile = enlarge(image, images.shape, scale).over_checkerboard(top, left);
        put(&tile, top, left, &mut picture);
    }
    Ok(picture)
}

/// The first ten images (or all, where there are fewer) in one row.
///
/// # Errors
/// As [`sheet`].
pub fn strip(images: &Images, options: &Options) -> Result<Picture> {
    sheet(images, 1, images.len().clamp(1, STRIP), options)
}

/// The shape of the whole sheet, which has no alpha, unless it is too large.
fn layout(image: ImageShape, rows: usize, columns: usize, scale: usize, gap: usize) -> Option<ImageShape> {
    let side = |count: usize, pixels: usize| {
        let tile = pixels.checked_mul(scale)?.checked_add(gap)?;
        tile.checked_mul(count)?.checked_add(gap)
    };
    let (height, width) = (side(rows, image.height)?, side(columns, image.width)?);
    let channels = image.channels.min(3);
    let bytes = height.checked_mul(width)?.checked_mul(channels)?;
    (bytes <= MAX_BYTES).then_some(ImageShape { height, width, channels })
}

/// Copies `tile` into `picture` with its first pixel at (`top`, `left`).
fn put(tile: &Picture, top: usize, left: usize, picture: &mut Picture) {
    let (from, to) = (tile.shape.width * tile.shape.channels, picture.shape.width * picture.shape.channels);
    let start = left * picture.shape.channels;
    let rows = picture.bytes.chunks_exact_mut(to).skip(top);
    for (source, row) in tile.bytes.chunks_exact(from).zip(rows) {
        row[start..start + from].copy_from_slice(source);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn images(count: u8, shape: (usize, usize, usize)) -> Images {
        let (height, width, channels) = shape;
        let shape = ImageShape { height, width, channels };
        let bytes = (0..count).flat_map(|i| vec![i + 1; shape.len()]).collect();
        Images { shape, bytes }
    }

    const PLAIN: Options = Options { gap: 1, background: 9, scale: Some(1) };

    #[test]
    fn images_stand_row_by_row_with_gaps() {
        let picture = sheet(&images(3, (1, 2, 1)), 2, 2, &PLAIN).unwrap();
        assert_eq!((picture.shape.height, picture.shape.width, picture.shape.channels), (5, 7, 1));
        #[rustfmt::skip]
        assert_eq!(picture.bytes, [
            9, 9, 9, 9, 9, 9, 9,
            9, 1, 1, 9, 2, 2, 9,
            9, 9, 9, 9, 9, 9, 9,
            9, 3, 3, 9, 9, 9, 9,
            9, 9, 9, 9, 9, 9, 9,
        ]);
        // Images beyond the last place are left out.
        let picture = sheet(&images(3, (1, 2, 1)), 1, 1, &PLAIN).unwrap();
        assert_eq!(picture.bytes[picture.shape.width..][..4], [9, 1, 1, 9]);
    }

    #[test]
    fn the_scale_repeats_pixels_but_not_gaps() {
        let mut pair = images(2, (1, 1, 3));
        pair.bytes = vec![1, 2, 3, 4, 5, 6];
        let options = Options { gap: 0, background: 0, scale: Some(2) };
        let picture = sheet(&pair, 1, 2, &options).unwrap();
        let row = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6];
        assert_eq!(picture.bytes, [row, row].concat());
        let usual = sheet(&images(40, (28, 28, 1)), 4, 10, &Options::default()).unwrap();
        assert_eq!((usual.shape.height, usual.shape.width), (4 * 58 + 2, 10 * 58 + 2));
    }

    #[test]
    fn transparent_images_stand_over_a_checkerboard() {
        let mut pair = images(2, (1, 1, 4));
        pair.bytes = vec![10, 20, 30, 255, 0, 0, 0, 0];
        let options = Options { gap: 8, background: 9, scale: Some(1) };
        let picture = sheet(&pair, 1, 2, &options).unwrap();
        assert_eq!(picture.shape, ImageShape { height: 17, width: 26, channels: 3 });
        let row: Vec<&[u8]> = picture.bytes[8 * 26 * 3..][..26 * 3].chunks(3).collect();
        assert_eq!((row[7], row[8], row[9], row[17]), (&[9; 3][..], &[10, 20, 30][..], &[9; 3][..], &[204; 3][..]));
    }

    #[test]
    fn a_strip_is_one_row_of_ten_at_most() {
        let width = |count| strip(&images(count, (1, 2, 1)), &PLAIN).unwrap().shape.width;
        assert_eq!((width(1), width(4), width(10), width(30)), (4, 13, 31, 31));
        assert_eq!(strip(&images(30, (1, 2, 1)), &PLAIN).unwrap().shape.height, 3);
    }

    #[test]
    fn impossible_sheets_are_refused() {
        let one = images(1, (28, 28, 1));
        let error = |rows, columns, options| sheet(&one, rows, columns, options).unwrap_err().to_string();
        assert!(error(0, 3, &PLAIN).contains("0x3"));
        assert!(error(1, 1, &Options { scale: Some(0), ..PLAIN }).contains("at 0 times"));
        assert!(error(20_000, 20_000, &PLAIN).contains("more than 1 GiB"));
        assert!(error(usize::MAX, 2, &PLAIN).contains("more than 1 GiB"));
        assert!(sheet(&Images { bytes: Vec::new(), ..one.clone() }, 1, 1, &PLAIN).is_err());
        assert!(sheet(&Images { bytes: vec![0; 785], ..one }, 1, 1, &PLAIN).is_err());
    }
}
