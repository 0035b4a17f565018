//! The report as HTML; `templates/report.html` is its text.

use std::path::{Component, Path, PathBuf};

use askama::Template;

use super::curves;
use super::record::{Curve, Record};
use super::sheets::{self, Figure};
use crate::doctor::{Finding, Heal, RunContext, RunHistory};
use crate::error::Result;
use crate::metrics::{Metric, ScoreName};
use crate::net::summary::grouped;
use crate::recipe::Recipe;
use crate::render::chart::{self, number};
use crate::render::page::render;
use crate::run::Run;
use crate::train::Event;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    name: String,
    about: String,
    /// Whether points in the plane are generated rather than images.
    points: bool,
    facts: Vec<(&'static str, String)>,
    machines: String,
    last_sheet: Option<Figure>,
    scores: Vec<Score>,
    verdict: Option<String>,
    best: Option<String>,
    score_charts: Vec<String>,
    healthy: Option<String>,
    findings: Vec<Found>,
    heals: Vec<Treated>,
    no_accuracy: Option<String>,
    training: Vec<String>,
    sheets: Vec<Figure>,
    command: String,
    recipe: String,
    nets: Vec<Net>,
}

/// A metric's last and best value.
struct Score {
    name: String,
    last: String,
    best: String,
    step: String,
}

struct Found {
    name: &'static str,
    step: String,
    text: String,
    command: Option<String>,
}

struct Treated {
    text: String,
    changes: String,
}

struct Net {
    name: String,
    parameters: String,
    summary: String,
}

/// The report of `run`, as far as it has come.
///
/// # Errors
/// A recipe or a log that was damaged.
pub fn page(run: &Run) -> Result<String> {
    let recipe = run.recipe(&[])?;
    let events = run.events(None)?;
    let record = Record::of(&events);
    let name = run.path().file_name().map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned());
    let command = format!("faussaire train --config {}", shell_word(&shown(run.path()).join("config.toml")));
    let (loss, context) = (recipe.train.loss, RunContext::of(&recipe)?);
    let drawn =
        |charts: Vec<chart::Lines>| charts.iter().map(|chart| render(&chart::lines(chart))).collect::<Result<_>>();
    render(&Page {
        about: about(&recipe, &record),
        points: context.points,
        facts: facts(&record),
        machines: record.machines.join("; then "),
        last_sheet: sheets::last(run.path(), &record),
        scores: record.scores.iter().filter_map(|one| score(one, &record)).collect(),
        verdict: verdict(&record),
        best: record.best.map(grouped),
        score_charts: drawn(curves::scores(&record))?,
        healthy: healthy(context, &record, &events),
        findings: record.findings.iter().map(|finding| found(finding, &command)).collect(),
        heals: record.heals.iter().map(treated).collect(),
        no_accuracy: curves::no_accuracy(loss),
        training: drawn(curves::training(&record, loss))?,
        sheets: sheets::over_time(run.path(), &record),
        recipe: recipe.to_toml()?,
        nets: nets(&recipe)?,
        name,
        command,
    })
}

/// What it is and how it ended, in two sentences.
fn about(recipe: &Recipe, record: &Record) -> String {
    let made = record.steps.last().map_or(0, |report| report.step);
    let state = match (&record.diverged, record.ending.as_deref()) {
        (Some(what), _) => format!("Training diverged: {what}."),
        (None, Some("complete")) => "Training is complete.".into(),
        (None, Some("time")) => "Training ended when its time was up.".into(),
        (None, Some(_)) => "Training was stopped.".into(),
        (None, None) => "Training was running, or had been killed, when this page was written.".into(),
    };
    let planned = if record.planned > made { format!(" of {}", grouped(record.planned)) } else { String::new() };
    format!(
        "A generator trained on {} with the {} loss: {}{planned} steps, batch size {}, seed {}. {state}",
        recipe.data.source,
        curves::loss_name(recipe.train.loss),
        grouped(made),
        recipe.train.batch,
        recipe.train.seed
    )
}

/// Figures at a glance; none where no step was logged.
fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let Some(last) = record.steps.last() else { return Vec::new() };
    let speed =
        if last.train_s > 0.0 { grouped((last.images as f64 / last.train_s).round() as u64) } else { "-".into() };
    vec![
        ("steps", grouped(last.step)),
        ("real images seen", grouped(last.images)),
        ("epochs", number(last.epoch)),
        ("training time", duration(last.train_s)),
        ("images per second", speed),
    ]
}

