//! The weight gradient on blocks of 32 x 32 sums: 32 source channels times 32 destination channels of one tap, over
//! positions as steps. Block by block of about 512 positions, source pixels are laid out channel by channel and destination
//! pixels in pairs, zeros where none stands; every tap then reads the same rows at another offset, which may split cache
//! lines (a tile load of 16 cycles instead of 8: still hidden behind the multiplications). The images are split into a
//! fixed number of parts with sums of their own, which are added in order at the end.

use super::grid::Grid;
use super::product::{Engine, Product, Session};
use super::{Depth, SIDE, STEP, STEP_PAIRS, convert, im2col, panels, source};
use crate::outer::add_parts;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use crate::tiled::shared::Shared;
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Positions of a block, about: 32 rows or columns of them take 32 KB, and a block's sums are loaded and stored once.
const POSITIONS: usize = 512;
/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 8;
/// Tasks per thread at least, where the size allows. How panels are grouped changes no sum, so this may depend on the
/// number of threads; each group lays the source out again.
const TASKS_PER_THREAD: usize = 2;
/// Sums of a block.
const BLOCK: usize = SIDE * SIDE;

/// One call, as its tasks see it.
struct Call<'a> {
    engine: Engine,
    plan: &'a Plan,
    from: Values<'a>,
    to: Values<'a>,
    /// Sums of all parts: `[part][phase][32 source values][panel]` blocks.
    sums: Shared<'a>,
    /// Sums of one part.
    total: usize,
    panels: usize,
}

