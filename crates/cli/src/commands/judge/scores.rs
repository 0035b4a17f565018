//! The scores of a judgement as tables: narrower than 100 columns, with a legend; the verdict is the last line.

use faussaire::Result;
use faussaire::judging::Judged;
use faussaire::metrics::{Better, Judgement, Score};

use crate::print::{say, warning};
use crate::report::count;

/// More classes than this are only counted.
const CLASSES_LISTED: usize = 20;

/// Widths of the columns of a value, its interval and the real images' own score.
const WIDTHS: [usize; 3] = [9, 20, 27];

/// Prints the scores, the classes and the verdict.
pub fn print(judged: &Judged) -> Result<()> {
    let Judged { judgement, of, real, split, .. } = judged;
    say!("{of}, against {real} ({split} images)\n");
    scores(judgement)?;
    classes(judgement)?;
    say!("");
    for note in &judgement.notes {
        say!("note: {note}");
    }
    say!("verdict: {}", judgement.verdict());
    Ok(())
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
    let [value, interval, real] = WIDTHS;
    say!("{:<width$}  {:>value$}  {:>interval$}  {:>real$}  better", "score", "value", "95% interval", "real images");
    for (score, name) in judgement.scores.iter().zip(&names) {
        say!("{:<width$}  {}  {}", short(name), numbers(score), direction(score.better));
    }
    let told = || judgement.scores.iter().zip(&names).filter(|(score, _)| score.too_few.is_none());
    for (score, name) in told() {
        if let Some(text) = &score.warning {
            warning(&format!("{}: {text}", short(name)));
        }
    }
    if told().count() == 0 {
        return Ok(());
    }
    say!("");
    for (score, _) in told() {
        // Without the parameters in brackets, which the table has.
        let key = score.name.metric.key().split('(').next().unwrap_or_default();
        let explanation = score.name.metric.explanation().replace("; ", &format!(";\n{:20}", ""));
        say!("  {key:<16}  {explanation}");
    }
    let half = count(judgement.floor_images as u64);
    say!("\nreal images: the same score between halves of them, {half} each; the range: several halvings");
    say!("95% interval: bootstrap over the images; of the kernel distance, the range over its subsets");
    if let Some(first) = judgement.scores.first() {
        say!("full names end in the setting: {}", first.name);
    }
    Ok(())
}

/// The three columns of a score's numbers: no value where it says nothing.
fn numbers(score: &Score) -> String {
    let [value, interval, real] = WIDTHS;
    if let Some(few) = &score.too_few {
        let (text, width) = (few.to_string(), value + interval + real + 4);
        return format!("{text:>width$}");
    }
    let range = |low: f64, high: f64| format!("{} to {}", number(low), number(high));
    // An exact count has no interval.
    let exact = score.low == score.value && score.high == score.value;
    let between = if exact { String::new() } else { range(score.low, score.high) };
    let floor = match (score.floor, score.floor_range) {
        (Some(floor), Some([low, high])) if low < high => format!("{} ({})", number(floor), range(low, high)),
        (Some(floor), _) => number(floor),
        (None, _) => String::new(),
    };
    format!("{:>value$}  {between:>interval$}  {floor:>real$}", number(score.value))
}

/// A score with about four significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        v if v < 10.0 => format!("{value:.4}"),
        v if v < 1000.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// Which way a score improves.
fn direction(better: Better) -> &'static str {
    match better {
        Better::Smaller => "lower",
        Better::Larger => "higher",
    }
}

fn classes(judgement: &Judgement) -> Result<()> {
    let (names, missing) = (&judgement.classes, &judgement.missing);
    if names.is_empty() {
        return Ok(());
    }
    let occurring = judgement.occurs.iter().filter(|occurs| **occurs).count();
    if names.len() > CLASSES_LISTED {
        let found = occurring - missing.len();
        say!("\n{} of the {} classes of the real images found", count(found as u64), count(occurring as u64));
        return Ok(());
    }
    let conditional = judgement.obeyed.iter().any(Option::is_some);
    say!("\n{:<16}  {:>8}  {:>8}{}", "class", "images", "expected", if conditional { "  accuracy" } else { "" });
    let all: u64 = judgement.histogram.iter().sum();
    let (mut absent, mut unexpected) = (Vec::new(), 0);
    for (i, name) in names.iter().enumerate() {
        let (images, expected) = (judgement.histogram[i], judgement.expected[i]);
        if !judgement.occurs[i] {
            absent.push(name.as_str());
            unexpected += images;
            if images == 0 {
                continue;
            }
        }
        let accuracy = judgement.obeyed.get(i).copied().flatten();
        let accuracy = accuracy.map_or(String::new(), |share| format!("  {:>7.1}%", 100.0 * share));
        say!("{name:<16}  {:>8}  {:>8.1}{accuracy}", count(images), expected * all as f64);
    }
    say!("expected: by the shares of the real images, as the same classifier sees them");
    if !absent.is_empty() {
        say!("no real image shows: {} ({} generated images do)", absent.join(", "), count(unexpected));
    }
    if !missing.is_empty() {
        say!("missing: {}", missing.join(", "));
    }
    if conditional {
        say!("accuracy: share of the images asked to show the class that do");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use faussaire::metrics::{ScoreName, TooFew};

    use super::*;

    fn score(name: &str) -> Score {
        Score {
            name: ScoreName::parse(name),
            value: 6.0,
            low: 5.0,
            high: 7.0,
            floor: Some(2.0),
            floor_range: Some([1.5, 12.25]),
            better: Better::Smaller,
            too_few: None,
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
    fn a_score_of_too_few_images_has_no_number() {
        let enough = numbers(&score("frechet-500-net-test"));
        assert_eq!(enough.trim(), "6.0000      5.0000 to 7.0000     2.0000 (1.5000 to 12.25)");
        let few = Score { too_few: Some(TooFew { images: 60, needed: 256 }), ..score("frechet-60-net-test") };
        assert_eq!(numbers(&few).trim(), "too few images to tell (60; needs about 256)");
        assert_eq!(numbers(&few).len(), enough.len());
        let exact = Score { low: 6.0, high: 6.0, floor: None, ..score("missing-classes-60-net-test") };
        assert_eq!(numbers(&exact).trim(), "6.0000");
    }
}
