//! Forward pass and input gradient (fprop and dgrad) on blocks of 32 x 32 sums; a plan is one or the other. A block is 32
//! destination pixels of one phase times 32 destination channels. Each task has some images, which it rounds and lays out
//! once for all phases; each pair of tiles then meets all panels of weights, which follow one another in memory while the
//! pixels stay in the first-level cache. A tile begins at any destination pixel and covers the 16 positions from there on,
//! also past the end of a line; positions without a pixel are computed and dropped (2 of 16 on 14 x 14 images under a 3x3
//! kernel).

use super::finish::{self, NONE, Output, Then};
use super::grid::{self, Grid};
use super::product::{Made, Product, Session, TILE_SUMS};
use super::{Depth, ROWS, SIDE, STEP_PAIRS, few_channels, panels, source};
use crate::bf16;
use crate::engines::shared::Shared;
use crate::im2col::Position;
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use crate::stored::{Values, ValuesMut};
use rayon::prelude::*;
use std::ops::Range;

/// Destination pixels of a phase that a task has about, so that weights read from afar serve many pixels.
const PIXELS: usize = 768;
/// Destination pixels that a task has at least, where there are as many: two blocks.
const LEAST_PIXELS: usize = 2 * SIDE;
/// Tasks that a call is split into at least, where its size allows.
const TASKS: usize = 16;

/// A plan whose weights are laid out.
pub(super) struct Ready<'a> {
    unit: Bf16Unit,
    plan: &'a Plan,
    /// Panels of all phases.
    packed: &'a [u32],
    /// Bias, padded with zeros to whole panels.
    bias: &'a [f32],
}

/// One call, as its tasks see it.
struct Call<'a> {
    ready: &'a Ready<'a>,
    x: Values<'a>,
    then: Then<'a>,
    y: Output<'a>,
}

impl<'a> std::ops::Deref for Call<'a> {
    type Target = Ready<'a>;

    fn deref(&self) -> &Ready<'a> {
        self.ready
    }
}

/// Lays out the weights of a plan, for `work` to run it. The processor must have the unit.
pub(super) fn with_weights<R>(
    unit: Bf16Unit,
    plan: &Plan,
    w: &[f32],
    bias: Option<&[f32]>,
    work: impl FnOnce(&Ready) -> R,
) -> R {
    let packed_len = panels::total(plan);
    let columns = panels::count(plan) * SIDE;
    let ordered = by_class(plan);
    let plan = ordered.as_ref().unwrap_or(plan);
    workspace::with(packed_len + columns, |buffer| {
        let (packed, padded_bias) = buffer.split_at_mut(packed_len);
        let packed = bf16::as_pairs(packed);
        panels::pack(plan, w, packed);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        work(&Ready { unit, plan, packed, bias: padded_bias })
    })
}

impl Ready<'_> {
    /// `y = then(plan(x, w) + bias)` for all images; `y` is written completely.
    pub(super) fn run(&self, x: Values, then: Then, y: ValuesMut) {
        run_tasks(&Call { ready: self, x, then, y: Output::new(y) });
    }

    /// [`Self::run`] for the images of `x`, on this thread.
    pub(super) fn run_here(&self, x: Values, then: Then, y: ValuesMut) {
        let images = x.len() / self.plan.from.len().max(1);
        let session = Session::begin(self.unit);
        let call = Call { ready: self, x, then, y: Output::new(y) };
        run_task(&call, &session, 0..images, 0..panels::count(self.plan));
    }
}

/// The plan with taps in the order of their classes, where there are several: neighbours then read nearly the same pixels,
/// which are still in the first-level cache.
fn by_class(plan: &Plan) -> Option<Plan> {
    (plan.step != [1, 1] && !few_channels(plan)).then(|| {
        let mut plan = plan.clone();
        for phase in &mut plan.phases {
            phase.taps.sort_by_key(|tap| (grid::class(plan.step, tap), tap.y, tap.x));
        }
        plan
    })
}

/// Splits by images, and by panels where there are few images' worth of pixels.
fn run_tasks(call: &Call) {
    let plan = call.plan;
    let pixels = plan.phases.iter().map(|p| p.rows * p.cols).max().unwrap_or(1).max(1);
    let images = plan.batch.div_ceil(TASKS).clamp(LEAST_PIXELS.div_ceil(pixels), PIXELS.div_ceil(pixels));
    let image_tasks = plan.batch.div_ceil(images);
    let panels = panels::count(plan);
    let panel_tasks = TASKS.div_ceil(image_tasks).min(panels);
    let tasks = image_tasks * panel_tasks;
    (0..tasks).into_par_iter().with_min_len(plan.tasks_worth_a_thread(tasks)).for_each(|task| {
        let (image, panel) = (task / panel_tasks, task % panel_tasks);
        let images = image * images..((image + 1) * images).min(plan.batch);
        let panels = panel * panels / panel_tasks..(panel + 1) * panels / panel_tasks;
        run_task(call, &Session::begin(call.unit), images, panels);
    });
}

