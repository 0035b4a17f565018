//! The discriminator's update: real and generated images, in one batch or each in their own, scored, and told apart a
//! little better.

use burn::tensor::Tensor;

use super::{Gan, Latents, Variety};
use crate::augment;
use crate::error::Result;
use crate::loss::{Scores, label_cross_entropy};
use crate::model::Learned;
use crate::net::{Pass, Weights};
use crate::ops::host;
use crate::ops::tensor;
use crate::penalty::{Critic, PenaltyTerm};
use crate::random::Stream;
use crate::recipe::FakeBatchnorm;

/// What the discriminator's update saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DiscriminatorReport {
    pub loss: f32,
    /// What the penalties came to, where there are any.
    pub penalty: Option<f32>,
    /// Length of the gradient.
    pub norm: f64,
    /// Share of real images taken for real.
    pub real: f32,
    /// Share of generated images taken for generated.
    pub fake: f32,
    /// Mean scores of real and of generated images.
    pub scores: [f32; 2],
    /// How much the images differ, where this update is one to measure it.
    pub variety: Option<Variety>,
    /// Mean score of images held back, likewise.
    pub held_out: Option<f32>,
}

/// Real images with their labels.
#[derive(Clone, Debug)]
pub(super) struct RealBatch {
    pub x: Tensor<4>,
    pub y: Option<Tensor<4>>,
}

impl Gan {
    /// Update number `turn` (counted from 0 over the whole training) of the discriminator. Whether to `measure` how much
    /// the images differ changes nothing else.
    pub(super) fn discriminator_step(&mut self, turn: u64, measure: bool) -> Result<DiscriminatorReport> {
        let real = self.real_images(turn)?;
        self.seen = self.recipe.train.loss.is_relativistic().then(|| real.clone());
        let RealBatch { x, y } = real;
        let fakes = self.generated_images(turn, x.dims()[0], y.clone());
        let variety = measure.then(|| Variety::of(&host(&x), &host(&fakes), self.dataset.shape().len()));
        let held_out = if measure { self.held_out_score(turn)? } else { None };
        let (x, fakes) = (self.viewed(x, "real", turn), self.viewed(fakes, "fake", turn));
        let m = x.dims()[0];

        let tracked = self.discriminator.tracked();
        let both = y.clone().map(|y| Tensor::cat(vec![y.clone(), y], 0));
        let pass = self.discriminator.training_pass(turn * 2);
        let (logits, pass) = self.judged(&tracked, [&x, &fakes], pass, [y.clone(), both.clone()]);
        let scores = Scores::split(logits.clone(), m);
        let [(real, real_mean), (fake, fake_mean)] = [&scores.real, &scores.fake].map(summary);
        let train = &self.recipe.train;
        let mut loss = train.loss.discriminator(&self.flipped(scores, turn), train.smoothing as f32);
        if let Some(labels) = both.filter(|_| self.discriminator.net.guesses_labels()) {
            loss = loss.add(self.label_loss(logits, labels));
        }
        let value = loss.clone().into_scalar::<f32>();
        let charge = self.charge(&tracked, turn, [&x, &fakes], y);
        let loss = charge.iter().fold(loss, |loss, c| loss.add(c.surrogate.clone()));
        let penalty = charge.map(|c| c.value);
        let Learned { norm, .. } = self.discriminator.update(tracked, loss, value + penalty.unwrap_or(0.0))?;
        self.discriminator.net.absorb(&mut self.discriminator.weights, pass);
        self.clip_weights();
        // In images, of which a pack holds several.
        let images = self.recipe.train.batch as u64;
        self.adapt_augmentation(f64::from(real), images);
        let scores = [real_mean, fake_mean];
        Ok(DiscriminatorReport { loss: value, penalty, norm, real, fake: 1.0 - fake, scores, variety, held_out })
    }

    /// The scores of both halves of the batch, real images first, and the pass that saw them. The labels are those of one
    /// half and those of both.
    fn judged(
        &self,
        tracked: &Weights,
        [x, fakes]: [&Tensor<4>; 2],
        pass: Pass,
        [half, both]: [Option<Tensor<4>>; 2],
    ) -> (Tensor<4>, Pass) {
        let net = &self.discriminator.net;
        if self.recipe.train.joint_batch {
            let mut pass = pass.given(both);
            return (net.apply_to_logits(tracked, Tensor::cat(vec![x.clone(), fakes.clone()], 0), &mut pass), pass);
        }
        let mut pass = pass.given(half);
        let each = [x, fakes].map(|images| net.apply_to_logits(tracked, images.clone(), &mut pass));
        (Tensor::cat(each.to_vec(), 0), pass)
    }

