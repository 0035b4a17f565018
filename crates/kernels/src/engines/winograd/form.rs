//! The matrices of the minimal filtering algorithms F(m x m, r x r) (Winograd 1980; Lavin & Gray 2016), made by
//! Toom and Cook's construction: `r` taps and `m` outputs are polynomials that are multiplied at `n = m + r - 1` points,
//! the last one infinity. With `d` the `n` inputs and `g` the taps, the outputs are `A^T ((G g) * (B^T d))`, in two
//! dimensions with every matrix on both sides.

// Loops by index in what runs on registers: an iterator's closure that is not inlined would be compiled without them.
#![allow(clippy::needless_range_loop)]

use super::lanes::Lanes;

/// The finite points, in order of use. Small powers of two keep the rounding near that of the direct sums: measured on
/// sums over 128 channels, relative to the norm, 4e-7 (four points), 1.4e-6 (five) and 1.7e-6 (six), the direct form 4e-7
/// to 1e-6.
const POINTS: [f64; 5] = [0.0, 1.0, -1.0, 2.0, -0.5];

/// F(m x m, r x r): how many outputs and taps along each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Outputs of a tile along each axis.
    pub(super) outputs: usize,
    /// Taps along each axis.
    pub(super) taps: usize,
}

/// All forms there are: four to six points, two to five taps, at least two outputs.
pub(super) const FORMS: [Form; 9] = [
    Form { outputs: 3, taps: 2 },
    Form { outputs: 4, taps: 2 },
    Form { outputs: 5, taps: 2 },
    Form { outputs: 2, taps: 3 },
    Form { outputs: 3, taps: 3 },
    Form { outputs: 4, taps: 3 },
    Form { outputs: 2, taps: 4 },
    Form { outputs: 3, taps: 4 },
    Form { outputs: 2, taps: 5 },
];

impl Form {
    /// Inputs of a tile along each axis, and points.
    pub(super) fn points(self) -> usize {
        self.outputs + self.taps - 1
    }

    /// Products per tile, source channel and destination channel.
    pub(super) fn products(self) -> usize {
        self.points() * self.points()
    }
}

/// Calls a function that is generic over `N` points, `M` outputs and `R` taps for a form.
macro_rules! with_form {
    ($form:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match ($form.outputs, $form.taps) {
            (3, 2) => $function::<4, 3, 2>($($argument),*),
            (4, 2) => $function::<5, 4, 2>($($argument),*),
            (5, 2) => $function::<6, 5, 2>($($argument),*),
            (2, 3) => $function::<4, 2, 3>($($argument),*),
            (3, 3) => $function::<5, 3, 3>($($argument),*),
            (4, 3) => $function::<6, 4, 3>($($argument),*),
            (2, 4) => $function::<5, 2, 4>($($argument),*),
            (3, 4) => $function::<6, 3, 4>($($argument),*),
            (2, 5) => $function::<6, 2, 5>($($argument),*),
            other => unreachable!("no form with {other:?} outputs and taps"),
        }
    };
}
pub(super) use with_form;

const fn transpose<const R: usize, const C: usize>(matrix: &[[f32; C]; R]) -> [[f32; R]; C] {
    let mut result = [[0.0; R]; C];
    let mut i = 0;
    while i < R {
        let mut j = 0;
        while j < C {
            result[j][i] = matrix[i][j];
            j += 1;
        }
        i += 1;
    }
    result
}

/// Row `j`: the powers of point `j` over the product of its distances to the other finite points; the last row picks the
/// last tap.
const fn taps<const N: usize, const R: usize>() -> [[f32; R]; N] {
    let mut matrix = [[0.0; R]; N];
    let mut j = 0;
    while j < N - 1 {
        let mut distance = 1.0;
        let mut l = 0;
        while l < N - 1 {
            if l != j {
                distance *= POINTS[j] - POINTS[l];
            }
            l += 1;
        }
        let mut power = 1.0;
        let mut k = 0;
        while k < R {
            matrix[j][k] = (power / distance) as f32;
            power *= POINTS[j];
            k += 1;
        }
        j += 1;
    }
    matrix[N - 1][R - 1] = 1.0;
    matrix
}

/// A product with one of the matrices along one axis: `C` values in, `R` values out.
pub(super) trait Axis<L: Lanes, const R: usize, const C: usize> {
    /// The product.
    fn apply(d: [L; C]) -> [L; R];
}

/// `B^T`: row `j` holds the coefficients of the product of `(x - p)` over all finite points `p` but the `j`-th, the last
/// row those of the product over all.
pub(super) struct Inputs;
/// `G`.
pub(super) struct Taps;
/// `G^T`, from products to the gradient of the taps.
pub(super) struct TapsBack;
/// `A^T`: row `i` holds the `i`-th power of each finite point; infinity belongs to the last row.
pub(super) struct Outputs;
/// `A`, applied to the gradient of the outputs.
pub(super) struct OutputsBack;

