//! Forward pass and input gradient (fprop and dgrad) in tiles, without im2col; a plan is one or the other. A tile of `ROWS`
//! destination pixels knows, for each tap, where its source pixels start (outside the image: at a row of zeros), and
//! multiplies their channels with packed weights. Bias and activation happen on the way from the sums to the destination.
//! The order of every sum is fixed, so neither blocks nor threads change a bit.

use super::multiply::{BLOCK, Block, MAX_BLOCK, even_blocks, multiply, multiply_rows};
use super::tile::Start;
use super::{FEW_CHANNELS, Tiles, panels};
use crate::activation::{Activation, for_each_activation};
use crate::engines::shared::Shared;
use crate::im2col::{Position, fill_columns};
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
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
    y: Shared<'a>,
}

/// `y = act(plan(x, w) + bias)`; `y` is written completely.
pub(crate) fn run<T: Tiles>(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    let columns = panels::count::<T>(plan) * T::COLS;
    let packed_len = panels::total::<T>(plan);
    workspace::with(packed_len + columns + plan.from.c, |buffer| {
        let (packed, rest) = buffer.split_at_mut(packed_len);
        let (padded_bias, zeros) = rest.split_at_mut(columns);
        panels::pack::<T>(plan, w, packed);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        zeros.fill(0.0);
        let call = Call { plan, x, packed, bias: padded_bias, zeros, act, y: Shared::new(y) };
        run_tasks::<T>(&call);
    });
}

/// Splits by images, and by panels where there are few images' worth of pixels.
fn run_tasks<T: Tiles>(call: &Call) {
    let plan = call.plan;
    let pixels = plan.phases.iter().map(|p| p.rows * p.cols).max().unwrap_or(1);
    let images = (2 * BLOCK).div_ceil(pixels);
    let image_tasks = plan.batch.div_ceil(images);
    let panels = panels::count::<T>(plan);
    let panel_tasks = TASKS.div_ceil(image_tasks).min(panels);
    let tasks = image_tasks * panel_tasks;
    (0..tasks).into_par_iter().with_min_len(plan.tasks_worth_a_thread(tasks)).for_each(|task| {
        let (image, panel) = (task / panel_tasks, task % panel_tasks);
        let images = image * images..((image + 1) * images).min(plan.batch);
        let panels = panel * panels / panel_tasks..(panel + 1) * panels / panel_tasks;
        run_task::<T>(call, images, panels);
    });
}

fn run_task<T: Tiles>(call: &Call, images: Range<usize>, panels: Range<usize>) {
    let plan = call.plan;
    let mut table = Vec::new();
    let mut packed = call.packed;
    for phase in &plan.phases {
        let panel_len = panels::len::<T>(plan, phase);
        let (weights, rest) = packed.split_at(panel_len * panels::count::<T>(plan));
        packed = rest;
        let pixels = images.len() * phase.rows * phase.cols;
        let steps = phase.taps.len() * plan.from.c;
        let im2col = plan.from.c < FEW_CHANNELS;
        let columns = if im2col { MAX_BLOCK * steps } else { 0 };
        let step = even_blocks::<T>(pixels);
        workspace::with(columns + MAX_BLOCK * T::COLS * panels.len(), |buffer| {
            let (columns, sums) = buffer.split_at_mut(columns);
            for first in (0..pixels).step_by(step) {
                let pixels = first..(first + step).min(pixels);
                let weights = &weights[panels.start * panel_len..panels.end * panel_len];
                if im2col && steps > 0 {
                    let columns = &mut columns[..pixels.len() * steps];
                    fill_columns(plan, phase, images.start, first, call.x, columns);
                    multiply_rows::<T>(columns, steps, weights, sums, &mut table);
                } else {
                    point_at_pixels::<T>(call, phase, images.start, &pixels, &mut table);
                    let (taps, channels) = (phase.taps.len(), plan.from.c);
                    let block = Block { pixels: pixels.len(), table: &table, taps, channels };
                    // SAFETY: each entry starts a pixel of `x`, or the zeros, which are as many as channels.
                    unsafe { multiply::<T>(&block, weights, panel_len, sums) };
                }
                let finish = Finish { call, phase, image: images.start, pixels, panels: panels.clone(), sums };
                // SAFETY: `T` is a set that the processor has, and no other task has these pixels and panels.
                unsafe { T::finish(&finish) };
            }
        });
    }
}

