//! The comparison as one page: what was found, every run's score, scores over steps, the last sheet of every run, all
//! metrics, and how it was measured. One file, to be read without a server, a script or colours.

use std::fmt::Write;
use std::path::Path;

use super::forms::{about, direction, mark, method, runs, why_none};
use super::outcome::{History, State};
use super::table::{Column, Entry, Table};
use crate::chart::{self, Curves, Dots, framed, number};
use crate::page::{document, escape, image, png_size};

/// Sheets stand side by side.
const STYLE: &str = "
.sheets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:1rem}
.sheets img{width:100%;height:auto}";

/// The page. Logs and sheets are read from the runs' folders under `runs`.
pub fn page(table: &Table, runs: &Path) -> String {
    let title = &table.plan.title;
    let mut body = format!("<h1>{}</h1>\n<p class=\"soft\">{}</p>\n", escape(title), escape(&about(table)));
    if let Some(first) = table.metrics.first() {
        let _ = writeln!(body, "<p class=\"lead\">{}</p>", found(table, first));
        let _ = write!(
            body,
            "<h2>{}</h2>\n<p class=\"soft\">{}; a mark is a run, the bar is their mean.</p>\n",
            escape(&first.name),
            direction(first.better)
        );
        body += &framed(|size| chart::dots(&dots(table, first), &first.name, size));
        body += &scores(table, first);
    }
    body += &over_steps(table, runs);
    body += &sheets(table, runs);
    body += &all_metrics(table);
    body += &variants(table);
    let _ = write!(body, "<h2>How it was measured</h2>\n<p>{}</p>\n", escape(&method(table)));
    document(&format!("{title}: compared"), STYLE, &body)
}

