//! Noise of one or two numbers: the generator can only make the images along a line or on a sheet, so that any two of them
//! have others in between.

use super::collapse::FEW_IMAGES;
use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

/// Images vary in more ways than this; more numbers than that are not to blame for images that are alike.
const NARROW: usize = 3;

/// Whether the noise is narrow for what is to be made of it; a plane has two dimensions anyway.
pub(super) fn is_narrow(history: &RunHistory) -> bool {
    history.context.recipe.latent <= NARROW && !history.context.points
}

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let nearest = mean(history.recent(2)?, |p| p.nearest);
    if !is_narrow(history) || nearest >= FEW_IMAGES {
        return None;
    }
    Some(Observation {
        seen: format!(
            "with latent = {}, a generated image is {} times as far from the nearest other one as real images are",
            history.context.recipe.latent,
            two_digits(nearest)
        ),
        means: "so few numbers of noise can't tell apart as many images as there are",
        remedies: vec![Remedy::LargerLatent],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn only_narrow_noise_is_blamed() {
        let near = |r: &mut StepReport| r.variety.iter_mut().for_each(|v| v.fake_nearest = 0.03);
        let seen = only(Symptom::NarrowLatent, Preset::Quick, &["latent=2"], near);
        assert!(seen.seen.starts_with("with latent = 2") && seen.seen.contains("0.15 times"), "{seen:?}");
        assert_eq!(first_change(&after(Preset::Quick, &["latent=2"], 300, near), &seen), ["latent=32"]);
        assert_eq!(Symptom::NarrowLatent.examine(&after(Preset::Quick, &["latent=8"], 300, near)), None);
    }
}
