//! From a block's sums to stored results: bias, activation and rounding on the way, one pass over sums that are still in
//! the first-level cache. Whole panels of 32 channels with the activations that layers inside a net have are written out
//! with AVX-512, which every processor with bf16 products has; the rest is plain loops.

use super::product::TILE_SUMS;
use super::{ROWS, convert};
use crate::activation::{Activation, for_each_activation};
use crate::stored::ValuesMut;
use crate::tiled::shared::Shared;
use crate::vectorise::vectorised;

/// Marks a row of a tile where no destination pixel stands.
pub(super) const NONE: usize = usize::MAX;

/// Where results go.
#[derive(Clone, Copy)]
pub(super) enum Output<'a> {
    F32(Shared<'a>),
    Bf16(Shared<'a, u16>),
}

impl<'a> Output<'a> {
    pub(super) fn new(y: ValuesMut<'a>) -> Self {
        match y {
            ValuesMut::F32(y) => Self::F32(Shared::new(y)),
            ValuesMut::Bf16(y) => Self::Bf16(Shared::new(y)),
        }
    }
}

/// `y[target + first..] = stored(act(sums + bias))` for each row with a target, a pixel that no other task has in the panel
/// that begins at channel `first` and has `bias.len()` channels. `sums` are those of the two tiles of columns.
pub(super) fn finish(
    act: Activation,
    sums: [&[f32]; 2],
    bias: &[f32],
    targets: &[usize; ROWS],
    y: Output,
    first: usize,
) {
    match y {
        Output::F32(y) => finish_exact(act, sums, bias, targets, (y, first)),
        Output::Bf16(y) => {
            #[cfg(target_arch = "x86_64")]
            if avx512::serves(act, bias) {
                // SAFETY: `serves` has seen that the processor has the instructions, and that there are 32 biases.
                return unsafe { avx512::finish(act, sums, bias, targets, (y, first)) };
            }
            finish_rounded(act, sums, bias, targets, (y, first));
        }
    }
}

/// What an activation multiplies values with that are not positive, where that is all it does.
pub(super) fn factor_below(act: Activation) -> Option<f32> {
    match act {
        Activation::Identity => Some(1.0),
        Activation::Relu => Some(0.0),
        Activation::LeakyRelu(slope) => Some(slope),
        Activation::Tanh | Activation::Sigmoid => None,
    }
}

vectorised! {
    /// [`finish_rows`] with results as they are.
    fn finish_exact(act: Activation, sums: [&[f32]; 2], bias: &[f32], targets: &[usize; ROWS], y: (Shared, usize)) {
        finish_rows(act, sums, bias, targets, y, |v| v);
    }
}

vectorised! {
    /// [`finish_rows`] with rounded results.
    fn finish_rounded(act: Activation, sums: [&[f32]; 2], bias: &[f32], targets: &[usize; ROWS], y: (Shared<u16>, usize)) {
        finish_rows(act, sums, bias, targets, y, convert::bits);
    }
}

#[inline(always)]
fn finish_rows<T: Copy>(
    act: Activation,
    sums: [&[f32]; 2],
    bias: &[f32],
    targets: &[usize; ROWS],
    (y, first): (Shared<T>, usize),
    stored: impl Fn(f32) -> T,
) {
    for_each_activation!(act, |a| {
        for (row, target) in targets.iter().enumerate().filter(|(_, target)| **target != NONE) {
            // SAFETY: the pixel at `target` lies in `y`, and these of its channels are this task's.
            let y = unsafe { y.values(target + first, bias.len()) };
            let halves = y.chunks_mut(ROWS).zip(bias.chunks(ROWS)).zip(sums);
            for ((y, bias), sums) in halves {
                let sums = &sums[row * ROWS..][..ROWS];
                for ((y, s), b) in y.iter_mut().zip(sums).zip(bias) {
                    *y = stored(a.apply(s + b));
                }
            }
        }
    });
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{NONE, ROWS, Shared, TILE_SUMS, factor_below};
    use crate::activation::Activation;
    use crate::bf16::avx512::available;
    use crate::bf16::{SIDE, in_hardware};
    use std::arch::x86_64::*;

    /// Whether [`finish`] can do it.
    pub(super) fn serves(act: Activation, bias: &[f32]) -> bool {
        factor_below(act).is_some() && bias.len() == SIDE && in_hardware() && available()
    }

    /// # Safety
    /// [`serves`] holds; `targets` are as for [`super::finish`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn finish(
        act: Activation,
        sums: [&[f32]; 2],
        bias: &[f32],
        targets: &[usize; ROWS],
        (y, first): (Shared<u16>, usize),
    ) {
        let whole = sums.iter().all(|sums| sums.len() >= TILE_SUMS) && bias.len() == SIDE;
        assert!(whole, "sums of a whole panel are finished");
        let (below, zero) = (_mm512_set1_ps(factor_below(act).unwrap_or(1.0)), _mm512_setzero_ps());
        // SAFETY: there are 32 biases.
        let bias = unsafe { [_mm512_loadu_ps(bias.as_ptr()), _mm512_loadu_ps(bias.as_ptr().add(ROWS))] };
        let finished = |half: usize, row: usize| {
            // SAFETY: both tiles of sums have 16 rows of 16.
            let sum = unsafe { _mm512_loadu_ps(sums[half].as_ptr().add(row * ROWS)) };
            let v = _mm512_add_ps(sum, bias[half]);
            // NaN is not below 0.
            _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask::<_CMP_LE_OQ>(v, zero), v, below)
        };
        for (row, target) in targets.iter().enumerate() {
            if *target != NONE {
                let both = _mm512_cvtne2ps_pbh(finished(1, row), finished(0, row));
                // SAFETY: the pixel at `target` lies in `y`, and these 32 of its channels are this task's; a vector of bf16 is
                // 64 bytes of any value.
                unsafe {
                    let to = y.values(target + first, SIDE).as_mut_ptr();
                    _mm512_storeu_si512(to.cast(), std::mem::transmute::<__m512bh, __m512i>(both));
                }
            }
        }
    }
}
