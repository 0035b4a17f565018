//! The shape of one example between two layers.

use faussaire_data::ImageShape;

/// A flat vector or a channels-last image; the batch is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A vector of N features.
    Flat(usize),
    /// Height, width, channels.
    Image(usize, usize, usize),
}

impl Shape {
    /// Values in one example.
    pub fn len(self) -> usize {
        let [h, w, c] = self.dims();
        h.saturating_mul(w).saturating_mul(c)
    }

    /// Whether the shape has no values.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Height, width and channels; a vector is a 1x1 image.
    pub fn dims(self) -> [usize; 3] {
        match self {
            Self::Flat(n) => [1, 1, n],
            Self::Image(h, w, c) => [h, w, c],
        }
    }
}

impl From<ImageShape> for Shape {
    fn from(image: ImageShape) -> Self {
        Self::Image(image.height, image.width, image.channels)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flat(n) => write!(f, "{n}"),
            Self::Image(h, w, c) => write!(f, "{h}x{w}x{c}"),
        }
    }
}
