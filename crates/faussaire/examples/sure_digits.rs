//! The share of generated digits that a classifier is sure of: a number for "how many can be read at once".
//!
//! The classifier is trained on 20,000 synthetic digits of a seed that no recipe uses, so that it has seen neither the training
//! images nor the generated ones. It is sure of an image where one class has a probability of 0.9 or more.
//!
//! ```text
//! faussaire sample RUN -n 2000 -o digits.npy
//! cargo run --release -p faussaire-core --example sure_digits -- digits.npy
//! ```

use std::error::Error;

use faussaire::data::{Dataset, OpenOptions, Strokes, open};
use faussaire::metrics::Classifier;
use faussaire::metrics::classifier::Training;

const SURE: f32 = 0.9;

fn main() -> Result<(), Box<dyn Error>> {
    let (train, test) = (Strokes::new(90_001, 20_000), Strokes::new(90_002, 2_000));
    let device = faussaire::Device::cpu();
    let classifier = Classifier::train(&train, &test, Training::default(), &device, &mut |_| ())?;
    report("strokes themselves", &test, &classifier)?;
    for path in std::env::args().skip(1) {
        report(&path, &*open(&path, &OpenOptions::default(), &mut |_| ())?, &classifier)?;
    }
    Ok(())
}

fn report(name: &str, set: &dyn Dataset, classifier: &Classifier) -> Result<(), Box<dyn Error>> {
    let mut images = vec![0.0; set.len() * set.shape().len()];
    for (index, image) in images.chunks_mut(set.shape().len()).enumerate() {
        set.read(index, image)?;
    }
    let seen = classifier.predict(&images)?;
    let classes = seen.probabilities.len() / set.len();
    let (mut sure, mut counts) = (0, vec![0; classes]);
    for (row, class) in seen.probabilities.chunks(classes).zip(&seen.classes) {
        sure += usize::from(row.iter().any(|p| *p >= SURE));
        counts[*class as usize] += 1;
    }
    println!(
        "{:5.1} % sure of {} images; per class {counts:?}; {name}",
        100.0 * sure as f64 / set.len() as f64,
        set.len()
    );
    Ok(())
}
