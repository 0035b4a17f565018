//! A generator in inference mode: batch normalisation is folded into the preceding layers, statistics are constant, and
//! any number of images takes the memory of one batch.

use burn::tensor::Tensor;

use super::Latents;
use crate::error::Result;
use crate::net::{Network, Pass, Weights};
use crate::ops::Precision;
use crate::ops::host;

/// Images per batch.
const BATCH: usize = 64;

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
        let n = latents.z.dims()[0];
        if n == 0 {
            return Ok(Vec::new());
        }
        self.net.check_input(&latents.z, latents.y.as_ref())?;
        let mut values = Vec::with_capacity(n * self.net.output().len());
        for start in (0..n).step_by(BATCH) {
            let end = (start + BATCH).min(n);
            let part = |t: &Tensor<4>| t.clone().narrow(0, start, end - start);
            values.extend(host(&self.batch(Latents { z: part(&latents.z), y: latents.y.as_ref().map(part) })));
        }
        Ok(values)
    }
}
