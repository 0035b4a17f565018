//! [`crate::chain::normed`] on blocks.

use super::{Chain, with_halves, with_weights};
use crate::batchnorm::{Layer, forward_here, moments};
use crate::stored::{Values, ValuesMut};
use rayon::prelude::*;

impl Chain<'_> {
    /// What the first stage makes, and its moments: of each image those of its blocks, some images' after the others'.
    pub(crate) fn forward_to_middle(&self, x: Values, middle: ValuesMut) -> Vec<Vec<moments::Part>> {
        let [first, _] = self.stages;
        let [wide, size, _] = self.sizes;
        let images = self.images_at_once();
        with_weights(self.unit, &self.forward[0], first.weight, Some(first.bias), |one| {
            let groups = middle.chunks(images * size).zip(x.chunks(images * wide));
            let each = |(mut middle, x): (ValuesMut, Values)| {
                one.run_here(x, first.activation.into(), middle.again());
                let middle = middle.read();
                let images = (0..middle.len()).step_by(size).map(|first| middle.part(first..first + size));
                images.flat_map(|image| moments::parts_here(image, first.channels())).collect()
            };
            groups.map(each).collect()
        })
    }

    /// Normalisation and the second stage, image by image.
    pub(crate) fn forward_from_middle(&self, layer: &Layer, middle: Values, y: ValuesMut) {
        let [_, second] = self.stages;
        let [_, size, narrow] = self.sizes;
        with_weights(self.unit, &self.forward[1], second.weight, Some(second.bias), |two| {
            y.chunks(narrow).zip(middle.chunks(size)).for_each(|(y, middle)| {
                with_halves(size, |made| {
                    forward_here(middle, layer, ValuesMut::Bf16(&mut *made));
                    two.run_here(Values::Bf16(made), second.activation.into(), y);
                });
            });
        });
    }
}
