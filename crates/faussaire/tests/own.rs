//! What a program adds to the vocabulary from outside the crate: a loss, a penalty, an augmentation and layers, named in a
//! recipe, trained, resumed to the same bits, refused where nobody registered them.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use faussaire::augment::{Augment, Draws};
use faussaire::data::{ImageShape, InMemory};
use faussaire::export::{self, Format, Options, Subject, Which};
use faussaire::loss::{GanLoss, Scale, Scores};
use faussaire::net::parse::{Reading, Words};
use faussaire::net::{Dual, Fused, Init, LayerKind, Network, Op, Pass, Shape, WeightSpec};
use faussaire::penalty::{Cost, GradientPenalty};
use faussaire::random::Stream;
use faussaire::train::Limits;
use faussaire::{
    Device, Gan, Model, Recipe, Result, Tensor, register_augmentation, register_layer, register_loss, register_penalty,
    run,
};

/// Mean scores, as in Wasserstein GAN, but D's are squared where they exceed 3.
struct Capped;

impl GanLoss for Capped {
    fn discriminator(&self, scores: &Scores, _: f32) -> Tensor<1> {
        let cap = |s: &Tensor<4>| s.clone().abs().sub_scalar(3.0).clamp_min(0.0).powf_scalar(2.0).mean();
        let gap = scores.fake.clone().mean().sub(scores.real.clone().mean());
        gap.add(cap(&scores.real)).add(cap(&scores.fake))
    }
    fn generator(&self, fake: Tensor<4>, real: Option<Tensor<4>>) -> Tensor<1> {
        assert!(real.is_none());
        fake.mean().neg()
    }
    fn scale(&self) -> Scale {
        Scale { middle: None, unit: None, log_odds: false }
    }
    fn chance_loss(&self) -> Option<f32> {
        None
    }
    fn requires_lipschitz(&self) -> bool {
        true
    }
}

/// Squared norms at the mean of a real and a generated image.
struct Halfway;

impl GradientPenalty for Halfway {
    fn points(&self, real: &Tensor<4>, fake: &Tensor<4>, _: &Stream, _: u64) -> Tensor<4> {
        real.clone().add(fake.clone()).mul_scalar(0.5)
    }
    fn cost(&self, norm: f64) -> Cost {
        Cost { value: norm * norm, rate: 2.0 }
    }
}

/// The image turned upside down.
struct Flip;

impl Augment for Flip {
    fn apply(&self, x: Tensor<4>, draws: &mut Draws) -> Tensor<4> {
        if draws.applies() { x.flip([1]) } else { x }
    }
}

/// `own:scale 2`: every channel times a learned factor, which begins as the number.
#[derive(Debug)]
struct Scaled {
    by: f32,
    op: Op,
}

impl Scaled {
    fn read(words: &mut Words<'_>) -> Reading<Arc<dyn LayerKind>> {
        let by = words.number("a factor", 0.1, 10.0)?;
        Ok(Arc::new(Self { by, op: Op::Opaque }))
    }

    fn scaled(&self, x: Tensor<4>, weights: &[Tensor<1>]) -> Tensor<4> {
        x.mul(weights[0].clone().mul_scalar(self.by).reshape([1, 1, 1, -1]))
    }
}

impl LayerKind for Scaled {
    fn keyword(&self) -> &'static str {
        "scale"
    }
    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }
    fn op(&self, _: Shape) -> Op {
        self.op
    }
    fn weights(&self, input: Shape) -> Vec<WeightSpec> {
        vec![WeightSpec::trainable("factor", &[input.dims()[2]], Init::Ones)]
    }
    fn forward(&self, _: Shape, x: Tensor<4>, weights: &[Tensor<1>], fused: Fused, _: &mut Pass) -> Tensor<4> {
        assert_eq!(fused, Fused::ALONE);
        self.scaled(x, weights)
    }
    fn tangent(&self, _: Shape, x: Dual, weights: &[Tensor<1>], _: &mut Pass) -> Dual {
        x.linear(|t| self.scaled(t, weights))
    }
}

const RECIPE: &str = r#"
latent = 4
[generator]
layers = ["dense 2*2*4", "reshape 2 2 4", "upsample 2", "own:scale 2", "relu", "upsample 2", "conv 1 3x3", "tanh"]
[discriminator]
layers = ["Conv2D(4, 4, strides=2, padding='same', activation='relu')", "own:scale 0.5", "relu", "flatten", "dense 1"]
[train]
batch = 4
steps = 6
loss = "own:capped"
penalties = { "own:halfway" = 5.0, r1 = 0.1 }
[train.augment]
kinds = ["own:flip", "cutout"]
probability = 0.5
"#;

fn register() {
    register_loss("capped", Arc::new(Capped)).unwrap();
    register_penalty("halfway", Arc::new(Halfway)).unwrap();
    register_augmentation("flip", Arc::new(Flip)).unwrap();
    register_layer("scale", Scaled::read).unwrap();
    register_layer("plain", |_| Ok(Arc::new(Scaled { by: 1.0, op: Op::Nothing }))).unwrap();
}

