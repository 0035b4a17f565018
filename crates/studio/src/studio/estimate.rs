//! How long a training would take and how much memory: reckoned from forward passes of the very nets, timed now on this
//! machine, and from a count of what training keeps. The page says so.

use std::time::{Duration, Instant};

use faussaire::net::{Network, Pass};
use faussaire::{Device, Recipe, Tensor, device};
use serde::Serialize;

/// Nets with more weights, or that take longer for one image, are not tried.
const MOST_WEIGHTS: usize = 100_000_000;
const MOST_FLOPS: u64 = 20_000_000_000;
/// Values between the layers that a trial may have.
const MOST_VALUES: usize = 1 << 26;
/// A trial takes about so long for each net.
const TRIAL: Duration = Duration::from_millis(150);
/// A forward and a backward pass, in forward passes: one for the gradient of the input, one for that of the weights.
const BOTH_WAYS: f64 = 3.0;
/// The generator's step goes through D without gradients for D's weights.
const THROUGH: f64 = 2.0;
/// A gradient penalty: forward, the gradient of the input as a forward computation, and back through both.
const PENALTY: f64 = 6.0;

/// What a training would cost.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Estimate {
    /// Real images per second; none where it was not tried.
    images_per_s: Option<f64>,
    /// For all steps, where they are known.
    seconds: Option<f64>,
    memory_bytes: u64,
    /// What that is based on.
    basis: &'static str,
}

/// Reckons it for `steps` steps on `images` images.
pub(super) fn estimate(
    recipe: &Recipe,
    generator: &Network,
    discriminator: &Network,
    steps: Option<u64>,
    images: Option<usize>,
) -> Estimate {
    let batch = recipe.train.batch;
    let k = recipe.train.n_critic as f64;
    let rate = speeds(generator, discriminator, batch).map(|[g, d]| {
        // Per real image of one discriminator update; the generator's update comes once in k.
        let penalties = recipe.train.penalties.len() as f64 * PENALTY / recipe.train.penalty_every as f64;
        let first = g + (2.0 * BOTH_WAYS + penalties) * d;
        let second = BOTH_WAYS * g + THROUGH * d;
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

/// Values between the layers of a net, of one example.
pub(super) fn values(net: &Network) -> usize {
    net.layers().iter().fold(net.input().len(), |sum, placed| sum.saturating_add(placed.output.len()))
}

/// Seconds per image of each net's forward pass.
fn speeds(generator: &Network, discriminator: &Network, batch: usize) -> Option<[f64; 2]> {
    let weights = generator.parameters().0.saturating_add(discriminator.parameters().0);
    if values(generator).max(values(discriminator)) > MOST_VALUES
        || weights > MOST_WEIGHTS
        || generator.flops().saturating_add(discriminator.flops()) > MOST_FLOPS
    {
        return None;
    }
    device::on_pool(|| Some([speed(generator, batch)?, speed(discriminator, batch)?]))
}

fn speed(net: &Network, batch: usize) -> Option<f64> {
    let device = Device::flex();
    let weights = net.initial(0, &device);
    let [h, w, c] = net.input().dims();
    // Small batches are slower per image; more than 16 tell nothing new, unless an image is very quick.
    let n = if net.flops() < 1_000_000 { batch } else { batch.min(16) }.min(MOST_VALUES / values(net).max(1)).max(1);
    let x = || Tensor::<4>::zeros([n, h, w, c], &device);
    let labels = (net.labels() > 0).then(|| Tensor::<4>::zeros([n, 1, 1, net.labels()], &device));
    let forward = || {
        let out = net.apply_to_logits(&weights, x(), &mut Pass::infer().given(labels.clone()));
        // Nothing is computed before it is asked for.
        out.into_data()
    };
    let began = Instant::now();
    forward();
    // The first one also packs the weights, and other work on this machine may come between.
    let mut best = Duration::MAX;
    let mut tries = 0;
    while tries < 3 || began.elapsed() < TRIAL {
        tries += 1;
        let again = Instant::now();
        forward();
        best = best.min(again.elapsed());
    }
    Some(best.as_secs_f64() / n as f64)
}

/// Bytes that training needs, counted.
fn memory(recipe: &Recipe, generator: &Network, discriminator: &Network, images: Option<usize>) -> u64 {
    let count = |net: &Network| net.parameters().0 as u64;
    let values =
        |net: &Network| net.layers().iter().map(|layer| layer.output.len() as u64).fold(0, u64::saturating_add);
    // Weights, two moments, gradients; the generator's average beside.
    let weights = 5 * count(generator) + 4 * count(discriminator);
    // Each value is kept for the way back, and its gradient exists for a while; D sees real and generated images.
    let kept = (recipe.train.batch as u64).saturating_mul(2 * values(generator) + 2 * 2 * values(discriminator));
    let pixels = generator.output().len() as u64;
    let data = (images.unwrap_or(0) as u64).saturating_mul(pixels);
    4u64.saturating_mul(weights.saturating_add(kept)).saturating_add(data)
}
