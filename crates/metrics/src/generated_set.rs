//! Generated images as a viewer sees them, with the classes they were conditioned on.

/// Generated images with their classes.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedSet {
    /// `[n, h, w, c]` values in [0, 1], in 256 steps.
    pub images: Vec<f32>,
    /// The class that each image was conditioned on, for a conditional generator.
    pub asked: Option<Vec<u32>>,
}
