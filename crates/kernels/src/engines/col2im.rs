//! col2im: forward passes and input gradients with very few destination channels (the last layer of a generator, the image
//! gradient of a discriminator's first). Their matrix would have one column, or three, so the order is turned round: one
//! product takes each source pixel to all kernel pixels at once, then every destination pixel adds up its shifted values.
//! Source pixels are stored along the rows of that product ("planes"), so that the shifted sum runs over neighbouring values.

use crate::activation::{self, Activation};
use crate::engines::direct::with_tiles;
use crate::matmul::{Strides, product};
use crate::memory::workspace;
use crate::plan::{Phase, Plan, Tap};
use crate::vectorise::vectorised;
use rayon::prelude::*;
use std::ops::Range;

/// Source pixels of one task, about.
const TASK_PIXELS: usize = 512;

/// True where this form is the faster one: it multiplies every source pixel with every kernel pixel and moves each product
/// twice; the direct form multiplies with a panel of columns, most of them padding where channels are few.
pub(crate) fn pays(plan: &Plan) -> bool {
    /// Columns of a panel, and how many multiplications the moves of one product cost (measured with AVX2).
    const PANEL: usize = 16;
    const MOVES: usize = 64;
    /// Destination channels beyond which other forms win, whatever the count says: Winograd's multiply less still.
    const FEW: usize = 8;
    if plan.from.c < 8 || plan.to.c <= 2 || plan.to.c > FEW {
        return plan.from.c >= 8 && plan.to.c <= 2;
    }
    let products = plan.kernels * plan.to.c;
    let per_pixel = products.next_multiple_of(PANEL) * plan.from.c + products * MOVES;
    let taps: usize = plan.phases.iter().map(|p| p.rows * p.cols * p.taps.len()).sum();
    plan.from.h * plan.from.w * per_pixel < taps * plan.from.c * plan.to.c.next_multiple_of(PANEL)
}

/// `y = act(plan(x, w) + bias)`; `y` is written completely.
pub(crate) fn run(plan: &Plan, x: &[f32], w: &[f32], bias: Option<&[f32]>, act: Activation, y: &mut [f32]) {
    let channels = plan.from.c;
    with_rows(plan, w, |rows| {
        run_with(plan, bias, act, y, |pixels, planes| {
            make_planes(rows, channels, &x[pixels.start * channels..pixels.end * channels], planes);
        });
    });
}

/// [`run`] with another product: `make_planes(source pixels, planes)`, called on all threads.
pub(crate) fn run_with(
    plan: &Plan,
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
    make_planes: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    let (images, kernels) = (images_at_once(plan), kernels_in_use(plan));
    y.par_chunks_mut(images * plan.to.len()).enumerate().for_each(|(block, y)| {
        run_block(plan, &kernels, bias, act, block * images, y, &make_planes);
    });
}

/// [`run_with`], on this thread.
pub(crate) fn run_here(
    plan: &Plan,
    bias: Option<&[f32]>,
    act: Activation,
    y: &mut [f32],
    make_planes: impl Fn(Range<usize>, &mut [f32]),
) {
    let (images, kernels) = (images_at_once(plan), kernels_in_use(plan));
    for (block, y) in y.chunks_mut(images * plan.to.len()).enumerate() {
        run_block(plan, &kernels, bias, act, block * images, y, &make_planes);
    }
}

fn images_at_once(plan: &Plan) -> usize {
    (TASK_PIXELS / (plan.from.h * plan.from.w).max(1)).max(1)
}

