//! Series of images under a seed: as pictures, and as values to be judged.

use super::Sampler;
use crate::data::{LabelKind, alpha};
use crate::error::Result;
use crate::metrics::GeneratedSet;
use crate::render::Images;

/// They are drawn in parts of this size.
const PART: usize = 1024;

impl Sampler {
    /// Images number 0 to `n` under `seed`, as bytes; of all classes as often as in the training data. They are those of
    /// the command `sample`.
    ///
    /// # Errors
    /// A generator of points, or of images with other than 1, 3 or 4 channels: they have [`Self::values`] only. `n` of 0.
    pub fn draw(&self, n: usize, seed: u64) -> Result<Images> {
        Images::from_values(&self.series(n, seed, None)?.0, self.shape(), self.bounds())
    }

    /// As [`Self::draw`], of the class (or with the attributes) called `class`.
    ///
    /// # Errors
    /// As [`Self::draw`] and [`Self::encode_label`].
    pub fn draw_class(&self, class: &str, n: usize, seed: u64) -> Result<Images> {
        Images::from_values(&self.series(n, seed, Some(class))?.0, self.shape(), self.bounds())
    }

    /// Its first `n` images under `seed`, of one class or, without, of all as often as in the data; values in [0, 1], in
    /// 256 steps.
    ///
    /// # Errors
    /// An unknown class.
    pub fn generated(&self, n: usize, seed: u64, class: Option<&str>) -> Result<GeneratedSet> {
        self.in_unit_range(self.series(n, seed, class)?)
    }

    /// As [`Self::generated`], with the label rows `labels`, `[n, labels]`.
    ///
    /// # Errors
    /// Rows of another length.
    pub(crate) fn generated_with(&self, labels: &[f32], seed: u64) -> Result<GeneratedSet> {
        let width = self.labels().names.len();
        let rows = |first: usize, part: usize| labels[first * width..(first + part) * width].to_vec();
        self.in_unit_range(self.series_of(labels.len() / width.max(1), seed, rows)?)
    }

    fn in_unit_range(&self, (mut images, asked): (Vec<f32>, Vec<u32>)) -> Result<GeneratedSet> {
        self.range().to_unit(&mut images);
        if self.shape().height >= 4 {
            images.iter_mut().for_each(|v| *v = (v.clamp(0.0, 1.0) * 255.0).round() / 255.0);
            if self.shape().channels == 4 {
                alpha::clear(&mut images);
            }
        }
        let labels = self.labels();
        let asked = (!labels.names.is_empty() && labels.kind == LabelKind::Classes).then_some(asked);
        Ok(GeneratedSet { images, asked })
    }

    /// Values of the first `n` images under `seed`, and the class that each was asked to show.
    fn series(&self, n: usize, seed: u64, class: Option<&str>) -> Result<(Vec<f32>, Vec<u32>)> {
        let row = class.map(|class| self.encode_label(class)).transpose()?;
        self.series_of(n, seed, |first, part| match &row {
            Some(row) => row.repeat(part),
            None => self.sample_labels(seed, first as u64, part),
        })
    }

    /// The same, with the rows `labels(first, count)` for images number `first` to `first + count`.
    fn series_of(
        &self,
        n: usize,
        seed: u64,
        labels: impl Fn(usize, usize) -> Vec<f32>,
    ) -> Result<(Vec<f32>, Vec<u32>)> {
        let width = self.labels().names.len();
        let (mut images, mut asked) = (Vec::new(), Vec::new());
        for first in (0..n).step_by(PART) {
            let part = PART.min(n - first);
            let labels = labels(first, part);
            images.extend(self.values(&self.noise(seed, first as u64, part), Some(&labels))?);
            let classes = labels.chunks(width.max(1)).filter_map(|row| row.iter().position(|v| *v == 1.0));
            asked.extend(classes.map(|class| class as u32));
        }
        Ok((images, asked))
    }
}
