//! Strokes: synthetic handwritten-looking digits. Any number of 28x28 grey images in ten classes, white on black and framed like
//! MNIST's, without files or a network. Image `i` is a function of the seed and of `i`, so sets with the same seed are equal
//! on every machine, and a longer set starts with a shorter one.

mod curve;
mod glyphs;
mod hand;
mod raster;

use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::digest::Digest;
use crate::error::Result;
use crate::in_memory::check_read;
use crate::random::Stream;
use raster::SIDE;

/// Number of classes.
const CLASSES: usize = 10;

/// Number of images in the fingerprint, enough to detect a changed generator.
const FINGERPRINT_IMAGES: usize = 100;

/// A set of `count` handwritten-looking digits.
#[derive(Clone, Debug)]
pub struct Strokes {
    seed: u64,
    count: usize,
    class: Stream,
    hand: Stream,
    info: DatasetInfo,
}

/// The digit of image `index`: each block of ten images has the ten digits in random order.
fn digit(class: &Stream, index: usize) -> usize {
    class.permutation((index / CLASSES) as u64, CLASSES)[index % CLASSES]
}

impl Strokes {
    /// The first `count` images of `seed`. Images are drawn when read and not stored: drawing one takes about 15
    /// microseconds.
    pub fn new(seed: u64, count: usize) -> Self {
        let (class, hand) = (Stream::new(seed, "strokes.class"), Stream::new(seed, "strokes.hand"));
        let names: Vec<String> = (0..CLASSES).map(|digit| digit.to_string()).collect();
        let classes = class.clone();
        let info = DatasetInfo::new("strokes")
            .with_classes(names, move |index| (index < count).then(|| digit(&classes, index) as u32));
        Self { seed, count, class, hand, info }
    }

    fn draw(&self, index: usize, out: &mut [f32]) {
        out.fill(0.0);
        let writing = hand::write(digit(&self.class, index), &mut self.hand.at(index as u64));
        for stroke in &writing.strokes {
            raster::draw_line(stroke, writing.softness, out);
        }
        for value in out {
            // Rounded to 8 bits, so that the set equals its copy in a file.
            *value = (*value * writing.ink * 255.0).round() / 255.0;
        }
    }
}

impl Dataset for Strokes {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        ImageShape { height: SIDE, width: SIDE, channels: 1 }
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        self.draw(index, out);
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        digest.update(b"strokes");
        digest.update(&self.seed.to_le_bytes());
        digest.update(&(self.count as u64).to_le_bytes());
        let mut image = [0.0; SIDE * SIDE];
        for index in 0..FINGERPRINT_IMAGES {
            self.draw(index, &mut image);
            digest.update(&image.map(|value| (value * 255.0).round() as u8));
        }
        digest.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn images(set: &Strokes) -> Vec<Vec<f32>> {
        let read = |index| {
            let mut image = vec![0.0; SIDE * SIDE];
            set.read(index, &mut image).unwrap();
            image
        };
        (0..set.len()).map(read).collect()
    }

    fn digit(set: &Strokes, index: usize) -> usize {
        set.label(index).unwrap() as usize
    }

    #[test]
    fn an_image_depends_on_seed_and_index_alone() {
        let (set, longer) = (Strokes::new(7, 40), Strokes::new(7, 4000));
        let mut image = vec![0.5; SIDE * SIDE];
        for index in [39, 3, 17] {
            longer.read(index, &mut image).unwrap();
            assert_eq!(image, images(&set)[index]);
            assert_eq!(set.label(index), longer.label(index));
        }
        let other = Strokes::new(8, 40);
        assert!(images(&set).iter().zip(images(&other)).all(|(a, b)| *a != b));
        assert_ne!(set.fingerprint(), other.fingerprint());
        assert_ne!(set.fingerprint(), longer.fingerprint());
        assert_eq!(set.fingerprint(), Strokes::new(7, 40).fingerprint());
    }

    /// Every machine draws the same images. Where the drawing program is changed on purpose, so is this digest.
    #[test]
    fn the_drawings_are_the_known_ones() {
        assert_eq!(
            Strokes::new(1, 60_000).fingerprint(),
            "6102d3f74ada18863cc51a40c2fd29d54a007dc50cb51389a3548d81f56435df"
        );
    }

