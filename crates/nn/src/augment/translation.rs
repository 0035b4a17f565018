//! A shift by up to an eighth of the side in both directions (Zhao et al. 2020); the outside is 0. A shift is
//! a product with a shifted identity matrix, which is differentiable.

use burn::tensor::Tensor;

use super::{Augment, Draws, constant};

pub(super) struct Translation;

impl Augment for Translation {
    fn apply(&self, x: Tensor<4>, draws: &mut Draws) -> Tensor<4> {
        let [batch, h, w, c] = x.dims();
        let (most_h, most_w) = (reach(h), reach(w));
        let (mut down, mut right) = (vec![0; batch], vec![0; batch]);
        for i in 0..batch {
            if draws.applies() {
                (down[i], right[i]) = (draws.whole(-most_h, most_h), draws.whole(-most_w, most_w));
            }
        }
        let rows = constant(shifts(&down, h), [batch, 1, h, h], &x);
        let columns = constant(shifts(&right, w), [batch, 1, w, w], &x);
        let shifted = rows.matmul(x.reshape([batch, 1, h, w * c]));
        columns.matmul(shifted.reshape([batch, h, w, c]))
    }
}

fn reach(side: usize) -> i64 {
    (side as f64 / 8.0).round() as i64
}

/// Shifted identity matrices: row i takes from row i - by.
fn shifts(by: &[i64], side: usize) -> Vec<f32> {
    let mut values = vec![0.0; by.len() * side * side];
    for (matrix, by) in values.chunks_mut((side * side).max(1)).zip(by) {
        for row in 0..side {
            if let Ok(from) = usize::try_from(row as i64 - by)
                && from < side
            {
                matrix[row * side + from] = 1.0;
            }
        }
    }
    values
}
