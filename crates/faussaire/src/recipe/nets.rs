//! The nets that a recipe describes.

use super::{Recipe, check};
use crate::error::{Error, Result};
use crate::net::{Network, Setting, Shape};

impl Recipe {
    /// The two nets, generator first.
    ///
    /// # Errors
    /// Values that [`validate`](Self::validate) refuses, layers that can't be parsed or don't fit each other, or a
    /// discriminator that doesn't end in one score.
    pub fn networks(&self) -> Result<(Network, Network)> {
        self.validate()?;
        let labels = self.labels.names.len();
        let input = Shape::Flat(self.latent);
        let setting = Setting { input, labels, spectral: self.generator.spectral };
        let generator = Network::build("generator", &self.generator.layers, setting)?;
        let [h, w, c] = generator.output().dims();
        let input = match generator.output() {
            Shape::Flat(n) => Shape::Flat(n * self.train.pac),
            Shape::Image(..) => Shape::Image(h, w, c * self.train.pac),
        };
        let setting = Setting { input, labels, spectral: self.discriminator.spectral };
        let discriminator = Network::build("discriminator", &self.discriminator.layers, setting)?;
        let scores = if discriminator.guesses_labels() { 1 + labels } else { 1 };
        // A vector is a 1x1 image.
        if discriminator.output().dims() != [1, 1, scores] {
            return Err(Error::recipe(
                format!("the discriminator ends with shape {}, expected one score per image", discriminator.output()),
                "end its layers with \"flatten\", \"dense 1\"",
            ));
        }
        check::networks(self, &generator, &discriminator)?;
        for net in [&generator, &discriminator] {
            if net.parameters().1 == 0 {
                return Err(Error::recipe(
                    format!("the {} can't be trained: none of its layers has weights", net.name()),
                    "add a dense or conv layer",
                ));
            }
        }
        Ok((generator, discriminator))
    }
}
