//! Judging a run's images, or somebody's, from a name to the scores: which real images they are compared with, who looks
//! at them, and how they are drawn. The scores themselves are [`crate::metrics`]'s, one level below.

mod copies;
mod reference;
mod samples;

use std::path::{Path, PathBuf};

pub use reference::{Progress, Reference};

use crate::data::OpenOptions;
use crate::device;
use crate::error::{Error, Result};
use crate::metrics::{Extractor, Judgement, Samples, judge};
use crate::recipe::Recipe;
use crate::run::Run;
use copies::CopyCheck;

/// What to judge, and against what.
#[derive(Clone, Debug)]
pub struct Options {
    /// A run's folder, or images in any form that can be opened.
    pub of: String,
    /// Real images: a data set's name or path; none: what the run learned from.
    pub against: Option<String>,
    /// Real images that a program has at hand, in the place of `against`.
    pub reference: Option<Reference>,
    /// A folder of data sets, looked into first.
    pub data_dir: Option<PathBuf>,
    /// How many images to judge, at most.
    pub n: usize,
    /// Ask a conditional generator for this class only, and compare with real images of it.
    pub class: Option<String>,
    /// Features of InceptionV3 with the weights in this file.
    pub inception: Option<PathBuf>,
    /// Which checkpoint: `latest`, `best`, or a kept one.
    pub checkpoint: String,
    /// Whether to look for copies of the images learned from.
    pub neighbours: bool,
    /// Seed of the noise and of the choice of real images.
    pub seed: u64,
}

impl Options {
    /// 10,000 images of the latest checkpoint of the run at `of`, or of the images there, against what it learned from.
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
        }
    }
}

/// The scores, and what they are scores of.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The scores.
    pub judgement: Judgement,
    /// What was judged, in words.
    pub of: String,
    /// The real images' name.
    pub real: String,
    /// Which part of the data they are: `test` or `train`.
    pub split: &'static str,
    /// Whether the features come from a net with random weights, since the data have no labels.
    pub random_features: bool,
    /// The page that shows each image beside the nearest ones that were learned from, as HTML, where that was asked for.
    pub neighbours: Option<String>,
}

/// Judges what `options` name.
///
/// # Errors
/// A run, a checkpoint or data that can't be opened, images of different shapes, or too few of them.
pub fn run(options: &Options, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Judged> {
    device::on_pool(|| judged(options, progress))
}

fn judged(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Judged> {
    let device = device::named("cpu")?;
    let path = Path::new(&options.of);
    let run = path.join("config.toml").is_file().then(|| Run::open(path)).transpose()?;
    let recipe = run.as_ref().map(|run| run.recipe(&[])).transpose()?;
    let open = OpenOptions { data_dir: options.data_dir.clone(), ..OpenOptions::default() };
    let open = recipe.as_ref().map_or(open.clone(), |recipe| recipe.open_options(open));
    let reference = reference(options, recipe.as_ref(), &open, progress)?;
    let made = match &run {
        Some(run) => samples::of_run(run, &reference, options, &device)?,
        None => samples::of_images(options, reference.real.as_ref(), progress)?,
    };
    let extractor = reference.extractor(options.inception.as_deref(), &device, progress)?;
    let real = reference.real_with_class(options.class.as_deref())?;
    let asked = made.generated.asked.as_deref();
    let samples = Samples { images: &made.generated.images, asked, only: options.class.as_deref() };
    let mut judgement = judge(&extractor, real.as_ref(), reference.split, samples, options.seed)?;
    let (name, split) = (real.name(), reference.split);
    let neighbours = match options.neighbours {
        false => None,
        true => {
            let learned = CopyCheck::of(recipe.as_ref(), reference, options, &open, progress)?;
            Some(learned.compare(&made, options.seed, &mut judgement)?)
        }
    };
    let random_features = matches!(extractor, Extractor::Random(_));
    Ok(Judged { judgement, of: made.of, real: name, split, random_features, neighbours })
}

/// What to judge against: what the program has at hand, what was named, else what the run learned from.
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
            format!("nothing says what to judge {} against", options.of),
            "name real images (`judging::Options::against`): a name such as mnist, or a path",
        ));
    };
    Reference::open(source, open, progress)
}
