//! The result of a comparison in one sentence, for the page and the text.

use super::statistics::{MIN_RUNS, Verdict};
use super::table::{Column, Table};
use crate::render::chart::number;

/// A part of the sentence.
pub(super) struct Part {
    pub text: String,
    /// Whether it is the name of a variant.
    pub strong: bool,
}

/// The sentence, by `metric`, which decides.
pub(super) fn found(table: &Table, metric: &Column) -> Vec<Part> {
    let plain = |text: &str| Part { text: text.into(), strong: false };
    let name = |v: usize| Part { text: table.plan.variants[v].name.clone(), strong: true };
    let Some(best) = metric.best else { return vec![plain("no run is finished yet")] };
    let value = metric.summaries[best].map_or(String::new(), |s| number(s.mean));
    let real = metric.floor.map_or(String::new(), |floor| format!(" (real images among themselves {})", number(floor)));
    let others: Vec<usize> =
        (0..metric.summaries.len()).filter(|&v| v != best && metric.summaries[v].is_some()).collect();
    let mut parts = match others.is_empty() {
        true => vec![name(best), plain(&format!(": mean {value}{real}"))],
        false => vec![name(best), plain(&format!(" has the best mean, {value}{real}"))],
    };
    let too_few = format!("too few runs to test ({MIN_RUNS} at least)");
    for (heading, kind) in [
        ("significantly worse", Kind::Worse),
        ("no significant difference from", Kind::Open),
        (&too_few, Kind::Untested),
        ("not tested, because its runs don't differ", Kind::NoSpread),
    ] {
        let these = others.iter().copied().filter(|&v| Kind::of(metric, v, best) == kind);
        for (at, v) in these.enumerate() {
            parts.push(if at == 0 { plain(&format!("; {heading}: ")) } else { plain(", ") });
            parts.push(name(v));
        }
    }
    if let Some(remark) = &metric.remark {
        parts.push(plain(&format!("; caution: {remark}")));
    }
    parts
}

/// The result of comparing a variant with the best.
#[derive(PartialEq)]
enum Kind {
    Worse,
    Open,
    Untested,
    NoSpread,
}

impl Kind {
    fn of(metric: &Column, variant: usize, best: usize) -> Self {
        match metric.verdict(variant, best) {
            _ if metric.is_worse(variant) => Self::Worse,
            Some(Verdict::TooFew) | None => Self::Untested,
            Some(Verdict::NoSpread) => Self::NoSpread,
            Some(Verdict::Differs { .. } | Verdict::NotShown { .. }) => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::table::tests::example;

    #[test]
    fn one_sentence_says_who_is_best_and_what_is_open() {
        let said =
            |table: &Table| -> String { found(table, &table.metrics[0]).into_iter().map(|part| part.text).collect() };
        let mut table = example();
        let rest = "no significant difference from: <c>; too few runs to test (3 at least): b|x";
        assert_eq!(said(&table), format!("a has the best mean, 1; {rest}"));
        (table.metrics[0].floor, table.metrics[0].remark) = (Some(0.5), Some("too few images".into()));
        let all = format!("a has the best mean, 1 (real images among themselves 0.5); {rest}; caution: too few images");
        assert_eq!(said(&table), all);
        table.metrics[0].best = None;
        assert_eq!(said(&table), "no run is finished yet");
    }
}
