//! How a set's images are read for the rule: the size of images of several sizes, or of very large or small ones, and
//! transparency. What the recipe already says is kept.

use super::SIDES;
use crate::data::{ImageShape, Sample};
use crate::recipe::{DataSettings, ImageSize};

/// What the shorter side becomes: the next power of two from 16 on, as small images have no more to show; and the most that the
/// sides become.
const SHORTER: [usize; 2] = [16, 64];
const LONGER: usize = 128;

/// Changes to the recipe's keys, as `key=value`, each with its reason, for images that come as `found` under `given`.
pub(crate) fn reading(found: ImageShape, sample: Sample, given: &DataSettings) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    if given.size == ImageSize::KEEP && found.is_picture() {
        let sides = format!("{}x{}", found.height, found.width);
        let fits = SIDES.contains(&found.height) && SIDES.contains(&found.width);
        let why = match sample.other_sizes {
            0 if fits => None,
            0 => Some(format!("images of {sides} pixels")),
            _ => Some(format!("images of several sizes, such as {sides} pixels")),
        };
        if let Some(why) = why {
            let size = usual(found);
            let how = if found.height == found.width { "" } else { " (height x width)" };
            changes.push((
                format!("data.size={size}"),
                format!("{why}: resized to {}{how}; another size can be set (`data.size`)", sides_of(size)),
            ));
        }
    }
    if given.channels == 0 && sample.transparent > 0 && found.channels != 4 {
        let (transparent, files) = (sample.transparent, sample.files);
        let why = format!("{transparent} of {files} files examined have transparent pixels");
        changes.push((
            "data.channels=4".into(),
            format!("{why}: images have 4 channels, the last one alpha; 3 would lay them over white (`data.channels`)"),
        ));
    }
    changes
}

fn sides_of(size: ImageSize) -> String {
    size.sides().map_or_else(String::new, |(height, width)| format!("{height}x{width}"))
}

/// A size of about the same ratio of sides, the longer one a multiple of 8.
fn usual(found: ImageShape) -> ImageSize {
    let shorter = found.height.min(found.width).next_power_of_two().clamp(SHORTER[0], SHORTER[1]);
    let longer = |long: usize, short: usize| {
        let exact = shorter as f64 * long as f64 / short.max(1) as f64;
        (((exact / 8.0).round() as usize) * 8).clamp(shorter, LONGER)
    };
    match (found.height, found.width) {
        (height, width) if height >= width => ImageSize::new(longer(height, width), shorter),
        (height, width) => ImageSize::new(shorter, longer(width, height)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(transparent: usize, other_sizes: usize) -> Sample {
        let mut sample = Sample::default();
        (sample.files, sample.transparent, sample.other_sizes) = (20, transparent, other_sizes);
        sample
    }

    fn changes(sides: (usize, usize), sample: Sample, given: &DataSettings) -> Vec<String> {
        let found = ImageShape { height: sides.0, width: sides.1, channels: 3 };
        let all = reading(found, sample, given);
        assert!(all.iter().all(|(_, why)| why.contains("(`data.")));
        all.into_iter().map(|(change, _)| change).collect()
    }

    #[test]
    fn sizes_that_fit_are_kept_and_others_chosen() {
        let kept = DataSettings::default();
        assert_eq!(changes((37, 53), sample(0, 0), &kept), [""; 0]);
        for (sides, size) in [
            ((3000, 4000), "64x88"),
            ((4000, 3000), "88x64"),
            ((300, 300), "64"),
            ((5, 5), "16"),
            ((3, 50), "16x128"),
            ((7, 9), "16x24"),
            ((257, 256), "64"),
            ((64, 2000), "64x128"),
        ] {
            assert_eq!(changes(sides, sample(0, 0), &kept), [format!("data.size={size}")], "{sides:?}");
        }
        assert_eq!(changes((37, 53), sample(0, 1), &kept), ["data.size=64x88"]);
        assert_eq!(changes((20, 30), sample(0, 9), &kept), ["data.size=32x48"]);
        let given = DataSettings { size: ImageSize::square(32), ..kept };
        assert_eq!(changes((3000, 4000), sample(0, 5), &given), [""; 0]);
    }

    #[test]
    fn transparency_is_kept_unless_channels_are_given() {
        let kept = DataSettings::default();
        assert_eq!(changes((64, 64), sample(1, 0), &kept), ["data.channels=4"]);
        assert_eq!(changes((64, 64), sample(1, 0), &DataSettings { channels: 3, ..kept }), [""; 0]);
    }
}
