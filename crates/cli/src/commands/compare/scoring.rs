//! Judges the finished runs of a plan, one after the other with all threads, once all are trained: judging beside
//! trainings would take their time away.

use std::sync::atomic::{AtomicBool, Ordering};

use faussaire::compare::{Folder, Job, Measure, Plan, State};
use faussaire::data::OpenOptions;
use faussaire::judging::Reference;
use faussaire::metrics::{Extractor, OnlineMetric, OnlineScore, Samples, Score, judge};
use faussaire::recipe::DataSettings;
use faussaire::run::{Run, Sampler};
use faussaire::{Device, Recipe, Result};

use crate::commands::bars::Bars;
use crate::print::note;

/// The judge of one data set.
struct Bench {
    data: DataSettings,
    reference: Reference,
    /// None for toys, which are scored by their clusters.
    extractor: Option<Extractor>,
}

/// Judges what isn't yet, and keeps the scores.
pub fn score(folder: &Folder, plan: &Plan, quiet: bool, stop: &AtomicBool) -> Result<()> {
    let mut benches: Vec<Bench> = Vec::new();
    let device = crate::commands::device("cpu")?;
    for job in plan.jobs() {
        let Some(mut outcome) = folder.outcome(&job)? else { continue };
        if outcome.ending != State::Finished || outcome.is_judged(plan.samples) {
            continue;
        }
        if stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        // What can't be judged is that run's failure, not the comparison's; it stays trained.
        match measure(folder, plan, &job, &mut benches, quiet, &device) {
            Ok(measures) => {
                (outcome.measures, outcome.samples, outcome.unjudged) = (measures, plan.samples, None);
            }
            Err(error) => outcome.unjudged = Some(error.to_string()),
        }
        folder.save_outcome(&job, &outcome)?;
        if let (Some(first), false) = (outcome.measures.first(), quiet) {
            match &first.remark {
                Some(remark) => note!("{}: {}: {remark}", job.name, first.name),
                None => note!("{}: {} {:.4}", job.name, first.name, first.value),
            }
        }
    }
    Ok(())
}

fn measure(
    folder: &Folder,
    plan: &Plan,
    job: &Job,
    benches: &mut Vec<Bench>,
    quiet: bool,
    device: &Device,
) -> Result<Vec<Measure>> {
    let run = Run::open(&folder.run(job))?;
    let recipe = run.recipe(&[])?;
    let sampler = Sampler::open(&run, "latest", device)?;
    let at = match benches.iter().position(|bench| bench.data == recipe.data) {
        Some(at) => at,
        None => {
            benches.push(bench(&recipe, quiet, device)?);
            benches.len() - 1
        }
    };
    let bench = &benches[at];
    let real = bench.reference.real.as_ref();
    let Some(extractor) = &bench.extractor else {
        let metric = OnlineMetric::new(real, 0)?;
        let points = sampler.generated(metric.images(), 0, None)?;
        let measure = |score: OnlineScore| {
            let better = score.name.metric.better();
            Measure { name: score.name, value: score.value, better, floor: None, remark: None }
        };
        return Ok(metric.score(&points.images).into_iter().map(measure).collect());
    };
    let made = bench.reference.generated(&sampler, plan.samples, 0)?;
    let samples = Samples { images: &made.images, asked: made.asked.as_deref(), only: None };
    let judgement = judge(extractor, real, bench.reference.split, samples, 0)?;
    let measure = |score: Score| {
        let remark = score.remark();
        Measure { name: score.name, value: score.value, better: score.better, floor: score.floor, remark }
    };
    Ok(judgement.scores.into_iter().map(measure).collect())
}

/// Opens the data that `recipe` learned from. The seed draws no other test images: all runs are judged alike.
fn bench(recipe: &Recipe, quiet: bool, device: &Device) -> Result<Bench> {
    let mut open = recipe.open_options(OpenOptions::default());
    open.seed = 0;
    let mut bars = Bars::new(quiet);
    let reference = Reference::open(&recipe.data.source, &open, &mut |progress| bars.show(progress))?;
    let extractor = match reference.real.toy() {
        Some(_) => None,
        None => Some(reference.extractor(None, device, &mut |progress| bars.show(progress))?),
    };
    Ok(Bench { data: recipe.data.clone(), reference, extractor })
}
