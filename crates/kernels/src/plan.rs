//! The one form that every convolution here takes. A convolution (fprop), its input gradient (dgrad, a transposed
//! convolution) and both of these with nearest upsampling are the same operation, a *plan*: destination pixels fall into
//! phases, the pixels of one phase all read the source at the same few offsets (taps), and each tap has its own matrix of
//! weights. A weight gradient (wgrad) runs along the same plan.
//! A stride-2 transposed convolution has 2 x 2 phases with a quarter of the kernel each; an upsampling by 2 and a
//! 3x3 convolution has 2 x 2 phases of 2 x 2 taps, each the sum of the kernel pixels that land on one source pixel.

use crate::Geometry;

/// One offset that the pixels of a phase read, along one axis.
struct AxisTap {
    offset: isize,
    kernels: Vec<usize>,
}

/// Every `period`-th destination coordinate from `first` on, `count` of them; number `m` reads `step * m + offset`.
struct AxisPhase {
    first: usize,
    count: usize,
    taps: Vec<AxisTap>,
}

struct Axis {
    period: usize,
    step: usize,
    phases: Vec<AxisPhase>,
}

/// A convolution along one axis: `source` pixels, enlarged `factor` times, to `output` pixels.
struct AxisShape {
    source: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
    factor: usize,
}

/// Collects kernel pixels by the offset they read, in order of offset, leaving out those always outside.
fn taps(reads: impl Iterator<Item = (isize, usize)>, step: usize, count: usize, source: usize) -> Vec<AxisTap> {
    let inside = |offset: isize| {
        (0..count).any(|m| {
            let i = (step * m) as isize + offset;
            i >= 0 && i < source as isize
        })
    };
    let mut taps: Vec<AxisTap> = Vec::new();
    for (offset, k) in reads {
        match taps.iter_mut().find(|t| t.offset == offset) {
            Some(tap) => tap.kernels.push(k),
            None if inside(offset) => taps.push(AxisTap { offset, kernels: vec![k] }),
            None => {}
        }
    }
    taps.sort_by_key(|t| t.offset);
    taps
}

impl AxisShape {
    /// Destination = output: `o * stride + k - pad` is the pixel read on the enlarged image.
    fn forward(&self) -> Axis {
        let common = gcd(self.stride, self.factor);
        let (period, step) = (self.factor / common, self.stride / common);
        let phase = |p: usize| {
            let count = (self.output - p).div_ceil(period);
            let reads = (0..self.kernel).map(|k| {
                let enlarged = (p * self.stride + k) as isize - self.pad as isize;
                (enlarged.div_euclid(self.factor as isize), k)
            });
            AxisPhase { first: p, count, taps: taps(reads, step, count, self.source) }
        };
        Axis { period, step, phases: (0..period.min(self.output)).map(phase).collect() }
    }

    /// Destination = source: the outputs `(u + pad - k) / stride`, where whole, read each enlarged pixel `u`.
    fn input_grad(&self) -> Axis {
        let common = gcd(self.stride, self.factor);
        let (period, step) = (self.stride / common, self.factor / common);
        let phase = |p: usize| {
            let count = (self.source - p).div_ceil(period);
            let pairs = (0..self.factor).flat_map(|a| (0..self.kernel).map(move |k| (a, k)));
            let reads = pairs.filter_map(|(a, k)| {
                let at = (self.factor * p + a + self.pad) as isize - k as isize;
                let stride = self.stride as isize;
                (at.rem_euclid(stride) == 0).then(|| (at.div_euclid(stride), k))
            });
            AxisPhase { first: p, count, taps: taps(reads, step, count, self.output) }
        };
        Axis { period, step, phases: (0..period.min(self.source)).map(phase).collect() }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One source pixel that the pixels of a phase read, relative to `step * m`, and the kernel pixels
/// (`ky * kernel_w + kx`) whose weights add up there.
#[derive(Clone)]
pub(crate) struct Tap {
    pub(crate) y: isize,
    pub(crate) x: isize,
    pub(crate) kernels: Vec<usize>,
}

/// Destination pixels `(first_y + period_y * i, first_x + period_x * j)`, `i < rows`, `j < cols`.
#[derive(Clone)]
pub(crate) struct Phase {
    pub(crate) first_y: usize,
    pub(crate) first_x: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) taps: Vec<Tap>,
}

/// A batch of images, channels last.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    pub(crate) h: usize,
    pub(crate) w: usize,
    pub(crate) c: usize,
}

