//! Products of a block of pixels with packed weights, the part that a gather and the columns form share. Blocking:
//! a panel's piece of 256 steps (16 KB) stays in the first-level cache while all pixels of the block pass; the
//! block's sums and source pixels stay in the second level. Each sum runs over its steps in one fixed order.

use super::{COLS, ROWS, TILE, tiles};

/// Pixels of a block, about; a multiple of `ROWS`.
pub(super) const BLOCK: usize = 96;
/// Pixels of a block at most.
pub(super) const MAX_BLOCK: usize = 2 * BLOCK;
/// Steps (tap, source channel) whose weights stay in the first-level cache.
const STEPS: usize = 256;

/// Pixels per block, so that blocks are about equal: a last block of a few pixels would load all weights for little.
pub(super) fn even_blocks(pixels: usize) -> usize {
    let blocks = ((pixels + BLOCK / 2) / BLOCK).max(1);
    pixels.div_ceil(blocks).next_multiple_of(ROWS)
}

/// Some destination pixels and where they read.
pub(super) struct Block<'a> {
    pub(super) pixels: usize,
    /// `[tile][tap]`
    pub(super) table: &'a [[*const f32; ROWS]],
    pub(super) taps: usize,
    pub(super) channels: usize,
}

/// A table for pixels that stand one after the other, `steps` values each, as one tap.
pub(super) fn point_at_rows(columns: &[f32], steps: usize, table: &mut Vec<[*const f32; ROWS]>) {
    table.clear();
    for rows in columns.chunks(ROWS * steps) {
        let last = rows.len() / steps - 1;
        table.push(std::array::from_fn(|r| rows[r.min(last) * steps..].as_ptr()));
    }
}

/// `sums[panel][tile]` of a block of pixels; `weights` are the panels, `panel_len` values each.
pub(super) fn multiply(block: &Block, all_weights: &[f32], panel_len: usize, sums: &mut [f32]) {
    let tile_count = block.pixels.div_ceil(ROWS);
    let mut done = false;
    for chunk in chunks(block.taps, block.channels) {
        let first_step = chunk.tap * block.channels + chunk.channel;
        for (panel, sums) in sums.chunks_exact_mut(tile_count * TILE).enumerate() {
            let weights = all_weights.get(panel * panel_len..(panel + 1) * panel_len);
            let Some(weights) = weights else { break };
            let piece = &weights[first_step * COLS..][..chunk.taps * chunk.depth * COLS];
            let next = all_weights.get((panel + 1) * panel_len + first_step * COLS..).unwrap_or(&[]);
            let share = (piece.len() / tile_count).next_multiple_of(COLS);
            for (nth, sums) in sums.chunks_exact_mut(TILE).enumerate() {
                let pixels = &block.table[nth * block.taps + chunk.tap..][..chunk.taps];
                let tile = tiles::Gather {
                    pixels: pixels.as_ptr(),
                    taps: chunk.taps,
                    channel: chunk.channel,
                    depth: chunk.depth,
                    panel: piece.as_ptr(),
                    sums: sums.as_mut_ptr(),
                    accumulate: done,
                };
                // The next panel's piece comes nearer while this one is in use.
                tiles::prefetch(next.get(nth * share..(nth + 1) * share).unwrap_or(&[]));
                let rows = ROWS.min(block.pixels - nth * ROWS);
                // SAFETY: this module runs only where AVX2 and FMA are; `pixels` holds `taps` entries that each
                // start `block.channels` values, `channel + depth` of which are read; `piece` and `sums` are
                // slices of exactly the lengths used.
                unsafe { tiles::gather(rows, &tile) };
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