    #[test]
    fn classes_are_balanced_and_in_no_fixed_order() {
        let set = Strokes::new(7, 1000);
        let mut counts = [0; CLASSES];
        (0..1000).for_each(|index| counts[digit(&set, index)] += 1);
        assert_eq!(counts, [100; CLASSES]);
        let order = |from: usize| (from..from + 10).map(|index| digit(&set, index)).collect();
        let orders: HashSet<Vec<usize>> = (0..100).map(|block| order(10 * block)).collect();
        assert!(orders.len() > 95, "{} orders", orders.len());
        assert_eq!(set.classes()[digit(&set, 5)], digit(&set, 5).to_string());
    }

    #[test]
    fn images_are_distinct_and_in_range() {
        let bytes = |image: Vec<f32>| -> Vec<u8> {
            let byte = |value: f32| {
                assert!((0.0..=1.0).contains(&value), "{value}");
                assert!((value * 255.0 - (value * 255.0).round()).abs() < 1e-4, "{value}");
                (value * 255.0).round() as u8
            };
            image.into_iter().map(byte).collect()
        };
        let distinct: HashSet<Vec<u8>> = images(&Strokes::new(7, 2000)).into_iter().map(bytes).collect();
        assert_eq!(distinct.len(), 2000);
    }

    /// The figures of MNIST's 60,000 training images: mean 0.131, deviation 0.308, 13.3 % above a half, 81 % zero.
    #[test]
    fn pixels_are_spread_as_in_mnist() {
        let pixels = images(&Strokes::new(7, 3000)).concat();
        let share =
            |test: fn(f32) -> bool| pixels.iter().filter(|&&value| test(value)).count() as f32 / pixels.len() as f32;
        let mean = pixels.iter().sum::<f32>() / pixels.len() as f32;
        let square = pixels.iter().map(|value| value * value).sum::<f32>() / pixels.len() as f32;
        let deviation = (square - mean * mean).sqrt();
        assert!((mean - 0.131).abs() < 0.005, "mean {mean}");
        assert!((deviation - 0.308).abs() < 0.006, "deviation {deviation}");
        let (bright, black) = (share(|value| value > 0.5), share(|value| value == 0.0));
        assert!((bright - 0.133).abs() < 0.005, "above a half {bright}");
        assert!((black - 0.81).abs() < 0.015, "black {black}");
    }

    #[test]
    fn the_centre_of_mass_is_in_the_middle() {
        for image in images(&Strokes::new(7, 300)) {
            let mass: f32 = image.iter().sum();
            let moment = |place: fn(usize) -> usize| {
                image.iter().enumerate().map(|(i, v)| place(i) as f32 * v).sum::<f32>() / mass
            };
            let (x, y) = (moment(|i| i % SIDE), moment(|i| i / SIDE));
            assert!((x - 14.0).abs() < 2.0 && (y - 14.0).abs() < 2.0, "({x}, {y})");
        }
    }

    #[test]
    fn classes_can_be_told_apart() {
        let set = Strokes::new(7, 2000);
        let images = images(&set);
        let mut means = vec![vec![0.0; SIDE * SIDE]; CLASSES];
        for (index, image) in images[..1500].iter().enumerate() {
            let mean = &mut means[digit(&set, index)];
            mean.iter_mut().zip(image).for_each(|(sum, value)| *sum += value / 150.0);
        }
        let distance = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum() };
        let nearest = |image: &[f32]| {
            (0..CLASSES).min_by(|&a, &b| distance(image, &means[a]).total_cmp(&distance(image, &means[b])))
        };
        let right = (1500..2000).filter(|&i| nearest(&images[i]) == Some(digit(&set, i))).count();
        assert!(right > 400, "{right} of 500");
        // As wide a variety as handwriting's: a printed font would give 500.
        assert!(right < 490, "{right} of 500");
    }

    #[test]
    fn a_wrong_index_or_buffer_is_an_error() {
        let set = Strokes::new(7, 10);
        let mut image = vec![0.0; SIDE * SIDE];
        assert!(set.read(9, &mut image).is_ok());
        let error = set.read(10, &mut image).unwrap_err();
        assert!(error.to_string().contains("image 10"), "{error}");
        assert!(set.read(9, &mut image[1..]).is_err());
        assert_eq!((set.label(10), Strokes::new(7, 0).is_empty()), (None, true));
    }
}