impl Image {
    /// Values in one image.
    pub(crate) fn len(self) -> usize {
        self.h * self.w * self.c
    }
}

/// A convolution or its input gradient: how the pixels of `to` are made of those of `from`.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) batch: usize,
    pub(crate) from: Image,
    pub(crate) to: Image,
    pub(crate) period: [usize; 2],
    pub(crate) step: [usize; 2],
    pub(crate) phases: Vec<Phase>,
    /// Kernel pixels, each a matrix of weights.
    pub(crate) kernels: usize,
    /// Weights are stored `[kernel, to.c, from.c]` (a gradient) rather than `[kernel, from.c, to.c]`.
    pub(crate) transposed: bool,
}

impl Plan {
    /// How many of `tasks` equal parts of the work one thread should take at least: waking another one costs about as much
    /// as a million multiplications.
    pub(crate) fn tasks_worth_a_thread(&self, tasks: usize) -> usize {
        const WORTH_A_THREAD: usize = 1 << 20;
        let per_image = |p: &Phase| p.rows * p.cols * p.taps.len() * self.from.c * self.to.c;
        let work = self.batch * self.phases.iter().map(per_image).sum::<usize>();
        WORTH_A_THREAD.saturating_mul(tasks).div_ceil(work.max(1)).max(1)
    }

    /// The convolution `g` of an image enlarged `factor` times (`g.in_h` and `g.in_w` are the enlarged sizes).
    pub(crate) fn forward(g: &Geometry, factor: usize) -> Self {
        let [y, x] = axes(g, factor).map(|axis| axis.forward());
        Self::new(g, factor, y, x, false)
    }

    /// The gradient of [`Plan::forward`] with respect to the small image.
    pub(crate) fn input_grad(g: &Geometry, factor: usize) -> Self {
        let [y, x] = axes(g, factor).map(|axis| axis.input_grad());
        Self::new(g, factor, y, x, true)
    }

    fn new(g: &Geometry, factor: usize, y: Axis, x: Axis, transposed: bool) -> Self {
        let mut phases = Vec::with_capacity(y.phases.len() * x.phases.len());
        for py in &y.phases {
            for px in &x.phases {
                phases.push(Phase {
                    first_y: py.first,
                    first_x: px.first,
                    rows: py.count,
                    cols: px.count,
                    taps: cross(&py.taps, &px.taps, g.kernel_w),
                });
            }
        }
        let small = Image { h: g.in_h / factor, w: g.in_w / factor, c: g.in_c };
        let output = Image { h: g.out_h, w: g.out_w, c: g.out_c };
        let (from, to) = if transposed { (output, small) } else { (small, output) };
        Self {
            batch: g.batch,
            from,
            to,
            period: [y.period, x.period],
            step: [y.step, x.step],
            phases,
            kernels: g.kernel_h * g.kernel_w,
            transposed,
        }
    }

    /// Index of the first value of destination pixel `(i, j)` of a phase.
    pub(crate) fn destination(&self, phase: &Phase, image: usize, i: usize, j: usize) -> usize {
        let (y, x) = (phase.first_y + self.period[0] * i, phase.first_x + self.period[1] * j);
        ((image * self.to.h + y) * self.to.w + x) * self.to.c
    }

    /// Values from a phase's destination pixel to the next one: down, across.
    pub(crate) fn strides(&self) -> [usize; 2] {
        [self.period[0] * self.to.w * self.to.c, self.period[1] * self.to.c]
    }

    /// The offset of weight `(c, n)` of a kernel pixel, and the strides of `c` and of `n`.
    pub(crate) fn weight_strides(&self) -> (usize, usize) {
        if self.transposed { (1, self.from.c) } else { (self.to.c, 1) }
    }
}

