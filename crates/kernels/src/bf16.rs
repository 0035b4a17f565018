//! From f32 to bfloat16, which is the upper half of an f32, rounded to the nearest, ties to even. A bf16 value is kept as
//! the `u16` of its bits; two of them that an instruction multiplies together are kept as one `u32`, the first in the
//! lower half.

use crate::vectorise::vectorised;
use rayon::prelude::*;

/// Values of one task.
const BLOCK: usize = 1 << 14;

/// `v` rounded, in the upper half; the lower half means nothing. NaN stays NaN.
#[inline(always)]
fn upper(v: f32) -> u32 {
    let bits = v.to_bits();
    let rounded = bits.wrapping_add(0x7FFF + (bits >> 16 & 1));
    // Rounding could carry a NaN's last bits over into infinity, so a NaN is only marked as quiet.
    if bits & 0x7FFF_FFFF > 0x7F80_0000 { bits | 0x0040_0000 } else { rounded }
}

/// The bits of `v` rounded to bf16.
#[inline(always)]
pub(crate) fn bits(v: f32) -> u16 {
    (upper(v) >> 16) as u16
}

/// `v` rounded to bf16, as f32.
#[inline(always)]
pub(crate) fn rounded(v: f32) -> f32 {
    f32::from_bits(upper(v) & 0xFFFF_0000)
}

vectorised! {
    /// `y = bf16(x)`, as bits; equal lengths.
    pub(crate) fn to_bits(x: &[f32], y: &mut [u16]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = bits(*x);
        }
    }
}

vectorised! {
    /// `y[i] = (bf16(a[i]), bf16(b[i]))`; equal lengths.
    pub(crate) fn to_pairs(a: &[f32], b: &[f32], y: &mut [u32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = upper(*a) >> 16 | upper(*b) & 0xFFFF_0000;
        }
    }
}

/// `y[i] = (a[i], b[i])`; equal lengths. For loops that are compiled for wider vectors themselves.
#[inline(always)]
pub(crate) fn join(a: &[u16], b: &[u16], y: &mut [u32]) {
    for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
        *y = u32::from(*a) | u32::from(*b) << 16;
    }
}

vectorised! {
    /// [`join`] on its own.
    pub(crate) fn join_bits(a: &[u16], b: &[u16], y: &mut [u32]) {
        join(a, b, y);
    }
}

vectorised! {
    /// Adds both halves of all pairs to the sums of their columns: rows of `stride` pairs, of which the first `sums.len()`;
    /// a multiple of four rows.
    pub(crate) fn add_pairs(pairs: &[u32], stride: usize, sums: &mut [f32]) {
        let both = |pair: &u32| f32::from_bits(pair << 16) + f32::from_bits(pair & 0xFFFF_0000);
        for rows in pairs.chunks_exact(4 * stride) {
            let (ab, cd) = rows.split_at(2 * stride);
            let ((a, b), (c, d)) = (ab.split_at(stride), cd.split_at(stride));
            for (s, ((a, b), (c, d))) in sums.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
                *s += (both(a) + both(b)) + (both(c) + both(d));
            }
        }
    }
}

vectorised! {
    /// `y = x`, as f32; equal lengths.
    pub(crate) fn widen(x: &[u16], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = f32::from_bits(u32::from(*x) << 16);
        }
    }
}

vectorised! {
    fn round_block(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = rounded(*x);
        }
    }
}

/// `y = bf16(x)`, as f32; equal lengths.
pub(crate) fn round_all(x: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| round_block(x, y));
}

/// A buffer of f32 as one of bf16 bits, two for each value.
pub(crate) fn as_halves(values: &mut [f32]) -> &mut [u16] {
    let len = 2 * values.len();
    // SAFETY: an f32 is as large as two u16 and more strictly aligned; every bit pattern is valid for both, and the
    // result borrows `values` exclusively.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
}

/// A buffer of f32 as one of pairs, one for each value.
pub(crate) fn as_pairs(values: &mut [f32]) -> &mut [u32] {
    // SAFETY: f32 and u32 have the same size and alignment; every bit pattern is valid for both, and the result borrows
    // `values` exclusively.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// As [`as_halves`], to read.
pub(crate) fn halves(values: &[f32]) -> &[u16] {
    // SAFETY: as in `as_halves`, with a shared borrow.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), 2 * values.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::values;

    /// The nearest bf16 by trying both neighbours.
    fn nearest(v: f32) -> f32 {
        let below = f32::from_bits(v.to_bits() & 0xFFFF_0000);
        let above = f32::from_bits((v.to_bits() & 0xFFFF_0000).wrapping_add(0x1_0000));
        let (down, up) = ((f64::from(v) - f64::from(below)).abs(), (f64::from(above) - f64::from(v)).abs());
        let even = below.to_bits() >> 16 & 1 == 0;
        if down < up || (down == up && even) { below } else { above }
    }

    #[test]
    fn rounds_to_the_nearest_and_ties_to_even() {
        for v in values(4000, 1).into_iter().map(|v| v * 300.0).chain([0.0, -0.0, 1.0, 1e-30, 3e38]) {
            assert_eq!(rounded(v).to_bits(), nearest(v).to_bits(), "{v}");
        }
        // 1 + 1/256 and 1 + 3/256 lie half way between two bf16 values.
        assert_eq!(rounded(1.0 + 1.0 / 256.0), 1.0);
        assert_eq!(rounded(1.0 + 3.0 / 256.0), 1.0 + 4.0 / 256.0);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        assert_eq!(rounded(f32::INFINITY), f32::INFINITY);
        assert_eq!(rounded(f32::MAX), f32::INFINITY);
        for bits in [0x7F80_0001u32, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF] {
            assert!(rounded(f32::from_bits(bits)).is_nan(), "{bits:x}");
        }
    }

    #[test]
    fn all_forms_agree() {
        let (a, b) = (values(37, 1), values(37, 2));
        let (mut halves, mut pairs, mut whole) = (vec![0u16; 37], vec![0u32; 37], vec![0.0f32; 37]);
        to_bits(&a, &mut halves);
        to_pairs(&a, &b, &mut pairs);
        round_all(&a, &mut whole);
        for i in 0..37 {
            assert_eq!(u32::from(halves[i]), rounded(a[i]).to_bits() >> 16);
            assert_eq!(pairs[i], rounded(a[i]).to_bits() >> 16 | rounded(b[i]).to_bits());
            assert_eq!(whole[i], rounded(a[i]));
        }
        let (mut joined, mut wide) = (vec![0u32; 37], vec![0.0f32; 37]);
        join_bits(&halves, &halves, &mut joined);
        widen(&halves, &mut wide);
        assert_eq!(wide, whole);
        assert!(joined.iter().zip(&halves).all(|(j, h)| *j == u32::from(*h) * 0x1_0001));
        let mut buffer = [1.0f32, -2.0];
        assert_eq!(super::halves(&buffer), [0, 0x3F80, 0, 0xC000]);
        assert_eq!(as_halves(&mut buffer), [0, 0x3F80, 0, 0xC000]);
        assert_eq!(as_pairs(&mut buffer), [0x3F80_0000, 0xC000_0000]);
    }
}