impl<L: Lanes, const N: usize> Axis<L, N, N> for Inputs {
    /// With `q`, the product of the factors of the fourth and fifth point, every row but theirs is `q` times a polynomial
    /// with two terms.
    #[inline(always)]
    fn apply(d: [L; N]) -> [L; N] {
        let mut q = [L::zero(); 4];
        for k in 0..4 {
            q[k] = match N {
                4 => d[k],
                // x - 2
                5 => d[k + 1].add_scaled(-2.0, d[k]),
                // (x - 2) (x + 1/2)
                _ => d[k + 2].add_scaled(-1.5, d[k + 1]).sub(d[k]),
            };
        }
        let mut points = [L::zero(); N];
        points[0] = q[2].sub(q[0]);
        points[1] = q[2].add(q[1]);
        points[2] = q[2].sub(q[1]);
        if N == 5 {
            points[3] = d[3].sub(d[1]);
        } else if N == 6 {
            let (a, b) = (d[3].sub(d[1]), d[4].sub(d[2]));
            points[3] = b.add_scaled(0.5, a);
            points[4] = b.add_scaled(-2.0, a);
        }
        points[N - 1] = q[3].sub(q[1]);
        points
    }
}

impl<L: Lanes, const N: usize, const M: usize> Axis<L, M, N> for Outputs {
    /// Powers of 1 and -1 are sums and differences; those of 2 and -1/2 grow with the row.
    #[inline(always)]
    fn apply(s: [L; N]) -> [L; M] {
        let (even, odd) = (s[1].add(s[2]), s[1].sub(s[2]));
        let (mut two, mut half) = (1.0, 1.0);
        let mut y = [L::zero(); M];
        for i in 0..M {
            y[i] = if i % 2 == 0 { even } else { odd };
            if i == 0 {
                y[i] = y[i].add(s[0]);
            }
            if N > 4 {
                y[i] = y[i].add_scaled(two, s[3]);
                two *= const { POINTS[3] as f32 };
            }
            if N > 5 {
                y[i] = y[i].add_scaled(half, s[4]);
                half *= const { POINTS[4] as f32 };
            }
        }
        y[M - 1] = y[M - 1].add(s[N - 1]);
        y
    }
}

impl<L: Lanes, const N: usize, const M: usize> Axis<L, N, M> for OutputsBack {
    /// The polynomial with these coefficients at every point.
    #[inline(always)]
    fn apply(y: [L; M]) -> [L; N] {
        let (mut even, mut odd) = (y[0], y[1]);
        for i in 2..M {
            if i % 2 == 0 {
                even = even.add(y[i]);
            } else {
                odd = odd.add(y[i]);
            }
        }
        let mut s = [L::zero(); N];
        s[0] = y[0];
        s[1] = even.add(odd);
        s[2] = even.sub(odd);
        for j in 3..N - 1 {
            s[j] = y[M - 1];
            for i in (0..M - 1).rev() {
                s[j] = y[i].add_scaled(POINTS[j] as f32, s[j]);
            }
        }
        s[N - 1] = y[M - 1];
        s
    }
}

impl<L: Lanes, const N: usize, const R: usize> Axis<L, N, R> for Taps {
    #[inline(always)]
    fn apply(g: [L; R]) -> [L; N] {
        let rows = const { taps::<N, R>() };
        let mut points = [L::zero(); N];
        for j in 0..N {
            points[j] = product(&rows[j], &g);
        }
        points
    }
}

impl<L: Lanes, const N: usize, const R: usize> Axis<L, R, N> for TapsBack {
    #[inline(always)]
    fn apply(s: [L; N]) -> [L; R] {
        let rows = const { transpose(&taps::<N, R>()) };
        let mut taps = [L::zero(); R];
        for k in 0..R {
            taps[k] = product(&rows[k], &s);
        }
        taps
    }
}

#[inline(always)]
fn product<L: Lanes, const C: usize>(row: &[f32; C], v: &[L; C]) -> L {
    let mut sum = L::zero();
    for c in 0..C {
        sum = sum.add_scaled(row[c], v[c]);
    }
    sum
}

/// Where a transform finds the registers of a grid. (Traits, not closures: those would be compiled as functions without
/// the caller's vector instructions.)
pub(super) trait Read<L> {
    /// The register in row `y`, column `x`.
    fn read(&self, y: usize, x: usize) -> L;
}

/// Where a transform leaves the registers of a grid.
pub(super) trait Write<L> {
    /// Sets the register in row `y`, column `x`.
    fn write(&mut self, y: usize, x: usize, value: L);
}

impl<L: Copy, const R: usize, const C: usize> Read<L> for [[L; C]; R] {
    #[inline(always)]
    fn read(&self, y: usize, x: usize) -> L {
        self[y][x]
    }
}

impl<L, const R: usize, const C: usize> Write<L> for [[L; C]; R] {
    #[inline(always)]
    fn write(&mut self, y: usize, x: usize, value: L) {
        self[y][x] = value;
    }
}