fn axes(g: &Geometry, factor: usize) -> [AxisShape; 2] {
    assert!(g.stride_h > 0 && g.stride_w > 0, "a stride is zero: {g:?}");
    assert!(
        factor > 0 && g.in_h.is_multiple_of(factor) && g.in_w.is_multiple_of(factor),
        "the upsampled image {}x{} is no multiple of the factor {factor}",
        g.in_h,
        g.in_w
    );
    for (input, output, kernel, stride, pad) in
        [(g.in_h, g.out_h, g.kernel_h, g.stride_h, g.pad_top), (g.in_w, g.out_w, g.kernel_w, g.stride_w, g.pad_left)]
    {
        // All coordinates are signed sums of these; one bit more is left for what is added to them.
        let reach =
            output.checked_mul(stride).and_then(|at| at.checked_add(kernel)?.checked_add(pad)?.checked_add(input));
        assert!(reach.is_some_and(|reach| reach <= isize::MAX as usize / 2), "a coordinate would wrap: {g:?}");
        assert!(kernel.checked_mul(factor).is_some(), "a coordinate would wrap: {g:?}");
    }
    [
        AxisShape {
            source: g.in_h / factor,
            output: g.out_h,
            kernel: g.kernel_h,
            stride: g.stride_h,
            pad: g.pad_top,
            factor,
        },
        AxisShape {
            source: g.in_w / factor,
            output: g.out_w,
            kernel: g.kernel_w,
            stride: g.stride_w,
            pad: g.pad_left,
            factor,
        },
    ]
}

fn cross(ys: &[AxisTap], xs: &[AxisTap], kernel_w: usize) -> Vec<Tap> {
    let mut taps = Vec::with_capacity(ys.len() * xs.len());
    for y in ys {
        for x in xs {
            let pairs = y.kernels.iter().flat_map(|ky| x.kernels.iter().map(move |kx| (ky, kx)));
            taps.push(Tap { y: y.offset, x: x.offset, kernels: pairs.map(|(ky, kx)| ky * kernel_w + kx).collect() });
        }
    }
    taps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn macs(plan: &Plan) -> usize {
        let per_phase = |p: &Phase| p.rows * p.cols * p.taps.len();
        plan.phases.iter().map(per_phase).sum::<usize>() * plan.from.c * plan.to.c * plan.batch
    }

    #[test]
    fn upsampling_then_3x3_costs_four_ninths() {
        let g = Geometry::same(2, 28, 28, 3, 5, [3, 3], [1, 1]);
        let naive = (g.flops() / 2) as usize;
        assert_eq!(macs(&Plan::forward(&g, 2)) * 9, naive * 4);
        assert_eq!(macs(&Plan::input_grad(&g, 2)) * 9, naive * 4);
    }

    #[test]
    fn a_strided_input_gradient_multiplies_no_zeros() {
        let g = Geometry::same(1, 28, 28, 4, 2, [4, 4], [2, 2]);
        let plan = Plan::input_grad(&g, 1);
        assert_eq!(plan.phases.len(), 4);
        assert!(plan.phases.iter().all(|p| p.taps.len() == 4));
        assert_eq!(macs(&plan) as u64, g.flops() / 2);
    }

    #[test]
    #[should_panic(expected = "a coordinate would wrap")]
    fn coordinates_do_not_wrap() {
        let wraps = Geometry { stride_w: usize::MAX / 2, out_w: 3, ..Geometry::same(1, 4, 4, 1, 1, [1, 1], [1, 1]) };
        Plan::forward(&wraps, 1);
    }

    #[test]
    fn pixels_that_no_output_touches_have_no_taps() {
        let g = Geometry::same(1, 9, 9, 1, 1, [1, 1], [3, 3]);
        let plan = Plan::input_grad(&g, 1);
        let with_taps = plan.phases.iter().filter(|p| !p.taps.is_empty()).count();
        assert_eq!((plan.phases.len(), with_taps), (9, 1));
    }
}
