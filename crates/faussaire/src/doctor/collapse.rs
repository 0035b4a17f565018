//! Mode collapse: the generator makes one image, or a few, whatever the noise.

use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let recent = vitals.recent(2)?;
    let spread = mean(recent, |p| p.spread);
    let nearest = mean(recent, |p| p.nearest);
    if spread > 0.1 && nearest > 0.02 {
        return None;
    }
    Some(Observation {
        seen: format!("generated images differ {} times as much as real ones", figure(spread)),
        means: "the generator has collapsed: it makes one image, or a few, whatever the noise",
        remedies: vec![
            Remedy::FreshGenerator,
            Remedy::PenaliseSlope,
            Remedy::GentlerGenerator,
            Remedy::GentlerDiscriminator,
            Remedy::BlurSight,
        ],
    })
}
