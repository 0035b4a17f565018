//! Images rounded to bf16 and laid out for tiles: pixel after pixel for `fprop`, whose tiles have pixels as rows. For the
//! weight gradient, whose steps are pixels, the destination channel after channel, and the source's pixels in pairs.

use super::grid::Grid;
use super::transpose::transpose;
use super::{ROWS, SIDE, STEP};
use crate::bf16;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use crate::vectorise::vectorised;
use std::ops::Range;

/// Values from one pixel to the next. Pixels a multiple of 2 KB apart would all fall into the same few sets of the
/// first-level cache.
pub(super) fn pixel_stride(values: usize) -> usize {
    if (2 * values).is_multiple_of(2048) { values + STEP } else { values }
}

/// Lays the source out pixel by pixel, `stride` values each; image 0 of the grid is image `image` of `x`.
pub(super) fn pixels(plan: &Plan, grid: &Grid, image: usize, x: Values, stride: usize, target: &mut [u16]) {
    let c = plan.from.c;
    for (nth, target) in target.chunks_exact_mut(grid.class_len * stride).enumerate() {
        let mut done = 0;
        for line in grid.stored(plan, nth) {
            let first = line.index * stride;
            target[done..first].fill(0);
            done = first + line.count * stride;
            let start = (image + line.image) * plan.from.len() + (line.y * plan.from.w + line.x) * c;
            if plan.step[1] == 1 && stride == c {
                to_bits(x.part(start..start + line.count * c), &mut target[first..done]);
                continue;
            }
            for (n, pixel) in target[first..done].chunks_exact_mut(stride).enumerate() {
                let start = start + n * plan.step[1] * c;
                to_bits(x.part(start..start + c), &mut pixel[..c]);
                pixel[c..].fill(0);
            }
        }
        target[done..].fill(0);
    }
}

/// Lays the source out through im2col: one pixel per destination pixel, with the values of all taps.
pub(super) fn columns(
    plan: &Plan,
    phase: &Phase,
    grid: &Grid,
    image: usize,
    x: Values,
    stride: usize,
    target: &mut [u16],
) {
    let pixels = grid.positions() * stride;
    super::im2col::fill(plan, phase, image..image + grid.images(), 0..phase.rows, x, stride, target);
    target[pixels..].fill(0);
}

/// Values to bf16 bits; equal lengths.
pub(super) fn to_bits(x: Values, target: &mut [u16]) {
    match x {
        Values::F32(x) => bf16::to_bits(x, target),
        Values::Bf16(x) => target.copy_from_slice(x),
    }
}

/// There is no pixel at this index.
pub(super) const NONE: usize = usize::MAX;

/// Where in `x` the pixel at each index begins.
fn starts(plan: &Plan, grid: &Grid, image: usize) -> Vec<usize> {
    let mut starts = vec![NONE; grid.classes.len() * grid.class_len];
    for nth in 0..grid.classes.len() {
        for line in grid.stored(plan, nth) {
            let first = (image + line.image) * plan.from.len() + (line.y * plan.from.w + line.x) * plan.from.c;
            let places = &mut starts[nth * grid.class_len + line.index..][..line.count];
            for (n, place) in places.iter_mut().enumerate() {
                *place = first + n * plan.step[1] * plan.from.c;
            }
        }
    }
    starts
}

/// Lays the source out in pairs of neighbouring indices: `[first index even or odd][16 channels][pair][16]`, zeros where
/// there is no pixel and for missing channels. A tap at an even offset reads the even pairs, at an odd one the odd ones, so
/// every tile begins at a cache line.
pub(super) fn pairs(plan: &Plan, grid: &Grid, image: usize, x: Values, target: &mut [u32]) {
    let starts = starts(plan, grid, image);
    let half = target.len() / 2;
    for (odd, target) in target.chunks_exact_mut(half).enumerate() {
        let at = |index: usize| starts.get(index + odd).copied().unwrap_or(NONE);
        to_tiles(x, plan.from.c, at, target);
    }
}

