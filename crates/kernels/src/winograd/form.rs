//! The matrices of the minimal filtering algorithms F(m x m, r x r) (Winograd 1980; Lavin & Gray 2016), made by
//! Toom and Cook's construction: `r` taps and `m` outputs are polynomials that are multiplied at `n = m + r - 1` points,
//! the last one infinity. With `d` the `n` inputs and `g` the taps, the outputs are `A^T ((G g) * (B^T d))`, in two
//! dimensions with every matrix on both sides.

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

/// The matrices for `N` points, `M` outputs and `R` taps, `N = M + R - 1`.
pub(super) struct Matrices<const N: usize, const M: usize, const R: usize>;

impl<const N: usize, const M: usize, const R: usize> Matrices<N, M, R> {
    /// `B^T`, applied to inputs.
    pub(super) const INPUT: [[f32; N]; N] = input::<N>();
    /// `G`, applied to taps.
    pub(super) const TAPS: [[f32; R]; N] = taps::<N, R>();
    /// `G^T`, from products to the gradient of the taps.
    pub(super) const TAPS_BACK: [[f32; N]; R] = transpose(&Self::TAPS);
    /// `A^T`, from products to outputs.
    pub(super) const OUTPUT: [[f32; N]; M] = output::<N, M>();
    /// `A`, applied to the gradient of the outputs.
    pub(super) const OUTPUT_BACK: [[f32; M]; N] = transpose(&Self::OUTPUT);
}

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

/// Values of eight neighbouring channels, which the compiler keeps in vector registers.
pub(super) type Lanes = [f32; LANES];
/// Channels transformed together.
pub(super) const LANES: usize = 8;

/// `matrix * v`. The matrix is known when this is compiled: zeros cost nothing, ones no multiplication.
#[inline(always)]
fn apply<const R: usize, const C: usize>(matrix: &[[f32; C]; R], v: &[Lanes; C]) -> [Lanes; R] {
    let mut result = [[0.0; LANES]; R];
    for (row, result) in matrix.iter().zip(&mut result) {
        let mut first = true;
        for (&factor, v) in row.iter().zip(v) {
            if factor == 0.0 {
                continue;
            }
            for (sum, v) in result.iter_mut().zip(v) {
                let term = if factor == 1.0 { *v } else { factor * v };
                *sum = if first { term } else { *sum + term };
            }
            first = false;
        }
    }
    result
}

/// `matrix * d * matrix^T`.
#[inline(always)]
pub(super) fn sandwich<const R: usize, const C: usize>(matrix: &[[f32; C]; R], d: &[[Lanes; C]; C]) -> [[Lanes; R]; R] {
    // Along rows first, which leaves the columns of the next product side by side.
    let mut half = [[[0.0; LANES]; C]; R];
    for (c, d) in d.iter().enumerate() {
        for (half, value) in half.iter_mut().zip(apply(matrix, d)) {
            half[c] = value;
        }
    }
    // `half[r][c]` is the transposed of what stands there, so is what comes of it.
    let mut result = [[[0.0; LANES]; R]; R];
    for (r, half) in half.iter().enumerate() {
        for (result, value) in result.iter_mut().zip(apply(matrix, half)) {
            result[r] = value;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A^T ((G g) * (B^T d))` against the sum that it stands for, in one dimension and in double precision.
    fn check<const N: usize, const M: usize, const R: usize>() {
        let taps: [f64; R] = std::array::from_fn(|k| 0.7 - 0.3 * k as f64 + (k * k) as f64 * 0.11);
        let inputs: [f64; N] = std::array::from_fn(|k| (k as f64 * 1.7).sin() + 0.2);
        let dot = |row: &[f32], v: &[f64]| row.iter().zip(v).map(|(a, b)| f64::from(*a) * b).sum::<f64>();
        let (b, g, a) = (Matrices::<N, M, R>::INPUT, Matrices::<N, M, R>::TAPS, Matrices::<N, M, R>::OUTPUT);
        let products: [f64; N] = std::array::from_fn(|j| dot(&b[j], &inputs) * dot(&g[j], &taps));
        for (i, row) in a.iter().enumerate() {
            let want: f64 = (0..R).map(|k| inputs[i + k] * taps[k]).sum();
            assert!((dot(row, &products) - want).abs() < 2e-6, "F({M}, {R}) output {i}");
        }
    }

    #[test]
    fn every_form_computes_its_convolution() {
        FORMS.iter().for_each(|&form| with_form!(form, check()));
    }

    #[test]
    fn a_sandwich_is_a_matrix_on_both_sides() {
        let matrix = [[1.0, -2.0, 0.0], [0.0, 1.0, 3.0]];
        let d: [[Lanes; 3]; 3] =
            std::array::from_fn(|y| std::array::from_fn(|x| std::array::from_fn(|l| (y * 3 + x * x + l) as f32)));
        let result = sandwich(&matrix, &d);
        for (i, row) in result.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                for l in 0..LANES {
                    let mut want = 0.0;
                    for (y, a) in matrix[i].iter().enumerate() {
                        for (x, b) in matrix[j].iter().enumerate() {
                            want += a * b * d[y][x][l];
                        }
                    }
                    assert!((value[l] - want).abs() < 1e-4, "{i} {j} {l}");
                }
            }
        }
    }
}
