//! Histograms as outlines, several in one frame, with a threshold as a line.

use askama::Template;

use super::axis::Scale;
use super::{Look, Tick, place, ticks};

/// Number of bins.
const BINS: usize = 48;
/// Height of the frame in pixels.
const HEIGHT: u32 = 180;
/// The share of all values that the axis holds: a few outliers would press all others into the first bins.
const SHOWN: (usize, usize) = (995, 1000);

/// Values at or above 0, and their name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    pub name: &'a str,
    pub values: &'a [f32],
}

/// The chart, ready to be written into a page.
#[derive(Debug, Template)]
#[template(path = "chart/histogram.html")]
pub(crate) struct Chart {
    title: String,
    note: String,
    label: String,
    unit: String,
    height: u32,
    x: Vec<Tick>,
    outlines: Vec<Outline>,
    threshold: Tick,
    /// How the threshold's name is anchored, and its distance from the line.
    threshold_side: (&'static str, i32),
}

#[derive(Debug)]
struct Outline {
    name: String,
    points: String,
    look: Look,
}

/// Lays the chart out: each sample's share of values by bin. `threshold` is a value and what is said of it; `unit` names
/// the axis.
pub(crate) fn histogram(samples: &[Sample], threshold: (f64, &str), (title, note, unit): (&str, &str, &str)) -> Chart {
    let mut sorted: Vec<f32> = samples.iter().flat_map(|sample| sample.values).copied().collect();
    sorted.sort_by(f32::total_cmp);
    let last = sorted.len().saturating_sub(1) * SHOWN.0 / SHOWN.1;
    let most = f64::from(sorted.get(last).copied().unwrap_or(0.0)).max(threshold.0).max(1e-9) * 1.02;
    let x = Scale::new([0.0, most].into_iter(), false, (0.0, 100.0));
    let all: Vec<[f64; BINS]> = samples.iter().map(|sample| shares(sample.values, most)).collect();
    let highest = all.iter().flatten().copied().fold(1e-9, f64::max);
    let y = Scale::new([0.0, 1.1 * highest].into_iter(), false, (f64::from(HEIGHT), 0.0));
    let outline = |(at, (sample, bins)): (usize, (&Sample, &[f64; BINS]))| {
        let step = |(bin, share): (usize, &f64)| {
            let [from, to] = [bin, bin + 1].map(|edge| place(100.0 * edge as f64 / BINS as f64));
            let y = place(y.at(*share));
            format!("{from},{y} {to},{y}")
        };
        let points = bins.iter().enumerate().map(step).collect::<Vec<_>>().join(" ");
        Outline { name: sample.name.into(), points, look: Look::of(at) }
    };
    let at = x.at(threshold.0);
    Chart {
        title: title.into(),
        note: note.into(),
        label: format!("{title}: histogram"),
        unit: unit.into(),
        height: HEIGHT,
        x: ticks(&x, 4),
        outlines: samples.iter().zip(&all).enumerate().map(outline).collect(),
        threshold: Tick { at: place(at), text: threshold.1.into() },
        threshold_side: if at > 50.0 { ("end", -6) } else { ("start", 6) },
    }
}

/// The share of `values` in each bin from 0 to `most`; what is larger counts in the last one.
fn shares(values: &[f32], most: f64) -> [f64; BINS] {
    let mut bins = [0.0; BINS];
    let bin = |value: &f32| ((f64::from(*value) / most * BINS as f64) as usize).min(BINS - 1);
    values.iter().for_each(|value| bins[bin(value)] += 1.0 / values.len() as f64);
    bins
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one_and_outliers_count() {
        let bins = shares(&[0.0, 0.1, 0.9, 50.0], 1.0);
        assert!((bins.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!((bins[0], bins[BINS - 1]), (0.25, 0.25));
    }

    #[test]
    fn samples_and_threshold_are_drawn() {
        let (ours, theirs) = ([0.1, 0.2, 0.9], [0.5, 0.6]);
        let samples = [Sample { name: "ours", values: &ours }, Sample { name: "theirs", values: &theirs }];
        let svg = histogram(&samples, (0.3, "flagged"), ("Ratios", "", "ratio")).render().unwrap();
        assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
        assert!(svg.contains(">flagged<") && svg.contains(">theirs<") && !svg.contains("NaN"), "{svg}");
        assert!(!histogram(&[], (0.0, ""), ("", "", "")).render().unwrap().contains("NaN"));
    }
}
