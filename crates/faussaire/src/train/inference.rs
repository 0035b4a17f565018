//! A generator in inference mode: batch normalisation is folded into the preceding layers, statistics are constant, and
//! any number of images takes the memory of one batch.

use burn::tensor::Tensor;

use super::Latents;
use crate::error::Result;
use crate::net::{Network, Pass, Weights};
use crate::ops::Precision;
use crate::ops::host;

/// Images per batch.
pub(crate) const BATCH: usize = 64;

/// A generator and its weights, for inference.
#[derive(Debug)]
pub(crate) struct InferenceGenerator {
    net: Network,
    weights: Weights,
    /// Format to which the operands of products are rounded.
    pub precision: Precision,
}

impl InferenceGenerator {
    /// `generator` with `weights`, in f32.
    pub fn new(generator: &Network, weights: &Weights) -> Self {
        let (net, weights) = generator.folded(weights).unwrap_or_else(|| (generator.clone(), weights.clone()));
        Self { net, weights, precision: Precision::F32 }
    }

    /// One batch of images, `[n, h, w, c]`, differentiable with respect to the noise.
    pub fn batch(&self, latents: Latents) -> Tensor<4> {
        let mut pass = Pass::infer().rounded(self.precision).given(latents.y);
        self.net.apply(&self.weights, latents.z, &mut pass)
    }

    /// Any number of images, as `[n, h, w, c]` values.
    ///
    /// # Errors
    /// Latents that don't fit the generator.
    pub fn images(&self, latents: &Latents) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(latents.z.dims()[0] * self.net.output().len());
        self.in_batches(latents, |batch| values.extend(batch))?;
        Ok(values)
    }

    /// As [`Self::images`], into `out`, which has room for them.
    ///
    /// # Errors
    /// As [`Self::images`].
    pub fn images_into(&self, latents: &Latents, out: &mut [f32]) -> Result<()> {
        let mut room = out.iter_mut();
        // The batch leads: a slot must not be taken when it is used up.
        self.in_batches(latents, |batch| batch.into_iter().zip(room.by_ref()).for_each(|(value, slot)| *slot = value))
    }

    fn in_batches(&self, latents: &Latents, mut take: impl FnMut(Vec<f32>)) -> Result<()> {
        let n = latents.z.dims()[0];
        if n == 0 {
            return Ok(());
        }
        self.net.check_input(&latents.z, latents.y.as_ref())?;
        for start in (0..n).step_by(BATCH) {
            let end = (start + BATCH).min(n);
            let part = |t: &Tensor<4>| t.clone().narrow(0, start, end - start);
            take(host(&self.batch(Latents { z: part(&latents.z), y: latents.y.as_ref().map(part) })));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{ImageShape, InMemory};
    use crate::train::Gan;
    use crate::{Device, Recipe};

    #[test]
    fn latents_that_do_not_fit_are_refused() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let images = InMemory::from_bytes("grey", shape, vec![90; 8 * 64]).unwrap();
        let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
        let gan = Gan::new(recipe, Arc::new(images), &Device::cpu()).unwrap();
        let mut latents = gan.fixed_latents(2);
        assert_eq!(gan.generate(&latents).unwrap().len(), 2 * 8 * 8);
        latents.y = Some(Tensor::zeros([2, 1, 1, 3], &Device::cpu()));
        assert!(gan.generate(&latents).unwrap_err().to_string().contains("expects labels none, got [2, 1, 1, 3]"));
        latents.y = None;
        latents.z = Tensor::zeros([2, 1, 1, 7], &Device::cpu());
        assert!(gan.generate(&latents).unwrap_err().to_string().contains("expects a batch of 4, got 2 of 1x1x7"));
    }
}
