//! The two innermost loops. Both hold a tile of 6 x 16 sums in registers; per step they load two vectors and
//! broadcast six values, which keeps both FMA units busy (12 FMAs in 6 cycles, 8 loads of up to 18).

use super::{COLS, ROWS};
use std::arch::x86_64::*;

/// The operands of a gather tile.
pub(crate) struct Gather {
    /// For each tap, where the channels of each row's source pixel start.
    pub(crate) pixels: *const [*const f32; ROWS],
    pub(crate) taps: usize,
    /// First channel, and how many.
    pub(crate) channel: usize,
    pub(crate) depth: usize,
    /// Weights `[taps, depth, COLS]`.
    pub(crate) panel: *const f32,
    /// The tile's sums, added to if `accumulate`, else overwritten.
    pub(crate) sums: *mut f32,
    pub(crate) accumulate: bool,
}

/// `sums[r, j] = sum over taps and channels of pixels[tap][r][channel] * panel[tap, channel, j]`, `rows` rows.
///
/// # Safety
/// The processor has AVX2 and FMA; `rows <= ROWS`; every pointer covers what the fields say.
pub(crate) unsafe fn gather(rows: usize, tile: &Gather) {
    // SAFETY: passed on from this function's contract.
    unsafe {
        match rows {
            0 => {}
            1 => gather_rows::<1>(tile),
            2 => gather_rows::<2>(tile),
            3 => gather_rows::<3>(tile),
            4 => gather_rows::<4>(tile),
            5 => gather_rows::<5>(tile),
            _ => gather_rows::<6>(tile),
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn gather_rows<const R: usize>(tile: &Gather) {
    // SAFETY: all addresses lie in the ranges that `gather`'s contract promises.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); 2]; R];
        let mut panel = tile.panel;
        for tap in 0..tile.taps {
            let pixels = &*tile.pixels.add(tap);
            let pixels: [*const f32; R] = std::array::from_fn(|r| pixels[r].add(tile.channel));
            for c in 0..tile.depth {
                step(&mut acc, panel, |r| pixels[r].add(c));
                panel = panel.add(COLS);
            }
        }
        store(tile.sums, COLS, tile.accumulate, &acc);
    }
}

/// The operands of a weight-gradient tile.
pub(crate) struct Outer<'a> {
    /// Where each pixel's row values start, relative to `rows`.
    pub(crate) offsets: &'a [u32],
    /// Six values per source pixel.
    pub(crate) rows: *const f32,
    /// `COLS` values per destination pixel, as many pixels as offsets.
    pub(crate) cols: *const f32,
    /// The tile's sums: row `r` starts at `sums + r * stride`.
    pub(crate) sums: *mut f32,
    pub(crate) stride: usize,
    pub(crate) accumulate: bool,
}

/// `sums[r, j] = sum over pixels p of rows[offsets[p] + r] * cols[p, j]`, `rows` rows.
///
/// # Safety
/// The processor has AVX2 and FMA; `rows <= ROWS`; every pointer covers what the fields say.
pub(crate) unsafe fn outer(rows: usize, tile: &Outer) {
    // SAFETY: passed on from this function's contract.
    unsafe {
        match rows {
            0 => {}
            1 => outer_rows::<1>(tile),
            2 => outer_rows::<2>(tile),
            3 => outer_rows::<3>(tile),
            4 => outer_rows::<4>(tile),
            5 => outer_rows::<5>(tile),
            _ => outer_rows::<6>(tile),
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn outer_rows<const R: usize>(tile: &Outer) {
    // SAFETY: all addresses lie in the ranges that `outer`'s contract promises.
    unsafe {
        for r in 0..R {
            _mm_prefetch::<_MM_HINT_T0>(tile.sums.add(r * tile.stride).cast());
        }
        let mut acc = [[_mm256_setzero_ps(); 2]; R];
        let mut cols = tile.cols;
        for &offset in tile.offsets {
            let row = tile.rows.add(offset as usize);
            step(&mut acc, cols, |r| row.add(r));
            cols = cols.add(COLS);
        }
        store(tile.sums, tile.stride, tile.accumulate, &acc);
    }
}

/// Asks for values that will be needed soon.
pub(crate) fn prefetch(values: &[f32]) {
    for line in values.chunks(COLS) {
        // SAFETY: a prefetch of an address inside a slice; it changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
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
