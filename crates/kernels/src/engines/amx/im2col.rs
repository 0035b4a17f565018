//! im2col for sources of few channels, in bf16: for each destination pixel the values of all its taps, one behind the other,
//! then zeros. The lines that are read are laid out once with zeros around them, so that neighbouring taps are neighbouring
//! values there, and no pixel asks where the image ends. Values are copied eight at a time: what is too much is overwritten
//! by what follows.

use super::source;
use crate::bf16;
use crate::memory::workspace;
use crate::plan::{Phase, Plan};
use crate::stored::Values;
use std::ops::Range;

/// Values that are copied at a time.
const AT_ONCE: usize = 8;

/// Values that [`fill`] needs room for behind the last pixel.
pub(super) const BEHIND: usize = AT_ONCE;

/// Taps side by side on a line.
struct Run {
    /// Where it begins on the lines that are laid out, for the phase's first pixel.
    from: usize,
    /// Where it begins in a column.
    to: usize,
    /// Values.
    len: usize,
}

/// Fills columns of `stride` values for the pixels of some `lines` of a phase in some `images`.
pub(super) fn fill(
    plan: &Plan,
    phase: &Phase,
    images: Range<usize>,
    lines: Range<usize>,
    x: Values,
    stride: usize,
    target: &mut [u16],
) {
    let (c, values) = (plan.from.c, phase.taps.len() * plan.from.c);
    let columns = images.len() * lines.len() * phase.cols;
    assert!(
        values <= stride && target.len() >= columns * stride + BEHIND,
        "{values} values of {columns} columns need room"
    );
    if values == 0 || columns == 0 {
        return target[..columns * stride].fill(0);
    }
    let [step_y, step_x] = plan.step;
    let of = |tap: fn(&crate::plan::Tap) -> isize| {
        let all = || phase.taps.iter().map(tap);
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    };
    let ((top, bottom), (left, right)) = (of(|t| t.y), of(|t| t.x));
    let width = (step_x * (phase.cols - 1) + 1 + (right - left) as usize) * c;
    let height = step_y * (lines.len() - 1) + 1 + (bottom - top) as usize;
    let mut runs: Vec<Run> = Vec::new();
    for (nth, tap) in phase.taps.iter().enumerate() {
        let from = (tap.y - top) as usize * width + (tap.x - left) as usize * c;
        match runs.last_mut() {
            Some(run) if run.from + run.len == from && nth > 0 && phase.taps[nth - 1].y == tap.y => run.len += c,
            _ => runs.push(Run { from, to: nth * c, len: c }),
        }
    }
    let first_y = (step_y * lines.start) as isize + top;
    workspace::with((height * width + AT_ONCE).div_ceil(2), |plane| {
        let plane = &mut bf16::as_halves(plane)[..height * width + AT_ONCE];
        plane.fill(0);
        let per_image = lines.len() * phase.cols * stride;
        for (nth, image) in images.enumerate() {
            let image = x.part(image * plan.from.len()..(image + 1) * plan.from.len());
            lay_out(plan, image, [first_y, left], [height, width], plane);
            let target = &mut target[nth * per_image..][..per_image + BEHIND];
            for line in 0..lines.len() {
                for j in 0..phase.cols {
                    let from = line * step_y * width + j * step_x * c;
                    let at = (line * phase.cols + j) * stride;
                    for run in &runs {
                        copy(&plane[from + run.from..], &mut target[at + run.to..], run.len);
                    }
                    zero(&mut target[at + values..], stride - values);
                }
            }
        }
    });
}

/// The lines of an image from `top` on, each from column `left` on, as far as they are inside; what is outside stays as it is.
fn lay_out(plan: &Plan, image: Values, [top, left]: [isize; 2], [height, width]: [usize; 2], plane: &mut [u16]) {
    let (c, w) = (plan.from.c, plan.from.w);
    let skip = (-left).max(0) as usize;
    let first = left.max(0) as usize;
    let count = (width / c).saturating_sub(skip).min(w.saturating_sub(first));
    for (row, line) in plane.chunks_exact_mut(width).take(height).enumerate() {
        let y = top + row as isize;
        if y >= 0 && (y as usize) < plan.from.h {
            let start = (y as usize * w + first) * c;
            source::to_bits(image.part(start..start + count * c), &mut line[skip * c..][..count * c]);
        }
    }
}

/// `len` values, and up to seven more.
#[inline(always)]
fn copy(from: &[u16], to: &mut [u16], len: usize) {
    for (from, to) in from.chunks_exact(AT_ONCE).zip(to.chunks_exact_mut(AT_ONCE)).take(len.div_ceil(AT_ONCE)) {
        to.copy_from_slice(from);
    }
}

/// `len` zeros, and up to seven more.
#[inline(always)]
fn zero(to: &mut [u16], len: usize) {
    to.chunks_exact_mut(AT_ONCE).take(len.div_ceil(AT_ONCE)).for_each(|to| to.fill(0));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Geometry;
    use crate::im2col::fill_columns;
    use crate::reference::{self, geometries, values};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(reference::cases(300))]

        #[test]
        fn the_same_columns_as_in_f32(g in geometries(), factor in 1..3usize, more in 0..9usize, cut in 0..5usize) {
            let g = Geometry { in_h: g.in_h * factor, in_w: g.in_w * factor, ..g };
            for plan in [Plan::forward(&g, factor), Plan::input_grad(&g, factor)] {
                let x = values(plan.batch * plan.from.len(), 1);
                for phase in plan.phases.iter().filter(|phase| phase.rows * phase.cols > 0) {
                    let deep = phase.taps.len() * plan.from.c;
                    let (stride, lines) = (deep + more, cut.min(phase.rows - 1)..phase.rows);
                    let columns = lines.len() * phase.cols;
                    for image in 0..plan.batch {
                        let mut got = vec![0xFFFFu16; columns * stride + BEHIND];
                        fill(&plan, phase, image..image + 1, lines.clone(), (&x).into(), stride, &mut got);
                        let mut want = vec![f32::NAN; columns * deep];
                        if deep > 0 {
                            fill_columns(&plan, phase, image, lines.start * phase.cols, &x, &mut want);
                        }
                        for column in 0..columns {
                            let mut bits = vec![0; stride];
                            bf16::to_bits(&want[column * deep..][..deep], &mut bits[..deep]);
                            prop_assert_eq!(&got[column * stride..][..stride], &bits[..]);
                        }
                    }
                }
            }
        }
    }
}
