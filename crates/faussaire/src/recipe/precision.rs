//! `train.precision`: what the operands of products, and images between most layers, are rounded to while the nets learn.
//! Sums, statistics, losses, weights and Adam are f32 in any case; so is everything outside of training steps, so that a
//! checkpoint gives the same images on every machine.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::error::{Error, Result};
use crate::net::{Network, Shape};
use crate::ops::Precision;

/// What a recipe asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrecisionChoice {
    /// bfloat16 where the processor multiplies it and the recipe bears it, else f32.
    #[default]
    Auto,
    /// 24 bits of mantissa.
    F32,
    /// 8 bits of mantissa; where the processor has no such arithmetic the same rounding, only slower.
    Bf16,
}

impl PrecisionChoice {
    /// The choice of exactly this.
    pub fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }

    /// What drawing with `generator` on `device` rounds to. There are no gradients to upset, so that only points speak
    /// against the bfloat16 of `auto`.
    ///
    /// # Errors
    /// bfloat16 on a device where it isn't offered.
    pub fn for_inference(self, generator: &Network, device: &Device) -> Result<Precision> {
        self.decided(*device == Device::flex(), makes_images(generator), Precision::fastest())
    }

    /// `auto` is the `fastest` where that can be `borne`.
    fn decided(self, on_processor: bool, borne: bool, fastest: Precision) -> Result<Precision> {
        match self {
            Self::Bf16 if !on_processor => Err(Error::usage(
                "recipe key `train.precision`: bf16 is offered on the processor only",
                "set it to f32, or compute on the processor",
            )),
            Self::Bf16 => Ok(Precision::Bf16),
            Self::Auto if on_processor && borne => Ok(fastest),
            Self::F32 | Self::Auto => Ok(Precision::F32),
        }
    }
}

/// Two coordinates with 8 bits each lie on a grid that one can see.
fn makes_images(generator: &Network) -> bool {
    matches!(generator.output(), Shape::Image(..))
}

impl Recipe {
    /// Whether `auto` may choose bfloat16 for training. It may not under gradient penalties: they compare lengths of gradients,
    /// which mixed precision is known to upset. Nor for nets that make points instead of images.
    ///
    /// # Errors
    /// Nets that can't be built.
    pub fn allows_bf16(&self) -> Result<bool> {
        let (generator, _) = self.networks()?;
        Ok(self.train.penalties.is_empty() && makes_images(&generator))
    }

    /// What training on `device` rounds operands to; from now on the recipe says that instead of `auto`.
    ///
    /// # Errors
    /// bfloat16 on a device where it isn't offered.
    pub fn resolve_precision(&mut self, device: &Device) -> Result<Precision> {
        self.settle(*device == Device::flex(), Precision::fastest())
    }

    fn settle(&mut self, on_processor: bool, fastest: Precision) -> Result<Precision> {
        let precision = self.train.precision.decided(on_processor, self.allows_bf16()?, fastest)?;
        self.train.precision = PrecisionChoice::of(precision);
        Ok(precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn settled(preset: Preset, changes: &[&str], on_processor: bool, fastest: Precision) -> Result<Precision> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let mut recipe = Recipe::parse(preset.text(), preset.name(), &changes).unwrap();
        let precision = recipe.settle(on_processor, fastest)?;
        assert!(recipe.to_toml().unwrap().contains(&format!("precision = \"{}\"", precision.name())));
        Ok(precision)
    }

    #[test]
    fn auto_is_the_fastest_that_the_recipe_bears() {
        let bf16 = Precision::Bf16;
        assert_eq!(settled(Preset::Tp, &[], true, bf16).unwrap(), bf16);
        assert_eq!(settled(Preset::Tp, &[], true, Precision::F32).unwrap(), Precision::F32);
        assert_eq!(settled(Preset::Tp, &[], false, bf16).unwrap(), Precision::F32);
        assert_eq!(settled(Preset::Tp, &["train.penalties.r1=1"], true, bf16).unwrap(), Precision::F32);
        assert_eq!(settled(Preset::Ring, &[], true, bf16).unwrap(), Precision::F32);
    }

    #[test]
    fn drawing_asks_only_what_is_drawn() {
        let drawn = |preset: Preset, choice: PrecisionChoice| {
            let (generator, _) = Recipe::parse(preset.text(), preset.name(), &[]).unwrap().networks().unwrap();
            choice.for_inference(&generator, &Device::flex()).unwrap()
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
        assert_eq!(settled(Preset::Tp, &["train.precision=f32"], true, bf16).unwrap(), f32);
        assert_eq!(settled(Preset::Tp, &["train.precision=bf16"], true, f32).unwrap(), bf16);
        let with_penalty = ["train.precision=bf16", "train.penalties.r1=1"];
        assert_eq!(settled(Preset::Tp, &with_penalty, true, f32).unwrap(), bf16);
        let error = settled(Preset::Tp, &["train.precision=bf16"], false, bf16).unwrap_err();
        assert!(error.to_string().contains("on the processor only") && error.hint().contains("set it to f32"));
    }
}
