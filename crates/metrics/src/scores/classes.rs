//! Scores of class predictions: the distribution over the classes (where mode collapse shows first), the share of
//! images that show the class they were conditioned on, and the classifier score, which is the Inception score's
//! formula on the probabilities of another classifier.

use crate::stats::bootstrap::{Bootstrap, Estimate};
use crate::stats::class_counts::{check, class_shares, count, histogram, shares};
use faussaire_data::error::{Error, Result};

/// The distribution of the generated images over the classes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassBalance {
    /// Generated images per class.
    pub(crate) histogram: Vec<u64>,
    /// Kullback-Leibler divergence of the generated classes from the expected ones, in nats: 0 for the same shares,
    /// `ln 10` where only one of ten equal classes is generated. Smaller is better.
    pub(crate) kl: Estimate,
    /// Expected classes without a generated image.
    pub(crate) missing: Vec<u32>,
}

/// The classes of real images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RealClasses {
    /// The share of each predicted class.
    pub(crate) expected: Vec<f64>,
    /// Whether a class occurs: a classifier's errors predict some that don't.
    pub(crate) occurs: Vec<bool>,
    /// Number of images.
    pub(crate) images: usize,
}

impl RealClasses {
    /// Of the predicted classes of real images and their labels, where these are known. A class occurs if it is predicted,
    /// and is a label of some image.
    ///
    /// # Errors
    /// Where a predicted class is out of range, or there are no images.
    pub(crate) fn new(predicted: &[u32], labels: &[Option<u32>], classes: usize) -> Result<Self> {
        let expected = class_shares(predicted, classes)?;
        let mut is_label = vec![labels.iter().all(Option::is_none); classes];
        for &label in labels.iter().flatten() {
            if let Some(is_label) = is_label.get_mut(label as usize) {
                *is_label = true;
            }
        }
        let occurs = expected.iter().zip(is_label).map(|(share, is_label)| *share > 0.0 && is_label).collect();
        Ok(Self { expected, occurs, images: predicted.len() })
    }

    /// With all classes of which there is an expected share, whatever the images show.
    pub(crate) fn of_shares(expected: Vec<f64>, images: usize) -> Self {
        Self { occurs: expected.iter().map(|share| *share > 0.0).collect(), expected, images }
    }

    /// Number of classes that occur.
    pub(crate) fn count(&self) -> usize {
        self.occurs.iter().filter(|occurs| **occurs).count()
    }
}

impl ClassBalance {
    /// Compares the predicted classes of generated images with those of real ones. A class of which no real image is
    /// predicted counts as shown by half a real image where it is generated, as the divergence would be infinite.
    ///
    /// # Errors
    /// Where a label is out of range, or the list is empty.
    pub(crate) fn new(generated: &[u32], real: &RealClasses, bootstrap: &Bootstrap) -> Result<Self> {
        let classes = real.expected.len();
        let histogram = histogram(generated, classes)?;
        let least = 0.5 / real.images.max(1) as f64;
        let compared: Vec<f64> = real.expected.iter().map(|&share| if share > 0.0 { share } else { least }).collect();
        let divergence = |rows: &[u32]| kl(&count(rows.iter().map(|&r| generated[r as usize]), classes), &compared);
        let kl = bootstrap.reflected(generated.len(), divergence).clamp(0.0, f64::INFINITY);
        let missing = (0..classes as u32).filter(|&c| histogram[c as usize] == 0 && real.occurs[c as usize]).collect();
        Ok(Self { histogram, kl, missing })
    }
}

/// `sum p ln(p / q)` in nats, `p` being the histogram's shares.
fn kl(histogram: &[u64], expected: &[f64]) -> f64 {
    let present = shares(histogram).into_iter().zip(expected).filter(|(p, _)| *p > 0.0);
    present.map(|(p, q)| p * (p / q).ln()).sum()
}

/// A class is rare where it is generated this many times less often than expected: a classifier's or a nearest
/// neighbour's errors show some images of a class that is absent.
const RARE_FACTOR: f64 = 5.0;

/// Number of rare classes. `generated` and `expected` are numbers of images per class, or shares of them. Classes of
/// which fewer than `min_expected` are expected don't count.
pub(crate) fn rare_classes(generated: &[f64], expected: &[f64], min_expected: f64) -> usize {
    let is_rare = |(g, e): &(&f64, &f64)| **e >= min_expected && RARE_FACTOR * **g < **e;
    generated.iter().zip(expected).filter(is_rare).count()
}

/// Class-conditional accuracy: whether images show the class that they were conditioned on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConditionalAccuracy {
    /// The share of images whose predicted class is the one they were conditioned on; larger is better.
    pub(crate) all: Estimate,
    /// The same share for each class; `None` where no image was conditioned on it.
    pub(crate) by_class: Vec<Option<f64>>,
}