fn run_task(call: &Call, session: &Session, images: Range<usize>, panels: Range<usize>) {
    if few_channels(call.plan) {
        run_columns(call, session, images, panels);
    } else {
        run_images(call, session, images, panels);
    }
}

/// The source is laid out once and read at every tap.
fn run_images(call: &Call, session: &Session, images: Range<usize>, panels: Range<usize>) {
    let plan = call.plan;
    let lines = plan.phases.iter().map(|p| p.rows).max().unwrap_or(0);
    let grid = Grid::new(plan, &plan.phases, 0..lines, images.len());
    let spread = plan.phases.first().map_or(0, |p| Depth::of(plan, p).spread);
    let stride = source::pixel_stride(spread);
    let len = grid.classes.len() * grid.class_len * stride;
    workspace::with(len.div_ceil(2), |buffer| {
        let pixels = &mut bf16::as_halves(buffer)[..len];
        source::pixels(plan, &grid, images.start, call.x, stride, pixels);
        let mut packed = call.packed;
        for phase in &plan.phases {
            let (weights, rest) = packed.split_at(panels::len(plan, phase) * panels::count(plan));
            packed = rest;
            let steps: Vec<usize> = phase
                .taps
                .iter()
                .flat_map(|tap| {
                    let first = grid.offset(tap) * stride;
                    (0..spread).step_by(super::STEP).map(move |c| 2 * (first + c))
                })
                .collect();
            let work = Work { call, phase, weights, pixels, stride, steps: &steps };
            work.run(session, &grid, images.clone(), panels.clone());
        }
    });
}

/// The source is laid out for each phase through im2col.
fn run_columns(call: &Call, session: &Session, images: Range<usize>, panels: Range<usize>) {
    let plan = call.plan;
    let mut packed = call.packed;
    for phase in &plan.phases {
        let (weights, rest) = packed.split_at(panels::len(plan, phase) * panels::count(plan));
        packed = rest;
        let grid = Grid::of_columns(phase, 0..phase.rows, images.len());
        let depth = Depth::of(plan, phase);
        let stride = source::pixel_stride(depth.values);
        let len = grid.class_len * stride;
        workspace::with(len.div_ceil(2), |buffer| {
            let pixels = &mut bf16::as_halves(buffer)[..len];
            source::columns(plan, phase, &grid, images.start, call.x, stride, pixels);
            let steps: Vec<usize> = (0..depth.steps()).map(|s| 2 * super::STEP * s).collect();
            let work = Work { call, phase, weights, pixels, stride, steps: &steps };
            work.run(session, &grid, images.clone(), panels.clone());
        });
    }
}

/// A tile: its first position, and where in `y` each of its pixels begins.
struct Tile {
    first: usize,
    targets: [usize; ROWS],
}

/// One phase of a task.
struct Work<'a> {
    call: &'a Call<'a>,
    phase: &'a Phase,
    /// All panels of the phase.
    weights: &'a [u32],
    /// The source, `stride` values from pixel to pixel.
    pixels: &'a [u16],
    stride: usize,
    /// Bytes from a position's pixel to what each step reads.
    steps: &'a [usize],
}

