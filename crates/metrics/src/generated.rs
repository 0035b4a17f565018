//! Images to be judged, as a viewer would see them.

/// Images with the classes that they were asked to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// `[n, h, w, c]` values in [0, 1], in 256 steps.
    pub images: Vec<f32>,
    /// The class asked for, image by image, where the generator is told classes.
    pub asked: Option<Vec<u32>>,
}
