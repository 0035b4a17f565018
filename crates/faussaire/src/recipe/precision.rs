//! `train.precision`: the format to which the operands of products, and images between most layers, are rounded in
//! training. Sums, statistics, losses, weights and Adam are always f32; so is everything outside of training steps, so
//! that a checkpoint gives the same images on every machine.

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::Device;
use crate::error::{Error, Result};
use crate::net::{Network, Shape};
use crate::ops::Precision;

/// The precision in a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PrecisionChoice {
    /// bfloat16 if the processor multiplies it and the recipe allows it, else f32.
    #[default]
    Auto,
    /// 24 bits of mantissa.
    F32,
    /// 8 bits of mantissa; on processors without such arithmetic the same rounding, but slower.
    Bf16,
}

impl PrecisionChoice {
    /// The choice of exactly this precision.
    pub fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }

    /// The precision of inference with `generator` on `device`. Without gradients, `auto` is bfloat16 for all nets but
    /// those of 2-D points.
    ///
    /// # Errors
    /// bfloat16 on a device that does not support it.
    pub(crate) fn for_inference(self, generator: &Network, device: &Device) -> Result<Precision> {
        self.resolved(device.is_cpu(), makes_images(generator), Precision::fastest())
    }

    /// The precision; `auto` is the `fastest` where bfloat16 is `allowed`.
    fn resolved(self, on_processor: bool, allowed: bool, fastest: Precision) -> Result<Precision> {
        match self {
            Self::Bf16 if !on_processor => Err(Error::usage(
                "recipe key `train.precision`: bf16 is supported on the processor only",
                "set it to f32, or compute on the processor",
            )),
            Self::Bf16 => Ok(Precision::Bf16),
            Self::Auto if on_processor && allowed => Ok(fastest),
            Self::F32 | Self::Auto => Ok(Precision::F32),
        }
    }
}

/// False for 2-D points, whose rounding to 8 bits would be visible.
fn makes_images(generator: &Network) -> bool {
    matches!(generator.output(), Shape::Image(..))
}

impl Recipe {
    /// Whether `auto` may choose bfloat16 for training: not with gradient penalties, whose gradient norms need more
    /// precision, nor for nets of 2-D points.
    ///
    /// # Errors
    /// Nets that can't be built.
    pub fn allows_bf16(&self) -> Result<bool> {
        let (generator, _) = self.networks()?;
        Ok(self.train.penalties.is_empty() && makes_images(&generator))
    }

    /// The precision of training on `device`, which replaces `auto` in the recipe.
    ///
    /// # Errors
    /// bfloat16 on a device that does not support it.
    pub(crate) fn resolve_precision(&mut self, device: &Device) -> Result<Precision> {
        self.resolve(device.is_cpu(), Precision::fastest())
    }

    fn resolve(&mut self, on_processor: bool, fastest: Precision) -> Result<Precision> {
        let precision = self.train.precision.resolved(on_processor, self.allows_bf16()?, fastest)?;
        self.train.precision = PrecisionChoice::of(precision);
        Ok(precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn resolved(preset: Preset, changes: &[&str], on_processor: bool, fastest: Precision) -> Result<Precision> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let mut recipe = Recipe::parse(preset.text(), preset.name(), &changes).unwrap();
        let precision = recipe.resolve(on_processor, fastest)?;
        assert!(recipe.to_toml().unwrap().contains(&format!("precision = \"{}\"", precision.name())));
        Ok(precision)
    }

    #[test]
    fn auto_is_the_fastest_that_the_recipe_bears() {
        let bf16 = Precision::Bf16;
        assert_eq!(resolved(Preset::Tp, &[], true, bf16).unwrap(), bf16);
        assert_eq!(resolved(Preset::Tp, &[], true, Precision::F32).unwrap(), Precision::F32);
        assert_eq!(resolved(Preset::Tp, &[], false, bf16).unwrap(), Precision::F32);
        assert_eq!(resolved(Preset::Tp, &["train.penalties.r1=1"], true, bf16).unwrap(), Precision::F32);
        assert_eq!(resolved(Preset::Ring, &[], true, bf16).unwrap(), Precision::F32);
    }

    #[test]
    fn drawing_asks_only_what_is_drawn() {
        let drawn = |preset: Preset, choice: PrecisionChoice| {
            let (generator, _) = Recipe::parse(preset.text(), preset.name(), &[]).unwrap().networks().unwrap();
            choice.for_inference(&generator, &Device::cpu()).unwrap()
        };
        // A WGAN-GP generator bears what its training does not.
        for preset in [Preset::Tp, Preset::FidleWganGp] {
            assert_eq!(drawn(preset, PrecisionChoice::Auto), Precision::fastest());
        }
        assert_eq!(drawn(Preset::Ring, PrecisionChoice::Auto), Precision::F32);
        assert_eq!(drawn(Preset::Tp, PrecisionChoice::F32), Precision::F32);
        assert_eq!(drawn(Preset::Ring, PrecisionChoice::Bf16), Precision::Bf16);
    }

    #[test]
    fn what_is_asked_for_is_done_or_refused() {
        let (f32, bf16) = (Precision::F32, Precision::Bf16);
        assert_eq!(resolved(Preset::Tp, &["train.precision=f32"], true, bf16).unwrap(), f32);
        assert_eq!(resolved(Preset::Tp, &["train.precision=bf16"], true, f32).unwrap(), bf16);
        let with_penalty = ["train.precision=bf16", "train.penalties.r1=1"];
        assert_eq!(resolved(Preset::Tp, &with_penalty, true, f32).unwrap(), bf16);
        let error = resolved(Preset::Tp, &["train.precision=bf16"], false, bf16).unwrap_err();
        assert!(error.to_string().contains("on the processor only") && error.hint().contains("set it to f32"));
    }
}
