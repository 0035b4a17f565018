//! Products of a block of pixels with packed weights, the part that `fprop` and `col2im` share. Blocking:
//! a panel's piece of 256 steps (16 KB in panels of 16 columns) stays in the first-level cache while all pixels of the
//! block pass; the block's sums and source pixels stay in the second level. Each sum runs over its steps in one fixed
//! order.

use super::tile::{Gather, Start};
use super::{Tiles, prefetch};

/// Pixels of a block, about; a multiple of every tile's rows.
pub(crate) const BLOCK: usize = 96;
/// Pixels of a block at most.
pub(crate) const MAX_BLOCK: usize = 2 * BLOCK;
/// Steps (tap, source channel) whose weights stay in the first-level cache.
const STEPS: usize = 256;

/// Pixels per block, so that blocks are about equal: a last block of a few pixels would load all weights for little.
pub(crate) fn even_blocks<T: Tiles>(pixels: usize) -> usize {
    let blocks = ((pixels + BLOCK / 2) / BLOCK).max(1);
    pixels.div_ceil(blocks).next_multiple_of(T::ROWS)
}

/// Some destination pixels and where they read.
pub(super) struct Block<'a> {
    pub(super) pixels: usize,
    /// `[tile][tap][ROWS]`
    pub(super) table: &'a [Start],
    pub(super) taps: usize,
    pub(super) channels: usize,
}

/// `sums[panel][pixel, column]`, as whole tiles, of pixels one after the other, `steps` values each;
/// `weights` are panels `[step, COLS]`. `table` is scratch.
pub(crate) fn multiply_rows<T: Tiles>(
    pixels: &[f32],
    steps: usize,
    weights: &[f32],
    sums: &mut [f32],
    table: &mut Vec<Start>,
) {
    table.clear();
    for rows in pixels.chunks(T::ROWS * steps) {
        let last = rows.len() / steps - 1;
        table.extend((0..T::ROWS).map(|r| Start::of(&rows[r.min(last) * steps..][..steps])));
    }
    let block = Block { pixels: pixels.len() / steps, table, taps: 1, channels: steps };
    // SAFETY: the table points to `steps` values for each row, inside `pixels`.
    unsafe { multiply::<T>(&block, weights, steps * T::COLS, sums) };
}

/// `sums[panel][pixel, column]`, as whole tiles, of a block of pixels; `weights` are the panels, `panel_len` values each.
///
/// # Safety
/// Each entry of the block's table starts `channels` values.
pub(super) unsafe fn multiply<T: Tiles>(block: &Block, all_weights: &[f32], panel_len: usize, sums: &mut [f32]) {
    const { assert!(BLOCK.is_multiple_of(T::ROWS) && T::COLS.is_multiple_of(16)) };
    let tile_count = block.pixels.div_ceil(T::ROWS);
    let mut done = false;
    for chunk in chunks(block.taps, block.channels) {
        let first_step = chunk.tap * block.channels + chunk.channel;
        for (panel, sums) in sums.chunks_exact_mut(tile_count * T::TILE).enumerate() {
            let weights = all_weights.get(panel * panel_len..(panel + 1) * panel_len);
            let Some(weights) = weights else { break };
            let piece = &weights[first_step * T::COLS..][..chunk.taps * chunk.depth * T::COLS];
            let next = all_weights.get((panel + 1) * panel_len + first_step * T::COLS..).unwrap_or(&[]);
            let share = (piece.len() / tile_count).next_multiple_of(T::COLS);
            for (nth, sums) in sums.chunks_exact_mut(T::TILE).enumerate() {
                let pixels = &block.table[(nth * block.taps + chunk.tap) * T::ROWS..][..chunk.taps * T::ROWS];
                let (channel, depth) = (chunk.channel, chunk.depth);
                let mut tile = Gather { pixels, channel, depth, panel: piece, sums, accumulate: done };
                // The next panel's piece comes nearer while this one is in use.
                prefetch(next.get(nth * share..(nth + 1) * share).unwrap_or(&[]));
                let rows = T::ROWS.min(block.pixels - nth * T::ROWS);
                tile.check::<T>(rows);
                // SAFETY: `T` is a set that the processor has (see `Tiles`). `pixels` holds `ROWS` entries for each tap
                // that each start `block.channels` values, `channel + depth` of which are read; `piece` and `sums` are
                // slices of exactly the lengths used.
                unsafe { T::gather(rows, &mut tile) };
            }
        }
        done = true;
    }
}

/// A run of taps with all channels, or a run of channels of one tap.
struct Chunk {
    tap: usize,
    taps: usize,
    channel: usize,
    depth: usize,
}

/// Cuts `taps * channels` steps into pieces of about `STEPS`; one empty piece where there are none.
fn chunks(taps: usize, channels: usize) -> Vec<Chunk> {
    if channels <= STEPS {
        let group = (STEPS / channels.max(1)).max(1);
        let pieces = taps.div_ceil(group).max(1);
        let start = |i: usize| i * taps / pieces;
        return (0..pieces)
            .map(|i| Chunk { tap: start(i), taps: start(i + 1) - start(i), channel: 0, depth: channels })
            .collect();
    }
    let pieces = channels.div_ceil(STEPS);
    let start = |i: usize| i * channels / pieces;
    let of_tap =
        |tap| (0..pieces).map(move |i| Chunk { tap, taps: 1, channel: start(i), depth: start(i + 1) - start(i) });
    let empty = (taps == 0).then_some(Chunk { tap: 0, taps: 0, channel: 0, depth: 0 });
    (0..taps).flat_map(of_tap).chain(empty).collect()
}
