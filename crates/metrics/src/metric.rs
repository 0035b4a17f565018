//! What a score measures, as a type: each metric with its key in names and logs, its direction, the name used in papers
//! and a one-line explanation.

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

/// A metric. Serialised as its [`key`](Self::key); an unknown key is read as [`Metric::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Fréchet distance between feature distributions (Heusel et al. 2017).
    #[serde(rename = "frechet")]
    Frechet,
    /// Kernel distance (Binkowski et al. 2018).
    #[serde(rename = "kernel")]
    Kernel,
    /// Improved precision (Kynkäänniemi et al. 2019).
    #[serde(rename = "precision")]
    Precision,
    /// Improved recall (Kynkäänniemi et al. 2019).
    #[serde(rename = "recall")]
    Recall,
    /// Density (Naeem et al. 2020).
    #[serde(rename = "density")]
    Density,
    /// Coverage (Naeem et al. 2020).
    #[serde(rename = "coverage")]
    Coverage,
    /// Kullback-Leibler divergence of the class histogram.
    #[serde(rename = "class-kl")]
    ClassKl,
    /// Number of classes without a generated image.
    #[serde(rename = "missing-classes")]
    MissingClasses,
    /// Number of classes that are generated far less often than expected.
    #[serde(rename = "rare-classes")]
    RareClasses,
    /// Class-conditional accuracy.
    #[serde(rename = "class-accuracy")]
    ConditionalAccuracy,
    /// Classifier score: the Inception score's formula (Salimans et al. 2016).
    #[serde(rename = "classifier-score(is-formula)")]
    ClassifierScore,
    /// Diversity within a class.
    #[serde(rename = "class-diversity")]
    ClassDiversity,
    /// Share of images that are suspiciously near to a training image.
    #[serde(rename = "memorised")]
    Memorization,
    /// Sliced Wasserstein distance on pixels (Rabin et al. 2012).
    #[serde(rename = "sliced-wasserstein")]
    SlicedWasserstein,
    /// How many times nearer generated images are to training images than these are to each other.
    #[serde(rename = "copying")]
    Copying,
    /// Missing modes plus the share of outliers, of a toy distribution.
    #[serde(rename = "missing-and-outside")]
    MissingAndOutside,
    /// Number of modes of a toy distribution without a generated point.
    #[serde(rename = "missing-modes")]
    MissingModes,
    /// Share of generated points more than three standard deviations away from every mode of a toy distribution.
    #[serde(rename = "outside-3-sigma")]
    OutsideThreeSigma,
    /// A metric that this version doesn't know; its setting is the whole name.
    #[serde(other, rename = "other")]
    Other,
}

impl Metric {
    /// All known metrics, without [`Metric::Other`].
    pub const ALL: [Self; 18] = [
        Self::Frechet,
        Self::Kernel,
        Self::Precision,
        Self::Recall,
        Self::Density,
        Self::Coverage,
        Self::ClassKl,
        Self::MissingClasses,
        Self::RareClasses,
        Self::ConditionalAccuracy,
        Self::ClassifierScore,
        Self::ClassDiversity,
        Self::Memorization,
        Self::SlicedWasserstein,
        Self::Copying,
        Self::MissingAndOutside,
        Self::MissingModes,
        Self::OutsideThreeSigma,
    ];

