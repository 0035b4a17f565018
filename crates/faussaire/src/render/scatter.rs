//! Scatter plots: points of the plane in a square window, real ones in blue and generated ones in orange (of the palette
//! of Okabe and Ito, which colour-blind people tell apart). The window is fixed by the caller and never fitted to the
//! points, so that plots of different steps can be compared; points outside it are not drawn.

use super::Picture;
use crate::data::ImageShape;
use crate::error::{Error, Result};

/// The largest side of one plot, in pixels.
const MAX_SIDE: usize = 4096;

/// The most plots in one picture.
const MAX_PLOTS: usize = 64;

const PAPER: [f32; 3] = [255.0; 3];
const FRAME: [f32; 3] = [96.0; 3];
const AXIS: [f32; 3] = [222.0; 3];

/// The colour of real points.
pub const REAL: [u8; 3] = [0, 114, 178];

/// The colour of generated points.
pub const GENERATED: [u8; 3] = [230, 159, 0];

/// What one plot shows, in plane units; the generated points lie over the real ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plot<'a> {
    /// Points of the data set.
    pub real: &'a [[f32; 2]],
    /// Points of a generator.
    pub generated: &'a [[f32; 2]],
}

/// How plots are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Width and height of each plot, in pixels.
    pub side: usize,
    /// The radius of a point, in pixels.
    pub radius: f32,
    /// How much of what lies under it a point covers, above 0 to 1.
    pub opacity: f32,
    /// Pixels between plots, and around all of them.
    pub gap: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { side: 384, radius: 1.6, opacity: 0.5, gap: 8 }
    }
}

/// One plot of the plane from `-window` to `window` both ways, y upwards.
///
/// # Errors
/// As [`panels`].
pub fn scatter(plot: Plot<'_>, window: f32, options: &Options) -> Result<Picture> {
    panels(&[plot], window, options)
}

