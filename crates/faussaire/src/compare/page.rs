//! The comparison as an HTML page: the result, every run's score, scores over steps, the last sheet of every run, all
//! metrics, and the method. Its text is in `templates/comparison.html`.

use std::path::Path;

use askama::Template;

use super::forms::{about, direction, mark, method, runs, why_none};
use super::found::{Part, found};
use super::outcome::{History, State};
use super::table::{Column, Entry, Table};
use crate::data::read_plain;
use crate::error::Result;
use crate::metrics::Better;
use crate::render::chart::{self, Dots, Lines, Series, number};
use crate::render::page::{Image, render};

/// Size limit of a sheet, in bytes.
const MAX_SHEET: u64 = 64 << 20;
/// Height of the chart of scores over steps, in pixels.
const HEIGHT: u32 = 320;

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    title: &'a str,
    about: String,
    first: Option<First>,
    over_steps: Option<String>,
    sheets: Vec<Sheets>,
    all_metrics: Option<AllMetrics>,
    variants: Vec<VariantNotes>,
    method: String,
}

/// The first metric, which decides.
struct First {
    found: Vec<Part>,
    chart: String,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    runs: String,
    scores: Option<Scores>,
    /// The comparison with the best, or why there are no scores.
    remark: String,
}

struct Scores {
    mean: String,
    deviation: String,
    range: String,
}

struct Sheets {
    variant: String,
    figures: Vec<Figure>,
}

struct Figure {
    image: Image,
    caption: String,
}

struct AllMetrics {
    variants: Vec<String>,
    rows: Vec<Metric>,
}

struct Metric {
    name: String,
    /// Why its values are not to be trusted; empty where they are.
    remark: String,
    direction: &'static str,
    arrow: &'static str,
    cells: Vec<String>,
    floor: String,
}

struct VariantNotes {
    name: String,
    changes: Vec<String>,
    notes: Vec<String>,
}

/// The page. Logs and sheets are read from the runs' folders under `runs`.
///
/// # Errors
/// A template that can't be rendered.
pub fn page(table: &Table, runs: &Path) -> Result<String> {
    render(&Page {
        title: &table.plan.title,
        about: about(table),
        first: table.metrics.first().map(|metric| first(table, metric)).transpose()?,
        over_steps: over_steps(table, runs)?,
        sheets: sheets(table, runs),
        all_metrics: all_metrics(table),
        variants: variants(table),
        method: method(table),
    })
}

fn first(table: &Table, metric: &Column) -> Result<First> {
    let note = format!("{}. A mark is a run, the bar is their mean.", improves(metric.better));
    let chart = render(&chart::dots(&dots(table, metric), &metric.name.to_string(), &note))?;
    Ok(First { found: found(table, metric), chart, rows: scores(table, metric) })
}

/// Which way a metric improves, as the beginning of a sentence.
fn improves(better: Better) -> &'static str {
    match better {
        Better::Smaller => "Lower is better",
        Better::Larger => "Higher is better",
    }
}

fn dots(table: &Table, metric: &Column) -> Vec<Dots> {
    let row = |(v, variant): (usize, &super::Variant)| {
        let value = |run: &Entry| run.outcome.measures.iter().find(|m| m.name == metric.name).map(|m| m.value);
        let finished = table.of(v).filter(|run| run.outcome.ending == State::Finished);
        let mean = metric.summaries[v].map(|s| s.mean);
        Dots {
            name: variant.name.clone(),
            values: finished.filter_map(value).collect(),
            mean,
            instead: why_none(table, v),
        }
    };
    table.plan.variants.iter().enumerate().map(row).collect()
}