fn score((name, curve): (&ScoreName, &Curve), record: &Record) -> Option<Score> {
    let (last, best) = (curve.last()?, best_of(curve)?);
    let shown = |(step, value): (u64, f64)| with_error(value, error_of(record, name, step));
    Some(Score { name: name.to_string(), last: shown(*last), best: shown(best), step: grouped(best.0) })
}

fn best_of(curve: &Curve) -> Option<(u64, f64)> {
    curve.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))
}

fn error_of(record: &Record, name: &ScoreName, step: u64) -> Option<f64> {
    record.errors.get(&(name.clone(), step)).copied()
}

fn with_error(value: f64, error: Option<f64>) -> String {
    error.map_or_else(|| number(value), |error| format!("{} ± {}", number(value), number(error)))
}

/// Standard errors by which two scores differ at most by chance.
const BY_CHANCE: f64 = 2.0;

/// The scores in one sentence: where the deciding one was best, and whether the last differs from it by more than chance.
fn verdict(record: &Record) -> Option<String> {
    let deciding = [Metric::Frechet, Metric::SlicedWasserstein, Metric::MissingAndOutside];
    let (name, curve) =
        deciding.iter().find_map(|metric| record.scores.iter().find(|(name, _)| name.metric == *metric))?;
    let (last, best) = (*curve.last()?, best_of(curve)?);
    let error = |step| error_of(record, name, step);
    let at = |(step, value): (u64, f64)| format!("{} at step {}", with_error(value, error(step)), grouped(step));
    let what = format!("{} (lower is better)", name.metric.field_name());
    let chance = error(best.0).zip(error(last.0)).map(|(a, b)| BY_CHANCE * a.hypot(b));
    Some(match chance {
        _ if best.0 == last.0 => format!("{what}: best at the end, {}.", at(last)),
        Some(chance) if last.1 - best.1 <= chance => {
            format!("{what}: best {}; the last, {}, differs from it by no more than chance.", at(best), at(last))
        }
        _ if best.1 == last.1 => format!("{what}: best {}; the last, {}, is as good.", at(best), at(last)),
        _ => format!("{what}: best {}; the last, {}, is worse.", at(best), at(last)),
    })
}

/// What is said where the doctor found nothing: that, or that it has not seen enough yet.
fn healthy(context: RunContext, record: &Record, events: &[Event]) -> Option<String> {
    if !record.findings.is_empty() {
        return None;
    }
    let mut history = RunHistory::new(context);
    for event in events {
        history.observe(event);
    }
    let Some(first) = history.examined_from() else {
        return Some(history.blind().map_or("Nothing was found.".into(), |why| format!("Nothing was found; {why}.")));
    };
    Some(format!("The doctor has not seen enough: it can tell from step {} on.", grouped(first)))
}

fn found(finding: &Finding, command: &str) -> Found {
    Found {
        name: finding.name.name(),
        step: grouped(finding.step),
        text: format!("{} {} {}", finding.seen, finding.means, finding.advice),
        command: (!finding.set.is_empty()).then(|| format!("{command} {}", finding.flags())),
    }
}

fn treated(heal: &Heal) -> Treated {
    let (name, step, back_to) = (heal.name.name(), grouped(heal.step), grouped(heal.back_to));
    let text = format!("Treated for {name} at step {step}: back to step {back_to}; {}.", heal.remedy);
    Treated { text, changes: heal.set.join(" ") }
}

fn nets(recipe: &Recipe) -> Result<Vec<Net>> {
    let (generator, discriminator) = recipe.networks()?;
    let net = |net: &crate::net::Network| Net {
        name: net.name().into(),
        parameters: grouped(net.parameters().0 as u64),
        summary: net.summary(),
    };
    Ok([&generator, &discriminator].map(net).into())
}

/// The run's folder as one types it from where one trains: as it was given, within the current folder, or by its last two
/// names, as a report may be sent to others.
fn shown(path: &Path) -> PathBuf {
    if path.is_relative() {
        return path.into();
    }
    let here = std::env::current_dir().ok();
    if let Some(inside) = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf)) {
        return inside;
    }
    let names: Vec<Component> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    names[names.len().saturating_sub(2)..].iter().collect()
}

