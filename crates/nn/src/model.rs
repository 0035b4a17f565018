//! A network with its weights and optimizer, and the verbs of the lab: `predict_on_batch`, `compile`,
//! `train_on_batch`, a frozen copy, and the two nets composed.

use burn::tensor::{Device, Tensor};

use crate::loss::binary_cross_entropy;
use crate::net::{Network, Pass, Shape, Weights};
use crate::ops::{Precision, host};
use crate::optimizer::{AdamSettings, Optimizer};
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;

/// A network that can predict and, once compiled, learn.
#[derive(Clone, Debug)]
pub struct Model {
    /// The layers.
    pub net: Network,
    /// Their weights.
    pub weights: Weights,
    /// Adam's state, once compiled.
    pub optimizer: Option<Optimizer>,
    /// What its training passes round the operands of products to. Its use is always in f32.
    pub precision: Precision,
    dropout: Stream,
}

/// What an update saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// The loss before it.
    pub loss: f32,
    /// Length of the whole gradient.
    pub norm: f64,
}

/// What `train_on_batch` saw, before it changed the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// The loss on this batch.
    pub loss: f32,
    /// Share of the batch on the right side of 0.5.
    pub accuracy: f32,
}

impl Model {
    /// Reads layer lines and draws first weights from `seed`.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn new(name: &'static str, layers: &[String], input: Shape, seed: u64, device: &Device) -> Result<Self> {
        Ok(Self::from_network(Network::new(name, layers, input)?, seed, device))
    }

    /// Draws first weights for `net` from `seed`.
    pub fn from_network(net: Network, seed: u64, device: &Device) -> Self {
        let weights = net.initial(seed, device);
        let dropout = Stream::new(seed, &format!("dropout.{}", net.name()));
        Self { dropout, net, weights, optimizer: None, precision: Precision::F32 }
    }

    /// Gives the model a fresh Adam.
    pub fn compile(&mut self, adam: AdamSettings) {
        self.optimizer = Some(Optimizer::new(adam, &self.weights, self.net.trainable()));
    }

    /// The layers as a table.
    pub fn summary(&self) -> String {
        self.net.summary()
    }

    /// The output for `x` `[batch, h, w, c]` (a vector is `[batch, 1, 1, n]`), as in use: moving statistics, no dropout.
    ///
    /// # Errors
    /// Where `x` doesn't have the input's shape.
    pub fn predict_on_batch(&self, x: &Tensor<4>) -> Result<Tensor<4>> {
        self.check(x)?;
        Ok(self.net.forward(&self.weights, x.clone(), &mut Pass::infer()))
    }

    /// One update towards `labels` (1 real, 0 generated; `[batch, 1, 1, 1]`) by binary cross-entropy.
    ///
    /// # Errors
    /// Where shapes don't fit, the model isn't compiled, or the loss isn't finite (the weights then stay as they were).
    pub fn train_on_batch(&mut self, x: &Tensor<4>, labels: &Tensor<4>) -> Result<Trained> {
        self.check(x)?;
        let tracked = self.tracked();
        let mut pass = self.training_pass(self.updates() * 2);
        let logits = self.net.logits(&tracked, x.clone(), &mut pass);
        let accuracy = accuracy(&logits, labels)?;
        let loss = binary_cross_entropy(logits, labels.clone());
        let value = loss.clone().into_scalar::<f32>();
        let Learned { loss, .. } = self.update(tracked, loss, value)?;
        self.net.absorb(&mut self.weights, pass);
        Ok(Trained { loss, accuracy })
    }

    /// The model as a part of a larger one that must not change it: its weights get no gradients at all.
    pub fn frozen(&self) -> Frozen<'_> {
        Frozen { model: self }
    }

    /// This model followed by a frozen one: `generator.then(discriminator.frozen())` is the lab's `gan`.
    pub fn then<'a>(&'a mut self, judge: Frozen<'a>) -> Composed<'a> {
        Composed { first: self, judge }
    }

    /// Updates made so far.
    pub fn updates(&self) -> u64 {
        self.optimizer.as_ref().map_or(0, |o| o.updates)
    }

    /// The weights as leaves of a gradient computation.
    pub fn tracked(&self) -> Weights {
        self.weights.tracked(self.net.trainable())
    }

    /// A pass of training; `index` numbers its draws of dropout.
    pub fn training_pass(&self, index: u64) -> Pass {
        Pass::train(self.dropout.clone(), index).rounded(self.precision)
    }

    /// Differentiates `loss`, which was computed with the `tracked` weights, and lets Adam change the model's. `value` is
    /// what the loss comes to, which may be more than the scalar that has its gradient.
    ///
    /// # Errors
    /// Where the loss isn't finite or the model isn't compiled; nothing has changed then.
    pub fn update(&mut self, tracked: Weights, loss: Tensor<1>, value: f32) -> Result<Learned> {
        let Some(optimizer) = &mut self.optimizer else {
            return Err(Error::usage(
                format!("the {} has no optimizer", self.net.name()),
                "call `compile` with Adam's settings before training",
            ));
        };
        if !value.is_finite() {
            return Err(Error::Diverged {
                what: format!("the {}'s loss is {value} at its update {}", self.net.name(), optimizer.updates + 1),
                hint: "start again with a lower learning rate (`--set generator.adam.rate=...`), or with --heal, which goes \
                       back and lowers it"
                    .into(),
            });
        }
        let mut gradients = loss.backward();
        let leaves = tracked.tensors().iter().zip(self.net.trainable()).filter(|(_, t)| *t);
        let gradients = leaves.map(|(t, _)| t.grad_remove(&mut gradients)).collect();
        drop(tracked);
        drop(loss);
        let norm = optimizer.step(&mut self.weights, self.net.trainable(), gradients);
        Ok(Learned { loss: value, norm })
    }

    fn check(&self, x: &Tensor<4>) -> Result<()> {
        if self.net.labels() > 0 {
            return Err(Error::usage(
                format!("the {} takes labels beside its input", self.net.name()),
                "train it as a Gan, whose data gives the labels, and draw its images with a Sampler",
            ));
        }
        let [_, h, w, c] = x.dims();
        let input = self.net.input();
        if [h, w, c] == input.dims() {
            return Ok(());
        }
        Err(Error::usage(
            format!("the {} expects a batch of {input}, got {h}x{w}x{c}", self.net.name()),
            "tensors are [batch, height, width, channels]; a vector is [batch, 1, 1, features]",
        ))
    }
}