/// A product with a matrix along both axes, as in `B^T d B`: every register is read once and written once.
#[inline(always)]
pub(super) fn both<A: Axis<L, R, C>, L: Lanes, const R: usize, const C: usize>(
    from: &impl Read<L>,
    to: &mut impl Write<L>,
) {
    let mut half = [[L::zero(); C]; R];
    for x in 0..C {
        let mut column = [L::zero(); C];
        for y in 0..C {
            column[y] = from.read(y, x);
        }
        let column = A::apply(column);
        for y in 0..R {
            half[y][x] = column[y];
        }
    }
    for y in 0..R {
        let row = A::apply(half[y]);
        for x in 0..R {
            to.write(y, x, row[x]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row `j`: the coefficients of the product of `(x - p)` over all finite points `p` but the `j`-th; the last row over all.
    const fn input<const N: usize>() -> [[f32; N]; N] {
        let mut matrix = [[0.0; N]; N];
        let mut j = 0;
        while j < N {
            let mut polynomial = [0.0f64; N];
            polynomial[0] = 1.0;
            let mut l = 0;
            while l < N - 1 {
                if l != j {
                    let mut k = N - 1;
                    while k > 0 {
                        polynomial[k] = polynomial[k - 1] - POINTS[l] * polynomial[k];
                        k -= 1;
                    }
                    polynomial[0] *= -POINTS[l];
                }
                l += 1;
            }
            let mut k = 0;
            while k < N {
                matrix[j][k] = polynomial[k] as f32;
                k += 1;
            }
            j += 1;
        }
        matrix
    }

    /// Row `i`: the `i`-th power of each finite point; infinity belongs to the last row.
    const fn output<const N: usize, const M: usize>() -> [[f32; N]; M] {
        let mut matrix = [[0.0; N]; M];
        let mut j = 0;
        while j < N - 1 {
            let mut power = 1.0;
            let mut i = 0;
            while i < M {
                matrix[i][j] = power as f32;
                power *= POINTS[j];
                i += 1;
            }
            j += 1;
        }
        matrix[M - 1][N - 1] = 1.0;
        matrix
    }

    /// `A^T ((G g) * (B^T d))` against the sum that it replaces, in one dimension and in double precision.
    fn check<const N: usize, const M: usize, const R: usize>() {
        let kernel: [f64; R] = std::array::from_fn(|k| 0.7 - 0.3 * k as f64 + (k * k) as f64 * 0.11);
        let inputs: [f64; N] = std::array::from_fn(|k| (k as f64 * 1.7).sin() + 0.2);
        let dot = |row: &[f32], v: &[f64]| row.iter().zip(v).map(|(a, b)| f64::from(*a) * b).sum::<f64>();
        let (b, g, a) = (input::<N>(), taps::<N, R>(), output::<N, M>());
        let products: [f64; N] = std::array::from_fn(|j| dot(&b[j], &inputs) * dot(&g[j], &kernel));
        for (i, row) in a.iter().enumerate() {
            let want: f64 = (0..R).map(|k| inputs[i + k] * kernel[k]).sum();
            assert!((dot(row, &products) - want).abs() < 2e-6, "F({M}, {R}) output {i}");
        }
    }

    #[test]
    fn every_form_computes_its_convolution() {
        FORMS.iter().for_each(|&form| with_form!(form, check()));
    }

    /// One lane, for the tests: what the transforms compute, value by value.
    impl Lanes for f32 {
        const COUNT: usize = 1;
        fn zero() -> Self {
            0.0
        }
        fn load(from: &[f32]) -> Self {
            from.first().copied().unwrap_or(0.0)
        }
        fn store(self, to: &mut [f32]) {
            to[0] = self;
        }
        fn add(self, other: Self) -> Self {
            self + other
        }
        fn sub(self, other: Self) -> Self {
            self - other
        }
        fn add_scaled(self, factor: f32, other: Self) -> Self {
            self + factor * other
        }
        fn positive_or(self, other: Self) -> Self {
            if self <= 0.0 { other } else { self }
        }
    }

    /// `both` against the matrix on both sides.
    fn check_both<A: Axis<f32, R, C>, const R: usize, const C: usize>(matrix: &[[f32; C]; R]) {
        let d: [[f32; C]; C] = std::array::from_fn(|y| std::array::from_fn(|x| ((y * 7 + x * x) as f32 * 1.3).sin()));
        let mut results = [[f32::NAN; R]; R];
        both::<A, f32, R, C>(&d, &mut results);
        for (i, results) in results.iter().enumerate() {
            for (j, result) in results.iter().enumerate() {
                let mut want = 0.0;
                for (y, a) in matrix[i].iter().enumerate() {
                    want += (0..C).map(|x| a * matrix[j][x] * d[y][x]).sum::<f32>();
                }
                assert!((result - want).abs() < 1e-4 * (1.0 + want.abs()), "{i} {j}: {result} {want}");
            }
        }
    }

    fn check_axes<const N: usize, const M: usize, const R: usize>() {
        check_both::<Inputs, N, N>(&input::<N>());
        check_both::<Taps, N, R>(&taps::<N, R>());
        check_both::<TapsBack, R, N>(&transpose(&taps::<N, R>()));
        check_both::<Outputs, M, N>(&output::<N, M>());
        check_both::<OutputsBack, N, M>(&transpose(&output::<N, M>()));
    }

    #[test]
    fn every_axis_is_its_matrix() {
        FORMS.iter().for_each(|&form| with_form!(form, check_axes()));
    }
}
