//! Activations and their slopes. A slope is expressed by the activation's output, because that is what a backward
//! pass has at hand; NaN passes through every activation.

use crate::exponential;
use crate::memory::workspace::Aligned;
use crate::stored::{Element, Values, ValuesMut, alike};
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// What is applied to each value after a layer's sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `v`
    Identity,
    /// `max(v, 0)`
    Relu,
    /// `v` where positive, else `slope * v`; the slope is not negative.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-v))`
    Sigmoid,
}

impl Activation {
    /// The activation of `v`.
    #[inline(always)]
    pub(crate) fn apply(self, v: f32) -> f32 {
        match self {
            Self::Identity => v,
            // Written so that NaN takes the second branch.
            Self::Relu => {
                if v <= 0.0 {
                    0.0
                } else {
                    v
                }
            }
            Self::LeakyRelu(slope) => {
                if v <= 0.0 {
                    slope * v
                } else {
                    v
                }
            }
            Self::Tanh => exponential::tanh(v),
            Self::Sigmoid => exponential::sigmoid(v),
        }
    }

    /// The derivative at the point where the activation's output is `y`. At the corner of the ReLUs (`y = 0`) it
    /// is the left one, as in TensorFlow.
    #[inline(always)]
    pub(crate) fn slope(self, y: f32) -> f32 {
        match self {
            Self::Identity => 1.0,
            Self::Relu => {
                if y > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Self::LeakyRelu(slope) => {
                if y > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Self::Tanh => 1.0 - y * y,
            Self::Sigmoid => y * (1.0 - y),
        }
    }
}

/// Values of one task: enough to be worth handing to a thread.
const BLOCK: usize = 1 << 14;

/// Runs `$body` with `$a` bound to each activation as a constant, so that its loop is compiled without branches.
macro_rules! for_each_activation {
    ($act:expr, |$a:ident| $body:expr) => {
        match $act {
            Activation::Identity => {
                let $a = Activation::Identity;
                $body
            }
            Activation::Relu => {
                let $a = Activation::Relu;
                $body
            }
            Activation::LeakyRelu(slope) => {
                let $a = Activation::LeakyRelu(slope);
                $body
            }
            Activation::Tanh => {
                let $a = Activation::Tanh;
                $body
            }
            Activation::Sigmoid => {
                let $a = Activation::Sigmoid;
                $body
            }
        }
    };
}
pub(crate) use for_each_activation;

vectorised! {
    /// `y = act(x)` on this thread.
    pub(crate) fn apply_all<T: Element>(act: Activation, x: &[T], y: &mut [T]) {
        for_each_activation!(act, |a| {
            for (y, x) in y.iter_mut().zip(x) {
                *y = T::of(a.apply(x.wide()));
            }
        });
    }
}

fn same_len(name: &str, got: usize, other: &str, want: usize) {
    assert!(got == want, "{name} has {got} values where {other} has {want}");
}

/// `y = act(x)`; equal lengths.
pub fn forward<'a>(act: Activation, x: impl Into<Values<'a>>, y: impl Into<ValuesMut<'a>>) {
    let (x, y) = (x.into(), y.into());
    same_len("y", y.len(), "x", x.len());
    y.chunks(BLOCK).zip(x.chunks(BLOCK)).for_each(|(y, x)| alike!([x] -> y => apply_all(act, x, y)));
}

/// `dx = dy * slope(y)`; equal lengths.
pub fn backward<'a>(
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dx: impl Into<ValuesMut<'a>>,
) {
    let (y, dy, dx) = (y.into(), dy.into(), dx.into());
    same_len("dy", dy.len(), "y", y.len());
    same_len("dx", dx.len(), "y", y.len());
    let blocks = dx.chunks(BLOCK).zip(y.chunks(BLOCK).zip(dy.chunks(BLOCK)));
    blocks.for_each(|(dx, (y, dy))| alike!([y, dy] -> dx => multiply_slope(act, y, dy, dx)));
}

vectorised! {
    fn multiply_slope<T: Element>(act: Activation, y: &[T], dy: &[T], dx: &mut [T]) {
        for_each_activation!(act, |a| {
            for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                *dx = T::of(dy.wide() * a.slope(y.wide()));
            }
        });
    }
}

/// Rows of `c` values that one task of a column sum covers: a fixed function of `c`.
pub(crate) fn rows_per_task(c: usize) -> usize {
    BLOCK.div_ceil(c.max(1))
}

