//! How often each class occurs among labels, as counts and as shares.

use faussaire_data::error::{Error, Result};

/// Number of images of each class.
///
/// # Errors
/// Where there is no label, or one is not below `classes`.
pub(crate) fn histogram(labels: &[u32], classes: usize) -> Result<Vec<u64>> {
    check(labels, classes)?;
    Ok(count(labels.iter().copied(), classes))
}

/// That there are labels, all below `classes`.
pub(crate) fn check(labels: &[u32], classes: usize) -> Result<()> {
    if labels.is_empty() {
        return Err(Error::usage("no labels, expected one per image", "judge at least one image"));
    }
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => {
            let what = format!("class {label} of {classes} (they are counted from 0)");
            Err(Error::usage(what, "use the number of classes that the classifier was trained with"))
        }
        None => Ok(()),
    }
}

/// Number of `labels` of each class; all are below `classes`.
pub(crate) fn count(labels: impl Iterator<Item = u32>, classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    labels.for_each(|label| counts[label as usize] += 1);
    counts
}

/// The share of each class among `labels`.
///
/// # Errors
/// As [`histogram`].
pub(crate) fn class_shares(labels: &[u32], classes: usize) -> Result<Vec<f64>> {
    Ok(shares(&histogram(labels, classes)?))
}

/// The share of each class in a histogram.
pub(crate) fn shares(histogram: &[u64]) -> Vec<f64> {
    let total: u64 = histogram.iter().sum();
    histogram.iter().map(|&n| n as f64 / total as f64).collect()
}
