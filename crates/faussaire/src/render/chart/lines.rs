//! Curves over steps: a thin line per run, a thick one for their mean, or smoothed with the raw values in grey behind it.

use askama::Template;

use super::axis::Scale;
use super::{Look, Tick, number, place, ticks};

/// A curve with fewer points is not smoothed.
const SMOOTHED_FROM: usize = 16;

/// What a line chart is to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    /// Stands above the chart.
    pub title: String,
    /// Stands below the title.
    pub note: String,
    /// The curves.
    pub series: Vec<Series>,
    /// The last step of the axis; 0 for that of the curves.
    pub last_step: u64,
    /// Height of the frame in pixels.
    pub height: u32,
    /// Whether the thick line is a moving average.
    pub smooth: bool,
}

/// A named curve: its values over steps, a list per run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub name: String,
    pub runs: Vec<Vec<(u64, f64)>>,
}

/// A line chart, ready to be written into a page.
#[derive(Debug, Template)]
#[template(path = "chart/lines.html")]
pub(crate) struct Chart {
    title: String,
    note: String,
    label: String,
    height: u32,
    names: Vec<Name>,
    x: Vec<Tick>,
    y: Vec<Tick>,
    lines: Vec<Line>,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Name {
    name: String,
    look: Look,
}

#[derive(Debug)]
struct Line {
    class: &'static str,
    points: String,
    look: Look,
}

#[derive(Debug)]
struct Mark {
    x: String,
    y: String,
    look: Look,
}

/// Lays the chart out.
pub(crate) fn lines(chart: &Lines) -> Chart {
    let points = || chart.series.iter().flat_map(|series| series.runs.iter().flatten());
    let steps = points().map(|(step, _)| *step).chain([0, chart.last_step]);
    let x = Scale::new(steps.map(|step| step as f64), false, (0.0, 100.0));
    let y = Scale::new(points().map(|(_, value)| *value), true, (f64::from(chart.height), 0.0)).with_zero().rounded(4);
    let mut drawn = Chart {
        title: chart.title.clone(),
        note: if y.is_log() { format!("{} Log scale.", chart.note).trim().into() } else { chart.note.clone() },
        label: label(chart),
        height: chart.height,
        names: names(chart),
        x: ticks(&x, 4),
        y: ticks(&y, 4),
        lines: Vec::new(),
        marks: Vec::new(),
    };
    let at = |(step, value): &(u64, f64)| (place(x.at(*step as f64)), place(y.at(*value)));
    let joined =
        |points: &[(u64, f64)]| points.iter().map(at).map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ");
    let mut thick = Vec::new();
    for (nth, series) in chart.series.iter().enumerate() {
        let look = Look::of(nth);
        let mean = mean(&series.runs);
        let main = if chart.smooth { smoothed(&mean) } else { mean };
        // A line that is the same as the thick one is left out.
        for run in series.runs.iter().filter(|run| **run != main) {
            let class = if chart.smooth { "raw" } else { "run" };
            drawn.lines.push(Line { class, points: joined(run), look });
        }
        drawn.marks.extend(main.last().map(|last| Mark { x: at(last).0 + "%", y: at(last).1, look }));
        thick.push(Line { class: "", points: joined(&main), look });
    }
    drawn.lines.append(&mut thick);
    drawn
}

/// The legend: the series that have a line.
fn names(chart: &Lines) -> Vec<Name> {
    let named = |(at, series): (usize, &Series)| {
        let has_line = series.runs.iter().any(|run| !run.is_empty());
        has_line.then(|| Name { name: series.name.clone(), look: Look::of(at) })
    };
    chart.series.iter().enumerate().filter_map(named).collect()
}

/// The chart in words, for those who don't see it.
fn label(chart: &Lines) -> String {
    let words = |series: &Series| {
        let curve = mean(&series.runs);
        let (first, last) = (curve.first()?, curve.last()?);
        Some(format!("{} from {} to {}", series.name, number(first.1), number(last.1)))
    };
    let all: Vec<String> = chart.series.iter().filter_map(words).collect();
    format!("{} over steps: {}", chart.title, all.join(", "))
}

/// The mean over runs at every step for which all of them have a value.
pub(super) fn mean(runs: &[Vec<(u64, f64)>]) -> Vec<(u64, f64)> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let at = |run: &[(u64, f64)], step: u64| run.iter().find(|(s, _)| *s == step).map(|(_, value)| *value);
    let mean = |&(step, value): &(u64, f64)| {
        let sum = others.iter().try_fold(value, |sum, run| Some(sum + at(run, step)?))?;
        Some((step, sum / runs.len() as f64))
    };
    first.iter().filter_map(mean).collect()
}

