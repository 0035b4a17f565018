//! Half precision (IEEE 754 binary16): 11 bits of a number are enough for a picture, and take half the room.

/// The bits of the half-precision number nearest to `value`, of two equally near ones the even one; infinity beyond 65519.
pub fn from_single(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude >= 0x4780_0000 {
        // 65536 and more, infinity, NaN.
        return sign | if magnitude > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    }
    if magnitude < 0x3880_0000 {
        // Below 2^-14 halves are whole multiples of 2^-24.
        let multiple = (f32::from_bits(magnitude) * 16_777_216.0).round_ties_even();
        return sign | multiple as u16;
    }
    let rounded = magnitude + 0x0fff + ((magnitude >> 13) & 1);
    sign | ((rounded - 0x3800_0000) >> 13) as u16
}

/// The number that these bits stand for.
pub fn to_single(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (power, part) = (i32::from(bits >> 10) & 31, f32::from(bits & 1023));
    sign * match power {
        0 => part * 2f32.powi(-24),
        31 if part == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + part / 1024.0) * 2f32.powi(power - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_comes_back() {
        for bits in 0..=u16::MAX {
            let value = to_single(bits);
            if value.is_nan() {
                assert!(to_single(from_single(value)).is_nan());
            } else {
                assert_eq!(from_single(value), bits, "{value}");
            }
        }
    }

    #[test]
    fn others_go_to_the_nearest() {
        for (value, half) in [(0.1, 0.099_975_586), (65519.0, 65504.0), (1e-8, 0.0), (-2.7, -2.699_218_8)] {
            assert_eq!(to_single(from_single(value)), half, "{value}");
        }
        assert_eq!(to_single(from_single(65520.0)), f32::INFINITY);
        // Half way between 1 and the next: the even one.
        assert_eq!((from_single(1.0 + 2f32.powi(-11)), from_single(1.0 + 3.0 * 2f32.powi(-11))), (0x3c00, 0x3c02));
    }
}
