//! Folds batch normalisation into the layer before it. At inference its statistics are constants, so a dense layer or
//! convolution with changed weights gives the same result with one pass less:
//! `s * (W x + b - mean) + beta = (s W) x + (s (b - mean) + beta)` with `s = gamma / sqrt(variance + epsilon)`.
//! Equal except for rounding; for inference only, never for further training.

use burn::tensor::{Tensor, TensorData};

use crate::net::{LayerEntry, Network, Op, Setting, WeightSpec, Weights};

/// The weights of one layer with their specs.
type Used<'a> = Vec<(&'a WeightSpec, Tensor<1>)>;

impl Network {
    /// A network without the batch normalisations that follow a dense layer or convolution, and its weights; `None`
    /// if there is nothing to fold. Spectral normalisation is applied to the weights too.
    pub fn folded(&self, weights: &Weights) -> Option<(Self, Weights)> {
        let layers = self.layers();
        let pairs: Vec<(usize, usize)> = (0..layers.len()).filter_map(|i| Some((i, foldable(layers, i)?))).collect();
        if pairs.is_empty() {
            return None;
        }
        let mut used = self.in_use(weights);
        for (linear, norm) in &pairs {
            let statistics = std::mem::take(&mut used[*norm]);
            fold(&layers[*linear], &mut used[*linear], &layers[*norm], &statistics);
        }
        let gone = |index: &usize| pairs.iter().any(|(_, norm)| norm == index);
        let lines: Vec<String> =
            layers.iter().enumerate().filter(|(i, _)| !gone(i)).map(|(_, layer)| layer.line.clone()).collect();
        let setting = Setting { input: self.input(), labels: self.labels(), spectral: false };
        let net = Self::build(self.name(), &lines, setting).ok()?;
        Some((net, Weights::new(used.into_iter().flatten().map(|(_, tensor)| tensor).collect())))
    }
}

/// The normalisation that can be folded into layer `linear`: directly after it, or after a reshape of a dense layer's output.
fn foldable(layers: &[LayerEntry], linear: usize) -> Option<usize> {
    let op = |index: usize| layers.get(index).map(|l: &LayerEntry| l.layer.planned(l.input));
    let next = match op(linear)? {
        Op::Dense if op(linear + 1) == Some(Op::Reshape) => linear + 2,
        Op::Dense | Op::Conv { .. } | Op::ConvTranspose { .. } => linear + 1,
        _ => return None,
    };
    matches!(op(next)?, Op::BatchNorm { .. }).then_some(next)
}

/// Folds `norm` with `statistics` into `weights` of `linear`.
fn fold(linear: &LayerEntry, weights: &mut Used, norm: &LayerEntry, statistics: &Used) {
    let Op::BatchNorm { epsilon, .. } = norm.layer.planned(norm.input) else { return };
    let [gamma, beta, mean, variance] =
        ["gamma", "beta", "mean", "variance"].map(|name| statistics.iter().find(|(s, _)| s.name == name).map(host));
    let (Some(gamma), Some(beta), Some(mean), Some(variance)) = (gamma, beta, mean, variance) else { return };
    let scale: Vec<f64> =
        gamma.iter().zip(&variance).map(|(g, v)| f64::from(*g) / (f64::from(*v) + f64::from(epsilon)).sqrt()).collect();
    // A transposed convolution's kernel ends with [out, in], the others' with [out].
    let transposed = matches!(linear.layer.planned(linear.input), Op::ConvTranspose { .. });
    for entry in weights.iter_mut() {
        let mut values = host(entry);
        let run = if transposed && entry.0.name == "weight" { entry.0.shape.last().copied().unwrap_or(1) } else { 1 };
        let bias = entry.0.name == "bias";
        for (index, value) in values.iter_mut().enumerate() {
            // Outputs are the last axis, and a reshape of a dense layer's output has channels last.
            let channel = index / run.max(1) % scale.len();
            let (shift, offset) = if bias { (mean[channel], beta[channel]) } else { (0.0, 0.0) };
            *value = ((f64::from(*value) - f64::from(shift)) * scale[channel] + f64::from(offset)) as f32;
        }
        entry.1 = Tensor::from_data(TensorData::new(values, [entry.0.len()]), &entry.1.device());
    }
}

fn host((_, tensor): &(&WeightSpec, Tensor<1>)) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::net::testing::{assert_near, network, signed, tensor, values, weight_values};
    use crate::net::{Pass, Shape};

    #[test]
    fn folded_nets_draw_the_same() {
        let cases = [
            (
                "dense 2*3*4 | reshape 2 3 4 | batchnorm | leakyrelu 0.2 | convtranspose 6 3x3 stride 2 | batchnorm | relu | conv 2 3x3",
                2,
            ),
            (
                "dense 8 | batchnorm | tanh | dense 2*2*3 | batchnorm | reshape 2 2 3 | upsample 2 | conv 5 3x3 | batchnorm epsilon 0.01",
                3,
            ),
            (
                "reshape 1 1 4 | convtranspose 5 2x4 stride 2 | batchnorm | residual | conv 5 3x3 | batchnorm | add | sigmoid",
                2,
            ),
        ];
        for (lines, norms) in cases {
            for spectral in [false, true] {
                let net = network(lines, Shape::Flat(4), 0, spectral);
                let weights = drawn(&net);
                let Some((folded, folded_weights)) = net.folded(&weights) else { panic!("nothing folded") };
                assert_eq!(folded.layers().len(), net.layers().len() - norms, "{lines}");
                assert_eq!(folded.output(), net.output());
                let x: Tensor<4> = tensor(&signed(5, 12), [3, 1, 1, 4], DType::F32);
                let wanted = values(&net.apply(&weights, x.clone(), &mut Pass::infer()));
                let ours = values(&folded.apply(&folded_weights, x, &mut Pass::infer()));
                assert!(wanted.iter().any(|v| (v - wanted[0]).abs() > 1e-2), "{lines}: nothing to compare");
                assert_near(&ours, &wanted, 1e-5);
                assert!(folded.folded(&folded_weights).is_none(), "{lines}: folded twice");
            }
        }
    }

    #[test]
    fn other_normalisations_stay() {
        let net =
            network("dense 8 | relu | batchnorm | dense 2*2*4 | reshape 2 2 4 | groupnorm 2", Shape::Flat(4), 0, false);
        assert!(net.folded(&drawn(&net)).is_none());
    }

    fn drawn(net: &Network) -> Weights {
        let values = weight_values(net, 7).into_iter().map(|v| v.into_iter().map(|v| v as f32).collect());
        Weights::from_values(values.collect(), &Device::flex())
    }
}
