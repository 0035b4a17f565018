//! What the nearest real image says of each generated one, in plain pixels: whether a generator copies a small training
//! set, and which classes it leaves out. Coarser than `neighbours` and `classes`, which need trained features, but cheap
//! enough for every sheet of a run.

use super::features::Features;
use super::nearest::{nearest, nearest_others};
use faussaire_data::error::Result;
use faussaire_data::random::Stream;
use faussaire_data::{Dataset, fill};

/// Real images to compare with, fewer where all would take more than so many values.
const REAL: usize = 1000;
const VALUES: usize = 1 << 20;
/// Generated images that are looked at.
const GENERATED: usize = 256;
/// Real images of a class without which its absence can't be told.
const PER_CLASS: usize = 50;
/// A class counts as missing where generated images show it so many times more rarely than real ones do: the nearest
/// neighbour errs in one digit of ten, so an absent class still gets some.
const RARER: f64 = 5.0;
/// A distance of 0 to the training images would make the ratio infinite.
const MOST: f64 = 1000.0;

/// The real side of the comparison.
#[derive(Clone, Debug)]
pub struct Closeness {
    real: Features,
    /// Distance from a training image to the nearest other one, where `real` are all there are.
    apart: Option<f64>,
    /// The class of each real image and the number of classes, where there are enough images to tell.
    labels: Option<(Vec<usize>, usize)>,
}

impl Closeness {
    /// Chooses images of `dataset` by `seed`. None where neither question can be answered: a large set without classes.
    ///
    /// # Errors
    /// Where an image can't be read.
    pub fn new(dataset: &dyn Dataset, seed: u64) -> Result<Option<Self>> {
        let (length, classes) = (dataset.shape().len(), dataset.classes().len());
        let count = REAL.min(VALUES / length.max(1)).min(dataset.len());
        let whole = count == dataset.len() && count > 1;
        let told = classes > 1 && count >= PER_CLASS * classes;
        if count == 0 || !(whole || told) {
            return Ok(None);
        }
        let chosen = Stream::new(seed, "score.closeness").choice(0, dataset.len(), count);
        let mut values = Vec::new();
        fill(dataset, &chosen, &mut values)?;
        let real = Features::new(values, count, length)?;
        let apart =
            whole.then(|| mean(&nearest_others(&real, 1).iter().map(|f| f[0].squared.sqrt()).collect::<Vec<_>>()));
        let label = |i: &usize| dataset.label(*i).map(|label| label as usize).filter(|label| *label < classes);
        let labels: Option<Vec<usize>> = if told { chosen.iter().map(label).collect() } else { None };
        Ok(Some(Self { real, apart, labels: labels.map(|labels| (labels, classes)) }))
    }

    /// Names and values for `generated` images, values in [0, 1]; smaller is better. `copying`: how many times nearer
    /// generated images come to training images than these come to each other. `rare-classes`: how many there are.
    pub fn score(&self, generated: &[f32]) -> Vec<(String, f64)> {
        let length = self.real.dims();
        let rows = (generated.len() / length).min(GENERATED);
        // A generator whose weights are beyond numbers has no neighbours; its losses say so.
        let Ok(generated) = Features::new(generated[..rows * length].to_vec(), rows, length) else { return Vec::new() };
        let found = nearest(&generated, &self.real, 1);
        let mut scores = Vec::new();
        if let Some(apart) = self.apart {
            let distance = mean(&found.iter().map(|f| f[0].squared.sqrt()).collect::<Vec<_>>());
            scores.push((format!("copying-{rows}-of-{}-pixels", self.real.rows()), (apart / distance).min(MOST)));
        }
        if let Some((labels, classes)) = &self.labels {
            let shares = |shown: &mut dyn Iterator<Item = usize>, of: usize| {
                let mut shares = vec![0.0; *classes];
                shown.for_each(|label| shares[label] += 1.0 / of as f64);
                shares
            };
            let real = shares(&mut labels.iter().copied(), labels.len());
            let fake = shares(&mut found.iter().map(|f| labels[f[0].row as usize]), rows);
            let missing = real.iter().zip(&fake).filter(|(real, fake)| RARER * **fake < **real).count();
            scores.push((format!("rare-classes-{rows}-nearest-of-{}", labels.len()), missing as f64));
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
        let closeness = Closeness::new(strokes(10).as_ref(), 0).unwrap().unwrap();
        let fresh = closeness.score(&images(&all, 1000..1100));
        assert_eq!(fresh[0].0, "copying-100-of-10-pixels");
        assert!((0.7..1.3).contains(&fresh[0].1), "{fresh:?}");
        let mut near = images(&all, 0..10);
        near.iter_mut().for_each(|v| *v = 0.95 * *v + 0.01);
        assert!(closeness.score(&near)[0].1 > 5.0);
        assert_eq!(closeness.score(&images(&all, 0..10))[0].1, MOST);
        assert!(closeness.score(&vec![f32::NAN; 784]).is_empty());
    }

    #[test]
    fn absent_classes_are_counted() {
        let all = Strokes::new(5, 4000);
        let closeness = Closeness::new(&all, 0).unwrap().unwrap();
        let value = |values: &[f32]| {
            let scores = closeness.score(values);
            assert_eq!(scores.len(), 1);
            assert!(scores[0].0.starts_with("rare-classes-") && scores[0].0.ends_with("-nearest-of-1000"));
            scores[0].1
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
