//! [`crate::chain`] on blocks: each thread takes some images through both stages, forwards or backwards, before it takes the
//! next ones. Weights are laid out once for all. Weight gradients are the same sums in the same order as when each stage does
//! the whole batch: a group of images is what that would lay out at a time.

mod normed;

use super::finish;
use super::prepared::{Prepared, with_weights};
use super::wgrad::{Sums, at_once, part_of, parts, with_sums};
use crate::activation;
use crate::bf16;
use crate::epilogue::Epilogue;
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::Plan;
use crate::stage::{Gradients, Stage};
use crate::stored::{Values, ValuesMut};
use rayon::prelude::*;

/// Values between the stages that a thread has at a time on the way forward: a megabyte, half of a second-level cache.
const BETWEEN: usize = 1 << 19;

/// Calls `work` with `len` bf16 values, whatever an earlier use left there.
fn with_halves<R>(len: usize, work: impl FnOnce(&mut [u16]) -> R) -> R {
    workspace::with(len.div_ceil(2), |own| work(&mut bf16::as_halves(own)[..len]))
}

/// Two stages that go together.
pub(crate) struct Chain<'a> {
    unit: Bf16Unit,
    stages: [&'a Stage<'a>; 2],
    forward: [Plan; 2],
    back: [Plan; 2],
    /// Values of an image: going in, between, coming out.
    sizes: [usize; 3],
}

/// The stages together, where the processor multiplies bf16 and nothing about them is unusual: images that are not empty,
/// pixels that all have taps, a slope that products can be multiplied with.
pub(crate) fn chain<'a>(stages: [&'a Stage<'a>; 2]) -> Option<Chain<'a>> {
    let unit = Bf16Unit::in_use()?;
    finish::slope_below(stages[0].activation)?;
    let (forward, back) = (stages.map(Stage::forward_plan), stages.map(Stage::back_plan));
    let usual = |plan: &Plan| {
        plan.batch * plan.from.len() * plan.to.len() > 0 && plan.phases.iter().all(|phase| !phase.taps.is_empty())
    };
    let sizes = [forward[0].from.len(), forward[0].to.len(), forward[1].to.len()];
    forward.iter().all(usual).then_some(Chain { unit, stages, forward, back, sizes })
}

