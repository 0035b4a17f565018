//! The weight gradient of a plan without im2col. Block by block of about 256 destination pixels, source pixels are
//! copied once into slabs of six channels, with their border, and destination pixels into panels of sixteen; every
//! tap then reads the same slab at another offset. Sums stay in registers over the whole block. The images are
//! split into a fixed number of parts with sums of their own, which are added in order at the end.

use super::{COLS, FEW_CHANNELS, ROWS, Shared, tiles};
use crate::gather::fill_columns;
use crate::outer::{add_parts, scatter};
use crate::plan::{Phase, Plan};
use crate::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Destination pixels of a block, about.
const PIXELS: usize = 256;
/// Parts at most; each costs a copy of the weights' size.
const PARTS: usize = 8;
/// Tasks that a call is split into at least, where its size allows.
const TASKS: usize = 8;

/// One call, as its tasks see it.
struct Call<'a> {
    plan: &'a Plan,
    from: &'a [f32],
    to: &'a [f32],
    /// Sums of all parts: `[part][phase and tap, source channel, width]`.
    sums: Shared,
    /// Destination channels, rounded up to whole panels.
    width: usize,
    /// Values of one part.
    total: usize,
}

/// `dw[kernel pixel] = sum over pixels of from (x) to`; `dw` is written completely. The processor must have AVX2 and
/// FMA, and neither the batch nor the images may be empty.
pub(crate) fn outer(plan: &Plan, from: &[f32], to: &[f32], dw: &mut [f32]) {
    let width = plan.to.c.div_ceil(COLS) * COLS;
    let taps: usize = plan.phases.iter().map(|p| p.taps.len()).sum();
    let total = taps * plan.from.c * width;
    let pixels = plan.batch * plan.to.h * plan.to.w;
    let parts = (pixels / (2 * PIXELS)).clamp(1, PARTS.min(plan.batch));
    let call = |sums| Call {
        plan,
        from,
        to,
        sums: Shared(sums),
        width,
        total,
    };
    if parts == 1 && width == plan.to.c && taps == plan.kernels && is_plain(plan) {
        // The sums' layout is the weights' own.
        return run_tasks(&call(dw.as_mut_ptr()), 1);
    }
    workspace::with(parts * total, |sums| {
        run_tasks(&call(sums.as_mut_ptr()), parts);
        add_parts(sums, total);
        scatter(plan, &sums[..total], width, dw);
    });
}

/// True where tap number `k` is kernel pixel `k`.
fn is_plain(plan: &Plan) -> bool {
    let ordered = |p: &Phase| p.taps.iter().enumerate().all(|(k, tap)| tap.kernels == [k]);
    !plan.transposed && plan.phases.len() == 1 && plan.phases.iter().all(ordered)
}

/// Splits by parts, and by panels where there are few parts.
fn run_tasks(call: &Call, parts: usize) {
    let panels = call.width / COLS;
    let groups = TASKS.div_ceil(parts).min(panels);
    (0..parts * groups).into_par_iter().for_each(|task| {
        let (part, group) = (task / groups, task % groups);
        let images = part * call.plan.batch / parts..(part + 1) * call.plan.batch / parts;
        let panels = group * panels / groups..(group + 1) * panels / groups;
        let mut first_tap = 0;
        for phase in &call.plan.phases {
            if !phase.taps.is_empty() {
                let at = part * call.total + first_tap * call.plan.from.c * call.width;
                run_phase(call, phase, images.clone(), panels.clone(), at);
            }
            first_tap += phase.taps.len();
        }
    });
}