fn gan(recipe: &Recipe) -> Gan {
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    let bytes = (0..12 * shape.len()).map(|i| (i * 2_654_435_761 % 251) as u8).collect();
    Gan::new(
        recipe.clone(),
        std::sync::Arc::new(InMemory::from_bytes("generated", shape, bytes).unwrap()),
        &Device::cpu(),
    )
    .unwrap()
}

fn train(gan: &mut Gan, steps: u64) {
    gan.fit(&Limits::steps(steps), &mut []).unwrap();
}

fn bits(gan: &Gan) -> Vec<u32> {
    let all = [&gan.generator.weights, &gan.discriminator.weights, &gan.ema.weights];
    let values = all.iter().flat_map(|w| w.tensors()).flat_map(|t| t.to_data().iter::<f32>().collect::<Vec<_>>());
    values.map(f32::to_bits).collect()
}

#[test]
fn a_training_with_own_parts_resumes_to_the_same_bits() {
    register();
    let recipe = Recipe::parse(RECIPE, "test", &[]).unwrap();
    assert_eq!(Recipe::parse(&recipe.to_toml().unwrap(), "written", &[]).unwrap(), recipe);
    let mut whole = gan(&recipe);
    train(&mut whole, 6);
    assert!(bits(&whole).iter().all(|b| f32::from_bits(*b).is_finite()));

    let place = tempfile::tempdir().unwrap();
    let place = place.path().join("latest");
    let mut first = gan(&recipe);
    train(&mut first, 3);
    assert!(bits(&first) != bits(&whole));
    run::save(&place, &first, 0, None).unwrap();
    // As another process would: from the text of the recipe.
    let mut second = gan(&Recipe::parse(&recipe.to_toml().unwrap(), "config.toml", &[]).unwrap());
    run::load(&place, &mut second).unwrap();
    train(&mut second, 6);
    assert!(bits(&second) == bits(&whole), "the resumed training has other bits");
}

#[test]
fn each_own_part_matters() {
    register();
    let trained = |changes: &[&str]| {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let mut gan = gan(&Recipe::parse(RECIPE, "test", &changes).unwrap());
        train(&mut gan, 3);
        bits(&gan)
    };
    let own = trained(&[]);
    assert!(own == trained(&[]));
    assert!(own != trained(&["train.loss=nonsaturating"]));
    assert!(own != trained(&["train.penalties={ r1 = 0.1 }"]));
    assert!(own != trained(&["train.augment.kinds=[\"cutout\"]"]));
    // A loss that requires a Lipschitz critic is held to it.
    let bare = Recipe::parse(RECIPE, "test", &["train.penalties={}".to_string()]);
    assert!(bare.is_err(), "a critic without any bound was accepted");
}

#[test]
fn what_nobody_registered_is_refused_by_that_reason() {
    register();
    for (change, part) in [
        ("train.loss=own:cuped", "the loss `own:cuped` is not registered (there is own:capped)"),
        ("train.penalties={ \"own:nothing\" = 1.0 }", "the penalty `own:nothing` is not registered"),
        ("train.augment.kinds=[\"own:turn\"]", "the augmentation `own:turn` is not registered"),
        ("train.loss=capped", "got \"capped\""),
        ("train.loss=hing", "did you mean `hinge`?"),
    ] {
        let said = Recipe::parse(RECIPE, "test", &[change.to_string()]).unwrap_err().to_string();
        assert!(said.contains(part), "{change}: {said}");
    }
    let line = |line: &str| Network::new("critic", &[line.to_string()], Shape::Flat(2)).unwrap_err().to_string();
    assert!(line("own:scales 2").contains("the layer `own:scales` is not registered"), "{}", line("own:scales 2"));
    assert!(line("own:scale").contains("expected a factor here"), "{}", line("own:scale"));
    assert!(line("own:scale 2 3").contains("`3` is not understood here"));
    assert!(line("batchnrom").contains("did you mean `batchnorm`?"));
    assert!(register_loss("Two Words", Arc::new(Capped)).is_err());
}

fn exported(lines: &[&str]) -> Result<export::Export> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let model = Model::new("anything", &lines, Shape::Flat(3), 1, &Device::cpu())?;
    let subject = Subject::of_model(&model, Which::Generator, "mine")?;
    export::make(&subject, Format::Onnx, &Options::default())
}

#[test]
fn an_own_layer_is_exported_where_it_says_how() {
    register();
    let refused = exported(&["dense 4*4*1", "own:scale 1.5", "reshape 4 4 1", "sigmoid"]).unwrap_err();
    assert!(refused.to_string().contains("layer `own:scale 1.5` can't be exported"), "{refused}");
    // This one computes nothing in use, and says so.
    let made = exported(&["dense 4*4*1", "own:plain", "reshape 4 4 1", "sigmoid"]).unwrap();
    assert!(made.difference <= made.tolerance && !made.files.is_empty());
}

#[test]
fn a_saved_model_with_an_own_layer_needs_it_again() {
    register();
    let lines = ["dense 4", "own:scale 2"].map(String::from);
    let model = Model::new("mine", &lines, Shape::Flat(3), 1, &Device::cpu()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.safetensors");
    model.save(&path).unwrap();
    let read = Model::load(&path, &Device::cpu()).unwrap();
    let x = [0.25, -1.0, 3.0];
    assert_eq!(read.predict(&x).unwrap(), model.predict(&x).unwrap());
}
