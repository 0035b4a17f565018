//! How a phase of a plan is cut into tiles. The taps of a phase form one grid of neighbouring offsets, or, where the
//! plan steps over pixels, one for each residue class of the source coordinates; every class is a convolution without
//! steps, and the sum of all classes' products is one set of outputs.

use super::form::{FORMS, Form};
use crate::plan::{Phase, Plan};
use std::ops::Range;

/// The source pixels that one grid of taps reads.
pub(super) struct Class {
    /// Source coordinate of the first input of tile (0, 0): `[y, x]`. Outside the image where negative.
    pub(super) first: [isize; 2],
    /// Number of the tap at `(a, b)` of the grid, `a * taps + b`, where there is one.
    pub(super) taps: Vec<Option<usize>>,
}

/// One phase, cut into tiles.
pub(crate) struct Tiling {
    pub(super) form: Form,
    pub(super) classes: Vec<Class>,
    /// Source pixels from one input to the next: `[y, x]`.
    pub(super) step: [usize; 2],
    /// Tiles down and across one image.
    pub(super) rows: usize,
    pub(super) cols: usize,
}

/// A run of offsets of one residue class along one axis.
struct Run {
    /// The first source coordinate.
    first: isize,
    /// The offsets from there on, `step` apart.
    count: usize,
}

/// The runs along one axis, or nothing where a class has gaps.
fn runs(mut offsets: Vec<isize>, step: usize) -> Option<Vec<Run>> {
    offsets.sort_unstable();
    offsets.dedup();
    let step = step as isize;
    let mut runs: Vec<Run> = Vec::new();
    for residue in 0..step {
        let mut class = offsets.iter().filter(|o| o.rem_euclid(step) == residue);
        let Some(&first) = class.next() else { continue };
        let count = 1 + class.clone().count();
        let gapless = class.zip(1..).all(|(o, k)| *o == first + k * step);
        if !gapless {
            return None;
        }
        runs.push(Run { first, count });
    }
    Some(runs)
}

impl Tiling {
    /// The cheapest tiling of a phase, where one takes less work than the direct sums.
    pub(super) fn of(plan: &Plan, phase: &Phase) -> Option<Self> {
        let direct = phase.rows * phase.cols * phase.taps.len() * plan.from.c * plan.to.c;
        let all = FORMS.iter().filter_map(|&form| Self::with(plan, phase, form));
        let best = all.min_by_key(|tiling| tiling.cost(plan))?;
        (best.cost(plan) < direct).then_some(best)
    }

    /// The tiling of a phase by a form, where the form has as many taps as the phase asks for.
    pub(super) fn with(plan: &Plan, phase: &Phase, form: Form) -> Option<Self> {
        let ys = runs(phase.taps.iter().map(|t| t.y).collect(), plan.step[0])?;
        let xs = runs(phase.taps.iter().map(|t| t.x).collect(), plan.step[1])?;
        let taps = ys.iter().chain(&xs).map(|run| run.count).max()?;
        (taps == form.taps).then(|| Self {
            form,
            classes: classes_of(phase, plan.step, taps, &ys, &xs),
            step: plan.step,
            rows: phase.rows.div_ceil(form.outputs),
            cols: phase.cols.div_ceil(form.outputs),
        })
    }

    /// Multiplications of one image, the transforms' included.
    fn cost(&self, plan: &Plan) -> usize {
        let channels = self.classes.len() * plan.from.c;
        // Each value passes two matrices of about as many rows as there are points, and is written and read again: measured
        // at one and a half to two and a half times what the matrices' arithmetic alone would take.
        let transforms = 3 * self.form.points() * (channels + plan.to.c);
        self.per_image() * self.form.products() * (channels * plan.to.c + transforms)
    }

    /// Tiles of one image.
    pub(super) fn per_image(&self) -> usize {
        self.rows * self.cols
    }

    /// The position of tile number `t`, counted over images.
    pub(super) fn place(&self, t: usize) -> Place {
        let (line, column) = (t / self.cols, t % self.cols);
        Place { image: line / self.rows, row: line % self.rows, column }
    }

