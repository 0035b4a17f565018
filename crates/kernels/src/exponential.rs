//! `exp`, `tanh` and the logistic function without branches or calls, so that loops over them become vector code.
//! The polynomials are those of Cephes (Moshier 1989), good to about two units in the last place.

/// `exp(v)` for `v <= 0`; about `1e-38` below -87. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp_of_negative(v: f32) -> f32 {
    const LEAST: f32 = -87.3;
    // Adding this rounds to a whole number, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first exact in few bits.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let v = if v < LEAST { LEAST } else { v };
    let shifted = v * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = v - whole * LN_2_HIGH - whole * LN_2_LOW;
    let p = 1.987_569_1e-4 * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (p * (r * r) + r + 1.0) * scale
}

/// `1 / (1 + exp(-v))`
#[inline(always)]
pub(crate) fn sigmoid(v: f32) -> f32 {
    let e = exp_of_negative(-v.abs());
    let numerator = if v < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh(v: f32) -> f32 {
    let size = v.abs();
    let z = v * v;
    let p = -5.704_988_7e-3 * z + 2.063_909e-2;
    let p = p * z - 5.373_971_5e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let small = p * z * v + v;
    let e = exp_of_negative(-2.0 * size);
    let large = ((1.0 - e) / (1.0 + e)).copysign(v);
    if size < 0.625 { small } else { large }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_few_units_in_the_last_place() {
        for i in -200_000..=200_000i32 {
            let v = i as f32 / 2000.0;
            let x = f64::from(v);
            let near = |got: f32, want: f64| (f64::from(got) - want).abs() <= 3e-7 * want.abs() + 2e-38;
            assert!(near(sigmoid(v), 1.0 / (1.0 + (-x).exp())), "sigmoid({v}) = {}", sigmoid(v));
            assert!(near(tanh(v), x.tanh()), "tanh({v}) = {}", tanh(v));
        }
    }

    #[test]
    fn the_ends() {
        for big in [f32::INFINITY, 1e30] {
            assert_eq!((sigmoid(big), tanh(big), tanh(-big)), (1.0, 1.0, -1.0));
            assert!(sigmoid(-big) >= 0.0 && sigmoid(-big) < 1e-37);
        }
        assert_eq!((sigmoid(0.0), tanh(0.0), tanh(1e-30)), (0.5, 0.0, 1e-30));
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }
}
