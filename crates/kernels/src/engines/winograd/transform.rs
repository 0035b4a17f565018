//! The two sides of the products of a block of tiles: source pixels to values at the points, and the values at the points
//! to destination pixels; and, for weight gradients, the gradients of destination pixels to values at the points.

// Loops by index in what runs on registers: an iterator's closure that is not inlined would be compiled without them.
#![allow(clippy::needless_range_loop)]

use super::form::{Inputs, Outputs, OutputsBack, Read, Write, both, with_form};
use super::lanes::{Lanes, MOST_LANES, on_lanes};
use super::tiling::{Class, Tiling};
use crate::activation::{Activation, for_each_activation};
use crate::engines::direct::prefetch_line;
use crate::engines::shared::Shared;
use crate::plan::{Image, Phase, Plan};
use std::ops::Range;

/// Points of the largest form.
const MOST: usize = 36;

/// Values after each point's, so that the points' values, which a transform writes side by side, don't fall on the same
/// few lines of the first-level cache.
const GAP: usize = 16;

/// Values at the points as rows of source channels: `[point][tile][stride]`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) stride: usize,
    /// Values from one point to the next.
    pub(super) point: usize,
}

impl Rows {
    pub(super) fn new(tiles: usize, stride: usize) -> Self {
        Self { stride, point: tiles * stride + GAP }
    }
}

/// Values at the points as panels of destination channels: `[point][panel][tile][column]`.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    /// Columns of a panel.
    pub(super) cols: usize,
    /// Values from one panel to the next.
    pub(super) panel: usize,
    /// Values from one point to the next.
    pub(super) point: usize,
}

impl Panels {
    pub(super) fn new(tiles: usize, panels: usize, cols: usize) -> Self {
        Self { cols, panel: tiles * cols, point: panels * tiles * cols + GAP }
    }

    /// Where a panel's values of a tile start, at the first point.
    pub(super) fn at(self, panel: usize, tile: usize) -> usize {
        panel * self.panel + tile * self.cols
    }
}

/// Number of tiles by which sums are prefetched: they are in the third-level cache, in more streams than the processor
/// tracks.
const AHEAD: usize = 4;

/// What the inputs of tiles are read from: some channels of one class of source pixels.
pub(super) struct Source<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tiling: &'a Tiling,
    pub(super) class: &'a Class,
    pub(super) channels: Range<usize>,
    pub(super) x: &'a [f32],
}

/// The inputs of `tiles` at all points.
pub(super) fn inputs(source: &Source, tiles: Range<usize>, rows: Rows, values: &mut [f32]) {
    let Source { plan, tiling, class, x, .. } = source;
    let channels = source.channels.clone();
    let zeros = vec![0.0; channels.len()];
    let n = tiling.form.points();
    for (row, tile) in tiles.enumerate() {
        let place = tiling.place(tile);
        let mut pixels: [&[f32]; MOST] = [&zeros; MOST];
        for (i, pixels) in pixels[..n * n].chunks_exact_mut(n).enumerate() {
            let y = tiling.source(class, 0, place.row, i);
            for (j, pixel) in pixels.iter_mut().enumerate() {
                if let Some(at) = inside(plan.from, place.image, [y, tiling.source(class, 1, place.column, j)]) {
                    *pixel = &x[at + channels.start..at + channels.end];
                }
            }
        }
        with_form!(tiling.form, transform_inputs(&pixels[..n * n], row, rows, values));
    }
}

/// Where pixel `[y, x]` of an image starts, if it is in it.
fn inside(image: Image, nth: usize, [y, x]: [isize; 2]) -> Option<usize> {
    let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
    (y < image.h && x < image.w).then(|| ((nth * image.h + y) * image.w + x) * image.c)
}

/// Channels from `c` on of a grid of pixels, `SIDE` of them in a row.
struct Pixels<'a, const SIDE: usize> {
    pixels: &'a [&'a [f32]],
    c: usize,
}

impl<'a, const SIDE: usize> Pixels<'a, SIDE> {
    /// # Safety
    /// There are `SIDE * SIDE` pixels, and all have a register's values from `c` on.
    #[inline(always)]
    unsafe fn new(pixels: &'a [&'a [f32]], c: usize) -> Self {
        Self { pixels, c }
    }
}

impl<L: Lanes, const SIDE: usize> Read<L> for Pixels<'_, SIDE> {
    #[inline(always)]
    fn read(&self, y: usize, x: usize) -> L {
        // SAFETY: the transforms ask for rows and columns below `SIDE`; the rest is the contract of `new`.
        unsafe { L::load(self.pixels.get_unchecked(y * SIDE + x).get_unchecked(self.c..self.c + L::COUNT)) }
    }
}

