//! Runs a plan without im2col. A tile of six destination pixels knows, for each tap, where its six source pixels
//! start (outside the image: at a row of zeros), and multiplies their channels with packed weights. Bias and
//! activation happen on the way from the sums to the destination. The order of every sum is fixed, so neither
//! blocks nor threads change a bit.

use super::multiply::{BLOCK, Block, MAX_BLOCK, even_blocks, multiply, point_at_rows};
use super::{COLS, FEW_CHANNELS, ROWS, Shared, TILE, panels};
use crate::activation::{Activation, for_each_activation};
use crate::gather::{Position, fill_columns};
use crate::plan::{Phase, Plan};
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

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
pub(crate) fn gather(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
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
        let call = Call { plan, x, packed, bias: padded_bias, zeros, act, y: Shared(y.as_mut_ptr()) };
        run_tasks(&call);
    });
}

/// Splits by images, and by panels where there are few images' worth of pixels.
fn run_tasks(call: &Call) {
    let plan = call.plan;
    let pixels = plan.phases.iter().map(|p| p.rows * p.cols).max().unwrap_or(1);
    let images = (2 * BLOCK).div_ceil(pixels);
    let image_tasks = plan.batch.div_ceil(images);
    let panels = panels::count(plan);
    let panel_tasks = TASKS.div_ceil(image_tasks).min(panels);
    let tasks = image_tasks * panel_tasks;
    (0..tasks).into_par_iter().with_min_len(plan.tasks_worth_a_thread(tasks)).for_each(|task| {
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
        let columns = if im2col { MAX_BLOCK * steps } else { 0 };
        let step = even_blocks(pixels);
        workspace::with(columns + MAX_BLOCK / ROWS * TILE * panels.len(), |buffer| {
            let (columns, sums) = buffer.split_at_mut(columns);
            for first in (0..pixels).step_by(step) {
                let pixels = first..(first + step).min(pixels);
                let depths = if im2col && steps > 0 {
                    let columns = &mut columns[..pixels.len() * steps];
                    fill_columns(plan, phase, images.start, first, call.x, columns);
                    point_at_rows(columns, steps, &mut table);
                    (1, steps)
                } else {
                    point_at_pixels(call, phase, images.start, &pixels, &mut table);
                    (phase.taps.len(), plan.from.c)
                };
                let block = Block { pixels: pixels.len(), table: &table, taps: depths.0, channels: depths.1 };
                let weights = &weights[panels.start * panel_len..panels.end * panel_len];
                multiply(&block, weights, panel_len, sums);
                // SAFETY: this module runs only where AVX2 and FMA are, and no other task has these pixels and panels.
                unsafe { finish(call, phase, images.start, &pixels, &panels, sums) };
            }
        });
    }
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

/// Sums to destination pixels, through bias and activation.
///
/// # Safety
/// No other task writes these pixels' channels of these panels; `call.y` outlives the call's tasks.
#[target_feature(enable = "avx2,fma")]
unsafe fn finish(call: &Call, phase: &Phase, image: usize, pixels: &Range<usize>, panels: &Range<usize>, sums: &[f32]) {
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
            // SAFETY: pixel `at` has `to.c` values, of which these are columns `first..first + width`; the rest is
            // this function's contract.
            let y = unsafe { std::slice::from_raw_parts_mut(call.y.get().add(at + first), width) };
            finish_row(call.act, sums, &call.bias[first..first + COLS], y);
        }
        position.advance(phase);
    }
}

/// `y = act(sums + bias)` for up to 16 values.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn finish_row(act: Activation, sums: &[f32], bias: &[f32], y: &mut [f32]) {
    let whole = (sums.first_chunk::<COLS>(), bias.first_chunk::<COLS>());
    for_each_activation!(act, |a| {
        if let ((Some(sums), Some(bias)), Some(y)) = (whole, y.first_chunk_mut::<COLS>()) {
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
