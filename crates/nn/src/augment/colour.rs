//! Brightness, saturation and contrast, in the ranges of Zhao et al. (2020): brightness moves by up to half of [0, 1],
//! saturation is scaled by 0 to 2, contrast by 0.5 to 1.5. Alpha, a fourth channel, stays as it is.

use burn::tensor::Tensor;

use super::{Augment, Draws, constant};

pub(super) struct Colour;

impl Augment for Colour {
    fn apply(&self, x: Tensor<4>, draws: &mut Draws) -> Tensor<4> {
        match x.dims()[3] {
            4 => Tensor::cat(vec![coloured(x.clone().narrow(3, 0, 3), draws), x.narrow(3, 3, 1)], 3),
            _ => coloured(x, draws),
        }
    }
}

fn coloured(x: Tensor<4>, draws: &mut Draws) -> Tensor<4> {
    let [batch, h, w, c] = x.dims();
    let (mut shift, mut saturation, mut contrast) = (vec![0.0; batch], vec![1.0; batch], vec![1.0; batch]);
    for i in 0..batch {
        if draws.applies() {
            shift[i] = draws.between(-0.5, 0.5);
            saturation[i] = draws.between(0.0, 2.0);
            contrast[i] = draws.between(0.5, 1.5);
        }
    }
    // Adding 0 and scaling by 1 would round.
    if shift.iter().all(|s| *s == 0.0) {
        return x;
    }
    let each = |values: Vec<f32>, x: &Tensor<4>| constant(values, [batch, 1, 1, 1], x);
    let x = x.clone().add(each(shift, &x));
    // Grey images have no saturation.
    let x = if c > 1 { about(x.clone(), x.clone().mean_dim(3), each(saturation, &x)) } else { x };
    let mean = x.clone().reshape([batch, 1, 1, h * w * c]).mean_dim(3);
    about(x.clone(), mean, each(contrast, &x))
}

/// Scales the distance from `centre`.
fn about(x: Tensor<4>, centre: Tensor<4>, factor: Tensor<4>) -> Tensor<4> {
    x.sub(centre.clone()).mul(factor).add(centre)
}
