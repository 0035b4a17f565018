//! Every loss with every bound on the critic's slope, with every way to use labels, on every usual shape of image: three
//! steps stay finite, the recipe survives being written and read, and a resumed training has the same bits.

#![allow(clippy::unwrap_used)]

use faussaire::data::LabelSettings;
use faussaire::data::{ImageShape, InMemory};
use faussaire::loss::Loss;
use faussaire::recipe::Conditional;
use faussaire::train::{Event, Limits, Request, Watcher};
use faussaire::{Device, Gan, Recipe, Result, run};

/// What bounds the critic's slope: recipe keys.
const BOUNDS: [&[&str]; 8] = [
    &[],
    &["train.penalties.wgan-gp=10.0"],
    &["train.penalties.r1=1.0"],
    &["train.penalties.r2=1.0"],
    &["train.penalties.dragan=10.0"],
    &["train.weight_clip=0.05"],
    &["discriminator.spectral=true"],
    &["train.penalties={ r1 = 1.0, r2 = 1.0 }", "discriminator.spectral=true", "train.penalty_every=2"],
];

/// What else may be combined with all of it, taken in turn.
const EXTRAS: [&[&str]; 6] = [
    &["train.label_flip=0.3"],
    &["train.noise=0.1", "train.noise_steps=4"],
    &["train.augment.kinds=[\"colour\",\"translation\",\"cutout\"]", "train.augment.target=0.5"],
    &["train.n_critic=2", "generator.adam.clip=0.1"],
    &["generator.adam.warmup=2", "discriminator.adam.decay=cosine", "discriminator.adam.decay_updates=9"],
    &["train.fake_batchnorm=moving", "train.ema=0.5"],
];

fn shape(side: usize, channels: usize) -> ImageShape {
    ImageShape { height: side, width: side, channels }
}

/// Twelve images of three classes.
fn images(shape: ImageShape) -> InMemory {
    let bytes = (0..12 * shape.len()).map(|i| (i * 2_654_435_761 % 251) as u8).collect();
    let names = ["a", "b", "c"].map(String::from).to_vec();
    InMemory::from_bytes("generated", shape, bytes)
        .unwrap()
        .with_labels((0..12).map(|i| i % 3).collect(), names)
        .unwrap()
}

fn recipe(shape: ImageShape, loss: Loss, bound: usize, how: Option<Conditional>, extra: usize) -> Result<Recipe> {
    let (small, c) = (shape.height / 4, shape.channels);
    let text = format!(
        r#"
        latent = 4
        [generator]
        layers = ["dense {small}*{small}*4", "reshape {small} {small} 4", "batchnorm", "relu",
                  "convtranspose 4 4x4 stride 2", "relu", "upsample 2", "conv {c} 3x3", "tanh"]
        [discriminator]
        layers = ["conv 4 4x4 stride 2", "leakyrelu 0.2", "residual", "conv 6 3x3 stride 2", "leakyrelu 0.2", "add",
                  "flatten", "dropout 0.1", "dense 1"]
        [train]
        batch = 4
        steps = 3
        "#
    );
    let word = serde_json::to_string(&loss).unwrap();
    let mut changes = vec![format!("train.loss={word}")];
    changes.extend(BOUNDS[bound].iter().chain(EXTRAS[extra]).map(ToString::to_string));
    let recipe = Recipe::parse(&text, "test", &changes)?;
    match how {
        None => Ok(recipe),
        Some(how) => recipe.conditioned(LabelSettings::of(&images(shape))?, how),
    }
}

/// Asserts that what is reported is finite.
struct Finite(usize);

impl Watcher for Finite {
    fn on(&mut self, event: &Event, _: &Gan) -> Result<Request> {
        if let Event::Step(report) = event {
            let all = [report.d_loss, report.g_loss, report.d_norm, report.g_norm, report.penalty.unwrap_or(0.0)];
            assert!(all.iter().all(|v| v.is_finite()), "{report:?}");
            self.0 += 1;
        }
        Ok(Request::Continue)
    }
}

fn gan(recipe: &Recipe, shape: ImageShape) -> Gan {
    Gan::new(recipe.clone(), std::sync::Arc::new(images(shape)), &Device::cpu()).unwrap()
}

fn train(gan: &mut Gan, steps: u64) {
    let mut finite = Finite(0);
    let before = gan.progress.step;
    gan.fit(&Limits::steps(steps), &mut [&mut finite]).unwrap();
    assert_eq!(finite.0 as u64, steps - before);
}

fn bits(gan: &Gan) -> Vec<u32> {
    let all = [&gan.generator.weights, &gan.discriminator.weights, &gan.ema.weights];
    let values = all.iter().flat_map(|w| w.tensors()).flat_map(|t| t.to_data().iter::<f32>().collect::<Vec<_>>());
    values.map(f32::to_bits).collect()
}

/// Every combination that makes sense, numbered.
fn combinations(shape: ImageShape) -> Vec<(String, Recipe)> {
    let mut found = Vec::new();
    let kinds = [None, Some(Conditional::Concat), Some(Conditional::Projection), Some(Conditional::Auxiliary)];
    for &loss in Loss::ALL {
        for (bound, keys) in BOUNDS.iter().enumerate() {
            for how in kinds {
                let name = format!("{shape} {loss:?} {keys:?} {how:?} {:?}", EXTRAS[found.len() % EXTRAS.len()]);
                match recipe(shape, loss, bound, how, found.len() % EXTRAS.len()) {
                    Ok(recipe) => found.push((name, recipe)),
                    // The one combination that is refused: a Wasserstein critic without any bound.
                    Err(error) => assert!(loss == Loss::Wasserstein && bound == 0, "{name}: {error}"),
                }
            }
        }
    }
    assert_eq!(found.len(), Loss::ALL.len() * BOUNDS.len() * kinds.len() - kinds.len());
    found
}

fn all_train(shape: ImageShape) {
    for (name, recipe) in combinations(shape) {
        println!("{name}");
        let again = Recipe::parse(&recipe.to_toml().unwrap(), "again", &[]).unwrap();
        assert_eq!(again, recipe, "{name}");
        train(&mut gan(&recipe, shape), 3);
    }
}

#[test]
fn grey_28() {
    all_train(shape(28, 1));
}

#[test]
fn colour_32() {
    all_train(shape(32, 3));
}

#[test]
fn colour_64() {
    all_train(shape(64, 3));
}

#[test]
fn resumed_trainings_have_the_same_bits() {
    let shape = shape(28, 1);
    let folder = tempfile::tempdir().unwrap();
    for (name, recipe) in combinations(shape) {
        let mut whole = gan(&recipe, shape);
        train(&mut whole, 3);
        let mut first = gan(&recipe, shape);
        train(&mut first, 2);
        let place = folder.path().join("checkpoint");
        run::save(&place, &first, 0, None).unwrap();
        let mut second = gan(&recipe, shape);
        run::load(&place, &mut second).unwrap();
        train(&mut second, 3);
        assert_eq!(bits(&second), bits(&whole), "{name}");
        assert_ne!(bits(&second), bits(&first), "{name}");
    }
}

#[test]
fn packs_are_judged_together() {
    let shape = shape(28, 1);
    let packed = |packing: usize| {
        let mut recipe = recipe(shape, Loss::Nonsaturating, 2, None, 0).unwrap();
        recipe.train.pac = packing;
        recipe
    };
    let mut gan = gan(&packed(2), shape);
    assert_eq!(gan.discriminator.net.input().dims(), [28, 28, 2]);
    train(&mut gan, 3);
}
