//! Inversion: finds the latent z of an image by gradient descent on z (Zhu et al. 2016, "Generative visual manipulation
//! on the natural image manifold"). It starts from those of many random vectors whose images are nearest, with a
//! penalty on the norm of z.

use burn::tensor::Tensor;

use crate::error::{Error, Result};
use crate::ops::host;
use crate::ops::tensor;
use crate::run::Sampler;

/// Number of random vectors that are tried, and of those that are optimised.
const CANDIDATES: usize = 256;
/// Of them, those whose images are made at a time; a divisor of their number.
const CANDIDATES_AT_ONCE: usize = 64;
const STARTS: usize = 4;

/// Adam's settings for z.
const RATE: f32 = 0.08;
const BETAS: [f32; 2] = [0.9, 0.99];

/// Weight of the mean square of z relative to the pixels' mean square error: enough that z stays a likely noise vector.
const PRIOR: f32 = 1e-3;

/// A search in progress. Each step borrows the generator, so that several searches can share it.
#[derive(Clone, Debug)]
pub struct Inversion {
    /// `[STARTS, h, w, c]`.
    target: Vec<f32>,
    label: Vec<f32>,
    z: Vec<f32>,
    moments: [Vec<f32>; 2],
    steps: u64,
}

/// The best latent so far.
#[derive(Clone, Debug, PartialEq)]
pub struct InversionResult {
    /// Gradient steps made.
    pub step: u64,
    /// The noise vector.
    pub z: Vec<f32>,
    /// Root mean square difference per pixel, as a share of the pixels' range.
    pub error: f32,
    /// The generator's image of it, in the generator's range.
    pub image: Vec<f32>,
}

impl Inversion {
    /// Begins a search for `target`, `[h, w, c]` values within the generator's bounds, with the row of labels `label`
    /// if the generator is conditional.
    ///
    /// # Errors
    /// A target or a label of the wrong size.
    pub fn new(sampler: &Sampler, target: &[f32], label: &[f32], seed: u64) -> Result<Self> {
        if target.len() != sampler.shape().len() {
            return Err(Error::usage(
                format!(
                    "the picture has {} values, expected {} for {}",
                    target.len(),
                    sampler.shape().len(),
                    sampler.shape()
                ),
                "resize the picture to the size of the generator's images",
            ));
        }
        let noise = sampler.noise(seed, 0, CANDIDATES);
        let distance = |image: &[f32]| image.iter().zip(target).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let mut distances = Vec::with_capacity(CANDIDATES);
        // Not all images at once: of a large generator they would take gigabytes.
        for noise in noise.chunks(CANDIDATES_AT_ONCE * sampler.latent()) {
            let images = sampler.values(noise, Some(&label.repeat(CANDIDATES_AT_ONCE)))?;
            distances.extend(images.chunks(target.len()).map(distance));
        }
        let mut order: Vec<(f32, usize)> = distances.into_iter().zip(0..).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let latent = sampler.latent();
        let start = |at: usize| noise[at * latent..(at + 1) * latent].iter().copied();
        let z: Vec<f32> = order.iter().take(STARTS).flat_map(|(_, at)| start(*at)).collect();
        let moments = [0, 1].map(|_| vec![0.0; z.len()]);
        Ok(Self { target: target.repeat(STARTS), label: label.to_vec(), z, moments, steps: 0 })
    }

    /// Makes `count` gradient steps and returns the best latent after the last of them.
    ///
    /// # Errors
    /// A generator other than that of the search.
    pub fn step(&mut self, sampler: &Sampler, count: u64) -> Result<InversionResult> {
        let latent = sampler.latent();
        if self.z.len() != STARTS * latent || self.target.len() != STARTS * sampler.shape().len() {
            return Err(Error::usage("this search was started with another generator", "start a new one"));
        }
        for _ in 0..count {
            let gradient = self.gradient(sampler);
            self.steps += 1;
            self.adam(&gradient);
        }
        Ok(self.best(sampler))
    }

    fn tensors(&self, sampler: &Sampler) -> (Tensor<4>, Tensor<4>, Option<Tensor<4>>) {
        let shape = sampler.shape();
        let device = sampler.device();
        let z = tensor(self.z.clone(), [STARTS, 1, 1, self.z.len() / STARTS], device);
        let target = tensor(self.target.clone(), [STARTS, shape.height, shape.width, shape.channels], device);
        let width = self.label.len();
        let y = (width > 0).then(|| tensor(self.label.repeat(STARTS), [STARTS, 1, 1, width], device));
        (z, target, y)
    }

    /// The gradient of each start's loss with respect to its z.
    fn gradient(&self, sampler: &Sampler) -> Vec<f32> {
        let (z, target, y) = self.tensors(sampler);
        let z = z.autodiff().require_grad();
        let image = sampler.differentiable(z.clone(), y);
        let difference = image.sub(target.autodiff());
        let pixels = (self.target.len() / STARTS) as f32;
        // The sum over the starts, which are independent.
        let error = difference.clone().mul(difference).sum().div_scalar(pixels);
        let length = z.clone().mul(z.clone()).sum().mul_scalar(PRIOR / (self.z.len() / STARTS) as f32);
        let mut gradients = error.add(length).backward();
        z.grad_remove(&mut gradients).map_or_else(|| vec![0.0; self.z.len()], |gradient| host(&gradient))
    }

    fn adam(&mut self, gradient: &[f32]) {
        let [first, second] = &mut self.moments;
        let unbias = BETAS.map(|beta| 1.0 - beta.powi(self.steps.min(10_000) as i32));
        for (at, g) in gradient.iter().enumerate() {
            first[at] = BETAS[0] * first[at] + (1.0 - BETAS[0]) * g;
            second[at] = BETAS[1] * second[at] + (1.0 - BETAS[1]) * g * g;
            self.z[at] -= RATE * (first[at] / unbias[0]) / ((second[at] / unbias[1]).sqrt() + 1e-8);
        }
    }

    fn best(&self, sampler: &Sampler) -> InversionResult {
        let (z, _, y) = self.tensors(sampler);
        let images = host(&sampler.differentiable(z, y));
        let (size, latent) = (self.target.len() / STARTS, self.z.len() / STARTS);
        let error = |start: usize| {
            let part = start * size..(start + 1) * size;
            let squares = images[part.clone()].iter().zip(&self.target[part]).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f32>() / size as f32
        };
        let errors: Vec<(f32, usize)> = (0..STARTS).map(|start| (error(start), start)).collect();
        let (error, start) = errors.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f32::NAN, 0));
        let (low, high) = sampler.bounds();
        InversionResult {
            step: self.steps,
            z: self.z[start * latent..(start + 1) * latent].to_vec(),
            error: error.sqrt() / (high - low),
            image: images[start * size..(start + 1) * size].to_vec(),
        }
    }
}
