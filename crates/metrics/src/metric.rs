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

/// Defines [`Metric`] from one entry per metric: `Variant: key, direction, field name, explanation;`.
macro_rules! metrics {
    ($($(#[$doc:meta])* $metric:ident: $key:literal, $better:ident, $field_name:literal, $explanation:literal;)*) => {
        /// A metric. Serialised as its [`key`](Self::key); an unknown key is read as [`Metric::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "&'static str")]
        pub enum Metric {
            $($(#[$doc])* $metric,)*
            /// A metric that this version doesn't know; its setting is the whole name. The logs of trainings, where such
            /// names come from, have only scores that are better where they are smaller.
            Other,
        }

        impl Metric {
            /// All known metrics, without [`Metric::Other`].
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$metric),*].into_iter()
            }

            fn about(self) -> About {
                let (key, better, field_name, explanation) = match self {
                    $(Self::$metric => ($key, Better::$better, $field_name, $explanation),)*
                    Self::Other => ("other", Better::Smaller, "unknown metric", "not known to this version"),
                };
                About { key, better, field_name, explanation }
            }
        }
    };
}

/// What is known of a metric.
struct About {
    key: &'static str,
    better: Better,
    field_name: &'static str,
    explanation: &'static str,
}

metrics! {
    /// Fréchet distance between feature distributions (Heusel et al. 2017).
    Frechet: "frechet", Smaller, "Fréchet distance",
        "distance between Gaussians fitted to real and generated features; FID with InceptionV3";
    /// Kernel distance (Binkowski et al. 2018).
    Kernel: "kernel", Smaller, "kernel distance",
        "squared maximum mean discrepancy of the features; KID with InceptionV3";
    /// Improved precision (Kynkäänniemi et al. 2019).
    Precision: "precision", Larger, "improved precision",
        "share of generated images that fall among the real ones";
    /// Improved recall (Kynkäänniemi et al. 2019).
    Recall: "recall", Larger, "improved recall",
        "share of real images that fall among the generated ones";
    /// Density (Naeem et al. 2020).
    Density: "density", Larger, "density",
        "number of real neighbourhoods that a generated image falls into, over k";
    /// Coverage (Naeem et al. 2020).
    Coverage: "coverage", Larger, "coverage",
        "share of real images with a generated image in their neighbourhood";
    /// Kullback-Leibler divergence of the class histogram.
    ClassKl: "class-kl", Smaller, "KL divergence of the classes",
        "divergence of the generated classes from the expected ones, in nats";
    /// Number of classes without a generated image.
    MissingClasses: "missing-classes", Smaller, "missing classes",
        "number of classes without a generated image";
    /// Number of classes that are generated far less often than expected.
    RareClasses: "rare-classes", Smaller, "rare classes",
        "number of classes that are generated far less often than expected";
    /// Class-conditional accuracy.
    ConditionalAccuracy: "class-accuracy", Larger, "class-conditional accuracy",
        "share of images that show the class they were conditioned on";
    /// Classifier score: the Inception score's formula (Salimans et al. 2016).
    ClassifierScore: "classifier-score(is-formula)", Larger, "classifier score",
        "how certain and how evenly distributed the class predictions are; the Inception score's formula";
    /// Diversity within a class.
    ClassDiversity: "class-diversity", Larger, "intra-class diversity",
        "distance between generated images of one class, relative to real ones";
    /// Share of images that are suspiciously near to a training image.
    Memorization: "memorised", Smaller, "memorization",
        "share of generated images that are suspiciously near to a training image";
    /// Sliced Wasserstein distance on pixels (Rabin et al. 2012).
    SlicedWasserstein: "sliced-wasserstein", Smaller, "sliced Wasserstein distance",
        "distance between the pixel distributions, over random projections";
    /// How many times nearer generated images are to training images than these are to each other.
    Copying: "copying", Smaller, "copying",
        "how many times nearer generated images are to training images than these are to each other";
    /// Missing modes plus the share of outliers, of a toy distribution.
    MissingAndOutside: "missing-and-outside", Smaller, "missing modes and outliers",
        "modes without a generated point, plus the share of outliers";
    /// Number of modes of a toy distribution without a generated point.
    MissingModes: "missing-modes", Smaller, "missing modes",
        "modes without a generated point";
    /// Share of generated points more than three standard deviations away from every mode of a toy distribution.
    OutsideThreeSigma: "outside-3-sigma", Smaller, "outliers",
        "share of points more than three standard deviations from every mode";
}

impl Metric {
    /// The first part of its scores' names.
    pub fn key(self) -> &'static str {
        self.about().key
    }

    /// Which way it improves.
    pub fn better(self) -> Better {
        self.about().better
    }

    /// The name used in papers.
    pub fn field_name(self) -> &'static str {
        self.about().field_name
    }

    /// What it measures, in one line.
    pub fn explanation(self) -> &'static str {
        self.about().explanation
    }
}

impl From<String> for Metric {
    fn from(key: String) -> Self {
        Self::all().find(|metric| metric.key() == key).unwrap_or(Self::Other)
    }
}

impl From<Metric> for &'static str {
    fn from(metric: Metric) -> Self {
        metric.key()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_are_what_is_serialised() {
        let mut keys: Vec<&str> = Metric::all().map(Metric::key).collect();
        for metric in Metric::all() {
            assert_eq!(serde_json::to_string(&metric).unwrap(), format!("\"{}\"", metric.key()));
            assert_eq!(serde_json::from_str::<Metric>(&format!("\"{}\"", metric.key())).unwrap(), metric);
            assert!(!metric.field_name().is_empty() && !metric.explanation().is_empty());
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Metric::all().count());
        assert_eq!(serde_json::from_str::<Metric>("\"a-later-metric\"").unwrap(), Metric::Other);
    }
}