/// `path` as one word of a shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/\\._-+=:,@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Seconds as a person says them.
fn duration(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Preset;
    use crate::data::ImageShape;
    use crate::render::page::hostile;
    use crate::render::{Picture, png};

    fn run(folder: &std::path::Path, log: &str) -> Run {
        let recipe = Recipe::parse(Preset::named("ring").unwrap().text(), "ring", &[]).unwrap();
        let run = Run::create_at(&folder.join("a<b"), &recipe).unwrap();
        std::fs::write(run.path().join("events.jsonl"), log).unwrap();
        run
    }

    fn step(step: u64) -> String {
        format!(
            "{{\"event\":\"step\",\"step\":{step},\"epoch\":0.5,\"images\":{},\"train_s\":{step},\"d_loss\":-0.25,\"g_loss\":1.5,\
             \"d_real\":0.5,\"d_fake\":0.75}}\n",
            64 * step
        )
    }

    #[test]
    fn the_page_tells_what_the_log_tells() {
        let folder = tempfile::tempdir().unwrap();
        let finding = "{\"event\":\"finding\",\"step\":20,\"name\":\"collapse\",\"seen\":\"All <alike>.\",\"means\":\"Few modes.\",\
                       \"advice\":\"Pack.\",\"set\":[\"train.pac=2\"]}\n";
        let log = format!(
            "{{\"event\":\"start\",\"step\":0,\"steps\":8000,\"steps_per_epoch\":10.0,\"machine\":\"M&M, 2 cores\"}}\n{}{}{finding}\
             {{\"event\":\"score\",\"step\":10,\"name\":\"swd\",\"value\":0.7}}\n\
             {{\"event\":\"score\",\"step\":20,\"name\":\"swd\",\"value\":0.9}}\n\
             {{\"event\":\"sheet\",\"step\":10,\"file\":\"samples/000010.png\"}}\n\
             {{\"event\":\"sheet\",\"step\":20,\"file\":\"samples/../../secret.png\"}}\n\
             {{\"event\":\"sheet\",\"step\":30,\"file\":\"samples/000030.png\"}}\n\
             {{\"event\":\"end\",\"step\":20,\"reason\":\"stopped\"}}\n",
            step(10),
            step(20)
        );
        let run = run(folder.path(), &log);
        let shape = ImageShape { height: 2, width: 4, channels: 1 };
        let picture = Picture { shape, bytes: vec![9; 8] };
        png::write(&run.path().join("samples/000010.png"), &picture).unwrap();
        png::write(&folder.path().join("secret.png"), &picture).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("../../secret.png", run.path().join("samples/000030.png")).unwrap();
        let path = crate::report::write(&run).unwrap();
        let html = std::fs::read_to_string(path).unwrap();
        for part in [
            "<h1>a&#60;b</h1>",
            "trained on ring with the relativistic loss: 20 of 8,000 steps, batch size 64, seed 0. Training was stopped.",
            "<dt>real images seen</dt><dd>1,280</dd>",
            "<dt>images per second</dt><dd>64</dd>",
            "Trained on: M&#38;M, 2 cores.",
            "<td class=\"n\">0.9</td><td class=\"n\">0.7</td><td class=\"n\">10</td>",
            "<h3>collapse at step 20</h3><p>All &#60;alike&#62;. Few modes. Pack.</p>",
            "config.toml&#39; --set train.pac=2",
            "under the relativistic loss only differences",
            "<h3>Losses</h3>",
            "batch = 64",
            "generator, 12,802 parameters",
        ] {
            assert!(html.contains(part), "{part} in\n{html}");
        }
        assert_eq!(html.matches("data:image/png").count(), 1, "only pictures of the run's own folder");
        assert!(!html.replace("http-equiv", "").contains("http") && !html.contains("NaN"), "{html}");
    }

    #[test]
    fn the_verdict_tells_chance_from_a_loss() {
        let said = |scores: &[(u64, f64, Option<f64>)]| {
            let name = ScoreName::parse("sliced-wasserstein-512-pixels");
            let event = |&(step, value, error): &(u64, f64, Option<f64>)| Event::Score {
                step,
                name: name.clone(),
                value,
                error,
            };
            verdict(&Record::of(&scores.iter().map(event).collect::<Vec<_>>()))
        };
        let (name, all) = ("sliced Wasserstein distance (lower is better)", |rest: &str| Some(rest.to_owned()));
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[(10, 0.5, None)]), all(&format!("{name}: best at the end, 0.5 at step 10.")));
        let near = said(&[(10, 0.03, Some(0.003)), (1000, 0.034, Some(0.004))]);
        let ends = "best 0.03 ± 0.003 at step 10; the last, 0.034 ± 0.004 at step 1,000, differs from it by no more than chance.";
        assert_eq!(near, all(&format!("{name}: {ends}")));
        for error in [Some(0.001), None] {
            assert!(said(&[(10, 0.03, error), (20, 0.034, error)]).unwrap().ends_with("is worse."));
        }
    }

    #[test]
    fn an_empty_log_makes_a_page_and_a_damaged_one_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), "");
        assert!(page(&run).unwrap().contains("No step was logged yet."));
        std::fs::write(run.path().join("events.jsonl"), "{}\n").unwrap();
        assert!(page(&run).unwrap_err().to_string().contains("line 1 is not an event"));
    }

    #[test]
    fn health_is_not_claimed_before_it_was_examined() {
        let folder = tempfile::tempdir().unwrap();
        let start =
            |steps: u64| format!("{{\"event\":\"start\",\"step\":0,\"steps\":{steps},\"steps_per_epoch\":10.0}}\n");
        let steps = |to: u64| (1..=to / 10).map(|at| step(10 * at)).collect::<String>();
        let run = run(folder.path(), "");
        for (log, said, healthy) in [
            (start(8000) + &steps(190), "it can tell from step 200 on.", false),
            (start(0) + &steps(190), "it can tell from step 200 on.", false),
            (start(8000) + &steps(200), "<p>Nothing was found.</p>", true),
        ] {
            std::fs::write(run.path().join("events.jsonl"), log).unwrap();
            let html = page(&run).unwrap();
            assert!(html.contains(said), "{said}");
            assert_eq!(html.contains("Nothing was found"), healthy, "{said}");
        }
    }

    #[test]
    fn the_command_names_the_runs_folder() {
        let here = std::env::current_dir().unwrap();
        for (path, word) in [
            (PathBuf::from("runs/0001-strokes-quick"), "runs/0001-strokes-quick"),
            (here.join("runs/0001-strokes-quick"), "runs/0001-strokes-quick"),
            (PathBuf::from("/home/somebody/runs/it's"), "'runs/it'\\''s'"),
        ] {
            assert_eq!(shell_word(&shown(&path)), word);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn no_name_becomes_markup(name in hostile::names()) {
            let folder = tempfile::tempdir().unwrap();
            let page = |name: &str| {
                let mut recipe = Recipe::parse(Preset::named("ring").unwrap().text(), "ring", &[]).unwrap();
                recipe.train.init = vec![name.into()];
                let run = Run::create_at(&folder.path().join(name), &recipe).unwrap();
                let text = |text: &str| serde_json::to_string(text).unwrap();
                let (name, set) = (text(name), text(&format!("data.source={name}")));
                let log = format!(
                    "{{\"event\":\"start\",\"step\":0,\"steps\":99,\"steps_per_epoch\":10.0,\"machine\":{name}}}\n{}{}\
                     {{\"event\":\"score\",\"step\":10,\"name\":{name},\"value\":0.7}}\n\
                     {{\"event\":\"score\",\"step\":20,\"name\":{name},\"value\":0.9}}\n\
                     {{\"event\":\"finding\",\"step\":20,\"name\":\"collapse\",\"seen\":{name},\"means\":{name},\"advice\":{name},\
                     \"set\":[{set}]}}\n\
                     {{\"event\":\"diverged\",\"step\":20,\"what\":{name}}}\n",
                    step(10),
                    step(20)
                );
                std::fs::write(run.path().join("events.jsonl"), log).unwrap();
                super::page(&run).unwrap()
            };
            let html = page(&name);
            prop_assert_eq!(hostile::elements(&html), hostile::elements(&page("plain")));
            let heading = format!("<h1>{}</h1>", hostile::escaped(&name));
            prop_assert!(html.contains(&heading), "{}", html);
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!([3.4, 75.0, 7322.0].map(duration), ["3 s", "1 min 15 s", "2 h 02 min"]);
    }
}
