//! Left and right exchanged: of one image, and a set with the mirror image of each of its images.

use std::sync::Arc;

use super::dataset::{Dataset, DatasetInfo, ImageShape};
use super::digest::Digest;
use crate::error::Result;

/// The images of a set, then the mirror images of all of them: what a training with mirrored batches has seen.
#[derive(Clone, Debug)]
pub struct Mirrored {
    set: Arc<dyn Dataset>,
    info: DatasetInfo,
}

impl Mirrored {
    /// The images of `set`, with their labels, and their mirror images.
    pub fn over(set: Arc<dyn Dataset>) -> Self {
        let indices = (0..set.len()).chain(0..set.len()).collect();
        Self { info: set.info().at(&indices), set }
    }

    /// The index of an image of the set, and whether it is the mirror image.
    fn place(&self, index: usize) -> (usize, bool) {
        let count = self.set.len();
        if index < count { (index, false) } else { (index - count, true) }
    }
}

impl Dataset for Mirrored {
    fn len(&self) -> usize {
        2 * self.set.len()
    }

    fn shape(&self) -> ImageShape {
        self.set.shape()
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        let (at, turned) = self.place(index);
        self.set.read(at, out)?;
        if turned {
            mirror(out, self.shape());
        }
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.set.as_ref())
    }

    fn resolved(&self, index: usize) -> usize {
        let (at, turned) = self.place(index);
        self.set.resolved(at) + if turned { self.set.len() } else { 0 }
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        Some(Digest::of(format!("{inner}, mirrored").as_bytes()))
    }
}

/// Exchanges left and right of an image of `shape`: its values row after row, channels last.
pub fn mirror(image: &mut [f32], shape: ImageShape) {
    let ImageShape { width, channels, .. } = shape;
    for row in image.chunks_exact_mut((width * channels).max(1)) {
        for column in 0..width / 2 {
            let (left, right) = row.split_at_mut((width - 1 - column) * channels);
            left[column * channels..][..channels].swap_with_slice(&mut right[..channels]);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::InMemory;

    #[test]
    fn mirror_images_come_after_the_images() {
        let shape = ImageShape { height: 2, width: 3, channels: 1 };
        let bytes = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let set = InMemory::from_bytes("x", shape, bytes).unwrap();
        let set: Arc<dyn Dataset> = Arc::new(set.with_labels(vec![1, 0], vec!["a".into(), "b".into()]).unwrap());
        let both = Mirrored::over(Arc::clone(&set));
        let read = |index| {
            let mut image = [0.0; 6];
            both.read(index, &mut image).unwrap();
            image.map(|value| (value * 255.0).round() as u8)
        };
        assert_eq!((both.len(), both.shape()), (4, shape));
        assert_eq!((read(1), read(2), read(3)), ([7, 8, 9, 10, 11, 12], [3, 2, 1, 6, 5, 4], [9, 8, 7, 12, 11, 10]));
        assert_eq!(
            (0..5).map(|index| both.label(index)).collect::<Vec<_>>(),
            [Some(1), Some(0), Some(1), Some(0), None]
        );
        assert_eq!((both.resolved(1), both.resolved(3)), (1, 3));
        assert_ne!(both.fingerprint(), set.fingerprint());
        assert!(both.read(4, &mut [0.0; 6]).is_err());
    }

    #[test]
    fn pixels_change_places_and_channels_do_not() {
        let shape = ImageShape { height: 1, width: 4, channels: 3 };
        let mut image: Vec<f32> = (0..12).map(|v| v as f32).collect();
        mirror(&mut image, shape);
        assert_eq!(image, [9.0, 10.0, 11.0, 6.0, 7.0, 8.0, 3.0, 4.0, 5.0, 0.0, 1.0, 2.0]);
        mirror(&mut image, shape);
        assert_eq!(image, (0..12).map(|v| v as f32).collect::<Vec<_>>());
    }
}
