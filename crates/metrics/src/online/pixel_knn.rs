//! Nearest neighbours on pixels during training: whether a generator copies a small training set, and which classes it
//! misses. Coarser than `scores::memorization` and class predictions, but cheap enough for every sheet of a run.

use crate::scores::classes::rare_classes;
use crate::stats::knn::{Neighbour, nearest, nearest_others};
use crate::{Features, Metric, OnlineScore, ScoreName};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, ImageShape, fill, mirror};

/// Number of real images to compare with; fewer where they would have more than [`MAX_VALUES`] values in all.
const REAL: usize = 1000;
const MAX_VALUES: usize = 1 << 20;
/// Number of generated images that are compared, at most.
const GENERATED: usize = 256;
/// Fewer real images per class can't show that a class is missing.
const PER_CLASS: usize = 50;
/// Largest value of the copying score: a distance of 0 to the training images would make it infinite.
const MAX_RATIO: f64 = 1000.0;

/// Real images to compare with.
#[derive(Clone, Debug)]
pub(crate) struct PixelKnn {
    real: Features,
    shape: ImageShape,
    /// Whether the mirror images of `real` are training images, too.
    mirrored: bool,
    /// Mean distance from a training image to the nearest other one, where `real` are all of them.
    spacing: Option<f64>,
    /// The class of each real image, where it is known, and the number of classes; none where there are too few images of
    /// each.
    labels: Option<(Vec<Option<usize>>, usize)>,
}

impl PixelKnn {
    /// Selects images of `dataset` by `seed`. None for a large set without classes, which supports neither score.
    ///
    /// # Errors
    /// Where an image can't be read.
    pub(crate) fn new(dataset: &dyn Dataset, seed: u64) -> Result<Option<Self>> {
        let (length, classes) = (dataset.shape().len(), dataset.classes().len());
        let count = REAL.min(MAX_VALUES / length.max(1)).min(dataset.len());
        let is_whole = count == dataset.len() && count > 1;
        let chosen = Stream::new(seed, "score.closeness").choice(0, dataset.len(), count);
        let has_classes = classes > 1 && count >= PER_CLASS * classes;
        if count == 0 || !(is_whole || has_classes) {
            return Ok(None);
        }
        let mut values = Vec::new();
        fill(dataset, &chosen, &mut values)?;
        let real = Features::new(values, count, length)?;
        let distances = || nearest_others(&real, 1).iter().map(|f| f[0].squared.sqrt()).collect::<Vec<_>>();
        let spacing = is_whole.then(|| mean(&distances()));
        let label = |i: &usize| dataset.label(*i).map(|label| label as usize).filter(|label| *label < classes);
        let labels: Vec<Option<usize>> = chosen.iter().map(label).collect();
        let known = labels.iter().flatten().count();
        let labels = (has_classes && known >= PER_CLASS * classes).then_some((labels, classes));
        Ok(Some(Self { real, shape: dataset.shape(), mirrored: false, spacing, labels }))
    }

    /// With the mirror images of the training images as training images: a copy of one of these is a copy.
    pub(crate) fn mirrored(self) -> Self {
        let Ok(turned) = self.turned(&self.real) else { return self };
        // The nearest mirror image may be its own: that of a symmetric image is no other image.
        let nearest_mirrored = nearest(&turned, &self.real, 2.min(self.real.rows()));
        let spacing = self.spacing.map(|_| {
            let plain = nearest_others(&self.real, 1);
            let distance = |(row, found): (usize, &Vec<Neighbour>)| {
                let other = nearest_mirrored[row].iter().find(|near| near.row as usize != row);
                found[0].squared.min(other.map_or(f64::INFINITY, |near| near.squared)).sqrt()
            };
            mean(&plain.iter().enumerate().map(distance).collect::<Vec<_>>())
        });
        Self { mirrored: true, spacing, ..self }
    }

    /// The mirror images of `images`.
    fn turned(&self, images: &Features) -> Result<Features> {
        let mut values: Vec<f32> = (0..images.rows()).flat_map(|row| images.row(row)).copied().collect();
        values.chunks_exact_mut(images.dims().max(1)).for_each(|image| mirror(image, self.shape));
        Features::new(values, images.rows(), images.dims())
    }

