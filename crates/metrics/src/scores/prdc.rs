//! Precision, recall, density and coverage (PRDC). The neighbourhood of an image is the ball whose radius is the
//! distance to its k-th nearest other image of the same set. Precision and recall (Kynkäänniemi et al. 2019): the share
//! of images inside any ball of the other set, the surface included. Density and coverage (Naeem et al. 2020), which
//! are less sensitive to outliers: the number of real balls that contain a generated image, divided by k, and the share
//! of real balls that contain a generated image, the surface excluded. Distances are exact: an image with more than k
//! duplicates has a ball of radius 0, which contains the duplicates for precision and recall, and nothing for density
//! and coverage.

use crate::stats::bootstrap::{Bootstrap, Estimate};
use crate::stats::knn::nearest_others;
use crate::stats::matrix::{Features, at_least, same_dims};
use crate::stats::pairwise::{Frame, Points, Tile, ceil, for_tiles};
use faussaire_data::error::{Error, Result};
use std::ops::Range;

/// The `k` of the neighbourhoods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbourhood {
    /// For precision and recall.
    pub(crate) precision_k: usize,
    /// For density and coverage.
    pub(crate) density_k: usize,
}

impl Default for Neighbourhood {
    /// 3 and 5, as in the papers.
    fn default() -> Self {
        Self { precision_k: 3, density_k: 5 }
    }
}

/// The squared radii of a set's balls. Those of the real set are computed once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Radii {
    neighbourhood: Neighbourhood,
    precision: Vec<f64>,
    density: Vec<f64>,
}

impl Radii {
    /// Computes each image's distances to its neighbours in the same set.
    ///
    /// # Errors
    /// Where a k is 0, or there are not more images than it.
    pub(crate) fn new(features: &Features, neighbourhood: Neighbourhood) -> Result<Self> {
        let Neighbourhood { precision_k, density_k } = neighbourhood;
        if precision_k == 0 || density_k == 0 {
            return Err(Error::usage("the 0-th nearest neighbour", "choose k of at least 1"));
        }
        let k = precision_k.max(density_k);
        at_least(features, k.saturating_add(1), &format!("the distance to neighbour {k}"))?;
        let found = nearest_others(features, k);
        let radii = |k: usize| found.iter().map(|row| row[k - 1].squared).collect();
        Ok(Self { neighbourhood, precision: radii(precision_k), density: radii(density_k) })
    }

    /// The squared radii for precision and for density, image by image.
    pub(crate) fn lists(&self) -> [&[f64]; 2] {
        [&self.precision, &self.density]
    }

    /// From the lists of [`lists`](Self::lists).
    pub(crate) fn from_lists(neighbourhood: Neighbourhood, precision: Vec<f64>, density: Vec<f64>) -> Self {
        Self { neighbourhood, precision, density }
    }
}

/// Which balls contain each image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prdc {
    /// The `k` that was used.
    pub(crate) neighbourhood: Neighbourhood,
    /// Per generated image: inside any real ball.
    pub(crate) precise: Vec<bool>,
    /// Per generated image: the number of real balls (of density) that it is inside.
    pub(crate) balls: Vec<u32>,
    /// Per real image: inside any generated ball.
    pub(crate) recalled: Vec<bool>,
    /// Per real image: its ball (of density) contains a generated image.
    pub(crate) covered: Vec<bool>,
}

impl Prdc {
    /// Compares the sets; `radii` are those of `real`.
    ///
    /// # Errors
    /// Where the dimensions or the radii don't fit, or there are not more generated images than k.
    pub(crate) fn new(real: &Features, radii: &Radii, generated: &Features) -> Result<Self> {
        same_dims(real, generated)?;
        if radii.precision.len() != real.rows() {
            let what = format!("radii of {} images with features of {}", radii.precision.len(), real.rows());
            return Err(Error::usage(what, "compute the radii from the same real features"));
        }
        let generated_radii = Radii::new(generated, radii.neighbourhood)?;
        let frame = Frame::around(real, &[generated]);
        let (from, to) = (Points::new(real, &frame), Points::new(generated, &frame));
        let balls = Balls::new(radii, &generated_radii.precision, &frame);
        let start = |rows: Range<usize>| Part::new(rows, generated.rows());
        let parts = for_tiles(&from, &to, start, |part, tile| part.visit(tile, &balls));
        Ok(Self::from_parts(radii.neighbourhood, &parts, generated.rows()))
    }