/// The images from number `first` on that `y` has room for.
fn run_block(
    plan: &Plan,
    kernels: &[usize],
    bias: Option<&[f32]>,
    act: Activation,
    first: usize,
    y: &mut [f32],
    make_planes: &impl Fn(Range<usize>, &mut [f32]),
) {
    let planes = kernels.len() * plan.to.c;
    let pixels = y.len() / plan.to.len() * plan.from.h * plan.from.w;
    let start = first * plan.from.h * plan.from.w;
    workspace::with(planes * pixels + 2 * plan.to.len(), |buffer| {
        let (planes_out, rest) = buffer.split_at_mut(planes * pixels);
        let (sums, ordered) = rest.split_at_mut(plan.to.len());
        if planes > 0 {
            make_planes(start..start + pixels, planes_out);
        }
        for (image, y) in y.chunks_exact_mut(plan.to.len()).enumerate() {
            let first = image * plan.from.h * plan.from.w;
            shifted_sum(plan, kernels, (planes_out, pixels), first, bias, sums);
            if plan.phases.len() * plan.to.c == 1 {
                activation::apply_all(act, sums, y);
            } else {
                interleave(plan, sums, ordered);
                activation::apply_all(act, ordered, y);
            }
        }
    });
}

/// Plane `p` of `planes` holds, for each pixel of `x`, the product of its `channels` values with row `p` of `rows`.
fn make_planes(rows: &[f32], channels: usize, x: &[f32], planes: &mut [f32]) {
    with_tiles!(
        |T| crate::engines::direct::col2im::make_planes::<T>(rows, channels, x, planes),
        else make_planes_plain(rows, channels, x, planes)
    )
}

fn make_planes_plain(rows: &[f32], channels: usize, x: &[f32], planes: &mut [f32]) {
    let (count, pixels) = (rows.len() / channels, x.len() / channels);
    product(
        [count, pixels, channels],
        (rows, Strides::rows(channels)),
        (x, Strides::transposed(channels)),
        false,
        (planes, Strides::rows(pixels)),
    );
}

/// The kernel pixels that some tap reads, ascending: of a kernel that is larger than its image, the middle.
pub(crate) fn kernels_in_use(plan: &Plan) -> Vec<usize> {
    let taps = plan.phases.iter().flat_map(|phase| &phase.taps);
    let mut kernels: Vec<usize> = taps.flat_map(|tap| tap.kernels.iter().copied()).collect();
    kernels.sort_unstable();
    kernels.dedup();
    kernels
}

/// Calls `work` with the weights as rows (kernel pixel in use, destination channel) of `from.c` values.
pub(crate) fn with_rows<R>(plan: &Plan, w: &[f32], work: impl FnOnce(&[f32]) -> R) -> R {
    let (along_c, along_n) = plan.weight_strides();
    let kernels = kernels_in_use(plan);
    workspace::with(kernels.len() * plan.to.c * plan.from.c, |rows| {
        for (row, values) in rows.chunks_exact_mut(plan.from.c).enumerate() {
            let (k, n) = (kernels[row / plan.to.c], row % plan.to.c);
            let w = &w[k * plan.from.c * plan.to.c + n * along_n..];
            for (c, value) in values.iter_mut().enumerate() {
                *value = w[c * along_c];
            }
        }
        work(rows)
    })
}

/// Adds up one image to sums `[phase][channel][row, column of the phase]`; its source pixels start at column `first` of
/// every plane.
fn shifted_sum(
    plan: &Plan,
    kernels: &[usize],
    (planes, pixels): (&[f32], usize),
    first: usize,
    bias: Option<&[f32]>,
    sums: &mut [f32],
) {
    let mut rest = sums;
    for phase in &plan.phases {
        for n in 0..plan.to.c {
            let (sums, tail) = rest.split_at_mut(phase.rows * phase.cols);
            rest = tail;
            sums.fill(bias.map_or(0.0, |b| b[n]));
            for tap in &phase.taps {
                for k in &tap.kernels {
                    // Nearly always, all kernel pixels are in use.
                    let k = if kernels.len() == plan.kernels { *k } else { kernels.partition_point(|used| used < k) };
                    let plane = &planes[(k * plan.to.c + n) * pixels + first..];
                    add_tap(plan, phase, tap, plane, sums);
                }
            }
        }
    }
}

