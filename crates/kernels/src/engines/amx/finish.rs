//! From a block's sums to stored results: bias, activation and rounding on the way, one pass over sums that are still in
//! the first-level cache. Whole panels of 32 channels with the activations that layers inside a net have are written out
//! with AVX-512, which every processor with bf16 products has; the rest is plain loops.

use super::ROWS;
use super::product::TILE_SUMS;
use crate::activation::{Activation, for_each_activation};
use crate::bf16;
use crate::engines::shared::Shared;
use crate::stored::{Element, ValuesMut};
use crate::vectorise::vectorised;

/// Marks a row of a tile without a destination pixel.
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

/// What happens to sums once their bias is added: [`crate::Epilogue`], as far as blocks do it.
#[derive(Clone, Copy)]
pub(super) enum Then<'a> {
    Activate(Activation),
    /// Multiplied with this factor where the value at the same place is not above 0. For results stored as bf16.
    Slope(f32, &'a [u16]),
}

impl Then<'_> {
    /// What values that are not positive are multiplied with, where that is all there is to do.
    pub(super) fn factor_below(self) -> Option<f32> {
        match self {
            Self::Activate(Activation::Identity) => Some(1.0),
            Self::Activate(Activation::Relu) => Some(0.0),
            Self::Activate(Activation::LeakyRelu(slope)) => Some(slope),
            Self::Activate(Activation::Tanh | Activation::Sigmoid) | Self::Slope(..) => None,
        }
    }
}

/// The slope of an activation where its value is not above 0, if it is 1 elsewhere.
pub(super) fn slope_below(act: Activation) -> Option<f32> {
    Then::Activate(act).factor_below()
}

/// `y[target + first..] = stored(then(sums + bias))` for each row with a target, a pixel that no other task has in the panel
/// that begins at channel `first` and has `bias.len()` channels. `sums` are those of the two tiles of columns.
pub(super) fn finish(then: Then, sums: [&[f32]; 2], bias: &[f32], targets: &[usize; ROWS], y: Output, first: usize) {
    match (y, then) {
        (Output::F32(y), Then::Activate(act)) => finish_exact(act, sums, bias, targets, (y, first)),
        (Output::F32(_), Then::Slope(..)) => unreachable!("slopes are for results stored as bf16"),
        (Output::Bf16(y), _) => {
            #[cfg(target_arch = "x86_64")]
            if avx512::serves(then, bias) {
                // SAFETY: `serves` has seen that the processor has the instructions, and that there are 32 biases.
                return unsafe { avx512::finish(then, sums, bias, targets, (y, first)) };
            }
            match then {
                Then::Activate(act) => finish_rounded(act, sums, bias, targets, (y, first)),
                Then::Slope(below, of) => finish_sloped(below, of, sums, bias, targets, (y, first)),
            }
        }
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
        finish_rows(act, sums, bias, targets, y, bf16::bits);
    }
}

vectorised! {
    /// The sums of an input gradient, multiplied with the slopes at the values `of`.
    fn finish_sloped(
        below: f32,
        of: &[u16],
        sums: [&[f32]; 2],
        bias: &[f32],
        targets: &[usize; ROWS],
        y: (Shared<u16>, usize),
    ) {
        let (y, first) = y;
        for (row, target) in targets.iter().enumerate().filter(|(_, target)| **target != NONE) {
            let of = &of[target + first..][..bias.len()];
            // SAFETY: the pixel at `target` lies in `y`, and these of its channels are this task's.
            let y = unsafe { y.values(target + first, bias.len()) };
            for (((y, of), bias), sums) in y.chunks_mut(ROWS).zip(of.chunks(ROWS)).zip(bias.chunks(ROWS)).zip(sums) {
                let sums = &sums[row * ROWS..][..ROWS];
                for (((y, of), s), b) in y.iter_mut().zip(of).zip(sums).zip(bias) {
                    let slope = if of.wide() > 0.0 { 1.0 } else { below };
                    *y = bf16::bits((s + b) * slope);
                }
            }
        }
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
    use super::{NONE, ROWS, Shared, TILE_SUMS, Then};
    use crate::engines::amx::SIDE;
    use crate::isa::{has_avx512_bf16, multiplies_bf16};
    use std::arch::x86_64::*;

    /// Whether [`finish`] can do it.
    pub(super) fn serves(then: Then, bias: &[f32]) -> bool {
        let simple = matches!(then, Then::Slope(..)) || then.factor_below().is_some();
        simple && bias.len() == SIDE && multiplies_bf16() && has_avx512_bf16()
    }

    /// # Safety
    /// [`serves`] holds; `targets` are as for [`super::finish`].
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) unsafe fn finish(
        then: Then,
        sums: [&[f32]; 2],
        bias: &[f32],
        targets: &[usize; ROWS],
        (y, first): (Shared<u16>, usize),
    ) {
        let whole = sums.iter().all(|sums| sums.len() >= TILE_SUMS) && bias.len() == SIDE;
        assert!(whole, "sums of a whole panel are finished");
        let (factor, of) = match then {
            Then::Slope(below, of) => (below, Some(of)),
            Then::Activate(_) => (then.factor_below().unwrap_or(1.0), None),
        };
        let (below, zero) = (_mm512_set1_ps(factor), _mm512_setzero_ps());
        // SAFETY: there are 32 biases.
        let bias = unsafe { [_mm512_loadu_ps(bias.as_ptr()), _mm512_loadu_ps(bias.as_ptr().add(ROWS))] };
        let added = |half: usize, row: usize| {
            // SAFETY: both tiles of sums have 16 rows of 16.
            let sum = unsafe { _mm512_loadu_ps(sums[half].as_ptr().add(row * ROWS)) };
            _mm512_add_ps(sum, bias[half])
        };
        for (row, target) in targets.iter().enumerate() {
            if *target == NONE {
                continue;
            }
            let values = [added(0, row), added(1, row)];
            let bent = match of {
                // NaN is not below 0.
                None => values.map(|v| _mm512_cmp_ps_mask::<_CMP_LE_OQ>(v, zero)),
                Some(of) => {
                    let of = &of[target + first..][..SIDE];
                    // SAFETY: `of` is 32 values. As whole numbers, bf16 values above 0 are above 0 as well.
                    let of = unsafe { _mm512_loadu_si512(of.as_ptr().cast()) };
                    let bent = _mm512_cmple_epi16_mask(of, _mm512_setzero_si512());
                    [bent as __mmask16, (bent >> ROWS) as __mmask16]
                }
            };
            let [low, high] = [0, 1].map(|half| _mm512_mask_mul_ps(values[half], bent[half], values[half], below));
            let both = _mm512_cvtne2ps_pbh(high, low);
            // SAFETY: the pixel at `target` lies in `y`, and these 32 of its channels are this task's; a vector of bf16 is
            // 64 bytes of any value.
            unsafe {
                let to = y.values(target + first, SIDE).as_mut_ptr();
                _mm512_storeu_si512(to.cast(), std::mem::transmute::<__m512bh, __m512i>(both));
            }
        }
    }
}