/// The finding in a sentence.
fn found(table: &Table, metric: &Column) -> String {
    let name = |v: usize| format!("<strong>{}</strong>", escape(&table.plan.variants[v].name));
    let Some(best) = metric.best else { return "No run is finished yet.".into() };
    let value = metric.summaries[best].map_or(String::new(), |s| number(s.mean));
    let others: Vec<usize> =
        (0..metric.summaries.len()).filter(|&v| v != best && metric.summaries[v].is_some()).collect();
    if others.is_empty() {
        return format!("{}: mean {value}.", name(best));
    }
    let list = |all: Vec<usize>| all.into_iter().map(name).collect::<Vec<_>>().join(", ");
    let (worse, open): (Vec<usize>, Vec<usize>) = others.into_iter().partition(|&v| metric.is_worse(v));
    let mut text = format!("{} has the best mean, {value}.", name(best));
    if !worse.is_empty() {
        text += &format!(" Worse by more than seeds explain: {}.", list(worse));
    }
    if !open.is_empty() {
        text += &format!(" Not told apart from it: {}.", list(open));
    }
    text
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

/// The deciding metric as a table.
fn scores(table: &Table, metric: &Column) -> String {
    let mut html = String::from(
        "<div class=\"wide\"><table><tr><th>variant</th><th class=\"n\">runs</th><th class=\"n\">mean</th><th class=\"n\">deviation</th><th class=\"n\">least to most</th><th>against the best</th></tr>\n",
    );
    for (v, variant) in table.plan.variants.iter().enumerate() {
        let start = format!("<tr><td>{}</td><td class=\"n\">{}</td>", escape(&variant.name), runs(table, metric, v));
        let _ = match metric.summaries[v] {
            Some(s) => writeln!(
                html,
                "{start}<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{} to {}</td><td>{}</td></tr>",
                number(s.mean),
                s.deviation.map_or(String::new(), number),
                number(s.least),
                number(s.most),
                escape(&metric.against_best(v))
            ),
            None => writeln!(html, "{start}<td colspan=\"4\">{}</td></tr>", escape(&why_none(table, v))),
        };
    }
    html + "</table></div>\n"
}

/// The running score of every run.
fn over_steps(table: &Table, runs: &Path) -> String {
    let histories: Vec<(usize, History)> =
        table.runs.iter().filter_map(|run| Some((run.variant, History::read(&runs.join(&run.name)).ok()?))).collect();
    let Some(metric) = histories.iter().find_map(|(_, h)| h.scores.first().map(|s| s.0.clone())) else {
        return String::new();
    };
    let curve = |(v, variant): (usize, &super::Variant)| {
        let scores = |h: &History| h.scores.iter().filter(|s| s.0 == metric).map(|s| (s.1, s.2)).collect::<Vec<_>>();
        let runs = histories.iter().filter(|(of, _)| *of == v).map(|(_, h)| scores(h)).collect();
        Curves { name: variant.name.clone(), runs }
    };
    let curves: Vec<Curves> = table.plan.variants.iter().enumerate().map(curve).collect();
    if curves.iter().flat_map(|curve| &curve.runs).all(|run| run.len() < 2) {
        return String::new();
    }
    format!(
        "<h2>While training</h2>\n<p class=\"soft\">{}, smaller is better, of the averaged generator at every sheet; thin lines \
         are runs, thick ones their mean.</p>\n{}",
        escape(&metric),
        framed(|size| chart::curves(&curves, &metric, size))
    )
}

/// The last sheet of every run.
fn sheets(table: &Table, runs: &Path) -> String {
    let mut html = String::new();
    for (v, variant) in table.plan.variants.iter().enumerate() {
        let mut figures = String::new();
        for run in table.of(v) {
            let folder = runs.join(&run.name);
            let sheet = History::read(&folder).ok().and_then(|history| history.sheet);
            let png = sheet.and_then(|file| std::fs::read(folder.join(file)).ok());
            let Some((png, (width, height))) = png.and_then(|png| png_size(&png).map(|size| (png, size))) else {
                continue;
            };
            let state = match &run.outcome.ending {
                State::Finished => "",
                State::Refused(_) | State::Failed(_) => ", failed",
                State::Unfinished => ", not finished",
            };
            let caption = format!("seed {}, step {}{state}", run.seed, run.outcome.step);
            let alt = format!("sheet of {}, {caption}", variant.name);
            let _ = writeln!(
                figures,
                "<figure>{}<figcaption>{caption}</figcaption></figure>",
                image(&png, &alt, width, height)
            );
        }
        if !figures.is_empty() {
            let _ = writeln!(html, "<h3>{}</h3>\n<div class=\"sheets\">\n{figures}</div>", escape(&variant.name));
        }
    }
    if html.is_empty() { html } else { format!("<h2>The last sheet of every run</h2>\n{html}") }
}

/// Mean and deviation of every metric.
fn all_metrics(table: &Table) -> String {
    if table.metrics.len() < 2 {
        return String::new();
    }
    let shown: Vec<usize> =
        (0..table.plan.variants.len()).filter(|&v| table.metrics.iter().any(|m| m.summaries[v].is_some())).collect();
    let heads: String =
        shown.iter().map(|&v| format!("<th class=\"n\">{}</th>", escape(&table.plan.variants[v].name))).collect();
    let mut html = format!(
        "<h2>All metrics</h2>\n<p class=\"soft\">Mean ± deviation. * the best mean; − worse than that by more than seeds explain.</p>\n<div class=\"wide\"><table><tr><th>metric</th>{heads}<th class=\"n\">real images</th></tr>\n"
    );
    for metric in &table.metrics {
        let cell = |v: &usize| {
            let Some(s) = metric.summaries[*v] else { return "<td></td>".to_owned() };
            let deviation = s.deviation.map_or(String::new(), |d| format!(" ± {}", number(d)));
            let mark = match mark(metric, *v) {
                "" => "",
                "*" => " *",
                _ => " −",
            };
            format!("<td class=\"n\">{}{deviation}{mark}</td>", number(s.mean))
        };
        let cells: String = shown.iter().map(cell).collect();
        let floor = metric.floor.map_or(String::new(), number);
        let (name, direction) = (escape(&metric.name), direction(metric.better));
        let _ = writeln!(
            html,
            "<tr><td><code>{name}</code><br><span class=\"soft\">{direction}</span></td>{cells}<td class=\"n\">{floor}</td></tr>"
        );
    }
    html + "</table></div>\n"
}

/// What each variant changes, and what went wrong.
fn variants(table: &Table) -> String {
    let mut html = String::from(
        "<h2>The variants</h2>\n<div class=\"wide\"><table><tr><th>variant</th><th>changes</th><th>remarks</th></tr>\n",
    );
    for (v, variant) in table.plan.variants.iter().enumerate() {
        let changes: Vec<String> = variant.changes.iter().map(|c| format!("<code>{}</code>", escape(c))).collect();
        let mut remarks: Vec<String> = variant.refused.iter().map(|why| format!("refused: {}", escape(why))).collect();
        let trouble = |run: &Entry| Some(format!("seed {}: {}", run.seed, escape(&run.outcome.trouble()?)));
        remarks.extend(table.of(v).filter_map(trouble));
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&variant.name),
            changes.join("<br>"),
            remarks.join("<br>")
        );
    }
    html + "</table></div>\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compare::table::tests::example;

    #[test]
    fn the_page_shows_every_variant_its_runs_and_what_failed() {
        let runs = tempfile::tempdir().unwrap();
        let run = runs.path().join("a-seed0");
        std::fs::create_dir_all(run.join("samples")).unwrap();
        let shape = crate::data::ImageShape { height: 2, width: 4, channels: 1 };
        let picture = crate::picture::Picture { shape, bytes: vec![9; 8] };
        crate::picture::png::write(&run.join("samples/000009.png"), &picture).unwrap();
        let log = "{\"event\":\"score\",\"step\":5,\"name\":\"swd\",\"value\":0.7}\n\
                   {\"event\":\"score\",\"step\":9,\"name\":\"swd\",\"value\":0.5}\n\
                   {\"event\":\"sheet\",\"step\":9,\"file\":\"samples/000009.png\"}\n";
        std::fs::write(run.join("events.jsonl"), log).unwrap();
        let html = page(&example(), runs.path());
        for part in [
            "<strong>a</strong> has the best mean, 1. Not told apart from it: <strong>b|x</strong>, <strong>&lt;c&gt;</strong>.",
            "data:image/png;base64,",
            "width=\"4\" height=\"2\"",
            "swd, smaller is better",
            "refused: it makes &quot;no&quot; sense",
            "seed 2: failed at step 100: the loss is NaN",
            "2 of 3",
        ] {
            assert!(html.contains(part), "{part} in\n{html}");
        }
        assert!(!html.contains("<c>") && !html.contains("NaN\"") && !html.contains("http"), "{html}");
    }
}
