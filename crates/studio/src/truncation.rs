//! Less variety for images nearer to what is common.

use crate::errors::{Answer, Failure};

/// Brings noise nearer to 0, where what is common lies: 1 leaves it, 0 gives the mean image for all.
pub(crate) fn truncate(noise: &mut [Vec<f32>], truncation: Option<f32>) -> Answer<()> {
    let Some(factor) = truncation else { return Ok(()) };
    if !(0.0..=1.0).contains(&factor) {
        return Err(Failure::bad(format!("truncation is {factor}, expected 0 to 1"), "1 is full variety"));
    }
    noise.iter_mut().flatten().for_each(|value| *value *= factor);
    Ok(())
}
