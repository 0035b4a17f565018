//! A line chart as a file of its own, for somebody's report: an SVG picture, or the same as pixels. Unlike the charts of our
//! pages it brings its colours and fonts, and has one size.

use std::fmt::Write as _;

use super::axis::Scale;
use super::lines::{Lines, mean, smoothed};
use super::{Look, number};
use crate::data::ImageShape;
use crate::render::{Picture, font};

/// Size in the units of the SVG picture.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// The frame of the curves.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 350.0;
/// Pixels per unit.
const SCALE: f64 = 2.0;
/// Pixels per pixel of a glyph.
const TEXT: usize = 3;
/// Height of letters in units, and their mean width, where a font of this size is used.
const FONT: f64 = 14.0;

const GREY: &str = "#d8d8d8";
const BLACK: &str = "#222222";
/// Colours that differ in brightness, too (Okabe & Ito), in the order of the series.
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c8c00"];

/// Where a text's given place lies in it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// What a figure is drawn of.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        colour: &'static str,
        dash: &'static str,
        opacity: f64,
    },
    /// `y` is the middle of the letters.
    Text {
        x: f64,
        y: f64,
        anchor: Anchor,
        text: String,
    },
}

/// A chart, laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    title: String,
    shapes: Vec<Shape>,
}

impl Figure {
    pub(crate) fn of(chart: &Lines) -> Self {
        let points = || chart.series.iter().flat_map(|series| series.runs.iter().flatten());
        let steps = points().map(|(step, _)| *step as f64).chain([0.0, chart.last_step as f64]);
        let x = Scale::new(steps, false, (LEFT, RIGHT));
        let y = Scale::new(points().map(|(_, value)| *value), true, (BOTTOM, TOP)).with_zero().rounded(4);
        let mut shapes = Vec::new();
        let text = |x, y, anchor, text: &str| Shape::Text { x, y, anchor, text: text.to_owned() };
        let line = |points, width, colour, dash, opacity| Shape::Line { points, width, colour, dash, opacity };
        for value in y.ticks(4) {
            shapes.push(line(vec![(LEFT, y.at(value)), (RIGHT, y.at(value))], 1.0, GREY, "", 1.0));
            shapes.push(text(LEFT - 8.0, y.at(value), Anchor::End, &number(value)));
        }
        shapes.push(line(vec![(LEFT, BOTTOM), (RIGHT, BOTTOM)], 1.0, BLACK, "", 1.0));
        for value in x.ticks(5) {
            shapes.push(text(x.at(value), BOTTOM + 16.0, Anchor::Middle, &number(value)));
        }
        shapes.push(text(RIGHT, HEIGHT - 14.0, Anchor::End, "step"));
        let title = if y.is_log() { format!("{} (log scale)", chart.title) } else { chart.title.clone() };
        shapes.push(text(LEFT, 20.0, Anchor::Start, &title));
        let at = |curve: &[(u64, f64)]| curve.iter().map(|(step, value)| (x.at(*step as f64), y.at(*value))).collect();
        let mut legend = LEFT;
        for (nth, series) in chart.series.iter().enumerate() {
            let (colour, Look { dash, .. }) = (COLOURS[nth % COLOURS.len()], Look::of(nth));
            let curve = mean(&series.runs);
            let thick = if chart.smooth { smoothed(&curve) } else { curve.clone() };
            if thick != curve {
                shapes.push(line(at(&curve), 1.0, colour, "", 0.35));
            }
            shapes.push(line(at(&thick), 2.5, colour, dash, 1.0));
            shapes.push(line(vec![(legend, 44.0), (legend + 30.0, 44.0)], 2.5, colour, dash, 1.0));
            shapes.push(text(legend + 38.0, 44.0, Anchor::Start, &series.name));
            legend += 62.0 + font::width(&series.name, TEXT) as f64 / SCALE;
        }
        Self { title, shapes }
    }

    /// The figure as an SVG file.
    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"Helvetica, Arial, sans-serif\" font-size=\"{FONT}\" fill=\"{BLACK}\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
            escaped(&self.title)
        );
        for shape in &self.shapes {
            // Writing to a string doesn't fail.
            let _ = match shape {
                Shape::Line { points, width, colour, dash, opacity } => {
                    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                    let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
                    writeln!(
                        svg,
                        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
                         stroke-opacity=\"{opacity}\"{dash}/>",
                        points.join(" ")
                    )
                }
                Shape::Text { x, y, anchor, text } => {
                    let anchor = match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    };
                    let text = escaped(text);
                    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" dy=\".35em\" text-anchor=\"{anchor}\">{text}</text>")
                }
            };
        }
        svg + "</svg>\n"
    }

    /// The figure as pixels, RGB on white.
    pub(crate) fn picture(&self) -> Picture {
        let (width, height) = ((WIDTH * SCALE) as usize, (HEIGHT * SCALE) as usize);
        let shape = ImageShape { height, width, channels: 3 };
        let mut picture = Picture { shape, bytes: vec![255; shape.len()] };
        for shape in &self.shapes {
            match shape {
                Shape::Line { points, width, colour, dash, opacity } => {
                    let points: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x * SCALE, y * SCALE)).collect();
                    let cover = covered(&points, width * SCALE, &dashes(dash), picture.shape);
                    for (at, cover) in cover.into_iter().filter(|(_, cover)| *cover > 0.0) {
                        blend(&mut picture, at, colour, cover * opacity);
                    }
                }
                Shape::Text { x, y, anchor, text } => {
                    let long = font::width(text, TEXT) as f64;
                    let shift = match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => long / 2.0,
                        Anchor::End => long,
                    };
                    let left = (x * SCALE - shift).round() as i64;
                    let top = (y * SCALE).round() as i64 - font::height(TEXT) as i64 / 2;
                    font::draw(text, TEXT, |column, row| {
                        let (x, y) = (left + column as i64, top + row as i64);
                        if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                            blend(&mut picture, y as usize * width + x as usize, BLACK, 1.0);
                        }
                    });
                }
            }
        }
        picture
    }
}

