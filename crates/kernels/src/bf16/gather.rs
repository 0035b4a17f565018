//! Runs a plan on blocks of 32 x 32 sums: 32 destination pixels of one phase times 32 destination channels. Each task has
//! some images, which it rounds and lays out once for all phases; each panel of weights then meets all tiles of these
//! images. A tile begins at any destination pixel and covers the 16 positions from there on, also past the end of a line;
//! positions where no pixel stands are computed and dropped (2 of 16 on 14 x 14 images under a 3x3 kernel).

use super::grid::Grid;
use super::product::{Engine, Product, Session};
use super::{Depth, ROWS, SIDE, STEP_PAIRS, convert, im2col, panels, source};
use crate::activation::{Activation, for_each_activation};
use crate::gather::Position;
use crate::plan::{Phase, Plan};
use crate::stored::{Values, ValuesMut};
use crate::tiled::shared::Shared;
use crate::vectorise::vectorised;
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Destination pixels of a phase that a task has about, so that weights read from afar serve many pixels.
const PIXELS: usize = 768;
/// Destination pixels that a task has at least, where there are as many: two blocks.
const LEAST_PIXELS: usize = 2 * SIDE;
/// Tasks that a call is split into at least, where its size allows.
const TASKS: usize = 16;
/// Marks a row of a tile where no destination pixel stands.
const NONE: usize = usize::MAX;

/// One call, as its tasks see it.
struct Call<'a> {
    engine: Engine,
    plan: &'a Plan,
    x: Values<'a>,
    /// Panels of all phases.
    packed: &'a [u32],
    /// Bias, padded with zeros to whole panels.
    bias: &'a [f32],
    act: Activation,
    y: Output<'a>,
}

/// Where results go.
#[derive(Clone, Copy)]
enum Output<'a> {
    F32(Shared<'a>),
    Bf16(Shared<'a, u16>),
}

impl<'a> Output<'a> {
    fn new(y: ValuesMut<'a>) -> Self {
        match y {
            ValuesMut::F32(y) => Self::F32(Shared::new(y)),
            ValuesMut::Bf16(y) => Self::Bf16(Shared::new(y)),
        }
    }
}

/// `y = act(gather(x, w) + bias)`; `y` is written completely. The engine's instructions must be there.
pub(super) fn gather(
    engine: Engine,
    plan: &Plan,
    x: Values,
    w: &[f32],
    bias: Option<&[f32]>,
    act: Activation,
    y: ValuesMut,
) {
    let packed_len = panels::total(plan);
    let columns = panels::count(plan) * SIDE;
    workspace::with(packed_len + columns, |buffer| {
        let (packed, padded_bias) = buffer.split_at_mut(packed_len);
        let packed = convert::as_pairs(packed);
        panels::pack(plan, w, packed);
        padded_bias.fill(0.0);
        if let Some(bias) = bias {
            padded_bias[..bias.len()].copy_from_slice(bias);
        }
        run_tasks(&Call { engine, plan, x, packed, bias: padded_bias, act, y: Output::new(y) });
    });
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
        let session = Session::begin(call.engine);
        if im2col(plan) {
            run_columns(call, &session, images, panels);
        } else {
            run_images(call, &session, images, panels);
        }
    });
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
        let pixels = &mut convert::as_halves(buffer)[..len];
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
            let pixels = &mut convert::as_halves(buffer)[..len];
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
        // Every tile reads whole steps of 16 neighbouring pixels.
        let reach = self.steps.iter().max().map_or(0, |s| s / 2 + (ROWS - 1) * self.stride + super::STEP);
        workspace::with(SIDE * SIDE, |sums| {
            for panel in panels {
                let columns = &self.weights[panel * panel_len..][..panel_len];
                let width = SIDE.min(self.call.plan.to.c - panel * SIDE);
                for pair in tiles.chunks(2) {
                    let first = pair.iter().map(|tile| tile.first * self.stride);
                    let mut rows = first.map(|at| self.pixels[at..at + reach].as_ptr());
                    let row = rows.next().unwrap_or(self.pixels.as_ptr());
                    let product = Product {
                        rows: [row, rows.next().unwrap_or(row)],
                        stride: 2 * self.stride,
                        steps: self.steps,
                        columns: columns.as_ptr(),
                        sums: sums.as_mut_ptr(),
                        accumulate: false,
                        tiles: [pair.len(), width.div_ceil(ROWS)],
                    };
                    // SAFETY: `reach` covers 16 rows at every step from each tile's first pixel on; `columns` is a whole
                    // panel, `sums` a whole block.
                    unsafe { session.multiply(&product) };
                    self.finish(panel * SIDE, width, pair, sums);
                }
            }
        });
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

    /// Sums of the tiles to `width` channels of their pixels, from channel `first` on.
    fn finish(&self, first: usize, width: usize, tiles: &[Tile], sums: &[f32]) {
        let bias = &self.call.bias[first..first + width];
        for (tile, sums) in tiles.iter().zip(sums.chunks_exact(ROWS * SIDE)) {
            match self.call.y {
                Output::F32(y) => finish_tile(self.call.act, sums, bias, &tile.targets, (y, first)),
                Output::Bf16(y) => finish_rounded(self.call.act, sums, bias, &tile.targets, (y, first)),
            }
        }
    }
}

vectorised! {
    /// [`finish_rows`] with results as they are.
    fn finish_tile(act: Activation, sums: &[f32], bias: &[f32], targets: &[usize; ROWS], y: (Shared, usize)) {
        finish_rows(act, sums, bias, targets, y, |v| v);
    }
}

vectorised! {
    /// [`finish_rows`] with rounded results.
    fn finish_rounded(act: Activation, sums: &[f32], bias: &[f32], targets: &[usize; ROWS], y: (Shared<u16>, usize)) {
        finish_rows(act, sums, bias, targets, y, convert::bits);
    }
}

/// `y[target + first..] = stored(act(sums + bias))` for each row with a target: a pixel that no other task has in the panel
/// that begins at channel `first`.
#[inline(always)]
fn finish_rows<T: Copy>(
    act: Activation,
    sums: &[f32],
    bias: &[f32],
    targets: &[usize; ROWS],
    (y, first): (Shared<T>, usize),
    stored: impl Fn(f32) -> T,
) {
    for_each_activation!(act, |a| {
        for (row, target) in sums.chunks_exact(SIDE).zip(targets) {
            if *target != NONE {
                // SAFETY: the pixel at `target` lies in `y`, and these of its channels are this task's.
                let y = unsafe { y.values(target + first, bias.len()) };
                for ((y, s), b) in y.iter_mut().zip(row).zip(bias) {
                    *y = stored(a.apply(s + b));
                }
            }
        }
    });
}
