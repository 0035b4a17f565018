//! A step by the lab's verbs beside the trainer's own, from the same weights, images, latents and labels: the same weights.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use faussaire::burn::tensor::TensorData;
use faussaire::data::{Batches, LabelSettings, Strokes, fill};
use faussaire::prelude::*;
use faussaire::random::Stream;
use faussaire::{Model, Tensor, data::Conditions};

const BATCH: usize = 8;
const LATENT: usize = 6;

fn recipe(conditional: bool) -> Recipe {
    let own = |lines: &[&'static str], embedding: &'static str| -> Vec<String> {
        conditional.then_some(embedding).into_iter().chain(lines.iter().copied()).map(String::from).collect()
    };
    let g = own(
        &["dense 7*7*4", "reshape 7 7 4", "batchnorm", "relu", "upsample 4", "conv 1 3x3", "sigmoid"],
        "embedding 3",
    );
    let d =
        own(&["conv 4 4x4 stride 4", "leakyrelu 0.2", "flatten", "dropout 0.25", "dense 1", "sigmoid"], "embedding 1");
    let mut recipe = Recipe::new(LATENT, g, d).adam(AdamSettings::new(2e-3).betas(0.5, 0.999)).batch(BATCH);
    recipe.train.precision = faussaire::recipe::PrecisionChoice::F32;
    recipe.train.fake_batchnorm = faussaire::recipe::FakeBatchnorm::Moving;
    recipe
}

fn tensor(values: Vec<f32>, dims: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, dims), &Device::cpu())
}

fn values(model: &Model) -> Vec<f32> {
    model.weights.tensors().iter().flat_map(|t| t.clone().into_data().iter::<f32>().collect::<Vec<_>>()).collect()
}

/// The largest difference of two lists, which are as long as each other.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn the_verbs_do_what_the_trainer_does(conditional: bool) {
    let images = Arc::new(Strokes::new(3, 64));
    let mut recipe = recipe(conditional);
    if conditional {
        recipe.labels = LabelSettings::of(images.as_ref()).unwrap();
    }
    let mut gan = Gan::new(recipe.clone(), Arc::<Strokes>::clone(&images), &Device::cpu()).unwrap();
    let (mut generator, mut discriminator) = (gan.generator.clone(), gan.discriminator.clone());
    let (before_g, before_d) = (values(&generator), values(&discriminator));
    let (seed, batches) = (recipe.train.seed, Batches::new(64, BATCH, recipe.train.seed).unwrap());
    let conditions = conditional.then(|| Conditions::new(&recipe.labels, images.as_ref()).unwrap());
    let labels = |rows: Vec<f32>| tensor(rows, [BATCH, 1, 1, 10]);
    let noise = |name: &str, turn| tensor(Stream::new(seed, name).normal(turn, BATCH * LATENT), [BATCH, 1, 1, LATENT]);
    let column = |value: f32| Tensor::<4>::full([BATCH, 1, 1, 1], value, &Device::cpu());
    for turn in 0..3 {
        gan.step().unwrap();
        let indices = batches.indices(turn);
        let mut pixels = Vec::new();
        fill(images.as_ref(), &indices, &mut pixels).unwrap();
        let real = tensor(pixels, [BATCH, 28, 28, 1]);
        let targets = Tensor::cat(vec![column(1.0), column(0.0)], 0);
        let (z, z_g) = (noise("latent.discriminator", turn), noise("latent.generator", turn));
        if let Some(conditions) = &conditions {
            let y = labels(conditions.rows(images.as_ref(), &indices));
            let fakes = generator.predict_on_batch((&z, &y)).unwrap();
            let both = y.repeat_dim(0, 2);
            discriminator.train_on_batch((&Tensor::cat(vec![real, fakes], 0), &both), &targets).unwrap();
            let draws = Stream::new(seed, "latent.generator.labels");
            let y = labels(conditions.drawn(images.as_ref(), &draws, turn, BATCH));
            let mut composed = generator.then(discriminator.frozen());
            composed.train_on_batch((&z_g, &y), &column(1.0)).unwrap();
        } else {
            let fakes = generator.predict_on_batch(&z).unwrap();
            discriminator.train_on_batch(&Tensor::cat(vec![real, fakes], 0), &targets).unwrap();
            generator.then(discriminator.frozen()).train_on_batch(&z_g, &column(1.0)).unwrap();
        }
    }
    for (ours, theirs, before) in
        [(&generator, &gan.generator, before_g), (&discriminator, &gan.discriminator, before_d)]
    {
        let (ours, theirs) = (values(ours), values(theirs));
        let (moved, error) = (apart(&theirs, &before), apart(&ours, &theirs));
        assert!(moved > 4e-3 && error < 1e-5, "moved by {moved}, apart by {error}");
    }
}

#[test]
fn unconditional_nets() {
    the_verbs_do_what_the_trainer_does(false);
}

#[test]
fn conditional_nets() {
    the_verbs_do_what_the_trainer_does(true);
}
