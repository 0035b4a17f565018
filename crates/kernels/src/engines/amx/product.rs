//! Blocks of 32 x 32 sums, the one product that everything here is made of. A block is 2 x 2 tiles: two tiles of 16 rows
//! (pixels, or channels of a weight gradient) times two tiles of 16 columns. Each step multiplies 32 values, 16 pairs, of
//! every row with those of every column.

use super::{ROWS, SIDE};
#[cfg(target_arch = "x86_64")]
use super::{avx512, tiles};
use crate::isa::Bf16Unit;
#[cfg(target_arch = "x86_64")]
use crate::isa::has_avx512_bf16;

/// The processor's state while a task multiplies: AMX's tiles must be described first, and are given up at the end.
pub(super) struct Session {
    unit: Bf16Unit,
}

impl Session {
    pub(super) fn begin(unit: Bf16Unit) -> Self {
        match unit {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this unit is chosen only where AMX is and the system allows it.
            Bf16Unit::Amx => unsafe { tiles::configure() },
            #[cfg(target_arch = "x86_64")]
            Bf16Unit::Avx512 => {}
            #[cfg(test)]
            Bf16Unit::Plain => {}
        }
        Self { unit }
    }

    /// Whether the unit finishes a block while it multiplies the next: [`Self::multiply_finishing`].
    pub(super) fn finishes_along(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.unit == Bf16Unit::Amx && has_avx512_bf16();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Makes a block of 2 x 2 tiles of sums from 16 steps or more, and finishes one made before, for units that
    /// [`finish along`](Self::finishes_along).
    ///
    /// # Safety
    /// Each operand covers what its field says.
    pub(super) unsafe fn multiply_finishing(&self, product: &Product, made: &Made) {
        assert!(
            self.finishes_along() && product.steps.len() >= ROWS,
            "blocks are finished along by AMX, over 16 steps"
        );
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the contract is passed on; `begin` has configured the tiles of this thread.
        unsafe {
            tiles::multiply_finishing(product, made)
        }
    }

    /// Makes, or adds to, the block of sums.
    ///
    /// # Safety
    /// Each operand covers what its field says.
    pub(super) unsafe fn multiply(&self, product: &Product) {
        match self.unit {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the contract is passed on; this unit is chosen only where AMX is, and `begin` has configured the
            // tiles of this thread.
            Bf16Unit::Amx => unsafe { tiles::multiply(product) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the contract is passed on; this unit is chosen only where the dot product is.
            Bf16Unit::Avx512 => unsafe { avx512::multiply(product) },
            #[cfg(test)]
            // SAFETY: the contract is passed on.
            Bf16Unit::Plain => unsafe { plain(product) },
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match self.unit {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `begin` has configured the tiles of this thread; a session stays in its task.
            Bf16Unit::Amx => unsafe { tiles::release() },
            #[cfg(target_arch = "x86_64")]
            Bf16Unit::Avx512 => {}
            #[cfg(test)]
            Bf16Unit::Plain => {}
        }
    }
}

/// Sums of a tile.
pub(super) const TILE_SUMS: usize = ROWS * ROWS;

/// The operands of a block.
pub(super) struct Product<'a> {
    /// Where the first row of each of the two tiles begins.
    pub(super) rows: [*const u16; 2],
    /// Bytes from row to row of a tile: 16 rows.
    pub(super) stride: usize,
    /// For each step, the bytes from a row's beginning to its 32 values.
    pub(super) steps: &'a [usize],
    /// Where the 16 pairs of the first step begin, 16 columns each, for each of the two tiles.
    pub(super) columns: [*const u32; 2],
    /// Pairs from one step's columns to the next's.
    pub(super) advance: usize,
    /// The sums, tile by tile: `[tile of columns][tile of rows][16][16]`.
    pub(super) sums: *mut f32,
    /// Whether to add to the sums that are there.
    pub(super) accumulate: bool,
    /// Tiles of rows and of columns to do, 1 or 2 each; the other sums stay as they are.
    pub(super) tiles: [usize; 2],
}

/// A block whose sums are made, to be finished as `y = bf16(act(sums + bias))`.
pub(super) struct Made<'a> {
    /// A block of sums, at a multiple of 2 KB.
    pub(super) sums: &'a [f32; SIDE * SIDE],
    /// Where the 32 rows' pixels begin.
    pub(super) targets: &'a [*mut u16; 2 * ROWS],
    /// Bytes from there to the block's 32 channels.
    pub(super) offset: usize,
    /// 32 biases.
    pub(super) bias: &'a [f32],
    /// What the activation multiplies values below 0 with, 1 at most.
    pub(super) below: f32,
}

/// # Safety
/// As [`Session::multiply`].
#[cfg(test)]
unsafe fn plain(product: &Product) {
    let value = |bits: u32| f32::from_bits(bits << 16);
    let [row_tiles, column_tiles] = product.tiles;
    for (row_tile, column_tile) in (0..row_tiles).flat_map(|r| (0..column_tiles).map(move |c| (r, c))) {
        for (row, column) in (0..ROWS).flat_map(|r| (0..ROWS).map(move |c| (r, c))) {
            // SAFETY: `row` and `column` lie in the tiles that the contract covers; steps are 64 bytes of each row, whose
            // values may be unaligned, and 256 pairs of each tile of columns.
            unsafe {
                let sum = product.sums.add((2 * column_tile + row_tile) * TILE_SUMS + row * ROWS + column);
                let mut total = if product.accumulate { *sum } else { 0.0 };
                let row = product.rows[row_tile].cast::<u8>().add(row * product.stride);
                for (s, &step) in product.steps.iter().enumerate() {
                    for pair in 0..ROWS {
                        let a = row.add(step + 4 * pair).cast::<u32>().read_unaligned();
                        let b = *product.columns[column_tile].add(s * product.advance + pair * ROWS + column);
                        total += value(a >> 16) * value(b >> 16);
                        total += value(a & 0xFFFF) * value(b & 0xFFFF);
                    }
                }
                *sum = total;
            }
        }
    }
}
