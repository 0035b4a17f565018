//! The product of the columns form: every source pixel with the weights of all kernel pixels, stored plane by plane.

use super::multiply::{BLOCK, Block, multiply, point_at_rows};
use super::{COLS, ROWS, TILE};
use crate::workspace;

/// Plane `p` of `planes` holds, for each pixel of `x`, the product of its `channels` values with row `p` of `rows`.
/// The processor must have AVX2 and FMA.
pub(crate) fn make_planes(rows: &[f32], channels: usize, x: &[f32], planes: &mut [f32]) {
    let (count, pixels) = (rows.len() / channels, x.len() / channels);
    let panels = count.div_ceil(COLS);
    let panel_len = channels * COLS;
    workspace::with(panels * (panel_len + BLOCK / ROWS * TILE), |buffer| {
        let (packed, sums) = buffer.split_at_mut(panels * panel_len);
        pack(rows, channels, packed);
        let mut table = Vec::new();
        for (nth, x) in x.chunks(BLOCK * channels).enumerate() {
            point_at_rows(x, channels, &mut table);
            let block = Block { pixels: x.len() / channels, table: &table, taps: 1, channels };
            multiply(&block, packed, panel_len, sums);
            let tiles = block.pixels.div_ceil(ROWS);
            for (p, plane) in planes.chunks_exact_mut(pixels).enumerate() {
                let sums = &sums[p / COLS * tiles * TILE..][..tiles * TILE];
                let column = sums.iter().skip(p % COLS).step_by(COLS);
                let plane = &mut plane[nth * BLOCK..][..block.pixels];
                plane.iter_mut().zip(column).for_each(|(v, s)| *v = *s);
            }
        }
    });
}

/// Rows of weights to panels `[channel, 16]`, missing rows zero.
fn pack(rows: &[f32], channels: usize, packed: &mut [f32]) {
    let panels = packed.chunks_exact_mut(channels * COLS);
    for (panel, rows) in panels.zip(rows.chunks(COLS * channels)) {
        panel.fill(0.0);
        for (j, row) in rows.chunks_exact(channels).enumerate() {
            let column = panel.iter_mut().skip(j).step_by(COLS);
            column.zip(row).for_each(|(v, w)| *v = *w);
        }
    }
}