/// Several plots of the same window in a row.
///
/// # Errors
/// Where there is no plot, or more than 64; where window, side, radius or opacity make no picture; where a point is no
/// number.
pub fn panels(plots: &[Plot<'_>], window: f32, options: &Options) -> Result<Picture> {
    check(plots, window, options)?;
    let Options { side, gap, .. } = *options;
    let shape = ImageShape { height: side + 2 * gap, width: plots.len() * (side + gap) + gap, channels: 3 };
    let mut picture = Picture { shape, bytes: vec![255; shape.len()] };
    for (place, plot) in plots.iter().enumerate() {
        let canvas = draw(plot, window, options);
        let left = gap + place * (side + gap);
        for (row, pixels) in canvas.pixels.chunks_exact(side).enumerate() {
            let start = ((gap + row) * shape.width + left) * 3;
            let bytes = pixels.iter().flatten().map(|value| value.round() as u8);
            picture.bytes[start..start + 3 * side].iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
    }
    Ok(picture)
}

fn check(plots: &[Plot<'_>], window: f32, options: &Options) -> Result<()> {
    let Options { side, radius, opacity, gap } = *options;
    if plots.is_empty() || plots.len() > MAX_PLOTS {
        return Err(Error::usage(format!("{} plots can't share a picture", plots.len()), "expected 1 to 64"));
    }
    let drawable = window.is_finite()
        && window > 0.0
        && (16..=MAX_SIDE).contains(&side)
        && gap <= side
        && radius > 0.0
        && radius <= side as f32
        && opacity > 0.0
        && opacity <= 1.0;
    if !drawable {
        return Err(Error::usage(
            format!("no plot has a window of {window} and {options:?}"),
            "expected a window above 0, a side from 16 to 4096, a radius above 0 and an opacity above 0 to 1",
        ));
    }
    let mut points = plots.iter().flat_map(|plot| plot.real.iter().chain(plot.generated));
    match points.find(|point| !point.iter().all(|value| value.is_finite())) {
        None => Ok(()),
        Some([x, y]) => Err(Error::Diverged {
            what: format!("a point lies at ({x}, {y})"),
            hint: "training has diverged: lower the learning rate, or go on from an earlier checkpoint".to_owned(),
        }),
    }
}

/// A square of RGB values from 0 to 255, row by row.
struct Canvas {
    side: usize,
    pixels: Vec<[f32; 3]>,
}

fn draw(plot: &Plot<'_>, window: f32, options: &Options) -> Canvas {
    let side = options.side;
    let mut canvas = Canvas { side, pixels: vec![PAPER; side * side] };
    for at in 0..side {
        canvas.pixels[side / 2 * side + at] = AXIS;
        canvas.pixels[at * side + side / 2] = AXIS;
    }
    for (points, colour) in [(plot.real, REAL), (plot.generated, GENERATED)] {
        for &[x, y] in points {
            if x.abs() <= window && y.abs() <= window {
                // The middle of the left pixel is -window, that of the right one window.
                let place = |value: f32| (value / window + 1.0) / 2.0 * (side - 1) as f32;
                canvas.disc(place(x), place(-y), options.radius, colour.map(f32::from), options.opacity);
            }
        }
    }
    for at in 0..side {
        for edge in [at, (side - 1) * side + at, at * side, at * side + side - 1] {
            canvas.pixels[edge] = FRAME;
        }
    }
    canvas
}

impl Canvas {
    /// Blends a disc whose edge is soft over one pixel, with its centre at (`x`, `y`) in pixels.
    fn disc(&mut self, x: f32, y: f32, radius: f32, colour: [f32; 3], opacity: f32) {
        let reach = radius + 1.0;
        let last = (self.side - 1) as f32;
        let span = |centre: f32| {
            let (from, to) = ((centre - reach).max(0.0).ceil(), (centre + reach).min(last).floor());
            from as usize..=to as usize
        };
        for row in span(y) {
            for column in span(x) {
                let distance = (column as f32 - x).hypot(row as f32 - y);
                let cover = opacity * (radius + 0.5 - distance).clamp(0.0, 1.0);
                let pixel = &mut self.pixels[row * self.side + column];
                for (value, ink) in pixel.iter_mut().zip(colour) {
                    *value += cover * (ink - *value);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Points, Toy};

    const PLAIN: Options = Options { side: 101, radius: 2.0, opacity: 1.0, gap: 0 };

    fn pixel(picture: &Picture, row: usize, column: usize) -> [u8; 3] {
        let start = (row * picture.shape.width + column) * 3;
        picture.bytes[start..start + 3].try_into().unwrap()
    }

    #[test]
    fn points_are_where_they_belong() {
        let plot = Plot { real: &[[-1.0, 1.0]], generated: &[[1.0, 0.5]] };
        let picture = scatter(plot, 2.0, &PLAIN).unwrap();
        assert_eq!((picture.shape.height, picture.shape.width, picture.shape.channels), (101, 101, 3));
        // x = -1 is a quarter from the left, y = 1 a quarter from the top.
        assert_eq!(pixel(&picture, 25, 25), REAL);
        assert_eq!(pixel(&picture, 37, 75), GENERATED);
        assert_eq!((pixel(&picture, 80, 20), pixel(&picture, 0, 40)), ([255; 3], [96; 3]));
        assert_eq!((pixel(&picture, 50, 10), pixel(&picture, 10, 50)), ([222; 3], [222; 3]));
        // The edge is soft: 2.24 pixels off, a quarter is left.
        let soft = pixel(&picture, 26, 27);
        assert!(soft[0] > REAL[0] && soft[0] < 255, "{soft:?}");
        assert_eq!(pixel(&picture, 25, 28), [255; 3]);
    }

    #[test]
    fn what_lies_outside_is_not_drawn_and_the_window_stays() {
        let plain = scatter(Plot::default(), 2.0, &PLAIN).unwrap();
        let outside = Plot { real: &[[2.1, 0.0], [0.0, -9.0], [1e30, -1e30]], generated: &[[-2.5, -2.5]] };
        assert_eq!(scatter(outside, 2.0, &PLAIN).unwrap(), plain);
        // On the very edge and in the corner.
        let edge = Plot { real: &[[2.0, 2.0], [-2.0, 0.3]], generated: &[] };
        assert_ne!(scatter(edge, 2.0, &PLAIN).unwrap(), plain);
    }

    #[test]
    fn panels_stand_in_a_row() {
        let plots = [Plot { real: &[[0.5, 0.5]], generated: &[] }, Plot { real: &[], generated: &[[-0.5, -0.5]] }];
        let options = Options { gap: 5, ..PLAIN };
        let picture = panels(&plots, 1.0, &options).unwrap();
        assert_eq!((picture.shape.height, picture.shape.width), (111, 217));
        assert_eq!(pixel(&picture, 5 + 25, 5 + 75), REAL);
        assert_eq!(pixel(&picture, 5 + 75, 111 + 25), GENERATED);
        assert_eq!((pixel(&picture, 50, 108), pixel(&picture, 2, 50)), ([255; 3], [255; 3]));
    }

    #[test]
    fn a_toy_shows_its_modes() {
        let set = Points::new(Toy::Ring, 1, 200);
        let mut values = vec![0.0; 400];
        values.chunks_mut(2).enumerate().for_each(|(index, out)| set.read(index, out).unwrap());
        let real = Toy::Ring.to_plane(&values);
        let picture = scatter(Plot { real: &real, generated: &[] }, Toy::Ring.window(), &PLAIN).unwrap();
        for [x, y] in Toy::Ring.modes() {
            let place = |value: f32| ((value / 3.0 + 1.0) * 50.0).round() as usize;
            assert_eq!(pixel(&picture, place(-y), place(x)), REAL);
        }
    }

    #[test]
    fn impossible_plots_are_refused() {
        let one = [Plot { real: &[[0.0, 0.0]], generated: &[] }];
        assert!(panels(&[], 1.0, &PLAIN).is_err() && panels(&[Plot::default(); 65], 1.0, &PLAIN).is_err());
        for (window, options) in [
            (0.0, PLAIN),
            (f32::NAN, PLAIN),
            (1.0, Options { side: 5000, ..PLAIN }),
            (1.0, Options { radius: f32::NAN, ..PLAIN }),
            (1.0, Options { opacity: 1.5, ..PLAIN }),
            (1.0, Options { gap: usize::MAX, ..PLAIN }),
        ] {
            assert!(panels(&one, window, &options).is_err(), "{window} {options:?}");
        }
        let wild = Plot { real: &[], generated: &[[0.0, f32::INFINITY]] };
        assert!(scatter(wild, 1.0, &PLAIN).unwrap_err().to_string().contains("(0, inf)"));
    }
}
