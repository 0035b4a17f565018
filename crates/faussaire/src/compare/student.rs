//! Student's t distribution, for tests on few runs: its tail by the regularised incomplete beta function, that by its
//! continued fraction (Lentz's method), the gamma function by Lanczos's approximation (g = 7, nine terms).

/// How probable a value at least as far from 0 as `t` is, on either side, with `freedom` degrees of freedom (any number
/// above 0). NaN where either is NaN.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    // t^2 / (freedom + t^2) without overflow.
    let inside = 1.0 / (1.0 + t * t / freedom);
    regularised_beta(inside, freedom / 2.0, 0.5).clamp(0.0, 1.0)
}

/// The regularised incomplete beta function I_x(a, b), for x in [0, 1] and a, b above 0.
fn regularised_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on one side of the mean; the other follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TERMS: u32 = 500;
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            value *= c * d;
        }
        if (value / before - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function, for x above 0.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.5203681218851,
        -1259.1392167224028,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507343278686905,
        -0.13857109526572012,
        9.984_369_578_019_572e-6,
        1.5056327351493116e-7,
    ];
    if x < 0.5 {
        let sine = (std::f64::consts::PI * x).sin();
        return (std::f64::consts::PI / sine).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum: f64 = TERMS.iter().zip(1..).map(|(term, i)| term / (x + f64::from(i))).sum();
    let shifted = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * shifted.ln() - shifted + (0.999_999_999_999_809_9 + sum).ln()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compare::reference::numbers;

    #[test]
    fn agrees_with_scipy() {
        let rows = numbers("student");
        assert!(rows.len() >= 20);
        for row in rows {
            let [t, freedom, want] = row[..] else { panic!("{row:?}") };
            let got = two_sided(t, freedom);
            assert!((got - want).abs() <= 1e-10 * want + 1e-300, "t {t}, {freedom} degrees: {got}, expected {want}");
        }
    }

    #[test]
    fn ends_and_symmetry() {
        assert_eq!(two_sided(0.0, 3.0), 1.0);
        assert_eq!(two_sided(f64::INFINITY, 3.0), 0.0);
        assert_eq!(two_sided(-2.0, 4.5), two_sided(2.0, 4.5));
        assert!(two_sided(f64::NAN, 3.0).is_nan() && two_sided(1.0, 0.0).is_nan());
        // One degree of freedom is the Cauchy distribution.
        assert!((two_sided(1.0, 1.0) - 0.5).abs() < 1e-14);
    }
}
