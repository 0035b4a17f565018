//! The charts of a report: scores, losses, accuracies, mean scores, gradient norms over steps.

use super::record::{Curve, Record};
use crate::loss::Loss;
use crate::metrics::{Metric, ScoreName};
use crate::penalty::Penalty;
use crate::render::chart::{Lines, Series};
use crate::train::StepReport;

/// Height of a chart's frame, in pixels.
const HEIGHT: u32 = 190;

/// What recipes call `loss`.
pub(super) fn loss_name(loss: Loss) -> &'static str {
    Loss::ALL.iter().zip(Loss::NAMES).find(|(one, _)| **one == loss).map_or("", |(_, name)| name)
}

/// What recipes call `penalty`.
pub(super) fn penalty_name(penalty: Penalty) -> &'static str {
    Penalty::ALL.iter().zip(Penalty::NAMES).find(|(one, _)| **one == penalty).map_or("", |(_, name)| name)
}

/// Every score that was taken more than once, over steps.
pub(super) fn scores(record: &Record) -> Vec<Lines> {
    let chart = |(name, curve): (&ScoreName, &Curve)| Lines {
        title: score_title(name),
        note: format!("{name}; lower is better."),
        series: vec![Series { name: "score".into(), runs: vec![curve.clone()] }],
        last_step: last_step(record),
        height: HEIGHT,
        smooth: false,
    };
    record.scores.iter().filter(|(_, curve)| curve.len() > 1).map(chart).collect()
}

/// The title of a score's chart: the metric's name, or all there is of an unknown metric's.
fn score_title(name: &ScoreName) -> String {
    let words = match name.metric {
        Metric::Other => name.setting.replace('-', " "),
        metric => metric.field_name().into(),
    };
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Why the discriminator's accuracy has no chart under `loss`; none where it has one.
pub(super) fn no_accuracy(loss: Loss) -> Option<String> {
    loss.scale().middle.is_none().then(|| {
        format!(
            "The discriminator's accuracy is not shown: under the {} loss only differences of its scores count, so no score \
             separates real from generated.",
            loss_name(loss)
        )
    })
}

/// What every step logs; empty where fewer than two steps were logged.
pub(super) fn training(record: &Record, loss: Loss) -> Vec<Lines> {
    if record.steps.len() < 2 {
        return Vec::new();
    }
    let mut charts = vec![losses(record)];
    charts.extend(loss.scale().middle.map(|_| accuracy(record)));
    charts.extend([mean_scores(record, loss), gradients(record), penalty(record)]);
    charts.retain(|chart| !chart.series.is_empty());
    charts
}

fn losses(record: &Record) -> Lines {
    let note = "What each network minimises. The two pull against each other, so neither should win.";
    chart(record, "Losses", note.into(), &[("discriminator", &|r| Some(r.d_loss)), ("generator", &|r| Some(r.g_loss))])
}

fn accuracy(record: &Record) -> Lines {
    let note = "Real and generated images that the discriminator classifies correctly, in %. Near 50% it is fooled.";
    chart(
        record,
        "Discriminator accuracy",
        note.into(),
        &[("real", &|r| Some(100.0 * r.d_real)), ("generated", &|r| Some(100.0 * r.d_fake))],
    )
}

/// Mean scores; where they have no zero of their own, relative to the midpoint of those of real and of generated images.
fn mean_scores(record: &Record, loss: Loss) -> Lines {
    let middle = loss.scale().middle;
    let note = match middle {
        Some(middle) => format!("The discriminator's output: above {middle} it takes an image for a real one."),
        None => "Relative to the midpoint of real and generated: how far apart they are is all that counts.".into(),
    };
    let relative = |report: &StepReport, score: f32| match middle {
        Some(_) => score,
        None => score - (report.real_score + report.fake_score) / 2.0,
    };
    chart(
        record,
        "Mean discriminator scores",
        note,
        &[
            ("real", &|r| Some(relative(r, r.real_score))),
            ("generated", &|r| Some(relative(r, r.fake_score))),
            ("held out", &|r| Some(relative(r, r.held_out_score?))),
        ],
    )
}

fn gradients(record: &Record) -> Lines {
    let note =
        "How hard each update pulls. Near 0 nothing is learned any more; if it keeps growing, training diverges.";
    chart(
        record,
        "Gradient norms",
        note.into(),
        &[("discriminator", &|r| Some(r.d_norm)), ("generator", &|r| Some(r.g_norm))],
    )
}

fn penalty(record: &Record) -> Lines {
    let note = "The term that bounds the discriminator's gradient, beside its loss.";
    chart(record, "Gradient penalty", note.into(), &[("penalty", &|r| r.penalty)])
}

/// One of the numbers of a logged step, where it has it.
type Number<'a> = &'a dyn Fn(&StepReport) -> Option<f32>;

/// A chart of `numbers`, those left out that were logged less than twice.
fn chart(record: &Record, title: &str, note: String, numbers: &[(&str, Number)]) -> Lines {
    let series = numbers.iter().filter_map(|(name, number)| {
        let curve = record.curve(number);
        (curve.len() > 1).then(|| Series { name: (*name).into(), runs: vec![curve] })
    });
    let (title, last_step) = (title.into(), last_step(record));
    Lines { title, note, series: series.collect(), last_step, height: HEIGHT, smooth: true }
}

/// Where the steps of all charts end.
fn last_step(record: &Record) -> u64 {
    record.steps.last().map_or(0, |report| report.step)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record() -> Record {
        let step = |step: u64| -> StepReport {
            let line = format!(
                r#"{{"step":{step},"epoch":0.5,"images":64,"train_s":1,"d_loss":1,"g_loss":1,"d_real":1,"d_fake":0.5,
                "real_score":12,"fake_score":8,"held_out_score":9}}"#
            );
            serde_json::from_str(&line).unwrap()
        };
        Record { steps: vec![step(10), step(20)], ..Record::default() }
    }

    fn titled<'a>(charts: &'a [Lines], title: &str) -> Option<&'a Lines> {
        charts.iter().find(|chart| chart.title == title)
    }

    #[test]
    fn scores_without_a_zero_are_recentred_and_have_no_accuracy() {
        for loss in [Loss::Relativistic, Loss::Wasserstein] {
            let charts = training(&record(), loss);
            assert_eq!(titled(&charts, "Discriminator accuracy"), None);
            assert!(no_accuracy(loss).is_some_and(|why| why.contains(loss_name(loss))));
            let last =
                |at: usize| titled(&charts, "Mean discriminator scores").map(|chart| chart.series[at].runs[0][1]);
            assert_eq!([0, 1, 2].map(last), [2.0, -2.0, -1.0].map(|score| Some((20, score))));
        }
    }

    #[test]
    fn scores_with_a_zero_stay_and_the_accuracy_is_in_percent() {
        let charts = training(&record(), Loss::Hinge);
        let last = |title: &str, at: usize| titled(&charts, title).map(|chart| chart.series[at].runs[0][1]);
        assert_eq!(last("Discriminator accuracy", 1), Some((20, 50.0)));
        assert_eq!(last("Mean discriminator scores", 0), Some((20, 12.0)));
        assert_eq!((no_accuracy(Loss::Hinge), titled(&charts, "Gradient penalty")), (None, None));
    }

    #[test]
    fn titles_leave_out_images_and_features() {
        let titles = ["sliced-wasserstein-512-pixels", "rare-classes-60-strokes", "swd", ""];
        let titles = titles.map(|name| score_title(&ScoreName::parse(name)));
        assert_eq!(titles, ["Sliced Wasserstein distance", "Rare classes", "Swd", ""]);
    }
}