    /// Names and values of the scores of `generated` images, values in [0, 1]; smaller is better. [`Metric::Copying`]:
    /// how many times nearer generated images are to training images than these are to each other.
    /// [`Metric::RareClasses`]: the number of classes that far fewer generated than real images are nearest to.
    pub(crate) fn score(&self, generated: &[f32]) -> Vec<OnlineScore> {
        let length = self.real.dims();
        let rows = (generated.len() / length).min(GENERATED);
        // A generator whose weights are NaN or infinite has no neighbours; its losses report that.
        let Ok(generated) = Features::new(generated[..rows * length].to_vec(), rows, length) else { return Vec::new() };
        let found = nearest(&generated, &self.real, 1);
        let mut scores = Vec::new();
        if let Some(spacing) = self.spacing {
            let mut squared: Vec<f64> = found.iter().map(|f| f[0].squared).collect();
            // As far from a mirror image as its own mirror image is from the image.
            if self.mirrored
                && let Ok(turned) = self.turned(&generated)
            {
                let mirrored = nearest(&turned, &self.real, 1);
                squared.iter_mut().zip(&mirrored).for_each(|(squared, f)| *squared = squared.min(f[0].squared));
            }
            let distance = mean(&squared.into_iter().map(f64::sqrt).collect::<Vec<_>>());
            let training = self.real.rows() * if self.mirrored { 2 } else { 1 };
            let name = ScoreName::new(Metric::Copying, format!("{rows}-of-{training}-pixels"));
            scores.push(OnlineScore::new(name, (spacing / distance).min(MAX_RATIO)));
        }
        if let Some((labels, classes)) = &self.labels {
            let found: Vec<usize> = found.iter().filter_map(|f| labels[f[0].row as usize]).collect();
            let known: Vec<usize> = labels.iter().flatten().copied().collect();
            let shares = |classified: &[usize]| {
                let mut shares = vec![0.0; *classes];
                classified.iter().for_each(|&label| shares[label] += 1.0 / classified.len() as f64);
                shares
            };
            let name = ScoreName::new(Metric::RareClasses, format!("{rows}-nearest-of-{}", labels.len()));
            let rare = rare_classes(&shares(&found), &shares(&known), 0.0);
            scores.push(OnlineScore::new(name, rare as f64));
        }
        scores
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use faussaire_data::{Strokes, Subset};

    fn strokes(count: usize) -> Box<dyn Dataset> {
        Subset::first(Box::new(Strokes::new(5, 4000)), count)
    }

    fn images(set: &dyn Dataset, indices: std::ops::Range<usize>) -> Vec<f32> {
        let mut values = Vec::new();
        fill(set, &indices.collect::<Vec<_>>(), &mut values).unwrap();
        values
    }

    #[test]
    fn copies_come_nearer_than_new_images() {
        let all = Strokes::new(5, 4000);
        let pixel_knn = PixelKnn::new(strokes(10).as_ref(), 0).unwrap().unwrap();
        let fresh = pixel_knn.score(&images(&all, 1000..1100));
        assert_eq!(fresh[0].name.to_string(), "copying-100-of-10-pixels");
        assert!((0.7..1.3).contains(&fresh[0].value), "{fresh:?}");
        let mut near = images(&all, 0..10);
        near.iter_mut().for_each(|v| *v = 0.95 * *v + 0.01);
        assert!(pixel_knn.score(&near)[0].value > 5.0);
        assert_eq!(pixel_knn.score(&images(&all, 0..10))[0].value, MAX_RATIO);
        assert!(pixel_knn.score(&vec![f32::NAN; 784]).is_empty());
    }

    #[test]
    fn copies_of_mirror_images_are_copies_where_these_were_trained_on() {
        let (all, set) = (Strokes::new(5, 4000), strokes(10));
        let plain = PixelKnn::new(set.as_ref(), 0).unwrap().unwrap();
        let mirrored = plain.clone().mirrored();
        let mut copies = images(set.as_ref(), 0..10);
        copies.chunks_exact_mut(784).step_by(2).for_each(|image| mirror(image, set.shape()));
        copies.iter_mut().for_each(|v| *v = 0.95 * *v + 0.01);
        let seen = mirrored.score(&copies);
        assert_eq!(seen[0].name.to_string(), "copying-10-of-20-pixels");
        assert!(seen[0].value > 5.0 && plain.score(&copies)[0].value < 2.5, "{seen:?}");
        let fresh = mirrored.score(&images(&all, 1000..1100))[0].value;
        assert!((0.7..1.3).contains(&fresh), "{fresh}");
        // The mirror image of a symmetric image is itself: the training images are not closer to each other for it.
        let symmetric: Vec<f32> = (0..5u8).flat_map(|k| [k, 10, k].map(f32::from)).collect();
        let set = faussaire_data::InMemory::from_floats(
            "symmetric",
            ImageShape { height: 1, width: 3, channels: 1 },
            symmetric.iter().map(|v| v / 10.0).collect(),
        );
        let knn = PixelKnn::new(&set.unwrap(), 0).unwrap().unwrap();
        assert_eq!(knn.spacing, knn.clone().mirrored().spacing);
    }

    #[test]
    fn absent_classes_are_counted() {
        let all = Strokes::new(5, 4000);
        let pixel_knn = PixelKnn::new(&all, 0).unwrap().unwrap();
        let value = |values: &[f32]| {
            let scores = pixel_knn.score(values);
            assert_eq!(scores.len(), 1);
            let name = scores[0].name.to_string();
            assert!(name.starts_with("rare-classes-") && name.ends_with("-nearest-of-1000"));
            scores[0].value
        };
        assert_eq!(value(&images(&all, 2000..2256)), 0.0);
        let of = |wanted: &dyn Fn(u32) -> bool| -> Vec<f32> {
            let chosen: Vec<usize> = (2000..4000).filter(|i| wanted(all.label(*i).unwrap())).take(256).collect();
            let mut values = Vec::new();
            fill(&all, &chosen, &mut values).unwrap();
            values
        };
        let some = value(&of(&|label| label < 6));
        assert!((2.0..=4.0).contains(&some), "{some}");
        assert!(value(&of(&|label| label == 1)) >= 8.0);
    }
}