/// Pairs of the buffer that [`pairs`] (`copies` 2) or [`Destination::pairs`] (1) fills for `values` of each pixel.
pub(super) fn pairs_len(grid: &Grid, values: usize, copies: usize) -> usize {
    copies * values.next_multiple_of(ROWS) * index_pairs(grid)
}

/// The destination pixels of one phase, placed on a grid; its image 0 is image `image` of `to`.
pub(super) struct Destination<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    pub(super) grid: &'a Grid,
    pub(super) image: usize,
    pub(super) to: Values<'a>,
}

impl Destination<'_> {
    /// Where channel `first` of the pixel at each position begins.
    fn starts(&self, first: usize) -> impl Fn(usize) -> usize + '_ {
        move |position| match self.grid.pixel_at(self.phase, position) {
            None => NONE,
            Some([nth, i, j]) => self.plan.destination(self.phase, self.image + nth, i, j) + first,
        }
    }

    /// Lays the pixels out in pairs of neighbouring positions, `[16 channels][pair][16]`, those of the `channels` given; zeros
    /// where there is no pixel and for missing channels. Adds the pixels to `sums`, where given.
    pub(super) fn pairs(&self, channels: Range<usize>, target: &mut [u32], sums: Option<&mut [f32]>) {
        to_tiles(self.to, channels.len(), self.starts(channels.start), target);
        let Some(sums) = sums else { return };
        let tiles = channels.len().div_ceil(ROWS);
        for (tile, sums) in target.chunks_exact(target.len() / tiles).zip(sums.chunks_mut(ROWS)) {
            // Blocks are summed on their own first, so that a sum over many loses no digits.
            let mut here = [0.0; ROWS];
            bf16::add_pairs(tile, ROWS, &mut here);
            sums.iter_mut().zip(here).for_each(|(s, h)| *s += h);
        }
    }

    /// Lays the pixels out channel by channel, as tiles `[16 channels][32 positions][channel][position]`, zeros where there is
    /// no pixel and for missing channels. Adds the pixels to `sums`, where given.
    pub(super) fn channels(&self, panels: Range<usize>, target: &mut [u32], sums: Option<&mut [f32]>) {
        let first = panels.start * SIDE;
        let width = self.plan.to.c.min(panels.end * SIDE) - first;
        by_channel(self.to, width, self.starts(first), self.grid.positions(), target, sums);
    }
}

/// Pairs of neighbouring indices.
pub(super) fn index_pairs(grid: &Grid) -> usize {
    (grid.classes.len() * grid.class_len).div_ceil(2)
}

/// Tiles `[16 values][pair][16]` of the pixels of `c` values that begin where `start` says for each index.
fn to_tiles(x: Values, c: usize, start: impl Fn(usize) -> usize, target: &mut [u32]) {
    let tiles = c.div_ceil(ROWS);
    let tile_len = target.len() / tiles;
    let pairs = tile_len / ROWS;
    if let (Values::Bf16(x), true) = (x, c.is_multiple_of(ROWS)) {
        let starts: Vec<[usize; 2]> = (0..pairs).map(|pair| [start(2 * pair), start(2 * pair + 1)]).collect();
        return workspace::with(c.div_ceil(2), |zeros| {
            zeros.fill(0.0);
            join_tiles(x, &bf16::halves(zeros)[..c], &starts, target);
        });
    }
    workspace::with(tiles * ROWS + c, |buffer| {
        let (row, zeros) = buffer.split_at_mut(tiles * ROWS);
        zeros.fill(0.0);
        let row = bf16::as_pairs(row);
        row.fill(0);
        for pair in 0..pairs {
            to_pairs(x, c, [start(2 * pair), start(2 * pair + 1)], zeros, row);
            for (tile, row) in target.chunks_exact_mut(tile_len).zip(row.chunks_exact(ROWS)) {
                tile[pair * ROWS..][..ROWS].copy_from_slice(row);
            }
        }
    });
}

