//! [`crate::engines::col2im`] on blocks: the product of every source pixel with the weights of all kernel pixels, stored plane by plane.

use super::product::{Product, Session, TILE_SUMS};
use super::transpose::transpose;
use super::{ROWS, SIDE, STEP, STEP_PAIRS, panels, source};
use crate::activation::Activation;
use crate::bf16;
use crate::engines::col2im::{kernels_in_use, run_here, run_with, with_rows};
use crate::isa::Bf16Unit;
use crate::memory::workspace;
use crate::plan::Plan;
use crate::stored::Values;

/// A plan whose weights are laid out.
pub(super) struct Ready<'a> {
    unit: Bf16Unit,
    plan: &'a Plan,
    /// Rows of weights.
    rows: usize,
    packed: &'a [u32],
    bias: Option<&'a [f32]>,
}

/// Lays out the weights of a plan, for `work` to run it.
pub(super) fn with_weights<R>(
    unit: Bf16Unit,
    plan: &Plan,
    w: &[f32],
    bias: Option<&[f32]>,
    work: impl FnOnce(&Ready) -> R,
) -> R {
    let (count, channels) = (kernels_in_use(plan).len() * plan.to.c, plan.from.c);
    let depth = channels.next_multiple_of(STEP);
    workspace::with(count.div_ceil(SIDE) * depth / STEP * STEP_PAIRS, |packed| {
        let packed = bf16::as_pairs(packed);
        with_rows(plan, w, |rows| pack(rows, channels, depth, packed));
        work(&Ready { unit, plan, rows: count, packed, bias })
    })
}

impl Ready<'_> {
    /// All images.
    pub(super) fn run(&self, x: Values, act: Activation, y: &mut [f32]) {
        run_with(self.plan, self.bias, act, y, |pixels, planes| self.make_planes(self.pixels(x, pixels), planes));
    }

    /// The images of `x`, on this thread.
    pub(super) fn run_here(&self, x: Values, act: Activation, y: &mut [f32]) {
        run_here(self.plan, self.bias, act, y, |pixels, planes| self.make_planes(self.pixels(x, pixels), planes));
    }

    fn pixels<'x>(&self, x: Values<'x>, pixels: std::ops::Range<usize>) -> Values<'x> {
        x.part(pixels.start * self.plan.from.c..pixels.end * self.plan.from.c)
    }

    /// Plane `p` of `planes` holds, for each pixel of `x`, the product of its values with row `p` of the weights.
    fn make_planes(&self, x: Values, planes: &mut [f32]) {
        let channels = self.plan.from.c;
        let (count, pixels) = (self.rows, x.len() / channels);
        let depth = channels.next_multiple_of(STEP);
        let stride = source::pixel_stride(depth);
        let steps: Vec<usize> = (0..depth).step_by(STEP).map(|c| 2 * c).collect();
        let panel_len = steps.len() * STEP_PAIRS;
        workspace::with(SIDE * stride / 2 + SIDE * SIDE, |buffer| {
            let (block, sums) = buffer.split_at_mut(SIDE * stride / 2);
            let block = bf16::as_halves(block);
            block.fill(0);
            let session = Session::begin(self.unit);
            for (nth, first) in (0..pixels).step_by(SIDE).enumerate() {
                let here = SIDE.min(pixels - first);
                for (p, pixel) in (first..first + here).zip(block.chunks_exact_mut(stride)) {
                    source::to_bits(x.part(p * channels..(p + 1) * channels), &mut pixel[..channels]);
                }
                for (panel, columns) in self.packed.chunks_exact(panel_len).enumerate() {
                    let width = SIDE.min(count - panel * SIDE);
                    let product = Product {
                        rows: [block.as_ptr(), block[ROWS * stride..].as_ptr()],
                        stride: 2 * stride,
                        steps: &steps,
                        columns: [columns.as_ptr(), columns.as_ptr().wrapping_add(STEP_PAIRS / 2)],
                        advance: STEP_PAIRS,
                        sums: sums.as_mut_ptr(),
                        accumulate: false,
                        tiles: [here.div_ceil(ROWS), width.div_ceil(ROWS)],
                    };
                    // SAFETY: `block` holds 32 pixels of `stride` values, of which the steps are the first `depth`;
                    // `columns` is a whole panel, `sums` a whole block.
                    unsafe { session.multiply(&product) };
                    for (tile, sums) in bf16::as_pairs(sums).chunks_exact(TILE_SUMS).enumerate() {
                        let (row, column) = (tile % 2 * ROWS, tile / 2 * ROWS);
                        let (here, width) =
                            (here.saturating_sub(row).min(ROWS), width.saturating_sub(column).min(ROWS));
                        if here > 0 && width > 0 {
                            let target = &mut planes[(panel * SIDE + column) * pixels + nth * SIDE + row..];
                            transpose([here, width], (sums, ROWS), (as_words(target), pixels));
                        }
                    }
                }
            }
        });
    }
}

fn as_words(values: &mut [f32]) -> &mut [u32] {
    bf16::as_pairs(values)
}

/// Rows of weights to panels, missing rows zero.
fn pack(rows: &[f32], channels: usize, depth: usize, packed: &mut [u32]) {
    let panels = packed.chunks_exact_mut(depth / STEP * STEP_PAIRS);
    for (panel, rows) in panels.zip(rows.chunks(SIDE * channels)) {
        workspace::with(SIDE * depth, |columns| {
            columns.fill(0.0);
            for (column, row) in columns.chunks_exact_mut(depth).zip(rows.chunks_exact(channels)) {
                column[..channels].copy_from_slice(row);
            }
            panels::pack_columns(depth, columns, panel);
        });
    }
}