    /// The images of the data that belong to D's update `turn`, with their labels.
    fn real_images(&mut self, turn: u64) -> Result<RealBatch> {
        let indices = self.batches.indices(turn);
        let mut values = self.reader.take(turn)?;
        self.range.from_unit(&mut values);
        let (shape, m) = (self.dataset.shape(), indices.len());
        let y = self.conditions.as_ref().map(|conditions| {
            tensor(conditions.rows(self.dataset.as_ref(), &indices), [m, 1, 1, conditions.width()], &self.device)
        });
        Ok(RealBatch { x: tensor(values, [m, shape.height, shape.width, shape.channels], &self.device), y })
    }

    /// Generated without any gradient: the generator doesn't learn here. The labels are those of the real images, so that
    /// nothing but the images differs between the two halves of the batch.
    fn generated_images(&self, turn: u64, m: usize, y: Option<Tensor<4>>) -> Tensor<4> {
        let Latents { z, .. } = self.drawn_latents("latent.discriminator", turn, m);
        let pass = match self.recipe.train.fake_batchnorm {
            FakeBatchnorm::Batch => self.generator.training_pass(turn * 2),
            FakeBatchnorm::Moving => Pass::infer().rounded(self.generator.precision),
        };
        self.generator.net.apply(&self.generator.weights, z, &mut pass.given(y))
    }

    /// The scores with some pairs exchanged, if the recipe asks for that.
    fn flipped(&self, scores: Scores, turn: u64) -> Scores {
        let share = self.recipe.train.label_flip as f32;
        if share == 0.0 {
            return scores;
        }
        let m = scores.real.dims()[0];
        let draws = Stream::new(self.recipe.train.seed, "flips").uniform(turn, m, 0.0, 1.0);
        let flips = draws.into_iter().map(|u| f32::from(u < share)).collect();
        scores.flipped(tensor(flips, [m, 1, 1, 1], &self.device))
    }

    /// How badly the labels behind the scores are guessed, times its weight.
    pub(super) fn label_loss(&self, logits: Tensor<4>, labels: Tensor<4>) -> Tensor<1> {
        let [batch, _, _, outputs] = logits.dims();
        let guesses = logits.slice([0..batch, 0..1, 0..1, 1..outputs]);
        let weight = self.recipe.train.label_weight as f32;
        label_cross_entropy(guesses, labels, self.recipe.labels.kind).mul_scalar(weight)
    }

    /// All penalties of the recipe, if this update is one that pays them.
    fn charge(
        &self,
        tracked: &Weights,
        turn: u64,
        [x, fakes]: [&Tensor<4>; 2],
        y: Option<Tensor<4>>,
    ) -> Option<PenaltyTerm> {
        let train = &self.recipe.train;
        if train.penalties.is_empty() || !turn.is_multiple_of(train.penalty_every) {
            return None;
        }
        let pass = || self.discriminator.training_pass(turn * 2);
        let (net, constant) = (&self.discriminator.net, &self.discriminator.weights);
        let critic = Critic { net, tracked, constant, labels: y, pass: &pass };
        let each = train.penalties.iter().map(|(penalty, weight)| {
            let draws = Stream::new(train.seed, &format!("penalty.{penalty:?}"));
            let points = penalty.points(x, fakes, &draws, turn);
            critic.penalty_term(*penalty, weight * train.penalty_every as f64, points)
        });
        each.reduce(|a, b| PenaltyTerm { value: a.value + b.value, surrogate: a.surrogate.add(b.surrogate) })
    }

    fn clip_weights(&mut self) {
        let limit = self.recipe.train.weight_clip as f32;
        if limit == 0.0 {
            return;
        }
        let trainable: Vec<bool> = self.discriminator.net.trainable().collect();
        for (weight, _) in self.discriminator.weights.tensors_mut().iter_mut().zip(trainable).filter(|(_, t)| *t) {
            *weight = weight.clone().clamp(-limit, limit);
        }
    }

    fn adapt_augmentation(&mut self, told: f64, images: u64) {
        let settings = &self.recipe.train.augment;
        if settings.target > 0.0 {
            let probability = self.progress.augment;
            self.progress.augment = augment::adapted(probability, told, settings.target, images, settings.reach);
        }
    }
}

/// The share of scores above 0, and their mean.
fn summary(scores: &Tensor<4>) -> (f32, f32) {
    let scores = host(scores);
    let count = scores.len().max(1) as f32;
    (scores.iter().filter(|s| **s > 0.0).count() as f32 / count, scores.iter().sum::<f32>() / count)
}
