//! `faussaire judge`: scores a run's images, or anybody's, against real ones.

use std::path::Path;
use std::sync::Arc;

use faussaire::data::LabelSettings;
use faussaire::data::labels::Conditions;
use faussaire::data::{Chosen, Dataset, OpenOptions, PartFile, Split, fill};
use faussaire::metrics::classifier::{self, Training};
use faussaire::metrics::{
    Channels, Classifier, Exhibit, Extractor, Generated, Inception, Judgement, Learned, Sheet, judge,
};
use faussaire::random::Stream;
use faussaire::run::{Run, Sampler};
use faussaire::train::parted;
use faussaire::{Device, Error, Recipe, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::data::open_dataset;
use crate::arguments::Judge;
use crate::report::{count, say};

/// Where a set has no test images, this share is kept from the classifier, to measure it on.
const HELD_BACK: f64 = 0.1;

/// Images with the classes they were asked to show.
struct Made {
    generated: Generated,
    of: String,
}

/// What images are judged against.
pub struct Against {
    /// Real images, held back from training where there are such.
    pub real: Arc<dyn Dataset>,
    /// Which part of the data they are.
    pub split: &'static str,
    /// The images that were learned from.
    pub train: Arc<dyn Dataset>,
}

pub fn run(options: &Judge) -> Result<()> {
    super::limit_threads(options.threads)?;
    // On a thread of the pool: from outside, every kernel's call would have to be handed over to it.
    rayon::scope(|_| judged(options))
}

fn judged(options: &Judge) -> Result<()> {
    let device = super::device("cpu")?;
    let path = Path::new(&options.of);
    let run = path.join("config.toml").is_file().then(|| Run::open(path)).transpose()?;
    let recipe = run.as_ref().map(|run| run.recipe(&[])).transpose()?;
    let Some(source) = options.against.clone().or_else(|| recipe.as_ref().map(|r| r.data.source.clone())) else {
        return Err(Error::usage(
            format!("nothing says what to judge {} against", options.of),
            "give --against DATASET: a name such as mnist, or a path to real images",
        ));
    };
    let open = OpenOptions { data_dir: options.data.clone(), ..OpenOptions::default() };
    let open = match &recipe {
        Some(recipe) => recipe.open_options(open),
        None => open,
    };
    let against = Against::open(&source, &open, options.json)?;
    let made = match &run {
        Some(run) => from_run(&Sampler::open(run, &options.checkpoint, &device)?, &against, options)?,
        None => from_images(options, against.real.as_ref())?,
    };
    let extractor = extractor(&against, options.inception.as_deref(), options.json, &device)?;
    let real = match &options.class {
        Some(class) => of_kind(&against.real, class)?,
        None => Arc::clone(&against.real),
    };
    let (name, split) = (real.name(), against.split);
    let asked = made.generated.asked.as_deref();
    let exhibit = Exhibit { images: &made.generated.images, asked, only: options.class.as_deref() };
    let mut judgement = judge(&extractor, real.as_ref(), split, exhibit, options.seed)?;
    if let Some(file) = &options.neighbours {
        let (train, held_out) = match &recipe {
            Some(recipe) if options.against.is_some() => {
                learned(recipe, Against::open(&recipe.data.source, &open, options.json)?)
            }
            Some(recipe) => learned(recipe, against),
            None => against.halves(),
        };
        let learned = Learned { train: train.as_ref(), held_out: held_out.as_deref() };
        neighbours(file, learned, &made, options.seed, &mut judgement)?;
    }
    if options.json {
        let text = serde_json::to_string_pretty(&judgement)
            .map_err(|e| Error::usage(format!("the scores can't be written as JSON: {e}"), "report this"))?;
        say!("{text}");
        return Ok(());
    }
    if matches!(extractor, Extractor::Random(_)) {
        eprintln!("{name} has no labels: features come from a fixed net with random weights");
    }
    show(&judgement, &made.of, &name, split)?;
    if let Some(file) = &options.neighbours {
        say!("\n{}: each image beside the nearest ones that were learned from", file.display());
    }
    Ok(())
}

/// The images of `set` that show `class`: those of that class, or with all of these attributes.
fn of_kind(set: &Arc<dyn Dataset>, class: &str) -> Result<Arc<dyn Dataset>> {
    let labels = LabelSettings::of(set.as_ref())?;
    let (wanted, conditions) = (labels.row(class)?, Conditions::new(&labels, set.as_ref())?);
    let has = |index: usize| conditions.rows(set.as_ref(), &[index]);
    Ok(Arc::new(Chosen::filter(set, |index| has(index).iter().zip(&wanted).all(|(has, wanted)| has >= wanted))))
}

/// What was learned from, and what was not.
type Halves = (Arc<dyn Dataset>, Option<Arc<dyn Dataset>>);

/// What a run learned from `data`, and real images that it has not seen: held back by its recipe, else the test part.
fn learned(recipe: &Recipe, data: Against) -> Halves {
    let (mut train, unseen) = data.halves();
    // A run that learned from the first images only can't have copied the others.
    let count = recipe.data.count;
    if count > 0 {
        train = Arc::new(Chosen::filter(&train, |index| index < count));
    }
    let (kept, held) = parted(recipe, &train);
    (kept, held.map(|held| Arc::new(held) as Arc<dyn Dataset>).or(unseen))
}

/// Looks for copies of what was learned from, and writes the page that shows them.
fn neighbours(file: &Path, learned: Learned, made: &Made, seed: u64, judgement: &mut Judgement) -> Result<()> {
    let images = &made.generated.images;
    let sheet = Sheet::new(learned, images, seed)?;
    let page = faussaire::report::neighbours(&sheet, &made.of, learned.train, images)?;
    let mut out = PartFile::create(file)?;
    out.write(page.as_bytes())?;
    out.commit()?;
    judgement.scores.push(sheet.score);
    judgement.copies = Some(sheet.copies);
    Ok(())
}

impl Against {
    /// Opens both parts of `source`. A set without images held back is judged against those that were learned from, and
    /// the scores say so.
    pub fn open(source: &str, open: &OpenOptions, quiet: bool) -> Result<Self> {
        let train: Arc<dyn Dataset> = open_dataset(source, open, quiet)?.into();
        let test = OpenOptions { split: Split::Test, ..open.clone() };
        match open_dataset(source, &test, quiet) {
            Ok(real) => Ok(Self { real: real.into(), split: "test", train }),
            Err(Error::NoTestImages { .. }) => Ok(Self { real: Arc::clone(&train), split: "train", train }),
            Err(error) => Err(error),
        }
    }

    /// The images that were learned from, and those held back, where there are such.
    fn halves(self) -> Halves {
        let held_back = self.split == "test";
        (self.train, held_back.then_some(self.real))
    }
}

/// The judge: the net that was asked for, else a classifier where there are labels to learn, else the random net.
pub fn extractor(against: &Against, inception: Option<&Path>, quiet: bool, device: &Device) -> Result<Extractor> {
    let (train, test) = (against.train.as_ref(), against.real.as_ref());
    if let Some(weights) = inception {
        return Ok(Extractor::Inception(Box::new(Inception::open(weights, train.shape(), device)?)));
    }
    if let (Some(digits), Some(held_back)) = (train.channels_from(), test.channels_from()) {
        let classifier = classifier_of(digits, held_back, quiet, device)?;
        return Ok(Extractor::Channels(Box::new(Channels::new(classifier, digits)?)));
    }
    if train.classes().is_empty() && train.attributes().is_empty() {
        return Extractor::random(train, device);
    }
    if against.split == "test" {
        return Ok(Extractor::Classifier(Box::new(classifier_of(train, test, quiet, device)?)));
    }
    // Its accuracy is that on images which it never saw, here as elsewhere.
    let [learned, held_back] = Chosen::part(&against.train, HELD_BACK, 0);
    Ok(Extractor::Classifier(Box::new(classifier_of(&learned, &held_back, quiet, device)?)))
}

/// The classifier of `train`'s labels, kept from before or trained now.
fn classifier_of(train: &dyn Dataset, test: &dyn Dataset, quiet: bool, device: &Device) -> Result<Classifier> {
    let training = Training::default();
    let kept = classifier::place(train, training)?.is_some_and(|place| place.is_file());
    let target = if kept || quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
    let bar = ProgressBar::with_draw_target(Some(1000), target);
    if let Ok(style) =
        ProgressStyle::with_template("training the judge, once for this data  {bar:24} {percent}%  {eta} left")
    {
        bar.set_style(style);
    }
    let judge = classifier::open(train, test, training, device, &mut |done| bar.set_position((1000.0 * done) as u64))?;
    bar.finish_and_clear();
    Ok(judge)
}

fn from_run(sampler: &Sampler, against: &Against, options: &Judge) -> Result<Made> {
    let shape = sampler.shape();
    if shape.height < 4 {
        return Err(Error::usage(
            "points in the plane are not judged as images",
            "look at the run's sheets; its scores are in events.jsonl",
        ));
    }
    if against.real.shape() != shape {
        return Err(Error::usage(
            format!("the run makes images of {shape}, {} has images of {}", against.real.name(), against.real.shape()),
            "judge against a data set of that size",
        ));
    }
    let generated = sampler.generated(options.n, options.seed, options.class.as_deref())?;
    Ok(Made { generated, of: format!("{} (step {})", options.of, count(sampler.step)) })
}

/// Somebody's images, brought to the shape of the real ones.
fn from_images(options: &Judge, real: &dyn Dataset) -> Result<Made> {
    let shape = real.shape();
    let open = OpenOptions {
        size: Some((shape.height, shape.width)),
        channels: Some(shape.channels),
        data_dir: options.data.clone(),
        ..OpenOptions::default()
    };
    let set = open_dataset(&options.of, &open, false)?;
    // Files are often sorted by class: the first ones would be another generator's.
    let mut chosen = Stream::new(options.seed, "judge.images").choice(0, set.len(), options.n);
    chosen.sort_unstable();
    let mut images = Vec::new();
    fill(set.as_ref(), &chosen, &mut images)?;
    Ok(Made { generated: Generated { images, asked: None }, of: options.of.clone() })
}

fn show(judgement: &Judgement, of: &str, real: &str, split: &str) -> Result<()> {
    say!("{of}, against {real} ({split} images)\n");
    let width = judgement.scores.iter().map(|s| s.name.len()).max().unwrap_or(0);
    say!("{:<width$}  {:>10}  {:>23}  {:>10}", "score", "value", "95% interval", "real images");
    for score in &judgement.scores {
        let floor = score.floor.map_or(String::new(), |f| format!("{f:>10.4}"));
        // A count of what was seen has none.
        let counted = score.low == score.value && score.high == score.value;
        let interval = if counted { String::new() } else { format!("{:.4} to {:.4}", score.low, score.high) };
        say!("{:<width$}  {:>10.4}  {:>23}  {}", score.name, score.value, interval, floor);
        if let Some(warning) = &score.warning {
            eprintln!("warning: {warning}");
        }
    }
    say!(
        "\nIntervals are for the choice of the images that are counted; the kernel distance's is the range of its subsets."
    );
    let half = count(judgement.floor_images as u64);
    say!("Real images: {half} of them against {half} others.");
    if judgement.classes.len() > 20 {
        let found = judgement.histogram.iter().filter(|n| **n > 0).count();
        say!("\n{} of {} classes were found", count(found as u64), count(judgement.classes.len() as u64));
    }
    if !judgement.classes.is_empty() && judgement.classes.len() <= 20 {
        say!("\n{:<16}  {:>8}  {:>16}", "class", "images", "as asked");
        for (i, name) in judgement.classes.iter().enumerate() {
            let obeyed =
                judgement.obeyed.get(i).copied().flatten().map_or(String::new(), |o| format!("{:.1}%", 100.0 * o));
            say!("{:<16}  {:>8}  {:>16}", name, count(judgement.histogram[i]), obeyed);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use faussaire::data::Strokes;

    #[test]
    fn one_class_is_compared_with_its_own_kind() {
        let all: Arc<dyn Dataset> = Arc::new(Strokes::new(1, 200));
        let sevens = (0..200).filter(|&i| all.label(i) == Some(7)).count();
        let chosen = of_kind(&all, "7").unwrap();
        assert_eq!(chosen.len(), sevens);
        assert!(sevens > 5 && (0..sevens).all(|i| chosen.label(i) == Some(7)));
        assert!(of_kind(&chosen, "seventeen").unwrap_err().to_string().contains("seventeen"));
    }
}