/// Lengths of dashes and gaps in pixels, in turn; none for a whole line.
fn dashes(pattern: &str) -> Vec<f64> {
    pattern.split_whitespace().filter_map(|length| length.parse::<f64>().ok()).map(|length| length * SCALE).collect()
}

/// Whether a line with these `dashes` is drawn at `along`, a length from its beginning.
fn is_drawn(dashes: &[f64], along: f64) -> bool {
    let whole: f64 = dashes.iter().sum();
    if whole <= 0.0 {
        return true;
    }
    let mut left = along % whole;
    for (nth, length) in dashes.iter().enumerate() {
        if left < *length {
            return nth % 2 == 0;
        }
        left -= length;
    }
    true
}

/// The pixels that a line covers, and the share of each that it covers.
fn covered(points: &[(f64, f64)], width: f64, dashes: &[f64], shape: ImageShape) -> Vec<(usize, f64)> {
    let mut cover = std::collections::BTreeMap::new();
    let mut begun = 0.0;
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        let (dx, dy) = (x1 - x0, y1 - y0);
        let length = dx.hypot(dy);
        if length == 0.0 || !length.is_finite() {
            continue;
        }
        let reach = width / 2.0 + 1.0;
        let span = |a: f64, b: f64, most: usize| {
            let low = (a.min(b) - reach).floor().clamp(0.0, most as f64) as usize;
            low..((a.max(b) + reach).ceil().clamp(0.0, most as f64) as usize)
        };
        for y in span(y0, y1, shape.height) {
            for x in span(x0, x1, shape.width) {
                let (px, py) = (x as f64 + 0.5 - x0, y as f64 + 0.5 - y0);
                let along = ((px * dx + py * dy) / length).clamp(0.0, length);
                let distance = (px - dx * along / length).hypot(py - dy * along / length);
                let share = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0);
                if share > 0.0 && is_drawn(dashes, begun + along) {
                    let most = cover.entry(y * shape.width + x).or_insert(0.0f64);
                    *most = most.max(share);
                }
            }
        }
        begun += length;
    }
    cover.into_iter().collect()
}

/// Mixes `colour` into pixel number `at`.
fn blend(picture: &mut Picture, at: usize, colour: &str, share: f64) {
    for (channel, byte) in picture.bytes[3 * at..3 * at + 3].iter_mut().enumerate() {
        let digits = colour.get(1 + 2 * channel..3 + 2 * channel).unwrap_or("00");
        let paint = f64::from(u8::from_str_radix(digits, 16).unwrap_or(0));
        *byte = (f64::from(*byte) + (paint - f64::from(*byte)) * share).round().clamp(0.0, 255.0) as u8;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::lines::Series;
    use super::*;

    fn chart(series: &[(&str, &[(u64, f64)])]) -> Lines {
        let series = series.iter().map(|(name, run)| Series { name: (*name).into(), runs: vec![run.to_vec()] });
        Lines { title: "Losses & more".into(), series: series.collect(), ..Lines::default() }
    }

    /// The number of pixels of `colour`.
    fn pixels(picture: &Picture, colour: &str) -> usize {
        let wanted: Vec<u8> =
            (0..3).map(|c| u8::from_str_radix(&colour[1 + 2 * c..3 + 2 * c], 16).unwrap_or(0)).collect();
        picture.bytes.chunks_exact(3).filter(|pixel| **pixel == wanted[..]).count()
    }

    #[test]
    fn both_forms_show_every_series_in_its_colour() {
        let figure = Figure::of(&chart(&[("one", &[(0, 1.0), (100, 2.0)]), ("two", &[(0, 2.0), (100, 1.0)])]));
        let (svg, picture) = (figure.svg(), figure.picture());
        assert_eq!((picture.shape.width, picture.shape.height, picture.bytes.len()), (1280, 800, 1280 * 800 * 3));
        for colour in &COLOURS[..2] {
            assert_eq!(svg.matches(colour).count(), 2, "{svg}");
            assert!(pixels(&picture, colour) > 2000, "{colour}");
        }
        assert!(svg.contains("Losses &amp; more") && svg.contains(">two<") && svg.starts_with("<svg xmlns="), "{svg}");
        assert_eq!(pixels(&picture, COLOURS[2]), 0);
        // A dashed line has fewer pixels than a whole one as long as it.
        assert!(pixels(&picture, COLOURS[1]) * 10 < pixels(&picture, COLOURS[0]) * 9);
    }

    #[test]
    fn curves_stay_within_their_frame() {
        let figure = Figure::of(&chart(&[("one", &[(0, 0.1), (50, 900.0), (100, 0.2)])]));
        let lines = figure.shapes.iter().filter_map(|shape| match shape {
            Shape::Line { points, colour, .. } if *colour == COLOURS[0] => Some(points),
            _ => None,
        });
        for (x, y) in lines.flatten() {
            assert!((LEFT..=RIGHT).contains(x) && (40.0..=BOTTOM).contains(y), "{x} {y}");
        }
        assert!(figure.title.ends_with("(log scale)"));
    }
}