/// For each tile of pixels, each tap and each row, where the source pixel starts.
fn point_at_pixels<T: Tiles>(call: &Call, phase: &Phase, image: usize, pixels: &Range<usize>, table: &mut Vec<Start>) {
    let (plan, taps) = (call.plan, phase.taps.len());
    let from = plan.from;
    table.clear();
    table.resize(pixels.len().div_ceil(T::ROWS) * taps * T::ROWS, Start::of(call.zeros));
    let mut position = Position::new(phase, pixels.start);
    for nth in 0..pixels.len() {
        let top = (plan.step[0] * position.i) as isize;
        let left = (plan.step[1] * position.j) as isize;
        let source = &call.x[(image + position.image) * from.len()..][..from.len()];
        for (t, tap) in phase.taps.iter().enumerate() {
            let (y, x) = (top + tap.y, left + tap.x);
            if y >= 0 && x >= 0 && y < from.h as isize && x < from.w as isize {
                let at = (y as usize * from.w + x as usize) * from.c;
                table[(nth / T::ROWS * taps + t) * T::ROWS + nth % T::ROWS] = Start::of(&source[at..at + from.c]);
            }
        }
        position.advance(phase);
    }
}

/// The sums of some pixels and panels of a phase, on their way to the destination through bias and activation.
pub(crate) struct Finish<'a> {
    call: &'a Call<'a>,
    phase: &'a Phase,
    /// The image that positions count from.
    image: usize,
    pixels: Range<usize>,
    panels: Range<usize>,
    /// `[panel][pixel, column]`, as whole tiles.
    sums: &'a [f32],
}

impl Finish<'_> {
    /// Writes the destination pixels. Inlined into [`Tiles::finish`], so that it is compiled for that instruction set.
    ///
    /// # Safety
    /// No other task writes these pixels' channels of these panels.
    #[inline(always)]
    pub(super) unsafe fn run<T: Tiles>(&self) {
        let Self { call, phase, .. } = *self;
        let plan = call.plan;
        let panel_sums = self.pixels.len().next_multiple_of(T::ROWS) * T::COLS;
        let mut position = Position::new(phase, self.pixels.start);
        for nth in 0..self.pixels.len() {
            let at = self.image * plan.to.len() + position.to(plan, phase);
            for (local, panel) in self.panels.clone().enumerate() {
                let first = panel * T::COLS;
                let sums = &self.sums[local * panel_sums + nth * T::COLS..][..T::COLS];
                // SAFETY: pixel `at` has `to.c` values, of which these are columns from `first` on; the rest is this
                // function's contract.
                let y = unsafe { call.y.values(at + first, T::COLS.min(plan.to.c - first)) };
                finish_row::<T>(call.act, sums, &call.bias[first..first + T::COLS], y);
            }
            position.advance(phase);
        }
    }
}

/// `y = act(sums + bias)` for up to `COLS` values.
#[inline(always)]
fn finish_row<T: Tiles>(act: Activation, sums: &[f32], bias: &[f32], y: &mut [f32]) {
    for_each_activation!(act, |a| {
        if y.len() == T::COLS {
            // The same loop with a length that the compiler knows.
            for ((y, s), b) in y[..T::COLS].iter_mut().zip(&sums[..T::COLS]).zip(&bias[..T::COLS]) {
                *y = a.apply(s + b);
            }
        } else {
            for ((y, s), b) in y.iter_mut().zip(sums).zip(bias) {
                *y = a.apply(s + b);
            }
        }
    });
}
