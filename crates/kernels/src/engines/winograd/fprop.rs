//! Forward pass and input gradient (fprop and dgrad) of a plan whose phases are tiled: transform the inputs of a block of
//! tiles, multiply at each point, transform back.
//! Blocking: at one point the block's inputs (tiles x source channels) stay in the first-level cache while the panels of
//! weights pass; the block's values and sums at all points stay in the second level, about.

use super::tiling::Tiling;
use super::transform::{Destination, Panels, Rows, Source, inputs, outputs};
use super::weights::{self, Chunk};
use crate::activation::Activation;
use crate::engines::direct::tile::{Gather, Start};
use crate::engines::direct::{Tiles, prefetch};
use crate::engines::shared::Shared;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use rayon::prelude::*;
use std::ops::Range;

/// Tiles of a block at most. More tiles share each reading of the weights, which at all points fill the third-level cache
/// about; fewer keep the block's values and sums nearer. On a Zen 3 48 was the best of 12, 24, 48 and 96.
const TILES: usize = 48;

/// One phase of a call, as its tasks see it.
struct Call<'a> {
    to: Destination<'a>,
    x: &'a [f32],
    packed: &'a [f32],
    chunks: Vec<Chunk>,
}

/// `y = act(plan(x, w) + bias)`, one tiling for each phase; `y` is written completely.
pub(crate) fn run<T: Tiles>(
    plan: &Plan,
    tilings: &[Tiling],
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
) {
    let columns = plan.to.c.next_multiple_of(T::COLS);
    let largest = tilings.iter().map(|t| weights::len(plan, t, T::COLS)).max().unwrap_or(0);
    let y = Shared::new(y);
    workspace::with(largest + columns, |buffer| {
        let (padded_bias, packed) = buffer.split_at_mut(columns);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        for (phase, tiling) in plan.phases.iter().zip(tilings) {
            weights::pack(plan, phase, tiling, T::COLS, w, packed);
            let sums = Panels::new(TILES, columns / T::COLS, T::COLS);
            let to = Destination { plan, phase, tiling, bias: padded_bias, act, y, sums };
            let call = Call { to, x, packed, chunks: weights::chunks(plan, tiling, T::COLS) };
            run_phase::<T>(&call, phase);
        }
    });
}

fn run_phase<T: Tiles>(call: &Call, phase: &Phase) {
    let (plan, tiling) = (call.to.plan, call.to.tiling);
    debug_assert!(phase.rows <= tiling.rows * tiling.form.outputs);
    let total = plan.batch * tiling.per_image();
    let tiles = tiles_of_a_block(total, T::ROWS);
    let blocks = total.div_ceil(tiles);
    let least = plan.tasks_worth_a_thread(blocks * plan.phases.len());
    (0..blocks).into_par_iter().with_min_len(least).for_each(|block| {
        run_block::<T>(call, block * tiles..((block + 1) * tiles).min(total));
    });
}

/// Number of tiles of a block, chosen so that all threads have the same number of blocks of about equal size. (A tile's sums are the same in any block.)
fn tiles_of_a_block(total: usize, rows: usize) -> usize {
    let threads = rayon::current_num_threads();
    let blocks = threads * total.div_ceil(TILES * threads);
    total.div_ceil(blocks.max(1)).next_multiple_of(rows).clamp(rows, TILES)
}

fn run_block<T: Tiles>(call: &Call, block: Range<usize>) {
    let (plan, tiling) = (call.to.plan, call.to.tiling);
    let products = tiling.form.products();
    let depth = call.chunks.iter().map(|c| c.channels.len()).max().unwrap_or(0);
    let rows = Rows::new(TILES, depth);
    workspace::with(products * (rows.point + call.to.sums.point), |buffer| {
        let (values, sums) = buffer.split_at_mut(products * rows.point);
        for (nth, chunk) in call.chunks.iter().enumerate() {
            let class = &tiling.classes[chunk.class];
            let source = Source { plan, tiling, class, channels: chunk.channels.clone(), x: call.x };
            inputs(&source, block.clone(), rows, values);
            multiply::<T>(call, chunk, block.len(), rows, values, nth > 0, sums);
        }
        // SAFETY: tiles overlap in what they read only, and each is in one block of one phase.
        unsafe { outputs(&call.to, block, sums) };
    });
}

/// The sums of a block of `tiles` tiles, set or added to: the products of its values with a chunk's weights.
fn multiply<T: Tiles>(
    call: &Call,
    chunk: &Chunk,
    tiles: usize,
    rows: Rows,
    values: &[f32],
    accumulate: bool,
    sums: &mut [f32],
) {
    const { assert!(TILES.is_multiple_of(T::ROWS)) };
    let (products, depth) = (call.to.tiling.form.products(), chunk.channels.len());
    let layout = call.to.sums;
    let panels = call.to.plan.to.c.div_ceil(T::COLS);
    let panel_len = depth * T::COLS;
    let share = (panel_len / tiles.div_ceil(T::ROWS)).next_multiple_of(T::COLS);
    let packed = &call.packed[chunk.at..][..products * panels * panel_len];
    let mut table = Vec::with_capacity(TILES);
    for (p, (values, sums)) in values.chunks_exact(rows.point).zip(sums.chunks_exact_mut(layout.point)).enumerate() {
        table.clear();
        let last = tiles - 1;
        table.extend((0..TILES).map(|row| Start::of(&values[row.min(last) * rows.stride..][..depth])));
        for (panel, sums) in sums.chunks_exact_mut(layout.panel).enumerate() {
            let piece = &packed[(panel * products + p) * panel_len..][..panel_len];
            let next = if panel + 1 < panels { (panel + 1) * products + p } else { p + 1 };
            let next = packed.get(next * panel_len..(next + 1) * panel_len).unwrap_or(&[]);
            for (nth, sums) in sums.chunks_exact_mut(T::TILE).take(tiles.div_ceil(T::ROWS)).enumerate() {
                // The next piece comes nearer while this one is in use.
                prefetch(next.get(nth * share..(nth + 1) * share).unwrap_or(&[]));
                let pixels = &table[nth * T::ROWS..][..T::ROWS];
                let mut tile = Gather { pixels, channel: 0, depth, panel: piece, sums, accumulate };
                let height = T::ROWS.min(tiles - nth * T::ROWS);
                tile.check::<T>(height);
                // SAFETY: `T` is a set that the processor has (see `Tiles`); each row starts `depth` values, and the piece
                // and the sums are slices of exactly the lengths used.
                unsafe { T::gather(height, &mut tile) };
            }
        }
    }
}
