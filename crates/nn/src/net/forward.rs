//! The forward pass along a network's steps, and the checks of its inputs.

use std::borrow::Cow;

use burn::tensor::Tensor;

use super::network::under_sigmoid;
use super::plan::Step;
use super::{Dual, LayerEntry, Network, Pass, WeightSpec, Weights, spectral};
use faussaire_data::error::{Error, Result};

impl Network {
    /// The network's output for a batch `[batch, h, w, c]`.
    ///
    /// # Errors
    /// The batch, its labels or the weights don't have the net's shapes.
    pub fn forward(&self, weights: &Weights, x: Tensor<4>, pass: &mut Pass) -> Result<Tensor<4>> {
        self.check(weights, &x, pass)?;
        Ok(self.apply(weights, x, pass))
    }

    /// The logits: the output without a final sigmoid, for losses.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn logits(&self, weights: &Weights, x: Tensor<4>, pass: &mut Pass) -> Result<Tensor<4>> {
        self.check(weights, &x, pass)?;
        Ok(self.apply_to_logits(weights, x, pass))
    }

    /// The logits for a batch and their derivative along a direction of it: `value` and `tangent` of `x`.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn tangent(&self, weights: &Weights, x: Dual, pass: &mut Pass) -> Result<Dual> {
        self.check(weights, &x.value, pass)?;
        self.check(weights, &x.tangent, pass)?;
        Ok(self.apply_tangent(weights, x, pass))
    }

    /// [`Self::forward`] for checked inputs; panics if shapes don't match.
    #[doc(hidden)]
    pub fn apply(&self, weights: &Weights, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        self.run(&self.steps, weights, x, pass)
    }

    /// [`Self::logits`] for checked inputs; panics if shapes don't match.
    #[doc(hidden)]
    pub fn apply_to_logits(&self, weights: &Weights, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        self.run(&self.logit_steps, weights, x, pass)
    }

    /// A pass without labels has all labels 0.
    fn check(&self, weights: &Weights, x: &Tensor<4>, pass: &Pass) -> Result<()> {
        self.check_weights(weights)?;
        self.check_batch(x)?;
        let given = pass.labels().filter(|_| self.labels() > 0);
        given.map_or(Ok(()), |labels| self.check_labels(x.dims()[0], Some(labels)))
    }

    /// Checks that weights are this net's.
    pub(crate) fn check_weights(&self, weights: &Weights) -> Result<()> {
        let fits = |(tensor, spec): (&Tensor<1>, &WeightSpec)| tensor.dims()[0] == spec.len();
        let tensors = weights.tensors();
        if tensors.len() == self.specs().count() && tensors.iter().zip(self.specs()).all(fits) {
            return Ok(());
        }
        let values: usize = tensors.iter().map(|tensor| tensor.dims()[0]).sum();
        Err(Error::usage(
            format!(
                "the {} has {} weights of {} values in all, got {} of {values}: they are another net's",
                self.name(),
                self.specs().count(),
                self.specs().map(WeightSpec::len).sum::<usize>(),
                tensors.len()
            ),
            "weights come from `initial`, a checkpoint, or `Network::weights`, all for the same layers",
        ))
    }

    /// Checks the shape of a batch `[batch, h, w, c]`.
    fn check_batch(&self, x: &Tensor<4>) -> Result<()> {
        let [batch, h, w, c] = x.dims();
        if [h, w, c] == self.input().dims() && batch > 0 {
            return Ok(());
        }
        Err(Error::usage(
            format!("the {} expects a batch of {}, got {batch} of {h}x{w}x{c}", self.name(), self.input()),
            "tensors are [batch, height, width, channels]; a vector is [batch, 1, 1, features]",
        ))
    }

    /// Checks that labels are `[batch, 1, 1, labels]`, and present only if expected.
    fn check_labels(&self, batch: usize, given: Option<&Tensor<4>>) -> Result<()> {
        let wanted = (self.labels() > 0).then(|| [batch, 1, 1, self.labels()]);
        let given = given.map(Tensor::dims);
        if given == wanted {
            return Ok(());
        }
        let shape = |dims: Option<[usize; 4]>| dims.map_or("none".into(), |dims| format!("{dims:?}"));
        Err(Error::usage(
            format!("the {} expects labels {}, got {}", self.name(), shape(wanted), shape(given)),
            "labels have a row of ones (those that hold) and zeros for each example; a net without label layers takes none",
        ))
    }

    /// Checks a batch and its labels.
    pub fn check_input(&self, x: &Tensor<4>, labels: Option<&Tensor<4>>) -> Result<()> {
        self.check_batch(x)?;
        self.check_labels(x.dims()[0], labels)
    }

    fn run(&self, steps: &[Step], weights: &Weights, mut x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        let mut rest = steps;
        while let [step, others @ ..] = rest {
            if let Some(y) = self.apply_fused_steps(rest, weights, &x, pass) {
                (x, rest) = (y, &rest[step.fused_steps..]);
            } else {
                (x, rest) = (self.make(step, weights, x, pass), others);
            }
        }
        x
    }

    /// The steps of a forward pass.
    #[cfg(test)]
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every step runs alone.
    #[cfg(test)]
    pub(super) fn do_each_step_alone(&mut self) {
        self.steps.iter_mut().chain(&mut self.logit_steps).for_each(|step| step.fused_steps = 1);
    }

    /// Whether the weights of layer `index` are not trainable.
    #[cfg(test)]
    pub(super) fn freeze_layer(&mut self, index: usize) {
        self.layers[index].specs.iter_mut().for_each(|spec| spec.trainable = false);
    }

    /// The output of every step up to the logits.
    #[cfg(test)]
    pub(super) fn outputs(&self, weights: &Weights, mut x: Tensor<4>, pass: &mut Pass) -> Vec<Tensor<4>> {
        let step = |step| {
            x = self.make(step, weights, x.clone(), pass);
            x.clone()
        };
        self.logit_steps.iter().map(step).collect()
    }

    fn make(&self, step: &Step, weights: &Weights, x: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        let entry = &self.layers[step.layer];
        pass.layer = step.layer;
        let weights = self.weights_of(entry, weights, pass);
        let fused = step.fused_on(pass);
        // A convolution that absorbs upsampling sees the upsampled shape as its own input.
        entry.layer.kind().forward(entry.input, x, &weights, fused, pass)
    }

    /// [`Self::tangent`] for checked inputs; panics if shapes don't match.
    #[doc(hidden)]
    pub(crate) fn apply_tangent(&self, weights: &Weights, mut x: Dual, pass: &mut Pass) -> Dual {
        let layers = under_sigmoid(&self.layers);
        for (index, entry) in layers.iter().enumerate() {
            pass.layer = index;
            let weights = self.weights_of(entry, weights, pass);
            x = entry.layer.kind().tangent(entry.input, x, &weights, pass);
        }
        x
    }

    /// A layer's weights as used in this pass.
    pub(super) fn weights_of<'a>(
        &self,
        entry: &LayerEntry,
        weights: &'a Weights,
        pass: &mut Pass,
    ) -> Cow<'a, [Tensor<1>]> {
        let own = &weights.tensors()[entry.first_weight..entry.first_weight + entry.specs.len()];
        if self.setting.spectral {
            Cow::Owned(spectral::normalised(&entry.specs, own, pass))
        } else {
            Cow::Borrowed(own)
        }
    }

    /// Updates the moving statistics with those of a training pass.
    pub fn absorb(&self, weights: &mut Weights, pass: Pass) {
        for observed in pass.observed {
            let slot = self.layers.get(observed.layer).map(|entry| entry.first_weight + observed.weight);
            // `None` if the pass or the weights belong to another net.
            let Some(slot) = slot.and_then(|slot| weights.tensors_mut().get_mut(slot)) else { continue };
            let (seen, momentum) = (observed.seen, observed.momentum);
            let kept = std::mem::replace(slot, seen.clone());
            *slot = if momentum == 0.0 { seen } else { kept.mul_scalar(momentum).add(seen.mul_scalar(1.0 - momentum)) };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::Device;

    use super::super::{Setting, Shape};
    use super::*;
    use crate::ops::tensor;

    fn net(lines: &[&str], labels: usize) -> Network {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        Network::build("critic", &lines, Setting { input: Shape::Image(4, 4, 1), labels, spectral: false }).unwrap()
    }

    fn zeros(shape: [usize; 4]) -> Tensor<4> {
        tensor(vec![0.0; shape.iter().product()], shape, &Device::flex())
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let device = Device::flex();
        let plain = net(&["flatten", "dense 2"], 0);
        let weights = plain.initial(1, &device);
        let said = |net: &Network, weights: &Weights, x: Tensor<4>, y: Option<Tensor<4>>| {
            net.forward(weights, x, &mut Pass::infer().given(y)).unwrap_err().to_string()
        };
        assert!(plain.forward(&weights, zeros([3, 4, 4, 1]), &mut Pass::infer()).is_ok());
        assert!(said(&plain, &weights, zeros([3, 4, 5, 1]), None).contains("expects a batch of 4x4x1, got 3 of 4x5x1"));
        assert!(said(&plain, &weights, zeros([0, 4, 4, 1]), None).contains("got 0 of"));
        let other = net(&["flatten", "dense 3"], 0).initial(1, &device);
        let foreign = said(&plain, &other, zeros([3, 4, 4, 1]), None);
        assert!(foreign.contains("2 weights of 34 values in all, got 2 of 51"), "{foreign}");
        let none = said(&plain, &Weights::new(Vec::new()), zeros([3, 4, 4, 1]), None);
        assert!(none.contains("got 0 of 0"), "{none}");
        assert!(plain.weights(Vec::new()).is_err() && plain.weights(weights.tensors().to_vec()).is_ok());

        let told = net(&["flatten", "embedding 2", "dense 2"], 3);
        let weights = told.initial(1, &device);
        let narrow = said(&told, &weights, zeros([2, 4, 4, 1]), Some(zeros([2, 1, 1, 4])));
        assert!(narrow.contains("expects labels [2, 1, 1, 3], got [2, 1, 1, 4]"), "{narrow}");
        assert!(told.check_input(&zeros([2, 4, 4, 1]), None).is_err());
        assert!(plain.check_input(&zeros([2, 4, 4, 1]), Some(&zeros([2, 1, 1, 3]))).is_err());
        let pass = &mut Pass::infer().given(Some(zeros([2, 1, 1, 3])));
        assert!(told.logits(&weights, zeros([2, 4, 4, 1]), pass).is_ok());
        let dual = Dual { value: zeros([2, 4, 4, 1]), tangent: zeros([2, 4, 4, 2]) };
        assert!(plain.tangent(&plain.initial(1, &device), dual, &mut Pass::infer()).is_err());
    }
}
