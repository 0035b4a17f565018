//! Files for a report of one's own, such as a student's: the history as tables, every chart of the run's report as SVG and PNG,
//! one picture of all sheets, and of what a gradient penalty sees.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::Record;
use super::{curves, montage, penalised};
use crate::data::{Dataset, write_file};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::render::chart::{Figure, Lines};
use crate::render::png;
use crate::run::Run;
use crate::train::StepReport;

/// The files that were written, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// Each file with what it shows.
    pub files: Vec<(PathBuf, String)>,
    /// What is missing, and why: lines for people to read.
    pub remarks: Vec<String>,
}

/// A column of the tables.
type Column = (&'static str, fn(&StepReport) -> Option<f64>);

/// The columns after step, epoch and images.
const COLUMNS: [Column; 10] = [
    ("train_s", |r| Some(r.train_s)),
    ("d_loss", |r| Some(r.d_loss.into())),
    ("g_loss", |r| Some(r.g_loss.into())),
    ("penalty", |r| r.penalty.map(f64::from)),
    ("d_real", |r| Some(r.d_real.into())),
    ("d_fake", |r| Some(r.d_fake.into())),
    ("real_score", |r| Some(r.real_score.into())),
    ("fake_score", |r| Some(r.fake_score.into())),
    ("d_norm", |r| Some(r.d_norm.into())),
    ("g_norm", |r| Some(r.g_norm.into())),
];

/// Writes the files for `run` into `folder`, which is made where it is missing; files of the same names are replaced. The
/// images that the penalty sees need the run's data, which `open` opens.
///
/// # Errors
/// A damaged log or recipe, a run without steps, or files that can't be written.
pub fn figures(run: &Run, folder: &Path, open: impl FnOnce(&Recipe) -> Result<Arc<dyn Dataset>>) -> Result<Figures> {
    let recipe = run.recipe(&[])?;
    let record = Record::of(&run.events(None)?);
    if record.steps.is_empty() {
        return Err(Error::run(
            format!("{} has no steps yet", run.path().display()),
            "train it first; the first step is logged at once",
        ));
    }
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let mut made = Figures::default();
    made.text(folder, "history.csv", "a row per epoch: means of the logged steps", &epochs(&record))?;
    made.text(folder, "steps.csv", "a row per logged step", &table(&record.steps, |report| report.step.to_string()))?;
    for chart in curves::training(&record, recipe.train.loss).iter().chain(&curves::scores(&record)) {
        made.chart(folder, chart)?;
    }
    match montage::of(run, &recipe, &record)? {
        Some((picture, about)) => {
            png::write(&folder.join("epochs.png"), &picture)?;
            made.files.push((folder.join("epochs.png"), about));
        }
        None => made.remarks.push("epochs.png: the run has no sheets of images".into()),
    }
    made.penalised(run, &recipe, folder, open)?;
    Ok(made)
}

impl Figures {
    fn text(&mut self, folder: &Path, name: &str, about: &str, text: &str) -> Result<()> {
        let path = folder.join(name);
        write_file(&path, text.as_bytes())?;
        self.files.push((path, about.to_owned()));
        Ok(())
    }

    fn chart(&mut self, folder: &Path, chart: &Lines) -> Result<()> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = chart.title.replace('é', "e").chars().map(plain).collect();
        let figure = Figure::of(chart);
        self.text(folder, &format!("{name}.svg"), &chart.title, &figure.svg())?;
        let path = folder.join(format!("{name}.png"));
        png::write(&path, &figure.picture())?;
        self.files.push((path, chart.title.clone()));
        Ok(())
    }

    fn penalised(
        &mut self,
        run: &Run,
        recipe: &Recipe,
        folder: &Path,
        open: impl FnOnce(&Recipe) -> Result<Arc<dyn Dataset>>,
    ) -> Result<()> {
        match penalised::of(run, recipe, open) {
            Ok(None) => {}
            Ok(Some((picture, about))) => {
                let path = folder.join("penalty-points.png");
                png::write(&path, &picture)?;
                self.files.push((path, about));
            }
            // The rest doesn't need the data.
            Err(error) => self.remarks.push(format!("penalty-points.png: {error} ({})", error.hint())),
        }
        Ok(())
    }
}