    fn from_parts(neighbourhood: Neighbourhood, parts: &[Part], generated: usize) -> Self {
        let mut all = Self {
            neighbourhood,
            precise: vec![false; generated],
            balls: vec![0; generated],
            recalled: Vec::new(),
            covered: Vec::new(),
        };
        for part in parts {
            all.precise.iter_mut().zip(&part.precise).for_each(|(all, one)| *all |= one);
            all.balls.iter_mut().zip(&part.balls).for_each(|(all, one)| *all += one);
            all.recalled.extend(&part.recalled);
            all.covered.extend(&part.covered);
        }
        all
    }

    /// The share of generated images inside a real ball; larger is better. This interval and the following three are
    /// for the selection of the images that are counted, given the balls.
    pub(crate) fn precision(&self, bootstrap: &Bootstrap) -> Estimate {
        bootstrap.share(&self.precise)
    }

    /// The share of real images inside a generated ball; larger is better.
    pub(crate) fn recall(&self, bootstrap: &Bootstrap) -> Estimate {
        bootstrap.share(&self.recalled)
    }

    /// The mean number of real balls that contain a generated image, over k: 1 for equal distributions, more where the
    /// generator favours the densest regions; larger is better.
    pub(crate) fn density(&self, bootstrap: &Bootstrap) -> Estimate {
        let k = self.neighbourhood.density_k as f64;
        bootstrap.mean(&self.balls.iter().map(|&count| f64::from(count) / k).collect::<Vec<_>>())
    }

    /// The share of real balls that contain a generated image; larger is better.
    pub(crate) fn coverage(&self, bootstrap: &Bootstrap) -> Estimate {
        bootstrap.share(&self.covered)
    }
}

/// Squared radii in the frame's units, and the 32-bit limits above which a pair is in no ball.
struct Balls {
    precision: Vec<f64>,
    density: Vec<f64>,
    recall: Vec<f64>,
    real_limit: Vec<f32>,
    generated_limit: Vec<f32>,
}

impl Balls {
    fn new(real: &Radii, generated: &[f64], frame: &Frame) -> Self {
        let framed = |radii: &[f64]| radii.iter().map(|&r| frame.squared(r)).collect::<Vec<_>>();
        let (precision, density, recall) = (framed(&real.precision), framed(&real.density), framed(generated));
        let real_limit = precision.iter().zip(&density).map(|(a, b)| ceil(a.max(*b))).collect();
        let generated_limit = recall.iter().map(|&r| ceil(r)).collect();
        Self { precision, density, recall, real_limit, generated_limit }
    }
}

/// The counts of one block of real images.
struct Part {
    first: usize,
    precise: Vec<bool>,
    balls: Vec<u32>,
    recalled: Vec<bool>,
    covered: Vec<bool>,
}

impl Part {
    fn new(rows: Range<usize>, generated: usize) -> Self {
        Self {
            first: rows.start,
            precise: vec![false; generated],
            balls: vec![0; generated],
            recalled: vec![false; rows.len()],
            covered: vec![false; rows.len()],
        }
    }

    fn visit(&mut self, tile: &Tile, balls: &Balls) {
        for row in tile.rows.clone() {
            let nth = row - self.first;
            let own = balls.real_limit[row];
            if self.recalled[nth] {
                tile.within(self, row, |_, _| own, |part, column| part.real_ball(tile, balls, row, column));
                continue;
            }
            // Both kinds of ball, until one generated ball has been found to contain the real image.
            let limit = |part: &Self, column: usize| {
                if part.recalled[nth] { own } else { own.max(balls.generated_limit[column]) }
            };
            tile.within(self, row, limit, |part, column| {
                part.recalled[nth] = part.recalled[nth] || tile.pair(row, column).inside(balls.recall[column], true);
                part.real_ball(tile, balls, row, column);
            });
        }
    }

