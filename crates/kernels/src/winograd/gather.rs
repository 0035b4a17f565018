//! A plan whose phases are tiled: transform the inputs of a block of tiles, multiply at each point, transform back.
//! Blocking: at one point the block's inputs (tiles x source channels) stay in the first-level cache while the panels of
//! weights pass; the block's values and sums at all points stay in the second level, about.

use super::tiling::Tiling;
use super::transform::{Destination, Panels, Rows, Source, inputs, outputs};
use super::weights::{self, Chunk};
use super::{COLS, ROWS, Shared, tiles};
use crate::activation::Activation;
use crate::plan::{Phase, Plan};
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Tiles of a block. More tiles share each reading of the weights, which at all points fill the third-level cache about;
/// fewer keep the block's values and sums nearer. On a Zen 3 48 was the best of 12, 24, 48 and 96.
const TILES: usize = 8 * ROWS;

/// One phase of a call, as its tasks see it.
struct Call<'a> {
    to: Destination<'a>,
    x: &'a [f32],
    packed: &'a [f32],
    chunks: Vec<Chunk>,
}

/// `y = act(gather(x, w) + bias)`, one tiling for each phase; `y` is written completely.
pub(super) fn gather(
    plan: &Plan,
    tilings: &[Tiling],
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
) {
    let columns = weights::width(plan);
    let largest = tilings.iter().map(|t| weights::len(plan, t)).max().unwrap_or(0);
    let y = Shared(y.as_mut_ptr());
    workspace::with(largest + columns, |buffer| {
        let (padded_bias, packed) = buffer.split_at_mut(columns);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        for (phase, tiling) in plan.phases.iter().zip(tilings) {
            weights::pack(plan, phase, tiling, w, packed);
            let sums = Panels::new(TILES, columns / COLS);
            let to = Destination { plan, phase, tiling, bias: padded_bias, act, y, sums };
            let call = Call { to, x, packed, chunks: weights::chunks(plan, tiling) };
            run_phase(&call, phase);
        }
    });
}

fn run_phase(call: &Call, phase: &Phase) {
    let (plan, tiling) = (call.to.plan, call.to.tiling);
    debug_assert!(phase.rows <= tiling.rows * tiling.form.outputs);
    let total = plan.batch * tiling.per_image();
    let blocks = total.div_ceil(TILES);
    let least = plan.tasks_worth_a_thread(blocks * plan.phases.len());
    (0..blocks).into_par_iter().with_min_len(least).for_each(|block| {
        run_block(call, block * TILES..((block + 1) * TILES).min(total));
    });
}

fn run_block(call: &Call, block: Range<usize>) {
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
            multiply(call, chunk, block.len(), rows, values, nth > 0, sums);
        }
        // SAFETY: tiles overlap in what they read only, and each is in one block of one phase.
        unsafe { outputs(&call.to, block, sums) };
    });
}

/// `sums[point][panel][tile][16]`, set or added to: the products of a block of `tiles` tiles with a chunk's weights.
fn multiply(call: &Call, chunk: &Chunk, tiles: usize, rows: Rows, values: &[f32], accumulate: bool, sums: &mut [f32]) {
    let products = call.to.tiling.form.products();
    let depth = chunk.channels.len();
    let panels = weights::width(call.to.plan) / COLS;
    let panel_len = depth * COLS;
    let packed = &call.packed[chunk.at..][..products * panels * panel_len];
    let layout = call.to.sums;
    for (p, (values, sums)) in values.chunks_exact(rows.point).zip(sums.chunks_exact_mut(layout.point)).enumerate() {
        for (panel, sums) in sums.chunks_exact_mut(layout.panel).enumerate() {
            let piece = &packed[(panel * products + p) * panel_len..][..panel_len];
            let next = if panel + 1 < panels { (panel + 1) * products + p } else { p + 1 };
            let next = packed.get(next * panel_len..(next + 1) * panel_len).unwrap_or(&[]);
            let share = (panel_len / tiles.div_ceil(ROWS)).next_multiple_of(COLS);
            for first in (0..tiles).step_by(ROWS) {
                tiles::prefetch(next.get(first / ROWS * share..).map_or(&[], |n| &n[..share.min(n.len())]));
                let height = ROWS.min(tiles - first);
                let pixels = std::array::from_fn(|r| values[(first + r.min(height - 1)) * rows.stride..].as_ptr());
                let tile = tiles::Gather {
                    pixels: &pixels,
                    taps: 1,
                    channel: 0,
                    depth,
                    panel: piece.as_ptr(),
                    sums: sums[first * COLS..(first + height) * COLS].as_mut_ptr(),
                    accumulate,
                };
                // SAFETY: this module runs only where AVX2 and FMA are; each row holds `depth` values, the piece
                // `depth` rows of 16, and the sums `height` rows of 16.
                unsafe { tiles::gather(height, &tile) };
            }
        }
    }
}
