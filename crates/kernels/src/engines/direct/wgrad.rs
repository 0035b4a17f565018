//! The weight gradient (wgrad) in tiles, without im2col. Block by block of about 256 destination pixels, source pixels are
//! copied once into slabs of `ROWS` channels, with their border, and destination pixels into panels of `COLS`; every
//! tap then reads the same slab at another offset. Sums stay in registers over the whole block. The images are
//! split into a fixed number of parts with sums of their own, which are added in order at the end.

use super::tile::Outer;
use super::{FEW_CHANNELS, Tiles};
use crate::engines::partial_sums::{add_parts, scatter};
use crate::engines::shared::Shared;
use crate::im2col::fill_columns;
use crate::memory::workspace;
use crate::plan::{Phase, Plan, Tap};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;

/// Destination pixels of a block, about.
const PIXELS: usize = 256;
/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 8;
/// Tasks per thread at least, where the size allows. How panels are grouped changes no sum, so this may depend on the
/// number of threads; each group packs the source pixels again.
const TASKS_PER_THREAD: usize = 2;

/// One call, as its tasks see it.
struct Call<'a> {
    plan: &'a Plan,
    from: &'a [f32],
    to: &'a [f32],
    /// Sums of the first part: `[phase and tap, source channel, width]`.
    first: Shared<'a>,
    /// Sums of the other parts, one after the other.
    others: Shared<'a>,
    /// Destination channels, rounded up to whole panels.
    width: usize,
    /// Values of one part.
    total: usize,
}

