//! The feature sets and numbers of bench/judge/reference.py, for this crate's tests.

use crate::stats::matrix::Features;
use serde_json::Value;

/// A number of reference.json by its path, as `["plain", "frechet", "sqrtm"]`.
pub(crate) fn number(path: &[&str]) -> f64 {
    value(path).as_f64().unwrap()
}

/// An array of numbers of reference.json.
pub(crate) fn numbers(path: &[&str]) -> Vec<f64> {
    value(path).as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Anything in reference.json.
pub(crate) fn value(path: &[&str]) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../bench/judge/reference.json")).unwrap();
    path.iter().fold(all, |value, key| value[*key].clone())
}

/// Fails unless `got` is within `relative` of `want`.
#[track_caller]
pub(crate) fn assert_near(got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= relative * want.abs().max(1e-9), "got {got}, want {want}");
}

/// SplitMix64's finaliser on (seed, row, column).
fn mix(seed: u64, row: usize, col: usize) -> u64 {
    let z = (seed << 40) + ((row as u64) << 20) + col as u64;
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The sum of four 16-bit uniform draws: mean about 0, variance 1/3.
fn bell(seed: u64, row: usize, col: usize) -> f32 {
    let h = mix(seed, row, col);
    let sum: u64 = [0, 16, 32, 48].iter().map(|s| (h >> s) & 0xFFFF).sum();
    sum as f32 / 65536.0 - 2.0
}

pub(crate) fn real_set(seed: u64, rows: usize, dims: usize) -> Features {
    let value = |at: usize| bell(seed, at / dims, at % dims) + 0.5 * bell(seed, at / dims, (at % dims + 1) % dims);
    Features::new((0..rows * dims).map(value).collect(), rows, dims).unwrap()
}

pub(crate) fn fake_set(seed: u64, rows: usize, dims: usize) -> Features {
    let real = real_set(seed, rows, dims);
    let value = |(at, v): (usize, &f32)| 0.75 * v + if (at % dims).is_multiple_of(3) { 0.25 } else { 0.0 };
    Features::new(real.values().iter().enumerate().map(value).collect(), rows, dims).unwrap()
}

/// The pair of sets called `name`: real, generated.
pub(crate) fn sets(name: &str) -> (Features, Features) {
    match name {
        "plain" => (real_set(1, 300, 24), fake_set(2, 280, 24)),
        "few_rows" => (real_set(3, 40, 64), fake_set(4, 30, 64)),
        "duplicates" => {
            let rows = |last: usize, copy: &dyn Fn(usize) -> usize| (0..last).map(copy).collect::<Vec<_>>();
            let real = real_set(5, 120, 8).select(&rows(120, &|i| if i < 100 { i } else { i % 5 })).unwrap();
            let both = [fake_set(6, 100, 8).values(), real.values()].concat();
            let both = Features::new(both, 220, 8).unwrap();
            let copy = |i: usize| match i {
                0..20 => 100 + i,
                20..60 => i,
                _ => 20,
            };
            (real, both.select(&rows(100, &copy)).unwrap())
        }
        _ => panic!("no sets called {name}"),
    }
}

/// Class numbers below `classes`.
pub(crate) fn labels(seed: u64, rows: usize, classes: u64) -> Vec<u32> {
    (0..rows).map(|row| (mix(seed, row, 0) % classes) as u32).collect()
}

/// `features` moved by `shift` and multiplied by `scale`, a power of two, its rows in reverse order.
pub(crate) fn moved(features: &Features, shift: f32, scale: f32) -> Features {
    let values = features.values().chunks(features.dims()).rev().flatten().map(|v| scale * (v + shift)).collect();
    Features::new(values, features.rows(), features.dims()).unwrap()
}

#[test]
fn the_formula_makes_the_same_sets() {
    for name in ["plain", "few_rows", "duplicates"] {
        let want = numbers(&[&format!("{name}_first_row")]);
        assert_eq!(want.len(), sets(name).1.dims());
        sets(name).1.row(0).iter().zip(want).for_each(|(&got, want)| assert_near(f64::from(got), want, 1e-15));
    }
}
