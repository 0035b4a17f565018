//! `train.joint_batch`: whether D takes real and generated images as one batch or as two.
//!
//! Batch normalisation over both at once tells D which is which: in a batch that is half real, the statistics of the other
//! half shift every activation, so D's loss is 0 within some dozen steps. In G's own step D sees generated images only,
//! with other statistics, and takes them for real. Neither net learns anything. `auto` therefore keeps them apart where D
//! has batch normalisation.

use serde::{Deserialize, Serialize};

use super::table::AUTO;
use crate::net::{Network, Op};

/// How D takes real and generated images: `"auto"`, `true` or `false` in a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
#[non_exhaustive]
pub enum JointBatch {
    /// As two batches where D has batch normalisation, else as one.
    #[default]
    Auto,
    /// As one batch.
    Joint,
    /// As two batches.
    Apart,
}

impl JointBatch {
    /// Whether `discriminator` takes real and generated images as one batch.
    pub fn joins(self, discriminator: &Network) -> bool {
        match self {
            Self::Auto => !has_batchnorm(discriminator),
            Self::Joint => true,
            Self::Apart => false,
        }
    }
}

/// Whether `net` has batch normalisation, conditional or not.
pub(crate) fn has_batchnorm(net: &Network) -> bool {
    let is_batchnorm = |op: Op| matches!(op, Op::BatchNorm { .. } | Op::ConditionalBatchNorm { .. });
    net.layers().iter().any(|entry| is_batchnorm(entry.layer.kind().op(entry.input)))
}

/// The value as it is written: earlier programs wrote `true` and `false` only.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Written {
    Switch(bool),
    Word(String),
}

impl TryFrom<Written> for JointBatch {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Switch(true) => Ok(Self::Joint),
            Written::Switch(false) => Ok(Self::Apart),
            Written::Word(word) if word == AUTO => Ok(Self::Auto),
            Written::Word(word) => Err(format!("expected `{AUTO}`, true or false, got {word:?}")),
        }
    }
}

impl From<JointBatch> for Written {
    fn from(choice: JointBatch) -> Self {
        match choice {
            JointBatch::Auto => Self::Word(AUTO.into()),
            JointBatch::Joint => Self::Switch(true),
            JointBatch::Apart => Self::Switch(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Preset, Recipe};

    fn tp(change: &str) -> Result<Recipe, String> {
        Recipe::parse(Preset::Tp.text(), "tp", &[change.to_owned()]).map_err(|e| e.to_string())
    }

    #[test]
    fn it_is_read_and_written_as_a_switch_or_a_word() {
        for (written, choice) in [("true", JointBatch::Joint), ("false", JointBatch::Apart), ("auto", JointBatch::Auto)]
        {
            for key in ["train.joint_batch", "train.mixed"] {
                let recipe = tp(&format!("{key}={written}")).unwrap();
                assert_eq!(recipe.train.joint_batch, choice, "{key}={written}");
                let text = recipe.to_toml().unwrap();
                let line =
                    if written == "auto" { "joint_batch = \"auto\"" } else { &format!("joint_batch = {written}") };
                assert!(text.contains(line), "{text}");
                assert_eq!(Recipe::parse(&text, "again", &[]).unwrap(), recipe);
            }
        }
        assert_eq!(tp("train.seed=0").unwrap().train.joint_batch, JointBatch::Auto, "the default");
        for wrong in ["maybe", "1", "\"true\""] {
            let error = tp(&format!("train.joint_batch={wrong}")).unwrap_err();
            assert!(error.contains("`train.joint_batch`: expected `auto`, true or false, got"), "{error}");
        }
    }

    #[test]
    fn auto_keeps_batches_apart_where_d_has_batch_normalisation() {
        let joins = |change: &str, d: &[&str]| {
            let layers = format!("discriminator.layers={d:?}");
            let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[change.to_owned(), layers]).unwrap();
            recipe.train.joint_batch.joins(&recipe.networks().unwrap().1)
        };
        let (plain, normalised) =
            (["conv 8 4x4", "layernorm", "flatten", "dense 1"], ["conv 8 4x4", "batchnorm", "flatten", "dense 1"]);
        for (change, of_plain, of_normalised) in [("auto", true, false), ("true", true, true), ("false", false, false)]
        {
            let change = format!("train.joint_batch={change}");
            assert_eq!((joins(&change, &plain), joins(&change, &normalised)), (of_plain, of_normalised), "{change}");
        }
    }

    #[test]
    fn no_preset_changes_by_auto() {
        for preset in Preset::ALL {
            let recipe = preset.recipe().unwrap();
            let (_, discriminator) = recipe.networks().unwrap();
            let before = !preset.text().contains("joint_batch = false");
            assert_eq!(recipe.train.joint_batch.joins(&discriminator), before, "{}", preset.name());
        }
    }
}
