//! Tiles of any size in plain loops, for tests only: they show that blocking and packing hold for every size, on machines
//! that lack an instruction set too. Every sum runs in the same order in every tile, so all of them, and all sets with
//! fused multiply-adds, give the same values.

use super::fprop::Finish;
use super::tile::{Gather, Outer};
use super::{Tiles, col2im, fprop, wgrad};
#[cfg(target_arch = "x86_64")]
use crate::isa::Isa;
use crate::plan::Plan;
use crate::reference::{self, assert_close, cases, geometries, values};
use crate::{Activation, Geometry};
use proptest::prelude::*;

pub(crate) struct Plain<const ROWS: usize, const COLS: usize>;

impl<const ROWS: usize, const COLS: usize> Tiles for Plain<ROWS, COLS> {
    const ROWS: usize = ROWS;
    const COLS: usize = COLS;

    unsafe fn gather(rows: usize, tile: &mut Gather) {
        for (r, sums) in tile.sums.chunks_exact_mut(COLS).take(rows).enumerate() {
            for (j, sum) in sums.iter_mut().enumerate() {
                let mut total = 0.0f32;
                for (tap, pixels) in tile.pixels.chunks_exact(ROWS).enumerate() {
                    for c in 0..tile.depth {
                        // SAFETY: from the contract.
                        let x = unsafe { *pixels[r].pointer().add(tile.channel + c) };
                        total = x.mul_add(tile.panel[(tap * tile.depth + c) * COLS + j], total);
                    }
                }
                *sum = if tile.accumulate { total + *sum } else { total };
            }
        }
    }

    unsafe fn outer(rows: usize, tile: &Outer) {
        for r in 0..rows {
            for j in 0..COLS {
                let pixels = tile.offsets.iter().zip(tile.cols.chunks_exact(COLS));
                let product = |total, (&o, cols): (&u32, &[f32])| tile.rows[o as usize + r].mul_add(cols[j], total);
                let total = pixels.fold(0.0f32, product);
                // SAFETY: from the contract.
                let sum = unsafe { &mut *tile.sums.add(r * tile.stride + j) };
                *sum = if tile.accumulate { total + *sum } else { total };
            }
        }
    }

    unsafe fn finish(sums: &Finish) {
        // SAFETY: passed on from this function's contract.
        unsafe { sums.run::<Self>() }
    }
}

/// Forward pass, input gradient and weight gradient by tiles `T`, which this machine must have.
fn results<T: Tiles>(g: &Geometry, factor: usize) -> [Vec<f32>; 3] {
    let small = reference::small_len(g, factor);
    let (x, w, b, dy) = (values(small, 1), values(g.w_len(), 2), values(g.out_c, 3), values(g.y_len(), 4));
    let plan = Plan::forward(g, factor);
    let mut y = vec![f32::NAN; g.y_len()];
    fprop::run::<T>(&plan, &x, &w, Some(&b), ACT, &mut y);
    let mut dx = vec![f32::NAN; small];
    fprop::run::<T>(&Plan::input_grad(g, factor), &dy, &w, None, Activation::Identity, &mut dx);
    let mut dw = vec![0.0; g.w_len()];
    if plan.phases.iter().any(|p| !p.taps.is_empty()) {
        dw.fill(f32::NAN);
        wgrad::run::<T>(&plan, &x, &dy, &mut dw);
    }
    [y, dx, dw]
}

const ACT: Activation = Activation::LeakyRelu(0.2);

fn agrees_with_the_reference(g: &Geometry, factor: usize, [y, dx, dw]: &[Vec<f32>; 3]) {
    let small = reference::small_len(g, factor);
    let (x, w, b, dy) = (values(small, 1), values(g.w_len(), 2), values(g.out_c, 3), values(g.y_len(), 4));
    let mut want = reference::forward(g, factor, &x, &w);
    reference::finish(&mut want, &b, ACT);
    assert_close("y", y, &want);
    assert_close("dx", dx, &reference::input_grad(g, factor, &dy, &w));
    assert_close("dw", dw, &reference::weight_grad(g, factor, &x, &dy));
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn all_tiles_agree(g in geometries(), factor in 1..3usize) {
        let g = Geometry { in_h: g.in_h * factor, in_w: g.in_w * factor, ..g };
        let want = results::<Plain<12, 32>>(&g, factor);
        agrees_with_the_reference(&g, factor, &want);
        assert!(results::<Plain<1, 16>>(&g, factor) == want, "1 x 16");
        assert!(results::<Plain<16, 48>>(&g, factor) == want, "16 x 48");
        #[cfg(target_arch = "x86_64")]
        if Isa::Avx2.available() {
            assert!(results::<super::Avx2>(&g, factor) == want, "AVX2");
        }
        #[cfg(target_arch = "x86_64")]
        if Isa::Avx512.available() {
            assert!(results::<super::Avx512>(&g, factor) == want, "AVX-512");
        }
    }
}

#[test]
fn planes_of_any_tile_agree_with_plain_sums() {
    let (count, channels, pixels) = (37, 19, 201);
    let (rows, x) = (values(count * channels, 1), values(pixels * channels, 2));
    let mut want = Vec::new();
    for row in rows.chunks_exact(channels) {
        let product = |x: &[f32]| x.iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        want.extend(x.chunks_exact(channels).map(product));
    }
    for make_planes in [col2im::make_planes::<Plain<12, 32>>, col2im::make_planes::<Plain<8, 16>>] {
        let mut planes = vec![f32::NAN; count * pixels];
        make_planes(&rows, channels, &x, &mut planes);
        assert_close("planes", &planes, &want);
    }
}
