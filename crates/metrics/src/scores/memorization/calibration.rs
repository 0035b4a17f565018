//! Whether generated images are nearer to the training images than held-out real images are. Two tests: the share of
//! generated images below a threshold that 1 % of held-out images are below (a generator that copies nothing has about
//! 1 %, whatever the features), and the data-copying test of Meehan, Chaudhuri and Dasgupta (2020), which compares the
//! ranks of all generated and all held-out distances.

use crate::stats::bootstrap::{Bootstrap, Estimate};
use crate::stats::knn::nearest;
use crate::stats::matrix::{Features, at_least, same_dims};
use faussaire_data::error::{Error, Result};

/// The nearest training images of each image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NearestNeighbours {
    k: usize,
    index: Vec<u32>,
    distance: Vec<f64>,
}

impl NearestNeighbours {
    /// Finds the `k` nearest of `training` for each of `samples`, exactly; equal ones in the order of the training
    /// set.
    ///
    /// # Errors
    /// Where the dimensions differ, or `k` is 0 or above the number of training images.
    pub(crate) fn new(samples: &Features, training: &Features, k: usize) -> Result<Self> {
        same_dims(training, samples)?;
        if k == 0 {
            return Err(Error::usage("the 0 nearest training images", "ask for at least one"));
        }
        at_least(training, k, &format!("a list of {k} neighbours"))?;
        let found = nearest(samples, training, k);
        let all = || found.iter().flatten();
        Ok(Self { k, index: all().map(|f| f.row).collect(), distance: all().map(|f| f.squared.sqrt()).collect() })
    }

    /// Number of neighbours per image.
    #[cfg(test)]
    pub(crate) fn k(&self) -> usize {
        self.k
    }

    /// Number of images.
    pub(crate) fn samples(&self) -> usize {
        self.index.len() / self.k.max(1)
    }

    /// The training images nearest to `sample`, nearest first.
    pub(crate) fn indices(&self, sample: usize) -> &[u32] {
        &self.index[sample * self.k..][..self.k]
    }

    /// Their Euclidean distances in features.
    pub(crate) fn distances(&self, sample: usize) -> &[f64] {
        &self.distance[sample * self.k..][..self.k]
    }

    /// Each image's distance to its nearest training image.
    #[cfg(test)]
    pub(crate) fn nearest(&self) -> Vec<f32> {
        self.distance.iter().step_by(self.k).map(|&d| d as f32).collect()
    }
}

/// Distances from held-out images to the training images, with a threshold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calibration {
    /// Images up to this distance are flagged.
    pub(crate) threshold: f32,
    /// The share of held-out images that is flagged: about the share asked for, more where held-out images have
    /// duplicates in the training set.
    pub(crate) expected: f64,
    /// Held-out distances, ascending.
    held_out: Vec<f32>,
}

/// What the distances of generated images show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CopyTest {
    /// The share of generated images that is flagged; a generator that copies nothing has about
    /// [`Calibration::expected`].
    pub(crate) share: Estimate,
    /// The share less the expected one, in standard deviations; the uncertainty of both is counted.
    pub(crate) excess: f64,
    /// The data-copying test: the Mann-Whitney statistic of generated against held-out distances in standard
    /// deviations. Around 0 for new images; below -3 the generator copies; above 3 its images are farther from the
    /// training images than real ones.
    pub(crate) z: f64,
}

impl Calibration {
    /// From the nearest training images of held-out images; `share` of them, usually 0.01, is flagged.
    ///
    /// # Errors
    /// Where there are fewer than `1 / share` distances, or `share` is not between 0 and 1.
    #[cfg(test)]
    pub(crate) fn new(held_out: &NearestNeighbours, share: f64) -> Result<Self> {
        Self::of(held_out.nearest(), share)
    }

    /// From the distances of held-out images.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of(mut distances: Vec<f32>, share: f64) -> Result<Self> {
        distances.sort_by(f32::total_cmp);
        if !(share > 0.0 && share < 1.0) || (distances.len() as f64) * share < 1.0 - 1e-9 {
            let what = format!("a threshold at the nearest {share} of {} held-out images", distances.len());
            return Err(Error::usage(what, "use more held-out images, or a share between 1 / images and 1"));
        }
        let rank = (distances.len() as f64 * share).round().max(1.0) as usize;
        let threshold = distances[rank - 1];
        let expected = up_to(&distances, threshold);
        Ok(Self { threshold, expected, held_out: distances })
    }

    /// The held-out distances, ascending.
    pub(crate) fn held_out(&self) -> &[f32] {
        &self.held_out
    }

    /// Compares the distances of generated images with the held-out ones, which must be computed in the same way.
    pub(crate) fn test(&self, mut distances: Vec<f32>, bootstrap: &Bootstrap) -> CopyTest {
        let near: Vec<bool> = distances.iter().map(|&d| d <= self.threshold).collect();
        distances.sort_by(f32::total_cmp);
        let share = bootstrap.share(&near);
        CopyTest { share, excess: self.excess(share.value, near.len()), z: mann_whitney(&distances, &self.held_out) }
    }

    /// A share of `n` images less the expected one, in standard deviations. Both are uncertain: with the threshold at
    /// the nearest r of N held-out images, the share of all possible held-out images up to it has a standard error of
    /// `sqrt(r) / N`.
    fn excess(&self, share: f64, n: usize) -> f64 {
        let (p, all) = (self.expected, self.held_out.len() as f64);
        (share - p) / (p * (1.0 - p) / n as f64 + p / all).sqrt()
    }
}

/// The share of sorted `distances` up to `limit`.
fn up_to(distances: &[f32], limit: f32) -> f64 {
    distances.partition_point(|&d| d <= limit) as f64 / distances.len() as f64
}

