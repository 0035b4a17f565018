//! The recipes built into the binary: `presets/*.toml` of the project, each a complete, commented file.

use crate::error::{Error, Result};

/// A named recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Digits in two minutes on two cores: the default.
    Quick,
    /// The lab's nets on MNIST.
    Tp,
    /// "Draw me a sheep": the Fidle DCGAN notebook.
    Fidle,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Tp, Self::Fidle];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Tp => "tp",
            Self::Fidle => "fidle",
        }
    }

    /// The file, comments included.
    pub fn text(self) -> &'static str {
        match self {
            Self::Quick => include_str!("../../../../presets/quick.toml"),
            Self::Tp => include_str!("../../../../presets/tp.toml"),
            Self::Fidle => include_str!("../../../../presets/fidle.toml"),
        }
    }

    /// Its first comment line: what it is.
    pub fn about(self) -> &'static str {
        self.text().lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The preset called `name`.
    ///
    /// # Errors
    /// An unknown name; the error lists those there are.
    pub fn named(name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|p| p.name() == name).ok_or_else(|| {
            Error::recipe(
                format!("there is no preset `{name}`; expected one of {}", names()),
                "`faussaire presets` lists them; your own recipe goes with --config FILE",
            )
        })
    }
}