/// The last channels of pixels, from `c` on, followed by zeros to a whole register.
fn ends(pixels: &[&[f32]], c: usize) -> [[f32; MOST_LANES]; MOST] {
    let mut ends = [[0.0; MOST_LANES]; MOST];
    for (end, pixel) in ends.iter_mut().zip(pixels) {
        let pixel = pixel.get(c..).unwrap_or(&[]);
        end[..pixel.len()].copy_from_slice(pixel);
    }
    ends
}

/// Ends as pixels with a register's values each.
fn as_pixels(ends: &[[f32; MOST_LANES]; MOST]) -> [&[f32]; MOST] {
    std::array::from_fn(|k| &ends[k][..])
}

/// The values of one tile and some channels at the points of a form, `SIDE` of them in a row: the offset of the first
/// point's values, and the stride from one point to the next.
struct AtPoints<V, const SIDE: usize> {
    values: V,
    first: usize,
    point: usize,
}

impl<V, const SIDE: usize> AtPoints<V, SIDE> {
    /// # Safety
    /// A register's values from `first` on, and at all other points, must be within bounds.
    #[inline(always)]
    unsafe fn new(values: V, first: usize, point: usize) -> Self {
        Self { values, first, point }
    }
}

impl<L: Lanes, const SIDE: usize> Read<L> for AtPoints<&[f32], SIDE> {
    #[inline(always)]
    fn read(&self, y: usize, x: usize) -> L {
        let at = self.first + (y * SIDE + x) * self.point;
        // SAFETY: as for `Pixels`.
        unsafe { L::load(self.values.get_unchecked(at..at + L::COUNT)) }
    }
}

impl<L: Lanes, const SIDE: usize> Write<L> for AtPoints<&mut [f32], SIDE> {
    #[inline(always)]
    fn write(&mut self, y: usize, x: usize, value: L) {
        let at = self.first + (y * SIDE + x) * self.point;
        // SAFETY: as for `Pixels`.
        value.store(unsafe { self.values.get_unchecked_mut(at..at + L::COUNT) });
    }
}

on_lanes! {
    fn transform_inputs<L, N, M, R>(pixels: &[&[f32]], row: usize, rows: Rows, values: &mut [f32]) {
        let channels = pixels[0].len();
        let first = row * rows.stride;
        // What a row's last register has too much falls on the start of the next row, which is written later, or in the gap.
        assert!(pixels.len() == N * N && pixels.iter().all(|pixel| pixel.len() == channels));
        assert!(first + (N * N - 1) * rows.point + channels.next_multiple_of(L::COUNT) <= values.len());
        let whole = channels / L::COUNT * L::COUNT;
        for c in (0..whole).step_by(L::COUNT) {
            // SAFETY: asserted above.
            let (pixels, mut to) = unsafe {
                (Pixels::<N>::new(pixels, c), AtPoints::<_, N>::new(&mut *values, first + c, rows.point))
            };
            both::<Inputs, L, N, N>(&pixels, &mut to);
        }
        if whole < channels {
            let ends = ends(pixels, whole);
            let ends = as_pixels(&ends);
            // SAFETY: asserted above; all ends hold `MOST_LANES` values.
            let (pixels, mut to) = unsafe {
                (Pixels::<N>::new(&ends[..N * N], 0), AtPoints::<_, N>::new(&mut *values, first + whole, rows.point))
            };
            both::<Inputs, L, N, N>(&pixels, &mut to);
        }
    }
}

/// The destination of a block's outputs.
pub(super) struct Destination<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    pub(super) tiling: &'a Tiling,
    pub(super) bias: &'a [f32],
    pub(super) act: Activation,
    pub(super) y: Shared<'a>,
    /// Layout of the sums.
    pub(super) sums: Panels,
}

/// Sums at the points to destination pixels, through bias and activation.
///
/// # Safety
/// No other task writes the pixels of these tiles; `y` is the whole destination.
pub(super) unsafe fn outputs(to: &Destination, tiles: Range<usize>, sums: &[f32]) {
    // Panel by panel, so that at every point the sums are read in the order in which they lie.
    for panel in 0..to.plan.to.c.div_ceil(to.sums.cols) {
        with_form!(to.tiling.form, transform_outputs(to, tiles.clone(), panel, sums));
    }
}

