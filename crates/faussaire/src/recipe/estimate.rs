//! Estimates of a training's time and memory: time from a short benchmark of the nets' forward passes on this machine, memory
//! from a count of the values that training keeps.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Recipe;
use crate::Tensor;
use crate::device::{self, Device};
use crate::net::{Network, Pass};

/// Larger nets are not benchmarked.
const MAX_WEIGHTS: usize = 50_000_000;
/// Maximum operations of one pass of a benchmark.
const MAX_OPERATIONS: u64 = 20_000_000_000;
/// Maximum values between two layers in a benchmark.
const MAX_VALUES: usize = 1 << 23;
/// Approximate duration of the benchmark of a net, and the longest, unless one pass takes longer.
const BENCHMARK_TIME: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(1);
/// Cost of a forward and backward pass, in forward passes: gradients of the input and of the weights cost one each.
const FORWARD_BACKWARD: f64 = 3.0;
/// Cost of D in the generator's step, which needs no gradients of D's weights.
const BACKWARD_INPUT_ONLY: f64 = 2.0;
/// Cost of a gradient penalty: forward, the gradient of the input, and the backward pass through both.
const GRADIENT_PENALTY: f64 = 6.0;

/// The estimated cost of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Real images per second; none without a benchmark.
    pub images_per_s: Option<f64>,
    /// Duration of all steps, if their number is known.
    pub seconds: Option<f64>,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// How the estimate was made.
    pub basis: &'static str,
}

impl Recipe {
    /// Estimates `steps` steps of training `generator` and `discriminator`, this recipe's nets, on `images` images. Between two
    /// passes of the benchmark `stop` may end it.
    pub fn estimate(
        &self,
        generator: &Network,
        discriminator: &Network,
        steps: Option<u64>,
        images: Option<usize>,
        stop: &dyn Fn() -> bool,
    ) -> Estimate {
        let nets = [generator, discriminator];
        let each = speeds(nets, self.train.batch, stop).map(|speeds| step(self, speeds));
        let per_step = (self.train.n_critic * self.train.batch as u64) as f64;
        Estimate {
            images_per_s: each.map(|seconds| per_step / seconds),
            seconds: each.zip(steps).map(|(seconds, steps)| steps as f64 * seconds),
            memory_bytes: memory(self, nets, images),
            basis: match each {
                Some(_) => {
                    "Time is estimated from a short benchmark on this machine and excludes scoring and sheets. Memory is \
                     computed: weights, Adam's moments, the activations of one batch, and the images."
                }
                None => "These networks are too large, or the time too short, for a benchmark. Memory is computed.",
            },
        }
    }
}

/// The cost of a step of `recipe`, given those of an image's forward pass through G and through D.
fn step(recipe: &Recipe, [g, d]: [f64; 2]) -> f64 {
    let train = &recipe.train;
    let penalties = train.penalties.len() as f64 * GRADIENT_PENALTY / train.penalty_every as f64;
    let discriminator = g + (2.0 * FORWARD_BACKWARD + penalties) * d;
    let generator = FORWARD_BACKWARD * g + BACKWARD_INPUT_ONLY * d;
    train.batch as f64 * (train.n_critic as f64 * discriminator + generator)
}

/// Operations of a step with these nets, generator first.
pub(super) fn step_flops(recipe: &Recipe, nets: [&Network; 2]) -> f64 {
    step(recipe, nets.map(|net| net.flops() as f64))
}

/// Seconds of a step with these nets, by a benchmark; none for nets that are too large for one.
pub(super) fn step_seconds(recipe: &Recipe, nets: [&Network; 2]) -> Option<f64> {
    speeds(nets, recipe.train.batch, &|| false).map(|speeds| step(recipe, speeds))
}

