//! A score as it is shown and written down: the value with its name, its confidence interval, and the score that real
//! images reach among themselves.

use serde::{Deserialize, Serialize};

use crate::scores::prdc::Neighbourhood;
use crate::stats::bootstrap::Estimate;
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
    /// The same score between two disjoint halves of the real images. These are half as many, which raises a Fréchet
    /// distance and lowers coverage: a very good generator can score slightly better than this.
    pub floor: Option<f64>,
    /// Which way it improves.
    pub better: Better,
    /// Why the value is not to be trusted.
    pub warning: Option<String>,
}

impl Score {
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
        Ok(Self { name, value, low, high, floor: None, better: metric.better(), warning: None })
    }

    /// With the real images' own score, where it is known.
    #[must_use]
    pub(crate) fn with_floor(self, floor: Option<f64>) -> Self {
        Self { floor, ..self }
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
        let score = make(Metric::Frechet, 12.5).with_floor(Some(0.75)).with_warning(Some("few images".into()));
        let text = serde_json::to_string(&score).unwrap();
        assert!(text.contains("\"better\":\"smaller\"") && text.contains("\"floor\":0.75"), "{text}");
        assert!(text.contains("\"name\":\"frechet-10000-mnist-classifier(99.1%)-test\""), "{text}");
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
        let error = Score::new(Metric::ClassKl, &setting(), Estimate { value: f64::NAN, low: 0.0, high: 0.0 });
        assert!(error.unwrap_err().to_string().contains("class-kl-10000"));
    }
}
