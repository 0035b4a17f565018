//! The table as text: Markdown, CSV for spreadsheets (a line per run and metric), and JSON with all data.

use std::fmt::Write;

use super::found::{Part, found};
use super::outcome::{Outcome, State};
use super::plan::Length;
use super::statistics::Summary;
use super::table::{Column, Entry, Table};
use crate::error::Result;
use crate::metrics::Better;
use crate::render::chart::number;

/// The table as Markdown.
pub fn markdown(table: &Table) -> String {
    let mut text = format!("# {}\n\n{}\n", cell(&table.plan.title), about(table));
    if let Some(first) = table.metrics.first() {
        let _ = write!(text, "\n## {}, {}\n\n", first.name, direction(first.better));
        text += "| variant | runs | mean | deviation | range | against the best |\n";
        text += "| --- | ---: | ---: | ---: | ---: | --- |\n";
        for (v, variant) in table.plan.variants.iter().enumerate() {
            let name = cell(&variant.name);
            let Some(s) = first.summaries[v] else {
                let why = cell(&why_none(table, v));
                let _ = writeln!(text, "| {name} | {} | | | | {why} |", runs(table, first, v));
                continue;
            };
            let (mean, deviation) = (number(s.mean), s.deviation.map_or(String::new(), number));
            let range = format!("{} to {}", number(s.least), number(s.most));
            let verdict = first.against_best(v);
            let _ =
                writeln!(text, "| {name} | {} | {mean} | {deviation} | {range} | {verdict} |", runs(table, first, v));
        }
    }
    if table.metrics.len() > 1 {
        text += &all_metrics(table);
    } else if table.metrics.is_empty() {
        for (v, variant) in table.plan.variants.iter().enumerate() {
            let _ = write!(text, "\n- {}: {}", cell(&variant.name), cell(&why_none(table, v)));
        }
        text.push('\n');
    }
    text += &failures(table);
    text += &format!("\n{}\n", method(table));
    if let Some(first) = table.metrics.first() {
        let word = |part: Part| if part.strong { format!("**{}**", cell(&part.text)) } else { cell(&part.text) };
        let sentence: String = found(table, first).into_iter().map(word).collect();
        let _ = write!(text, "\nVerdict: {sentence}.\n");
    }
    text
}

/// Every metric, mean and deviation by variant.
fn all_metrics(table: &Table) -> String {
    let variants: Vec<usize> =
        (0..table.plan.variants.len()).filter(|&v| table.metrics.iter().any(|m| m.summaries[v].is_some())).collect();
    let names: Vec<String> = variants.iter().map(|&v| cell(&table.plan.variants[v].name)).collect();
    let mut text = format!("\n## All metrics\n\n| metric | better | {} | real images |\n", names.join(" | "));
    text += &format!("| --- | --- |{} ---: |\n", " ---: |".repeat(names.len()));
    for metric in &table.metrics {
        let of = |v: &usize| metric.summaries[*v].map_or(String::new(), |s| spread(&s, mark(metric, *v)));
        let cells: Vec<String> = variants.iter().map(of).collect();
        let (better, floor) = (direction(metric.better), metric.floor.map_or(String::new(), number));
        let remark = metric.remark.as_ref().map_or(String::new(), |remark| format!(" ({})", cell(remark)));
        let _ = writeln!(text, "| {}{remark} | {better} | {} | {floor} |", metric.name, cells.join(" | "));
    }
    text += "\n`*` the best mean; `-` significantly worse than that (Holm's p below 0.05 within the metric's row).\n";
    text
}

/// The mark of a variant's mean.
pub(super) fn mark(metric: &Column, variant: usize) -> &'static str {
    match () {
        () if metric.best == Some(variant) && metric.summaries.iter().flatten().count() > 1 => "*",
        () if metric.is_worse(variant) => "-",
        () => "",
    }
}

fn spread(summary: &Summary, mark: &str) -> String {
    let deviation = summary.deviation.map_or(String::new(), |d| format!(" ± {}", number(d)));
    let mark = if mark.is_empty() { String::new() } else { format!(" `{mark}`") };
    format!("{}{deviation}{mark}", number(summary.mean))
}

/// Runs without a result, with the reason.
fn failures(table: &Table) -> String {
    let mut text = String::new();
    for run in &table.runs {
        let Some(why) = run.outcome.failure() else { continue };
        let _ = writeln!(text, "- {}: {}", cell(&run.name), cell(&why));
    }
    if text.is_empty() { text } else { format!("\n## Runs without a result\n\n{text}") }
}

/// Number of a variant's runs with a value of `metric`: `3`, or `2 of 3`.
pub(super) fn runs(table: &Table, metric: &Column, variant: usize) -> String {
    let (counted, all) = (metric.summaries[variant].map_or(0, |s| s.count), table.plan.seeds.len());
    if counted == all { format!("{all}") } else { format!("{counted} of {all}") }
}

/// Why a variant has no result.
pub(super) fn why_none(table: &Table, variant: usize) -> String {
    if let Some(why) = &table.plan.variants[variant].refused {
        return format!("refused: {why}");
    }
    table.of(variant).find_map(|run| run.outcome.failure()).unwrap_or_else(|| "not finished yet".into())
}

/// One sentence: the number of recipes and seeds, and the length.
pub(super) fn about(table: &Table) -> String {
    let plan = &table.plan;
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let length = length(&plan.length);
    let finished = table.runs.iter().filter(|run| run.outcome.ending == State::Finished).count();
    let (variants, seeds) = (many(plan.variants.len(), "variant"), many(plan.seeds.len(), "seed"));
    let all = plan.variants.len() * plan.seeds.len();
    format!("{variants} x {seeds}, {length}; {finished} of {all} runs finished.")
}

