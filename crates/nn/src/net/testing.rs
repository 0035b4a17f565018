//! What the tests of nets share: nets in either precision, and gradients of what a net computes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::{DType, Device, Tensor};

use super::{Dual, Mode, Network, Pass, Setting, Shape, Weights};
use crate::ops::Precision;
pub(crate) use crate::ops::testing::{distance, norm, signed, tensor, uniform, values};
use faussaire_data::random::Stream;

/// A net of `lines`, separated by `|`.
pub(crate) fn network(lines: &str, input: Shape, labels: usize, spectral: bool) -> Network {
    let lines: Vec<String> = lines.split('|').map(|l| l.trim().to_string()).collect();
    Network::build("discriminator", &lines, Setting { input, labels, spectral }).unwrap()
}

/// Values for all weights of `net`, none of which is 0 or 1 throughout: gammas and variances from 0.5 to 1.5, the others
/// from -0.5 to 0.5, weight number k from seed `1000 * seed + k`.
pub(crate) fn weight_values(net: &Network, seed: u64) -> Vec<Vec<f64>> {
    let value = |(k, spec): (usize, &super::WeightSpec)| {
        let centre = if matches!(spec.name, "gamma" | "variance") { 1.0 } else { 0.0 };
        signed(1000 * seed + k as u64, spec.len()).into_iter().map(|v| f64::from((centre + 0.5 * v) as f32)).collect()
    };
    net.specs().enumerate().map(value).collect()
}

/// A net with all that one pass needs.
#[derive(Clone)]
pub(crate) struct Bench {
    pub net: Network,
    pub mode: Mode,
    pub weights: Vec<Vec<f64>>,
    pub x: Vec<f64>,
    /// A direction for `x` to move in.
    pub direction: Vec<f64>,
    /// `[batch, labels]`
    pub given: Vec<f64>,
    pub batch: usize,
    pub precision: Precision,
}

/// What a freshly made net of `lines` makes of the images `x`, in use.
pub(crate) fn applied(lines: &str, input: Shape, x: &[f64]) -> Vec<f64> {
    let net = network(lines, input, 0, false);
    let weights = net.initial(1, &Device::flex());
    let [h, w, c] = input.dims();
    let x = tensor(x, [x.len() / input.len(), h, w, c], DType::F32);
    values(&net.apply(&weights, x, &mut Pass::infer()))
}

/// Why `line` can't follow `input`.
pub(crate) fn refusal(line: &str, input: Shape) -> String {
    Network::new("discriminator", &[line.to_string()], input).unwrap_err().to_string()
}

pub(crate) fn assert_near(ours: &[f64], wanted: &[f64], tolerance: f64) {
    assert!(ours.len() == wanted.len() && distance(ours, wanted) <= tolerance, "{ours:?}, not {wanted:?}");
}

/// What one asks a net for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    Logits,
    Tangent,
}

impl Bench {
    pub fn new(net: Network, mode: Mode, batch: usize) -> Self {
        let (len, labels) = (net.input().len(), net.labels());
        // One label each, but the first image has two and the third none.
        let mut given = vec![0.0; batch * labels];
        for i in (0..batch).filter(|i| *i != 2 && labels > 0) {
            given[i * labels + i % labels] = 1.0;
        }
        if labels > 1 {
            given[1] = 1.0;
        }
        let weights = weight_values(&net, 1);
        Self {
            net,
            mode,
            weights,
            x: signed(1, batch * len),
            direction: signed(2, batch * len),
            given,
            batch,
            precision: Precision::F32,
        }
    }

    pub fn shape(&self) -> [usize; 4] {
        let [h, w, c] = self.net.input().dims();
        [self.batch, h, w, c]
    }

    pub fn pass(&self) -> Pass {
        let mut pass = Pass::train(Stream::new(5, "dropout"), 3).rounded(self.precision);
        pass.mode = self.mode;
        let labels = self.net.labels();
        let given = (labels > 0).then(|| tensor(&self.given, [self.batch, 1, 1, labels], DType::F32));
        pass.given(given)
    }

    pub fn tensors(&self, dtype: DType) -> Weights {
        Weights::new(self.weights.iter().map(|w| tensor(w, [w.len()], dtype)).collect())
    }

    fn compute(&self, weights: &Weights, x: Tensor<4>, wanted: Wanted) -> Tensor<4> {
        match wanted {
            Wanted::Logits => self.net.apply_to_logits(weights, x, &mut self.pass()),
            Wanted::Tangent => {
                let tangent = tensor(&self.direction, self.shape(), x.dtype());
                self.net.apply_tangent(weights, Dual { value: x, tangent }, &mut self.pass()).tangent
            }
        }
    }

    /// What is wanted, in double precision.
    pub fn outcome(&self, wanted: Wanted, dtype: DType) -> Vec<f64> {
        values(&self.compute(&self.tensors(dtype), tensor(&self.x, self.shape(), dtype), wanted))
    }

    /// The gradient of `sum(r * wanted)` with respect to `x`, then to every weight (0 for those that don't matter or
    /// that are not trained).
    pub fn gradients(&self, wanted: Wanted, r: &[f64], dtype: DType) -> Vec<Vec<f64>> {
        let weights = self.tensors(dtype).tracked(self.net.trainable());
        let x = tensor::<4>(&self.x, self.shape(), dtype).autodiff().require_grad();
        let y = self.compute(&weights, x.clone(), wanted);
        let r = tensor(r, y.dims(), dtype);
        let mut gradients = y.mul(r).sum().backward();
        let gradient = |len: usize, g: Option<Vec<f64>>| g.unwrap_or_else(|| vec![0.0; len]);
        let of_x = x.grad_remove(&mut gradients).map(|g| values(&g));
        let mut all = vec![gradient(self.x.len(), of_x)];
        for (t, trainable) in weights.tensors().iter().zip(self.net.trainable()) {
            let g = if trainable { t.grad_remove(&mut gradients).map(|g| values(&g)) } else { None };
            all.push(gradient(t.dims()[0], g));
        }
        all
    }
}
