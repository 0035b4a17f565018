//! The weight gradient (wgrad) on blocks of 32 x 32 sums: 32 destination channels times 32 source channels of one tap, over
//! positions as steps. Some images or lines at a time, source pixels are laid out in pairs, once from an even index on and
//! once from an odd one, and the destination pixels of one phase after the other channel by channel, tile after tile; zeros
//! where there is none. Every tap then reads the same pairs at another offset, always whole cache lines, one behind the other.
//! Sources of few channels go through im2col, and change places: they are laid out value by value, the destination in pairs.
//! The images are split into a fixed number of parts with sums of their own, which are added in order at the end.

use super::grid::Grid;
use super::product::{Product, Session};
use super::source::Destination;
use super::{Depth, ROWS, SIDE, STEP, few_channels, im2col, panels, source};
use crate::activation;
use crate::bf16;
use crate::engines::partial_sums::add_parts;
use crate::engines::shared::Shared;
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use rayon::prelude::*;
use std::ops::Range;

/// Steps of a block: its 32 rows and 32 columns of 256 positions take 16 KB each, in the first-level cache together, and a
/// block's sums are loaded and stored once.
const STEPS: usize = 8;
/// Destination pixels that are laid out at a time, at most.
const PIXELS: usize = 1024;
/// Pairs of the source that are laid out at a time, about: half a megabyte, so that they stay in the second-level cache with
/// as many of the destination's and the sums of a panel.
const PAIRS: usize = 1 << 17;
/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 4;
/// Sums of a block.
const BLOCK: usize = SIDE * SIDE;

/// The sums of a weight gradient while they are made.
pub(super) struct Sums<'a> {
    unit: Bf16Unit,
    plan: &'a Plan,
    /// Sums of all parts: `[part][phase][32 source values][panel]` blocks, rows destination channels, columns source values;
    /// under im2col the other way round.
    sums: Shared<'a>,
    /// Sums of `to` over each part's pixels, `[part][destination channel]`, where they are wanted.
    pixel_sums: Option<Shared<'a>>,
    /// Sums of one part.
    total: usize,
    panels: usize,
    parts: usize,
}

/// Images to add to them, as a task sees them.
struct Call<'a> {
    all: &'a Sums<'a>,
    from: Values<'a>,
    to: Values<'a>,
}

impl<'a> std::ops::Deref for Call<'a> {
    type Target = Sums<'a>;

    fn deref(&self) -> &Sums<'a> {
        self.all
    }
}

/// Blocks of source values of a phase.
fn value_blocks(plan: &Plan, phase: &Phase) -> usize {
    Depth::of(plan, phase).values.div_ceil(SIDE)
}

/// Parts that a batch of images is split into.
pub(super) fn parts(plan: &Plan) -> usize {
    let pixels = plan.batch * plan.to.h * plan.to.w;
    (pixels / (2 * STEPS * STEP)).clamp(1, PARTS.min(plan.batch))
}

/// The images of a part.
pub(super) fn part_of(batch: usize, parts: usize, part: usize) -> Range<usize> {
    part * batch / parts..(part + 1) * batch / parts
}