impl ConditionalAccuracy {
    /// Compares the class that each image was conditioned on with the predicted one.
    ///
    /// # Errors
    /// Where the lists are empty or of different lengths, or a label is out of range.
    pub(crate) fn new(asked: &[u32], predicted: &[u32], classes: usize, bootstrap: &Bootstrap) -> Result<Self> {
        if asked.len() != predicted.len() {
            let what = format!("{} classes asked for, {} predicted", asked.len(), predicted.len());
            return Err(Error::usage(what, "give both for every image"));
        }
        let asked_for = histogram(asked, classes)?;
        check(predicted, classes)?;
        let right = count(asked.iter().zip(predicted).filter(|(a, p)| a == p).map(|(a, _)| *a), classes);
        let by_class = right.iter().zip(&asked_for).map(|(&r, &n)| (n > 0).then(|| r as f64 / n as f64)).collect();
        let hits: Vec<bool> = asked.iter().zip(predicted).map(|(a, p)| a == p).collect();
        Ok(Self { all: bootstrap.share(&hits), by_class })
    }
}

/// The classifier score, by the Inception score's formula (Salimans et al. 2016): `exp` of the mean divergence of an
/// image's class probabilities from all images' average, from 1 to the number of classes. `probabilities` is
/// `[images, classes]`, each row summing to 1. It depends on no real images, and doesn't detect duplicates.
///
/// # Errors
/// Where the length doesn't fit, or a row is not a distribution (to 0.1 %).
pub(crate) fn classifier_score(probabilities: &[f32], classes: usize, bootstrap: &Bootstrap) -> Result<Estimate> {
    if classes == 0 || probabilities.is_empty() || !probabilities.len().is_multiple_of(classes) {
        let what = format!("{} probabilities of {classes} classes", probabilities.len());
        return Err(Error::usage(what, "give one probability per class for every image"));
    }
    for (image, row) in probabilities.chunks_exact(classes).enumerate() {
        let sum: f32 = row.iter().sum();
        if row.iter().any(|p| p.is_nan() || *p < 0.0) || (sum - 1.0).abs() > 1e-3 {
            let what = format!("the class probabilities of image {image} sum to {sum}, expected 1");
            return Err(Error::usage(what, "pass probabilities (after the softmax), not logits"));
        }
    }
    // Mean divergence = entropy of the average - average entropy.
    let information = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
    let negative: Vec<f64> =
        probabilities.chunks_exact(classes).map(|row| row.iter().map(|&p| information(f64::from(p))).sum()).collect();
    let score = |rows: &[u32]| {
        let (mut average, mut within) = (vec![0.0; classes], 0.0);
        for &row in rows {
            let row = row as usize;
            within += negative[row];
            let row = &probabilities[row * classes..][..classes];
            average.iter_mut().zip(row).for_each(|(a, &p)| *a += f64::from(p));
        }
        let n = rows.len() as f64;
        (within / n - average.iter().map(|a| information(a / n)).sum::<f64>()).exp()
    };
    Ok(bootstrap.percentile(negative.len(), score).clamp(1.0, classes as f64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, labels, number, numbers, real_set};

    const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 300, level: 0.95, seed: 1 };

    fn equal() -> RealClasses {
        RealClasses::of_shares(vec![0.1; 10], 500)
    }

    #[test]
    fn a_class_that_errors_alone_predict_does_not_occur() {
        let labels = |known: &[u32]| known.iter().copied().map(Some).collect::<Vec<_>>();
        // Class 2 is predicted once by mistake, class 3 is a label that is never predicted.
        let real = RealClasses::new(&[0, 0, 1, 2], &labels(&[0, 0, 1, 3]), 4).unwrap();
        assert_eq!(
            (&real.expected[..], &real.occurs[..]),
            (&[0.5, 0.25, 0.25, 0.0][..], &[true, true, false, false][..])
        );
        assert_eq!((real.count(), real.images), (2, 4));
        let balance = ClassBalance::new(&[0, 0, 0, 2], &real, &BOOTSTRAP).unwrap();
        assert_eq!(balance.missing, [1]);
        // Without labels the predictions say what occurs.
        assert_eq!(RealClasses::new(&[0, 0, 1, 2], &[None; 4], 4).unwrap().count(), 3);
        assert!(RealClasses::new(&[], &[], 4).is_err());
    }

    fn softmax(logits: &[f32]) -> Vec<f32> {
        let powers: Vec<f64> = logits.iter().map(|&l| (4.0 * f64::from(l)).exp()).collect();
        powers.iter().map(|p| (p / powers.iter().sum::<f64>()) as f32).collect()
    }

    #[test]
    fn agree_with_scipy_scikit_learn_and_torch_fidelity() {
        let (real, fake) = (labels(11, 500, 10), labels(12, 400, 7));
        let balance = ClassBalance::new(&fake, &RealClasses::new(&real, &[], 10).unwrap(), &BOOTSTRAP).unwrap();
        let counts: Vec<f64> = balance.histogram.iter().map(|&n| n as f64).collect();
        assert_eq!(counts, numbers(&["classes", "histogram"]));
        assert_eq!(balance.missing, [7, 8, 9]);
        assert_near(balance.kl.value, number(&["classes", "kl_real"]), 1e-9);
        let uniform = ClassBalance::new(&fake, &equal(), &BOOTSTRAP).unwrap();
        assert_near(uniform.kl.value, number(&["classes", "kl_uniform"]), 1e-9);
        assert!(uniform.kl.low < uniform.kl.value && uniform.kl.value < uniform.kl.high && uniform.kl.low > 0.3);

        let (asked, mut predicted) = (labels(13, 600, 4), labels(14, 600, 4));
        predicted.iter_mut().zip(&asked).step_by(2).for_each(|(p, a)| *p = *a);
        let accuracy = ConditionalAccuracy::new(&asked, &predicted, 5, &BOOTSTRAP).unwrap();
        assert_near(accuracy.all.value, number(&["classes", "accuracy"]), 1e-12);
        let by_class: Vec<f64> = accuracy.by_class.iter().flatten().copied().collect();
        assert_eq!(accuracy.by_class[4], None);
        by_class
            .iter()
            .zip(numbers(&["classes", "accuracy_by_class"]))
            .for_each(|(got, want)| assert_near(*got, want, 1e-12));

        let logits = real_set(15, 250, 10);
        let probabilities: Vec<f32> = logits.values().chunks(10).flat_map(softmax).collect();
        let score = classifier_score(&probabilities, 10, &BOOTSTRAP).unwrap();
        assert_near(score.value, number(&["classes", "classifier_score"]), 1e-6);
        assert!(score.low < score.value && score.value < score.high && score.high - score.low < 0.8, "{score:?}");
    }

    #[test]
    fn rare_classes_are_those_far_below_what_is_expected() {
        let expected = [100.0, 100.0, 100.0, 9.0];
        assert_eq!(rare_classes(&[100.0, 20.0, 19.0, 0.0], &expected, 10.0), 1);
        assert_eq!(rare_classes(&[100.0, 20.0, 19.0, 0.0], &expected, 0.0), 2);
        assert_eq!(rare_classes(&[0.0; 4], &expected, 0.0), 4);
    }

    #[test]
    fn classes_are_weighed_by_what_occurs() {
        // Nine in ten real images show class 0, the rest class 1, none class 2.
        let real = RealClasses::of_shares(vec![0.9, 0.1, 0.0], 100);
        let balance = |generated: &[u32]| ClassBalance::new(generated, &real, &BOOTSTRAP).unwrap();
        let like_real = balance(&[&[0; 90][..], &[1; 10]].concat());
        assert!(like_real.kl.value.abs() < 1e-12 && like_real.missing.is_empty(), "{like_real:?}");
        let even = balance(&[&[0; 50][..], &[1; 50]].concat());
        assert_near(even.kl.value, 0.5 * (0.5f64 / 0.9).ln() + 0.5 * (0.5f64 / 0.1).ln(), 1e-12);
        assert_eq!(balance(&[0; 50]).missing, [1], "class 2 is not expected");
        // A class that no real image shows counts as half of one: far from what is expected, and finite.
        let other = balance(&[&[0; 90][..], &[2; 10]].concat());
        assert_near(other.kl.value, 0.1 * (0.1f64 / 0.005).ln(), 1e-12);
    }

    #[test]
    fn ends_of_the_scales() {
        let kl = |labels: &[u32]| ClassBalance::new(labels, &equal(), &BOOTSTRAP).unwrap();
        let all: Vec<u32> = (0..10_000).map(|i| i % 10).collect();
        let even = kl(&all);
        assert!(even.kl.value.abs() < 1e-12 && even.kl.high < 2e-3 && even.missing.is_empty(), "{even:?}");
        let one = kl(&[3; 50]);
        assert_near(one.kl.value, 10f64.ln(), 1e-12);
        assert_eq!(one.missing.len(), 9);
        let sure = |class: usize| (0..4).map(move |c| if c == class { 1.0 } else { 0.0 });
        let score = |rows: Vec<f32>| classifier_score(&rows, 4, &BOOTSTRAP).unwrap().value;
        assert_near(score((0..40).flat_map(|i| sure(i % 4)).collect()), 4.0, 1e-12);
        assert_near(score((0..40).flat_map(|_| sure(2)).collect()), 1.0, 1e-12);
        assert_near(score(vec![0.25; 40]), 1.0, 1e-12);
    }

    #[test]
    fn unusable_requests_are_named() {
        assert!(histogram(&[], 10).is_err());
        assert!(histogram(&[3, 10], 10).unwrap_err().to_string().contains("class 10 of 10"));
        let accuracy = ConditionalAccuracy::new(&[1, 2], &[1], 3, &BOOTSTRAP).unwrap_err();
        assert!(accuracy.to_string().contains("2 classes asked for, 1 predicted"));
        let message = |rows: &[f32], classes| classifier_score(rows, classes, &BOOTSTRAP).unwrap_err().to_string();
        assert!(message(&[0.5, 0.5, 1.5, 0.5], 2).contains("image 1 sum to 2"));
        assert!(message(&[0.5, 0.5, 1.5, -0.5], 2).contains("image 1"));
        assert!(message(&[0.5, 0.5, f32::NAN, 0.5], 2).contains("image 1"));
        assert!(message(&[0.5; 5], 2).contains("5 probabilities of 2"));
    }
}
