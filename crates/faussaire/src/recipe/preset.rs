//! The recipes built into the binary: `presets/*.toml` of this package, each a complete, commented file.

use super::{Auto, Recipe};
use crate::error::{Error, Result};

/// Names the variants, their files and their order in one place.
macro_rules! presets {
    ($($(#[$about:meta])* $variant:ident = $name:literal,)*) => {
        /// A named recipe.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Preset {
            $($(#[$about])* $variant,)*
        }

        impl Preset {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The recipe.
            ///
            /// # Errors
            /// None, as long as the file is a recipe.
            pub fn recipe(self) -> Result<Recipe> {
                Recipe::parse(self.text(), self.name(), &[])
            }

            /// The file, comments included.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../presets/", $name, ".toml")),)*
                }
            }
        }
    };
}

presets! {
    /// Digits on demand in a minute on two cores: the default.
    Digits = "digits",
    /// Digits in a minute on two cores, without labels.
    Quick = "quick",
    /// The lab's nets on MNIST.
    Tp = "tp",
    /// The lab's nets within a session: a tenth of MNIST.
    TpShort = "tp-short",
    /// The Fidle DCGAN notebook ("Draw me a sheep").
    Fidle = "fidle",
    /// The same, with the notebook's own numbers.
    FidleNotebook = "fidle-notebook",
    /// The notebook's sequel.
    FidleWganGp = "fidle-wgan-gp",
    /// Digits by class.
    CganMnist = "cgan-mnist",
    /// The best of MNIST in ten minutes.
    MnistBest = "mnist-best",
    /// Clothes by class.
    CganFashion = "cgan-fashion",
    /// Faces with chosen attributes.
    CganFaces = "cgan-faces",
    /// DCGAN on 64 x 64 colour pictures.
    Dcgan64 = "dcgan-64",
    /// Residual WGAN-GP on 32 x 32 colour pictures.
    WganGpResnet32 = "wgan-gp-resnet-32",
    /// SNGAN on 32 x 32 colour pictures.
    Sngan32 = "sngan-32",
    /// R3GAN's recipe on 32 x 32 colour pictures.
    R3ganSmall = "r3gan-small",
    /// A thousand modes.
    StackedMnist = "stacked-mnist",
    /// Eight clusters in the plane.
    Ring = "ring",
    /// Twenty-five clusters in the plane.
    Grid = "grid",
}

impl Preset {
    /// Its first comment line: a description.
    pub fn about(self) -> &'static str {
        self.text().lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// Whether `source` is the data set of the recipe, for which alone its `data.count` is meant.
    pub fn is_for(self, source: &str) -> bool {
        self.recipe().is_ok_and(|recipe| recipe.data.source == source)
    }

    /// The preset called `name`.
    ///
    /// # Errors
    /// An unknown name; the error lists the known ones. `auto`, which is no recipe but a rule ([`Recipe::for_images`]).
    pub fn named(name: &str) -> Result<Self> {
        if name == Auto::NAME {
            return Err(Error::recipe(
                "the preset `auto` is made for a data set and has no recipe of its own",
                "train with it: it makes the nets for the images (`Recipe::for_data`)",
            ));
        }
        let names = || Self::ALL.iter().map(|p| p.name()).chain([Auto::NAME]).collect::<Vec<_>>().join(", ");
        Self::ALL.iter().copied().find(|p| p.name() == name).ok_or_else(|| {
            let known = || Self::ALL.iter().map(|preset| preset.name()).chain([Auto::NAME]);
            let small = name.to_lowercase();
            let begins = || known().find(|known| small.len() > 2 && known.starts_with(&small));
            let near = match crate::data::did_you_mean(name, known()) {
                none if none.is_empty() => begins().map_or(none, |known| format!("did you mean `{known}`? ")),
                near => near,
            };
            let hint = match std::path::Path::new(name).is_file() {
                true => format!("to read the file {name} as a recipe: --config {name}"),
                false => "choose one of these, or write a recipe of your own".to_owned(),
            };
            Error::recipe(format!("there is no preset `{name}`; {near}expected one of {}", names()), hint)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn every_preset_builds_its_nets() {
        for preset in Preset::ALL {
            let recipe = Recipe::parse(preset.text(), preset.name(), &[]).unwrap();
            let (generator, discriminator) = recipe.networks().unwrap();
            assert!(generator.parameters().1 > 0 && discriminator.parameters().1 > 0, "{}", preset.name());
            assert!(!preset.about().is_empty());
        }
    }

    #[test]
    fn the_short_lab_is_the_lab_on_fewer_images() {
        let mut short = Preset::TpShort.recipe().unwrap();
        (short.data.count, short.train.epochs) = (0, 10);
        assert_eq!(short, Preset::Tp.recipe().unwrap());
    }

    #[test]
    fn the_courses_nets_have_their_sizes() {
        for (preset, generator, discriminator) in [
            (Preset::Tp, (1_770_625, 1_769_601), (660_929, 660_929)),
            (Preset::TpShort, (1_770_625, 1_769_601), (660_929, 660_929)),
            (Preset::Fidle, (779_969, 779_969), (396_609, 396_609)),
            (Preset::FidleNotebook, (779_969, 779_969), (396_609, 396_609)),
            (Preset::FidleWganGp, (779_969, 779_969), (396_609, 396_609)),
        ] {
            let (g, d) = Recipe::parse(preset.text(), preset.name(), &[]).unwrap().networks().unwrap();
            assert_eq!((g.parameters(), d.parameters()), (generator, discriminator), "{}", preset.name());
        }
    }
}
