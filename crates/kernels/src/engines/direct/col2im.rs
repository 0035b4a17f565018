//! The product of [`crate::engines::col2im`] in tiles: every source pixel with the weights of all kernel pixels, stored plane by plane.

use super::Tiles;
use super::multiply::{BLOCK, multiply_rows};
use crate::memory::workspace;

/// Plane `p` of `planes` holds, for each pixel of `x`, the product of its `channels` values with row `p` of `rows`.
pub(crate) fn make_planes<T: Tiles>(rows: &[f32], channels: usize, x: &[f32], planes: &mut [f32]) {
    let (count, pixels) = (rows.len() / channels, x.len() / channels);
    let panels = count.div_ceil(T::COLS);
    let panel_len = channels * T::COLS;
    workspace::with(panels * (panel_len + BLOCK * T::COLS), |buffer| {
        let (packed, sums) = buffer.split_at_mut(panels * panel_len);
        pack::<T>(rows, channels, packed);
        let mut table = Vec::new();
        for (nth, x) in x.chunks(BLOCK * channels).enumerate() {
            multiply_rows::<T>(x, channels, packed, sums, &mut table);
            let count = x.len() / channels;
            let panel_sums = count.div_ceil(T::ROWS) * T::TILE;
            for (p, plane) in planes.chunks_exact_mut(pixels).enumerate() {
                let sums = &sums[p / T::COLS * panel_sums..][..panel_sums];
                let column = sums.iter().skip(p % T::COLS).step_by(T::COLS);
                let plane = &mut plane[nth * BLOCK..][..count];
                plane.iter_mut().zip(column).for_each(|(v, s)| *v = *s);
            }
        }
    });
}

/// Rows of weights to panels `[channel, COLS]`, missing rows zero.
fn pack<T: Tiles>(rows: &[f32], channels: usize, packed: &mut [f32]) {
    let panels = packed.chunks_exact_mut(channels * T::COLS);
    for (panel, rows) in panels.zip(rows.chunks(T::COLS * channels)) {
        panel.fill(0.0);
        for (j, row) in rows.chunks_exact(channels).enumerate() {
            let column = panel.iter_mut().skip(j).step_by(T::COLS);
            column.zip(row).for_each(|(v, w)| *v = *w);
        }
    }
}
