//! The inverse cosine transform of a block in integers (Loeffler, Ligtenberg and Moschytz 1989), with the rounding of libjpeg's
//! "islow", so that pixels are the same as those of nearly every other program.

use super::frame::BLOCK;

/// Writes the 8x8 samples of a block to `samples`, whose rows have `stride` values. Coefficients and quantisation steps are in natural
/// order; none but the first is other than 0 if `flat`.
pub fn samples(coefficients: &[i16; BLOCK], steps: &[i32; BLOCK], flat: bool, samples: &mut [u8], stride: usize) {
    if flat {
        let value = limited(i32::from(coefficients[0]).wrapping_mul(steps[0]).wrapping_add(4) >> 3);
        samples.chunks_mut(stride).take(8).for_each(|row| row[..8].fill(value));
        return;
    }
    let mut block = [0i32; BLOCK];
    for ((value, &coefficient), &step) in block.iter_mut().zip(coefficients).zip(steps) {
        *value = i32::from(coefficient).wrapping_mul(step);
    }
    for column in 0..8 {
        let values: [i32; 8] = std::array::from_fn(|row| block[8 * row + column]);
        // Most columns of most blocks have only the first value.
        let flat = values[1..].iter().fold(0, |all, value| all | value) == 0;
        let values = if flat { [values[0].wrapping_mul(4); 8] } else { one_dimension(values, 11) };
        (0..8).for_each(|row| block[8 * row + column] = values[row]);
    }
    for (values, row) in block.chunks_exact(8).zip(samples.chunks_mut(stride)) {
        let values = one_dimension(std::array::from_fn(|column| values[column]), 18);
        row[..8].iter_mut().zip(values).for_each(|(sample, value)| *sample = limited(value));
    }
}

fn limited(value: i32) -> u8 {
    value.wrapping_add(128).clamp(0, 255) as u8
}

/// Eight values transformed and divided by `1 << shift`. Constants are in units of 1 / 8192. The values of damaged files may
/// wrap around.
#[inline(always)]
fn one_dimension(v: [i32; 8], shift: u32) -> [i32; 8] {
    let add = i32::wrapping_add;
    let times = i32::wrapping_mul;
    let z1 = times(add(v[2], v[6]), 4433);
    let (t2, t3) = (add(z1, times(v[6], -15137)), add(z1, times(v[2], 6270)));
    let (t0, t1) = (times(add(v[0], v[4]), 1 << 13), times(v[0].wrapping_sub(v[4]), 1 << 13));
    let even = [add(t0, t3), add(t1, t2), t1.wrapping_sub(t2), t0.wrapping_sub(t3)];

    let z5 = times(add(add(v[7], v[3]), add(v[5], v[1])), 9633);
    let (z1, z2) = (times(add(v[7], v[1]), -7373), times(add(v[5], v[3]), -20995));
    let (z3, z4) = (add(times(add(v[7], v[3]), -16069), z5), add(times(add(v[5], v[1]), -3196), z5));
    let odd = [
        add(times(v[1], 12299), add(z1, z4)),
        add(times(v[3], 25172), add(z2, z3)),
        add(times(v[5], 16819), add(z2, z4)),
        add(times(v[7], 2446), add(z1, z3)),
    ];
    let rounded = |value: i32| add(value, 1 << (shift - 1)) >> shift;
    std::array::from_fn(|k| rounded(if k < 4 { add(even[k], odd[k]) } else { even[7 - k].wrapping_sub(odd[7 - k]) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_sum_of_its_cosines() {
        let mut coefficients = [0i16; BLOCK];
        for (at, value) in [(0, 40), (1, -31), (8, 17), (18, 9), (63, -5), (35, 6)] {
            coefficients[at] = value;
        }
        let steps: [i32; BLOCK] = std::array::from_fn(|k| 2 + (k as i32) / 9);
        let mut seen = [0; BLOCK];
        samples(&coefficients, &steps, false, &mut seen, 8);
        let scale = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        for (at, &seen) in seen.iter().enumerate() {
            let cosine =
                |place: usize, k: usize| (std::f64::consts::PI * (2 * place + 1) as f64 * k as f64 / 16.0).cos();
            let term = |k: usize| {
                let value = f64::from(i32::from(coefficients[k]) * steps[k]);
                value * scale(k / 8) * scale(k % 8) * cosine(at / 8, k / 8) * cosine(at % 8, k % 8) / 4.0
            };
            let expected = (0..BLOCK).map(term).sum::<f64>() + 128.0;
            assert!((f64::from(seen) - expected).abs() < 0.6, "{at}: {seen} is not {expected}");
        }
    }

    #[test]
    fn a_flat_block_is_the_same_by_the_short_way() {
        for value in [-3000, -1024, -9, -4, 0, 3, 4, 5, 11, 900, 3000] {
            let mut coefficients = [0i16; BLOCK];
            coefficients[0] = value;
            let (mut short, mut long) = ([1; 80], [2; 80]);
            samples(&coefficients, &[1; BLOCK], true, &mut short, 10);
            samples(&coefficients, &[1; BLOCK], false, &mut long, 10);
            assert!(short.chunks(10).zip(long.chunks(10)).all(|(a, b)| a[..8] == b[..8]), "{value}");
        }
    }
}
