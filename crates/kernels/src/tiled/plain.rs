//! Tiles of any size in plain loops, for tests only: they show that blocking and packing hold for every size, on machines
//! that lack an instruction set too.

use super::gather::Finish;
use super::tile::{Gather, Outer};
use super::{Tiles, columns, gather, outer};
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
                let mut total = if tile.accumulate { *sum } else { 0.0 };
                for (tap, pixels) in tile.pixels.chunks_exact(ROWS).enumerate() {
                    for c in 0..tile.depth {
                        // SAFETY: from the contract.
                        let x = unsafe { *pixels[r].pointer().add(tile.channel + c) };
                        total += x * tile.panel[(tap * tile.depth + c) * COLS + j];
                    }
                }
                *sum = total;
            }
        }
    }

    unsafe fn outer(rows: usize, tile: &Outer) {
        for r in 0..rows {
            for j in 0..COLS {
                let products = tile.offsets.iter().enumerate();
                let total: f32 = products.map(|(p, &o)| tile.rows[o as usize + r] * tile.cols[p * COLS + j]).sum();
                // SAFETY: from the contract.
                let sum = unsafe { &mut *tile.sums.add(r * tile.stride + j) };
                *sum = if tile.accumulate { *sum + total } else { total };
            }
        }
    }

    unsafe fn finish(sums: &Finish) {
        // SAFETY: passed on from this function's contract.
        unsafe { sums.run::<Self>() }
    }
}

fn check<T: Tiles>(g: &Geometry, factor: usize) {
    let small = reference::small_len(g, factor);
    let (x, w, b) = (values(small, 1), values(g.w_len(), 2), values(g.out_c, 3));
    let dy = values(g.y_len(), 4);
    let act = Activation::LeakyRelu(0.2);
    let plan = Plan::forward(g, factor);
    let mut y = vec![f32::NAN; g.y_len()];
    gather::gather::<T>(&plan, &x, &w, Some(&b), act, &mut y);
    let mut want = reference::forward(g, factor, &x, &w);
    reference::finish(&mut want, &b, act);
    assert_close("y", &y, &want);
    let mut dx = vec![f32::NAN; small];
    gather::gather::<T>(&Plan::input_grad(g, factor), &dy, &w, None, Activation::Identity, &mut dx);
    assert_close("dx", &dx, &reference::input_grad(g, factor, &dy, &w));
    if plan.phases.iter().any(|p| !p.taps.is_empty()) {
        let mut dw = vec![f32::NAN; g.w_len()];
        outer::outer::<T>(&plan, &x, &dy, &mut dw);
        assert_close("dw", &dw, &reference::weight_grad(g, factor, &x, &dy));
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn blocks_of_any_tile_agree_with_the_reference(g in geometries(), factor in 1..3usize) {
        let g = Geometry { in_h: g.in_h * factor, in_w: g.in_w * factor, ..g };
        check::<Plain<12, 32>>(&g, factor);
        check::<Plain<1, 16>>(&g, factor);
        check::<Plain<16, 48>>(&g, factor);
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
    for make_planes in [columns::make_planes::<Plain<12, 32>>, columns::make_planes::<Plain<8, 16>>] {
        let mut planes = vec![f32::NAN; count * pixels];
        make_planes(&rows, channels, &x, &mut planes);
        assert_close("planes", &planes, &want);
    }
}
