//! A score as it is shown and written down: the value with its name, its confidence interval, and the score that real
//! images reach among themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scores::prdc::Neighbourhood;
use crate::stats::bootstrap::{Estimate, quantile};
use crate::{Better, Metric, ScoreName};
use faussaire_data::error::{Error, Result};

/// The parameters of the metrics that have some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// Images per subset of the kernel distance.
    pub(crate) subset_size: usize,
    /// `k` of precision and recall, and of density and coverage.
    pub(crate) neighbourhood: Neighbourhood,
}

impl Parameters {
    /// Those of `metric` as its names give them: `(k=3)`; empty for a metric without parameters.
    pub(crate) fn of(&self, metric: Metric) -> String {
        let Neighbourhood { precision_k, density_k } = self.neighbourhood;
        match metric {
            Metric::Kernel => format!("(subsets-of-{})", self.subset_size),
            Metric::Precision | Metric::Recall => format!("(k={precision_k})"),
            Metric::Density | Metric::Coverage => format!("(k={density_k})"),
            _ => String::new(),
        }
    }
}

/// What scores were computed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Number of generated images.
    pub(crate) samples: usize,
    /// The feature extractor, with its accuracy where it has one: `mnist-classifier(99.1%)`.
    pub(crate) extractor: String,
    /// Number of real images.
    pub(crate) real: usize,
    /// Which part of the data these are: `test`.
    pub(crate) split: String,
    /// Parameters of the metrics.
    pub(crate) parameters: Parameters,
}

impl Setting {
    /// The name of a score: metric and parameters, number of generated images, extractor, split, as in
    /// `frechet-10000-mnist-classifier(99.1%)-test`; the number of real images in parentheses where it differs.
    pub(crate) fn name(&self, metric: Metric) -> ScoreName {
        let parameters = self.parameters.of(metric);
        let dash = if parameters.is_empty() { "" } else { "-" };
        let real = if self.real == self.samples { String::new() } else { format!("({})", self.real) };
        let setting = format!("{parameters}{dash}{}-{}-{}{real}", self.samples, self.extractor, self.split);
        ScoreName { metric, setting }
    }
}

/// The score between two disjoint halves of the real images, over several random halvings. Halves have half as many
/// images, which raises a Fréchet distance and lowers coverage: a very good generator can score slightly better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Floor {
    /// The median.
    pub(crate) value: f64,
    /// The least.
    pub(crate) low: f64,
    /// The greatest.
    pub(crate) high: f64,
}

impl Floor {
    /// Of the score of each halving; `None` without one.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        Some(Self { value: quantile(&values, 0.5), low, high })
    }

    /// A score that depends on no halving.
    pub(crate) fn exact(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// Median, least, greatest.
    pub(crate) fn numbers(self) -> [f64; 3] {
        [self.value, self.low, self.high]
    }

    /// From the result of [`numbers`](Self::numbers).
    pub(crate) fn from_numbers([value, low, high]: [f64; 3]) -> Self {
        Self { value, low, high }
    }
}

/// A score on fewer images than its metric needs: its value is no statement about the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooFew {
    /// Number of images: the smaller of the two sides.
    pub images: usize,
    /// About how many are needed.
    pub needed: usize,
}

/// One score with its confidence interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Metric and setting.
    #[serde(flatten)]
    pub name: ScoreName,
    /// The score.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// The same score between two disjoint halves of the real images, the median over several random halvings. Halves
    /// have half as many images, which raises a Fréchet distance and lowers coverage: a very good generator can score
    /// slightly better than this.
    pub floor: Option<f64>,
    /// Least and greatest of these halvings: how much the score varies with the choice of images.
    #[serde(default)]
    pub floor_range: Option<[f64; 2]>,
    /// Which way it improves.
    pub better: Better,
    /// Set where there are too few images for the value to say anything.
    #[serde(default)]
    pub too_few: Option<TooFew>,
    /// Why the value is not to be trusted.
    pub warning: Option<String>,
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too few images to tell ({}; needs about {})", self.images, self.needed)
    }
}

