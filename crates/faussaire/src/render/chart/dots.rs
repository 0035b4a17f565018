//! Scores in rows: a row per variant, a mark per run, a bar at the mean.

use askama::Template;

use super::axis::Scale;
use super::{Look, Tick, place, tick, ticks};

/// Distances of the marks of one row from its middle, so that equal scores can be told apart.
const ASIDE: [f64; 3] = [0.0, -7.0, 7.0];
/// The middle of a row, in pixels.
const MIDDLE: f64 = 17.0;

/// The scores of one variant's runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dots {
    pub name: String,
    pub values: Vec<f64>,
    pub mean: Option<f64>,
    /// Stands in the place of marks where there are no values.
    pub instead: String,
}

/// The chart, ready to be written into a page.
#[derive(Debug, Template)]
#[template(path = "chart/dots.html")]
pub(crate) struct Chart {
    title: String,
    note: String,
    label: String,
    x: Vec<Tick>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// Percentage of the width and pixels from the top, by run.
    places: Vec<(String, String)>,
    mean: Option<Tick>,
    instead: String,
    look: Look,
}

/// Lays the chart out; `note` stands below its title.
pub(crate) fn dots(rows: &[Dots], title: &str, note: &str) -> Chart {
    let values = rows.iter().flat_map(|row| row.values.iter().copied());
    let scale = Scale::new(values, true, (0.0, 100.0)).with_zero().rounded(5);
    let row = |(at, row): (usize, &Dots)| Row {
        name: row.name.clone(),
        places: row
            .values
            .iter()
            .zip(ASIDE.iter().cycle())
            .map(|(value, aside)| (place(scale.at(*value)) + "%", place(MIDDLE + aside)))
            .collect(),
        mean: row.mean.map(|mean| tick(&scale, mean)),
        instead: row.instead.clone(),
        look: Look::of(at),
    };
    Chart {
        title: title.into(),
        note: if scale.is_log() { format!("{note} Log scale.") } else { note.into() },
        label: format!("{title}: the score of every run, by variant"),
        x: ticks(&scale, 5),
        rows: rows.iter().enumerate().map(row).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn charts_hold_a_mark_per_run_and_every_name() {
        let row = |name: &str, values: &[f64]| Dots {
            name: name.into(),
            values: values.to_vec(),
            mean: values.first().copied(),
            instead: "refused".into(),
        };
        let rows = [row("a<b", &[1.0, 2.0]), row("c", &[3.0]), row("d", &[])];
        let svg = dots(&rows, "fid", "Lower is better.").render().unwrap();
        assert_eq!((svg.matches("<circle").count(), svg.matches("<rect").count()), (2, 1), "{svg}");
        assert!(svg.contains("a&#60;b") && svg.contains(">refused<") && !svg.contains("NaN"), "{svg}");
        assert!(svg.contains("<title>mean 3</title>") && svg.contains("<h3>fid</h3>"), "{svg}");
    }
}
