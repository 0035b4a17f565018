//! Estimates of a training's time and memory: time from a short benchmark of the nets' forward passes on this machine, memory
//! from a count of the values that training keeps.

use std::time::{Duration, Instant};

use faussaire::net::{Network, Pass};
use faussaire::{Device, Recipe, Tensor};
use serde::Serialize;

use crate::work::Ticket;

/// Larger or slower nets are not benchmarked.
const MAX_WEIGHTS: usize = 50_000_000;
/// Maximum operations of one pass of a benchmark, of which there are several.
const MAX_FLOPS: u64 = 4_000_000_000;
/// Maximum values between two layers in a benchmark.
const MAX_VALUES: usize = 1 << 23;
/// Approximate duration of the benchmark of a net, and the longest.
const BENCHMARK_TIME: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(1);
/// Cost of a forward and backward pass, in forward passes: gradients of the input and of the weights cost one each.
const FORWARD_BACKWARD: f64 = 3.0;
/// Cost of D in the generator's step, which needs no gradients of D's weights.
const BACKWARD_INPUT_ONLY: f64 = 2.0;
/// Cost of a gradient penalty: forward, the gradient of the input, and the backward pass through both.
const GRADIENT_PENALTY: f64 = 6.0;

/// The estimated cost of a training.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Estimate {
    /// Real images per second; `None` without a benchmark.
    images_per_s: Option<f64>,
    /// Duration of all steps, if their number is known.
    seconds: Option<f64>,
    memory_bytes: u64,
    /// How the estimate was made.
    basis: &'static str,
}

/// Estimates `steps` steps on `images` images.
pub(super) fn estimate(
    recipe: &Recipe,
    [generator, discriminator]: [&Network; 2],
    steps: Option<u64>,
    images: Option<usize>,
    ticket: &Ticket,
) -> Estimate {
    let batch = recipe.train.batch;
    let k = recipe.train.n_critic as f64;
    let rate = speeds(generator, discriminator, batch, ticket).map(|[g, d]| {
        // Per real image of one discriminator update; the generator's update comes once in k.
        let penalties = recipe.train.penalties.len() as f64 * GRADIENT_PENALTY / recipe.train.penalty_every as f64;
        let first = g + (2.0 * FORWARD_BACKWARD + penalties) * d;
        let second = FORWARD_BACKWARD * g + BACKWARD_INPUT_ONLY * d;
        1.0 / (first + second / k)
    });
    let seconds = rate.zip(steps).map(|(rate, steps)| steps as f64 * k * batch as f64 / rate);
    Estimate {
        images_per_s: rate,
        seconds,
        memory_bytes: memory(recipe, generator, discriminator, images),
        basis: match rate {
            Some(_) => {
                "Time is estimated from a short benchmark on this machine and excludes scoring and sheets. Memory is \
                 computed: weights, Adam's moments, the activations of one batch, and the images."
            }
            None => "These networks are too large for a benchmark. Memory is computed.",
        },
    }
}

/// Seconds per image of each net's forward pass.
fn speeds(generator: &Network, discriminator: &Network, batch: usize, ticket: &Ticket) -> Option<[f64; 2]> {
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    if generator.widest().max(discriminator.widest()) > MAX_VALUES
        || weights > MAX_WEIGHTS
        || generator.operations().max(discriminator.operations()) > MAX_FLOPS
    {
        return None;
    }
    Some([speed(generator, batch, ticket)?, speed(discriminator, batch, ticket)?])
}

fn speed(net: &Network, batch: usize, ticket: &Ticket) -> Option<f64> {
    let device = Device::cpu();
    let weights = net.initial(0, &device);
    let [h, w, c] = net.input().dims();
    // Small batches are slower per image; beyond 16 that hardly changes, unless a pass is very fast.
    let n = if net.flops() < 1_000_000 { batch } else { batch.min(16) };
    let by_time = usize::try_from(MAX_FLOPS / net.operations().max(1)).unwrap_or(n);
    let n = n.min(MAX_VALUES / net.widest().max(1)).min(by_time).max(1);
    let x = || Tensor::<4>::zeros([n, h, w, c], &device);
    let labels = (net.labels() > 0).then(|| Tensor::<4>::zeros([n, 1, 1, net.labels()], &device));
    let forward = || {
        let out = net.apply_to_logits(&weights, x(), &mut Pass::infer().given(labels.clone()));
        // Evaluation is lazy: reading the data runs it.
        out.into_data()
    };
    if ticket.is_over() {
        return None;
    }
    let began = Instant::now();
    forward();
    // The first pass also packs the weights; the minimum excludes interruptions by other programs.
    let mut best = Duration::MAX;
    let mut tries = 0;
    while (tries < 3 || began.elapsed() < BENCHMARK_TIME)
        && !(tries > 0 && began.elapsed() > LONGEST || ticket.is_over())
    {
        tries += 1;
        let again = Instant::now();
        forward();
        best = best.min(again.elapsed());
    }
    (tries > 0).then(|| best.as_secs_f64() / n as f64)
}

/// The memory of a training in bytes, by count.
fn memory(recipe: &Recipe, generator: &Network, discriminator: &Network, images: Option<usize>) -> u64 {
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
