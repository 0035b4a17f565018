//! The range of pixel values, given by the generator's last layer: [0, 1] for a sigmoid, [-1, 1] for tanh.

use crate::net::{Network, Op};
use faussaire_data::error::{Error, Result};

/// Lowest and highest value of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelRange {
    /// [0, 1].
    Unit,
    /// [-1, 1].
    Signed,
}

impl PixelRange {
    /// The range of the images of `generator`.
    ///
    /// # Errors
    /// The last layer is neither sigmoid nor tanh, for images; points are in [-1, 1] without being clamped.
    pub fn of(generator: &Network) -> Result<Self> {
        match generator.layers().last().map(|l| l.layer.kind().op(l.input)) {
            Some(Op::Sigmoid) => Ok(Self::Unit),
            Some(Op::Tanh) => Ok(Self::Signed),
            // A point rather than a picture: its coordinates may be anything.
            _ if generator.output().dims()[..2] == [1, 1] => Ok(Self::Signed),
            _ => Err(Error::recipe(
                "the generator's last layer is neither sigmoid nor tanh, so its images have no known range",
                "end the generator's layers with \"sigmoid\" (images in [0, 1]) or \"tanh\" (images in [-1, 1])",
            )),
        }
    }

    /// The lowest and highest value.
    pub fn bounds(self) -> (f32, f32) {
        match self {
            Self::Unit => (0.0, 1.0),
            Self::Signed => (-1.0, 1.0),
        }
    }

    /// Maps `values` of this range to [0, 1].
    pub fn to_unit(self, values: &mut [f32]) {
        if self == Self::Signed {
            values.iter_mut().for_each(|v| *v = 0.5 * (*v + 1.0));
        }
    }

    /// Maps `values` from [0, 1] into this range.
    pub fn from_unit(self, values: &mut [f32]) {
        if self == Self::Signed {
            values.iter_mut().for_each(|v| *v = 2.0 * *v - 1.0);
        }
    }
}
