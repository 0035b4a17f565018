//! The operands of one tile. The innermost loops read and write through pointers; this file defines their bounds, which
//! debug builds check for every tile.

use super::Tiles;

/// Where the values of a pixel start: a slice that may be gone, whose length only debug builds keep.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pointer: *const f32,
    #[cfg(debug_assertions)]
    len: usize,
}

impl Start {
    pub(crate) fn of(values: &[f32]) -> Self {
        Self {
            pointer: values.as_ptr(),
            #[cfg(debug_assertions)]
            len: values.len(),
        }
    }

    /// The address; the reader must ensure that it is valid.
    #[inline(always)]
    pub(crate) fn pointer(self) -> *const f32 {
        self.pointer
    }

    /// False where a debug build knows that the slice had fewer than `len` values.
    fn may_hold(self, #[cfg_attr(not(debug_assertions), allow(unused))] len: usize) -> bool {
        #[cfg(debug_assertions)]
        return len <= self.len;
        #[cfg(not(debug_assertions))]
        true
    }
}

/// The operands of a gather tile.
pub(crate) struct Gather<'a> {
    /// `[tap][ROWS]`: where the channels of each row's source pixel start.
    pub(crate) pixels: &'a [Start],
    /// First channel, and how many.
    pub(crate) channel: usize,
    pub(crate) depth: usize,
    /// Weights `[tap, depth, COLS]`.
    pub(crate) panel: &'a [f32],
    /// The tile's sums `[ROWS, COLS]`, added to if `accumulate`, else overwritten.
    pub(crate) sums: &'a mut [f32],
    pub(crate) accumulate: bool,
}

impl Gather<'_> {
    /// In debug builds: the operands cover what a tile of `rows` rows touches.
    #[inline(always)]
    pub(crate) fn check<T: Tiles>(&self, rows: usize) {
        debug_assert!(rows <= T::ROWS, "{rows} rows of {}", T::ROWS);
        debug_assert!(self.pixels.len().is_multiple_of(T::ROWS));
        debug_assert!(self.pixels.iter().all(|p| p.may_hold(self.channel + self.depth)));
        debug_assert!(self.panel.len() >= self.pixels.len() / T::ROWS * self.depth * T::COLS);
        debug_assert!(self.sums.len() >= rows * T::COLS);
    }
}

/// The operands of a weight-gradient tile.
pub(crate) struct Outer<'a> {
    /// Where each pixel's row values start in `rows`.
    pub(crate) offsets: &'a [u32],
    /// Up to `ROWS` values per source pixel.
    pub(crate) rows: &'a [f32],
    /// `COLS` values per destination pixel, as many pixels as offsets.
    pub(crate) cols: &'a [f32],
    /// The tile's sums: row `r` starts at `sums + r * stride`. Added to if `accumulate`, else overwritten.
    pub(crate) sums: *mut f32,
    pub(crate) stride: usize,
    pub(crate) accumulate: bool,
}

impl Outer<'_> {
    /// In debug builds: the operands cover what a tile of `rows` rows reads. (`Shared::rows` checks the sums.)
    #[inline(always)]
    pub(crate) fn check<T: Tiles>(&self, rows: usize) {
        debug_assert!(rows <= T::ROWS, "{rows} rows of {}", T::ROWS);
        debug_assert!(self.offsets.iter().all(|&o| o as usize + rows <= self.rows.len()));
        debug_assert!(self.cols.len() >= self.offsets.len() * T::COLS);
    }
}
