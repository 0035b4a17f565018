//! Dropout of single values; the others are scaled up. Its gradient is the same operation on the gradient.

use crate::stored::{Element, Values, ValuesMut, alike};
use crate::vectorise::vectorised;
use rayon::prelude::*;

/// Values of one task.
const BLOCK: usize = 1 << 14;

/// `y = x * scale` where `kept` is 1, 0 where it is 0; equal lengths.
pub fn apply<'a>(kept: &[u8], scale: f32, x: impl Into<Values<'a>>, y: impl Into<ValuesMut<'a>>) {
    let (x, y) = (x.into(), y.into());
    for (name, len) in [("x", x.len()), ("y", y.len())] {
        assert!(len == kept.len(), "{name} has {len} values where {} are kept or dropped", kept.len());
    }
    let blocks = y.chunks(BLOCK).zip(x.chunks(BLOCK)).zip(kept.par_chunks(BLOCK));
    blocks.for_each(|((y, x), kept)| alike!([x] -> y => block(kept, scale, x, y)));
}

vectorised! {
    fn block<T: Element>(kept: &[u8], scale: f32, x: &[T], y: &mut [T]) {
        for ((y, x), kept) in y.iter_mut().zip(x).zip(kept) {
            *y = T::of(x.wide() * if *kept == 0 { 0.0 } else { scale });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bf16::{bits, rounded};
    use crate::reference::values;

    #[test]
    fn drops_and_scales_in_either_form() {
        let x = values(40_000, 1);
        let kept: Vec<u8> = values(x.len(), 2).iter().map(|v| u8::from(*v > 0.1)).collect();
        let want = |x: &[f32]| -> Vec<f32> {
            x.iter().zip(&kept).map(|(x, kept)| if *kept == 1 { x * 1.25 } else { 0.0 }).collect()
        };
        let mut y = vec![f32::NAN; x.len()];
        apply(&kept, 1.25, &x, &mut y);
        assert_eq!(y, want(&x));
        let stored: Vec<u16> = x.iter().map(|v| bits(*v)).collect();
        let mut y = vec![0xFFFF; x.len()];
        apply(&kept, 1.25, Values::Bf16(&stored), &mut y);
        let wide: Vec<f32> = x.iter().map(|v| rounded(*v)).collect();
        let halves: Vec<u16> = want(&wide).into_iter().map(bits).collect();
        // A dropped value may be -0.
        assert!(y.iter().zip(&halves).all(|(a, b)| a == b || (a & 0x7FFF, *b) == (0, 0)));
    }

    #[test]
    #[should_panic(expected = "y has 1 values where 2 are kept or dropped")]
    fn lengths_are_checked() {
        apply(&[1, 0], 2.0, &[1.0, 2.0], &mut [0.0]);
    }
}
