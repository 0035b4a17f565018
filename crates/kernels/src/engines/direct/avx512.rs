//! AVX-512: tiles of 12 x 32 sums in 24 of 32 registers.
//!
//! Why this size: a step is 24 FMAs, 12 cycles on two 512-bit units, and loads two vectors and twelve broadcasts, 14 of the
//! 24 loads that two ports do meanwhile. (Broadcasts are used twice, so they go to a register: as operands of both FMAs
//! they would be 24 loads, 26 in all, and hold the FMAs up.) 32 columns divide the usual channel counts, as 48 don't, and
//! leave eight or more sums to hide the FMAs' four cycles behind even in a last tile of four rows. 14 rows would fill the
//! registers exactly and need 14 addresses of pixels, besides panel and channel, in 15 general registers; 12 fit.
//! A panel's piece of 256 steps is 32 KB: two thirds of a first-level cache of 48 KB (Ice Lake, Zen 5 and later); where that
//! has 32 KB, the piece comes from the second level, 128 bytes every 12 cycles, a fifth of what that delivers.

use super::fprop::Finish;
use super::tile::{Gather, Outer};
use super::{Tiles, with_rows};
use std::arch::x86_64::*;

pub(crate) struct Avx512;

const ROWS: usize = 12;
const COLS: usize = 32;

impl Tiles for Avx512 {
    const ROWS: usize = ROWS;
    const COLS: usize = COLS;

    unsafe fn gather(rows: usize, tile: &mut Gather) {
        // SAFETY: passed on from this function's contract.
        unsafe { with_rows!(rows, [1 2 3 4 5 6 7 8 9 10 11 12] gather(tile)) }
    }

    unsafe fn outer(rows: usize, tile: &Outer) {
        // SAFETY: passed on from this function's contract.
        unsafe { with_rows!(rows, [1 2 3 4 5 6 7 8 9 10 11 12] outer(tile)) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn finish(sums: &Finish) {
        // SAFETY: passed on from this function's contract.
        unsafe { sums.run::<Self>() }
    }
}

/// # Safety
/// As [`Tiles::gather`], with `R` rows.
#[target_feature(enable = "avx512f")]
unsafe fn gather<const R: usize>(tile: &mut Gather) {
    // SAFETY: all addresses lie in the ranges that the contract promises.
    unsafe {
        let mut acc = [[_mm512_setzero_ps(); 2]; R];
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
#[target_feature(enable = "avx512f")]
unsafe fn outer<const R: usize>(tile: &Outer) {
    // SAFETY: all addresses lie in the ranges that the contract promises.
    unsafe {
        for r in 0..R {
            for line in [0, 16] {
                _mm_prefetch::<_MM_HINT_T0>(tile.sums.add(r * tile.stride + line).cast());
            }
        }
        let mut acc = [[_mm512_setzero_ps(); 2]; R];
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
#[target_feature(enable = "avx512f")]
unsafe fn step<const R: usize>(acc: &mut [[__m512; 2]; R], cols: *const f32, row: impl Fn(usize) -> *const f32) {
    // SAFETY: from the contract.
    unsafe {
        let (b0, b1) = (_mm512_loadu_ps(cols), _mm512_loadu_ps(cols.add(16)));
        for (r, acc) in acc.iter_mut().enumerate() {
            let a = _mm512_set1_ps(*row(r));
            acc[0] = _mm512_fmadd_ps(a, b0, acc[0]);
            acc[1] = _mm512_fmadd_ps(a, b1, acc[1]);
        }
    }
}

/// Writes a tile, or adds it to what is there. (Adding last, not starting from the old sums, lets the next tile's
/// loop overlap with the wait for them.)
///
/// # Safety
/// `sums` covers `COLS` values every `stride` values, `R` times.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store<const R: usize>(sums: *mut f32, stride: usize, accumulate: bool, acc: &[[__m512; 2]; R]) {
    for (r, acc) in acc.iter().enumerate() {
        // SAFETY: from the contract.
        unsafe {
            let (low, high) = (sums.add(r * stride), sums.add(r * stride + 16));
            if accumulate {
                _mm512_storeu_ps(low, _mm512_add_ps(acc[0], _mm512_loadu_ps(low)));
                _mm512_storeu_ps(high, _mm512_add_ps(acc[1], _mm512_loadu_ps(high)));
            } else {
                _mm512_storeu_ps(low, acc[0]);
                _mm512_storeu_ps(high, acc[1]);
            }
        }
    }
}
