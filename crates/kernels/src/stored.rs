//! Stored values of tensors: f32, or bfloat16 between the layers of a bf16 training, which halves the memory traffic.
//! Arithmetic is f32 in both cases: a kernel that moves memory widens a block of values into a buffer that stays in the
//! cache, works on it, and rounds the block that it made.

use crate::bf16;
use crate::memory::workspace;
use rayon::prelude::*;
use std::ops::Range;

/// Values of one task where a whole tensor is widened or rounded.
const BLOCK: usize = 1 << 14;
/// How one value is stored: as f32, or as the bits of a bfloat16.
pub(crate) trait Element: Copy {
    /// The value.
    fn wide(self) -> f32;
    /// The value, rounded where it must be.
    fn of(value: f32) -> Self;
}

impl Element for f32 {
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }

    #[inline(always)]
    fn of(value: f32) -> Self {
        value
    }
}

impl Element for u16 {
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from_bits(u32::from(self) << 16)
    }

    #[inline(always)]
    fn of(value: f32) -> Self {
        bf16::bits(value)
    }
}

/// `alike!([x, dy] => body)` runs `body` with `x` and `dy` as slices of the type that both store, `alike!([x, dy] -> dx => body)`
/// also with `dx` as one to be written; where they store different types, with all of them as f32 in buffers.
macro_rules! alike {
    ([$v:ident] => $body:expr) => {
        match $v {
            $crate::stored::Values::F32($v) => $body,
            $crate::stored::Values::Bf16($v) => $body,
        }
    };
    ([$x:ident, $y:ident] => $body:expr) => {
        match ($x, $y) {
            ($crate::stored::Values::F32($x), $crate::stored::Values::F32($y)) => $body,
            ($crate::stored::Values::Bf16($x), $crate::stored::Values::Bf16($y)) => $body,
            ($x, $y) => $crate::memory::workspace::with($x.buffer_len($x.len()) + $y.buffer_len($y.len()), |wide| {
                let (wide_x, wide_y) = wide.split_at_mut($x.buffer_len($x.len()));
                let ($x, $y) = ($x.widened(wide_x), $y.widened(wide_y));
                $body
            }),
        }
    };
    ([$($v:ident),+] -> $to:ident => $body:expr) => {
        match ($($v),+, $to) {
            ($($crate::stored::Values::F32($v)),+, $crate::stored::ValuesMut::F32($to)) => $body,
            ($($crate::stored::Values::Bf16($v)),+, $crate::stored::ValuesMut::Bf16($to)) => $body,
            ($($v),+, $to) => {
                let own = $to.buffer_len($to.len());
                $crate::memory::workspace::with(own $(+ $v.buffer_len($v.len()))+, |rest| {
                    let (made, rest) = rest.split_at_mut(own);
                    $(
                        let (own, rest) = rest.split_at_mut($v.buffer_len($v.len()));
                        let $v = $v.widened(own);
                    )+
                    let _ = rest;
                    $to.fill(made, |$to| $body)
                })
            }
        }
    };
}
pub(crate) use alike;

/// Values to read.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// The bits of bfloat16 values.
    Bf16(&'a [u16]),
}

/// Values to write.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// The bits of bfloat16 values: results are rounded to the nearest.
    Bf16(&'a mut [u16]),
}

impl<'a> Values<'a> {
    /// The bfloat16 values in `bytes`, in the machine's own order; `None` where the bytes are not whole or not aligned values.
    pub fn bf16_in(bytes: &'a [u8]) -> Option<Self> {
        // SAFETY: every pair of bytes is a valid u16; `align_to` gives only aligned ones.
        let (before, values, after) = unsafe { bytes.align_to::<u16>() };
        (before.is_empty() && after.is_empty()).then_some(Self::Bf16(values))
    }

    /// Number of values.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Some of them.
    #[inline]
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::F32(values) => Self::F32(&values[range]),
            Self::Bf16(values) => Self::Bf16(&values[range]),
        }
    }

    /// Blocks of `len` values, the last one shorter.
    pub(crate) fn chunks(self, len: usize) -> impl IndexedParallelIterator<Item = Self> {
        let len = len.max(1);
        (0..self.len().div_ceil(len))
            .into_par_iter()
            .map(move |nth| self.part(nth * len..((nth + 1) * len).min(self.len())))
    }

    /// The values as f32: themselves, or widened into a part of `buffer`.
    pub(crate) fn widened<'b>(self, buffer: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        match self {
            Self::F32(values) => values,
            Self::Bf16(values) => {
                let buffer = &mut buffer[..values.len()];
                bf16::widen(values, buffer);
                buffer
            }
        }
    }

    /// Some columns of rows of `c` values, as f32, one behind the other in `buffer`.
    pub(crate) fn columns(self, c: usize, columns: &Range<usize>, buffer: &mut [f32]) {
        for (row, to) in buffer.chunks_exact_mut(columns.len()).enumerate() {
            match self.part(row * c + columns.start..row * c + columns.end) {
                Self::F32(values) => to.copy_from_slice(values),
                Self::Bf16(values) => bf16::widen(values, to),
            }
        }
    }

    /// Calls `work` with all values as f32, on all threads.
    pub(crate) fn with_f32<R>(self, work: impl FnOnce(&[f32]) -> R) -> R {
        match self {
            Self::F32(values) => work(values),
            Self::Bf16(values) => workspace::with(values.len(), |buffer| {
                let blocks = buffer.par_chunks_mut(BLOCK).zip(values.par_chunks(BLOCK));
                blocks.for_each(|(wide, values)| bf16::widen(values, wide));
                work(buffer)
            }),
        }
    }

    /// Values that a buffer for [`Self::widened`] needs for a block of `len`.
    pub(crate) fn buffer_len(self, len: usize) -> usize {
        match self {
            Self::F32(_) => 0,
            Self::Bf16(_) => len,
        }
    }
}