/// The deciding metric as rows of a table.
fn scores(table: &Table, metric: &Column) -> Vec<Row> {
    let row = |(v, variant): (usize, &super::Variant)| Row {
        name: variant.name.clone(),
        runs: runs(table, metric, v),
        scores: metric.summaries[v].map(|s| Scores {
            mean: number(s.mean),
            deviation: s.deviation.map_or(String::new(), number),
            range: format!("{} to {}", number(s.least), number(s.most)),
        }),
        remark: if metric.summaries[v].is_some() { metric.against_best(v) } else { why_none(table, v) },
    };
    table.plan.variants.iter().enumerate().map(row).collect()
}

/// A chart of every run's scores during training; none if no run was scored twice.
fn over_steps(table: &Table, runs: &Path) -> Result<Option<String>> {
    let histories: Vec<(usize, History)> =
        table.runs.iter().filter_map(|run| Some((run.variant, History::read(&runs.join(&run.name)).ok()?))).collect();
    let Some(metric) = histories.iter().find_map(|(_, h)| h.scores.first().map(|s| s.0.clone())) else {
        return Ok(None);
    };
    let curve = |(v, variant): (usize, &super::Variant)| {
        let scores = |h: &History| h.scores.iter().filter(|s| s.0 == metric).map(|s| (s.1, s.2)).collect::<Vec<_>>();
        let runs = histories.iter().filter(|(of, _)| *of == v).map(|(_, h)| scores(h)).collect();
        Series { name: variant.name.clone(), runs }
    };
    let series: Vec<Series> = table.plan.variants.iter().enumerate().map(curve).collect();
    if series.iter().flat_map(|curve| &curve.runs).all(|run| run.len() < 2) {
        return Ok(None);
    }
    let note = "Lower is better. Of the averaged generator at every sheet; thin lines are runs, thick ones their mean.";
    let chart = Lines { title: metric.to_string(), note: note.into(), series, height: HEIGHT, ..Lines::default() };
    render(&chart::lines(&chart)).map(Some)
}

/// The last sheet of every run, by variant.
fn sheets(table: &Table, runs: &Path) -> Vec<Sheets> {
    let group = |(v, variant): (usize, &super::Variant)| {
        let figures: Vec<Figure> = table.of(v).filter_map(|run| sheet(run, &variant.name, runs)).collect();
        (!figures.is_empty()).then(|| Sheets { variant: variant.name.clone(), figures })
    };
    table.plan.variants.iter().enumerate().filter_map(group).collect()
}

fn sheet(run: &Entry, variant: &str, runs: &Path) -> Option<Figure> {
    let folder = runs.join(&run.name);
    let file = History::read(&folder).ok()?.sheet?;
    // The log may come from anywhere: only plain names inside samples/ are followed.
    let name = file.strip_prefix("samples/").filter(|name| !name.contains(['/', '\\']))?;
    let png = read_plain(&folder.join("samples").join(name), MAX_SHEET).ok()?;
    let state = match &run.outcome.ending {
        State::Finished => "",
        State::Refused(_) | State::Failed(_) => ", failed",
        State::Unfinished => ", not finished",
    };
    let caption = format!("seed {}, step {}{state}", run.seed, run.outcome.step);
    let image = Image::of_file(&png, format!("sheet of {variant}, {caption}"))?;
    Some(Figure { image, caption })
}

/// Mean and deviation of every metric; none if there is only one.
fn all_metrics(table: &Table) -> Option<AllMetrics> {
    if table.metrics.len() < 2 {
        return None;
    }
    let shown: Vec<usize> =
        (0..table.plan.variants.len()).filter(|&v| table.metrics.iter().any(|m| m.summaries[v].is_some())).collect();
    let row = |metric: &Column| Metric {
        name: metric.name.to_string(),
        remark: metric.remark.clone().unwrap_or_default(),
        direction: direction(metric.better),
        arrow: if metric.better == Better::Smaller { "↓" } else { "↑" },
        cells: shown.iter().map(|&v| cell(metric, v)).collect(),
        floor: metric.floor.map_or(String::new(), number),
    };
    let variants = shown.iter().map(|&v| table.plan.variants[v].name.clone()).collect();
    Some(AllMetrics { variants, rows: table.metrics.iter().map(row).collect() })
}