/// `dz = dy * slope(y)` and `db[c] = sum over rows of dz`, as stored. `y`, `dy`, `dz` are `[rows, c]`; `c` is `db.len()`.
pub fn backward_with_bias<'a>(
    act: Activation,
    y: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    dz: impl Into<ValuesMut<'a>>,
    db: &mut [f32],
) {
    let (y, dy, dz) = (y.into(), dy.into(), dz.into());
    same_len("dy", dy.len(), "y", y.len());
    same_len("dz", dz.len(), "y", y.len());
    check_rows(dz.len(), db.len());
    if db.is_empty() {
        return;
    }
    let c = db.len();
    let values = rows_per_task(c) * c;
    let inputs = y.chunks(values).zip(dy.chunks(values));
    let blocks = dz.chunks(values).zip(inputs);
    let part = |(dz, (y, dy))| {
        let mut sums = ColumnSums::new(c);
        alike!([y, dy] -> dz => {
            // What was just made is still in the first-level cache when it is summed.
            let strip = sums.group();
            for ((dz, y), dy) in dz.chunks_mut(strip).zip(y.chunks(strip)).zip(dy.chunks(strip)) {
                multiply_slope(act, y, dy, dz);
                sums.add(dz);
            }
        });
        sums.total()
    };
    let parts: Vec<Vec<f64>> = blocks.map(part).collect();
    add_parts(&parts, db);
}

/// `db[c] = sum over rows of dz`; `dz` is `[rows, c]`, `c` is `db.len()`.
pub fn bias_grad<'a>(dz: impl Into<Values<'a>>, db: &mut [f32]) {
    let dz = dz.into();
    check_rows(dz.len(), db.len());
    if db.is_empty() {
        return;
    }
    let c = db.len();
    if c > BLOCK / 4 {
        return wide_bias_grad(dz, db);
    }
    let values = rows_per_task(c) * c;
    let part = |dz: Values| {
        let mut sums = ColumnSums::new(c);
        alike!([dz] => sums.add(dz));
        sums.total()
    };
    let parts: Vec<Vec<f64>> = dz.chunks(values).map(part).collect();
    add_parts(&parts, db);
}

/// [`bias_grad`] of few long rows: each task sums some columns of all of them.
fn wide_bias_grad(dz: Values, db: &mut [f32]) {
    /// Columns of a task.
    const COLUMNS: usize = 1 << 10;
    let c = db.len();
    db.par_chunks_mut(COLUMNS).enumerate().for_each(|(nth, db)| {
        let mut sums = ColumnSums::new(db.len());
        for first in (nth * COLUMNS..dz.len()).step_by(c) {
            let row = dz.part(first..first + db.len());
            alike!([row] => sums.add(row));
        }
        db.iter_mut().zip(sums.total()).for_each(|(db, sum)| *db = sum as f32);
    });
}

fn check_rows(len: usize, c: usize) {
    assert!(len == 0 || (c > 0 && len.is_multiple_of(c)), "{len} values are not whole rows of {c}");
}

/// Rows summed in f32 before the sum moves to f64: few enough to lose nothing that matters.
const F32_ROWS: usize = 16;
/// Values that a row has at least while it is summed; narrower rows are taken several at a time.
const WIDE: usize = 64;

/// The sum of each column of rows of `c`.
struct ColumnSums {
    c: usize,
    /// Sums of a few rows.
    scratch: Aligned,
    /// Of whole groups of rows, as wide as a group.
    totals: Vec<f64>,
}

impl ColumnSums {
    fn new(c: usize) -> Self {
        let width = if c < WIDE { WIDE / c * c } else { c };
        Self { c, scratch: Aligned::zeros(width), totals: vec![0.0; width] }
    }

    /// Values that are summed in f32 before the sum moves to f64.
    fn group(&self) -> usize {
        F32_ROWS * self.totals.len()
    }

    /// Adds whole rows; all but the last call's are whole groups.
    fn add<T: Element>(&mut self, x: &[T]) {
        let width = self.totals.len();
        let (wide, rest) = x.split_at(x.len() / width * width);
        add_rows(wide, &mut self.scratch, &mut self.totals);
        self.totals.iter_mut().zip(rest).for_each(|(t, x)| *t += f64::from(x.wide()));
    }

    fn total(self) -> Vec<f64> {
        let mut sums = vec![0.0f64; self.c];
        for row in self.totals.chunks_exact(self.c) {
            sums.iter_mut().zip(row).for_each(|(s, t)| *s += t);
        }
        sums
    }
}

vectorised! {
    /// Adds the rows of `x` to `totals`; `sums` is scratch of the same width.
    fn add_rows<T: Element>(x: &[T], sums: &mut [f32], totals: &mut [f64]) {
        let width = totals.len();
        for group in x.chunks(F32_ROWS * width) {
            sums.fill(0.0);
            let fours = group.chunks_exact(4 * width);
            for row in fours.remainder().chunks_exact(width) {
                for (s, x) in sums.iter_mut().zip(row) {
                    *s += x.wide();
                }
            }
            for four in fours {
                let (ab, cd) = four.split_at(2 * width);
                let ((a, b), (c, d)) = (ab.split_at(width), cd.split_at(width));
                for (s, ((a, b), (c, d))) in sums.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
                    *s += (a.wide() + b.wide()) + (c.wide() + d.wide());
                }
            }
            for (t, s) in totals.iter_mut().zip(sums.iter()) {
                *t += f64::from(*s);
            }
        }
    }
}

