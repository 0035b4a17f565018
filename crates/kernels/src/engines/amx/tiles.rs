//! The block of sums on AMX: four tiles of sums, two of rows, two of columns. Per step 4 tile loads and 4 TDPBF16PS. A
//! TDPBF16PS of 16 x 16 sums over 16 pairs takes 16 cycles, so a step takes 64; a tile load of 16 lines takes 8 cycles
//! from the first-level cache (16 where lines are split, 20 to 25 from the second level), so loads take 32 to 48 of the
//! 64 while rows are in the first level, and the multiplications set the pace: 2 x 32 x 32 x 32 operations in 64 cycles,
//! 1,024 a cycle. Starting and ending a block (zeroing, storing 4 KB of sums, bias and activation) adds to that.

use super::product::{Made, Product, TILE_SUMS};
use std::arch::asm;
use std::arch::x86_64::{_mm512_loadu_ps, _mm512_set1_ps};

/// What LDTILECFG reads: palette 1, eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static TILES: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Describes the tiles to this thread's processor.
///
/// # Safety
/// The processor has AMX, and the system allows it.
pub(super) unsafe fn configure() {
    // SAFETY: `TILES` is the 64 bytes that the instruction reads, in the form that it asks for.
    unsafe {
        asm!(
            "ldtilecfg [{tiles}]",
            tiles = in(reg) &raw const TILES,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly),
        );
    }
}

/// Gives the tiles up: a thread without them is switched faster.
///
/// # Safety
/// The processor has AMX, and the system allows it.
pub(super) unsafe fn release() {
    // SAFETY: the instruction only resets the tiles.
    unsafe {
        asm!(
            "tilerelease",
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, nomem),
        );
    }
}

