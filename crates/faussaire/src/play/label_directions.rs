//! Directions by labels: along which direction in latent space images become more like a digit, or smile more. For
//! normal noise the mean gradient of the classifier's probability, p(G(z)), is E[z p(G(z))] (Stein's lemma), so that
//! classified images are enough.

use super::directions::{Direction, Origin};
use crate::error::{Error, Result};
use crate::metrics::Classifier;
use crate::run::Sampler;

/// Images per batch.
const BATCH: usize = 250;

/// Least correlation of a direction with its label.
const MIN_CORRELATION: f32 = 0.05;

/// Nearly all noise is within this distance of 0 along any direction.
const REACH: f32 = 3.0;

/// For every label of `judge`, the direction along which the generator's images get more of it, from `images` of them;
/// labels without such a direction are left out.
///
/// # Errors
/// Images of another shape than the judge's, or a conditional generator, which needs no directions for labels.
pub fn label_directions(sampler: &Sampler, judge: &Classifier, images: usize) -> Result<Vec<Direction>> {
    if judge.shape() != sampler.shape() {
        return Err(Error::usage(
            format!("the judge takes images of {}, but the generator makes {}", judge.shape(), sampler.shape()),
            "use the judge of the run's training data",
        ));
    }
    if !sampler.labels().names.is_empty() {
        return Err(Error::usage("this generator is conditional", "choose a class instead of a direction"));
    }
    let names = &judge.labels().names;
    let (mut noise, mut probabilities) =
        (Vec::with_capacity(images * sampler.latent()), Vec::with_capacity(images * names.len()));
    for first in (0..images).step_by(BATCH) {
        let part = sampler.noise(SEED, first as u64, BATCH.min(images - first));
        let mut values = sampler.values(&part, None)?;
        sampler.range().to_unit(&mut values);
        probabilities.extend(judge.predict(&values)?.probabilities);
        noise.extend(part);
    }
    let found = names.iter().enumerate().filter_map(|(label, name)| {
        let shares: Vec<f32> = probabilities.iter().skip(label).step_by(names.len()).copied().collect();
        let (vector, strength) = towards(&noise, sampler.latent(), &shares)?;
        let origin = Origin::Label;
        (strength >= MIN_CORRELATION).then(|| Direction { name: name.clone(), origin, vector, reach: REACH, strength })
    });
    Ok(found.collect())
}

/// Seed of the noise.
const SEED: u64 = 7;

/// The unit vector along which `shares` grow with `noise`, `[n, latent]`, and the correlation; none if they are constant.
fn towards(noise: &[f32], latent: usize, shares: &[f32]) -> Option<(Vec<f32>, f32)> {
    let n = shares.len().max(1) as f64;
    let mean = shares.iter().map(|s| f64::from(*s)).sum::<f64>() / n;
    let mut sums = vec![0.0; latent];
    let mut variance = 0.0;
    for (z, share) in noise.chunks(latent.max(1)).zip(shares) {
        let more = f64::from(*share) - mean;
        variance += more * more / n;
        sums.iter_mut().zip(z).for_each(|(sum, value)| *sum += more * f64::from(*value) / n);
    }
    let length = sums.iter().map(|s| s * s).sum::<f64>().sqrt();
    if length < 1e-12 || variance < 1e-12 {
        return None;
    }
    Some((sums.iter().map(|s| (s / length) as f32).collect(), (length / variance.sqrt()) as f32))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn finds_the_direction_that_a_share_depends_on() {
        let stream = Stream::new(3, "test");
        let noise: Vec<f32> = (0..4000).flat_map(|i| stream.normal(i, 5)).collect();
        let along = |z: &[f32]| 0.6 * z[1] - 0.8 * z[4];
        let shares: Vec<f32> = noise.chunks(5).map(|z| f32::from(along(z) > 1.0)).collect();
        let (vector, strength) = towards(&noise, 5, &shares).unwrap();
        let cosine = 0.6 * vector[1] - 0.8 * vector[4];
        assert!(cosine > 0.97, "{vector:?}");
        // phi(1) / sqrt(p (1 - p)) with p = 0.1587: 0.662.
        assert!((0.6..0.75).contains(&strength), "{strength}");
        assert_eq!(towards(&noise, 5, &vec![0.5; 4000]), None);
    }
}