fn length(length: &Length) -> String {
    let parts = [
        length.steps.map(|n| format!("{n} steps each")),
        length.epochs.map(|n| format!("{n} epochs each")),
        length.seconds.map(|s| format!("{s:.0} s each")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "each with the length of its recipe".into() } else { parts.join(", at most ") }
}

/// How the numbers were computed, and their limitations.
pub(super) fn method(table: &Table) -> String {
    let plan = &table.plan;
    let mut text = String::from(
        "Scored: the averaged generator at the end of each run; the name of a metric includes the number of images. Means and \
         standard deviations (divisor n - 1) are over the finished runs. A recipe whose bad runs failed looks better than it is, \
         so the best is chosen among the variants with the most finished runs. Tests: Welch's t-test, with p-values corrected by \
         Holm's method over all pairs of variants within a metric, not across metrics: the first metric decides. No significant \
         difference does not mean no difference: few seeds reveal only large ones.",
    );
    if plan.seeds.len() < super::statistics::MIN_RUNS {
        text += &format!(" No test is made with fewer than {} seeds.", super::statistics::MIN_RUNS);
    }
    if plan.length.seconds.is_some() && plan.jobs > 1 {
        text += &format!(
            " {} runs shared the processor, {} thread{} each, so the number of steps of a run depends on the other runs: \
             a length in steps makes comparisons fairer; so does one run at a time.",
            plan.jobs,
            plan.threads,
            if plan.threads == 1 { "" } else { "s" }
        );
    }
    text
}

pub(super) fn direction(better: Better) -> &'static str {
    match better {
        Better::Smaller => "lower is better",
        Better::Larger => "higher is better",
    }
}

/// Text as a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

/// The table as CSV: one line per run and metric; a run without a result has one line without a metric.
pub fn csv(table: &Table) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["variant", "seed", "state", "steps", "images", "train_s", "metric", "better", "value"];
    let lines = [header.map(String::from)].into_iter().chain(table.runs.iter().flat_map(|run| run_lines(table, run)));
    let refused = table.plan.variants.iter().filter(|variant| variant.refused.is_some());
    let refused = refused.map(|variant| [&variant.name, "", "refused", "0", "0", "0", "", "", ""].map(String::from));
    for line in lines.chain(refused) {
        // Writing records of equal length to memory can't fail.
        let _ = writer.write_record(line);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// The lines of a run.
fn run_lines(table: &Table, run: &Entry) -> Vec<[String; 9]> {
    let state = match run.outcome.ending {
        State::Finished => "finished",
        State::Refused(_) => "refused",
        State::Failed(_) => "failed",
        State::Unfinished => "unfinished",
    };
    let Outcome { step, images, train_s, measures, .. } = &run.outcome;
    let line = |metric: &str, better: &str, value: String| {
        let name = table.plan.variants[run.variant].name.clone();
        let numbers = [step.to_string(), images.to_string(), train_s.to_string()];
        let [step, images, train_s] = numbers;
        [name, run.seed.to_string(), state.into(), step, images, train_s, metric.into(), better.into(), value]
    };
    if measures.is_empty() {
        return vec![line("", "", String::new())];
    }
    let better = |better| if better == Better::Smaller { "smaller" } else { "larger" };
    measures.iter().map(|one| line(&one.name.to_string(), better(one.better), one.value.to_string())).collect()
}

/// The table as JSON.
///
/// # Errors
/// A number that is not finite.
pub fn json(table: &Table) -> Result<String> {
    let bytes = super::plan::json(table)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compare::table::tests::example;

    #[test]
    fn markdown_has_every_variant_and_says_who_is_better() {
        let text = markdown(&example());
        for part in [
            "# ring, preset &lt;ring>",
            "4 variants x 3 seeds, 100 steps each; 8 of 12 runs finished.",
            "## fid-9, lower is better",
            "| a | 3 | 1 | 0.1 | 0.9 to 1.1 | best mean |",
            "| b\\|x | 2 of 3 | 5.1 | 0.1414 | 5 to 5.2 | too few runs, at least 3 needed |",
            "| d | 0 of 3 | | | | refused: it makes \"no\" sense |",
            "| recall-9 | higher is better | 1.007 ± 0.1012 `*` |",
            "- b-x-seed2: failed at step 100: the loss is NaN",
            "Verdict: **a** has the best mean, 1; no significant difference from: **&lt;c>**; too few runs to test (3 at least): \
             **b\\|x**.",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn csv_has_a_line_per_run_and_metric() {
        let text = csv(&example());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 8 * 2 + 1 + 1, "{text}");
        assert!(lines.contains(&"a,1,finished,100,6400,2.5,fid-9,smaller,1.1"), "{text}");
        assert!(lines.contains(&"b|x,2,failed,100,6400,2.5,,,"), "{text}");
        let mut comma = example();
        comma.plan.variants[0].name = "a,\"b\"".into();
        assert!(csv(&comma).contains("\"a,\"\"b\"\"\",1,finished,100,6400,2.5,fid-9,smaller,1.1\n"));
    }

    #[test]
    fn json_holds_runs_and_tests() {
        let value: serde_json::Value = serde_json::from_str(&json(&example()).unwrap()).unwrap();
        assert_eq!(value["runs"][0]["state"], "finished");
        assert_eq!(value["runs"][5]["reason"], "the loss is NaN");
        assert_eq!(value["metrics"][0]["pairs"][1]["verdict"]["verdict"], "not-shown");
        assert_eq!(value["metrics"][0]["better"], "smaller");
    }
}
