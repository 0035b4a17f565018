//! A network with its weights and optimizer, and Keras's methods: `predict_on_batch`, `compile`, `train_on_batch`, a
//! frozen copy, and the two nets composed ([`composed`]); `predict` and `train` are the same on flat slices. A model is saved
//! and loaded as one file ([`mod@file`]).

pub mod composed;
pub mod file;
pub mod input;

use burn::tensor::{Device, Tensor};

use crate::loss::binary_cross_entropy;
use crate::net::{Network, Pass, Setting, Shape, Weights};
use crate::ops::{Precision, host, tensor};
use crate::optimizer::{AdamSettings, Optimizer};
use composed::{Composed, Frozen};
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;
use input::{Input, Values};

/// Batch size of [`Model::predict`].
const BATCH: usize = 64;

/// A network that can predict and, once compiled, train.
///
/// ```
/// use burn::tensor::Device; // faussaire::Device does, too
/// use faussaire_nn::net::Shape;
/// use faussaire_nn::{AdamSettings, Model};
///
/// # fn main() -> faussaire_data::Result<()> {
/// let (layers, device) = (["dense 8", "relu", "dense 1", "sigmoid"].map(String::from), Device::flex());
/// let mut discriminator = Model::new("discriminator", &layers, Shape::Flat(2), 0, &device)?;
/// discriminator.compile(AdamSettings::new(1e-2));
///
/// // Two points each of what is real (1) and what is generated (0).
/// let (points, real) = ([1.0, 1.0, 0.9, 1.1, -1.0, -1.0, -1.1, -0.9], [1.0, 1.0, 0.0, 0.0]);
/// let first = discriminator.train(&points, &real)?.loss;
/// let last = (0..50).try_fold(first, |_, _| Ok::<_, faussaire_data::Error>(discriminator.train(&points, &real)?.loss))?;
/// assert!(last < first);
///
/// let mut generator = Model::new("generator", &["dense 2".to_string()], Shape::Flat(3), 1, &device)?;
/// generator.compile(AdamSettings::new(1e-2));
/// let before = discriminator.predict(&points)?;
/// generator.then(discriminator.frozen()).train(&[0.5, -1.0, 2.0], &[1.0])?; // only the generator learns
/// assert_eq!(discriminator.predict(&points)?, before);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    /// The layers.
    pub net: Network,
    /// Their weights.
    pub weights: Weights,
    /// Adam's state, once compiled.
    pub optimizer: Option<Optimizer>,
    /// Precision of products in training; inference is always f32.
    pub precision: Precision,
    /// Initial weights and dropout are functions of the seed and the net's name.
    seed: u64,
    dropout: Stream,
}

/// The result of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// The loss before the update.
    pub loss: f32,
    /// Norm of the whole gradient.
    pub norm: f64,
}

/// The result of `train_on_batch`, before the update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// The loss on this batch.
    pub loss: f32,
    /// Accuracy on the batch, at a threshold of 0.5.
    pub accuracy: f32,
}

