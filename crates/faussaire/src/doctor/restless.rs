//! A generator that learns too fast: one update moves its images as far as images differ from each other, so what D says
//! of them is no longer true when G hears it.

use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};

/// Of the real images' spread, how far an update may move images of the same noise.
const FAR: f32 = 0.5;

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let shift = mean(vitals.recent(2)?, |p| p.shift);
    if shift < FAR {
        return None;
    }
    Some(Observation {
        seen: format!("one update moves the generator's images by {} times the spread of real ones", figure(shift)),
        means: "the generator's learning rate is too high: it jumps past what the discriminator asks of it",
        remedies: vec![Remedy::GentlerGenerator],
    })
}
