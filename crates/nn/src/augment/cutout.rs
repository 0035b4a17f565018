//! Cutout (DeVries & Taylor 2017, as in Zhao et al. 2020): a square of half the image's side, at a random position that may
//! extend over the edge, becomes 0.

use burn::tensor::Tensor;

use super::{Augment, Draws, constant};

pub(super) struct Cutout;

impl Augment for Cutout {
    fn apply(&self, x: Tensor<4>, draws: &mut Draws) -> Tensor<4> {
        let [batch, h, w, _] = x.dims();
        let mut mask = vec![1.0f32; batch * h * w];
        let (ch, cw) = ((h / 2) as i64, (w / 2) as i64);
        for image in mask.chunks_mut((h * w).max(1)) {
            if !draws.applies() {
                continue;
            }
            let (top, left) = (draws.whole(-ch / 2, h as i64 - ch / 2), draws.whole(-cw / 2, w as i64 - cw / 2));
            for row in top.max(0)..(top + ch).min(h as i64) {
                for column in left.max(0)..(left + cw).min(w as i64) {
                    image[row as usize * w + column as usize] = 0.0;
                }
            }
        }
        let mask = constant(mask, [batch, h, w, 1], &x);
        x.mul(mask)
    }
}
