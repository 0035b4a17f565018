//! A run's generator with what requests need beside it: its labels, its expert, and how many of its images fit at once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use faussaire::play::{Direction, Expert, directions};
use faussaire::run::{Run, Sampler};
use faussaire::{Device, Error, Result, device};

use crate::errors::{Answer, Failure};

/// Bytes of activations that a batch may take, roughly.
const ROOM: usize = 256 << 20;
/// Images at once, at most.
const MOST: usize = 256;
/// Directions that are offered.
const DIRECTIONS: usize = 10;

/// A generator, ready.
#[derive(Debug)]
pub struct Loaded {
    /// It.
    pub sampler: Sampler,
    /// Images that go through it at once.
    pub batch: usize,
    run: PathBuf,
    checkpoint: String,
    expert: OnceLock<Expert>,
    directions: OnceLock<Vec<Direction>>,
}

impl Loaded {
    /// Reads the checkpoint called `checkpoint` of the run at `path`.
    pub(super) fn open(path: &Path, checkpoint: &str) -> Result<Self> {
        let run = Run::open(path)?;
        let (generator, _) = run.recipe(&[])?.networks()?;
        fits(&run, checkpoint, "average", generator.parameters().0)?;
        let sampler = device::on_pool(|| Sampler::open(&run, checkpoint, &Device::flex()))?;
        let values = sampler.network().layers().iter().map(|layer| layer.output.len()).max().unwrap_or(1);
        // Two layers' values live at a time.
        let batch = (ROOM / (8 * values.max(1))).clamp(1, MOST);
        Ok(Self {
            sampler,
            batch,
            run: path.into(),
            checkpoint: checkpoint.into(),
            expert: OnceLock::new(),
            directions: OnceLock::new(),
        })
    }

    /// The checkpoint's name.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The discriminator of the same checkpoint. It blocks while it is read.
    ///
    /// # Errors
    /// Where it can't be read, or the checkpoint was replaced since.
    pub fn expert(&self) -> Result<&Expert> {
        if let Some(expert) = self.expert.get() {
            return Ok(expert);
        }
        let run = Run::open(&self.run)?;
        let (_, discriminator) = run.recipe(&[])?.networks()?;
        fits(&run, &self.checkpoint, "discriminator", discriminator.parameters().0)?;
        let expert = device::on_pool(|| Expert::open(&run, &self.checkpoint, &Device::flex()))?;
        Ok(self.expert.get_or_init(|| expert))
    }

    /// Directions that the first layer's weights tell of. It blocks the first time.
    pub fn directions(&self) -> &[Direction] {
        self.directions.get_or_init(|| directions(&self.sampler, DIRECTIONS))
    }

    /// What a label row asks for, in words.
    pub fn name(&self, row: &[f32]) -> String {
        let names = &self.sampler.labels().names;
        let held: Vec<&str> =
            row.iter().zip(names).filter(|(value, _)| **value > 0.5).map(|(_, name)| name.as_str()).collect();
        held.join(",")
    }

    /// Label rows for `n` images: one class for all, one for each, or at large under `seed` from image `first` on; empty for
    /// a generator that is told nothing.
    ///
    /// # Errors
    /// An unknown class, or too few of them.
    pub fn labels(&self, class: &Classes<'_>, seed: u64, first: u64, n: usize) -> Answer<Vec<Vec<f32>>> {
        match class {
            Classes::One(text) => Ok(vec![self.sampler.label_row(text).map_err(plain)?; n]),
            Classes::Each(texts) if texts.len() == n => {
                texts.iter().map(|text| self.sampler.label_row(text).map_err(plain)).collect()
            }
            Classes::Each(texts) => Err(Failure::bad(
                format!("{} classes for {n} images", texts.len()),
                "give one for each image, or `class` for all",
            )),
            Classes::AtLarge if self.sampler.labels().names.is_empty() => Ok(Vec::new()),
            Classes::AtLarge => Ok(self.sampler.labels_at_large(seed, first, n)),
        }
    }
}

/// What images are asked to show.
#[derive(Clone, Copy, Debug)]
pub enum Classes<'a> {
    /// All the same.
    One(&'a str),
    /// Each its own.
    Each(&'a [String]),
    /// As often as in the data.
    AtLarge,
}

/// The library's message is written for the command line.
fn plain(error: Error) -> Failure {
    let failure = Failure::from(error);
    Failure { error: failure.error.replacen("--class ", "class ", 1), ..failure }
}

/// Refuses a recipe that claims more weights than its file holds, before room is made for them.
fn fits(run: &Run, checkpoint: &str, net: &str, weights: usize) -> Result<()> {
    let path = run.checkpoint(checkpoint).join(format!("{net}.safetensors"));
    let bytes = std::fs::metadata(&path).map_err(Error::io("read", &path))?.len();
    let expected = (weights as u64).saturating_mul(4);
    if bytes >= expected && bytes <= expected.saturating_add(1 << 22) {
        return Ok(());
    }
    Err(Error::run(
        format!("{} has {bytes} bytes, expected about {expected} for the nets of config.toml", path.display()),
        "the run's recipe or this checkpoint was changed or damaged; choose another checkpoint",
    ))
}