impl Score {
    /// Why its value is not to be trusted: too few images, or its warning.
    pub fn remark(&self) -> Option<String> {
        self.too_few.map(|few| few.to_string()).or_else(|| self.warning.clone())
    }

    /// Names the score. The floor and a warning are added by their own methods.
    ///
    /// # Errors
    /// Where a number is not finite, as JSON could not hold it.
    pub(crate) fn new(metric: Metric, setting: &Setting, estimate: Estimate) -> Result<Self> {
        let Estimate { value, low, high } = estimate;
        let name = setting.name(metric);
        if ![value, low, high].iter().all(|v| v.is_finite()) {
            let what = format!("{name} is {value} ({low} to {high}), expected finite numbers");
            return Err(Error::usage(what, "judge more images, and check that the features are finite"));
        }
        let better = metric.better();
        Ok(Self { name, value, low, high, floor: None, floor_range: None, better, too_few: None, warning: None })
    }

    /// With the real images' own score, where it is known.
    #[must_use]
    pub(crate) fn with_floor(self, floor: Option<Floor>) -> Self {
        let range = floor.map(|floor| [floor.low, floor.high]);
        Self { floor: floor.map(|floor| floor.value), floor_range: range, ..self }
    }

    /// With the note that there are fewer images than `needed`, where there are.
    #[must_use]
    pub(crate) fn with_needed(self, images: usize, needed: usize) -> Self {
        Self { too_few: (images < needed).then_some(TooFew { images, needed }), ..self }
    }

    /// With a warning, where there is one.
    #[must_use]
    pub(crate) fn with_warning(self, warning: Option<String>) -> Self {
        Self { warning, ..self }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        let parameters =
            Parameters { subset_size: 1000, neighbourhood: Neighbourhood { precision_k: 3, density_k: 5 } };
        let extractor = "mnist-classifier(99.1%)".into();
        Setting { samples: 10_000, real: 10_000, extractor, split: "test".into(), parameters }
    }

    #[test]
    fn names_state_metric_images_extractor_and_split() {
        let name = |metric| setting().name(metric).to_string();
        assert_eq!(name(Metric::Frechet), "frechet-10000-mnist-classifier(99.1%)-test");
        let few = Setting { real: 2000, ..setting() };
        assert_eq!(few.name(Metric::Frechet).to_string(), "frechet-10000-mnist-classifier(99.1%)-test(2000)");
        assert_eq!(name(Metric::Kernel), "kernel(subsets-of-1000)-10000-mnist-classifier(99.1%)-test");
        assert_eq!(name(Metric::Precision), "precision(k=3)-10000-mnist-classifier(99.1%)-test");
        assert_eq!(name(Metric::Coverage), "coverage(k=5)-10000-mnist-classifier(99.1%)-test");
        for metric in Metric::all() {
            assert_eq!(ScoreName::parse(&name(metric)), setting().name(metric));
        }
        let mut names: Vec<String> = Metric::all().map(name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 18);
    }

    #[test]
    fn scores_survive_json() {
        let make = |metric, value| {
            Score::new(metric, &setting(), Estimate { value, low: value - 1.0, high: value + 1.0 }).unwrap()
        };
        let score = make(Metric::Frechet, 12.5)
            .with_floor(Floor::of(vec![0.9, 0.5, 0.75]))
            .with_needed(60, 256)
            .with_warning(Some("few images".into()));
        let text = serde_json::to_string(&score).unwrap();
        assert!(text.contains("\"better\":\"smaller\"") && text.contains("\"floor\":0.75"), "{text}");
        assert!(text.contains("\"name\":\"frechet-10000-mnist-classifier(99.1%)-test\""), "{text}");
        assert_eq!((score.floor, score.floor_range), (Some(0.75), Some([0.5, 0.9])));
        assert_eq!(score.too_few, Some(TooFew { images: 60, needed: 256 }));
        assert_eq!(make(Metric::Frechet, 1.0).with_needed(256, 256).too_few, None);
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
        let error = Score::new(Metric::ClassKl, &setting(), Estimate { value: f64::NAN, low: 0.0, high: 0.0 });
        assert!(error.unwrap_err().to_string().contains("class-kl-10000"));
    }
}
