//! Runs a plan without im2col. A tile of six destination pixels knows, for each tap, where its six source pixels
//! start (outside the image: at a row of zeros), and multiplies their channels with packed weights. Blocking: a
//! panel's piece of 256 steps (16 KB) stays in the first-level cache while all pixels of a block pass; the block's
//! sums and source pixels stay in the second level. Bias and activation happen on the way from the sums to the
//! destination. The order of every sum is fixed, so neither blocks nor threads change a bit.

use super::{COLS, FEW_CHANNELS, ROWS, Shared, TILE, panels, tiles};
use crate::activation::{Activation, for_each_activation};
use crate::gather::{Position, fill_columns};
use crate::plan::{Phase, Plan};
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Pixels of a block, a multiple of `ROWS`.
const BLOCK: usize = 96;
/// Steps (tap, source channel) whose weights stay in the first-level cache.
const STEPS: usize = 256;
/// Tasks that a call is split into at least, where its size allows.
const TASKS: usize = 16;

/// One call, as its tasks see it.
struct Call<'a> {
    plan: &'a Plan,
    x: &'a [f32],
    /// Panels of all phases.
    packed: &'a [f32],
    /// Bias, padded with zeros to whole panels.
    bias: &'a [f32],
    /// A source pixel outside the image.
    zeros: &'a [f32],
    act: Activation,
    y: Shared,
}

/// `y = act(gather(x, w) + bias)`; `y` is written completely. The processor must have AVX2 and FMA.
pub(crate) fn gather(
    plan: &Plan,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
) {
    let columns = panels::count(plan) * COLS;
    let packed_len = panels::total(plan);
    workspace::with(packed_len + columns + plan.from.c, |buffer| {
        let (packed, rest) = buffer.split_at_mut(packed_len);
        let (padded_bias, zeros) = rest.split_at_mut(columns);
        panels::pack(plan, w, packed);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        zeros.fill(0.0);
        let call = Call {
            plan,
            x,
            packed,
            bias: padded_bias,
            zeros,
            act,
            y: Shared(y.as_mut_ptr()),
        };
        run_tasks(&call);
    });
}

/// Splits by images, and by panels where there are few images' worth of pixels.
fn run_tasks(call: &Call) {
    let plan = call.plan;
    let images = BLOCK.div_ceil(plan.to.h * plan.to.w);
    let image_tasks = plan.batch.div_ceil(images);
    let panels = panels::count(plan);
    let panel_tasks = TASKS.div_ceil(image_tasks).min(panels);
    (0..image_tasks * panel_tasks).into_par_iter().for_each(|task| {
        let (image, panel) = (task / panel_tasks, task % panel_tasks);
        let images = image * images..((image + 1) * images).min(plan.batch);
        let panels = panel * panels / panel_tasks..(panel + 1) * panels / panel_tasks;
        run_task(call, images, panels);
    });
}

fn run_task(call: &Call, images: Range<usize>, panels: Range<usize>) {
    let plan = call.plan;
    let mut table = Vec::new();
    let mut packed = call.packed;
    for phase in &plan.phases {
        let panel_len = panels::len(plan, phase);
        let (weights, rest) = packed.split_at(panel_len * panels::count(plan));
        packed = rest;
        let pixels = images.len() * phase.rows * phase.cols;
        let steps = phase.taps.len() * plan.from.c;
        let im2col = plan.from.c < FEW_CHANNELS;
        let columns = if im2col { BLOCK * steps } else { 0 };
        workspace::with(columns + BLOCK.div_ceil(ROWS) * TILE * panels.len(), |buffer| {
            let (columns, sums) = buffer.split_at_mut(columns);
            for first in (0..pixels).step_by(BLOCK) {
                let pixels = first..(first + BLOCK).min(pixels);
                let depths = if im2col && steps > 0 {
                    let columns = &mut columns[..pixels.len() * steps];
                    fill_columns(plan, phase, images.start, first, call.x, columns);
                    point_at_columns(columns, steps, &mut table);
                    (1, steps)
                } else {
                    point_at_pixels(call, phase, images.start, &pixels, &mut table);
                    (phase.taps.len(), plan.from.c)
                };
                let block = Block {
                    pixels: pixels.len(),
                    table: &table,
                    taps: depths.0,
                    channels: depths.1,
                };
                let weights = &weights[panels.start * panel_len..panels.end * panel_len];
                multiply(&block, weights, panel_len, sums);
                finish(call, phase, images.start, &pixels, &panels, sums);
            }
        });
    }
}

/// Some destination pixels and where they read.
struct Block<'a> {
    pixels: usize,
    /// `[tile][tap]`
    table: &'a [[*const f32; ROWS]],
    taps: usize,
    channels: usize,
}

