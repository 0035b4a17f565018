//! The transpose of a matrix of 32-bit words (f32 sums, or pairs of bf16), in blocks of 8 x 8 where the processor has
//! AVX2, of 16 x 16 where it has AVX-512. Pairs of neighbouring pixels become rows of one channel that way.

#[cfg(target_arch = "x86_64")]
use crate::isa::{Isa, isa};

/// Rows and columns of a block.
const SIDE: usize = 8;
/// Those of a block with AVX-512.
const WIDE: usize = 16;

/// `target[c * target_stride + r] = source[r * source_stride + c]` for `rows` rows `r` and `cols` columns `c`.
pub(super) fn transpose(
    [rows, cols]: [usize; 2],
    (source, source_stride): (&[u32], usize),
    (target, target_stride): (&mut [u32], usize),
) {
    if rows == 0 || cols == 0 {
        return;
    }
    assert!(source.len() >= (rows - 1) * source_stride + cols, "the source is too short to be transposed");
    assert!(target.len() >= (cols - 1) * target_stride + rows, "the target is too short for a transpose");
    #[cfg(target_arch = "x86_64")]
    if isa() >= Isa::Avx512 && rows.is_multiple_of(WIDE) && cols.is_multiple_of(WIDE) {
        for r in (0..rows).step_by(WIDE) {
            for c in (0..cols).step_by(WIDE) {
                // SAFETY: these instruction sets include AVX-512; the block's rows and columns lie inside both slices, as
                // asserted above.
                unsafe {
                    let (from, to) =
                        (source.as_ptr().add(r * source_stride + c), target.as_mut_ptr().add(c * target_stride + r));
                    wide_block(from, source_stride, to, target_stride);
                }
            }
        }
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if isa() != Isa::Portable {
        let (whole_rows, whole_cols) = (rows / SIDE * SIDE, cols / SIDE * SIDE);
        for r in (0..whole_rows).step_by(SIDE) {
            for c in (0..whole_cols).step_by(SIDE) {
                // SAFETY: every instruction set but the portable one includes AVX2; the block's rows and columns lie
                // inside both slices, as asserted above.
                unsafe {
                    let (from, to) =
                        (source.as_ptr().add(r * source_stride + c), target.as_mut_ptr().add(c * target_stride + r));
                    block(from, source_stride, to, target_stride);
                }
            }
        }
        plain([0..rows, whole_cols..cols], (source, source_stride), (target, target_stride));
        return plain([whole_rows..rows, 0..whole_cols], (source, source_stride), (target, target_stride));
    }
    plain([0..rows, 0..cols], (source, source_stride), (target, target_stride));
}

fn plain(
    [rows, cols]: [std::ops::Range<usize>; 2],
    (source, source_stride): (&[u32], usize),
    (target, target_stride): (&mut [u32], usize),
) {
    for r in rows {
        for c in cols.clone() {
            target[c * target_stride + r] = source[r * source_stride + c];
        }
    }
}

/// Eight rows of eight words: pairs of rows are interleaved three times, at distances of 1, 2 and 4 words.
///
/// # Safety
/// The processor has AVX2; `from` covers eight words every `from_stride` words, `to` likewise, eight times.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn block(from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the contract covers every row that is read.
    let rows: [__m256; SIDE] = std::array::from_fn(|r| unsafe { _mm256_loadu_ps(from.add(r * from_stride).cast()) });
    let mut fours = [_mm256_setzero_ps(); SIDE];
    for half in 0..2 {
        let r = &rows[4 * half..];
        let (a, b) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
        let (c, d) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
        fours[4 * half] = _mm256_shuffle_ps::<0x44>(a, c);
        fours[4 * half + 1] = _mm256_shuffle_ps::<0xEE>(a, c);
        fours[4 * half + 2] = _mm256_shuffle_ps::<0x44>(b, d);
        fours[4 * half + 3] = _mm256_shuffle_ps::<0xEE>(b, d);
    }
    for c in 0..4 {
        let low = _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]);
        let high = _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]);
        // SAFETY: the contract covers every row that is written.
        unsafe {
            _mm256_storeu_ps(to.add(c * to_stride).cast(), low);
            _mm256_storeu_ps(to.add((4 + c) * to_stride).cast(), high);
        }
    }
}

/// Sixteen rows of sixteen words: interleaved at distances of 1 and 2 words within quarters of a register, then quarters
/// are exchanged at distances of 1 and 2.
///
/// # Safety
/// The processor has AVX-512; `from` covers sixteen words every `from_stride` words, `to` likewise, sixteen times.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn wide_block(from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the contract covers every row that is read.
    let rows: [__m512; WIDE] = std::array::from_fn(|r| unsafe { _mm512_loadu_ps(from.add(r * from_stride).cast()) });
    // Quarter `q` of `fours[4 * g + i]` holds column `4 * q + i` of rows `4 * g` to `4 * g + 3`.
    let mut fours = [_mm512_setzero_ps(); WIDE];
    for group in 0..4 {
        let r = &rows[4 * group..];
        let (a, b) = (_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
        let (c, d) = (_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
        fours[4 * group] = _mm512_shuffle_ps::<0x44>(a, c);
        fours[4 * group + 1] = _mm512_shuffle_ps::<0xEE>(a, c);
        fours[4 * group + 2] = _mm512_shuffle_ps::<0x44>(b, d);
        fours[4 * group + 3] = _mm512_shuffle_ps::<0xEE>(b, d);
    }
    for i in 0..4 {
        let f = [fours[i], fours[4 + i], fours[8 + i], fours[12 + i]];
        let (low, high) = (_mm512_shuffle_f32x4::<0x88>(f[0], f[1]), _mm512_shuffle_f32x4::<0x88>(f[2], f[3]));
        let (low_odd, high_odd) = (_mm512_shuffle_f32x4::<0xDD>(f[0], f[1]), _mm512_shuffle_f32x4::<0xDD>(f[2], f[3]));
        let columns = [
            _mm512_shuffle_f32x4::<0x88>(low, high),
            _mm512_shuffle_f32x4::<0x88>(low_odd, high_odd),
            _mm512_shuffle_f32x4::<0xDD>(low, high),
            _mm512_shuffle_f32x4::<0xDD>(low_odd, high_odd),
        ];
        for (quarter, column) in columns.into_iter().enumerate() {
            // SAFETY: the contract covers every row that is written.
            unsafe { _mm512_storeu_ps(to.add((4 * quarter + i) * to_stride).cast(), column) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_with_any_stride() {
        for [rows, cols] in [[1, 1], [8, 8], [16, 16], [32, 48], [9, 24], [7, 31], [33, 10]] {
            let (source_stride, target_stride) = (cols + 3, rows + 5);
            let source: Vec<u32> = (0..(rows * source_stride) as u32).collect();
            let mut target = vec![u32::MAX; cols * target_stride];
            transpose([rows, cols], (&source, source_stride), (&mut target, target_stride));
            for (i, &got) in target.iter().enumerate() {
                let (c, r) = (i / target_stride, i % target_stride);
                let want = if r < rows { (r * source_stride + c) as u32 } else { u32::MAX };
                assert_eq!(got, want, "{rows} x {cols}, row {r}, column {c}");
            }
        }
    }
}