impl Chain<'_> {
    /// Images that a thread has at a time on the way forward; fewer where there are threads without any. No result depends on it.
    fn images_at_once(&self) -> usize {
        let share = self.forward[0].batch.div_ceil(rayon::current_num_threads());
        (BETWEEN / self.sizes[1]).min(share).max(1)
    }

    pub(crate) fn forward(&self, x: Values, between: Option<ValuesMut>, y: ValuesMut) {
        let [first, second] = self.stages;
        with_weights(self.unit, &self.forward[0], first.weight, Some(first.bias), |one| {
            with_weights(self.unit, &self.forward[1], second.weight, Some(second.bias), |two| {
                self.forward_with([one, two], x, between, y);
            });
        });
    }

    fn forward_with(&self, ready: [&Prepared; 2], x: Values, between: Option<ValuesMut>, y: ValuesMut) {
        let [wide, middle, narrow] = self.sizes;
        let images = self.images_at_once();
        let run = |nth: usize, mut between: ValuesMut, y: ValuesMut| {
            let first = nth * images * wide;
            let x = x.part(first..first + between.len() / middle * wide);
            ready[0].run_here(x, self.stages[0].activation.into(), between.again());
            ready[1].run_here(between.read(), self.stages[1].activation.into(), y);
        };
        let groups = y.chunks(images * narrow).enumerate();
        match between {
            Some(between) => {
                let groups = groups.zip(between.chunks(images * middle));
                groups.for_each(|((nth, y), between)| run(nth, between, y));
            }
            None => groups.for_each(|(nth, y)| {
                let len = y.len() / narrow * middle;
                with_halves(len, |own| run(nth, ValuesMut::Bf16(own), y));
            }),
        }
    }

    /// The plan of a stage's weight gradient.
    fn weight_plan(&self, stage: usize) -> &Plan {
        if self.stages[stage].weights_go_back() { &self.back[stage] } else { &self.forward[stage] }
    }

    /// Whether the sums over some images at a time are those over all at once, and as many threads as there are have work.
    pub(crate) fn goes_back_together(&self) -> bool {
        let [first, second] = [0, 1].map(|stage| self.weight_plan(stage));
        let count = parts(first);
        // The last group of a part is smaller: the second stage must lay it out as it would at the part's end.
        let alike = (0..count).all(|part| {
            let images = part_of(first.batch, count, part).len();
            let (group, piece) = (at_once(first, images), at_once(second, images));
            let left = images % group;
            group.is_multiple_of(piece) && (left == 0 || at_once(second, left) == piece.min(left))
        });
        // The first stage's bias gradient is summed along with its weights', which the other form doesn't do.
        let along = !self.stages[0].weights_go_back();
        alike && along && parts(second) == count && rayon::current_num_threads() <= count
    }

    pub(crate) fn backward(&self, x: Values, between: Values, dy: Values, then: Epilogue, gradients: Gradients) {
        let [first, second] = self.stages;
        let Gradients { weights: [first_dw, second_dw], biases: [first_db, second_db], x: dx } = gradients;
        let (along, alone) = if second.weights_go_back() { (None, Some(second_db)) } else { (Some(second_db), None) };
        if let Some(db) = alone {
            activation::bias_grad(dy, db);
        }
        with_weights(self.unit, &self.back[0], first.weight, None, |first_back| {
            with_weights(self.unit, &self.back[1], second.weight, None, |second_back| {
                with_sums(self.unit, self.weight_plan(1), second_dw, along, |second_sums| {
                    with_sums(self.unit, &self.forward[0], first_dw, Some(first_db), |first_sums| {
                        let back = Back { first: (first_back, first_sums), second: (second_back, second_sums) };
                        self.backward_with(&back, x, between, dy, then, dx);
                    });
                });
            });
        });
    }

    fn backward_with(
        &self,
        back: &Back,
        x: Values,
        between: Values,
        dy: Values,
        then: Epilogue,
        dx: Option<ValuesMut>,
    ) {
        let plan = self.weight_plan(0);
        let count = parts(plan);
        let mut rest = dx;
        let tasks: Vec<_> = (0..count)
            .map(|part| {
                let images = part_of(plan.batch, count, part);
                let (here, others) = rest.take().map(|dx| dx.split_at(images.len() * self.sizes[0])).unzip();
                rest = others;
                (part, images, here)
            })
            .collect();
        tasks.into_par_iter().for_each(|(part, images, mut dx)| {
            let group = at_once(plan, images.len());
            for first in images.clone().step_by(group) {
                let here = first..(first + group).min(images.end);
                let [wide, middle, narrow] = self.sizes.map(|size| here.start * size..here.end * size);
                let (dx_here, others) = dx.take().map(|dx| dx.split_at(wide.len())).unzip();
                dx = others;
                let group = Group {
                    x: x.part(wide.clone()),
                    between: between.part(middle),
                    dy: dy.part(narrow),
                    then: then.part(wide),
                    dx: dx_here,
                };
                // SAFETY: a part is one task.
                unsafe { self.group_backward(back, group, part, first > images.start) };
            }
        });
    }

    /// Adds some images of a part to the sums of a stage's weight gradient: what it read, and the gradient of what it made.
    ///
    /// # Safety
    /// As [`Sums::add_here`].
    unsafe fn add_weights(&self, stage: usize, sums: &Sums, part: usize, [read, made]: [Values; 2], accumulate: bool) {
        let (from, to) = if self.stages[stage].weights_go_back() { (made, read) } else { (read, made) };
        // SAFETY: the contract is passed on.
        unsafe { sums.add_here(part, from, to, accumulate) };
    }

    /// `between` comes from memory: the second stage's weight gradient reads it in order, so that is first.
    ///
    /// # Safety
    /// No other thread has images of this part at the same time.
    unsafe fn group_backward(&self, back: &Back, group: Group, part: usize, accumulate: bool) {
        let Group { x, between, dy, then, dx } = group;
        // SAFETY: the contract is passed on.
        unsafe { self.add_weights(1, back.second.1, part, [between, dy], accumulate) };
        with_halves(between.len(), |dz| {
            let slope = Epilogue::Slope(self.stages[0].activation, between);
            back.second.0.run_here(dy, slope, ValuesMut::Bf16(&mut *dz));
            // SAFETY: the contract is passed on.
            unsafe { self.add_weights(0, back.first.1, part, [x, Values::Bf16(dz)], accumulate) };
            if let Some(dx) = dx {
                back.first.0.run_here(Values::Bf16(dz), then, dx);
            }
        });
    }
}

/// What the way back needs of each stage: its weights and the sums of their gradient.
struct Back<'a> {
    first: (&'a Prepared<'a>, &'a Sums<'a>),
    second: (&'a Prepared<'a>, &'a Sums<'a>),
}

/// Some images on their way back.
struct Group<'a> {
    x: Values<'a>,
    between: Values<'a>,
    dy: Values<'a>,
    then: Epilogue<'a>,
    dx: Option<ValuesMut<'a>>,
}