/// The Mann-Whitney statistic of sorted `a` against sorted `b` in standard deviations, ties counted half: below 0 where
/// `a` is smaller. 0 where all values are equal.
fn mann_whitney(a: &[f32], b: &[f32]) -> f64 {
    let (m, n) = (a.len() as f64, b.len() as f64);
    let mut above = 0.0;
    let mut ties = 0.0;
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let value = match (a.get(i), b.get(j)) {
            (Some(&a), Some(&b)) => a.min(b),
            (Some(&one), None) | (None, Some(&one)) => one,
            (None, None) => break,
        };
        let count = |list: &[f32], from: usize| list[from..].iter().take_while(|&&v| v == value).count();
        let (equal_a, equal_b) = (count(a, i), count(b, j));
        above += equal_a as f64 * (j as f64 + 0.5 * equal_b as f64);
        let equal = (equal_a + equal_b) as f64;
        ties += equal.powi(3) - equal;
        i += equal_a;
        j += equal_b;
    }
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance > 0.0 { (above - m * n / 2.0) / variance.sqrt() } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, number, real_set, sets, value};

    /// The real set's first and second half.
    fn halves(real: &Features) -> [Features; 2] {
        let (n, half) = (real.rows(), real.rows() / 2);
        [(0..half), (half..n)].map(|rows| real.select(&rows.collect::<Vec<_>>()).unwrap())
    }

    #[test]
    fn agrees_with_scikit_learn_and_scipy() {
        for name in ["plain", "few_rows", "duplicates"] {
            let (real, fake) = sets(name);
            let [training, held_out] = halves(&real);
            let found = NearestNeighbours::new(&fake, &training, 3).unwrap();
            for row in 0..fake.rows() {
                let want = numbers_at(name, row);
                found.distances(row).iter().zip(&want).for_each(|(got, want)| assert_near(*got, *want, 1e-6));
                if let Some(index) = value(&[name, "neighbours", "index"])[row].as_u64() {
                    assert_eq!(u64::from(found.indices(row)[0]), index);
                }
            }
            let calibration = Calibration::new(&NearestNeighbours::new(&held_out, &training, 1).unwrap(), 0.1).unwrap();
            let judged = calibration.test(found.nearest(), &Bootstrap::default());
            for (got, key) in [
                (f64::from(calibration.threshold), "threshold"),
                (calibration.expected, "held_out_share"),
                (judged.share.value, "share"),
                (judged.z, "z"),
            ] {
                assert_near(got, number(&[name, "neighbours", key]), 1e-6);
            }
        }
    }

    fn numbers_at(name: &str, row: usize) -> Vec<f64> {
        value(&[name, "neighbours", "distance"])[row].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    #[test]
    fn copies_are_found_and_new_images_pass() {
        let training = real_set(1, 2000, 6);
        let find = |set: &Features| NearestNeighbours::new(set, &training, 2).unwrap();
        let calibration = Calibration::new(&find(&real_set(2, 1000, 6)), 0.01).unwrap();
        assert_near(calibration.expected, 0.01, 1e-9);
        let judge = |set: &Features| calibration.test(find(set).nearest(), &Bootstrap::default());
        let new = judge(&real_set(3, 1000, 6));
        assert!(new.share.low <= 0.015 && new.share.high < 0.03 && new.z.abs() < 3.0, "{new:?}");
        // 10 of 1,000 on each side: a standard deviation of 0.01 (1 / sqrt(10) for each, as shares of it), nearly.
        let expected = (new.share.value - 0.01) / (0.01 * 0.99 / 1000.0 + 0.01 / 1000.0f64).sqrt();
        assert_near(new.excess, expected, 1e-9);
        assert!(new.excess.abs() < 2.5, "{new:?}");
        // Every fifth image a copy.
        let rows: Vec<usize> = (0..1000).map(|i| if i % 5 == 0 { i } else { 2000 + i }).collect();
        let both = Features::new([training.values(), real_set(3, 1000, 6).values()].concat(), 3000, 6).unwrap();
        let copier = judge(&both.select(&rows).unwrap());
        assert!((copier.share.value - 0.21).abs() < 0.02 && copier.share.low > 0.17 && copier.z < -5.0, "{copier:?}");
        assert!(copier.excess > 20.0, "{copier:?}");
        let found = find(&training);
        assert_eq!((found.k(), found.indices(17)[0], found.distances(17)[0]), (2, 17, 0.0));
        assert!(found.distances(17)[1] > 0.0);
    }

    #[test]
    fn ranks_are_counted_with_ties() {
        assert_eq!(mann_whitney(&[1.0, 1.0], &[1.0]), 0.0);
        assert_eq!(mann_whitney(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
        let low = mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]);
        // U = 0, mean 4.5, variance 3 * 3 * 7 / 12.
        assert_near(low, -4.5 / 5.25f64.sqrt(), 1e-12);
        assert_eq!(mann_whitney(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]), -low);
    }

    #[test]
    fn unusable_requests_are_named() {
        let set = real_set(1, 20, 3);
        assert!(NearestNeighbours::new(&set, &set, 0).is_err());
        assert!(NearestNeighbours::new(&set, &set, 21).unwrap_err().to_string().contains("at least 21"));
        assert!(NearestNeighbours::new(&set, &real_set(1, 20, 4), 1).is_err());
        let found = NearestNeighbours::new(&set, &set, 1).unwrap();
        assert!(Calibration::new(&found, 0.01).unwrap_err().to_string().contains("0.01 of 20 held-out"));
        assert!(Calibration::new(&found, 0.05).is_ok() && Calibration::new(&found, 1.0).is_err());
        assert!(Calibration::new(&found, f64::NAN).is_err());
    }
}
