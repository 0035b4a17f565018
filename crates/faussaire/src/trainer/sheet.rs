//! The sheet of a run at a step: images from fixed latents or, if the "images" are 2-D points, a scatter plot of real
//! and generated ones.

use crate::data::fill;
use crate::error::Result;
use crate::render::{Images, Picture, scatter, sheet};
use crate::train::Gan;

/// Rows and columns of a sheet; that of a conditional net has a row per label.
const SHEET: (usize, usize) = (4, 10);
/// Number of points of each colour.
const POINTS: usize = 2000;

/// The sheet of `gan` at its current step.
pub(super) fn of(gan: &Gan) -> Result<Picture> {
    if gan.image_shape().len() == 2 {
        return plot(gan);
    }
    let (rows, columns) = SHEET;
    let (latents, rows) = gan.sheet_latents(rows, columns);
    let values = gan.generate(&latents)?;
    let images = Images::from_values(&values, gan.image_shape(), gan.range().bounds())?;
    sheet::sheet(&images, rows, columns, &sheet::Options::default())
}

/// A scatter plot of real and generated points.
fn plot(gan: &Gan) -> Result<Picture> {
    let mut real = Vec::new();
    let indices: Vec<usize> = (0..gan.dataset().len().min(POINTS)).collect();
    fill(gan.dataset(), &indices, &mut real)?;
    let mut generated = gan.generate(&gan.fixed_latents(POINTS))?;
    gan.range().to_unit(&mut generated);
    let (real, generated) = (points(&real), points(&generated));
    let plot = scatter::Plot { real: &real, generated: &generated };
    scatter::scatter(plot, 1.0, &scatter::Options::default())
}

/// Values in [0, 1] as points in the window from -1 to 1.
pub(super) fn points(values: &[f32]) -> Vec<[f32; 2]> {
    values.chunks_exact(2).map(|p| [2.0 * p[0] - 1.0, 2.0 * p[1] - 1.0]).collect()
}