    /// The source coordinates of input `k` of tile `nth` along an axis (0: down, 1: across).
    pub(super) fn source(&self, class: &Class, axis: usize, nth: usize, k: usize) -> isize {
        class.first[axis] + (self.step[axis] * (self.form.outputs * nth + k)) as isize
    }

    /// The outputs of tile `nth` along an axis of `len` pixels of the phase.
    pub(super) fn outputs(&self, nth: usize, len: usize) -> Range<usize> {
        let first = nth * self.form.outputs;
        first..(first + self.form.outputs).min(len)
    }
}

/// A tile: its image, and its row and column there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

fn classes_of(phase: &Phase, step: [usize; 2], taps: usize, ys: &[Run], xs: &[Run]) -> Vec<Class> {
    let pairs = ys.iter().flat_map(|y| xs.iter().map(move |x| [y.first, x.first]));
    let class = |first: [isize; 2]| {
        let at = |k: usize| {
            let (y, x) = (first[0] + (step[0] * (k / taps)) as isize, first[1] + (step[1] * (k % taps)) as isize);
            phase.taps.iter().position(|t| (t.y, t.x) == (y, x))
        };
        Class { first, taps: (0..taps * taps).map(at).collect() }
    };
    pairs.map(class).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Geometry;

    fn tilings(plan: &Plan) -> Vec<Option<Tiling>> {
        plan.phases.iter().map(|p| Tiling::of(plan, p)).collect()
    }

    fn products(plan: &Plan) -> usize {
        let of = |t: &Option<Tiling>| t.as_ref().map_or(0, |t| t.per_image() * t.form.products() * t.classes.len());
        tilings(plan).iter().map(of).sum()
    }

    #[test]
    fn the_course_nets_need_less_than_half_the_products() {
        // 5x5 on 14x14: 49 tiles of 36 products where there were 196 pixels of 25.
        let g = Geometry::same(1, 14, 14, 128, 128, [5, 5], [1, 1]);
        assert_eq!(products(&Plan::forward(&g, 1)), 49 * 36);
        // Upsampling and 3x3: four phases of 196 pixels, 4 products each; 9 tiles of 36.
        let g = Geometry::same(1, 28, 28, 128, 256, [3, 3], [1, 1]);
        assert_eq!(products(&Plan::forward(&g, 2)), 4 * 9 * 36);
        assert_eq!(products(&Plan::input_grad(&g, 2)), 4 * 9 * 36);
        // 4x4 with stride 2: the same classes the other way round.
        let g = Geometry::same(1, 28, 28, 256, 128, [4, 4], [2, 2]);
        assert_eq!(products(&Plan::forward(&g, 1)), 4 * 9 * 36);
        assert_eq!(products(&Plan::input_grad(&g, 1)), 4 * 9 * 36);
    }

    #[test]
    fn every_tap_is_in_exactly_one_class() {
        for (kernel, stride) in [(3, 2), (4, 2), (5, 2), (3, 1), (7, 3)] {
            let g = Geometry::same(1, 23, 23, 64, 64, [kernel, kernel], [stride, stride]);
            for plan in [Plan::forward(&g, 1), Plan::input_grad(&g, 1)] {
                for (phase, tiling) in plan.phases.iter().zip(tilings(&plan)) {
                    let Some(tiling) = tiling else { continue };
                    let mut seen: Vec<usize> =
                        tiling.classes.iter().flat_map(|c| c.taps.iter().flatten()).copied().collect();
                    seen.sort_unstable();
                    assert_eq!(seen, (0..phase.taps.len()).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn what_gains_nothing_stays_direct() {
        let one = Geometry::same(1, 14, 14, 64, 64, [1, 1], [1, 1]);
        let narrow = Geometry::same(1, 14, 14, 64, 64, [1, 3], [1, 1]);
        let dense = Geometry::dense(4, 128, 64);
        for g in [one, narrow, dense] {
            assert!(tilings(&Plan::forward(&g, 1)).iter().all(Option::is_none), "{g:?}");
        }
    }
}