    /// The first part of its scores' names; empty for [`Metric::Other`].
    pub fn key(self) -> &'static str {
        match self {
            Self::Frechet => "frechet",
            Self::Kernel => "kernel",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Density => "density",
            Self::Coverage => "coverage",
            Self::ClassKl => "class-kl",
            Self::MissingClasses => "missing-classes",
            Self::RareClasses => "rare-classes",
            Self::ConditionalAccuracy => "class-accuracy",
            Self::ClassifierScore => "classifier-score(is-formula)",
            Self::ClassDiversity => "class-diversity",
            Self::Memorization => "memorised",
            Self::SlicedWasserstein => "sliced-wasserstein",
            Self::Copying => "copying",
            Self::MissingAndOutside => "missing-and-outside",
            Self::MissingModes => "missing-modes",
            Self::OutsideThreeSigma => "outside-3-sigma",
            Self::Other => "",
        }
    }

    /// Which way it improves. Scores of unknown metrics come from the logs of trainings, whose scores are all better where
    /// they are smaller.
    pub fn better(self) -> Better {
        match self {
            Self::Precision
            | Self::Recall
            | Self::Density
            | Self::Coverage
            | Self::ConditionalAccuracy
            | Self::ClassifierScore
            | Self::ClassDiversity => Better::Larger,
            Self::Frechet
            | Self::Kernel
            | Self::ClassKl
            | Self::MissingClasses
            | Self::RareClasses
            | Self::Memorization
            | Self::SlicedWasserstein
            | Self::Copying
            | Self::MissingAndOutside
            | Self::MissingModes
            | Self::OutsideThreeSigma
            | Self::Other => Better::Smaller,
        }
    }

    /// What papers call it.
    pub fn field_name(self) -> &'static str {
        match self {
            Self::Frechet => "Fréchet distance",
            Self::Kernel => "kernel distance",
            Self::Precision => "improved precision",
            Self::Recall => "improved recall",
            Self::Density => "density",
            Self::Coverage => "coverage",
            Self::ClassKl => "KL divergence of the classes",
            Self::MissingClasses => "missing classes",
            Self::RareClasses => "rare classes",
            Self::ConditionalAccuracy => "class-conditional accuracy",
            Self::ClassifierScore => "classifier score",
            Self::ClassDiversity => "intra-class diversity",
            Self::Memorization => "memorization",
            Self::SlicedWasserstein => "sliced Wasserstein distance",
            Self::Copying => "copying",
            Self::MissingAndOutside => "missing modes and outliers",
            Self::MissingModes => "missing modes",
            Self::OutsideThreeSigma => "outliers",
            Self::Other => "unknown metric",
        }
    }

    /// What it measures, in one line.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Frechet => "distance between Gaussians fitted to real and generated features; FID with InceptionV3",
            Self::Kernel => "squared maximum mean discrepancy of the features; KID with InceptionV3",
            Self::Precision => "share of generated images that fall among the real ones",
            Self::Recall => "share of real images that fall among the generated ones",
            Self::Density => "number of real neighbourhoods that a generated image falls into, over k",
            Self::Coverage => "share of real images with a generated image in their neighbourhood",
            Self::ClassKl => "divergence of the generated classes from the expected ones, in nats",
            Self::MissingClasses => "number of classes without a generated image",
            Self::RareClasses => "number of classes that are generated far less often than expected",
            Self::ConditionalAccuracy => "share of images that show the class they were conditioned on",
            Self::ClassifierScore => {
                "how certain and how evenly distributed the class predictions are; the Inception score's formula"
            }
            Self::ClassDiversity => "distance between generated images of one class, relative to real ones",
            Self::Memorization => "share of generated images that are suspiciously near to a training image",
            Self::SlicedWasserstein => "distance between the pixel distributions, over random projections",
            Self::Copying => {
                "how many times nearer generated images are to training images than these are to each other"
            }
            Self::MissingAndOutside => "modes without a generated point, plus the share of outliers",
            Self::MissingModes => "modes without a generated point",
            Self::OutsideThreeSigma => "share of points more than three standard deviations from every mode",
            Self::Other => "not known to this version",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_are_what_is_serialised() {
        let mut keys: Vec<&str> = Metric::ALL.iter().map(|metric| metric.key()).collect();
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_string(&metric).unwrap(), format!("\"{}\"", metric.key()));
            assert_eq!(serde_json::from_str::<Metric>(&format!("\"{}\"", metric.key())).unwrap(), metric);
            assert!(!metric.field_name().is_empty() && !metric.explanation().is_empty());
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Metric::ALL.len());
        assert_eq!(serde_json::from_str::<Metric>("\"a-later-metric\"").unwrap(), Metric::Other);
    }
}