/// One block: `$clear`, or `$load` where sums are added to, then `$step` for every step, then `$store`. Sums are in tmm0 to
/// tmm3 (row by row), rows in tmm4 and tmm5, columns in tmm6 and tmm7.
macro_rules! block {
    ($product:ident, [$($clear:literal)*], [$($load:literal)*], [$($step:literal)*], [$($store:literal)*]) => {
        asm!(
            "test {accumulate:e}, {accumulate:e}",
            "jne 2f",
            $($clear,)*
            "jmp 3f",
            "2:",
            $($load,)*
            "3:",
            "cmp {step}, {last}",
            "je 5f",
            "4:",
            $($step,)*
            "add {columns}, {advance}",
            "add {other}, {advance}",
            "add {step}, 8",
            "cmp {step}, {last}",
            "jne 4b",
            "5:",
            $($store,)*
            "# {first} {second} {row} {stride} {narrow}",
            accumulate = in(reg) u32::from($product.accumulate),
            first = in(reg) $product.rows[0],
            second = in(reg) $product.rows[1],
            stride = in(reg) $product.stride,
            step = inout(reg) $product.steps.as_ptr() => _,
            last = in(reg) $product.steps.as_ptr_range().end,
            columns = inout(reg) $product.columns[0] => _,
            other = inout(reg) $product.columns[1] => _,
            advance = in(reg) size_of::<u32>() * $product.advance,
            sums = in(reg) $product.sums,
            narrow = in(reg) 64usize,
            row = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// Makes a block of sums.
///
/// # Safety
/// The processor has AMX, and the system allows it, [`configure`] was called on this thread, and the operands cover what their fields say.
pub(super) unsafe fn multiply(product: &Product) {
    // SAFETY: tiles of 16 rows of 64 bytes are read at `stride` from both rows' beginnings, at each step; 1 KB of each tile of
    // columns for each step; sums are 4 KB. All of that is the contract. No stack is used, all tiles are declared.
    unsafe {
        match product.tiles {
            [2, 2] => two_by_two(product),
            [2, _] => two_by_one(product),
            [_, 2] => one_by_two(product),
            _ => one_by_one(product),
        }
    }
}

/// What the last product of the first step of 2 x 2 tiles reads, and that product: tmm4 and tmm5 are the tiles of rows, tmm6 and
/// tmm7 those of columns.
macro_rules! before_steps {
    ($other:literal) => {
        concat!(
            "tileloadd tmm6, [{columns} + {narrow}]\n",
            "mov {row}, [{step}]\n",
            "add {row}, {second}\n",
            "tileloadd tmm5, [{row} + {stride}]\n",
            "tileloadd tmm7, ",
            $other,
            "\n",
            "tdpbf16ps tmm3, tmm5, tmm7\n",
        )
    };
}

/// What every step of 2 x 2 tiles begins with: its first tile of rows, and the products that read the first one of columns.
macro_rules! begin_step {
    () => {
        concat!(
            "mov {row}, [{step}]\n",
            "add {row}, {first}\n",
            "tileloadd tmm4, [{row} + {stride}]\n",
            "tdpbf16ps tmm0, tmm4, tmm6\n",
            "tdpbf16ps tmm2, tmm5, tmm6\n",
        )
    };
}

/// A step of 2 x 2 tiles, but the last one, whose last product is made already; it ends with that of the next step. Each tile
/// of operands is loaded anew as soon as it has been read for the last time: of all orders of these eight instructions that
/// are possible, this one is the fastest, 66 cycles a step where all loads before all products take 75.
macro_rules! step {
    ($advance:literal, $other:literal, $along:expr) => {
        concat!(
            begin_step!(),
            $advance,
            "add {step}, 8\n",
            "tileloadd tmm6, [{columns} + {narrow}]\n",
            "mov {row}, [{step}]\n",
            "add {row}, {second}\n",
            "tileloadd tmm5, [{row} + {stride}]\n",
            $along,
            "tdpbf16ps tmm1, tmm4, tmm7\n",
            "tileloadd tmm7, ",
            $other,
            "\n",
            $along,
            "tdpbf16ps tmm3, tmm5, tmm7\n",
        )
    };
}

/// The last step of 2 x 2 tiles, and its sums.
macro_rules! last_step {
    () => {
        concat!(
            begin_step!(),
            "tdpbf16ps tmm1, tmm4, tmm7\n",
            "tilestored [{sums} + {narrow} + 3072], tmm3\n",
            "tilestored [{sums} + {narrow}], tmm0\n",
            "tilestored [{sums} + {narrow} + 1024], tmm2\n",
            "tilestored [{sums} + {narrow} + 2048], tmm1\n",
        )
    };
}

/// Two tiles of rows, two of columns, one step at least.
///
/// # Safety
/// As [`multiply`].
unsafe fn two_by_two(product: &Product) {
    let Some(last) = product.steps.last() else {
        // SAFETY: as in [`multiply`]; no step is read.
        return unsafe { no_steps(product) };
    };
    // SAFETY: as in [`multiply`].
    unsafe {
        asm!(
            "test {accumulate:e}, {accumulate:e}",
            "jne 2f",
            "tilezero tmm3",
            "tilezero tmm0",
            "tilezero tmm2",
            "tilezero tmm1",
            "jmp 3f",
            "2:",
            "tileloadd tmm3, [{sums} + {narrow} + 3072]",
            "tileloadd tmm0, [{sums} + {narrow}]",
            "tileloadd tmm2, [{sums} + {narrow} + 1024]",
            "tileloadd tmm1, [{sums} + {narrow} + 2048]",
            "3:",
            before_steps!("[{other} + {narrow}]"),
            "cmp {step}, {last}",
            "je 5f",
            "4:",
            step!("add {columns}, {advance}\nadd {other}, {advance}\n", "[{other} + {narrow}]", ""),
            "cmp {step}, {last}",
            "jne 4b",
            "5:",
            last_step!(),
            accumulate = in(reg) u32::from(product.accumulate),
            first = in(reg) product.rows[0],
            second = in(reg) product.rows[1],
            stride = in(reg) product.stride,
            step = inout(reg) product.steps.as_ptr() => _,
            last = in(reg) std::ptr::from_ref(last),
            columns = inout(reg) product.columns[0] => _,
            other = inout(reg) product.columns[1] => _,
            advance = in(reg) size_of::<u32>() * product.advance,
            sums = in(reg) product.sums,
            narrow = in(reg) 64usize,
            row = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// The sums of no steps, which are 0 where none are added to.
///
/// # Safety
/// As [`multiply`].
unsafe fn no_steps(product: &Product) {
    if !product.accumulate {
        // SAFETY: the sums are a whole block.
        unsafe { product.sums.write_bytes(0, 4 * TILE_SUMS) };
    }
}

/// Two tiles of rows, one of columns.
///
/// # Safety
/// As [`multiply`].
unsafe fn two_by_one(product: &Product) {
    // SAFETY: as in [`multiply`].
    unsafe {
        block!(
            product,
            [
                "tilezero tmm0"
                "tilezero tmm2"
            ],
            [
                "tileloadd tmm0, [{sums} + {narrow}]"
                "tileloadd tmm2, [{sums} + {narrow} + 1024]"
            ],
            [
                "mov {row}, [{step}]"
                "add {row}, {first}"
                "tileloadd tmm4, [{row} + {stride}]"
                "tileloadd tmm6, [{columns} + {narrow}]"
                "tdpbf16ps tmm0, tmm4, tmm6"
                "mov {row}, [{step}]"
                "add {row}, {second}"
                "tileloadd tmm5, [{row} + {stride}]"
                "tdpbf16ps tmm2, tmm5, tmm6"
            ],
            [
                "tilestored [{sums} + {narrow}], tmm0"
                "tilestored [{sums} + {narrow} + 1024], tmm2"
            ]
        );
    }
}

/// One tile of rows, two of columns.
///
/// # Safety
/// As [`multiply`].
unsafe fn one_by_two(product: &Product) {
    // SAFETY: as in [`multiply`].
    unsafe {
        block!(
            product,
            [
                "tilezero tmm0"
                "tilezero tmm1"
            ],
            [
                "tileloadd tmm0, [{sums} + {narrow}]"
                "tileloadd tmm1, [{sums} + {narrow} + 2048]"
            ],
            [
                "mov {row}, [{step}]"
                "add {row}, {first}"
                "tileloadd tmm4, [{row} + {stride}]"
                "tileloadd tmm6, [{columns} + {narrow}]"
                "tdpbf16ps tmm0, tmm4, tmm6"
                "tileloadd tmm7, [{other} + {narrow}]"
                "tdpbf16ps tmm1, tmm4, tmm7"
            ],
            [
                "tilestored [{sums} + {narrow}], tmm0"
                "tilestored [{sums} + {narrow} + 2048], tmm1"
            ]
        );
    }
}

/// One tile of rows, one of columns.
///
/// # Safety
/// As [`multiply`].
unsafe fn one_by_one(product: &Product) {
    // SAFETY: as in [`multiply`].
    unsafe {
        block!(
            product,
            [
                "tilezero tmm0"
            ],
            [
                "tileloadd tmm0, [{sums} + {narrow}]"
            ],
            [
                "mov {row}, [{step}]"
                "add {row}, {first}"
                "tileloadd tmm4, [{row} + {stride}]"
                "tileloadd tmm6, [{columns} + {narrow}]"
                "tdpbf16ps tmm0, tmm4, tmm6"
            ],
            [
                "tilestored [{sums} + {narrow}], tmm0"
            ]
        );
    }
}

/// A row of the block that was made before: two vectors of sums, their bias, what is below 0 multiplied, rounded, stored. A
/// slope is 1 at most, so the larger of a value and its multiple is the activation; NaN stays NaN, and minus infinity
/// infinite even under ReLU.
macro_rules! finish_row {
    () => {
        concat!(
            "mov {row}, [{targets}]\n",
            "vaddps {left}, {bias_left}, [{made}]\n",
            "vaddps {right}, {bias_right}, [{made} + 2048]\n",
            "vmulps {left_below}, {left}, {below}\n",
            "vmulps {right_below}, {right}, {below}\n",
            "vmaxps {left}, {left_below}, {left}\n",
            "vmaxps {right}, {right_below}, {right}\n",
            "vcvtne2ps2bf16 {left}, {right}, {left}\n",
            "vmovdqu64 [{row} + {offset}], {left}\n",
            "add {targets}, 8\n",
            "add {made}, 64\n",
        )
    };
}

/// Makes a block of 2 x 2 tiles and finishes another one along the first 16 steps, two rows a step: its stores reach memory
/// while tiles are multiplied, where they would have held up what comes after them.
///
/// # Safety
/// As [`multiply`]; there are 16 steps at least, the columns' tiles are 1 KB apart, and `made` covers what its fields say, on
/// a processor with AVX-512's bf16.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn multiply_finishing(product: &Product, made: &Made) {
    let last = &product.steps[product.steps.len() - 1];
    // SAFETY: what is read and written is as in [`multiply`]; the other block's 4 KB of sums are read, and 64 bytes are
    // written behind each of its 32 targets. Its sums begin at a multiple of 2 KB, so the first loop ends after 32 rows,
    // two before it and two in each of 15 steps, which are not the last one.
    unsafe {
        asm!(
            "tilezero tmm3",
            "tilezero tmm0",
            "tilezero tmm2",
            "tilezero tmm1",
            before_steps!("[{columns} + {narrow} + 1024]"),
            finish_row!(),
            finish_row!(),
            "2:",
            step!("add {columns}, 2048\n", "[{columns} + {narrow} + 1024]", finish_row!()),
            "test {made}, 2047",
            "jne 2b",
            "cmp {step}, {last}",
            "je 4f",
            "3:",
            step!("add {columns}, 2048\n", "[{columns} + {narrow} + 1024]", ""),
            "cmp {step}, {last}",
            "jne 3b",
            "4:",
            last_step!(),
            first = in(reg) product.rows[0],
            second = in(reg) product.rows[1],
            stride = in(reg) product.stride,
            step = inout(reg) product.steps.as_ptr() => _,
            last = in(reg) std::ptr::from_ref(last),
            columns = inout(reg) product.columns[0] => _,
            sums = in(reg) product.sums,
            narrow = in(reg) 64usize,
            row = out(reg) _,
            made = inout(reg) made.sums.as_ptr() => _,
            targets = inout(reg) made.targets.as_ptr() => _,
            offset = in(reg) made.offset,
            bias_left = in(zmm_reg) _mm512_loadu_ps(made.bias.as_ptr()),
            bias_right = in(zmm_reg) _mm512_loadu_ps(made.bias.as_ptr().add(16)),
            below = in(zmm_reg) _mm512_set1_ps(made.below),
            left = out(zmm_reg) _,
            right = out(zmm_reg) _,
            left_below = out(zmm_reg) _,
            right_below = out(zmm_reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