/// Blocks of rows of a phase.
fn row_blocks(plan: &Plan, phase: &Phase) -> usize {
    Depth::of(plan, phase).values.div_ceil(SIDE)
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`; `dw` is written completely. The engine's instructions must be
/// there.
pub(super) fn outer(engine: Engine, plan: &Plan, from: Values, to: Values, dw: &mut [f32]) {
    let panels = panels::count(plan);
    let total = plan.phases.iter().map(|p| row_blocks(plan, p)).sum::<usize>() * panels * BLOCK;
    let pixels = plan.batch * plan.to.h * plan.to.w;
    if total == 0 || pixels == 0 {
        return dw.fill(0.0);
    }
    let parts = (pixels / (2 * POSITIONS)).clamp(1, PARTS.min(plan.batch));
    workspace::with(parts * total, |sums| {
        let call = Call { engine, plan, from, to, sums: Shared::new(&mut *sums), total, panels };
        run_tasks(&call, parts);
        let (first, others) = sums.split_at_mut(total);
        add_parts(first, others);
        scatter(plan, panels, first, dw);
    });
}

/// Splits by parts, and by panels where there are few parts.
fn run_tasks(call: &Call, parts: usize) {
    let tasks = TASKS_PER_THREAD * rayon::current_num_threads();
    let groups = tasks.div_ceil(parts).min(call.panels);
    let least = call.plan.tasks_worth_a_thread(parts * groups);
    (0..parts * groups).into_par_iter().with_min_len(least).for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part * call.plan.batch / parts..(part + 1) * call.plan.batch / parts;
        let panels = group * call.panels / groups..(group + 1) * call.panels / groups;
        let session = Session::begin(call.engine);
        let mut at = part * call.total;
        for phase in &call.plan.phases {
            if !phase.taps.is_empty() {
                run_phase(call, &session, phase, images.clone(), panels.clone(), at);
            }
            at += row_blocks(call.plan, phase) * call.panels * BLOCK;
        }
    });
}

/// One phase of a range of images and panels; its sums begin at number `at`.
fn run_phase(call: &Call, session: &Session, phase: &Phase, images: Range<usize>, panels: Range<usize>, at: usize) {
    let per_image = phase.rows * phase.cols;
    let (group, band) = if per_image > POSITIONS {
        (1, POSITIONS.div_ceil(phase.cols))
    } else {
        ((POSITIONS / per_image.max(1)).max(1), phase.rows)
    };
    let mut accumulate = false;
    for first in images.clone().step_by(group) {
        for line in (0..phase.rows).step_by(band) {
            let block = Block {
                images: first..(first + group).min(images.end),
                lines: line..(line + band).min(phase.rows),
                panels: panels.clone(),
                at,
                accumulate,
            };
            run_block(call, session, phase, &block);
            accumulate = true;
        }
    }
}

/// Some lines of some images, and the panels of destination channels to do.
struct Block {
    images: Range<usize>,
    lines: Range<usize>,
    panels: Range<usize>,
    /// Where the phase's sums begin.
    at: usize,
    accumulate: bool,
}

fn run_block(call: &Call, session: &Session, phase: &Phase, block: &Block) {
    let plan = call.plan;
    let (lines, images) = (block.lines.clone(), block.images.len());
    let (few, depth) = (im2col(plan), Depth::of(plan, phase));
    let grid = if few {
        Grid::of_columns(phase, lines, images)
    } else {
        Grid::new(plan, std::slice::from_ref(phase), lines, images)
    };
    let stride = source::channel_stride(grid.classes.len() * grid.class_len);
    let rows_len = source::channel_rows(plan, depth) * stride / 2;
    let pairs_len = source::pairs_len(&grid, block.panels.len());
    workspace::with(rows_len + pairs_len, |buffer| {
        let (rows, pairs) = convert::as_pairs(buffer).split_at_mut(rows_len);
        source::pairs(plan, phase, &grid, block.images.start, call.to, block.panels.clone(), pairs);
        if few {
            let first = (block.images.start, block.lines.start * phase.cols);
            source::channels_of_columns(plan, phase, &grid, first, call.from, stride, rows);
        } else {
            source::channels(plan, &grid, block.images.start, call.from, stride, rows);
        }
        let steps: Vec<usize> = (0..grid.positions()).step_by(STEP).map(|p| 2 * p).collect();
        let offsets: Vec<usize> = phase.taps.iter().map(|tap| if few { 0 } else { grid.offset(tap) }).collect();
        let operands = Operands { rows, stride, pairs, steps: &steps };
        operands.multiply(call, session, phase, block, &offsets);
    });
}

/// What a block of positions multiplies.
struct Operands<'a> {
    /// The source, `stride` values from channel to channel, two in a pair.
    rows: &'a [u32],
    stride: usize,
    /// The destination, panel after panel.
    pairs: &'a [u32],
    /// Bytes from a tap's offset to each step.
    steps: &'a [usize],
}

impl Operands<'_> {
    /// All taps and channels, panel by panel: 32 channels of rows stay near while taps pass.
    fn multiply(&self, call: &Call, session: &Session, phase: &Phase, block: &Block, offsets: &[usize]) {
        let plan = call.plan;
        let depth = Depth::of(plan, phase);
        let (taps, values) = if im2col(plan) { (1, offsets.len() * plan.from.c) } else { (offsets.len(), plan.from.c) };
        let panel_len = self.steps.len() * STEP_PAIRS;
        for (local, panel) in block.panels.clone().enumerate() {
            let columns = &self.pairs[local * panel_len..][..panel_len];
            let width = SIDE.min(plan.to.c - panel * SIDE);
            for first in (0..values).step_by(SIDE) {
                for (tap, &offset) in offsets.iter().enumerate().take(taps) {
                    let row_block = (tap * depth.spread + first) / SIDE;
                    let height = SIDE.min(values - first);
                    let at = block.at + (row_block * call.panels + panel) * BLOCK;
                    let row = |tile: usize| self.row(first + tile * SIDE / 2, offset);
                    let product = Product {
                        rows: [row(0), row(usize::from(height > SIDE / 2))],
                        stride: 2 * self.stride,
                        steps: self.steps,
                        columns: columns.as_ptr(),
                        // SAFETY: the block's sums lie inside the part's.
                        sums: unsafe { call.sums.rows(at, SIDE, SIDE, SIDE) },
                        accumulate: block.accumulate,
                        tiles: [height.div_ceil(SIDE / 2), width.div_ceil(SIDE / 2)],
                    };
                    // SAFETY: `row` has checked all that rows read; `columns` is a whole panel; the sums are a whole
                    // block of this task's part and panels, which no other task has.
                    unsafe { session.multiply(&product) };
                }
            }
        }
    }

    /// Where a tile of 16 channels begins that a tap reads at `offset`; all its steps are inside the rows.
    fn row(&self, channel: usize, offset: usize) -> *const u16 {
        let first = channel * self.stride + offset;
        let end = first + (SIDE / 2 - 1) * self.stride + self.steps.len() * STEP;
        assert!(end <= 2 * self.rows.len(), "a tile would end at {end}, the rows at {}", 2 * self.rows.len());
        self.rows.as_ptr().cast::<u16>().wrapping_add(first)
    }
}

/// From blocks of sums to the gradient of each kernel pixel, in the weights' layout.
fn scatter(plan: &Plan, panels: usize, sums: &[f32], dw: &mut [f32]) {
    let (inputs, outputs) = (plan.from.c, plan.to.c);
    let (along_c, along_n) = plan.weight_strides();
    dw.par_chunks_mut(inputs * outputs).enumerate().for_each(|(k, dw)| {
        dw.fill(0.0);
        let mut phase_sums = sums;
        for phase in &plan.phases {
            let (here, rest) = phase_sums.split_at(row_blocks(plan, phase) * panels * BLOCK);
            phase_sums = rest;
            let spread = Depth::of(plan, phase).spread;
            for (t, _) in phase.taps.iter().enumerate().filter(|(_, tap)| tap.kernels.contains(&k)) {
                for c in 0..inputs {
                    let row = t * spread + c;
                    let blocks = &here[(row / SIDE * panels) * BLOCK + row % SIDE * SIDE..];
                    for first in (0..outputs).step_by(SIDE) {
                        let sums = &blocks[first / SIDE * BLOCK..][..SIDE.min(outputs - first)];
                        let dw = dw[c * along_c + first * along_n..].iter_mut().step_by(along_n);
                        dw.zip(sums).for_each(|(d, s)| *d += s);
                    }
                }
            }
        }
    });
}
