//! The same nets, weights, batches and noise as Keras, three alternating steps: the same losses and weights. The lab's steps,
//! those with dropout and batch normalisation in D, of a conditional GAN, and of WGAN-GP.
//! The numbers and the script that made them are in bench/parity.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::TensorData;
use faussaire::loss::{Loss, Scores};
use faussaire::net::{Network, Setting, Shape, Weights};
use faussaire::penalty::{Critic, Penalty};
use faussaire::{AdamSettings, Device, Model, Tensor};
use serde_json::Value;

/// splitmix64's top 24 bits as numbers in [0, 1), as bench/parity/README.md defines them.
fn uniform(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            (z >> 40) as f32 / 16_777_216.0
        })
        .collect()
}

struct Case {
    json: Value,
    generator: Model,
    discriminator: Model,
}

fn lines(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_string()).collect()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// Gives `net` the case's first weights; `k` counts the kernels so far, `table` is the stream of its embedding.
fn model(net: Network, seed: u64, k: &mut u64, table: u64, adam: AdamSettings) -> Model {
    let device = Device::cpu();
    let values = net
        .specs()
        .map(|spec| match spec.name {
            "weight" => {
                let limit = (6.0 / (spec.fans.0 + spec.fans.1) as f32).sqrt();
                let draws = uniform(seed * 1000 + *k, spec.len());
                *k += 1;
                draws.into_iter().map(|u| (u * 2.0 - 1.0) * limit).collect()
            }
            "table" => uniform(seed * 1000 + table, spec.len()).into_iter().map(|u| (u * 2.0 - 1.0) * 0.5).collect(),
            "gamma" | "variance" => vec![1.0; spec.len()],
            _ => vec![0.0; spec.len()],
        })
        .collect();
    let mut model = Model::from_network(net, 0, &device);
    model.weights = Weights::from_values(values, &device);
    model.compile(adam);
    model
}

