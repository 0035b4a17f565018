//! The nets of a recipe made for images of any size. The generator starts from a grid of about 4 to 7 pixels and doubles it until
//! the image fits in, then crops what is too much; the discriminator halves the image, rounding up. Widths double where sides
//! halve.

use crate::data::ImageShape;

/// The shorter side of the generator's first grid is from this to twice as much, that of the discriminator's last one at most
/// this.
const GRID: usize = 4;
/// A discriminator that halves the image less often has too few weights beside the generator.
const MIN_HALVINGS: u32 = 2;
/// Widths grow towards the small grids up to this number of channels.
const MAX_WIDTH: usize = 256;

/// The nets for images of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nets {
    pub shape: ImageShape,
    /// Channels of the generator's full-sized images.
    pub width: usize,
    /// How often the generator doubles its first grid.
    pub doublings: u32,
    /// How often the discriminator halves the image.
    pub halvings: u32,
}

/// Sides after `times` halvings.
fn halved(shape: ImageShape, times: u32) -> (usize, usize) {
    (shape.height.div_ceil(1 << times), shape.width.div_ceil(1 << times))
}

impl Nets {
    pub fn new(shape: ImageShape, width: usize) -> Self {
        let shortest = |times| {
            let (height, width) = halved(shape, times);
            height.min(width)
        };
        let doublings = (shape.height.min(shape.width) / GRID).max(1).ilog2();
        let halvings = (MIN_HALVINGS..16).find(|times| shortest(*times) <= GRID).unwrap_or(MIN_HALVINGS);
        Self { shape, width, doublings, halvings }
    }

    /// The generator's first grid.
    pub fn first_grid(&self) -> (usize, usize) {
        halved(self.shape, self.doublings)
    }

    /// The doubled grid that the image is cropped from.
    pub fn uncropped(&self) -> (usize, usize) {
        let (height, width) = self.first_grid();
        (height << self.doublings, width << self.doublings)
    }

    /// The discriminator's last grid.
    pub fn last_grid(&self) -> (usize, usize) {
        halved(self.shape, self.halvings)
    }

    /// Channels of the generator where the sides are `times` halved.
    pub fn generator_width(&self, times: u32) -> usize {
        (self.width << times).min(MAX_WIDTH)
    }

    /// Channels of the discriminator after `times` halvings, from 1.
    pub fn discriminator_width(&self, times: u32) -> usize {
        ((self.width * 3 / 2) << (times - 1)).min(MAX_WIDTH)
    }

    pub fn generator(&self) -> Vec<String> {
        let ((height, width), channels) = (self.first_grid(), self.generator_width(self.doublings));
        let mut lines =
            vec![format!("dense {height}*{width}*{channels}"), format!("reshape {height} {width} {channels}")];
        let normalised = ["batchnorm", "leakyrelu 0.2"].map(String::from);
        lines.extend(normalised.clone());
        for times in (0..self.doublings).rev() {
            lines.push("upsample 2".into());
            lines.push(format!("conv {} 3x3", self.generator_width(times)));
            lines.extend(normalised.clone());
        }
        lines.push(format!("conv {} 3x3", self.shape.channels));
        if self.uncropped() != (self.shape.height, self.shape.width) {
            lines.push(format!("crop {} {}", self.shape.height, self.shape.width));
        }
        lines.push("sigmoid".into());
        lines
    }

    pub fn discriminator(&self) -> Vec<String> {
        let halving =
            |times| [format!("conv {} 4x4 stride 2", self.discriminator_width(times)), "leakyrelu 0.2".into()];
        let mut lines: Vec<String> = (1..=self.halvings).flat_map(halving).collect();
        lines.extend(["flatten".into(), "dense 1".into(), "sigmoid".into()]);
        lines
    }
}
