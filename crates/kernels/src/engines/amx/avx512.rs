//! The block of sums with AVX-512's dot product of bf16 pairs, for processors that have it but no AMX (AMD from Zen 4 on).
//! Eight rows at a time: 8 x 2 vectors of sums; per pair two loads of columns and eight broadcasts of rows, which the
//! dot products take as memory operands: 10 loads and 16 dot products. At one VDPBF16PS of 512 bits a cycle and two loads
//! a cycle the dot products set the pace: 64 operations a cycle, twice what f32 multiply-adds reach with one 512-bit unit
//! and as much as they reach with two.

use super::ROWS;
use super::product::{Product, TILE_SUMS};
use std::arch::x86_64::*;
use std::mem::transmute;

/// Rows whose sums are in registers at once.
const TOGETHER: usize = 8;

/// Makes a block of sums.
///
/// # Safety
/// The processor has AVX-512 with BF16, and the operands cover what their fields say.
pub(super) unsafe fn multiply(product: &Product) {
    let [row_tiles, column_tiles] = product.tiles;
    for first in (0..row_tiles * ROWS).step_by(TOGETHER) {
        // SAFETY: rows `first..first + 8` lie in a tile that the contract covers.
        unsafe {
            if column_tiles == 2 {
                rows::<2>(product, first);
            } else {
                rows::<1>(product, first);
            }
        }
    }
}

/// Eight rows of the block, from row `first` on, times `COLUMNS` tiles of columns.
///
/// # Safety
/// As [`multiply`]; `first + 8` rows are among those to do.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn rows<const COLUMNS: usize>(product: &Product, first: usize) {
    // SAFETY: the addresses lie in the ranges of the contract: rows of 64 bytes at each step, read in unaligned words; 256
    // pairs of each tile of columns for each step; 32 x 32 sums.
    unsafe {
        let row = product.rows[first / ROWS].cast::<u8>().add(first % ROWS * product.stride);
        let mut sums = [[_mm512_setzero_ps(); COLUMNS]; TOGETHER];
        let mut columns = product.columns;
        let sums_at =
            |row: usize, tile: usize| product.sums.add((2 * tile + row / ROWS) * TILE_SUMS + row % ROWS * ROWS);
        for &step in product.steps {
            for pair in 0..ROWS {
                let b: [__m512bh; COLUMNS] =
                    std::array::from_fn(|tile| transmute(_mm512_loadu_si512(columns[tile].add(pair * ROWS).cast())));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let a = row.add(r * product.stride + step + 4 * pair).cast::<i32>().read_unaligned();
                    let a: __m512bh = transmute(_mm512_set1_epi32(a));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = _mm512_dpbf16_ps(*sum, a, b);
                    }
                }
            }
            columns = columns.map(|at| at.wrapping_add(product.advance));
        }
        for (r, sums) in sums.iter().enumerate() {
            for (tile, sum) in sums.iter().enumerate() {
                let target = sums_at(first + r, tile);
                let sum = if product.accumulate { _mm512_add_ps(*sum, _mm512_loadu_ps(target)) } else { *sum };
                _mm512_storeu_ps(target, sum);
            }
        }
    }
}