/// Seconds per image of each net's forward pass.
fn speeds(nets: [&Network; 2], batch: usize, stop: &dyn Fn() -> bool) -> Option<[f64; 2]> {
    let [generator, discriminator] = nets;
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    if generator.widest().max(discriminator.widest()) > MAX_VALUES
        || weights > MAX_WEIGHTS
        || generator.operations().max(discriminator.operations()) > MAX_OPERATIONS
    {
        return None;
    }
    Some([speed(generator, batch, stop)?, speed(discriminator, batch, stop)?])
}

fn speed(net: &Network, batch: usize, stop: &dyn Fn() -> bool) -> Option<f64> {
    let device = Device::cpu();
    let weights = net.initial(0, &device);
    let [h, w, c] = net.input().dims();
    // Small batches are slower per image; beyond 16 that hardly changes, unless a pass is very fast.
    let n = if net.flops() < 1_000_000 { batch } else { batch.min(16) };
    let by_time = usize::try_from(MAX_OPERATIONS / net.operations().max(1)).unwrap_or(n);
    let n = n.min(MAX_VALUES / net.widest().max(1)).min(by_time).max(1);
    let x = || Tensor::<4>::zeros([n, h, w, c], &device);
    let labels = (net.labels() > 0).then(|| Tensor::<4>::zeros([n, 1, 1, net.labels()], &device));
    let forward = || {
        let began = Instant::now();
        device::on_pool(|| {
            let out = net.apply_to_logits(&weights, x(), &mut Pass::infer().given(labels.clone()));
            // Evaluation is lazy: reading the data runs it.
            out.into_data()
        });
        began.elapsed()
    };
    if stop() {
        return None;
    }
    let began = Instant::now();
    // The first pass also packs the weights; the minimum excludes interruptions by other programs.
    let mut best = forward();
    let mut tries = 0;
    while (tries < 3 || began.elapsed() < BENCHMARK_TIME) && began.elapsed() < LONGEST && !stop() {
        tries += 1;
        best = best.min(forward());
    }
    Some(best.as_secs_f64() / n as f64)
}

/// The memory of a training in bytes, by count.
pub(super) fn memory(recipe: &Recipe, [generator, discriminator]: [&Network; 2], images: Option<usize>) -> u64 {
    let count = |net: &Network| net.parameters().0 as u64;
    let values = |net: &Network| net.activations() as u64;
    // Weights, two moments and gradients; also the EMA of the generator.
    let weights = 5 * count(generator) + 4 * count(discriminator);
    // Each activation is kept for the backward pass and has a gradient for a while; D sees real and generated images.
    let kept = (recipe.train.batch as u64).saturating_mul(2 * values(generator) + 2 * 2 * values(discriminator));
    let pixels = generator.output().len() as u64;
    let data = (images.unwrap_or(0) as u64).saturating_mul(pixels);
    4u64.saturating_mul(weights.saturating_add(kept)).saturating_add(data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Preset;

    #[test]
    fn a_step_costs_by_its_batch_its_updates_and_its_penalties() {
        let flops = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let recipe = Recipe::parse(Preset::Quick.text(), "quick", &changes).unwrap();
            let (g, d) = recipe.networks().unwrap();
            step_flops(&recipe, [&g, &d]) / [&g, &d].map(|net| net.flops() as f64)[1]
        };
        let g = {
            let (g, d) = Preset::Quick.recipe().unwrap().networks().unwrap();
            g.flops() as f64 / d.flops() as f64
        };
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        close(flops(&[]), 32.0 * (g + 6.0 + 3.0 * g + 2.0));
        close(flops(&["train.batch=64"]), 2.0 * flops(&[]));
        close(flops(&["train.n_critic=3"]), 32.0 * (3.0 * (g + 6.0) + 3.0 * g + 2.0));
        close(flops(&["train.penalties.r1=1"]) - flops(&[]), 32.0 * 6.0);
        close(flops(&["train.penalties.r1=1", "train.penalty_every=4"]) - flops(&[]), 32.0 * 1.5);
    }
}
