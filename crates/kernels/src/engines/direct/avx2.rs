//! AVX2 + FMA: tiles of 6 x 16 sums in twelve of sixteen registers. Per step they load two vectors and broadcast six values,
//! which keeps both FMA units busy (12 FMAs in 6 cycles, 8 loads of up to 18).

use super::fprop::Finish;
use super::tile::{Gather, Outer};
use super::{Tiles, with_rows};
use std::arch::x86_64::*;

pub(crate) struct Avx2;

const ROWS: usize = 6;
const COLS: usize = 16;

impl Tiles for Avx2 {
    const ROWS: usize = ROWS;
    const COLS: usize = COLS;

    unsafe fn gather(rows: usize, tile: &mut Gather) {
        // SAFETY: passed on from this function's contract.
        unsafe { with_rows!(rows, [1 2 3 4 5 6] gather(tile)) }
    }

    unsafe fn outer(rows: usize, tile: &Outer) {
        // SAFETY: passed on from this function's contract.
        unsafe { with_rows!(rows, [1 2 3 4 5 6] outer(tile)) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn finish(sums: &Finish) {
        // SAFETY: passed on from this function's contract.
        unsafe { sums.run::<Self>() }
    }
}

/// # Safety
/// As [`Tiles::gather`], with `R` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn gather<const R: usize>(tile: &mut Gather) {
    // SAFETY: all addresses lie in the ranges that the contract promises.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); 2]; R];
        let mut panel = tile.panel.as_ptr();
        for pixels in tile.pixels.chunks_exact(ROWS) {
            let pixels: [*const f32; R] = std::array::from_fn(|r| pixels[r].pointer().add(tile.channel));
            for c in 0..tile.depth {
                step(&mut acc, panel, |r| pixels[r].add(c));
                panel = panel.add(COLS);
            }
        }
        store(tile.sums.as_mut_ptr(), COLS, tile.accumulate, &acc);
    }
}

/// # Safety
/// As [`Tiles::outer`], with `R` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn outer<const R: usize>(tile: &Outer) {
    // SAFETY: all addresses lie in the ranges that the contract promises.
    unsafe {
        for r in 0..R {
            _mm_prefetch::<_MM_HINT_T0>(tile.sums.add(r * tile.stride).cast());
        }
        let mut acc = [[_mm256_setzero_ps(); 2]; R];
        let rows = tile.rows.as_ptr();
        let mut cols = tile.cols.as_ptr();
        for &offset in tile.offsets {
            let row = rows.add(offset as usize);
            step(&mut acc, cols, |r| row.add(r));
            cols = cols.add(COLS);
        }
        store(tile.sums, tile.stride, tile.accumulate, &acc);
    }
}

/// One step of either loop: two vectors, one broadcast per row.
///
/// # Safety
/// `cols` covers `COLS` values, `row(r)` one value for each `r < R`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn step<const R: usize>(acc: &mut [[__m256; 2]; R], cols: *const f32, row: impl Fn(usize) -> *const f32) {
    // SAFETY: from the contract.
    unsafe {
        let (b0, b1) = (_mm256_loadu_ps(cols), _mm256_loadu_ps(cols.add(8)));
        for (r, acc) in acc.iter_mut().enumerate() {
            let a = _mm256_broadcast_ss(&*row(r));
            acc[0] = _mm256_fmadd_ps(a, b0, acc[0]);
            acc[1] = _mm256_fmadd_ps(a, b1, acc[1]);
        }
    }
}

/// Writes a tile, or adds it to what is there. (Adding last, not starting from the old sums, lets the next tile's
/// loop overlap with the wait for them.)
///
/// # Safety
/// `sums` covers `COLS` values every `stride` values, `R` times.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn store<const R: usize>(sums: *mut f32, stride: usize, accumulate: bool, acc: &[[__m256; 2]; R]) {
    for (r, acc) in acc.iter().enumerate() {
        // SAFETY: from the contract.
        unsafe {
            let (low, high) = (sums.add(r * stride), sums.add(r * stride + 8));
            if accumulate {
                _mm256_storeu_ps(low, _mm256_add_ps(acc[0], _mm256_loadu_ps(low)));
                _mm256_storeu_ps(high, _mm256_add_ps(acc[1], _mm256_loadu_ps(high)));
            } else {
                _mm256_storeu_ps(low, acc[0]);
                _mm256_storeu_ps(high, acc[1]);
            }
        }
    }
}