vectorised! {
    /// [`to_tiles`] of pixels that are stored as bf16, as many values as `zeros`, which replace a missing one.
    fn join_tiles(x: &[u16], zeros: &[u16], starts: &[[usize; 2]], target: &mut [u32]) {
        let c = zeros.len();
        let tile_len = target.len() / (c / ROWS);
        for (pair, starts) in starts.iter().enumerate() {
            let [a, b] = starts.map(|s| if s == NONE { zeros } else { &x[s..s + c] });
            let values = a.chunks_exact(ROWS).zip(b.chunks_exact(ROWS));
            for (tile, (a, b)) in target.chunks_exact_mut(tile_len).zip(values) {
                bf16::join(a, b, &mut tile[pair * ROWS..][..ROWS]);
            }
        }
    }
}

vectorised! {
    /// Rows of pairs of pixels that are stored as bf16, as many values as `zeros`, which replace a missing one.
    fn join_rows(x: &[u16], zeros: &[u16], starts: &[[usize; 2]], rows: &mut [u32], stride: usize) {
        let c = zeros.len();
        for (row, starts) in rows.chunks_exact_mut(stride).zip(starts) {
            let [a, b] = starts.map(|s| if s == NONE { zeros } else { &x[s..s + c] });
            bf16::join(a, b, &mut row[..c]);
        }
    }
}

/// The pair of pixels that begin at `starts`, channel by channel; `zeros` replaces a missing one.
fn to_pairs(x: Values, c: usize, starts: [usize; 2], zeros: &[f32], pairs: &mut [u32]) {
    let pairs = &mut pairs[..c];
    if starts == [NONE; 2] {
        return pairs.fill(0);
    }
    match x {
        Values::F32(x) => {
            let [a, b] = starts.map(|s| if s == NONE { &zeros[..c] } else { &x[s..s + c] });
            bf16::to_pairs(a, b, pairs);
        }
        Values::Bf16(x) => {
            let [a, b] = starts.map(|s| if s == NONE { &bf16::halves(zeros)[..c] } else { &x[s..s + c] });
            bf16::join_bits(a, b, pairs);
        }
    }
}

/// Tiles `[16 values][32 positions][value][position]` of the `positions` pixels of `width` values that begin where `start` says,
/// whole blocks of 32 values.
pub(super) fn by_channel(
    x: Values,
    width: usize,
    start: impl Fn(usize) -> usize,
    positions: usize,
    target: &mut [u32],
    mut sums: Option<&mut [f32]>,
) {
    let steps = positions.div_ceil(STEP);
    let row = width.next_multiple_of(SIDE);
    workspace::with(STEP / 2 * row + 2 * width, |buffer| {
        let (block, rest) = buffer.split_at_mut(STEP / 2 * row);
        let (zeros, here) = rest.split_at_mut(width);
        zeros.fill(0.0);
        here.fill(0.0);
        let block = bf16::as_pairs(block);
        block.fill(0);
        for step in 0..steps {
            let starts: [[usize; 2]; STEP / 2] =
                std::array::from_fn(|pair| [0, 1].map(|n| start(step * STEP + 2 * pair + n)));
            match x {
                Values::Bf16(x) => join_rows(x, &bf16::halves(zeros)[..width], &starts, block, row),
                Values::F32(_) => {
                    for (starts, row) in starts.into_iter().zip(block.chunks_exact_mut(row)) {
                        to_pairs(x, width, starts, zeros, row);
                    }
                }
            }
            if sums.is_some() {
                bf16::add_pairs(block, row, here);
            }
            for tile in 0..row / ROWS {
                let target = &mut target[(tile * steps + step) * TILE..][..TILE];
                transpose([ROWS, ROWS], (&block[tile * ROWS..], row), (target, ROWS));
            }
        }
        // Blocks are summed on their own first, so that a sum over many loses no digits.
        if let Some(sums) = &mut sums {
            sums.iter_mut().zip(here.iter()).for_each(|(s, h)| *s += h);
        }
    });
}

/// Pairs of a tile of 16 channels and 32 positions.
pub(super) const TILE: usize = ROWS * STEP / 2;
