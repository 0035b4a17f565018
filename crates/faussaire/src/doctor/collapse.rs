//! Mode collapse: the generator makes one image, or a few, whatever the noise. The batch itself shows it; where the data
//! has known modes or classes, so does their loss.

use super::narrow;
use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};

/// Generated images that differ less than this share of what real ones do are one image. Healthy runs stay above 0.4.
const ONE_IMAGE: f32 = 0.15;
/// Images whose nearest is nearer than this share are a few images. Healthy runs stay above 0.5. Of points it says nothing:
/// between clusters they are always farther apart.
pub(super) const FEW_IMAGES: f32 = 0.25;
/// Modes or classes that were there and are not in two scores in a row. Fewer come and go in healthy runs.
const LOST: f32 = 3.0;

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let seen = batch(vitals).or_else(|| lost(vitals))?;
    let remedies = [
        Remedy::FreshGenerator,
        Remedy::PenaliseSlope,
        Remedy::GentlerGenerator,
        Remedy::BlurSight,
        Remedy::GentlerDiscriminator,
    ];
    Some(Observation {
        seen,
        means: "the generator has collapsed: it makes one image, or a few, whatever the noise",
        remedies: remedies.to_vec(),
    })
}

fn batch(vitals: &Vitals) -> Option<String> {
    let recent = vitals.recent(2)?;
    let (spread, nearest) = (mean(recent, |p| p.spread), mean(recent, |p| p.nearest));
    if spread < ONE_IMAGE {
        return Some(format!("generated images differ {} times as much as real ones do", figure(spread)));
    }
    let few = nearest < FEW_IMAGES && !vitals.case.points && !narrow::is_narrow(vitals);
    few.then(|| {
        format!("a generated image is {} times as far from the nearest other one as real images are", figure(nearest))
    })
}

fn lost(vitals: &Vitals) -> Option<String> {
    let scores = vitals.scores("missing-");
    let scores = if vitals.case.points { vitals.scores("missing-modes") } else { scores };
    let [earlier @ .., (_, before), (_, last)] = scores else { return None };
    let best = earlier.iter().map(|(_, missing)| *missing).reduce(f32::min)?;
    // Twice as many again, so that of 25 modes the last few may come and go.
    let limit = LOST + 2.0 * best;
    (before.min(*last) >= limit)
        .then(|| format!("{last} kinds of images are missing from the generated ones, where {best} were at best"))
}
