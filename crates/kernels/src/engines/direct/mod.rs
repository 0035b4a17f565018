//! The direct engine, in f32, on AVX2 and AVX-512: the sums of a convolution as they are defined, in register tiles and
//! without im2col. `fprop` runs forward passes and input gradients, `wgrad` weight gradients, `col2im` the product of
//! [`crate::engines::col2im`]; `panels` packs weights, `multiply` has the blocking. Each is written once, generic over [`Tiles`]: the
//! innermost loops of one instruction set, a file each (`avx2`, `avx512`; `plain` for tests). The Winograd engine multiplies
//! with the same tiles.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod col2im;
pub(crate) mod fprop;
mod multiply;
mod panels;
#[cfg(test)]
pub(crate) mod plain;
pub(crate) mod tile;
pub(crate) mod wgrad;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;

/// Source channels below which im2col is used: the loop over the channels of one tap would be too short.
pub(crate) const FEW_CHANNELS: usize = 16;

/// The innermost loops of one instruction set, around a tile of sums that stays in registers: in each step, `COLS` values
/// are loaded, `ROWS` values broadcast, and all their products added. Code that is generic over `T: Tiles` runs only where
/// the processor has `T`'s instruction set, which [`with_tiles`] sees to.
pub(crate) trait Tiles {
    /// Rows of a tile: what is broadcast (pixels in `fprop`, source channels in `wgrad`).
    const ROWS: usize;
    /// Columns of a tile: what is loaded as vectors, a multiple of 16.
    const COLS: usize;
    /// Sums of a tile, row after row.
    const TILE: usize = Self::ROWS * Self::COLS;

    /// The tile of `fprop`, whose rows are gathered from anywhere:
    /// `sums[r, j] = sum over taps and channels of pixels[tap][r][channel] * panel[tap, channel, j]` for `rows` rows.
    ///
    /// # Safety
    /// The processor has the instruction set, and `tile.check::<Self>(rows)` holds.
    unsafe fn gather(rows: usize, tile: &mut tile::Gather);

    /// The tile of `wgrad`, a sum of outer products:
    /// `sums[r, j] = sum over pixels p of rows[offsets[p] + r] * cols[p, j]` for `rows` rows.
    ///
    /// # Safety
    /// The processor has the instruction set, `tile.check::<Self>(rows)` holds, and no other thread uses the sums.
    unsafe fn outer(rows: usize, tile: &tile::Outer);

    /// [`fprop::Finish::run`], compiled for this instruction set.
    ///
    /// # Safety
    /// The processor has the instruction set, and the contract of `run` holds.
    unsafe fn finish(sums: &fprop::Finish);
}

/// Evaluates `$tiled` with `$T` naming the tiles of the instruction set in use, or `$plain` where that has none.
macro_rules! with_tiles {
    (|$T:ident| $tiled:expr, else $plain:expr) => {
        match $crate::isa::vectors() {
            $crate::isa::Vectors::Plain => $plain,
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Vectors::Avx2 => {
                type $T = $crate::engines::direct::Avx2;
                $tiled
            }
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Vectors::Avx512 => {
                type $T = $crate::engines::direct::Avx512;
                $tiled
            }
        }
    };
}
pub(crate) use with_tiles;

/// Calls `$function::<R>($tile)` for the constant `R` that equals `$rows`, so that each height has its own registers.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($rows:expr, [$($r:literal)*] $function:ident($tile:expr)) => {
        match $rows {
            $($r => $function::<$r>($tile),)*
            _ => {}
        }
    };
}
#[cfg(target_arch = "x86_64")]
use with_rows;

/// Asks for the cache line of the value at `index`, if there is one, to be brought as near as possible.
#[inline(always)]
pub(crate) fn prefetch_line(values: &[f32], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = values.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch of an address inside a slice; it changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, index);
}

/// Asks for values that will be needed soon.
pub(crate) fn prefetch(values: &[f32]) {
    /// Values of a cache line.
    #[cfg(target_arch = "x86_64")]
    const LINE: usize = 16;
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch of an address inside a slice; it changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
