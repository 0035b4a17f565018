//! A run's generator with its labels, its discriminator and its batch size.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use faussaire::play::{Direction, Expert, directions};
use faussaire::run::{Run, Sampler};
use faussaire::{Device, Error, Result, device};

use crate::errors::{Answer, Failure};

/// Approximate limit on a batch's activations, in bytes.
const BATCH_BYTES: usize = 256 << 20;
/// Maximum images per batch, and operations, so that others get their turn.
const MAX_BATCH: usize = 256;
const BATCH_FLOPS: u64 = 20_000_000_000;
/// Maximum values between two layers of one image, weights, and operations for one image: larger nets are for the command line.
const MAX_WIDTH: usize = 1 << 26;
const MAX_WEIGHTS: usize = 1 << 27;
const MAX_FLOPS: u64 = 200_000_000_000;
/// Maximum values between all layers of one image, for a search, which keeps them all.
const MAX_KEPT: usize = 1 << 23;
/// Number of latent directions.
const DIRECTIONS: usize = 10;

/// A loaded generator.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The generator.
    pub sampler: Sampler,
    /// Images per batch.
    pub batch: usize,
    run: PathBuf,
    checkpoint: String,
    expert: OnceLock<Expert>,
    /// The discriminator's weights.
    judge_weights: usize,
    directions: OnceLock<Vec<Direction>>,
}

impl Loaded {
    /// Refuses nets that are too large for a server with many visitors.
    pub(super) fn check(path: &Path) -> Result<()> {
        let (generator, discriminator) = Run::open(path)?.recipe(&[])?.networks()?;
        for net in [&generator, &discriminator] {
            let (weights, width, flops) = (net.parameters().0, net.widest(), net.operations());
            if width > MAX_WIDTH || weights > MAX_WEIGHTS || flops > MAX_FLOPS {
                return Err(Error::run(
                    format!(
                        "the {} has {weights} weights, {width} values between two layers and {flops} operations for an \
                         image; expected at most {MAX_WEIGHTS}, {MAX_WIDTH} and {MAX_FLOPS}",
                        net.name()
                    ),
                    "it is too large for the studio; `faussaire sample` and `faussaire export` have no such limits",
                ));
            }
        }
        Ok(())
    }

    /// Reads the checkpoint called `checkpoint` of the run at `path`.
    pub(super) fn open(path: &Path, checkpoint: &str) -> Result<Self> {
        let run = Run::open(path)?;
        let (generator, discriminator) = run.recipe(&[])?.networks()?;
        check_size(&run, checkpoint, "average", generator.parameters().0)?;
        let sampler = device::on_pool(|| Sampler::open(&run, checkpoint, &Device::cpu()))?;
        // The values of two layers are in memory at a time.
        let by_memory = BATCH_BYTES / (8 * sampler.network().widest().max(1));
        let by_time = usize::try_from(BATCH_FLOPS / sampler.network().operations().max(1)).unwrap_or(MAX_BATCH);
        let batch = by_memory.min(by_time).clamp(1, MAX_BATCH);
        Ok(Self {
            sampler,
            batch,
            run: path.into(),
            checkpoint: checkpoint.into(),
            expert: OnceLock::new(),
            judge_weights: discriminator.parameters().0,
            directions: OnceLock::new(),
        })
    }

    /// Bytes of its weights.
    pub(crate) fn bytes(&self) -> usize {
        let expert = self.expert.get().map_or(0, |_| self.judge_weights);
        size_of::<f32>() * (self.sampler.network().parameters().0 + expert)
    }

    /// Whether a search in its latent space fits into memory.
    ///
    /// # Errors
    /// The generator is too large.
    pub(crate) fn check_search(&self) -> Answer<()> {
        let kept = self.sampler.network().activations();
        if kept <= MAX_KEPT {
            return Ok(());
        }
        Err(Failure::bad(
            format!("this generator has {kept} values between its layers, a search takes at most {MAX_KEPT}"),
            "it is too large for a search in the studio",
        ))
    }

    /// The checkpoint's name.
    pub(crate) fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The discriminator of the same checkpoint. Blocks while it is read.
    ///
    /// # Errors
    /// Where it can't be read, or the checkpoint was replaced since.
    pub(crate) fn expert(&self) -> Result<&Expert> {
        if let Some(expert) = self.expert.get() {
            return Ok(expert);
        }
        let run = Run::open(&self.run)?;
        let (_, discriminator) = run.recipe(&[])?.networks()?;
        check_size(&run, &self.checkpoint, "discriminator", discriminator.parameters().0)?;
        let expert = device::on_pool(|| Expert::open(&run, &self.checkpoint, &Device::cpu()))?;
        Ok(self.expert.get_or_init(|| expert))
    }

    /// Directions from the first layer's weights (SeFa). Blocks on the first call.
    pub(crate) fn directions(&self) -> &[Direction] {
        self.directions.get_or_init(|| directions(&self.sampler, DIRECTIONS))
    }

    /// Noise vectors number `first` to `first + n` under `seed`.
    pub(crate) fn noise(&self, seed: u64, first: u64, n: usize) -> Vec<Vec<f32>> {
        rows(&self.sampler.noise(seed, first, n), self.sampler.latent())
    }

    /// The `frames` noise vectors of a closed walk through `ends`.
    pub(crate) fn walk(&self, ends: &[Vec<f32>], frames: usize) -> Vec<Vec<f32>> {
        rows(&self.sampler.walk(&ends.concat(), frames, 0..frames), self.sampler.latent())
    }

    /// The names of a label row's classes or attributes.
    pub(crate) fn name(&self, row: &[f32]) -> String {
        let names = &self.sampler.labels().names;
        let named: Vec<&str> =
            row.iter().zip(names).filter(|(value, _)| **value > 0.5).map(|(_, name)| name.as_str()).collect();
        named.join(",")
    }

    /// Label rows for `n` images: one class for all, one for each, or sampled with `seed` from image `first` on; empty for
    /// an unconditional generator.
    ///
    /// # Errors
    /// An unknown class, or a wrong number of classes.
    pub(crate) fn labels(&self, class: &Classes<'_>, seed: u64, first: u64, n: usize) -> Answer<Vec<Vec<f32>>> {
        match class {
            Classes::One(text) => Ok(vec![self.sampler.encode_label(text)?; n]),
            Classes::Each(texts) if texts.len() == n => {
                texts.iter().map(|text| Ok(self.sampler.encode_label(text)?)).collect()
            }
            Classes::Each(texts) => Err(Failure::bad(
                format!("{} classes for {n} images", texts.len()),
                "give one for each image, or `class` for all",
            )),
            Classes::Sampled if self.sampler.labels().names.is_empty() => Ok(Vec::new()),
            Classes::Sampled => {
                Ok(rows(&self.sampler.sample_labels(seed, first, n), self.sampler.labels().names.len()))
            }
        }
    }
}

/// Rows of `width` values.
fn rows(values: &[f32], width: usize) -> Vec<Vec<f32>> {
    values.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}

/// The classes of requested images.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Classes<'a> {
    /// One class for all images.
    One(&'a str),
    /// One class per image.
    Each(&'a [String]),
    /// Sampled with the frequencies of the training data.
    Sampled,
}

/// Refuses a recipe with more weights than its file holds, before memory is allocated for them.
fn check_size(run: &Run, checkpoint: &str, net: &str, weights: usize) -> Result<()> {
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
