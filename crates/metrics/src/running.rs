//! What scores a run while it trains: cheap, on few images, good enough to tell which of its checkpoints is best.

use super::{Closeness, Extractor, SlicedWasserstein, Watching};
use faussaire_data::error::Result;
use faussaire_data::{Dataset, Toy};

/// Points that a toy's coverage is taken on (PacGAN: 2,500).
const POINTS: usize = 2500;

/// The metric of a run.
#[derive(Clone, Debug)]
pub enum Running {
    /// Images: distance on plain pixels and, where they can be told, copies and missing classes.
    Pixels(SlicedWasserstein, Option<Closeness>),
    /// Images, by a judge: distance in its features, missing classes; and copies, where they can be told.
    Judge(Box<Watching>, Option<Closeness>),
    /// Points: what is missing from clusters that are known.
    Clusters(Toy),
}

impl Running {
    /// The metric that fits `dataset`.
    ///
    /// # Errors
    /// Where an image can't be read.
    pub fn new(dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        Ok(match dataset.toy() {
            Some(toy) => Self::Clusters(toy),
            None => Self::Pixels(SlicedWasserstein::new(dataset, seed)?, Closeness::new(dataset, seed)?),
        })
    }

    /// The scores by `extractor`, where `dataset` has images.
    ///
    /// # Errors
    /// As [`Watching::new`].
    pub fn judged(extractor: Extractor, dataset: &dyn Dataset, seed: u64) -> Result<Self> {
        Ok(match dataset.toy() {
            Some(toy) => Self::Clusters(toy),
            None => {
                let watching = Watching::new(extractor, dataset, seed)?;
                Self::Judge(Box::new(watching), Closeness::new(dataset, seed)?)
            }
        })
    }

    /// How many generated images to hand over.
    pub fn images(&self) -> usize {
        match self {
            Self::Judge(watching, _) => watching.images(),
            Self::Pixels(metric, _) => metric.images(),
            Self::Clusters(_) => POINTS,
        }
    }

    /// The scores of `generated` images, values in [0, 1]: names and values, smaller is better. The first decides.
    pub fn score(&self, generated: &[f32]) -> Vec<(String, f64)> {
        match self {
            Self::Pixels(metric, closeness) => {
                let mut scores = vec![(metric.name(), metric.score(generated))];
                scores.extend(closeness.iter().flat_map(|closeness| closeness.score(generated)));
                scores
            }
            Self::Judge(watching, closeness) => {
                // A generator whose weights are beyond numbers has no features; its losses say so.
                let mut scores = watching.score(generated).unwrap_or_default();
                // The judge sees missing classes better than pixels do.
                let by_judge = scores.iter().any(|(name, _)| name.starts_with("rare-classes"));
                let close = closeness.iter().flat_map(|closeness| closeness.score(generated));
                scores.extend(close.filter(|(name, _)| !(by_judge && name.starts_with("rare-classes"))));
                scores
            }
            Self::Clusters(toy) => {
                let coverage = toy.coverage(&toy.to_plane(generated));
                let missing = (coverage.modes() - coverage.covered()) as f64;
                let outside = 1.0 - coverage.high_quality();
                let name = |what: &str| format!("{what}-{POINTS}-{}", toy.name());
                vec![
                    (name("missing-and-outside"), missing + outside),
                    (name("missing-modes"), missing),
                    (name("outside-3-sigma"), outside),
                ]
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use faussaire_data::{Points, fill};

    #[test]
    fn a_toy_is_scored_by_its_clusters() {
        let ring = Points::new(Toy::Ring, 1, 3000);
        let metric = Running::new(&ring, 0).unwrap();
        let mut points = Vec::new();
        fill(&ring, &(0..POINTS).collect::<Vec<_>>(), &mut points).unwrap();
        let scores = metric.score(&points);
        assert_eq!(scores[1], ("missing-modes-2500-ring".into(), 0.0));
        assert!((scores[2].1 - 0.011).abs() < 0.008 && scores[0].1 == scores[2].1, "{scores:?}");
        // All points in one place of one cluster: seven are missing, nothing lies outside.
        let one = points[..2].repeat(POINTS);
        assert_eq!(metric.score(&one)[0].1, 7.0);
    }
}
