//! Stacked MNIST: three digits drawn at random as the red, green and blue of one image, which makes 1,000 modes that a
//! classifier of digits can count (Metz et al. 2017, "Unrolled generative adversarial networks"; as many images as in
//! PacGAN, Lin et al. 2018). Image `i` is a function of the seed and of `i`.

use std::sync::Arc;

use rand::Rng;

use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::in_memory::check_read;
use crate::labels::is_labelled;
use crate::random::Stream;

/// Digits of one image.
const DIGITS: usize = 3;

/// Default number of training images, as in PacGAN.
pub(crate) const TRAIN: usize = 128_000;

/// Default number of test images: as many as PacGAN and VEEGAN generate to count modes.
pub(crate) const TEST: usize = 26_000;

/// A set of `count` stacks; the label 100 a + 10 b + c means the digits a (red), b (green) and c (blue).
pub struct Stacked {
    source: Arc<dyn Dataset>,
    info: DatasetInfo,
    seed: u64,
    count: usize,
    draws: Draws,
}

impl Stacked {
    /// The first `count` stacks of `seed` over `digits`, which are grey images with labels from 0 to 9.
    ///
    /// # Errors
    /// `digits` is not such a set.
    pub fn new(name: impl Into<String>, digits: Box<dyn Dataset>, seed: u64, count: usize) -> Result<Self> {
        let grey = digits.shape().channels == 1;
        if !grey || digits.is_empty() || digits.classes().len() > 10 || !is_labelled(digits.as_ref()) {
            return Err(Error::data(
                format!(
                    "{} can't be stacked: {} images of {} in {} classes",
                    digits.name(),
                    digits.len(),
                    digits.shape(),
                    digits.classes().len()
                ),
                "expected grey images with labels from 0 to 9, as MNIST has them",
            ));
        }
        let source: Arc<dyn Dataset> = Arc::from(digits);
        let draws = Draws { stream: Stream::new(seed, "stacked.digits"), among: source.len() };
        let (labels, digits) = (source.info().labels.clone(), draws.clone());
        let label =
            move |index| digits.digits(index).into_iter().try_fold(0, |label, at| Some(10 * label + labels.class(at)?));
        let classes: Vec<String> = (0..1000).map(|label| format!("{label:03}")).collect();
        let mut info = DatasetInfo::new(name);
        info = info.with_classes(classes, move |index| if index < count { label(index) } else { None });
        info.channel_source = Some(Arc::clone(&source));
        Ok(Self { source, info, seed, count, draws })
    }

    /// The indices of the digits of image `index`: red, green, blue.
    pub fn digits(&self, index: usize) -> [usize; DIGITS] {
        self.draws.digits(index)
    }
}

/// Samples the digits of each image.
#[derive(Clone, Debug)]
struct Draws {
    stream: Stream,
    /// Number of images to sample from.
    among: usize,
}

impl Draws {
    fn digits(&self, index: usize) -> [usize; DIGITS] {
        let mut rng = self.stream.at(index as u64);
        // The remainder's bias is below 1e-14 for any set that fits in memory.
        [(); DIGITS].map(|()| (rng.next_u64() % self.among as u64) as usize)
    }
}

impl std::fmt::Debug for Stacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stacked({}: {} images over {:?})", self.info.name, self.count, self.source)
    }
}

impl Dataset for Stacked {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        ImageShape { channels: DIGITS, ..self.source.shape() }
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        let mut plane = vec![0.0; self.source.shape().len()];
        for (channel, digit) in self.draws.digits(index).into_iter().enumerate() {
            self.source.read(digit, &mut plane)?;
            out.iter_mut().skip(channel).step_by(DIGITS).zip(&plane).for_each(|(to, &from)| *to = from);
        }
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.source.as_ref())
    }

    fn resolved(&self, index: usize) -> usize {
        index
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        Some(Digest::of(format!("stacked {inner} {} {}", self.seed, self.count).as_bytes()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{InMemory, Strokes};
    use std::collections::HashSet;

    fn stacked(seed: u64, count: usize) -> Stacked {
        Stacked::new("stacked", Box::new(Strokes::new(1, 500)), seed, count).unwrap()
    }

    #[test]
    fn each_channel_is_a_digit_and_the_label_names_them() {
        let (set, strokes) = (stacked(5, 100), Strokes::new(1, 500));
        assert_eq!((set.shape().to_string(), set.len()), ("28x28x3".to_owned(), 100));
        let (mut image, mut digit) = (vec![0.0; 3 * 784], vec![0.0; 784]);
        for index in [0, 7, 99] {
            set.read(index, &mut image).unwrap();
            let mut label = 0;
            for (channel, which) in set.digits(index).into_iter().enumerate() {
                strokes.read(which, &mut digit).unwrap();
                assert!(image.iter().skip(channel).step_by(3).eq(&digit));
                label = 10 * label + strokes.label(which).unwrap();
            }
            assert_eq!((set.label(index), set.classes()[label as usize].len()), (Some(label), 3));
        }
        assert_eq!((set.classes()[42].as_str(), set.classes().len(), set.label(100)), ("042", 1000, None));
        assert!(set.read(100, &mut image).is_err() && set.read(0, &mut digit).is_err());
    }

    #[test]
    fn draws_depend_on_seed_and_index_and_reach_every_mode() {
        let set = stacked(5, 20_000);
        assert_eq!(stacked(5, 9).digits(8), set.digits(8));
        assert_ne!(stacked(6, 9).digits(8), set.digits(8));
        let modes: HashSet<_> = (0..set.len()).map(|index| set.label(index)).collect();
        assert_eq!(modes.len(), 1000);
        let prints: HashSet<_> = [stacked(5, 9), stacked(6, 9), set].map(|set| set.fingerprint()).into();
        assert_eq!(prints.len(), 3);
    }

    #[test]
    fn only_labelled_grey_images_are_stacked() {
        let shape = ImageShape { height: 2, width: 2, channels: 1 };
        let plain = InMemory::from_bytes("plain", shape, vec![0; 8]).unwrap();
        let error = Stacked::new("x", Box::new(plain), 1, 5).unwrap_err().to_string();
        assert_eq!(error, "plain can't be stacked: 2 images of 2x2x1 in 0 classes");
        assert!(Stacked::new("x", Box::new(stacked(1, 5)), 1, 5).is_err());
    }
}
