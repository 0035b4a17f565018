//! The norm of the gradient of a critic's score with respect to the image, and the exact gradient of a penalty on it.
//!
//! Automatic differentiation is of first order here, so the penalty's gradient is decomposed. With g_i the gradient of
//! the score of image x_i with respect to x_i, and a cost c(|g_i|), the chain rule gives
//!
//!   d/dw mean_i c(|g_i|) = mean_i c'(|g_i|)/|g_i| * d/dw (g_i . v_i)   at v_i = g_i held constant,
//!
//! and `g_i . v_i` is the derivative of the score along v_i, which the network computes forwards
//! ([`Network::tangent`]). So: one backward pass to the images with constant weights gives g, one forward pass along
//! v_i = c'/|g| g gives a number whose ordinary gradient is the penalty's. Nothing divides by |g| = 0.

use burn::tensor::{Tensor, TensorData};

use super::Penalty;
use crate::loss::Scores;
use crate::net::{Dual, Network, Pass, Weights};
use crate::ops::host;

/// The discriminator in its own update.
pub struct Critic<'a> {
    /// Its layers.
    pub net: &'a Network,
    /// Its weights as leaves of the gradient computation.
    pub tracked: &'a Weights,
    /// The same weights as constants.
    pub constant: &'a Weights,
    /// Labels of the images, `[batch, 1, 1, labels]`, where it takes some.
    pub labels: Option<Tensor<4>>,
    /// Starts a pass; always with the same randomness.
    pub pass: &'a dyn Fn() -> Pass,
}

/// A penalty as a term of D's loss.
#[derive(Clone, Debug)]
pub struct PenaltyTerm {
    /// Its value, weight included.
    pub value: f32,
    /// A scalar with the penalty's gradient (not its value): to be added to the loss.
    pub surrogate: Tensor<1>,
}

impl Critic<'_> {
    /// The gradient of every image's score with respect to the image itself.
    pub fn gradients(&self, points: &Tensor<4>) -> Tensor<4> {
        let leaf = points.clone().without_autodiff().autodiff().require_grad();
        let mut pass = (self.pass)().given(self.labels.clone());
        let scores = Scores::of(self.net.apply_to_logits(self.constant, leaf.clone(), &mut pass));
        let mut all = scores.sum().backward();
        leaf.grad_remove(&mut all).unwrap_or_else(|| points.zeros_like().without_autodiff())
    }

    /// `penalty`, times `weight`, at `points`.
    pub fn penalty_term(&self, penalty: Penalty, weight: f64, points: Tensor<4>) -> PenaltyTerm {
        let points = points.without_autodiff();
        let gradients = self.gradients(&points);
        let batch = points.dims()[0];
        let squares =
            host(&gradients.clone().mul(gradients.clone()).reshape([batch as i32, -1]).sum_dim(1) as &Tensor<2>);
        let costs: Vec<_> = squares.iter().map(|s| penalty.cost(f64::from(*s).sqrt())).collect();
        let each = weight / batch as f64;
        let value = costs.iter().map(|c| c.value).sum::<f64>() * each;
        let rates = costs.iter().map(|c| (c.rate * each) as f32).collect();
        let rates = TensorData::new::<f32, _>(rates, [batch, 1, 1, 1]);
        let direction = gradients.mul(Tensor::from_data(rates, (&points.device(), points.dtype())));
        let mut pass = (self.pass)().given(self.labels.clone());
        let dual = self.net.apply_tangent(self.tracked, Dual { value: points, tangent: direction }, &mut pass);
        PenaltyTerm { value: value as f32, surrogate: Scores::of(dual.tangent).sum() }
    }
}