impl<'a> ValuesMut<'a> {
    /// The same values, to be given away while they are needed again.
    pub(crate) fn again(&mut self) -> ValuesMut<'_> {
        match self {
            Self::F32(values) => ValuesMut::F32(values),
            Self::Bf16(values) => ValuesMut::Bf16(values),
        }
    }

    /// The same values, to read.
    pub(crate) fn read(&self) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values),
            Self::Bf16(values) => Values::Bf16(values),
        }
    }

    /// The first `at` of them, and the others.
    pub(crate) fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Self::F32(values) => {
                let (first, others) = values.split_at_mut(at);
                (Self::F32(first), Self::F32(others))
            }
            Self::Bf16(values) => {
                let (first, others) = values.split_at_mut(at);
                (Self::Bf16(first), Self::Bf16(others))
            }
        }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Blocks of `len` values, the last one shorter.
    pub(crate) fn chunks(self, len: usize) -> impl IndexedParallelIterator<Item = ValuesMut<'a>> {
        let len = len.max(1);
        let blocks: Vec<ValuesMut<'a>> = match self {
            Self::F32(values) => values.chunks_mut(len).map(ValuesMut::F32).collect(),
            Self::Bf16(values) => values.chunks_mut(len).map(ValuesMut::Bf16).collect(),
        };
        blocks.into_par_iter()
    }

    /// Lets `work` write all values as f32: in place, or into a part of `buffer`, from where they are rounded. Gives what
    /// `work` gives.
    pub(crate) fn fill<R>(self, buffer: &mut [f32], work: impl FnOnce(&mut [f32]) -> R) -> R {
        match self {
            Self::F32(values) => work(values),
            Self::Bf16(values) => {
                let buffer = &mut buffer[..values.len()];
                let result = work(buffer);
                bf16::to_bits(buffer, values);
                result
            }
        }
    }

    /// As [`Self::fill`] for a whole tensor, rounding on all threads.
    pub(crate) fn with_f32<R>(self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        match self {
            Self::F32(values) => work(values),
            Self::Bf16(values) => workspace::with(values.len(), |buffer| {
                let result = work(buffer);
                let blocks = values.par_chunks_mut(BLOCK).zip(buffer.par_chunks(BLOCK));
                blocks.for_each(|(values, wide)| bf16::to_bits(wide, values));
                result
            }),
        }
    }

    /// As [`Values::buffer_len`], for [`Self::fill`].
    pub(crate) fn buffer_len(&self, len: usize) -> usize {
        match self {
            Self::F32(_) => 0,
            Self::Bf16(_) => len,
        }
    }
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a Vec<f32>> for Values<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Values<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a mut [f32]> for ValuesMut<'a> {
    fn from(values: &'a mut [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a mut Vec<f32>> for ValuesMut<'a> {
    fn from(values: &'a mut Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl<'a, const N: usize> From<&'a mut [f32; N]> for ValuesMut<'a> {
    fn from(values: &'a mut [f32; N]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a mut Vec<u16>> for ValuesMut<'a> {
    fn from(values: &'a mut Vec<u16>) -> Self {
        Self::Bf16(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::values;

    #[test]
    fn widening_and_rounding_are_inverse_on_bf16_values() {
        let x = values(40_000, 1);
        let mut bits = vec![0u16; x.len()];
        ValuesMut::from(&mut bits).with_f32(|y| y.copy_from_slice(&x));
        let wide = Values::Bf16(&bits).with_f32(<[f32]>::to_vec);
        assert!(wide.iter().zip(&x).all(|(w, x)| *w == bf16::rounded(*x)));
        let mut again = vec![0u16; x.len()];
        let blocks = Values::Bf16(&bits).chunks(999).zip(ValuesMut::from(&mut again).chunks(999));
        blocks.for_each(|(from, to)| {
            let (mut a, mut b) = (vec![0.0; from.buffer_len(999)], vec![0.0; to.buffer_len(999)]);
            let from = from.widened(&mut a);
            to.fill(&mut b, |to| to.copy_from_slice(from));
        });
        assert_eq!(again, bits);
    }

    #[test]
    fn f32_is_not_copied() {
        let mut x = values(10, 1);
        let start = x.as_ptr();
        assert_eq!(Values::from(&x).widened(&mut []).as_ptr(), start);
        assert_eq!(Values::from(&x).with_f32(<[f32]>::as_ptr), start);
        ValuesMut::from(&mut x).fill(&mut [], |x| assert_eq!(x.as_ptr(), start));
    }

    #[test]
    fn bytes_are_values_where_they_can_be() {
        let bytes: Vec<u8> = (0..8).collect();
        // A vector of bytes may lie anywhere: one of two neighbouring places is aligned.
        let found: Vec<_> = [&bytes[..6], &bytes[1..7]].into_iter().filter_map(Values::bf16_in).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].len(), 3);
    }
}
