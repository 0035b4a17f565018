//! Whether generated images are copies of training images: the nearest training images of each one
//! (`nearest_training`), and a threshold taken from real images that the generator has not seen (`calibration`).

pub(crate) mod calibration;
pub(crate) mod nearest_training;
