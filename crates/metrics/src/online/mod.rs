//! Scores computed during training: cheap, on few images, accurate enough to choose the best checkpoint of a run by.

pub(crate) mod fid;
pub(crate) mod pixel_knn;
pub(crate) mod score;
pub(crate) mod sliced_wasserstein;

use crate::{Extractor, Metric, OnlineFid, OnlineScore, PixelKnn, ScoreName, SlicedWasserstein};
use faussaire_data::error::Result;
use faussaire_data::{Dataset, Toy};

/// Number of points that a toy distribution's coverage is computed on (PacGAN: 2,500).
const POINTS: usize = 2500;

/// The scores of a run during training.
#[derive(Clone, Debug)]
pub struct OnlineMetric(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Images, without an extractor: sliced Wasserstein distance on pixels and, where they can be determined, copies
    /// and rare classes.
    Pixels(SlicedWasserstein, Option<PixelKnn>),
    /// Images, with an extractor: Fréchet distance, rare classes, and copies where they can be determined.
    Features(Box<OnlineFid>, Option<PixelKnn>),
    /// Points: modes without a generated point, and outliers.
    Modes(Toy),
}

impl OnlineMetric {
    /// The scores for `dataset` that need no extractor. `seed` selects the real images.
    ///
    /// ```
    /// use faussaire_data::{Points, Toy, fill};
    /// use faussaire_metrics::{Metric, OnlineMetric};
    ///
    /// let ring = Points::new(Toy::Ring, 1, 2500);
    /// let online = OnlineMetric::new(&ring, 0)?;
    /// let mut points = Vec::new();
    /// fill(&ring, &(0..online.images()).collect::<Vec<_>>(), &mut points)?;
    /// let scores = online.score(&points);
    /// assert_eq!((scores[1].name.metric, scores[1].value), (Metric::MissingModes, 0.0));
    /// # Ok::<(), faussaire_data::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where an image can't be read.
    pub fn new(dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        Ok(Self(match dataset.toy() {
            Some(toy) => Kind::Modes(toy),
            None => Kind::Pixels(SlicedWasserstein::new(dataset, seed)?, PixelKnn::new(dataset, seed)?),
        }))
    }

    /// The scores with the features of `extractor`; those of [`new`](Self::new) for a toy distribution, which has no
    /// images.
    ///
    /// # Errors
    /// Where an image can't be read, or has another shape than `extractor` takes.
    pub fn with_extractor(extractor: Extractor, dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        Ok(Self(match dataset.toy() {
            Some(toy) => Kind::Modes(toy),
            None => {
                let fid = OnlineFid::new(extractor, dataset, seed)?;
                Kind::Features(Box::new(fid), PixelKnn::new(dataset, seed)?)
            }
        }))
    }

    /// With the mirror images of the training images among these, for a training that mirrors them (`data.mirror`): a
    /// generated image that is near to one of them is near to a training image.
    #[must_use]
    pub fn mirrored(self) -> Self {
        let with = |knn: Option<PixelKnn>| knn.map(PixelKnn::mirrored);
        Self(match self.0 {
            Kind::Pixels(metric, knn) => Kind::Pixels(metric, with(knn)),
            Kind::Features(fid, knn) => Kind::Features(fid, with(knn)),
            modes @ Kind::Modes(_) => modes,
        })
    }

    /// Number of generated images (or points) to score.
    pub fn images(&self) -> usize {
        match &self.0 {
            Kind::Features(fid, _) => fid.images(),
            Kind::Pixels(metric, _) => metric.images(),
            Kind::Modes(_) => POINTS,
        }
    }

    /// The scores of `generated`, `[images, h, w, c]` values in [0, 1]. For all of them smaller is better; the first
    /// one determines the best checkpoint.
    pub fn score(&self, generated: &[f32]) -> Vec<OnlineScore> {
        match &self.0 {
            Kind::Pixels(metric, pixel_knn) => {
                let mut scores = vec![metric.score(generated)];
                scores.extend(pixel_knn.iter().flat_map(|pixel_knn| pixel_knn.score(generated)));
                scores
            }
            Kind::Features(fid, pixel_knn) => {
                // A generator whose weights are NaN or infinite has no features; its losses report that.
                let mut scores = fid.score(generated).unwrap_or_default();
                let is_rare = |score: &OnlineScore| score.name.metric == Metric::RareClasses;
                // Features show rare classes better than pixels do.
                let has_rare = scores.iter().any(is_rare);
                let by_pixels = pixel_knn.iter().flat_map(|pixel_knn| pixel_knn.score(generated));
                scores.extend(by_pixels.filter(|score| !(has_rare && is_rare(score))));
                scores
            }
            Kind::Modes(toy) => mode_scores(*toy, generated),
        }
    }
}

/// Missing modes and outliers among the points `generated`.
fn mode_scores(toy: Toy, generated: &[f32]) -> Vec<OnlineScore> {
    let coverage = toy.coverage(&toy.to_plane(generated));
    let missing = (coverage.modes() - coverage.covered()) as f64;
    let outside = 1.0 - coverage.high_quality();
    let score = |metric, value| OnlineScore::new(ScoreName::new(metric, format!("{POINTS}-{}", toy.name())), value);
    vec![
        score(Metric::MissingAndOutside, missing + outside),
        score(Metric::MissingModes, missing),
        score(Metric::OutsideThreeSigma, outside),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use faussaire_data::{Points, fill};

    #[test]
    fn a_toy_is_scored_by_its_clusters() {
        let ring = Points::new(Toy::Ring, 1, 3000);
        let metric = OnlineMetric::new(&ring, 0).unwrap();
        let mut points = Vec::new();
        fill(&ring, &(0..POINTS).collect::<Vec<_>>(), &mut points).unwrap();
        let scores = metric.score(&points);
        assert_eq!((scores[1].name.to_string().as_str(), scores[1].value), ("missing-modes-2500-ring", 0.0));
        assert!((scores[2].value - 0.011).abs() < 0.008 && scores[0].value == scores[2].value, "{scores:?}");
        // All points at one place of one cluster: seven clusters are missing, no point is outside.
        let one = points[..2].repeat(POINTS);
        assert_eq!((metric.score(&one)[0].value, metric.score(&one)[0].error), (7.0, None));
    }
}
