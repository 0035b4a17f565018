//! Images made smaller by averaging: each new pixel is the mean of the area that it covers, exactly.

use crate::data::ImageShape;

/// `pixels` of shape `from` as an image of `height x width`, neither larger than before, both at least 1.
pub(super) fn shrink(pixels: &[u8], from: ImageShape, height: usize, width: usize) -> Vec<u8> {
    let (rows, columns) = (shares(from.height, height), shares(from.width, width));
    let area = (from.height * from.width) as u64;
    let mut bytes = Vec::with_capacity(height * width * from.channels);
    for row in &rows {
        for column in &columns {
            for channel in 0..from.channels {
                let mut sum = area / 2;
                for &(y, high) in row {
                    for &(x, wide) in column {
                        let value = pixels[(y * from.width + x) * from.channels + channel];
                        sum += high * wide * u64::from(value);
                    }
                }
                bytes.push((sum / area) as u8);
            }
        }
    }
    bytes
}

/// For each of `to` new pixels, the old ones that it covers and how much of it each fills, in parts of `from`.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, u64)>> {
    let overlap = |new: usize, old: usize| {
        let end = ((new + 1) * from).min((old + 1) * to);
        (old, end.saturating_sub((new * from).max(old * to)) as u64)
    };
    let covered = |new: usize| (new * from / to..((new + 1) * from).div_ceil(to)).map(move |old| overlap(new, old));
    (0..to).map(|new| covered(new).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    #[test]
    fn a_new_pixel_is_the_mean_of_its_area() {
        let pixels = [0, 10, 20, 30, 40, 50, 60, 70];
        assert_eq!(shrink(&pixels, shape(2, 4, 1), 1, 2), [25, 45]);
        assert_eq!(shrink(&pixels, shape(2, 4, 1), 2, 4), pixels);
        // Three pixels to two: the middle one counts half for each.
        assert_eq!(shrink(&[0, 90, 240], shape(1, 3, 1), 1, 2), [30, 190]);
        assert_eq!(shrink(&[0, 90, 240], shape(3, 1, 1), 2, 1), [30, 190]);
    }

    #[test]
    fn channels_stay_apart_and_full_stays_full() {
        assert_eq!(shrink(&[10, 0, 255, 30, 0, 255], shape(1, 2, 3), 1, 1), [20, 0, 255]);
        assert_eq!(shrink(&[255; 28 * 28], shape(28, 28, 1), 13, 15), [255; 13 * 15]);
    }
}
