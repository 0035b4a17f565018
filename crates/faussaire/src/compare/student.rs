//! Student's t distribution, for tests on few runs.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The probability of a value at least as far from 0 as `t`, on either side, with `freedom` degrees of freedom (any number
/// above 0). NaN where either is NaN.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(_) if t.is_nan() => f64::NAN,
        Ok(_) if t.is_infinite() => 0.0,
        Ok(student) => (2.0 * student.sf(t.abs())).clamp(0.0, 1.0),
        Err(_) => f64::NAN,
    }
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
