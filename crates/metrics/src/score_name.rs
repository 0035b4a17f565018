//! The name of a score: a metric and the setting it was computed in. Only scores of the same name are comparable.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Metric;

/// A metric with the setting it was computed in. Displayed as one string, `frechet-10000-mnist-classifier(99.1%)-test`,
/// and serialised as three keys: that string as `name`, `metric` and `setting`. Where `metric` is missing, as in logs
/// of an earlier checkout, or unknown, `name` is parsed instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub struct ScoreName {
    /// What is measured.
    pub metric: Metric,
    /// Parameters of the metric in parentheses, number of generated images, features, real images:
    /// `(k=3)-10000-mnist-classifier(99.1%)-test`. The whole name for [`Metric::Other`].
    pub setting: String,
}

impl ScoreName {
    /// The name of `metric` in `setting`.
    pub fn new(metric: Metric, setting: impl Into<String>) -> Self {
        Self { metric, setting: setting.into() }
    }

    /// Splits a displayed name into metric and setting. A name without a known metric is [`Metric::Other`]'s.
    ///
    /// ```
    /// use faussaire_metrics::{Metric, ScoreName};
    ///
    /// let name = ScoreName::parse("recall(k=3)-10000-mnist-classifier(99.1%)-test");
    /// assert_eq!((name.metric, name.setting.as_str()), (Metric::Recall, "(k=3)-10000-mnist-classifier(99.1%)-test"));
    /// ```
    pub fn parse(name: &str) -> Self {
        let known = Metric::all().find_map(|metric| {
            let rest = name.strip_prefix(metric.key())?;
            let candidate = Self::new(metric, rest.strip_prefix('-').unwrap_or(rest));
            (candidate.to_string() == name).then_some(candidate)
        });
        known.unwrap_or_else(|| Self::new(Metric::Other, name))
    }
}

impl fmt::Display for ScoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, setting) = (self.metric.key(), self.setting.as_str());
        f.pad(&match self.metric {
            Metric::Other => setting.to_owned(),
            _ if setting.is_empty() || setting.starts_with('(') => format!("{key}{setting}"),
            _ => format!("{key}-{setting}"),
        })
    }
}

/// By the displayed name.
impl Ord for ScoreName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string()).then(self.metric.cmp(&other.metric))
    }
}

impl PartialOrd for ScoreName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is written down.
#[derive(Serialize, Deserialize)]
struct Fields {
    name: String,
    #[serde(default)]
    metric: Option<Metric>,
    #[serde(default)]
    setting: Option<String>,
}

impl From<Fields> for ScoreName {
    fn from(fields: Fields) -> Self {
        match (fields.metric, fields.setting) {
            (Some(metric), Some(setting)) if metric != Metric::Other => Self { metric, setting },
            _ => Self::parse(&fields.name),
        }
    }
}

impl From<ScoreName> for Fields {
    fn from(name: ScoreName) -> Self {
        Self { name: name.to_string(), metric: Some(name.metric), setting: Some(name.setting) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_and_joined_without_a_change() {
        for (name, metric, setting) in [
            (
                "frechet-1000-mnist-classifier(99.3%)-train(5000)",
                Metric::Frechet,
                "1000-mnist-classifier(99.3%)-train(5000)",
            ),
            ("kernel(subsets-of-500)-1000-x-test", Metric::Kernel, "(subsets-of-500)-1000-x-test"),
            ("precision(k=3)-60-x-test[7]", Metric::Precision, "(k=3)-60-x-test[7]"),
            ("classifier-score(is-formula)-60-x-test", Metric::ClassifierScore, "60-x-test"),
            ("rare-classes-256-nearest-of-1000", Metric::RareClasses, "256-nearest-of-1000"),
            ("missing-and-outside-2500-ring", Metric::MissingAndOutside, "2500-ring"),
            ("outside-3-sigma-2500-ring", Metric::OutsideThreeSigma, "2500-ring"),
            ("copying", Metric::Copying, ""),
            ("copying-", Metric::Other, "copying-"),
            ("copyings-3", Metric::Other, "copyings-3"),
            ("frechet-(x)", Metric::Other, "frechet-(x)"),
            ("swd", Metric::Other, "swd"),
            ("", Metric::Other, ""),
        ] {
            let parsed = ScoreName::parse(name);
            assert_eq!((parsed.metric, parsed.setting.as_str()), (metric, setting), "{name}");
            assert_eq!(parsed.to_string(), name);
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(serde_json::from_str::<ScoreName>(&json).unwrap(), parsed, "{json}");
        }
    }

    #[test]
    fn a_name_alone_and_an_unknown_metric_are_read() {
        let read = |json: &str| serde_json::from_str::<ScoreName>(json).unwrap();
        assert_eq!(read(r#"{"name":"recall(k=3)-9-x"}"#), ScoreName::new(Metric::Recall, "(k=3)-9-x"));
        let later = r#"{"name":"later-9-x","metric":"later","setting":"9-x"}"#;
        assert_eq!(read(later), ScoreName::new(Metric::Other, "later-9-x"));
    }
}