/// One phase of a range of images and panels; its sums start at `at`.
fn run_phase(call: &Call, phase: &Phase, images: Range<usize>, panels: Range<usize>, at: usize) {
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
            run_block(call, phase, &block, at, accumulate);
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

fn run_block(call: &Call, phase: &Phase, block: &Block, at: usize, accumulate: bool) {
    let pixels = block.pixels(phase);
    let slabs = Slabs::new(call.plan, phase, block);
    let slab_count = slabs.channels.div_ceil(ROWS);
    let cols_len = block.panels.len() * pixels * COLS;
    workspace::with(cols_len + slab_count * slabs.len, |buffer| {
        let (cols, rows) = buffer.split_at_mut(cols_len);
        pack_cols(call, phase, block, cols);
        slabs.pack(call, phase, block, rows);
        for (s, slab) in rows.chunks_exact(slabs.len).enumerate() {
            let height = ROWS.min(slabs.channels - s * ROWS);
            for (panel, cols) in block.panels.clone().zip(cols.chunks_exact(pixels * COLS)) {
                for (t, tap) in slabs.taps.iter().enumerate() {
                    let row = t * slabs.channels + s * ROWS;
                    let sums = at + row * call.width + panel * COLS;
                    // SAFETY: this module runs only where AVX2 and FMA are. The largest offset plus the largest
                    // tap is the slab's last pixel (`Slabs::new`); `cols` holds 16 values for each offset; the
                    // sums are `height` rows of 16 inside this task's part and panels, which no other task has.
                    unsafe {
                        let tile = tiles::Outer {
                            offsets: &slabs.offsets,
                            rows: slab[*tap..].as_ptr(),
                            cols: cols.as_ptr(),
                            sums: call.sums.get().add(sums),
                            stride: call.width,
                            accumulate,
                        };
                        tiles::outer(height, &tile);
                    }
                }
            }
        }
    });
}

/// Destination pixels as panels `[panel][pixel][16]`, missing channels zero.
fn pack_cols(call: &Call, phase: &Phase, block: &Block, cols: &mut [f32]) {
    let plan = call.plan;
    let pixels = block.pixels(phase);
    let mut p = 0;
    for image in block.images.clone() {
        for i in block.lines.clone() {
            let y = phase.first_y + plan.period[0] * i;
            for j in 0..phase.cols {
                let x = phase.first_x + plan.period[1] * j;
                let at = ((image * plan.to.h + y) * plan.to.w + x) * plan.to.c;
                let pixel = &call.to[at..at + plan.to.c];
                for (local, panel) in block.panels.clone().enumerate() {
                    let target = &mut cols[(local * pixels + p) * COLS..][..COLS];
                    copy_padded(&pixel[panel * COLS..], target);
                }
                p += 1;
            }
        }
    }
}

/// Copies the first `COLS` values, or all there are and then zeros.
fn copy_padded(source: &[f32], target: &mut [f32]) {
    if let Some(source) = source.first_chunk::<COLS>() {
        target.copy_from_slice(source);
    } else {
        target[..source.len()].copy_from_slice(source);
        target[source.len()..].fill(0.0);
    }
}

/// Source pixels of a block as slabs `[6 channels][pixel][6]`, with the border that the taps reach.
struct Slabs {
    /// Source channels (times taps, after im2col).
    channels: usize,
    /// Values of one slab.
    len: usize,
    /// Offset of each tap in a slab.
    taps: Vec<usize>,
    /// Offset of each destination pixel's first tap in a slab.
    offsets: Vec<u32>,
    /// First source coordinate, and size: `[y, x]`.
    first: [isize; 2],
    size: [usize; 2],
    im2col: bool,
}

impl Slabs {
    fn new(plan: &Plan, phase: &Phase, block: &Block) -> Self {
        if plan.from.c < FEW_CHANNELS {
            return Self::of_columns(plan, phase, block.pixels(phase));
        }
        let least = |v: &dyn Fn(&crate::plan::Tap) -> isize| phase.taps.iter().map(v).min();
        let most = |v: &dyn Fn(&crate::plan::Tap) -> isize| phase.taps.iter().map(v).max();
        let (y0, y1) = (least(&|t| t.y).unwrap_or(0), most(&|t| t.y).unwrap_or(0));
        let (x0, x1) = (least(&|t| t.x).unwrap_or(0), most(&|t| t.x).unwrap_or(0));
        let [step_y, step_x] = plan.step;
        let height = step_y * (block.lines.len() - 1) + (y1 - y0) as usize + 1;
        let width = step_x * (phase.cols - 1) + (x1 - x0) as usize + 1;
        let at = |image: usize, y: usize, x: usize| ((image * height + y) * width + x) * ROWS;
        let mut offsets = Vec::with_capacity(block.pixels(phase));
        for image in 0..block.images.len() {
            for i in 0..block.lines.len() {
                offsets.extend((0..phase.cols).map(|j| at(image, step_y * i, step_x * j) as u32));
            }
        }
        let tap = |t: &crate::plan::Tap| at(0, (t.y - y0) as usize, (t.x - x0) as usize);
        Self {
            channels: plan.from.c,
            len: at(block.images.len(), 0, 0),
            taps: phase.taps.iter().map(tap).collect(),
            offsets,
            first: [(step_y * block.lines.start) as isize + y0, x0],
            size: [height, width],
            im2col: false,
        }
    }

    /// One tap with as many channels as im2col gives.
    fn of_columns(plan: &Plan, phase: &Phase, pixels: usize) -> Self {
        Self {
            channels: phase.taps.len() * plan.from.c,
            len: pixels * ROWS,
            taps: vec![0],
            offsets: (0..pixels).map(|p| (p * ROWS) as u32).collect(),
            first: [0, 0],
            size: [1, pixels],
            im2col: true,
        }
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
        let from = call.plan.from;
        let mut p = 0;
        for image in block.images.clone() {
            let source = &call.from[image * from.len()..][..from.len()];
            for y in 0..self.size[0] as isize {
                for x in 0..self.size[1] as isize {
                    let (y, x) = (self.first[0] + y, self.first[1] + x);
                    if y >= 0 && x >= 0 && y < from.h as isize && x < from.w as isize {
                        let at = (y as usize * from.w + x as usize) * from.c;
                        self.copy_pixel(&source[at..at + from.c], p, rows);
                    } else {
                        for slab in rows.chunks_exact_mut(self.len) {
                            slab[p * ROWS..][..ROWS].fill(0.0);
                        }
                    }
                    p += 1;
                }
            }
        }
    }

    /// Spreads pixel number `p` over the slabs. What the last slab lacks is never read.
    fn copy_pixel(&self, pixel: &[f32], p: usize, rows: &mut [f32]) {
        for (slab, source) in rows.chunks_exact_mut(self.len).zip(pixel.chunks(ROWS)) {
            let target = &mut slab[p * ROWS..][..ROWS];
            if let Some(source) = source.first_chunk::<ROWS>() {
                target.copy_from_slice(source);
            } else {
                target[..source.len()].copy_from_slice(source);
            }
        }
    }
}
