//! Two models in sequence, the second one frozen: `generator.then(discriminator.frozen())` is the lab's `gan`.

use burn::tensor::Tensor;

use super::input::{Input, Values};
use super::{Learned, Model, Trained, accuracy, column};
use crate::loss::binary_cross_entropy;
use crate::ops::host;
use faussaire_data::error::Result;

/// A model whose weights are not updated by the computation.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    pub(super) model: &'a Model,
}

/// A model followed by a frozen one.
#[derive(Debug)]
pub struct Composed<'a> {
    pub(super) first: &'a mut Model,
    pub(super) judge: Frozen<'a>,
}

impl Composed<'_> {
    /// The frozen model's output on the first one's output for a batch, `&x` or `(&x, &labels)`; labels go to each model that
    /// takes labels.
    ///
    /// # Errors
    /// Shapes don't match, or labels are missing or not expected.
    pub fn predict_on_batch<'a>(&self, input: impl Into<Input<'a>>) -> Result<Tensor<4>> {
        let (input, judged) = self.split(input.into())?;
        let images = self.first.predict_on_batch(input)?;
        self.judge.model.predict_on_batch(Input { x: &images, labels: judged })
    }

    /// [`Model::predict`] of both, on flat values.
    ///
    /// # Errors
    /// As [`Self::predict_on_batch`].
    pub fn predict<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<f32>> {
        let (x, labels) = self.tensors(input.into())?;
        Ok(host(&self.predict_on_batch(Input { x: &x, labels: labels.as_ref() })?))
    }

    /// [`Self::train_on_batch`] on flat values, one target for each example.
    ///
    /// # Errors
    /// As [`Self::train_on_batch`].
    pub fn train<'a>(&mut self, input: impl Into<Values<'a>>, targets: &[f32]) -> Result<Trained> {
        let (x, labels) = self.tensors(input.into())?;
        let targets = column(targets, &self.first.device());
        self.train_on_batch(Input { x: &x, labels: labels.as_ref() }, &targets)
    }

    fn tensors(&self, input: Values) -> Result<(Tensor<4>, Option<Tensor<4>>)> {
        let (first, judge) = (&self.first.net, &self.judge.model.net);
        let labels = first.labels().max(judge.labels());
        let n = input.count(first.name(), first.input(), labels)?;
        Ok(input.parts(first.input(), labels, 0..n, &self.first.device()))
    }

    /// The input of the first model, and the labels of the second.
    fn split<'a>(&self, input: Input<'a>) -> Result<(Input<'a>, Option<&'a Tensor<4>>)> {
        let takes = [&self.first.net, &self.judge.model.net].map(|net| net.labels() > 0);
        if takes == [false, false] {
            return Ok((input.of(&self.first.net)?, None));
        }
        let labels = |takes: bool| input.labels.filter(|_| takes);
        Ok((Input { x: input.x, labels: labels(takes[0]) }, labels(takes[1])))
    }

    /// One update of the first model towards `targets` of the frozen one, on a batch as for [`Self::predict_on_batch`].
    ///
    /// # Errors
    /// As [`Model::train_on_batch`].
    pub fn train_on_batch<'a>(&mut self, input: impl Into<Input<'a>>, targets: &Tensor<4>) -> Result<Trained> {
        let (input, judged) = self.split(input.into())?;
        let Input { x, labels } = input.of(&self.first.net)?;
        self.first.net.check_weights(&self.first.weights)?;
        let tracked = self.first.tracked();
        // As in the model's own updates, so that no two updates share random draws.
        let mut pass = self.first.training_pass(self.first.updates() * 2).given(labels.cloned());
        let images = self.first.net.forward(&tracked, x.clone(), &mut pass)?;
        let judge = self.judge.model;
        // Odd indices: the frozen model's own updates use even ones.
        let Input { x: images, labels } = Input { x: &images, labels: judged }.of(&judge.net)?;
        let mut judging = judge.training_pass(self.first.updates() * 2 + 1).given(labels.cloned());
        let logits = judge.net.logits(&judge.weights, images.clone(), &mut judging)?;
        let accuracy = accuracy(&logits, targets)?;
        let loss = binary_cross_entropy(logits, targets.clone());
        let value = loss.clone().into_scalar::<f32>();
        let Learned { loss, .. } = self.first.update(tracked, loss, value)?;
        self.first.net.absorb(&mut self.first.weights, pass);
        Ok(Trained { loss, accuracy })
    }
}
