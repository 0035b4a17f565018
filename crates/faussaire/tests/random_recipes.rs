//! Random recipes through whole steps: layers in any order and number, every loss, penalty, augmentation and precision. What the
//! checks let through trains or says why not; it never panics. `scripts/sanitize.sh` runs this with the kernels' assertions on,
//! `RANDOM_RECIPES=5000` makes more of them.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use faussaire::data::{ImageShape, InMemory};
use faussaire::train::Limits;
use faussaire::{Device, Gan, Recipe};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Larger nets are passed over: many small steps find more than a few large ones.
const MOST_OPERATIONS: u64 = 20_000_000;

/// Layers that keep the size of an image.
fn keeping() -> impl Strategy<Value = String> {
    let kernel = (1..6usize, 1..6usize);
    prop_oneof![
        (1..9usize, kernel.clone(), any::<bool>())
            .prop_map(|(c, (h, w), bias)| format!("conv {c} {h}x{w}{}", if bias { "" } else { " nobias" })),
        (1..9usize, 1..6usize).prop_map(|(c, k)| format!("convtranspose {c} {k}x{k}")),
        proptest::sample::select(vec![
            "relu",
            "leakyrelu 0.2",
            "leakyrelu",
            "tanh",
            "sigmoid",
            "softmax",
            "batchnorm",
            "batchnorm momentum 0.8 epsilon 1e-5",
            "layernorm",
            "instancenorm",
            "groupnorm 1",
            "groupnorm 2",
            "pixelnorm",
            "dropout 0.3",
            "dropout2d 0.5",
            "gaussiannoise 0.1",
            "attention",
            "minibatchstd",
            "minibatchstd 2",
            "zeropad 1",
            "zeropad 0 1 2 0",
        ])
        .prop_map(String::from),
        // A layer between, which may change the size, and the way around it.
        (1..9usize, 1..3usize).prop_map(|(c, s)| format!("residual\nrelu\nconv {c} 3x3 stride {s}\nadd")),
    ]
}

/// Layers that change it.
fn resizing(up: bool) -> impl Strategy<Value = String> {
    let strided = move |word: &'static str| {
        (1..9usize, 1..6usize, 1..6usize, 1..4usize, 1..4usize, 0..4usize).prop_map(move |(c, h, w, y, x, padding)| {
            let padding = ["", " padding valid", " padding same", " padding 1"][padding];
            format!("{word} {c} {h}x{w} stride {y}x{x}{padding}")
        })
    };
    let more = if up {
        vec!["upsample 2", "upsample 3", "upsample 2 bilinear", "pixelshuffle 2", "crop 5 6"]
    } else {
        vec!["avgpool 2", "maxpool 2", "avgpool 3", "maxpool 3", "crop 3 4", "globalpool", "globalpool sum"]
    };
    prop_oneof![
        2 => strided(if up { "convtranspose" } else { "conv" }),
        1 => proptest::sample::select(more).prop_map(String::from),
    ]
}

fn layers(up: bool) -> impl Strategy<Value = Vec<String>> {
    vec(prop_oneof![3 => keeping(), 2 => resizing(up)], 1..6)
}

fn quoted(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines.into_iter().flat_map(|l| l.lines().map(String::from).collect::<Vec<_>>()).collect();
    let lines: Vec<String> = lines.iter().map(|line| format!("{line:?}")).collect();
    lines.join(", ")
}

/// The text of a recipe.
fn recipe() -> impl Strategy<Value = String> {
    let select = |all: &'static [&'static str]| proptest::sample::select(all);
    let generator = (1..4usize, 1..5usize, 1..7usize, layers(true), 0..4usize, select(&["tanh", "sigmoid"]));
    let discriminator = (layers(false), any::<bool>());
    let train = (
        select(&["nonsaturating", "saturating", "least-squares", "hinge", "wasserstein", "relativistic"]),
        select(&[
            "",
            "penalties = { wgan-gp = 10.0 }",
            "penalties = { r1 = 1.0, r2 = 1.0 }\npenalty_every = 2",
            "penalties = { dragan = 10.0 }",
            "weight_clip = 0.05",
        ]),
        select(&[
            "",
            "label_flip = 0.3",
            "noise = 0.1",
            "augment = { kinds = [\"colour\", \"translation\", \"cutout\"], probability = 0.5 }",
            "pac = 2",
            "n_critic = 2",
            "fake_batchnorm = \"moving\"",
            "ema = 0.5",
            "joint_batch = true",
            "joint_batch = false",
            "precision = \"bf16\"",
        ]),
        1..5usize,
    );
    let spectral = (any::<bool>(), any::<bool>());
    (1..40usize, generator, discriminator, train, spectral).prop_map(
        |(latent, (h, w, c, g, out, last), (d, dense), (loss, bound, extra, batch), (spectral_g, spectral_d))| {
            let begin = [format!("dense {}", h * w * c), format!("reshape {h} {w} {c}")];
            let channels = [1, 3, 3, 4][out];
            let g = quoted(begin.into_iter().chain(g).chain([format!("conv {channels} 3x3"), last.into()]));
            let end: &[&str] = if dense { &["flatten", "dense 3", "relu", "dense 1"] } else { &["flatten", "dense 1"] };
            let d = quoted(d.into_iter().chain(end.iter().map(ToString::to_string)));
            format!(
                "latent = {latent}\n[data]\nchannels = {channels}\n[generator]\nspectral = {spectral_g}\nlayers = [{g}]\n\
                 [discriminator]\nspectral = {spectral_d}\nlayers = [{d}]\n[train]\nsteps = 2\nbatch = {}\nloss = \"{loss}\"\n\
                 {bound}\n{extra}\n",
                2 * batch
            )
        },
    )
}

fn images(shape: ImageShape) -> InMemory {
    let bytes = (0..12 * shape.len()).map(|i| (i * 2_654_435_761 % 251) as u8).collect();
    InMemory::from_bytes("generated", shape, bytes).unwrap()
}

/// Whether the recipe was let through by the checks, and trained.
fn trains(text: &str) -> Option<bool> {
    let recipe = Recipe::parse(text, "random", &[]).ok()?;
    let (generator, discriminator) = recipe.networks().ok()?;
    let [height, width, channels] = generator.output().dims();
    if generator.operations().saturating_add(discriminator.operations()) > MOST_OPERATIONS {
        return None;
    }
    let images = images(ImageShape { height, width, channels });
    let mut gan = Gan::new(recipe, Arc::new(images), &Device::cpu()).ok()?;
    Some(gan.fit(&Limits::steps(2), &mut []).is_ok())
}

#[test]
fn random_recipes_train_or_say_why_not() {
    let cases = std::env::var("RANDOM_RECIPES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    // The same recipes in every run; those of a longer run begin with these.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let [tried, trained, failed] = [const { AtomicU32::new(0) }; 3];
    runner
        .run(&recipe(), |text| {
            tried.fetch_add(1, Ordering::Relaxed);
            match trains(&text) {
                Some(true) => _ = trained.fetch_add(1, Ordering::Relaxed),
                Some(false) => _ = failed.fetch_add(1, Ordering::Relaxed),
                None => {}
            }
            Ok(())
        })
        .unwrap();
    let [tried, trained, failed] = [tried, trained, failed].map(AtomicU32::into_inner);
    println!(
        "{tried} recipes: {trained} trained, {failed} ended with an error, the others were refused or are too large"
    );
    assert!(trained >= tried / 5, "of {tried} recipes only {trained} trained");
}
