//! Judging the images of a run, or any other images: finds the real images to compare with and the feature extractor,
//! samples the images and scores them. The scores themselves are in [`crate::metrics`], one level below.
//!
//! ```
//! use std::sync::Arc;
//! use faussaire::judging::{self, Reference};
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! # let scratch = std::env::temp_dir().join(format!("faussaire-judging-{}", std::process::id()));
//! # let folder = scratch.join("run");
//! # let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! # let images: Arc<dyn Dataset> =
//! #     Arc::new(InMemory::from_bytes("dots", shape, (0..64 * 64).map(|at| ((at * at / 7) % 256) as u8).collect())?);
//! # let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8).steps(2);
//! let mut trainer = Trainer::new(recipe, Arc::clone(&images), &Options::default())?.at(&folder)?;
//! trainer.run(|_, _| Ok(Request::Continue))?;
//!
//! // Against the program's own images; a run on a named data set needs no reference.
//! let options = judging::Options::of(folder.to_string_lossy()).n(60).reference(Reference::new(images, None));
//! let judged = judging::run(&options, &mut |_| ())?;
//! for score in &judged.judgement.scores {
//!     println!("{score:?}");
//! }
//! assert!(!judged.judgement.scores.is_empty());
//! # std::fs::remove_dir_all(scratch).map_err(Error::io("remove", &folder))?;
//! # Ok(())
//! # }
//! ```

mod copies;
mod reference;
mod samples;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use reference::{Progress, Reference};

use crate::data::{Dataset, OpenOptions};
use crate::device::{self, Device};
use crate::error::{Error, Result};
use crate::metrics::parts::{Gathered, Parts, Series};
use crate::metrics::{self, Extractor, Judgement, judge};
use crate::recipe::Recipe;
use crate::run::Run;
use crate::share::Share;
use copies::CopyCheck;
use samples::Samples;

/// What to judge, and against what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// A run folder, or images in any format that can be opened.
    pub of: String,
    /// Real images: a data set's name or path; none: the run's training data.
    pub against: Option<String>,
    /// Real images that a program has in memory, instead of `against`.
    pub reference: Option<Reference>,
    /// A folder of data sets that is searched first.
    pub data_dir: Option<PathBuf>,
    /// Largest number of images to judge.
    pub n: usize,
    /// Generate images of this class only, and compare with real images of it.
    pub class: Option<String>,
    /// Use the features of InceptionV3 with the weights in this file.
    pub inception: Option<PathBuf>,
    /// The checkpoint: `latest`, `best`, or a permanent one.
    pub checkpoint: String,
    /// Whether to look for copies of training images.
    pub neighbours: bool,
    /// Seed of the noise and of the choice of real images.
    pub seed: u64,
    /// A folder in which several processes put the features of their shares of the images ([`share`]).
    pub parts: Option<PathBuf>,
}

impl Options {
    /// 10,000 images of the latest checkpoint of the run at `of`, or of the images there, against the run's training
    /// data.
    pub fn of(of: impl Into<String>) -> Self {
        Self {
            of: of.into(),
            against: None,
            reference: None,
            data_dir: None,
            n: 10_000,
            class: None,
            inception: None,
            checkpoint: "latest".into(),
            neighbours: false,
            seed: 0,
            parts: None,
        }
    }

    /// Judges against the data set with this name or path.
    #[must_use]
    pub fn against(mut self, source: impl Into<String>) -> Self {
        self.against = Some(source.into());
        self
    }

    /// Judges against these images.
    #[must_use]
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// Looks for data sets in this folder first.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Judges at most `n` images.
    #[must_use]
    pub fn n(mut self, n: usize) -> Self {
        self.n = n;
        self
    }

    /// Judges one class only.
    #[must_use]
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.class = Some(class.into());
        self
    }

    /// Uses features of InceptionV3 with the weights in `file`.
    #[must_use]
    pub fn inception(mut self, file: impl Into<PathBuf>) -> Self {
        self.inception = Some(file.into());
        self
    }

    /// Judges the checkpoint with this name.
    #[must_use]
    pub fn checkpoint(mut self, name: impl Into<String>) -> Self {
        self.checkpoint = name.into();
        self
    }

    /// Also looks for copies of the images learned from.
    #[must_use]
    pub fn neighbours(mut self, look: bool) -> Self {
        self.neighbours = look;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Uses the features that shares of the judgement put in this folder.
    #[must_use]
    pub fn parts(mut self, folder: impl Into<PathBuf>) -> Self {
        self.parts = Some(folder.into());
        self
    }
}

/// The scores, and the images that they apply to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judged {
    /// The scores.
    pub judgement: Judgement,
    /// Description of the judged images.
    pub of: String,
    /// The real images' name.
    pub real: String,
    /// Which part of the data they are: `test` or `train`.
    pub split: &'static str,
    /// Whether the features are those of a net with random weights: the data have no labels, or a classifier of them is no
    /// better than chance. `judgement.notes` says which.
    pub random_features: bool,
    /// Why files that may hold labels of the real images are not used; for a set without labels.
    pub unused_labels: Vec<String>,
    /// The page that shows each image with its nearest training images, as HTML, if requested.
    pub neighbours: Option<String>,
    /// Where the features came from, for a judgement in parts.
    pub gathered: Option<Gathered>,
}