/// For each tile of six pixels and each tap, where the source pixels start.
fn point_at_pixels(
    call: &Call,
    phase: &Phase,
    image: usize,
    pixels: &Range<usize>,
    table: &mut Vec<[*const f32; ROWS]>,
) {
    let (plan, taps) = (call.plan, phase.taps.len());
    let from = plan.from;
    table.clear();
    table.resize(pixels.len().div_ceil(ROWS) * taps, [call.zeros.as_ptr(); ROWS]);
    let mut position = Position::new(phase, pixels.start);
    for nth in 0..pixels.len() {
        let top = (plan.step[0] * position.i) as isize;
        let left = (plan.step[1] * position.j) as isize;
        let source = &call.x[(image + position.image) * from.len()..][..from.len()];
        for (t, tap) in phase.taps.iter().enumerate() {
            let (y, x) = (top + tap.y, left + tap.x);
            if y >= 0 && x >= 0 && y < from.h as isize && x < from.w as isize {
                let at = (y as usize * from.w + x as usize) * from.c;
                table[nth / ROWS * taps + t][nth % ROWS] = source[at..at + from.c].as_ptr();
            }
        }
        position.advance(phase);
    }
}

/// The same for im2col rows of `steps` values: one tap as wide as the row.
fn point_at_columns(columns: &[f32], steps: usize, table: &mut Vec<[*const f32; ROWS]>) {
    table.clear();
    for rows in columns.chunks(ROWS * steps) {
        let last = rows.len() / steps - 1;
        table.push(std::array::from_fn(|r| rows[r.min(last) * steps..].as_ptr()));
    }
}

/// `sums[panel][tile]` of a block of pixels; `weights` are the panels, `panel_len` values each.
fn multiply(block: &Block, weights: &[f32], panel_len: usize, sums: &mut [f32]) {
    let tile_count = block.pixels.div_ceil(ROWS);
    let mut done = false;
    for chunk in chunks(block.taps, block.channels) {
        let first_step = chunk.tap * block.channels + chunk.channel;
        for (panel, sums) in sums.chunks_exact_mut(tile_count * TILE).enumerate() {
            let weights = weights.get(panel * panel_len..(panel + 1) * panel_len);
            let Some(weights) = weights else { break };
            let piece = &weights[first_step * COLS..][..chunk.taps * chunk.depth * COLS];
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
            .map(|i| Chunk {
                tap: start(i),
                taps: start(i + 1) - start(i),
                channel: 0,
                depth: channels,
            })
            .collect();
    }
    let pieces = channels.div_ceil(STEPS);
    let start = |i: usize| i * channels / pieces;
    let of_tap = |tap| {
        (0..pieces).map(move |i| Chunk {
            tap,
            taps: 1,
            channel: start(i),
            depth: start(i + 1) - start(i),
        })
    };
    let empty = (taps == 0).then_some(Chunk {
        tap: 0,
        taps: 0,
        channel: 0,
        depth: 0,
    });
    (0..taps).flat_map(of_tap).chain(empty).collect()
}

/// Sums to destination pixels, through bias and activation.
fn finish(
    call: &Call,
    phase: &Phase,
    image: usize,
    pixels: &Range<usize>,
    panels: &Range<usize>,
    sums: &[f32],
) {
    let plan = call.plan;
    let tile_count = pixels.len().div_ceil(ROWS);
    let mut position = Position::new(phase, pixels.start);
    for nth in 0..pixels.len() {
        let at = image * plan.to.len() + position.to(plan, phase);
        let row = nth / ROWS * TILE + nth % ROWS * COLS;
        for (local, panel) in panels.clone().enumerate() {
            let first = panel * COLS;
            let width = COLS.min(plan.to.c - first);
            let sums = &sums[local * tile_count * TILE + row..][..COLS];
            // SAFETY: pixel `at` has `to.c` values, of which these are columns `first..first + width`; no other
            // task has both this pixel and this panel, and `y` outlives the call's tasks.
            let y = unsafe { std::slice::from_raw_parts_mut(call.y.get().add(at + first), width) };
            // SAFETY: this module runs only where AVX2 and FMA are.
            unsafe { finish_row(call.act, sums, &call.bias[first..first + COLS], y) };
        }
        position.advance(phase);
    }
}

/// `y = act(sums + bias)` for up to 16 values.
#[target_feature(enable = "avx2,fma")]
fn finish_row(act: Activation, sums: &[f32], bias: &[f32], y: &mut [f32]) {
    for_each_activation!(act, |a| {
        if let (Ok(sums), Ok(bias), Ok(y)) = (
            <&[f32; COLS]>::try_from(sums),
            <&[f32; COLS]>::try_from(bias),
            <&mut [f32; COLS]>::try_from(&mut *y),
        ) {
            for i in 0..COLS {
                y[i] = a.apply(sums[i] + bias[i]);
            }
        } else {
            for ((y, s), b) in y.iter_mut().zip(sums).zip(bias) {
                *y = a.apply(s + b);
            }
        }
    });
}
