//! The weight gradient on blocks of 32 x 32 sums: 32 destination channels times 32 source channels of one tap, over
//! positions as steps. Block by block of about 256 positions, destination pixels are laid out channel by channel, tile
//! after tile, and source pixels in pairs, once from an even index on and once from an odd one; zeros where none stands.
//! Every tap then reads the same pairs at another offset, always whole cache lines, one behind the other. The images are
//! split into a fixed number of parts with sums of their own, which are added in order at the end.

use super::grid::Grid;
use super::product::{Engine, Product, Session};
use super::{Depth, ROWS, SIDE, STEP, convert, im2col, panels, source};
use crate::outer::add_parts;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use crate::tiled::shared::Shared;
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Positions of a block, about: 32 rows and 32 columns of them take 16 KB each, in the first-level cache together, and a
/// block's sums are loaded and stored once.
const POSITIONS: usize = 256;
/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 4;
/// Sums of a block.
const BLOCK: usize = SIDE * SIDE;

/// One call, as its tasks see it.
struct Call<'a> {
    engine: Engine,
    plan: &'a Plan,
    from: Values<'a>,
    to: Values<'a>,
    /// Sums of all parts: `[part][phase][32 source values][panel]` blocks, rows destination channels, columns source values.
    sums: Shared<'a>,
    /// Sums of one part.
    total: usize,
    panels: usize,
}

/// Blocks of source values of a phase.
fn value_blocks(plan: &Plan, phase: &Phase) -> usize {
    Depth::of(plan, phase).values.div_ceil(SIDE)
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`; `dw` is written completely. The engine's instructions must be
/// there.
pub(super) fn outer(engine: Engine, plan: &Plan, from: Values, to: Values, dw: &mut [f32]) {
    let panels = panels::count(plan);
    let total = plan.phases.iter().map(|p| value_blocks(plan, p)).sum::<usize>() * panels * BLOCK;
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

/// Splits by parts, and by panels where there are fewer parts than threads: how panels are grouped changes no sum, but each
/// group lays the source out again.
fn run_tasks(call: &Call, parts: usize) {
    let groups = rayon::current_num_threads().div_ceil(parts).min(call.panels);
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
            at += value_blocks(call.plan, phase) * call.panels * BLOCK;
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
    let (values, copies) = if few { (phase.taps.len() * plan.from.c, 1) } else { (plan.from.c, 2) };
    let steps = grid.positions().div_ceil(STEP);
    let rows_len = 2 * block.panels.len() * steps * source::TILE;
    workspace::with(rows_len + source::pairs_len(&grid, values, copies), |buffer| {
        let (rows, pairs) = convert::as_pairs(buffer).split_at_mut(rows_len);
        source::channels(plan, phase, &grid, block.images.start, call.to, block.panels.clone(), rows);
        if few {
            let first = (block.images.start, block.lines.start * phase.cols);
            source::pairs_of_columns(plan, phase, &grid, first, call.from, pairs);
        } else {
            source::pairs(plan, &grid, block.images.start, call.from, pairs);
        }
        let offsets: Vec<usize> = if few { vec![0] } else { phase.taps.iter().map(|tap| grid.offset(tap)).collect() };
        let steps: Vec<usize> = (0..steps).map(|s| s * size_of::<[u32; source::TILE]>()).collect();
        let pairs_each = source::index_pairs(&grid);
        let operands = Operands { rows, pairs, pairs_each, values, spread: depth.spread, steps: &steps };
        operands.multiply(call, session, block, &offsets);
    });
}

/// What a block of positions multiplies.
struct Operands<'a> {
    /// The destination, tile after tile of the block's panels.
    rows: &'a [u32],
    /// The source, tile after tile of 16 values: pairs from an even index on, then, where there are taps, those from an odd
    /// one on.
    pairs: &'a [u32],
    /// Pairs of indices of a tile.
    pairs_each: usize,
    /// Source values of a tap.
    values: usize,
    /// From tap to tap in the sums.
    spread: usize,
    /// Bytes from a tile's beginning to each step.
    steps: &'a [usize],
}

impl Operands<'_> {
    /// All taps and values, panel by panel: the panel's rows stay near while the source passes.
    fn multiply(&self, call: &Call, session: &Session, block: &Block, offsets: &[usize]) {
        let tile_len = self.steps.len() * source::TILE;
        for (local, panel) in block.panels.clone().enumerate() {
            let rows = &self.rows[2 * local * tile_len..][..2 * tile_len];
            let height = SIDE.min(call.plan.to.c - panel * SIDE);
            for first in (0..self.values).step_by(SIDE) {
                let width = SIDE.min(self.values - first);
                for (tap, &offset) in offsets.iter().enumerate() {
                    let value_block = (tap * self.spread + first) / SIDE;
                    let at = block.at + (value_block * call.panels + panel) * BLOCK;
                    let product = Product {
                        rows: [rows.as_ptr().cast(), rows[tile_len..].as_ptr().cast()],
                        stride: size_of::<[u32; ROWS]>(),
                        steps: self.steps,
                        columns: [self.columns(first, offset), self.columns(first + width / (ROWS + 1) * ROWS, offset)],
                        advance: ROWS * ROWS,
                        // SAFETY: the block's sums lie inside the part's.
                        sums: unsafe { call.sums.rows(at, SIDE, SIDE, SIDE) },
                        accumulate: block.accumulate,
                        tiles: [height.div_ceil(ROWS), width.div_ceil(ROWS)],
                    };
                    // SAFETY: `rows` are two tiles of whole steps; `columns` has checked all that it covers; the sums are a
                    // whole block of this task's part and panels, which no other task has.
                    unsafe { session.multiply(&product) };
                }
            }
        }
    }

    /// Where the pairs of a tile of values begin at index `offset`; all steps are inside.
    fn columns(&self, value: usize, offset: usize) -> *const u32 {
        let (odd, first) = (offset % 2, offset / 2);
        let end = first + self.steps.len() * ROWS;
        assert!(end <= self.pairs_each, "a tile would end at pair {end} of {}", self.pairs_each);
        let tiles = self.values.div_ceil(ROWS);
        let tile = &self.pairs[(odd * tiles + value / ROWS) * self.pairs_each * ROWS..][..self.pairs_each * ROWS];
        tile[first * ROWS..].as_ptr()
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
            let (here, rest) = phase_sums.split_at(value_blocks(plan, phase) * panels * BLOCK);
            phase_sums = rest;
            let spread = Depth::of(plan, phase).spread;
            for (t, _) in phase.taps.iter().enumerate().filter(|(_, tap)| tap.kernels.contains(&k)) {
                // Tile by tile; under im2col a tap may begin inside one.
                let mut c = 0;
                while c < inputs {
                    let value = t * spread + c;
                    let width = (ROWS - value % ROWS).min(inputs - c);
                    let blocks = &here[value / SIDE * panels * BLOCK..][..panels * BLOCK];
                    for n in 0..outputs {
                        let tile = n / SIDE * 4 + value % SIDE / ROWS * 2 + n % SIDE / ROWS;
                        let sums = &blocks[(tile * ROWS + n % ROWS) * ROWS + value % ROWS..][..width];
                        let dw = dw[c * along_c + n * along_n..].iter_mut().step_by(along_c);
                        dw.zip(sums).for_each(|(d, s)| *d += s);
                    }
                    c += width;
                }
            }
        }
    });
}