impl<'a> Call<'a> {
    /// The sums of a part.
    fn part(&self, part: usize) -> Shared<'a> {
        if part == 0 { self.first } else { self.others.part((part - 1) * self.total, self.total) }
    }
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`; `dw` is written completely. Neither the batch nor the images may
/// be empty.
pub(crate) fn run<T: Tiles>(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    let width = plan.to.c.next_multiple_of(T::COLS);
    let taps: usize = plan.phases.iter().map(|p| p.taps.len()).sum();
    let total = taps * plan.from.c * width;
    let pixels = plan.batch * plan.to.h * plan.to.w;
    let parts = (pixels / (2 * PIXELS)).clamp(1, PARTS.min(plan.batch));
    // Where the sums' layout is the weights' own, the first part's sums become the result.
    let plain = width == plan.to.c && taps == plan.kernels && is_plain(plan);
    let own = if plain { 0 } else { total };
    workspace::with(own + (parts - 1) * total, |buffer| {
        let (own, others) = buffer.split_at_mut(own);
        let first = if plain { &mut *dw } else { &mut *own };
        let (shared, shared_others) = (Shared::new(first), Shared::new(others));
        run_tasks::<T>(&Call { plan, from, to, first: shared, others: shared_others, width, total }, parts);
        add_parts(first, others);
        if !plain {
            scatter(plan, own, width, dw);
        }
    });
}

/// True where tap number `k` is kernel pixel `k`.
fn is_plain(plan: &Plan) -> bool {
    let ordered = |p: &Phase| p.taps.iter().enumerate().all(|(k, tap)| tap.kernels == [k]);
    !plan.transposed && plan.phases.len() == 1 && plan.phases.iter().all(ordered)
}

/// Splits by parts, and by panels where there are few parts.
fn run_tasks<T: Tiles>(call: &Call, parts: usize) {
    let panels = call.width / T::COLS;
    let tasks = TASKS_PER_THREAD * rayon::current_num_threads();
    let groups = tasks.div_ceil(parts).min(panels);
    let least = call.plan.tasks_worth_a_thread(parts * groups);
    (0..parts * groups).into_par_iter().with_min_len(least).for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part * call.plan.batch / parts..(part + 1) * call.plan.batch / parts;
        let panels = group * panels / groups..(group + 1) * panels / groups;
        let mut first_tap = 0;
        for phase in &call.plan.phases {
            if !phase.taps.is_empty() {
                let row = call.plan.from.c * call.width;
                let sums = call.part(part).part(first_tap * row, phase.taps.len() * row);
                run_phase::<T>(call, phase, images.clone(), panels.clone(), sums);
            }
            first_tap += phase.taps.len();
        }
    });
}

/// The class of a pixel: what is left of its coordinates by the steps.
fn class([step_y, step_x]: [usize; 2], [y, x]: [usize; 2]) -> usize {
    y % step_y * step_x + x % step_x
}

/// One phase of a range of images and panels.
fn run_phase<T: Tiles>(call: &Call, phase: &Phase, images: Range<usize>, panels: Range<usize>, sums: Shared) {
    let per_image = phase.rows * phase.cols;
    let (group, band) = if per_image > PIXELS + PIXELS / 2 {
        (1, PIXELS.div_ceil(phase.cols))
    } else {
        ((PIXELS / per_image).max(1), phase.rows)
    };
    let mut accumulate = false;
    for first in images.clone().step_by(group) {
        for line in (0..phase.rows).step_by(band) {
            let block = Block {
                images: first..(first + group).min(images.end),
                lines: line..(line + band).min(phase.rows),
                panels: panels.clone(),
            };
            run_block::<T>(call, phase, &block, sums, accumulate);
            accumulate = true;
        }
    }
}

/// Some lines of some images, and the panels of destination channels to do.
struct Block {
    images: Range<usize>,
    lines: Range<usize>,
    panels: Range<usize>,
}

impl Block {
    fn pixels(&self, phase: &Phase) -> usize {
        self.images.len() * self.lines.len() * phase.cols
    }
}

fn run_block<T: Tiles>(call: &Call, phase: &Phase, block: &Block, sums: Shared, accumulate: bool) {
    let pixels = block.pixels(phase);
    let slabs = Slabs::<T>::new(call.plan, phase, block);
    let slab_count = slabs.channels.div_ceil(T::ROWS);
    let cols_len = block.panels.len() * pixels * T::COLS;
    workspace::with(cols_len + slab_count * slabs.len, |buffer| {
        let (cols, rows) = buffer.split_at_mut(cols_len);
        pack_cols::<T>(call, phase, block, cols);
        slabs.pack(call, phase, block, rows);
        for (s, slab) in rows.chunks_exact(slabs.len).enumerate() {
            let height = T::ROWS.min(slabs.channels - s * T::ROWS);
            for (panel, cols) in block.panels.clone().zip(cols.chunks_exact(pixels * T::COLS)) {
                for &(t, offset) in &slabs.taps {
                    let row = t * slabs.channels + s * T::ROWS;
                    let at = row * call.width + panel * T::COLS;
                    let (offsets, rows, stride) = (&slabs.offsets[..], &slab[offset..], call.width);
                    // SAFETY: `T` is a set that the processor has. The largest offset plus the largest tap is the slab's
                    // last pixel (`Slabs::new`); `cols` holds `COLS` values for each offset; the sums are `height` rows
                    // of `COLS` inside this task's part and panels, which no other task has.
                    unsafe {
                        let sums = sums.rows(at, height, stride, T::COLS);
                        let tile = Outer { offsets, rows, cols, sums, stride, accumulate };
                        tile.check::<T>(height);
                        T::outer(height, &tile);
                    }
                }
            }
        }
    });
}

/// Destination pixels as panels `[panel][pixel][COLS]`, missing channels zero.
fn pack_cols<T: Tiles>(call: &Call, phase: &Phase, block: &Block, cols: &mut [f32]) {
    let plan = call.plan;
    let pixels = block.pixels(phase);
    let mut p = 0;
    for image in block.images.clone() {
        for i in block.lines.clone() {
            for j in 0..phase.cols {
                let at = plan.destination(phase, image, i, j);
                let pixel = &call.to[at..at + plan.to.c];
                for (local, panel) in block.panels.clone().enumerate() {
                    let target = &mut cols[(local * pixels + p) * T::COLS..][..T::COLS];
                    copy_padded(&pixel[panel * T::COLS..], target);
                }
                p += 1;
            }
        }
    }
}

/// Copies as many values as `target` has, or all there are and then zeros.
#[inline(always)]
fn copy_padded(source: &[f32], target: &mut [f32]) {
    if source.len() >= target.len() {
        target.copy_from_slice(&source[..target.len()]);
    } else {
        target[..source.len()].copy_from_slice(source);
        target[source.len()..].fill(0.0);
    }
}

/// Source pixels of a block as slabs `[channels / T::ROWS][pixel][T::ROWS]`, with the border that the taps reach. Where the plan
/// steps over pixels, those that one tap reads are kept together: pixel `(y, x)` is in class `(y % step, x % step)`, so a
/// tap, and the other taps of its class, touch one class only, which the first-level cache holds. Classes that no tap
/// touches are left out: a stride of 1024 makes a million of them.
struct Slabs<T> {
    /// Source channels (times taps, after im2col).
    channels: usize,
    /// Values of one slab.
    len: usize,
    /// Number of each tap and its offset in a slab, ordered by offset.
    taps: Vec<(usize, usize)>,
    /// Offset of each destination pixel in a class.
    offsets: Vec<u32>,
    /// First source coordinate, and size: `[y, x]`.
    first: [isize; 2],
    size: [usize; 2],
    step: [usize; 2],
    /// Numbers of the classes that taps touch, ascending.
    classes: Vec<usize>,
    images: usize,
    im2col: bool,
    tiles: PhantomData<T>,
}

impl<T: Tiles> Slabs<T> {
    fn new(plan: &Plan, phase: &Phase, block: &Block) -> Self {
        if plan.from.c < FEW_CHANNELS {
            return Self::of_columns(plan, phase, block.pixels(phase));
        }
        let reach = |of: fn(&Tap) -> isize| {
            let offsets = || phase.taps.iter().map(of);
            (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0))
        };
        let ((y0, y1), (x0, x1)) = (reach(|t| t.y), reach(|t| t.x));
        let [step_y, step_x] = plan.step;
        // Where a tap is in the slab, relative to the first one.
        let place = |t: &Tap| [(t.y - y0) as usize, (t.x - x0) as usize];
        let mut classes: Vec<usize> = phase.taps.iter().map(|t| class(plan.step, place(t))).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut slabs = Self {
            channels: plan.from.c,
            len: 0,
            taps: Vec::new(),
            offsets: Vec::with_capacity(block.pixels(phase)),
            first: [(step_y * block.lines.start) as isize + y0, x0],
            size: [
                step_y * (block.lines.len() - 1) + (y1 - y0) as usize + 1,
                step_x * (phase.cols - 1) + (x1 - x0) as usize + 1,
            ],
            step: plan.step,
            classes,
            images: block.images.len(),
            im2col: false,
            tiles: PhantomData,
        };
        let [height, width] = slabs.class_size();
        let class_len = slabs.images * height * width;
        assert!(
            u32::try_from(class_len * T::ROWS).is_ok(),
            "a block of {class_len} pixels is too large for its offsets"
        );
        slabs.len = slabs.classes.len() * class_len * T::ROWS;
        let tap = |t: &Tap| slabs.of_tap(place(t)) * T::ROWS;
        let mut taps: Vec<_> = phase.taps.iter().map(tap).enumerate().collect();
        taps.sort_by_key(|&(_, offset)| offset);
        slabs.taps = taps;
        for image in 0..slabs.images {
            for i in 0..block.lines.len() {
                // What a destination pixel adds to the offsets of all taps.
                let pixels = (0..phase.cols).map(|j| ((image * height + i) * width + j) * T::ROWS);
                slabs.offsets.extend(pixels.map(|p| p as u32));
            }
        }
        slabs
    }

    /// One tap with as many channels as im2col gives.
    fn of_columns(plan: &Plan, phase: &Phase, pixels: usize) -> Self {
        Self {
            channels: phase.taps.len() * plan.from.c,
            len: pixels * T::ROWS,
            taps: vec![(0, 0)],
            offsets: (0..pixels).map(|p| (p * T::ROWS) as u32).collect(),
            first: [0, 0],
            size: [1, pixels],
            step: [1, 1],
            classes: vec![0],
            images: 1,
            im2col: true,
            tiles: PhantomData,
        }
    }

    fn class_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.size[axis].div_ceil(self.step[axis]))
    }

    /// Number of the first pixel in a slab that the tap at `[y, x]` reads.
    fn of_tap(&self, [y, x]: [usize; 2]) -> usize {
        let [step_y, step_x] = self.step;
        let [height, width] = self.class_size();
        let nth = self.classes.partition_point(|known| *known < class(self.step, [y, x]));
        (nth * self.images * height + y / step_y) * width + x / step_x
    }

    fn pack(&self, call: &Call, phase: &Phase, block: &Block, rows: &mut [f32]) {
        if self.im2col {
            let pixels = block.pixels(phase);
            let first = block.lines.start * phase.cols;
            return workspace::with(pixels * self.channels, |columns| {
                fill_columns(call.plan, phase, block.images.start, first, call.from, columns);
                for (p, pixel) in columns.chunks_exact(self.channels).enumerate() {
                    self.copy_pixel(pixel, p, rows);
                }
            });
        }
        let [height, width] = self.class_size();
        for (nth, class) in self.classes.iter().enumerate() {
            let [first_y, first_x] = [class / self.step[1], class % self.step[1]];
            for (local, image) in block.images.clone().enumerate() {
                for (i, y) in (first_y..self.size[0]).step_by(self.step[0]).enumerate() {
                    let line = ((nth * self.images + local) * height + i) * width;
                    for (j, x) in (first_x..self.size[1]).step_by(self.step[1]).enumerate() {
                        self.pack_pixel(call, image, [y, x], line + j, rows);
                    }
                }
            }
        }
    }

    /// Pixel `[y, x]` of the slab's part of an image, its number `p`: the source's, or zeros outside of it.
    fn pack_pixel(&self, call: &Call, image: usize, [y, x]: [usize; 2], p: usize, rows: &mut [f32]) {
        let from = call.plan.from;
        let (y, x) = (self.first[0] + y as isize, self.first[1] + x as isize);
        if y >= 0 && x >= 0 && y < from.h as isize && x < from.w as isize {
            let at = image * from.len() + (y as usize * from.w + x as usize) * from.c;
            self.copy_pixel(&call.from[at..at + from.c], p, rows);
        } else {
            for slab in rows.chunks_exact_mut(self.len) {
                slab[p * T::ROWS..][..T::ROWS].fill(0.0);
            }
        }
    }

    /// Spreads pixel number `p` over the slabs. What the last slab lacks is never read.
    fn copy_pixel(&self, pixel: &[f32], p: usize, rows: &mut [f32]) {
        for (slab, source) in rows.chunks_exact_mut(self.len).zip(pixel.chunks(T::ROWS)) {
            let target = &mut slab[p * T::ROWS..][..T::ROWS];
            if source.len() == T::ROWS {
                target.copy_from_slice(&source[..T::ROWS]);
            } else {
                target[..source.len()].copy_from_slice(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;
    use crate::engines::direct::with_tiles;

    /// Pixels of a slab of all images of a convolution, where there are vectors.
    fn slab_pixels(g: &Geometry) -> Option<usize> {
        let plan = Plan::forward(g, 1);
        let phase = &plan.phases[0];
        let block = Block { images: 0..g.batch, lines: 0..phase.rows, panels: 0..1 };
        with_tiles!(|T| Some(Slabs::<T>::new(&plan, phase, &block).len / T::ROWS), else None)
    }

    #[test]
    fn a_large_stride_takes_no_memory_for_what_no_tap_touches() {
        let one = slab_pixels(&Geometry::same(256, 4, 4, 16, 1, [1, 1], [1024, 1024]));
        assert!(one.is_none_or(|pixels| pixels == 256), "{one:?}");
        // Each of 2 x 2 taps reads 2 x 2 pixels of its own in each image.
        let four = slab_pixels(&Geometry::same(3, 100, 100, 16, 1, [2, 2], [50, 50]));
        assert!(four.is_none_or(|pixels| pixels == 3 * 4 * 4), "{four:?}");
    }
}