impl Work<'_> {
    fn run(&self, session: &Session, grid: &Grid, images: Range<usize>, panels: Range<usize>) {
        let tiles = self.tiles(grid, images);
        let panel_len = self.steps.len() * STEP_PAIRS;
        let along = self.along(session);
        let [mut sums, mut made] = [Sums([0.0; SIDE * SIDE]), Sums([0.0; SIDE * SIDE])];
        let (mut sums, mut made) = (&mut sums, &mut made);
        workspace::with(self.call.plan.to.c.div_ceil(2), |dropped| {
            let dropped = bf16::as_halves(dropped);
            let mut targets = [[dropped.as_mut_ptr(); 2 * ROWS]; 2];
            // A block's sums are finished while the next one is multiplied: the processor does both at a time.
            let mut waiting: Option<Waiting> = None;
            for (nth, pair) in tiles.chunks(2).enumerate() {
                let row = |tile: &Tile| {
                    // Every tile reads whole steps of 16 neighbouring pixels.
                    let at = tile.first * self.stride;
                    self.pixels[at..at + self.reach()].as_ptr()
                };
                let first = row(&pair[0]);
                let rows = [first, pair.get(1).map_or(first, row)];
                if let Some((y, _)) = along {
                    targets[nth % 2] = pointers(pair, y, dropped.as_mut_ptr());
                }
                for panel in panels.clone() {
                    let columns = &self.weights[panel * panel_len..][..panel_len];
                    let width = SIDE.min(self.call.plan.to.c - panel * SIDE);
                    let product = Product {
                        rows,
                        stride: 2 * self.stride,
                        steps: self.steps,
                        columns: [columns.as_ptr(), columns.as_ptr().wrapping_add(STEP_PAIRS / 2)],
                        advance: STEP_PAIRS,
                        sums: sums.0.as_mut_ptr(),
                        accumulate: false,
                        tiles: if along.is_some() { [2, 2] } else { [pair.len(), width.div_ceil(ROWS)] },
                    };
                    match (along, &waiting) {
                        (Some((_, below)), Some(before)) => {
                            let first = before.panel * SIDE;
                            let made = Made {
                                sums: &made.0,
                                targets: &targets[before.nth % 2],
                                offset: first * size_of::<u16>(),
                                bias: &self.call.bias[first..first + SIDE],
                                below,
                            };
                            // SAFETY: as below; `made` is a whole block whose targets are this task's pixels, of which
                            // no other task has these channels, or the memory for dropped ones, which has as many.
                            unsafe { session.multiply_finishing(&product, &made) };
                        }
                        (_, before) => {
                            // SAFETY: `reach` covers 16 rows at every step from each tile's first pixel on; `columns` is a
                            // whole panel, `sums` a whole block.
                            unsafe { session.multiply(&product) };
                            if let Some(before) = before {
                                self.finish(before, made);
                            }
                        }
                    }
                    waiting = Some(Waiting { nth, panel, pair });
                    std::mem::swap(&mut sums, &mut made);
                }
            }
            if let Some(before) = &waiting {
                self.finish(before, made);
            }
        });
    }

    /// Where results go, and what is below 0 is multiplied with, if blocks can be finished along with the next one: whole
    /// panels, as many steps as that takes, and a simple activation.
    fn along(&self, session: &Session) -> Option<(Shared<'_, u16>, f32)> {
        let whole = self.call.plan.to.c.is_multiple_of(SIDE) && self.steps.len() >= ROWS;
        match (self.call.y, self.call.then.factor_below()) {
            (Output::Bf16(y), Some(below)) if whole && below <= 1.0 && session.finishes_along() => Some((y, below)),
            _ => None,
        }
    }

    /// Values from a tile's first pixel to the end of what it reads.
    fn reach(&self) -> usize {
        self.steps.iter().max().map_or(0, |s| s / 2 + (ROWS - 1) * self.stride + super::STEP)
    }

    /// As few tiles as cover all pixels of the phase.
    fn tiles(&self, grid: &Grid, images: Range<usize>) -> Vec<Tile> {
        let (plan, phase) = (self.call.plan, self.phase);
        let pixels = images.len() * phase.rows * phase.cols;
        let mut tiles: Vec<Tile> = Vec::with_capacity(pixels / ROWS * 5 / 4 + 1);
        let mut at = Position::new(phase, 0);
        for _ in 0..pixels {
            let position = grid.position(at.image, at.i, at.j);
            let target = images.start * plan.to.len() + at.to(plan, phase);
            match tiles.last_mut() {
                Some(tile) if position < tile.first + ROWS => tile.targets[position - tile.first] = target,
                _ => {
                    let mut tile = Tile { first: position, targets: [NONE; ROWS] };
                    tile.targets[0] = target;
                    tiles.push(tile);
                }
            }
            at.advance(phase);
        }
        tiles
    }

    /// A block's sums to the channels of its pixels.
    fn finish(&self, made: &Waiting, sums: &Sums) {
        let first = made.panel * SIDE;
        let width = SIDE.min(self.call.plan.to.c - first);
        let bias = &self.call.bias[first..first + width];
        let (left, right) = sums.0.split_at(2 * TILE_SUMS);
        for ((tile, left), right) in made.pair.iter().zip(left.chunks(TILE_SUMS)).zip(right.chunks(TILE_SUMS)) {
            finish::finish(self.call.then, [left, right], bias, &tile.targets, self.call.y, first);
        }
    }
}

/// A block of sums.
#[repr(align(2048))]
struct Sums([f32; SIDE * SIDE]);

/// The tiles and the panel of a block that is made but not finished; the pair of tiles is number `nth`.
struct Waiting<'a> {
    nth: usize,
    panel: usize,
    pair: &'a [Tile],
}

/// Where the pixels of two tiles begin; `dropped` for a row without one.
fn pointers(pair: &[Tile], y: Shared<u16>, dropped: *mut u16) -> [*mut u16; 2 * ROWS] {
    let mut pointers = [dropped; 2 * ROWS];
    let targets = pair.iter().flat_map(|tile| tile.targets);
    for (pointer, target) in pointers.iter_mut().zip(targets).filter(|(_, target)| *target != NONE) {
        // SAFETY: a pixel of `y` begins there.
        *pointer = unsafe { y.rows(target, 1, 0, 1) };
    }
    pointers
}
