//! What a sampler's generator is given: noise vectors and label rows under a seed, and walks between noise vectors.

use super::Sampler;
use crate::data::labels;
use crate::error::{Error, Result};
use crate::random::Stream;

impl Sampler {
    /// Noise vectors number `first` to `first + n` under `seed`, `[n, latent]`; any part of a long series can be made alone.
    pub fn noise(&self, seed: u64, first: u64, n: usize) -> Vec<f32> {
        let stream = Stream::new(seed, "sample");
        (first..first + n as u64).flat_map(|i| stream.normal(i, self.latent())).collect()
    }

    /// Label rows for images number `first` to `first + n` under `seed`, `[n, labels]`: as frequent as in the training data.
    /// Empty for a generator that takes no labels.
    pub fn sample_labels(&self, seed: u64, first: u64, n: usize) -> Vec<f32> {
        labels::sample_labels(self.labels(), &Stream::new(seed, "sample.labels"), first, n)
    }

    /// The label row that `text` asks for: a class, or attributes with commas between them; names or numbers.
    ///
    /// # Errors
    /// An unknown name, several classes at once, or a generator that takes no labels.
    pub fn encode_label(&self, text: &str) -> Result<Vec<f32>> {
        if self.labels().names.is_empty() {
            return Err(Error::usage(
                format!("class {text} was asked for, but this run's generator takes no labels"),
                "train one that does (`Recipe::conditioned`)",
            ));
        }
        self.labels().encode(text)
    }

    /// Of `frames` noise vectors, those in `part`, `[part, latent]`, that walk from each of `ends`, `[ends, latent]`, to the
    /// next and back to the first, on great circles: a straight line between normal vectors would pass through lengths that
    /// training never saw (White 2016). A last vector of another length is left out.
    pub fn walk(&self, ends: &[f32], frames: usize, part: std::ops::Range<usize>) -> Vec<f32> {
        walk(ends, self.latent(), frames, part)
    }
}

fn walk(ends: &[f32], latent: usize, frames: usize, part: std::ops::Range<usize>) -> Vec<f32> {
    let ends: Vec<&[f32]> = ends.chunks_exact(latent.max(1)).collect();
    if ends.is_empty() {
        return Vec::new();
    }
    let count = ends.len();
    let position = |frame: usize| frame as f32 * count as f32 / frames.max(1) as f32;
    part.flat_map(|frame| {
        let at = position(frame);
        let from = (at as usize).min(count - 1);
        slerp(ends[from], ends[(from + 1) % count], at - from as f32)
    })
    .collect()
}

/// Spherical interpolation from `a` (t = 0) to `b` (t = 1).
fn slerp(a: &[f32], b: &[f32], t: f32) -> Vec<f32> {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE);
    let angle = cosine.clamp(-1.0, 1.0).acos();
    let (from, to) = if angle.sin().abs() < 1e-4 {
        (1.0 - t, t)
    } else {
        (((1.0 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin())
    };
    a.iter().zip(b).map(|(x, y)| from * x + to * y).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_keep_their_length_and_close() {
        let ends = [3.0, 0.0, 0.0, 3.0];
        let flat = walk(&ends, 2, 8, 0..8);
        let steps: Vec<&[f32]> = flat.chunks(2).collect();
        assert_eq!(steps.len(), 8);
        assert_eq!(steps[0], &ends[..2]);
        assert!((steps[4][1] - 3.0).abs() < 1e-5 && steps[4][0].abs() < 1e-5);
        for z in &steps {
            assert!((z[0].hypot(z[1]) - 3.0).abs() < 1e-4, "{z:?}");
        }
        assert_eq!(walk(&ends, 2, 8, 3..5), flat[6..10]);
        assert!(walk(&[], 2, 8, 0..8).is_empty());
        assert!((steps[7][0] - steps[1][0]).abs() < 1e-5, "the way back mirrors the way out");
    }
}
