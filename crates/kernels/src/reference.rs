//! The reference for the tests of the kernels: the definition of a convolution in f64, random shapes and
//! random data, and the comparisons. A convolution is one list of multiplications; forward pass and both gradients
//! walk the same list.

use crate::Geometry;
use proptest::prelude::*;

/// Calls `visit(x index, w index, y index)` for each multiplication of the convolution `g` on an image enlarged
/// `factor` times.
fn multiplications(g: &Geometry, factor: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let (h, w) = (g.in_h / factor, g.in_w / factor);
    for b in 0..g.batch {
        for oy in 0..g.out_h {
            for ox in 0..g.out_w {
                for ky in 0..g.kernel_h {
                    for kx in 0..g.kernel_w {
                        let (iy, ix) = (oy * g.stride_h + ky, ox * g.stride_w + kx);
                        if iy < g.pad_top || ix < g.pad_left {
                            continue;
                        }
                        let (iy, ix) = (iy - g.pad_top, ix - g.pad_left);
                        if iy >= g.in_h || ix >= g.in_w {
                            continue;
                        }
                        let x = ((b * h + iy / factor) * w + ix / factor) * g.in_c;
                        let y = ((b * g.out_h + oy) * g.out_w + ox) * g.out_c;
                        let k = (ky * g.kernel_w + kx) * g.in_c * g.out_c;
                        for c in 0..g.in_c {
                            for n in 0..g.out_c {
                                visit(x + c, k + c * g.out_c + n, y + n);
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn forward(g: &Geometry, factor: usize, x: &[f32], w: &[f32]) -> Vec<f64> {
    let mut y = vec![0.0; g.y_len()];
    multiplications(g, factor, |i, k, o| y[o] += f64::from(x[i]) * f64::from(w[k]));
    y
}

pub(crate) fn input_grad(g: &Geometry, factor: usize, dy: &[f32], w: &[f32]) -> Vec<f64> {
    let mut dx = vec![0.0; small_len(g, factor)];
    multiplications(g, factor, |i, k, o| dx[i] += f64::from(dy[o]) * f64::from(w[k]));
    dx
}

pub(crate) fn weight_grad(g: &Geometry, factor: usize, x: &[f32], dy: &[f32]) -> Vec<f64> {
    let mut dw = vec![0.0; g.w_len()];
    multiplications(g, factor, |i, k, o| dw[k] += f64::from(x[i]) * f64::from(dy[o]));
    dw
}

/// Values of the image before enlarging.
pub(crate) fn small_len(g: &Geometry, factor: usize) -> usize {
    g.x_len() / (factor * factor)
}

/// Adds a bias per channel and applies the activation.
pub(crate) fn finish(sums: &mut [f64], bias: &[f32], act: crate::Activation) {
    for (i, s) in sums.iter_mut().enumerate() {
        *s = activation(act, *s + f64::from(bias[i % bias.len()]));
    }
}

pub(crate) fn activation(act: crate::Activation, v: f64) -> f64 {
    match act {
        crate::Activation::Identity => v,
        crate::Activation::Relu => v.max(0.0),
        crate::Activation::LeakyRelu(slope) => v.max(f64::from(slope) * v),
        crate::Activation::Tanh => v.tanh(),
        crate::Activation::Sigmoid => 1.0 / (1.0 + (-v).exp()),
    }
}

/// `len` values in -1..1, the same for the same seed (splitmix64).
pub(crate) fn values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Fails unless `got` is within `1e-5` of `want`, relative to the norm of `want`.
pub(crate) fn assert_close(name: &str, got: &[f32], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{name}");
    let norm = want.iter().map(|w| w * w).sum::<f64>().sqrt();
    let error = |(g, w): (&f32, &f64)| (f64::from(*g) - w).powi(2);
    let distance = got.iter().zip(want).map(error).sum::<f64>().sqrt();
    assert!(distance <= 1e-5 * norm, "{name}: distance {distance}, norm {norm}");
}

/// The results of `work` on pools of 1, 2, 3 and 4 threads are the same bits.
pub(crate) fn assert_same_on_any_pool(work: impl Fn() -> Vec<f32> + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| work().iter().map(|v| v.to_bits()).collect::<Vec<_>>())
    };
    let one = on(1);
    for threads in 2..=4 {
        assert!(one == on(threads), "{threads} threads give other bits than one");
    }
}

/// `usual` random cases, or as many as `PROPTEST_CASES` says: an emulator is slow.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(usual))
}

/// Random convolutions: any kernel, stride and padding, sizes small enough for the plain reference. Channel counts
/// reach past a vector and a tile on both sides.
pub(crate) fn geometries() -> impl Strategy<Value = Geometry> {
    let channels = prop_oneof![Just(1usize), 1..5usize, 1..40usize];
    let axis = || (1..9usize, 1..6usize, 1..5usize, 0..4usize, 1..7usize);
    (1..4usize, axis(), axis(), channels.clone(), channels, 0..3u8).prop_map(
        |(batch, (h, kh, sh, ph, oh), (w, kw, sw, pw, ow), in_c, out_c, form)| match form {
            0 => Geometry::same(batch, h, w, in_c, out_c, [kh, kw], [sh, sw]),
            1 => Geometry::valid(batch, h, w, in_c, out_c, [kh, kw], [sh, sw]),
            _ => Geometry {
                out_h: oh,
                out_w: ow,
                pad_top: ph,
                pad_left: pw,
                ..Geometry::same(batch, h, w, in_c, out_c, [kh, kw], [sh, sw])
            },
        },
    )
}
