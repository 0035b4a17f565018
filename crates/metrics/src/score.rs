//! A score as it is shown and kept: a number is nothing without the images, the features and the data it was made
//! with, so they are part of its name, and its interval and the real images' own score stand beside it.

use super::bootstrap::Estimate;
use super::manifold::Neighbourhood;
use faussaire_data::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which way a score improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Smaller is better.
    Smaller,
    /// Larger is better.
    Larger,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Fréchet distance.
    Frechet,
    /// Kernel distance over subsets of so many images.
    Kernel(usize),
    /// Improved precision.
    Precision(Neighbourhood),
    /// Improved recall.
    Recall(Neighbourhood),
    /// Density.
    Density(Neighbourhood),
    /// Coverage.
    Coverage(Neighbourhood),
    /// Divergence of the class histogram.
    ClassKl,
    /// Number of classes without an image.
    MissingClasses,
    /// Number of classes that are shown much more rarely than they are due.
    RareClasses,
    /// Class-conditional accuracy.
    ConditionalAccuracy,
    /// Classifier score, by the Inception score's formula.
    ClassifierScore,
    /// Diversity within a class.
    ClassDiversity,
    /// Share of images suspiciously near to a training image.
    Memorised,
}

impl Metric {
    /// The name's first part, with what the metric depends on.
    pub fn slug(self) -> String {
        match self {
            Self::Frechet => "frechet".into(),
            Self::Kernel(rows) => format!("kernel(subsets-of-{rows})"),
            Self::Precision(k) => format!("precision(k={})", k.precision_k),
            Self::Recall(k) => format!("recall(k={})", k.precision_k),
            Self::Density(k) => format!("density(k={})", k.density_k),
            Self::Coverage(k) => format!("coverage(k={})", k.density_k),
            Self::ClassKl => "class-kl".into(),
            Self::MissingClasses => "missing-classes".into(),
            Self::RareClasses => "rare-classes".into(),
            Self::ConditionalAccuracy => "class-accuracy".into(),
            Self::ClassifierScore => "classifier-score(is-formula)".into(),
            Self::ClassDiversity => "class-diversity".into(),
            Self::Memorised => "memorised".into(),
        }
    }

    /// Which way it improves.
    pub fn better(self) -> Better {
        match self {
            Self::Frechet
            | Self::Kernel(_)
            | Self::ClassKl
            | Self::MissingClasses
            | Self::RareClasses
            | Self::Memorised => Better::Smaller,
            Self::Precision(_)
            | Self::Recall(_)
            | Self::Density(_)
            | Self::Coverage(_)
            | Self::ConditionalAccuracy
            | Self::ClassifierScore
            | Self::ClassDiversity => Better::Larger,
        }
    }
}

/// What a score was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Generated images.
    pub samples: usize,
    /// Where the features come from, with its quality where it has one: `mnist-classifier(99.1%)`.
    pub extractor: String,
    /// Real images that they are compared with.
    pub real: usize,
    /// Which ones these are: `test`.
    pub split: String,
}

impl Setting {
    /// A score's full name: metric, images, extractor, split, as in `frechet-10000-mnist-classifier(99.1%)-test`; the number of
    /// real images behind it where it is another.
    pub fn name(&self, metric: Metric) -> String {
        let real = if self.real == self.samples { String::new() } else { format!("({})", self.real) };
        format!("{}-{}-{}-{}{real}", metric.slug(), self.samples, self.extractor, self.split)
    }
}

/// One score, ready to be shown or written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Metric, images, extractor and split: scores compare only where the names are equal.
    pub name: String,
    /// The score.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// The same score between two disjoint halves of the real images, so between half as many: a Fréchet distance falls with the
    /// number of images, and coverage rises, so that a very good generator's can be a little better than this.
    pub floor: Option<f64>,
    /// Which way it improves.
    pub better: Better,
    /// Why the number should not be trusted as it stands.
    pub warning: Option<String>,
}

impl Score {
    /// Names the score. The floor and a warning are added by their own methods.
    ///
    /// # Errors
    /// Where a number is not finite (it could not be written down either).
    pub fn new(metric: Metric, setting: &Setting, estimate: Estimate) -> Result<Self> {
        let Estimate { value, low, high } = estimate;
        let name = setting.name(metric);
        if ![value, low, high].iter().all(|v| v.is_finite()) {
            let what = format!("{name} is {value} ({low} to {high}), expected finite numbers");
            return Err(Error::usage(what, "judge more images, and check the features"));
        }
        Ok(Self { name, value, low, high, floor: None, better: metric.better(), warning: None })
    }

    /// With the real images' own score, where it is known.
    #[must_use]
    pub fn with_floor(self, floor: Option<f64>) -> Self {
        Self { floor, ..self }
    }

    /// With a warning, where there is one.
    #[must_use]
    pub fn with_warning(self, warning: Option<String>) -> Self {
        Self { warning, ..self }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        Setting { samples: 10_000, real: 10_000, extractor: "mnist-classifier(99.1%)".into(), split: "test".into() }
    }

    #[test]
    fn names_state_metric_images_extractor_and_split() {
        assert_eq!(setting().name(Metric::Frechet), "frechet-10000-mnist-classifier(99.1%)-test");
        let few = Setting { real: 2000, ..setting() };
        assert_eq!(few.name(Metric::Frechet), "frechet-10000-mnist-classifier(99.1%)-test(2000)");
        let k = Neighbourhood { precision_k: 3, density_k: 5 };
        let all = [
            Metric::Frechet,
            Metric::Kernel(1000),
            Metric::Precision(k),
            Metric::Recall(k),
            Metric::Density(k),
            Metric::Coverage(k),
            Metric::ClassKl,
            Metric::MissingClasses,
            Metric::RareClasses,
            Metric::ConditionalAccuracy,
            Metric::ClassifierScore,
            Metric::ClassDiversity,
            Metric::Memorised,
        ];
        let mut names: Vec<String> = all.iter().map(|m| setting().name(*m)).collect();
        assert_eq!(names[2], "precision(k=3)-10000-mnist-classifier(99.1%)-test");
        assert_eq!(names[5], "coverage(k=5)-10000-mnist-classifier(99.1%)-test");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 13);
    }

    #[test]
    fn scores_survive_json() {
        let make = |metric, value| {
            Score::new(metric, &setting(), Estimate { value, low: value - 1.0, high: value + 1.0 }).unwrap()
        };
        let score = make(Metric::Frechet, 12.5).with_floor(Some(0.75)).with_warning(Some("few images".into()));
        let text = serde_json::to_string(&score).unwrap();
        assert!(text.contains("\"better\":\"smaller\"") && text.contains("\"floor\":0.75"), "{text}");
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
        let error = Score::new(Metric::ClassKl, &setting(), Estimate { value: f64::NAN, low: 0.0, high: 0.0 });
        assert!(error.unwrap_err().to_string().contains("class-kl-10000"));
    }
}