fn cell(metric: &Column, variant: usize) -> String {
    let Some(s) = metric.summaries[variant] else { return String::new() };
    let deviation = s.deviation.map_or(String::new(), |d| format!(" ± {}", number(d)));
    let mark = match mark(metric, variant) {
        "" => "",
        "*" => " *",
        _ => " −",
    };
    format!("{}{deviation}{mark}", number(s.mean))
}

/// The changes of each variant, and its failures.
fn variants(table: &Table) -> Vec<VariantNotes> {
    let row = |(v, variant): (usize, &super::Variant)| {
        let mut notes: Vec<String> = variant.refused.iter().map(|why| format!("refused: {why}")).collect();
        notes.extend(table.of(v).filter_map(|run| Some(format!("seed {}: {}", run.seed, run.outcome.failure()?))));
        VariantNotes { name: variant.name.clone(), changes: variant.changes.clone(), notes }
    };
    table.plan.variants.iter().enumerate().map(row).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::table::tests::example;
    use crate::metrics::ScoreName;
    use crate::render::page::hostile;

    #[test]
    fn the_page_shows_every_variant_its_runs_and_what_failed() {
        let runs = tempfile::tempdir().unwrap();
        let run = runs.path().join("a-seed0");
        std::fs::create_dir_all(run.join("samples")).unwrap();
        let shape = crate::data::ImageShape { height: 2, width: 4, channels: 1 };
        let picture = crate::render::Picture { shape, bytes: vec![9; 8] };
        crate::render::png::write(&run.join("samples/000009.png"), &picture).unwrap();
        let log = "{\"event\":\"score\",\"step\":5,\"name\":\"swd\",\"value\":0.7}\n\
                   {\"event\":\"score\",\"step\":9,\"name\":\"swd\",\"value\":0.5}\n\
                   {\"event\":\"sheet\",\"step\":9,\"file\":\"samples/000009.png\"}\n";
        std::fs::write(run.join("events.jsonl"), log).unwrap();
        let html = page(&example(), runs.path()).unwrap();
        for part in [
            "<strong>a</strong> has the best mean, 1; no significant difference from: <strong>&#60;c&#62;</strong>; too few \
             runs to test (3 at least): <strong>b|x</strong>.",
            "data:image/png;base64,",
            "width=\"4\" height=\"2\"",
            "<h3>swd</h3><p class=\"soft\">Lower is better.",
            "refused: it makes &#34;no&#34; sense",
            "seed 2: failed at step 100: the loss is NaN",
            "2 of 3",
        ] {
            assert!(html.contains(part), "{part} in\n{html}");
        }
        assert!(
            !html.contains("<c>") && !html.contains("NaN\"") && !html.replace("http-equiv", "").contains("http"),
            "{html}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn no_name_becomes_markup(name in hostile::names()) {
            let runs = tempfile::tempdir().unwrap();
            let page = |name: &str| {
                let mut table = example();
                table.plan.title = name.into();
                for variant in &mut table.plan.variants {
                    (variant.name, variant.changes) = (format!("{name}{}", variant.name.len()), vec![name.into(); 2]);
                    variant.refused = variant.refused.as_ref().map(|_| name.into());
                }
                table.runs[7].outcome.ending = State::Failed(name.into());
                table.metrics.iter_mut().for_each(|metric| metric.name = ScoreName::parse(name));
                table.runs.iter_mut().flat_map(|run| &mut run.outcome.measures).for_each(|m| m.name = ScoreName::parse(name));
                super::page(&table, runs.path()).unwrap()
            };
            let html = page(&name);
            prop_assert_eq!(hostile::elements(&html), hostile::elements(&page("plain")));
            let heading = format!("<h1>{}</h1>", hostile::escaped(&name));
            prop_assert!(html.contains(&heading), "{}", html);
        }
    }
}
