//! Charts as inline SVG for self-contained pages: values as dots in rows, and curves over steps. What differs does so in
//! colour, in the pattern of its line and in the shape of its dots, and is labelled where it stands, so that no colour
//! needs to be seen.

mod axis;

use std::fmt::Write;

use crate::page::escape;
use axis::Scale;

/// Patterns of lines, as SVG has them.
const DASHES: [&str; 8] = ["", "7 4", "2 3", "10 3 2 3", "14 4", "4 2 1 2", "1 4", "8 2 2 2 2 2"];

/// Sizes of a chart: one for wide windows, one for narrow ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub class: &'static str,
    pub width: f64,
    pub left: f64,
    pub right: f64,
}

/// For wide and for narrow windows; the style shows one of the two.
pub(crate) const SIZES: [Size; 2] = [
    Size { class: "broad", width: 1000.0, left: 190.0, right: 40.0 },
    Size { class: "narrow", width: 380.0, left: 118.0, right: 24.0 },
];

/// The scores of one variant's runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dots {
    pub name: String,
    pub values: Vec<f64>,
    pub mean: Option<f64>,
    /// What stands there instead of dots.
    pub instead: String,
}

/// One variant's scores over steps, a list per run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curves {
    pub name: String,
    pub runs: Vec<Vec<(u64, f64)>>,
}

/// The colour of variant number `at`.
fn colour(at: usize) -> String {
    format!("var(--c{})", at % 8)
}

/// A mark of variant number `at`: circle, square, diamond, triangle.
fn marker(at: usize, x: f64, y: f64) -> String {
    let fill = format!("fill=\"none\" stroke=\"{}\" stroke-width=\"2\"", colour(at));
    match at % 4 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" {fill}/>"),
        1 => format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\" {fill}/>", x - 4.5, y - 4.5),
        2 => {
            format!("<path d=\"M{x:.1} {:.1}l6 6l-6 6l-6 -6z\" {fill}/>", y - 6.0)
        }
        _ => format!("<path d=\"M{x:.1} {:.1}l6 10h-12z\" {fill}/>", y - 6.0),
    }
}

/// At most so many letters of a name, that a column holds.
fn short(name: &str, width: f64) -> String {
    let room = (width / 7.2) as usize;
    if name.chars().count() <= room {
        return escape(name);
    }
    escape(&format!("{}…", name.chars().take(room.saturating_sub(1)).collect::<String>()))
}

/// A number with four digits that count, as far as it has them.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size => (3 - size.log10().floor() as i32).clamp(0, 8) as usize,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A chart in a frame, once for wide windows and once for narrow ones.
pub(crate) fn framed(draw: impl Fn(&Size) -> String) -> String {
    format!("<div class=\"chart\">\n{}</div>\n", SIZES.iter().map(draw).collect::<String>())
}

/// A row per variant, a mark per run, a bar at the mean.
pub(crate) fn dots(rows: &[Dots], label: &str, size: &Size) -> String {
    const ROW: f64 = 34.0;
    const TOP: f64 = 12.0;
    let bottom = TOP + ROW * rows.len() as f64;
    let ends = (size.left, size.width - size.right);
    let scale = Scale::new(rows.iter().flat_map(|row| row.values.iter().copied()), true, ends).with_zero();
    let mut svg = open(size, bottom + 44.0, &format!("{label}: every run's score by variant"));
    for tick in scale.ticks(if size.width > 500.0 { 8 } else { 4 }) {
        let x = scale.at(tick);
        let _ = write!(svg, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"var(--line)\"/>");
        let _ = write!(
            svg,
            "<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            number(tick)
        );
    }
    let log = if scale.is_log() { ", log scale" } else { "" };
    let _ = write!(
        svg,
        "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}{log}</text>",
        ends.1,
        bottom + 38.0,
        escape(label)
    );
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            size.left - 14.0,
            y + 4.5,
            short(&row.name, size.left - 16.0)
        );
        if row.values.is_empty() {
            let _ = write!(
                svg,
                "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                size.left + 8.0,
                y + 4.5,
                short(&row.instead, ends.1 - ends.0)
            );
        }
        for (run, value) in row.values.iter().enumerate() {
            // A little up or down, so that equal scores can be told apart.
            let aside = [0.0, -7.0, 7.0][run % 3];
            svg += &marker(at, scale.at(*value), y + aside);
        }
        if let Some(mean) = row.mean {
            let x = scale.at(mean);
            let _ = write!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"var(--ink)\" stroke-width=\"3\"><title>mean {}</title></line>",
                y - 11.0,
                y + 11.0,
                number(mean)
            );
        }
    }
    svg + "</svg>\n"
}