/// Adds one plane, shifted by one tap, to the destination pixels of a phase.
fn add_tap(plan: &Plan, phase: &Phase, tap: &Tap, plane: &[f32], sums: &mut [f32]) {
    let [step_y, step_x] = plan.step;
    let (from_j, to_j) = inside(tap.x, step_x, phase.cols, plan.from.w);
    let (from_i, to_i) = inside(tap.y, step_y, phase.rows, plan.from.h);
    if from_j >= to_j || from_i >= to_i {
        return;
    }
    let y = (step_y * from_i).wrapping_add_signed(tap.y);
    let x = (step_x * from_j).wrapping_add_signed(tap.x);
    let (lines, count) = (to_i - from_i, to_j - from_j);
    let target = &mut sums[from_i * phase.cols + from_j..];
    add_lines(lines, count, &plane[y * plan.from.w + x..], step_y * plan.from.w, step_x, target, phase.cols);
}

vectorised! {
    /// Adds lines of `count` values, every `step`-th of `source`, to lines of `target`; lines start a stride apart.
    fn add_lines(
        lines: usize,
        count: usize,
        source: &[f32],
        stride: usize,
        step: usize,
        target: &mut [f32],
        target_stride: usize,
    ) {
        for i in 0..lines {
            let target = &mut target[i * target_stride..][..count];
            let source = &source[i * stride..];
            if step == 1 {
                for (t, s) in target.iter_mut().zip(&source[..count]) {
                    *t += s;
                }
            } else {
                for (t, s) in target.iter_mut().zip(source.iter().step_by(step)) {
                    *t += s;
                }
            }
        }
    }
}

/// The numbers `m < count` for which `step * m + offset` is in `0..len`, as a range.
fn inside(offset: isize, step: usize, count: usize, len: usize) -> (usize, usize) {
    let step = step as isize;
    let first = (-offset).max(0).div_ceil_positive(step);
    let end = (len as isize - offset).max(0).div_ceil_positive(step);
    (first as usize, (end as usize).min(count))
}

trait DivCeil {
    fn div_ceil_positive(self, by: isize) -> isize;
}

impl DivCeil for isize {
    fn div_ceil_positive(self, by: isize) -> isize {
        (self + by - 1) / by
    }
}

/// From the sums of [`shifted_sum`] to pixels in order, channels last.
fn interleave(plan: &Plan, sums: &[f32], ordered: &mut [f32]) {
    let c = plan.to.c;
    let [_, across] = plan.strides();
    let mut rest = sums;
    for phase in &plan.phases {
        for n in 0..c {
            let (sums, tail) = rest.split_at(phase.rows * phase.cols);
            rest = tail;
            for (i, line) in sums.chunks_exact(phase.cols).enumerate() {
                let pixels = ordered[plan.destination(phase, 0, i, 0) + n..].iter_mut().step_by(across);
                pixels.zip(line).for_each(|(v, s)| *v = *s);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;

    #[test]
    fn a_kernel_that_is_larger_than_its_image_is_used_as_far_as_it_reaches() {
        let plan = |kernel| Plan::forward(&Geometry::same(1, 4, 4, 8, 1, [kernel; 2], [1, 1]), 1);
        assert_eq!(kernels_in_use(&plan(5)).len(), 25);
        let used = kernels_in_use(&plan(101));
        assert_eq!((used.len(), used[0], used[48]), (49, 47 * 101 + 47, 53 * 101 + 53));
    }

    #[test]
    fn inside_is_exactly_the_range() {
        for offset in -7..9isize {
            for step in 1..4usize {
                for (count, len) in [(5, 4), (3, 9), (1, 1), (4, 0)] {
                    let (a, b) = inside(offset, step, count, len);
                    let is_in = |m: usize| {
                        let at = (step * m) as isize + offset;
                        at >= 0 && at < len as isize
                    };
                    let expected: Vec<usize> = (0..count).filter(|&m| is_in(m)).collect();
                    assert_eq!((a..b.max(a)).collect::<Vec<_>>(), expected);
                }
            }
        }
    }
}