/// Steps as CSV; the first column is named by `step`.
fn table(steps: &[StepReport], first: impl Fn(&StepReport) -> String) -> String {
    let mut text = "step,epoch,images".to_owned();
    COLUMNS.iter().for_each(|(name, _)| text += &format!(",{name}"));
    for report in steps {
        let _ = write!(text, "\n{},{:.4},{}", first(report), report.epoch, report.images);
        for (_, number) in COLUMNS {
            text += ",";
            // What was NaN or infinite stays empty, as what wasn't logged.
            if let Some(value) = number(report).filter(|value| value.is_finite()) {
                let _ = write!(text, "{value:.6}");
            }
        }
    }
    text + "\n"
}

/// A row per epoch, as Keras's history has: means over its logged steps, but for the time, which is that of the last. A last
/// epoch that isn't complete has a row, too.
fn epochs(record: &Record) -> String {
    let mut text = "epoch,steps".to_owned();
    COLUMNS.iter().for_each(|(name, _)| text += &format!(",{name}"));
    let epoch = |report: &StepReport| (report.epoch - 1e-9).max(0.0).floor() as u64 + 1;
    for group in record.steps.chunk_by(|a, b| epoch(a) == epoch(b)) {
        let _ = write!(text, "\n{},{}", epoch(&group[0]), group.len());
        for (name, number) in COLUMNS {
            text += ",";
            let values: Vec<f64> = group.iter().filter_map(number).filter(|value| value.is_finite()).collect();
            let value = match name {
                "train_s" => values.last().copied(),
                _ => (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
            };
            if let Some(value) = value {
                let _ = write!(text, "{value:.6}");
            }
        }
    }
    text + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn run(folder: &Path, changes: &[&str]) -> Run {
        let text = r#"
            latent = 4
            generator = { layers = ["dense 8*8*1", "reshape 8 8 1", "sigmoid"] }
            discriminator = { layers = ["flatten", "dense 1"] }
            data = { source = "strokes", size = 8, count = 64 }
            train = { batch = 8, epochs = 3, sheet_every = 1 }
        "#;
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let recipe = Recipe::parse(text, "small", &changes).unwrap();
        let data = Data::open(&recipe, &mut |_| {}).unwrap();
        let mut trainer = Trainer::new(recipe, data, &Options::default()).unwrap().at(folder).unwrap();
        trainer.run(|_, _| Ok(Request::Continue)).unwrap();
        Run::open(folder).unwrap()
    }

    fn open(recipe: &Recipe) -> Result<Arc<dyn Dataset>> {
        Ok(Data::open(recipe, &mut |_| {})?.shared())
    }

    fn names(made: &Figures) -> Vec<String> {
        made.files.iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_run_becomes_tables_charts_and_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(&folder.path().join("run"), &[]);
        let made = figures(&run, &folder.path().join("out"), open).unwrap();
        let names = names(&made);
        for name in ["history.csv", "steps.csv", "losses.svg", "losses.png", "discriminator-accuracy.png", "epochs.png"]
        {
            assert!(names.iter().any(|made| made == name), "{name}: {names:?}");
        }
        assert!(made.files.iter().all(|(path, _)| std::fs::metadata(path).unwrap().len() > 50));
        assert!(made.remarks.is_empty() && !names.iter().any(|name| name.starts_with("penalty")), "{made:?}");
        let history = std::fs::read_to_string(folder.path().join("out/history.csv")).unwrap();
        let lines: Vec<&str> = history.lines().collect();
        assert!(lines[0].starts_with("epoch,steps,train_s,d_loss,g_loss,penalty,"), "{history}");
        // Steps 1, 10, 20 and 24 of 8 per epoch are logged.
        assert_eq!(lines[1..].iter().map(|line| &line[..4]).collect::<Vec<_>>(), ["1,1,", "2,1,", "3,2,"], "{history}");
    }

    #[test]
    fn a_penalty_is_shown_with_its_points() {
        let folder = tempfile::tempdir().unwrap();
        let changes = ["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }"];
        let run = run(&folder.path().join("run"), &changes);
        let made = figures(&run, &folder.path().join("out"), open).unwrap();
        let names = names(&made);
        assert!(names.iter().any(|name| name == "penalty-points.png"), "{made:?}");
        assert!(!names.iter().any(|name| name.starts_with("discriminator-accuracy")), "{names:?}");
    }

    #[test]
    fn a_run_without_steps_has_nothing_to_show() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]);
        let run = Run::create_at(&folder.path().join("run"), &recipe).unwrap();
        let error = figures(&run, &folder.path().join("out"), open).unwrap_err();
        assert!(error.to_string().contains("has no steps yet"), "{error}");
        assert!(!folder.path().join("out").exists());
    }
}