on_lanes! {
    fn transform_outputs<L, N, M, R>(to: &Destination, tiles: Range<usize>, panel: usize, sums: &[f32]) {
        let Destination { plan, phase, tiling, .. } = to;
        let Panels { cols, point, .. } = to.sums;
        let channels = panel * cols..plan.to.c.min((panel + 1) * cols);
        let [down, across] = plan.strides();
        let first = to.sums.at(panel, 0);
        assert!(cols.is_multiple_of(L::COUNT) && first + (N * N - 1) * point + tiles.len() * cols <= sums.len());
        for (row, tile) in tiles.enumerate() {
            let place = tiling.place(tile);
            let (ys, xs) = (tiling.outputs(place.row, phase.rows), tiling.outputs(place.column, phase.cols));
            let start = plan.destination(phase, place.image, ys.start, xs.start);
            for c in channels.clone().step_by(L::COUNT) {
                let at = first + row * cols + c - channels.start;
                for p in 0..N * N {
                    prefetch_line(sums, at + p * point + AHEAD * cols);
                }
                let mut results = [[L::zero(); M]; M];
                // SAFETY: asserted above.
                both::<Outputs, L, M, N>(&unsafe { AtPoints::<_, N>::new(sums, at, point) }, &mut results);
                let bias = L::load(&to.bias[c..c + L::COUNT]);
                let count = L::COUNT.min(channels.end - c);
                for i in 0..ys.len() {
                    for j in 0..xs.len() {
                        // SAFETY: the pixel has `channels.end` values or more, of which these are `count` from `c` on; no other
                        // task has it (the contract of `outputs`).
                        let y = unsafe { to.y.values(start + i * down + j * across + c, count) };
                        finish(to.act, results[i][j].add(bias), y);
                    }
                }
            }
        }
    }
}

/// `y = act(value)`.
#[inline(always)]
fn finish<L: Lanes>(act: Activation, value: L, y: &mut [f32]) {
    match act {
        Activation::Identity => return value.store(y),
        Activation::Relu => return value.positive_or(L::zero()).store(y),
        Activation::LeakyRelu(slope) => return value.positive_or(L::zero().add_scaled(slope, value)).store(y),
        Activation::Tanh | Activation::Sigmoid => {}
    }
    // These two come at a generator's end, where there are few values.
    let mut lanes = [0.0; MOST_LANES];
    value.store(&mut lanes[..L::COUNT]);
    for_each_activation!(act, |a| {
        for l in 0..L::COUNT {
            lanes[l] = a.apply(lanes[l]);
        }
    });
    L::load(&lanes[..L::COUNT]).store(y);
}

/// What the gradients of tiles are read from: some panels of channels of the destination pixels of one phase.
pub(super) struct Target<'a> {
    pub(super) plan: &'a Plan,
    pub(super) phase: &'a Phase,
    pub(super) tiling: &'a Tiling,
    pub(super) panels: Range<usize>,
    pub(super) dy: &'a [f32],
}

/// The gradients of the destination pixels of `tiles` at all points.
pub(super) fn gradients(target: &Target, tiles: Range<usize>, layout: Panels, values: &mut [f32]) {
    let Target { plan, phase, tiling, panels, dy } = target;
    let m = tiling.form.outputs;
    let zeros = vec![0.0; plan.to.c];
    for (row, tile) in tiles.enumerate() {
        let place = tiling.place(tile);
        let (ys, xs) = (tiling.outputs(place.row, phase.rows), tiling.outputs(place.column, phase.cols));
        let mut pixels: [&[f32]; MOST] = [&zeros; MOST];
        for (i, y) in ys.enumerate() {
            for (j, x) in xs.clone().enumerate() {
                let at = plan.destination(phase, place.image, y, x);
                pixels[i * m + j] = &dy[at..at + plan.to.c];
            }
        }
        with_form!(tiling.form, transform_gradients(&pixels[..m * m], panels.clone(), row, layout, values));
    }
}

on_lanes! {
    fn transform_gradients<L, N, M, R>(
        pixels: &[&[f32]],
        panels: Range<usize>,
        row: usize,
        layout: Panels,
        values: &mut [f32],
    ) {
        let channels = pixels[0].len();
        assert!(pixels.len() == M * M && pixels.iter().all(|pixel| pixel.len() == channels));
        assert!(layout.cols.is_multiple_of(L::COUNT));
        for (local, panel) in panels.enumerate() {
            let first = layout.at(local, row);
            assert!(first + (N * N - 1) * layout.point + layout.cols <= values.len());
            for half in (0..layout.cols).step_by(L::COUNT) {
                let c = panel * layout.cols + half;
                // SAFETY: asserted above.
                let mut to = unsafe { AtPoints::<_, N>::new(&mut *values, first + half, layout.point) };
                if c + L::COUNT <= channels {
                    // SAFETY: asserted above.
                    both::<OutputsBack, L, N, M>(&unsafe { Pixels::<M>::new(pixels, c) }, &mut to);
                } else {
                    let ends = ends(pixels, c);
                    let ends = as_pixels(&ends);
                    // SAFETY: all ends hold `MOST_LANES` values.
                    both::<OutputsBack, L, N, M>(&unsafe { Pixels::<M>::new(&ends[..M * M], 0) }, &mut to);
                }
            }
        }
    }
}
