//! Remarks on the training images: too few, all alike, or without contrast.

use super::{Facts, Found, Images};
use crate::data::fill;
use crate::net::summary::grouped;

/// Fewer images are memorised by D within minutes.
const FEW: usize = 500;
/// Number of images that are looked at, from all parts of the set.
const SAMPLE: usize = 32;
/// Pixel values, from 0 to 1, that differ by less are the same.
const SAME: f32 = 2.0 / 255.0;

pub(super) fn few(facts: &Facts) -> Option<Found> {
    let images = facts.count()?;
    let augmented = !facts.recipe.train.augment.kinds.is_empty();
    let [height, width, _] = facts.generator.output().dims();
    (images < FEW && !augmented && height.min(width) >= 8).then(|| Found {
        what: format!("there are {} training images", grouped(images as u64)),
        follows: ": the discriminator can learn them by heart, and the generator copy them".into(),
        advice: "augment them, or use more".into(),
        set: vec!["train.augment.kinds=[\"translation\", \"cutout\"]".into()],
    })
}

pub(super) fn alike(facts: &Facts) -> Option<Found> {
    let sample = sample(facts)?;
    let [first, others @ ..] = &sample[..] else { return None };
    let same = |image: &&Vec<f32>| image.iter().zip(first).all(|(a, b)| (a - b).abs() < SAME);
    (!others.is_empty() && others.iter().filter(same).count() == others.len()).then(|| Found {
        what: format!("the {} images that were looked at are all the same one", sample.len()),
        follows: ": there is nothing to learn but that one".into(),
        advice: "check the data".into(),
        set: Vec::new(),
    })
}

pub(super) fn flat(facts: &Facts) -> Option<Found> {
    let sample = sample(facts)?;
    let values = || sample.iter().flatten().copied();
    let (low, high) = (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
    (high - low < SAME).then(|| Found {
        what: format!(
            "all pixels of the {} images that were looked at are between {low:.3} and {high:.3}, where 0 is black and 1 \
             white",
            sample.len()
        ),
        follows: ": there is nothing to see".into(),
        advice: "check the data: pixels of 0 to 1 stored as bytes are black, for example".into(),
        set: Vec::new(),
    })
}

/// Some images from all parts of the set; none for points, or where one can't be read, which training reports.
fn sample(facts: &Facts) -> Option<Vec<Vec<f32>>> {
    let Images::Set(set) = facts.images else { return None };
    let (images, size) = (set.len(), set.shape().len());
    if facts.points() || images == 0 || size == 0 {
        return None;
    }
    let count = images.min(SAMPLE);
    let indices: Vec<usize> = (0..count).map(|at| at * images / count).collect();
    let mut values = Vec::new();
    fill(set, &indices, &mut values).ok()?;
    Some(values.chunks_exact(size).map(<[f32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ImageShape, InMemory};
    use crate::recipe::Preset;
    use crate::recipe::remarks::tests::on;

    /// Names of the remarks on 640 images of these pixels.
    fn of(pixel: impl Fn(usize, usize) -> u8) -> Vec<&'static str> {
        let shape = ImageShape { height: 28, width: 28, channels: 1 };
        let pixels = (0..640 * 784).map(|at| pixel(at / 784, at % 784)).collect();
        let images = InMemory::from_bytes("images", shape, pixels).unwrap();
        let remarks = Preset::Quick.recipe().unwrap().remarks(Images::Set(&images)).unwrap();
        remarks.into_iter().map(|remark| remark.name).collect()
    }

    #[test]
    fn images_are_looked_at() {
        assert_eq!(of(|image, at| ((image * 31 + at) % 251) as u8), [""; 0]);
        assert_eq!(of(|_, at| (at % 251) as u8), ["images-alike"]);
        assert_eq!(of(|image, at| (image * at % 2) as u8), ["images-alike", "images-flat"], "labels stored as bytes");
        assert_eq!(of(|image, _| image as u8), [""; 0], "plain, but different");
    }

    #[test]
    fn few_images_are_augmented() {
        let remarks = on(Preset::Quick, &[], 499);
        assert_eq!((remarks.len(), remarks[0].name), (1, "few-images"));
        assert_eq!(on(Preset::Quick, &[&remarks[0].set[0]], 499), []);
        assert_eq!(on(Preset::Quick, &[], 500), []);
    }
}