impl Case {
    fn load(name: &str) -> Self {
        let path = format!("{}/../../bench/parity/numbers/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (seed, rate) = (json["seed"].as_u64().unwrap(), json["rate"].as_f64().unwrap());
        let latent = Shape::Flat(json["latent"].as_u64().unwrap() as usize);
        let labels = json["classes"].as_u64().unwrap_or(0) as usize;
        let net = |name: &str, input| {
            Network::build(name, &lines(&json[name]), Setting { input, labels, spectral: false }).unwrap()
        };
        let generator = net("generator", latent);
        let discriminator = net("discriminator", generator.output());
        let betas =
            json["betas"].as_array().map_or(vec![0.9, 0.999], |b| b.iter().map(|v| v.as_f64().unwrap()).collect());
        let adam = AdamSettings::new(rate).betas(betas[0], betas[1]);
        let mut k = 0;
        let generator = model(generator, seed, &mut k, 800, adam);
        let discriminator = model(discriminator, seed, &mut k, 801, adam);
        Self { json, generator, discriminator }
    }

    fn batch(&self) -> usize {
        self.json["batch"].as_u64().unwrap() as usize
    }

    /// The labels of a half of step `step`: image i has class (i + step + offset) modulo their number.
    fn classes(&self, step: u64, offset: u64) -> Tensor<4> {
        let classes = self.json["classes"].as_u64().unwrap();
        let row = |i: u64| (0..classes).map(move |c| f32::from(u8::from(c == (i + step + offset) % classes)));
        let rows: Vec<f32> = (0..self.batch() as u64).flat_map(row).collect();
        Tensor::from_data(TensorData::new(rows, [self.batch(), 1, 1, classes as usize]), &Device::cpu())
    }

    /// Our loss beside Keras's.
    fn compare(&self, step: u64, what: &str, ours: f32) {
        let theirs = self.json["steps"][step as usize][what].as_f64().unwrap() as f32;
        let apart = (ours - theirs).abs();
        println!("{} step {step} {what}: {ours} Keras {theirs}", self.json["case"]);
        assert!(apart < 1e-5, "{} step {step} {what}: {ours}, Keras {theirs}", self.json["case"]);
    }

    fn tensor(&self, rule: u64, step: u64, shape: Shape, map: fn(f32) -> f32) -> Tensor<4> {
        let [h, w, c] = shape.dims();
        let batch = self.batch();
        let seed = self.json["seed"].as_u64().unwrap() * 1000 + rule + step;
        let values: Vec<f32> = uniform(seed, batch * h * w * c).into_iter().map(map).collect();
        Tensor::from_data(TensorData::new(values, [batch, h, w, c]), &Device::cpu())
    }

    /// Three alternating steps; the losses of each beside Keras's.
    fn run(&mut self) {
        let batch = self.batch();
        let labels = |first: f32, second: f32, each: usize| {
            let values: Vec<f32> = std::iter::repeat_n(first, each).chain(std::iter::repeat_n(second, batch)).collect();
            let count = values.len();
            Tensor::<4>::from_data(TensorData::new(values, [count, 1, 1, 1]), &Device::cpu())
        };
        for step in 0..3u64 {
            let (latent, image) = (self.generator.net.input(), self.generator.net.output());
            let real = self.tensor(500, step, image, |u| u);
            let z = self.tensor(600, step, latent, |u| 2.0 * u - 1.0);
            let fake = self.generator.predict_on_batch(&z).unwrap();
            let mixed = Tensor::cat(vec![real, fake], 0);
            let d = self.discriminator.train_on_batch(&mixed, &labels(1.0, 0.0, batch)).unwrap();
            let z = self.tensor(700, step, latent, |u| 2.0 * u - 1.0);
            let mut gan = self.generator.then(self.discriminator.frozen());
            let g = gan.train_on_batch(&z, &labels(1.0, 1.0, 0)).unwrap();
            self.compare(step, "d_loss", d.loss);
            self.compare(step, "g_loss", g.loss);
        }
    }

    /// The lab's step with a class beside every image and every z.
    fn run_conditional(&mut self) {
        let batch = self.batch();
        let constant = |value: f32| Tensor::<4>::full([batch, 1, 1, 1], value, &Device::cpu());
        let (latent, image) = (self.generator.net.input(), self.generator.net.output());
        for step in 0..3u64 {
            let y = self.classes(step, 0);
            let z = self.tensor(600, step, latent, |u| 2.0 * u - 1.0);
            let fake = self.generator.predict_on_batch((&z, &y)).unwrap();
            let mixed = Tensor::cat(vec![self.tensor(500, step, image, |u| u), fake], 0);
            let (both, targets) = (y.repeat_dim(0, 2), Tensor::cat(vec![constant(1.0), constant(0.0)], 0));
            let d = self.discriminator.train_on_batch((&mixed, &both), &targets).unwrap();
            let (z, y) = (self.tensor(700, step, latent, |u| 2.0 * u - 1.0), self.classes(step, 2));
            let mut gan = self.generator.then(self.discriminator.frozen());
            let g = gan.train_on_batch((&z, &y), &constant(1.0)).unwrap();
            self.compare(step, "d_loss", d.loss);
            self.compare(step, "g_loss", g.loss);
        }
    }

    /// `n_critic` updates of D with the gradient penalty on the same real batch, then one of G.
    fn run_wgan_gp(&mut self) {
        let (batch, k) = (self.batch(), self.json["n_critic"].as_u64().unwrap());
        let (latent, image) = (self.generator.net.input(), self.generator.net.output());
        for step in 0..3u64 {
            let real = self.tensor(500, step, image, |u| u);
            let (mut loss, mut penalty) = (0.0, 0.0);
            for turn in k * step..k * (step + 1) {
                let z = self.tensor(600, turn, latent, |u| 2.0 * u - 1.0);
                let fake = self.generator.predict_on_batch(&z).unwrap();
                let alpha = self.tensor(900, turn, Shape::Flat(1), |u| u);
                let points = fake.clone().add(real.clone().sub(fake.clone()).mul(alpha));
                let d = &mut self.discriminator;
                let tracked = d.tracked();
                let both = Tensor::cat(vec![real.clone(), fake], 0);
                let logits = d.net.logits(&tracked, both, &mut d.training_pass(0)).unwrap();
                let value = Loss::Wasserstein.discriminator(&Scores::split(logits, batch), 0.0);
                loss = value.clone().into_scalar::<f32>();
                let pass = || d.training_pass(0);
                let critic = Critic { net: &d.net, tracked: &tracked, constant: &d.weights, labels: None, pass: &pass };
                let term = critic.penalty_term(Penalty::WganGp, 10.0, points);
                penalty = term.value;
                d.update(tracked, value.add(term.surrogate), loss + penalty).unwrap();
            }
            let z = self.tensor(700, step, latent, |u| 2.0 * u - 1.0);
            let (g, d) = (&mut self.generator, &self.discriminator);
            let tracked = g.tracked();
            let images = g.net.forward(&tracked, z, &mut g.training_pass(0)).unwrap();
            let logits = d.net.logits(&d.weights, images, &mut d.training_pass(0)).unwrap();
            let value = Loss::Wasserstein.generator(logits, None);
            let g_loss = value.clone().into_scalar::<f32>();
            g.update(tracked, value, g_loss).unwrap();
            self.compare(step, "d_loss", loss);
            self.compare(step, "penalty", penalty);
            self.compare(step, "g_loss", g_loss);
        }
    }

    /// Every weight after the steps beside Keras's: three steps move a weight by a few thousandths of its norm, so the
    /// error is held against the way that it moved as well. A bias in front of batch normalisation has no gradient but
    /// rounding noise, which Adam turns into steps: those must only stay below them.
    fn compare_weights(&self) {
        let rate = self.json["rate"].as_f64().unwrap() as f32;
        let (mut compared, mut dead) = (0, 0);
        for model in [&self.generator, &self.discriminator] {
            for (name, tensor) in model.net.weight_names().iter().zip(model.weights.tensors()) {
                let theirs = numbers(&self.json["weights"][name]["values"]);
                let ours: Vec<f32> = tensor.clone().into_data().iter::<f32>().collect();
                assert_eq!(ours.len(), theirs.len(), "{name}");
                compared += 1;
                let moved = self.json["float64"]["tensors"][name]["moved"].as_f64().unwrap() as f32;
                if moved < 1e-9 {
                    dead += 1;
                    assert!(ours.iter().all(|v| v.abs() <= 3.0 * rate), "{name}: {ours:?}");
                    continue;
                }
                let norm = theirs.iter().map(|v| v * v).sum::<f32>().sqrt();
                let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(apart <= 1e-6 * norm + 1e-3 * moved, "{name}: apart by {apart} of {norm}, moved {moved}");
            }
        }
        assert_eq!(compared, self.json["weights"].as_object().unwrap().len());
        assert!(dead < compared / 4, "{dead} of {compared} weights not compared");
    }
}

#[test]
fn small_nets_end_with_keras_weights() {
    for name in ["tp-small", "fidle-small", "tp-odd"] {
        let mut case = Case::load(name);
        case.run();
        case.compare_weights();
    }
}

#[test]
fn dropout_and_batch_normalisation_in_d_are_keras() {
    for name in ["dropout-small", "batchnorm-small"] {
        let mut case = Case::load(name);
        case.run();
        case.compare_weights();
    }
}

#[test]
fn a_conditional_gan_learns_as_in_keras() {
    let mut case = Case::load("cgan-small");
    case.run_conditional();
    case.compare_weights();
}

#[test]
fn wgan_gp_learns_as_in_keras() {
    let mut case = Case::load("wgan-gp-small");
    case.run_wgan_gp();
    case.compare_weights();
}

#[test]
fn full_nets_have_keras_losses_and_parameters() {
    for name in ["tp", "fidle"] {
        let mut case = Case::load(name);
        for (part, model) in [("generator", &case.generator), ("discriminator", &case.discriminator)] {
            let expected = &case.json["parameters"][part];
            let (total, trainable) = model.net.parameters();
            assert_eq!((Some(total as u64), Some(trainable as u64)), (expected[0].as_u64(), expected[1].as_u64()));
        }
        case.run();
    }
}