    /// Counts generated image `column` where it is inside the balls of real image `row`.
    fn real_ball(&mut self, tile: &Tile, balls: &Balls, row: usize, column: usize) {
        let mut pair = tile.pair(row, column);
        if pair.inside(balls.density[row], false) {
            self.balls[column] += 1;
            self.covered[row - self.first] = true;
        }
        self.precise[column] = self.precise[column] || pair.inside(balls.precision[row], true);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stats::pairwise::squared;
    use crate::testing::{assert_near, fake_set, moved, number, real_set, sets};

    fn compare(real: &Features, fake: &Features) -> Prdc {
        Prdc::new(real, &Radii::new(real, Neighbourhood::default()).unwrap(), fake).unwrap()
    }

    fn scores(found: &Prdc) -> [f64; 4] {
        let b = Bootstrap { resamples: 2, ..Bootstrap::default() };
        [found.precision(&b), found.recall(&b), found.density(&b), found.coverage(&b)].map(|e| e.value)
    }

    #[test]
    fn agrees_with_torch_fidelity_and_prdc() {
        for name in ["plain", "few_rows", "duplicates"] {
            let (real, fake) = sets(name);
            let found = scores(&compare(&real, &fake));
            for (got, score) in found.iter().zip(["precision", "recall", "density", "coverage"]) {
                assert_near(*got, number(&[name, "manifold", score]), 1e-6);
            }
        }
    }

    /// By the definitions.
    fn plain(real: &Features, fake: &Features) -> Prdc {
        let radius = |set: &Features, row: usize, k: usize| {
            let others = (0..set.rows()).filter(|&other| other != row);
            let mut all: Vec<f64> = others.map(|other| squared(set.row(row), set.row(other))).collect();
            all.sort_by(f64::total_cmp);
            all[k - 1]
        };
        let radii = |set: &Features, k| (0..set.rows()).map(|row| radius(set, row, k)).collect::<Vec<_>>();
        let (three, five, theirs) = (radii(real, 3), radii(real, 5), radii(fake, 3));
        let to = |i: usize, j: usize| squared(real.row(i), fake.row(j));
        let (m, n) = (real.rows(), fake.rows());
        Prdc {
            neighbourhood: Neighbourhood::default(),
            precise: (0..n).map(|j| (0..m).any(|i| to(i, j) <= three[i])).collect(),
            balls: (0..n).map(|j| (0..m).filter(|&i| to(i, j) < five[i]).count() as u32).collect(),
            recalled: (0..m).map(|i| (0..n).any(|j| to(i, j) <= theirs[j])).collect(),
            covered: (0..m).map(|i| (0..n).any(|j| to(i, j) < five[i])).collect(),
        }
    }

    #[test]
    fn every_image_is_as_the_definition_says() {
        let (real, fake) = (real_set(1, 600, 6), fake_set(2, 1200, 6));
        assert_eq!(compare(&real, &fake), plain(&real, &fake));
        assert_eq!(compare(&fake, &real), plain(&fake, &real));
        let (real, fake) = sets("duplicates");
        assert_eq!(compare(&real, &fake), plain(&real, &fake));
        // A spread-out generator, whose balls hold everything, and one that collapsed onto a real image.
        let wide = moved(&fake_set(3, 500, 6), 0.0, 8.0);
        assert_eq!(compare(&real_set(1, 300, 6), &wide), plain(&real_set(1, 300, 6), &wide));
        let point = real.select(&[7; 900]).unwrap();
        assert_eq!(compare(&real, &point), plain(&real, &point));
        // Neither an offset nor the scale changes a count.
        let (a, b) = (real_set(1, 200, 6), fake_set(2, 200, 6));
        let back = |set: &Features| moved(&moved(set, 0.0, 1.0), 4.0, 0.25);
        assert_eq!(scores(&compare(&back(&a), &back(&b))), scores(&compare(&a, &b)));
    }

    #[test]
    fn equal_distributions_score_high_and_distant_ones_zero() {
        let real = real_set(1, 800, 6);
        let [precision, recall, density, coverage] = scores(&compare(&real, &real_set(9, 800, 6)));
        assert!(precision > 0.8 && precision < 1.0 && recall > 0.8 && recall < 1.0, "{precision} {recall}");
        assert!((density - 1.0).abs() < 0.1 && coverage > 0.9, "{density} {coverage}");
        assert_eq!(scores(&compare(&real, &moved(&real, 100.0, 1.0))), [0.0; 4]);
        let interval = compare(&real, &real_set(9, 800, 6)).precision(&Bootstrap::default());
        let error = (precision * (1.0 - precision) / 800.0).sqrt();
        assert_near(interval.high - interval.low, 2.0 * 1.96 * error, 0.15);
    }

    #[test]
    fn unusable_requests_are_named() {
        let real = real_set(1, 5, 6);
        let message = |k| Radii::new(&real, Neighbourhood { precision_k: 3, density_k: k }).unwrap_err().to_string();
        assert_eq!(message(5), "5 images, but the distance to neighbour 5 needs at least 6");
        assert!(message(0).contains("0-th"));
        let radii = Radii::new(&real, Neighbourhood { precision_k: 3, density_k: 4 }).unwrap();
        assert!(Prdc::new(&real_set(1, 6, 6), &radii, &real).unwrap_err().to_string().contains("radii of 5"));
        assert!(Prdc::new(&real, &radii, &real_set(1, 5, 7)).is_err());
        assert!(Prdc::new(&real, &radii, &real_set(2, 4, 6)).is_err());
    }
}