/// Scores over steps: a thin line per run, a thick one for the mean, the variant's name at its end.
pub(crate) fn curves(all: &[Curves], label: &str, size: &Size) -> String {
    let height = if size.width > 500.0 { 430.0 } else { 330.0 };
    let (top, bottom, left) = (14.0, height - 48.0, 62.0f64.min(size.left));
    // Room for the names at the lines' ends.
    let right = size.width - if size.width > 500.0 { 170.0 } else { 96.0 };
    let points = || all.iter().flat_map(|c| c.runs.iter().flatten());
    let x = Scale::new(points().map(|(step, _)| *step as f64), false, (left, right)).with_zero();
    let y = Scale::new(points().map(|(_, value)| *value), true, (bottom, top)).with_zero();
    let mut svg = open(size, height, &format!("{label} over steps"));
    for tick in y.ticks(6) {
        let at = y.at(tick);
        let _ =
            write!(svg, "<line x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"var(--line)\"/>");
        let _ = write!(
            svg,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.5,
            number(tick)
        );
    }
    for tick in x.ticks(if size.width > 500.0 { 8 } else { 3 }) {
        let _ = write!(
            svg,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x.at(tick),
            bottom + 20.0,
            number(tick)
        );
    }
    let log = if y.is_log() { ", log scale" } else { "" };
    let _ = write!(
        svg,
        "<text class=\"soft\" x=\"{left}\" y=\"{:.1}\">{}{log}, over steps</text>",
        bottom + 42.0,
        escape(label)
    );
    let mut ends = Vec::new();
    for (at, curve) in all.iter().enumerate() {
        let place = |points: &[(u64, f64)]| {
            let place = |(step, value): &(u64, f64)| format!("{:.1},{:.1}", x.at(*step as f64), y.at(*value));
            points.iter().map(place).collect::<Vec<_>>().join(" ")
        };
        let style = format!("fill=\"none\" stroke=\"{}\" stroke-dasharray=\"{}\"", colour(at), DASHES[at % 8]);
        for run in &curve.runs {
            let _ = write!(svg, "<polyline points=\"{}\" {style} stroke-width=\"1\" opacity=\".45\"/>", place(run));
        }
        let mean = mean(&curve.runs);
        let _ = write!(svg, "<polyline points=\"{}\" {style} stroke-width=\"2.5\"/>", place(&mean));
        if let Some((step, value)) = mean.last() {
            ends.push((y.at(*value), x.at(*step as f64), at));
            svg += &marker(at, x.at(*step as f64), y.at(*value));
        }
    }
    for (text, end, line, at) in apart(ends, 17.0, bottom) {
        let name = short(&all[at].name, size.width - right - 18.0);
        let _ = write!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{end:.1}\" x2=\"{:.1}\" y2=\"{text:.1}\" stroke=\"var(--line)\"/>",
            line + 7.0,
            right + 14.0
        );
        let _ = write!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", right + 16.0, text + 4.5);
    }
    svg + "</svg>\n"
}

/// Labels `(place, x, variant)` moved so that no two are nearer than `gap`: `(new place, old place, x, variant)`.
fn apart(mut ends: Vec<(f64, f64, usize)>, gap: f64, bottom: f64) -> Vec<(f64, f64, f64, usize)> {
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut places: Vec<f64> = ends.iter().map(|end| end.0).collect();
    for at in 1..places.len() {
        places[at] = places[at].max(places[at - 1] + gap);
    }
    // What slid over the end moves back up.
    let mut limit = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - gap;
    }
    ends.into_iter().zip(places).map(|((y, x, at), place)| (place, y, x, at)).collect()
}

/// The mean over runs at every step that all of them were scored at.
fn mean(runs: &[Vec<(u64, f64)>]) -> Vec<(u64, f64)> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let at = |run: &[(u64, f64)], step: u64| run.iter().find(|(s, _)| *s == step).map(|(_, value)| *value);
    let mean = |&(step, value): &(u64, f64)| {
        let sum = others.iter().try_fold(value, |sum, run| Some(sum + at(run, step)?))?;
        Some((step, sum / runs.len() as f64))
    };
    first.iter().filter_map(mean).collect()
}

fn open(size: &Size, height: f64, about: &str) -> String {
    let (class, width) = (size.class, size.width);
    format!("<svg class=\"{class}\" viewBox=\"0 0 {width} {height:.0}\" role=\"img\" aria-label=\"{}\">", escape(about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_taken_where_all_runs_have_a_score() {
        let runs = vec![vec![(10, 1.0), (20, 3.0), (25, 9.0)], vec![(10, 2.0), (20, 5.0)]];
        assert_eq!(mean(&runs), [(10, 1.5), (20, 4.0)]);
        assert_eq!(mean(&[]), []);
    }

    #[test]
    fn labels_keep_apart_and_inside() {
        let placed = apart(vec![(90.0, 1.0, 0), (95.0, 1.0, 1), (10.0, 1.0, 2)], 17.0, 100.0);
        let of = |variant: usize| placed.iter().find(|p| p.3 == variant).map(|p| p.0);
        assert_eq!((of(2), of(0), of(1)), (Some(10.0), Some(83.0), Some(100.0)));
    }

    #[test]
    fn numbers_keep_four_digits() {
        let all = [0.0, 12345.678, 1.0, 0.012345, -3.45678, 1e-12].map(number);
        assert_eq!(all, ["0", "12346", "1", "0.01235", "-3.457", "0"]);
    }

    #[test]
    fn charts_hold_a_mark_per_run_and_every_name() {
        let row = |name: &str, values: &[f64]| Dots {
            name: name.into(),
            values: values.to_vec(),
            mean: values.first().copied(),
            instead: "refused".into(),
        };
        let svg = dots(&[row("a<b", &[1.0, 2.0]), row("c", &[3.0]), row("d", &[])], "fid", &SIZES[0]);
        assert_eq!((svg.matches("<circle").count(), svg.matches("<rect").count()), (2, 1), "{svg}");
        assert!(svg.contains("a&lt;b") && svg.contains(">refused<") && !svg.contains("NaN"), "{svg}");
        let curve = |name: &str, end| Curves { name: name.into(), runs: vec![vec![(0, 1.0), (10, end)]] };
        let svg = curves(&[curve("one", 0.5), curve("two", 0.4)], "score", &SIZES[1]);
        assert!(svg.contains(">one<") && svg.contains(">two<") && svg.contains("stroke-dasharray=\"7 4\""), "{svg}");
        assert!(!curves(&[], "score", &SIZES[0]).contains("NaN"));
    }
}
