//! Images that are there more than once: in one set, or in the images to learn from and in those that are held back, where a score
//! on these would not show what was learned by heart.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::digest::Digest;
use crate::error::Result;

/// Images that equal another one, pixel by pixel. Images of one colour are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// How many there are.
    pub images: usize,
    /// One of them and the image that it equals, as messages call them.
    pub example: Option<(String, String)>,
}

impl Repeats {
    fn add(&mut self, image: impl FnOnce() -> String, other: impl FnOnce() -> String) {
        self.images += 1;
        self.example.get_or_insert_with(|| (image(), other()));
    }
}

/// The images of `set` that equal an earlier one of it, and those of `held_back` that equal one of `set`.
///
/// # Errors
/// An image can't be read.
pub fn repeats(set: &dyn Dataset, held_back: Option<&dyn Dataset>) -> Result<[Repeats; 2]> {
    let [mut within, mut shared] = [Repeats::default(), Repeats::default()];
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, digest) in digests(set)?.into_iter().enumerate() {
        let Some(digest) = digest else { continue };
        match known.get(&digest) {
            Some(first) => within.add(|| set.image_name(index), || set.image_name(*first)),
            None => drop(known.insert(digest, index)),
        }
    }
    // Images of other sizes are not compared.
    if let Some(held_back) = held_back.filter(|held_back| held_back.shape() == set.shape()) {
        for (index, digest) in digests(held_back)?.into_iter().enumerate() {
            if let Some(first) = digest.and_then(|digest| known.get(&digest)) {
                shared.add(|| held_back.image_name(index), || set.image_name(*first));
            }
        }
    }
    Ok([within, shared])
}

/// The digest of each image; none for images of one colour, and where another image takes the place of one that can't be read.
fn digests(set: &dyn Dataset) -> Result<Vec<Option<String>>> {
    let length = set.shape().len();
    (0..set.len())
        .into_par_iter()
        .map_init(
            || vec![0.0; length],
            |image, index| {
                set.read(index, image)?;
                let pixel = &image[..set.shape().channels.min(length)];
                let is_plain = image.chunks(set.shape().channels.max(1)).all(|other| other == pixel);
                let mut digest = Digest::new();
                digest.update_values(image);
                Ok((!is_plain && set.resolved(index) == index).then(|| digest.finish()))
            },
        )
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{ImageShape, InMemory};

    /// A set of images of 1x2 pixels.
    fn set(images: &[[u8; 2]]) -> InMemory {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        InMemory::from_bytes("set", shape, images.concat()).unwrap()
    }

    #[test]
    fn images_that_are_there_again_are_counted() {
        let learned = set(&[[1, 2], [3, 4], [1, 2], [0, 0], [0, 0], [1, 2]]);
        let [within, shared] = repeats(&learned, Some(&set(&[[4, 3], [3, 4], [0, 0]]))).unwrap();
        let named = |image: &str, other: &str| Some((image.to_owned(), other.to_owned()));
        assert_eq!(within, Repeats { images: 2, example: named("image 2", "image 0") });
        assert_eq!(shared, Repeats { images: 1, example: named("image 1", "image 1") });
        let [within, shared] = repeats(&set(&[[1, 2], [2, 1]]), None).unwrap();
        assert_eq!((within.images, shared.images), (0, 0));
    }
}
