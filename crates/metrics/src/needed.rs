//! How many images a score needs before its value says anything about a generator. Measured on MNIST and CIFAR-10 with
//! 20 to 2,000 images: `docs/judge.md` has the numbers.

use crate::Metric;

/// Images per dimension that a covariance needs: with as many images as dimensions it is of low rank.
const PER_DIMENSION: usize = 2;
/// Fewest images for a kernel distance, which has no bias and needs no covariance.
const KERNEL: usize = 50;
/// Fewest images for shares of neighbourhoods: with fewer, most images lie within the neighbourhood of any other.
const NEIGHBOURHOODS: usize = 100;
/// Images per class for scores over classes: with 10, chance alone loses 5 % of a class, and leaves none out.
const PER_CLASS: usize = 10;
/// Fewest images for a share of images.
const SHARE: usize = 50;

/// About how many images, on each side, `metric` needs with features of `dims` dimensions and `classes` classes that occur.
pub(crate) fn needed(metric: Metric, dims: usize, classes: usize) -> usize {
    match metric {
        Metric::Frechet => PER_DIMENSION * dims,
        Metric::Kernel => KERNEL,
        Metric::Precision | Metric::Recall | Metric::Density | Metric::Coverage => NEIGHBOURHOODS,
        Metric::ClassKl | Metric::MissingClasses | Metric::ClassifierScore | Metric::ClassDiversity => {
            PER_CLASS * classes
        }
        Metric::ConditionalAccuracy => SHARE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariance_needs_more_images_than_dimensions_and_classes_some_each() {
        for (dims, classes) in [(128, 10), (384, 1000), (2048, 0)] {
            assert!(needed(Metric::Frechet, dims, classes) > dims);
            assert!(needed(Metric::ClassKl, dims, classes) >= 10 * classes);
            assert_eq!(needed(Metric::Kernel, dims, classes), KERNEL);
        }
        assert_eq!(needed(Metric::Memorization, 128, 10), 0);
    }
}