/// Number of the `images` images of a part that are laid out at a time.
pub(super) fn at_once(plan: &Plan, images: usize) -> usize {
    pieces(plan, images).0
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`, and `db` that of `to` alone; both are written completely. The processor
/// must have the unit.
pub(crate) fn run(unit: Bf16Unit, plan: &Plan, from: Values, to: Values, dw: &mut [f32], db: Option<&mut [f32]>) {
    let pixels = plan.batch * plan.to.h * plan.to.w;
    // A phase without taps has pixels that no product looks at.
    let all_seen = pixels > 0 && plan.from.c > 0 && plan.phases.iter().all(|phase| !phase.taps.is_empty());
    let (along, alone) = if all_seen { (db, None) } else { (None, db) };
    if let Some(db) = alone {
        activation::bias_grad(to, db);
    }
    with_sums(unit, plan, dw, along, |sums| sums.add_all(from, to));
}

/// The sums that `work` makes, in the weights' layout.
pub(super) fn with_sums(
    unit: Bf16Unit,
    plan: &Plan,
    dw: &mut [f32],
    along: Option<&mut [f32]>,
    work: impl FnOnce(&Sums),
) {
    let panels = panels::count(plan);
    let total = plan.phases.iter().map(|p| value_blocks(plan, p)).sum::<usize>() * panels * BLOCK;
    let pixels = plan.batch * plan.to.h * plan.to.w;
    if total == 0 || pixels == 0 {
        return dw.fill(0.0);
    }
    let parts = parts(plan);
    let channels = if along.is_some() { plan.to.c } else { 0 };
    workspace::with(parts * (total + channels), |buffer| {
        let (sums, pixel_sums) = buffer.split_at_mut(parts * total);
        pixel_sums.fill(0.0);
        let shared = along.is_some().then(|| Shared::new(&mut *pixel_sums));
        let shared_sums = Shared::new(&mut *sums);
        work(&Sums { unit, plan, sums: shared_sums, pixel_sums: shared, total, panels, parts });
        let (first, others) = sums.split_at_mut(total);
        add_parts(first, others);
        scatter(plan, panels, first, dw);
        for (c, db) in along.into_iter().flatten().enumerate() {
            *db = pixel_sums.iter().skip(c).step_by(channels).map(|s| f64::from(*s)).sum::<f64>() as f32;
        }
    });
}

impl Sums<'_> {
    /// All images.
    fn add_all(&self, from: Values, to: Values) {
        run_tasks(&Call { all: self, from, to });
    }

    /// Some images of a part, on this thread; `accumulate` is false for the first ones. The sums are those of all of them
    /// together where every call lays out the same images at a time as that would: whole multiples of [`at_once`], but for the last.
    ///
    /// # Safety
    /// No other thread adds to this part at the same time.
    pub(super) unsafe fn add_here(&self, part: usize, from: Values, to: Values, accumulate: bool) {
        assert!(part < self.parts, "part {part} of {}", self.parts);
        let images = from.len() / self.plan.from.len().max(1);
        let session = Session::begin(self.unit);
        run_part(&Call { all: self, from, to }, &session, part, 0..images, 0..self.panels, accumulate);
    }
}

/// Splits by parts, and by panels where there are fewer parts than threads: how panels are grouped changes no sum, but each
/// group lays the source out again.
fn run_tasks(call: &Call) {
    let parts = call.parts;
    let groups = rayon::current_num_threads().div_ceil(parts).min(call.panels);
    let least = call.plan.tasks_worth_a_thread(parts * groups);
    (0..parts * groups).into_par_iter().with_min_len(least).for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part_of(call.plan.batch, parts, part);
        let panels = group * call.panels / groups..(group + 1) * call.panels / groups;
        let session = Session::begin(call.unit);
        run_part(call, &session, part, images, panels, false);
    });
}

/// The largest of its phases' sizes, 1 at least.
fn most(plan: &Plan, of: fn(&Phase) -> usize) -> usize {
    plan.phases.iter().map(of).max().unwrap_or(0).max(1)
}

/// Number of `images` images, and of lines of each, that are laid out at a time.
fn pieces(plan: &Plan, images: usize) -> (usize, usize) {
    let (rows, cols) = (most(plan, |phase| phase.rows), most(plan, |phase| phase.cols));
    let pixels = if few_channels(plan) {
        STEPS * STEP
    } else {
        (PAIRS / (plan.from.c * plan.step[0] * plan.step[1])).clamp(STEPS * STEP, PIXELS)
    };
    // As many times as that takes, in shares of equal size.
    let share = |all: usize, most: usize| all.div_ceil(all.div_ceil(most.max(1)).max(1)).max(1);
    if rows * cols > pixels {
        (1, share(rows, pixels.div_ceil(cols)))
    } else {
        (share(images, pixels / (rows * cols)), rows)
    }
}

/// A range of images and panels.
fn run_part(
    call: &Call,
    session: &Session,
    part: usize,
    images: Range<usize>,
    panels: Range<usize>,
    mut accumulate: bool,
) {
    let (group, band) = pieces(call.plan, images.len());
    let rows = most(call.plan, |phase| phase.rows);
    for first in images.clone().step_by(group) {
        for line in (0..rows).step_by(band) {
            let piece = Piece {
                part,
                images: first..(first + group).min(images.end),
                lines: line..(line + band).min(rows),
                panels: panels.clone(),
                accumulate,
            };
            if few_channels(call.plan) {
                run_columns(call, session, &piece);
            } else {
                run_pixels(call, session, &piece);
            }
            accumulate = true;
        }
    }
}

/// Some lines of some images, and the panels of destination channels to do.
struct Piece {
    part: usize,
    images: Range<usize>,
    lines: Range<usize>,
    panels: Range<usize>,
    /// Whether there are sums to add to.
    accumulate: bool,
}

/// The phases of a part that have taps, each with the place of its sums.
fn phases<'a>(call: &'a Call, part: usize) -> impl Iterator<Item = (&'a Phase, usize)> {
    let mut next = part * call.total;
    let each = call.plan.phases.iter().map(move |phase| {
        let at = next;
        next += value_blocks(call.plan, phase) * call.panels * BLOCK;
        (phase, at)
    });
    each.filter(|(phase, _)| !phase.taps.is_empty())
}

/// The source is laid out once for all phases and read at every tap.
fn run_pixels(call: &Call, session: &Session, piece: &Piece) {
    let plan = call.plan;
    let grid = Grid::new(plan, &plan.phases, piece.lines.clone(), piece.images.len());
    let steps = grid.positions().div_ceil(STEP);
    let rows_len = 2 * piece.panels.len() * steps * source::TILE;
    workspace::with(rows_len + source::pairs_len(&grid, plan.from.c, 2), |buffer| {
        let (rows, pairs) = bf16::as_pairs(buffer).split_at_mut(rows_len);
        source::pairs(plan, &grid, piece.images.start, call.from, pairs);
        for (phase, at) in phases(call, piece.part) {
            lay_out_rows(call, phase, &grid, piece, rows);
            let offsets: Vec<usize> = phase.taps.iter().map(|tap| grid.offset(tap)).collect();
            let spread = Depth::of(plan, phase).spread;
            let pairs_each = source::index_pairs(&grid);
            let operands = Operands { rows, pairs, pairs_each, values: plan.from.c, spread, steps };
            operands.multiply(call, session, piece, at, &offsets);
        }
    });
}

/// The source is laid out for each phase through im2col. Its values are few, so they are what is laid out value by value, and
/// the destination's pixels stay in pairs: blocks have source values as rows and destination channels as columns.
fn run_columns(call: &Call, session: &Session, piece: &Piece) {
    let plan = call.plan;
    for (phase, at) in phases(call, piece.part) {
        let lines = piece.lines.start..piece.lines.end.min(phase.rows);
        if lines.is_empty() {
            // Its sums have been begun: a phase's first lines are in the first piece.
            continue;
        }
        let grid = Grid::of_columns(phase, lines.clone(), piece.images.len());
        let positions = grid.positions();
        let steps = positions.div_ceil(STEP);
        let values = phase.taps.len() * plan.from.c;
        let stride = values.next_multiple_of(SIDE);
        let channels = channels(plan, piece);
        let columns_len = (positions * stride + im2col::BEHIND).div_ceil(2);
        let rows_len = stride / ROWS * steps * source::TILE;
        workspace::with(columns_len + rows_len + source::pairs_len(&grid, channels.len(), 1), |buffer| {
            let (columns, rest) = buffer.split_at_mut(columns_len);
            let (rows, pairs) = bf16::as_pairs(rest).split_at_mut(rows_len);
            let columns = &mut bf16::as_halves(columns)[..positions * stride + im2col::BEHIND];
            im2col::fill(plan, phase, piece.images.clone(), lines, call.from, stride, columns);
            let start = |position| if position < positions { position * stride } else { source::NONE };
            source::by_channel(Values::Bf16(columns), stride, start, positions, rows, None);
            let sums = pixel_sums(call, piece);
            destination(call, phase, &grid, piece).pairs(channels, pairs, sums);
            multiply_columns(call, session, piece, at, [rows, pairs], [values, steps, source::index_pairs(&grid)]);
        });
    }
}

/// Blocks of source `rows` and destination `pairs`, whose tiles have `pairs_each` pairs.
fn multiply_columns(
    call: &Call,
    session: &Session,
    piece: &Piece,
    sums: usize,
    [rows, pairs]: [&[u32]; 2],
    [values, all_steps, pairs_each]: [usize; 3],
) {
    let tile_len = all_steps * source::TILE;
    let steps: [usize; STEPS] = std::array::from_fn(|s| s * size_of::<[u32; source::TILE]>());
    for (local, panel) in piece.panels.clone().enumerate() {
        let width = SIDE.min(call.plan.to.c - panel * SIDE);
        let tiles = width.div_ceil(ROWS);
        let columns = &pairs[2 * local * pairs_each * ROWS..][..tiles * pairs_each * ROWS];
        for first_step in (0..all_steps).step_by(STEPS) {
            let steps = &steps[..STEPS.min(all_steps - first_step)];
            for first in (0..values).step_by(SIDE) {
                let rows = &rows[first / ROWS * tile_len..][..2 * tile_len];
                let row = |tile: usize| rows[tile * tile_len + first_step * source::TILE..].as_ptr().cast();
                let column = |tile: usize| {
                    let from = &columns[(tile * pairs_each + first_step * ROWS) * ROWS..];
                    assert!(from.len() >= steps.len() * ROWS * ROWS, "a tile would end behind its pairs");
                    from.as_ptr()
                };
                let product = Product {
                    rows: [row(0), row(1)],
                    stride: size_of::<[u32; ROWS]>(),
                    steps,
                    columns: [column(0), column(tiles - 1)],
                    advance: ROWS * ROWS,
                    // SAFETY: the block's sums lie inside the part's.
                    sums: unsafe {
                        call.sums.rows(sums + (first / SIDE * call.panels + panel) * BLOCK, SIDE, SIDE, SIDE)
                    },
                    accumulate: piece.accumulate || first_step > 0,
                    tiles: [SIDE.min(values - first).div_ceil(ROWS), tiles],
                };
                // SAFETY: `rows` are two tiles, from whose beginnings there are as many whole steps; `column` has checked all
                // that it covers; the sums are a whole block of this task's part and panels, which no other task has.
                unsafe { session.multiply(&product) };
            }
        }
    }
}

/// The destination channels of a piece.
fn channels(plan: &Plan, piece: &Piece) -> Range<usize> {
    piece.panels.start * SIDE..plan.to.c.min(piece.panels.end * SIDE)
}

/// The sums of a piece's pixels, where those are wanted.
fn pixel_sums<'a>(call: &Call<'a>, piece: &Piece) -> Option<&'a mut [f32]> {
    let channels = channels(call.plan, piece);
    let first = piece.part * call.plan.to.c + channels.start;
    // SAFETY: the sums of this task's part and panels, which no other task has.
    call.pixel_sums.map(|sums| unsafe { sums.values(first, channels.len()) })
}

/// Lays out the destination pixels of a piece and a phase, and sums them where that is wanted.
fn lay_out_rows(call: &Call, phase: &Phase, grid: &Grid, piece: &Piece, rows: &mut [u32]) {
    destination(call, phase, grid, piece).channels(piece.panels.clone(), rows, pixel_sums(call, piece));
}

/// The destination pixels of a piece and a phase.
fn destination<'a>(call: &Call<'a>, phase: &'a Phase, grid: &'a Grid, piece: &Piece) -> Destination<'a> {
    Destination { plan: call.plan, phase, grid, image: piece.images.start, to: call.to }
}

/// What a piece multiplies in one phase.
struct Operands<'a> {
    /// The destination, tile after tile of the piece's panels.
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
    /// Steps of a tile.
    steps: usize,
}

impl Operands<'_> {
    /// Panel by panel, whose sums then stay near; some steps at a time, whose rows stay near while the source passes.
    fn multiply(&self, call: &Call, session: &Session, piece: &Piece, sums: usize, offsets: &[usize]) {
        let tile_len = self.steps * source::TILE;
        let steps: [usize; STEPS] = std::array::from_fn(|s| s * size_of::<[u32; source::TILE]>());
        for (local, panel) in piece.panels.clone().enumerate() {
            let rows = &self.rows[2 * local * tile_len..][..2 * tile_len];
            let height = SIDE.min(call.plan.to.c - panel * SIDE);
            for first_step in (0..self.steps).step_by(STEPS) {
                let steps = &steps[..STEPS.min(self.steps - first_step)];
                let rows = &rows[first_step * source::TILE..];
                for first in (0..self.values).step_by(SIDE) {
                    let width = SIDE.min(self.values - first);
                    for (tap, &offset) in offsets.iter().enumerate() {
                        let value_block = (tap * self.spread + first) / SIDE;
                        let at = sums + (value_block * call.panels + panel) * BLOCK;
                        let columns = |value: usize| self.columns(value, offset, first_step, steps.len());
                        let product = Product {
                            rows: [rows.as_ptr().cast(), rows[tile_len..].as_ptr().cast()],
                            stride: size_of::<[u32; ROWS]>(),
                            steps,
                            columns: [columns(first), columns(first + width / (ROWS + 1) * ROWS)],
                            advance: ROWS * ROWS,
                            // SAFETY: the block's sums lie inside the part's.
                            sums: unsafe { call.sums.rows(at, SIDE, SIDE, SIDE) },
                            accumulate: piece.accumulate || first_step > 0,
                            tiles: [height.div_ceil(ROWS), width.div_ceil(ROWS)],
                        };
                        // SAFETY: `rows` are two tiles, from whose beginnings there are as many whole steps; `columns` has
                        // checked all that it covers; the sums are a whole block of this task's part and panels, which no
                        // other task has.
                        unsafe { session.multiply(&product) };
                    }
                }
            }
        }
    }

    /// Where the pairs of a tile of values begin that are read at index `offset` from step number `first_step` on; all steps are
    /// inside.
    fn columns(&self, value: usize, offset: usize, first_step: usize, steps: usize) -> *const u32 {
        let (odd, first) = (offset % 2, offset / 2 + first_step * ROWS);
        let end = first + steps * ROWS;
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
    let few = few_channels(plan);
    dw.par_chunks_mut(inputs * outputs).enumerate().for_each(|(k, dw)| {
        dw.fill(0.0);
        let mut phase_sums = sums;
        for phase in &plan.phases {
            let (here, rest) = phase_sums.split_at(value_blocks(plan, phase) * panels * BLOCK);
            phase_sums = rest;
            let spread = Depth::of(plan, phase).spread;
            for (t, _) in phase.taps.iter().enumerate().filter(|(_, tap)| tap.kernels.contains(&k)) {
                // Value by value under im2col, where a tap may begin inside a tile and values are rows; else tile by tile.
                for c in (0..inputs).step_by(if few { 1 } else { ROWS }) {
                    let value = t * spread + c;
                    let width = if few { 1 } else { ROWS.min(inputs - c) };
                    let blocks = &here[value / SIDE * panels * BLOCK..][..panels * BLOCK];
                    for n in 0..outputs {
                        let (row, column) = if few { (value, n) } else { (n, value) };
                        let tile = n / SIDE * 4 + column % SIDE / ROWS * 2 + row % SIDE / ROWS;
                        let sums = &blocks[(tile * ROWS + row % ROWS) * ROWS + column % ROWS..][..width];
                        let dw = dw[c * along_c + n * along_n..].iter_mut().step_by(along_c);
                        dw.zip(sums).for_each(|(d, s)| *d += s);
                    }
                }
            }
        }
    });
}
