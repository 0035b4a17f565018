//! Directions by labels: which way to go in latent space for more of a digit, or of a smile. For normal noise the mean
//! gradient of what the judge sees, p(G(z)), is E[z p(G(z))] (Stein's lemma), so images, judged, are enough.

use super::directions::{Direction, Origin};
use crate::error::{Error, Result};
use crate::metrics::Classifier;
use crate::run::Sampler;

/// Images made at a time.
const PART: usize = 250;

/// A direction below this correlation says nothing about its label.
const WEAKEST: f32 = 0.05;

/// Nearly all noise lies within this along any direction.
const REACH: f32 = 3.0;

/// For every label that `judge` knows, the direction along which it sees more of it in the generator's images, from
/// `images` of them; labels for which there is none are left out.
///
/// # Errors
/// Images of another shape than the judge knows, or a generator that is told its labels: it needs no direction for them.
pub fn label_directions(sampler: &Sampler, judge: &Classifier, images: usize) -> Result<Vec<Direction>> {
    if judge.shape() != sampler.shape() {
        return Err(Error::usage(
            format!("the judge knows images of {}, the generator makes {}", judge.shape(), sampler.shape()),
            "use the judge of the data that the run learnt from",
        ));
    }
    if !sampler.labels().names.is_empty() {
        return Err(Error::usage("this generator is told its labels", "ask for a class instead of going its way"));
    }
    let names = &judge.labels().names;
    let (mut noise, mut seen) = (Vec::with_capacity(images), Vec::with_capacity(images * names.len()));
    for first in (0..images).step_by(PART) {
        let part = sampler.noise(SEED, first as u64, PART.min(images - first));
        let mut values = sampler.images(&part, &[])?;
        sampler.range().to_unit(&mut values);
        seen.extend(judge.predict(&values)?.probabilities);
        noise.extend(part);
    }
    let found = names.iter().enumerate().filter_map(|(label, name)| {
        let shares: Vec<f32> = seen.iter().skip(label).step_by(names.len()).copied().collect();
        let (vector, strength) = towards(&noise, &shares)?;
        let origin = Origin::Label;
        (strength >= WEAKEST).then(|| Direction { name: name.clone(), origin, vector, reach: REACH, strength })
    });
    Ok(found.collect())
}

/// The series of noise that is judged.
const SEED: u64 = 7;

/// The unit vector along which `shares` grow with `noise`, and the correlation; none where they don't.
fn towards(noise: &[Vec<f32>], shares: &[f32]) -> Option<(Vec<f32>, f32)> {
    let n = shares.len().max(1) as f64;
    let mean = shares.iter().map(|s| f64::from(*s)).sum::<f64>() / n;
    let mut sums = vec![0.0; noise.first()?.len()];
    let mut variance = 0.0;
    for (z, share) in noise.iter().zip(shares) {
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
        let noise: Vec<Vec<f32>> = (0..4000).map(|i| stream.normal(i, 5)).collect();
        let along = |z: &Vec<f32>| 0.6 * z[1] - 0.8 * z[4];
        let shares: Vec<f32> = noise.iter().map(|z| f32::from(along(z) > 1.0)).collect();
        let (vector, strength) = towards(&noise, &shares).unwrap();
        let cosine = 0.6 * vector[1] - 0.8 * vector[4];
        assert!(cosine > 0.97, "{vector:?}");
        // phi(1) / sqrt(p (1 - p)) with p = 0.1587: 0.662.
        assert!((0.6..0.75).contains(&strength), "{strength}");
        assert_eq!(towards(&noise, &vec![0.5; 4000]), None);
    }
}
