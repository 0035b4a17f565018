//! The scores of a judgement as tables: narrower than 100 columns, with a legend.

use faussaire::Result;
use faussaire::judging::Judged;
use faussaire::metrics::{Better, Judgement, Score};

use crate::print::{say, warning};
use crate::report::count;

/// More classes than this are only counted.
const CLASSES_LISTED: usize = 20;

/// Prints the scores and the classes.
pub fn print(judged: &Judged) -> Result<()> {
    let Judged { judgement, of, real, split, .. } = judged;
    say!("{of}, against {real} ({split} images)");
    if let Some(text) = verdict(judgement.scores.first()) {
        say!("{text}");
    }
    say!("");
    scores(judgement)?;
    classes(judgement)
}

/// The first score in words, if real images have one too.
fn verdict(score: Option<&Score>) -> Option<String> {
    let (score, floor) = score.and_then(|score| Some((score, score.floor.filter(|floor| *floor > 0.0)?)))?;
    let (metric, times) = (score.name.metric.field_name(), score.value / floor);
    Some(format!(
        "{metric} {:.4}: {times:.1} times that between two halves of the real images ({floor:.4})",
        score.value
    ))
}

/// What the names of all scores end in, from the number of images on: it is printed once.
fn setting(names: &[String]) -> &str {
    let Some(first) = names.first() else { return "" };
    let starts = first.match_indices('-').map(|(at, _)| &first[at..]);
    let numbered = |end: &&str| end[1..].starts_with(|c: char| c.is_ascii_digit());
    starts.filter(numbered).find(|end| names.iter().filter(|name| name.ends_with(end)).count() > 1).unwrap_or("")
}

fn scores(judgement: &Judgement) -> Result<()> {
    let names: Vec<String> = judgement.scores.iter().map(|score| score.name.to_string()).collect();
    let common = setting(&names);
    let short = |name: &str| name.strip_suffix(common).unwrap_or(name).to_owned();
    let width = names.iter().map(|name| short(name).len()).max().unwrap_or(0);
    say!("{:<width$}  {:>9}  {:>20}  {:>9}  better", "score", "value", "95% interval", "real");
    for (score, name) in judgement.scores.iter().zip(&names) {
        let floor = score.floor.map_or(String::new(), |f| format!("{f:.4}"));
        // An exact count has no interval.
        let exact = score.low == score.value && score.high == score.value;
        let interval = if exact { String::new() } else { format!("{:.4} to {:.4}", score.low, score.high) };
        let better = if score.better == Better::Smaller { "lower" } else { "higher" };
        say!("{:<width$}  {:>9.4}  {interval:>20}  {floor:>9}  {better}", short(name), score.value);
        if let Some(text) = &score.warning {
            warning(text);
        }
    }
    say!("");
    for score in &judgement.scores {
        // Without the parameters in brackets, which the table has.
        let key = score.name.metric.key().split('(').next().unwrap_or_default();
        let explanation = score.name.metric.explanation().replace("; ", &format!(";\n{:20}", ""));
        say!("  {key:<16}  {explanation}");
    }
    let half = count(judgement.floor_images as u64);
    say!("\nreal: the same score between two halves of the real images, {half} each");
    say!("95% interval: bootstrap over the images; of the kernel distance, the range over its subsets");
    if let Some(first) = judgement.scores.first() {
        say!("full names end in the setting: {}", first.name);
    }
    Ok(())
}

fn classes(judgement: &Judgement) -> Result<()> {
    let names = &judgement.classes;
    if names.len() > CLASSES_LISTED {
        let found = judgement.histogram.iter().filter(|n| **n > 0).count();
        say!("\n{} of {} classes found", count(found as u64), count(names.len() as u64));
        return Ok(());
    }
    if names.is_empty() {
        return Ok(());
    }
    let conditional = judgement.obeyed.iter().any(Option::is_some);
    say!("\n{:<16}  {:>8}{}", "class", "images", if conditional { "  accuracy" } else { "" });
    for (i, name) in names.iter().enumerate() {
        let accuracy = judgement.obeyed.get(i).copied().flatten();
        let accuracy = accuracy.map_or(String::new(), |share| format!("  {:>7.1}%", 100.0 * share));
        say!("{name:<16}  {:>8}{accuracy}", count(judgement.histogram[i]));
    }
    if conditional {
        say!("accuracy: share of the images asked to show the class that do");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use faussaire::metrics::ScoreName;

    use super::*;

    fn score(name: &str, floor: Option<f64>) -> Score {
        Score {
            name: ScoreName::parse(name),
            value: 6.0,
            low: 5.0,
            high: 7.0,
            floor,
            better: Better::Smaller,
            warning: None,
        }
    }

    #[test]
    fn what_all_names_end_in_is_found() {
        let names =
            ["kernel(subsets-of-1000)-500-net(99.1%)-test", "class-kl-500-net(99.1%)-test", "copies-500-pixels"];
        assert_eq!(setting(&names.map(String::from)), "-500-net(99.1%)-test");
        assert_eq!(setting(&[]), "");
    }

    #[test]
    fn the_verdict_compares_with_real_images() {
        let text = verdict(Some(&score("frechet-500-net-test", Some(2.0)))).unwrap_or_default();
        assert_eq!(text, "Fréchet distance 6.0000: 3.0 times that between two halves of the real images (2.0000)");
        assert_eq!(verdict(Some(&score("frechet-500-net-test", None))), None);
    }
}
