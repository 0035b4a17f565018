//! A training whose products are rounded to bf16 follows the exact one closely, and never coincides with it: with plain
//! losses, and under a gradient penalty, whose derivatives go through the same operations.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use faussaire::burn::tensor::TensorData;
use faussaire::data::{Dataset, Strokes};
use faussaire::ops::Precision;
use faussaire::train::StepReport;
use faussaire::{Device, Gan, Recipe, Tensor};

const NETS: &str = r#"
latent = 8
[generator]
layers = ["dense 7*7*8", "reshape 7 7 8", "batchnorm", "leakyrelu 0.2", "upsample 2", "conv 24 3x3", "relu",
          "convtranspose 20 4x4 stride 2", "relu", "conv 1 5x5", "sigmoid"]
[discriminator]
layers = ["conv 20 4x4 stride 2", "leakyrelu 0.2", "residual", "conv 36 3x3", "leakyrelu 0.2", "add", "conv 20 4x4 stride 2",
          "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"]
[train]
batch = 16
"#;

fn trained(precision: &str, more: &[&str]) -> (Vec<StepReport>, Gan) {
    let mut changes: Vec<String> = more.iter().map(ToString::to_string).collect();
    changes.push(format!("train.precision={precision}"));
    let recipe = Recipe::parse(NETS, "test", &changes).unwrap();
    let set: Arc<dyn Dataset> = Arc::new(Strokes::new(1, 500));
    let mut gan = Gan::new(recipe, set, &Device::cpu()).unwrap();
    ((0..6).map(|_| gan.step().unwrap()).collect(), gan)
}

/// Between two trainings: the losses' largest distance and the D gradients' largest relative one.
fn apart(a: &[StepReport], b: &[StepReport]) -> (f64, f64) {
    let pairs = || a.iter().zip(b);
    let losses =
        pairs().flat_map(|(a, b)| [a.d_loss - b.d_loss, a.g_loss - b.g_loss]).fold(0.0f32, |m, d| m.max(d.abs()));
    let norms = pairs().map(|(a, b)| (a.d_norm / b.d_norm - 1.0).abs()).fold(0.0f32, f32::max);
    (f64::from(losses), f64::from(norms))
}

#[test]
fn rounded_training_follows_the_exact_one() {
    for more in [&[][..], &["train.penalties.r1=1", "train.penalties.wgan-gp=1"]] {
        let (exact, _) = trained("f32", more);
        let (rounded, gan) = trained("bf16", more);
        assert_eq!(gan.generator.precision, Precision::Bf16);
        let (losses, norms) = apart(&exact, &rounded);
        println!("{more:?}: losses apart by {losses}, gradients by {norms}");
        assert!(losses < 0.02 && norms < 0.1, "{more:?}: losses apart by {losses}, gradients by {norms}");
        assert!(losses > 1e-6 && norms > 1e-5, "{more:?}: nothing was rounded, {losses} {norms}");
        if !more.is_empty() {
            let penalties = |all: &[StepReport]| all.iter().map(|r| r.penalty.unwrap()).collect::<Vec<_>>();
            let pairs: Vec<_> = penalties(&exact).into_iter().zip(penalties(&rounded)).collect();
            assert!(pairs.iter().all(|(a, b)| (a / b - 1.0).abs() < 0.1), "{pairs:?}");
        }
    }
}

#[test]
fn what_is_shown_is_computed_in_f32() {
    let (_, gan) = trained("bf16", &[]);
    let shown = gan.generate(&gan.fixed_latents(4)).unwrap();
    // The same weights in a net that knows nothing of bf16 give the same bits, normalisations folded as for all that is drawn.
    let latents = gan.fixed_latents(4);
    let (net, weights) = gan.generator.net.folded(&gan.averaged()).unwrap();
    let z = Tensor::<4>::from_data(TensorData::new(latents.noise(), [4, 1, 1, 8]), &Device::cpu());
    let exact = net.apply(&weights, z, &mut faussaire::net::Pass::infer());
    let exact: Vec<f32> = exact.into_data().iter::<f32>().collect();
    assert_eq!(shown, exact);
}