/// Judges the images that `options` describe.
///
/// # Errors
/// A run, a checkpoint or data that can't be opened, images of different shapes, or too few of them.
pub fn run(options: &Options, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Judged> {
    device::on_pool(|| judged(options, progress))
}

/// Extracts the features of one of several shares of the images, and of the real ones, and writes them to the folder
/// `options.parts`. [`run`] with the same options judges all of them afterwards, to the same bits as without parts, and extracts
/// what is missing. Returns the number of generated and of real images in the share.
///
/// # Errors
/// As [`run`]; no folder, one that can't be written, or one that has this part of another judgement.
pub fn share(options: &Options, share: Share, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<[usize; 2]> {
    device::on_pool(|| {
        let Some(folder) = &options.parts else {
            return Err(Error::usage(
                "there is no folder for a share of a judgement",
                "name one, the same for all shares (`judging::Options::parts`)",
            ));
        };
        let case = Case::open(options, progress)?;
        let (extractor, real) = case.judge(options, progress)?;
        let parts = Parts::new(folder, case.samples.about());
        let read = |part: Range<usize>| case.samples.values(part);
        let series = Series { count: case.samples.count, read: &read, asked: None, only: None };
        parts.write(&extractor, real.as_ref(), series, options.seed, |blocks| share.part(blocks))
    })
}

/// What is judged, and against what.
struct Case {
    recipe: Option<Recipe>,
    open: OpenOptions,
    reference: Reference,
    samples: Samples,
    device: Device,
}

impl Case {
    fn open(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        let device = device::named("cpu")?;
        let path = Path::new(&options.of);
        let run = path.join("config.toml").is_file().then(|| Run::open(path)).transpose()?;
        let recipe = run.as_ref().map(|run| run.recipe(&[])).transpose()?;
        let open = OpenOptions::default().data_dir(options.data_dir.clone());
        let open = recipe.as_ref().map_or(open.clone(), |recipe| recipe.open_options(open));
        let reference = reference(options, recipe.as_ref(), &open, progress)?;
        let samples = match &run {
            Some(run) => samples::of_run(run, &reference, options, &device)?,
            None => samples::of_images(options, reference.real.as_ref(), progress)?,
        };
        Ok(Self { recipe, open, reference, samples, device })
    }

    /// The extractor, and the real images.
    fn judge(&self, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<(Extractor, Arc<dyn Dataset>)> {
        let extractor = self.reference.extractor(options.inception.as_deref(), &self.device, progress)?;
        Ok((extractor, self.reference.real_with_class(options.class.as_deref())?))
    }
}

fn judged(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Judged> {
    let case = Case::open(options, progress)?;
    let (samples, split) = (&case.samples, case.reference.split);
    let (asked, only, all) = (samples.asked(), options.class.as_deref(), 0..samples.count);
    // Images that are needed anyway are made first: one that can't be read is found before a classifier is trained.
    let images = match options.parts.is_none() || options.neighbours {
        true => Some(samples.values(all)?),
        false => None,
    };
    let (extractor, real) = case.judge(options, progress)?;
    let (mut judgement, gathered) = match (&options.parts, &images) {
        (None, Some(images)) => {
            let judged = metrics::Samples { images, asked: asked.as_deref(), only };
            (judge(&extractor, real.as_ref(), split, judged, options.seed)?, None)
        }
        (folder, _) => {
            let read = |part: Range<usize>| samples.values(part);
            let series = Series { count: samples.count, read: &read, asked: asked.as_deref(), only };
            let parts = Parts::new(folder.clone().unwrap_or_default(), samples.about());
            let (judgement, gathered) = parts.judge(&extractor, real.as_ref(), split, series, options.seed)?;
            (judgement, Some(gathered))
        }
    };
    judgement.notes.extend(samples.converted.clone());
    let unused_labels = case.reference.train.info().unused_labels.clone();
    let random_features = matches!(extractor, Extractor::Random(_));
    let (real, Case { recipe, open, reference, samples, .. }) = (real.name(), case);
    let neighbours = match images.filter(|_| options.neighbours) {
        None => None,
        Some(images) => {
            let check = CopyCheck::of(recipe.as_ref(), reference, options, &open, progress)?;
            Some(check.compare((&samples.of, &images), options.seed, &mut judgement)?)
        }
    };
    Ok(Judged { judgement, of: samples.of, real, split, random_features, unused_labels, neighbours, gathered })
}

/// The real images: those in memory, those that were named, else the run's training data.
fn reference(
    options: &Options,
    recipe: Option<&Recipe>,
    open: &OpenOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Reference> {
    if let Some(reference) = &options.reference {
        return Ok(reference.clone());
    }
    let Some(source) = options.against.as_ref().or(recipe.map(|recipe| &recipe.data.source)) else {
        return Err(Error::usage(
            format!("no real images are given to judge {} against", options.of),
            "name real images (`judging::Options::against`): a name such as mnist, or a path",
        ));
    };
    Reference::open(source, open, progress)
}