impl Model {
    /// Parses layer lines and initialises the weights. Initial weights and dropout are functions of `seed` and `name`: models
    /// need different names or seeds for different random numbers.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn new(name: &str, layers: &[String], input: Shape, seed: u64, device: &Device) -> Result<Self> {
        Ok(Self::from_network(Network::new(name, layers, input)?, seed, device))
    }

    /// As [`Self::new`] for a net conditioned on `labels` classes or attributes, by layers such as `embedding 16`.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn conditional(
        name: &str,
        layers: &[String],
        input: Shape,
        labels: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let net = Network::build(name, layers, Setting { input, labels, spectral: false })?;
        Ok(Self::from_network(net, seed, device))
    }

    /// Initialises the weights of `net`, as [`Self::new`] does.
    pub fn from_network(net: Network, seed: u64, device: &Device) -> Self {
        let weights = net.initial(seed, device);
        let dropout = Stream::new(seed, &format!("dropout.{}", net.name()));
        Self { dropout, seed, net, weights, optimizer: None, precision: Precision::F32 }
    }

    /// Gives the model a new Adam optimizer.
    pub fn compile(&mut self, adam: AdamSettings) {
        self.optimizer = Some(Optimizer::new(adam, &self.weights, self.net.trainable()));
    }

    /// The summary of the layers as a table.
    pub fn summary(&self) -> String {
        self.net.summary()
    }

    /// The output for a batch at inference: moving statistics, no dropout. The batch is a tensor `[batch, h, w, c]` (a vector is
    /// `[batch, 1, 1, n]`); a conditional net takes a pair, `(&x, &labels)`, with labels `[batch, 1, 1, labels]` of ones and
    /// zeros.
    ///
    /// # Errors
    /// Shapes don't match the net, or labels are missing or not expected.
    pub fn predict_on_batch<'a>(&self, input: impl Into<Input<'a>>) -> Result<Tensor<4>> {
        let Input { x, labels } = input.into().of(&self.net)?;
        self.net.forward(&self.weights, x.clone(), &mut Pass::infer().given(labels.cloned()))
    }

    /// One update towards `targets` (1 real, 0 generated; `[batch, 1, 1, 1]`) by binary cross-entropy, on a batch as for
    /// [`Self::predict_on_batch`].
    ///
    /// # Errors
    /// Shapes don't match, the model isn't compiled, or the loss isn't finite (the weights are then unchanged).
    pub fn train_on_batch<'a>(&mut self, input: impl Into<Input<'a>>, targets: &Tensor<4>) -> Result<Trained> {
        let Input { x, labels } = input.into().of(&self.net)?;
        self.net.check_weights(&self.weights)?;
        let tracked = self.tracked();
        let mut pass = self.training_pass(self.updates() * 2).given(labels.cloned());
        let logits = self.net.logits(&tracked, x.clone(), &mut pass)?;
        let accuracy = accuracy(&logits, targets)?;
        let loss = binary_cross_entropy(logits, targets.clone());
        let value = loss.clone().into_scalar::<f32>();
        let Learned { loss, .. } = self.update(tracked, loss, value)?;
        self.net.absorb(&mut self.weights, pass);
        Ok(Trained { loss, accuracy })
    }

    /// [`Self::predict_on_batch`] for any number of examples as flat values, `[n, h, w, c]` in order; a conditional net takes a
    /// pair, `(&x, &labels)`. Computed in batches of 64.
    ///
    /// # Errors
    /// As [`Self::predict_on_batch`].
    pub fn predict<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<f32>> {
        let input = input.into();
        let n = input.examples(&self.net)?;
        let mut all = Vec::with_capacity(n * self.net.output().len());
        for start in (0..n).step_by(BATCH) {
            let (x, labels) = input.tensors(&self.net, start..(start + BATCH).min(n), &self.device());
            all.extend(host(&self.predict_on_batch(Input { x: &x, labels: labels.as_ref() })?));
        }
        Ok(all)
    }

    /// [`Self::train_on_batch`] on flat values, one target for each example.
    ///
    /// # Errors
    /// As [`Self::train_on_batch`].
    pub fn train<'a>(&mut self, input: impl Into<Values<'a>>, targets: &[f32]) -> Result<Trained> {
        let input = input.into();
        let n = input.examples(&self.net)?;
        let (x, labels) = input.tensors(&self.net, 0..n, &self.device());
        let targets = column(targets, &self.device());
        self.train_on_batch(Input { x: &x, labels: labels.as_ref() }, &targets)
    }

    /// Loss and accuracy for any number of examples as flat values at inference, without an update; means over all.
    ///
    /// # Errors
    /// As [`Self::predict`], or targets of another number.
    pub fn evaluate<'a>(&self, input: impl Into<Values<'a>>, targets: &[f32]) -> Result<Trained> {
        let input = input.into();
        let n = input.examples(&self.net)?;
        if targets.len() != n {
            return Err(Error::usage(format!("{} targets for {n} examples", targets.len()), "give one for each"));
        }
        let (mut loss, mut right) = (0.0, 0.0);
        for start in (0..n).step_by(BATCH) {
            let part = start..(start + BATCH).min(n);
            let share = part.len() as f32 / n as f32;
            let (x, labels) = input.tensors(&self.net, part.clone(), &self.device());
            let Input { x, labels } = Input { x: &x, labels: labels.as_ref() }.of(&self.net)?;
            let logits = self.net.logits(&self.weights, x.clone(), &mut Pass::infer().given(labels.cloned()))?;
            let targets = column(&targets[part], &self.device());
            right += share * accuracy(&logits, &targets)?;
            loss += share * binary_cross_entropy(logits, targets).into_scalar::<f32>();
        }
        Ok(Trained { loss, accuracy: right })
    }

    /// The device of its weights.
    pub fn device(&self) -> Device {
        self.weights.tensors().first().map_or_else(Device::flex, Tensor::device)
    }

    /// The model as a frozen part of a larger one: its weights get no gradients.
    pub fn frozen(&self) -> Frozen<'_> {
        Frozen { model: self }
    }

    /// This model followed by a frozen one: `generator.then(discriminator.frozen())` is the lab's `gan`.
    pub fn then<'a>(&'a mut self, judge: Frozen<'a>) -> Composed<'a> {
        Composed { first: self, judge }
    }

    /// Number of updates so far.
    pub fn updates(&self) -> u64 {
        self.optimizer.as_ref().map_or(0, |o| o.updates)
    }

    /// The weights as leaves of the autodiff graph.
    pub fn tracked(&self) -> Weights {
        self.weights.tracked(self.net.trainable())
    }

    /// A training pass; `index` is the index of its dropout draws.
    pub fn training_pass(&self, index: u64) -> Pass {
        Pass::train(self.dropout.clone(), index).rounded(self.precision)
    }

    /// Computes the gradient of `loss` at the `tracked` weights and updates the model's weights with Adam. `value` is the loss,
    /// which may differ from the scalar `loss` that has its gradient.
    ///
    /// # Errors
    /// The loss isn't finite or the model isn't compiled; nothing is changed then.
    pub fn update(&mut self, tracked: Weights, loss: Tensor<1>, value: f32) -> Result<Learned> {
        self.check_loss(value)?;
        let gradients = self.gradients(tracked, loss);
        self.learn(gradients, value)
    }

    /// The gradient of `loss` at each of the trainable `tracked` weights, in order; none where the loss doesn't depend on one.
    pub fn gradients(&self, tracked: Weights, loss: Tensor<1>) -> Vec<Option<Tensor<1>>> {
        let mut gradients = loss.backward();
        let leaves = tracked.tensors().iter().zip(self.net.trainable()).filter(|(_, t)| *t);
        leaves.map(|(t, _)| t.grad_remove(&mut gradients)).collect()
    }

    /// Updates the weights with the gradients of a loss of this `value` with Adam.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub fn learn(&mut self, gradients: Vec<Option<Tensor<1>>>, value: f32) -> Result<Learned> {
        self.check_loss(value)?;
        let (weights, net) = (&mut self.weights, &self.net);
        let norm = self.optimizer.as_mut().map(|optimizer| optimizer.step(weights, net.trainable(), gradients));
        Ok(Learned { loss: value, norm: norm.unwrap_or_default() })
    }

    /// Refuses a loss that isn't finite, or a model that can't learn.
    fn check_loss(&self, value: f32) -> Result<()> {
        let Some(optimizer) = &self.optimizer else {
            return Err(Error::usage(
                format!("the {} has no optimizer", self.net.name()),
                "call `compile` with Adam's settings before training",
            ));
        };
        if !value.is_finite() {
            return Err(Error::Diverged {
                what: format!("the {}'s loss is {value} at its update {}", self.net.name(), optimizer.updates + 1),
                hint: "start again with a lower learning rate (`generator.adam.learning_rate`, `discriminator.adam.learning_rate`), or let the \
                       run be healed (`train.heal`), which goes back and lowers it"
                    .into(),
            });
        }
        Ok(())
    }
}

/// Share of logits whose sign matches their label.
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

/// One target for each example: `[n, 1, 1, 1]`.
fn column(targets: &[f32], device: &Device) -> Tensor<4> {
    tensor(targets.to_vec(), [targets.len(), 1, 1, 1], device)
}