/// A model that takes part in a computation without being changed by it.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    model: &'a Model,
}

/// A model followed by a frozen one.
#[derive(Debug)]
pub struct Composed<'a> {
    first: &'a mut Model,
    judge: Frozen<'a>,
}

impl Composed<'_> {
    /// The judge's output on what the first model makes of `x`.
    ///
    /// # Errors
    /// Where shapes don't fit.
    pub fn predict_on_batch(&self, x: &Tensor<4>) -> Result<Tensor<4>> {
        self.judge.model.predict_on_batch(&self.first.predict_on_batch(x)?)
    }

    /// One update of the first model so that the frozen one answers `labels`.
    ///
    /// # Errors
    /// As [`Model::train_on_batch`].
    pub fn train_on_batch(&mut self, x: &Tensor<4>, labels: &Tensor<4>) -> Result<Trained> {
        self.first.check(x)?;
        let tracked = self.first.tracked();
        // As in an update of its own, so that no two updates draw alike.
        let mut pass = self.first.training_pass(self.first.updates() * 2);
        let images = self.first.net.forward(&tracked, x.clone(), &mut pass);
        self.judge.model.check(&images)?;
        let judge = self.judge.model;
        // Odd indices: the draws of the judge's own updates have even ones.
        let mut judging = judge.training_pass(self.first.updates() * 2 + 1);
        let logits = judge.net.logits(&judge.weights, images, &mut judging);
        let accuracy = accuracy(&logits, labels)?;
        let loss = binary_cross_entropy(logits, labels.clone());
        let value = loss.clone().into_scalar::<f32>();
        let Learned { loss, .. } = self.first.update(tracked, loss, value)?;
        self.first.net.absorb(&mut self.first.weights, pass);
        Ok(Trained { loss, accuracy })
    }
}

/// Share of logits on the side of 0 that their label asks for.
fn accuracy(logits: &Tensor<4>, labels: &Tensor<4>) -> Result<f32> {
    if logits.dims() != labels.dims() {
        return Err(Error::usage(
            format!("{:?} scores but {:?} labels", logits.dims(), labels.dims()),
            "give one label per image, as a tensor [batch, 1, 1, 1] of ones (real) and zeros (generated)",
        ));
    }
    let right =
        host(logits).iter().zip(host(labels)).filter(|(score, label)| (**score > 0.0) == (*label > 0.5)).count();
    Ok(right as f32 / logits.dims()[0].max(1) as f32)
}