/// Adds up the tasks' sums in order.
fn add_parts(parts: &[Vec<f64>], db: &mut [f32]) {
    for (c, db) in db.iter_mut().enumerate() {
        *db = parts.iter().map(|p| p[c]).sum::<f64>() as f32;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reference::{self, assert_close, assert_same_on_any_pool, values};

    const ALL: [Activation; 5] =
        [Activation::Identity, Activation::Relu, Activation::LeakyRelu(0.2), Activation::Tanh, Activation::Sigmoid];

    #[test]
    fn values_agree_with_f64_and_extremes_stay_finite() {
        let x: Vec<f32> = (-400..=400).map(|i| i as f32 / 4.0).collect();
        for act in ALL {
            let mut y = vec![0.0; x.len()];
            forward(act, &x, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let want = reference::activation(act, f64::from(*x));
                assert!((f64::from(*y) - want).abs() <= 3e-7 * want.abs().max(1e-30), "{act:?}({x}) = {y}, not {want}");
            }
            assert!(act.apply(f32::NAN).is_nan(), "{act:?} hides NaN");
        }
    }

    #[test]
    fn slopes_match_finite_differences() {
        for act in ALL {
            for v in [-2.0f64, -0.3, 0.2, 1.5] {
                let h = 1e-6;
                let d = (reference::activation(act, v + h) - reference::activation(act, v - h)) / (2.0 * h);
                let y = act.apply(v as f32);
                assert!((f64::from(act.slope(y)) - d).abs() < 1e-5, "{act:?} at {v}");
            }
        }
    }

    #[test]
    fn backward_sums_each_channel() {
        for (rows, c) in [(5, 3), (7000, 17), (1, 40), (33000, 1), (100, 256), (9, 5001)] {
            let (y, dy) = (values(rows * c, 1), values(rows * c, 2));
            let (mut dz, mut db) = (vec![0.0; y.len()], vec![0.0; c]);
            backward_with_bias(Activation::Tanh, &y, &dy, &mut dz, &mut db);
            let want: Vec<f64> =
                y.iter().zip(&dy).map(|(y, dy)| f64::from(*dy) * (1.0 - f64::from(*y).powi(2))).collect();
            assert_close("dz", &dz, &want);
            let mut sums = vec![0.0; c];
            want.iter().enumerate().for_each(|(i, z)| sums[i % c] += z);
            assert_close("db", &db, &sums);
            let (mut dx, mut again) = (vec![0.0; y.len()], vec![0.0; c]);
            backward(Activation::Tanh, &y, &dy, &mut dx);
            bias_grad(&dx, &mut again);
            assert_eq!(dx, dz);
            assert_close("db again", &again, &sums);
            // Long rows alone are summed column by column there.
            assert!(c > BLOCK / 4 || again == db, "the same sums of {rows} x {c}");
        }
    }

    #[test]
    fn stored_as_bf16_only_the_stored_values_are_rounded() {
        use crate::bf16;
        let (rows, c, act) = (3000, 17, Activation::LeakyRelu(0.2));
        let bits = |seed| values(rows * c, seed).into_iter().map(bf16::bits).collect::<Vec<u16>>();
        let wide = |bits: &[u16]| Values::Bf16(bits).with_f32(<[f32]>::to_vec);
        let (y, dy) = (bits(1), bits(2));
        let (mut dz, mut db) = (vec![0u16; y.len()], vec![0.0; c]);
        backward_with_bias(act, Values::Bf16(&y), Values::Bf16(&dy), &mut dz, &mut db);
        let (mut want_dz, mut want_db) = (vec![0.0; y.len()], vec![0.0; c]);
        backward_with_bias(act, &wide(&y), &wide(&dy), &mut want_dz, &mut want_db);
        bias_grad(&wide(&dz), &mut want_db);
        assert_eq!(db, want_db, "what is summed is what is stored");
        assert_eq!(dz, want_dz.iter().map(|v| bf16::bits(*v)).collect::<Vec<_>>());
        let mut again = vec![0u16; y.len()];
        backward(act, Values::Bf16(&y), &wide(&dy), &mut again);
        assert_eq!(again, dz);
        forward(act, Values::Bf16(&y), &mut again);
        assert!(again.iter().zip(wide(&y)).all(|(a, y)| *a == bf16::bits(act.apply(y))));
        bias_grad(Values::Bf16(&dz), &mut db);
        bias_grad(&wide(&dz), &mut want_db);
        assert_eq!(db, want_db);
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let dz = values(50_000 * 5, 3);
        assert_same_on_any_pool(|| {
            let mut db = vec![0.0; 5];
            bias_grad(&dz, &mut db);
            db
        });
    }

    #[test]
    #[should_panic(expected = "dy has 1 values where y has 2")]
    fn lengths_are_checked() {
        backward(Activation::Relu, &[0.0; 2], &[0.0], &mut [0.0; 2]);
    }
}