/// A moving average over a window that is centred on each point, so that nothing is shown late: an eighth of the curve, at its
/// ends the part of it that there is.
pub(super) fn smoothed(curve: &[(u64, f64)]) -> Vec<(u64, f64)> {
    if curve.len() < SMOOTHED_FROM {
        return curve.to_vec();
    }
    let half = curve.len() / SMOOTHED_FROM;
    let average = |at: usize| {
        let window = &curve[at.saturating_sub(half)..curve.len().min(at + half + 1)];
        (curve[at].0, window.iter().map(|(_, value)| value).sum::<f64>() / window.len() as f64)
    };
    (0..curve.len()).map(average).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn series(name: &str, points: &[(u64, f64)]) -> Series {
        Series { name: name.into(), runs: vec![points.to_vec()] }
    }

    fn drawn(series: Vec<Series>, smooth: bool) -> String {
        lines(&Lines { title: "score".into(), series, smooth, height: 200, ..Lines::default() }).render().unwrap()
    }

    #[test]
    fn the_mean_is_taken_where_all_runs_have_a_score() {
        let runs = vec![vec![(10, 1.0), (20, 3.0), (25, 9.0)], vec![(10, 2.0), (20, 5.0)]];
        assert_eq!(mean(&runs), [(10, 1.5), (20, 4.0)]);
        assert_eq!(mean(&[]), []);
    }

    #[test]
    fn charts_hold_every_name_and_a_pattern_each() {
        let svg = drawn(vec![series("one", &[(0, 1.0), (10, 0.5)]), series("two<", &[(0, 1.0), (10, 0.4)])], false);
        assert!(svg.contains(">one<") && svg.contains("two&#60;") && svg.contains("stroke-dasharray=\"7 4\""), "{svg}");
        assert!(svg.contains("score over steps: one from 1 to 0.5, two&#60; from 1 to 0.4"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2, "one run is its own mean: {svg}");
        let svg =
            drawn(vec![series("one", &[(0, 1.0), (10, 0.5)]), series("two", &[]), series("three", &[(0, 2.0)])], false);
        assert!(
            !svg.contains(">two<") && svg.contains("class=\"c2\""),
            "no line, no name, but the others keep theirs: {svg}"
        );
        assert!(!drawn(vec![], false).contains("NaN"));
    }

    #[test]
    fn no_line_leaves_the_frame() {
        let curve: Vec<(u64, f64)> = (0..100).map(|i| (i, if i == 50 { 7.3 } else { (i as f64).sin() })).collect();
        let svg = drawn(vec![series("a", &curve)], true);
        let places = svg.split("points=\"").skip(1).flat_map(|rest| rest.split('"').next().unwrap().split(' '));
        let places: Vec<(f64, f64)> = places
            .map(|point| point.split_once(',').unwrap())
            .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
            .collect();
        assert_eq!(places.len(), 200);
        assert!(places.iter().all(|(x, y)| (0.0..=100.0).contains(x) && (0.0..=200.0).contains(y)), "{places:?}");
    }

    #[test]
    fn smoothing_is_centred() {
        let line: Vec<(u64, f64)> = (0..300).map(|i| (i, i as f64)).collect();
        let smooth = smoothed(&line);
        let late = |range: std::ops::Range<usize>| {
            smooth[range.clone()].iter().zip(&line[range]).map(|(a, b)| (a.1 - b.1).abs()).fold(0.0, f64::max)
        };
        assert!(late(18..282) < 1e-9, "a straight line stays itself");
        assert!(late(0..300) <= 9.0, "half a window's half at the ends: {}", late(0..300));
        let zigzag: Vec<(u64, f64)> = (0..300).map(|i| (i, f64::from(i as u32 % 2))).collect();
        assert!(smoothed(&zigzag)[50..250].iter().all(|(_, v)| (v - 0.5).abs() < 0.03));
        assert_eq!(smoothed(&zigzag[..15]), zigzag[..15]);
    }
}
