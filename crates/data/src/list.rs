//! What data sets there are by name, and which of them are on this machine.

use std::path::PathBuf;

use super::dataset::ImageShape;
use super::open_options::{OpenOptions, Split};
use super::registry::{IDX_SETS, quickdraw_categories};
use super::search_path::SearchPath;
use super::{cifar, folder, npy};
use crate::error::Result;
use crate::synthetic::stacked;
use crate::toy::Toy;

/// The shape of the sets like MNIST.
const SHAPE: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

/// Where a set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is drawn by program and needs no file.
    BuiltIn,
    /// It is on this machine, in this folder or file.
    Here(PathBuf),
    /// It is not on this machine, and is fetched on first use.
    Elsewhere,
    /// It is not on this machine, and may not be fetched: a person puts its files in place.
    ByHand,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => write!(f, "built in"),
            Self::Here(path) => write!(f, "{}", path.display()),
            Self::Elsewhere => write!(f, "not here: fetched on first use"),
            Self::ByHand => write!(f, "not here: put its files in place by hand (data fetch says which)"),
        }
    }
}

/// One line about a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What to type.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Where it is.
    pub place: Place,
    /// How many training images; none where there are any number, or where it depends.
    pub images: Option<usize>,
    /// The shape of each image.
    pub shape: ImageShape,
}

/// The data sets that are known by name.
///
/// # Errors
/// Where the data folder given is missing.
pub fn list(options: &OpenOptions) -> Result<Vec<Listing>> {
    Ok(list_in(&SearchPath::from_env(options.data_dir.as_deref())?))
}

fn list_in(places: &SearchPath) -> Vec<Listing> {
    let row = |name: &str, about: String, place, images| Listing {
        name: name.to_owned(),
        about,
        place,
        images,
        shape: SHAPE,
    };
    let strokes = row("strokes", "handwritten-looking digits, drawn by program".to_owned(), Place::BuiltIn, None);
    let mut listings = vec![strokes];
    for set in &IDX_SETS {
        let found = places.find_idx(set, Split::Train);
        let folder = found.and_then(|[images, _]| Some(images.parent()?.to_path_buf()));
        let place = folder.map_or(Place::Elsewhere, Place::Here);
        listings.push(row(set.name, set.about.to_owned(), place, Some(60_000)));
    }
    let mnist = listings.get(1).map_or(Place::Elsewhere, |mnist| mnist.place.clone());
    let about = "three digits of MNIST as red, green and blue: 1,000 modes".to_owned();
    let stacked = row("stacked-mnist", about, mnist, Some(stacked::TRAIN));
    listings.push(Listing { shape: ImageShape { channels: 3, ..SHAPE }, ..stacked });
    listings.extend([cifar10(places), celeba(places)]);
    for toy in Toy::ALL {
        let points = row(toy.name(), toy.about().to_owned(), Place::BuiltIn, None);
        listings.push(Listing { shape: ImageShape { height: 1, width: 1, channels: 2 }, ..points });
    }
    for category in quickdraw_categories() {
        // A damaged file is reported when it is opened.
        let Some(path) = places.find_quickdraw(category) else {
            continue;
        };
        let Ok((count, shape)) = npy::layout(&path) else {
            continue;
        };
        let about = format!("drawings (Quick, Draw!): {category}");
        let found = row(&format!("quickdraw:{category}"), about, Place::Here(path), Some(count));
        listings.push(Listing { shape, ..found });
    }
    let about = format!("drawings of one of {} categories (Quick, Draw!)", quickdraw_categories().count());
    listings.push(row("quickdraw:CATEGORY", about, Place::Elsewhere, None));
    listings
}

fn cifar10(places: &SearchPath) -> Listing {
    let found = places.find_cifar10(Split::Train);
    Listing {
        name: "cifar10".to_owned(),
        about: "small photographs in ten classes (Krizhevsky)".to_owned(),
        images: found.as_deref().map_or(Some(cifar::IMAGES), cifar::count),
        place: found.map_or(Place::Elsewhere, Place::Here),
        shape: ImageShape { height: 32, width: 32, channels: 3 },
    }
}

fn celeba(places: &SearchPath) -> Listing {
    let found = places.find_celeba();
    // A damaged archive is reported when it is opened.
    let layout = found.as_ref().and_then(|(images, _)| folder::layout(images).ok());
    let (images, shape) = layout.unwrap_or((202_599, ImageShape { height: 218, width: 178, channels: 3 }));
    Listing {
        name: "celeba".to_owned(),
        about: "faces with 40 attributes (Liu, Luo, Wang, Tang)".to_owned(),
        images: Some(images),
        place: found.map_or(Place::ByHand, |(images, _)| Place::Here(images)),
        shape,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::registry::KNOWN;
    use super::super::testing::{idx_images, idx_labels, npy};
    use super::*;

    #[test]
    fn what_is_here_is_told_from_what_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("fashion-mnist")).unwrap();
        std::fs::create_dir_all(root.join("quickdraw")).unwrap();
        std::fs::create_dir_all(root.join("cifar10")).unwrap();
        std::fs::write(root.join("cifar10/data_batch_1.bin"), [1; 2 * 3073]).unwrap();
        std::fs::write(root.join("fashion-mnist/train-images-idx3-ubyte"), idx_images(1, 28, 28)).unwrap();
        std::fs::write(root.join("fashion-mnist/train-labels-idx1-ubyte"), idx_labels(&[3])).unwrap();
        let array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 784)}", &[0; 3 * 784]);
        std::fs::write(root.join("quickdraw/ice cream.npy"), array).unwrap();
        let places = SearchPath { folders: vec![root.to_path_buf()], ..SearchPath::default() };
        let listed = list_in(&places);
        let rows: Vec<_> = listed.iter().map(|row| (row.name.as_str(), row.place.to_string(), row.images)).collect();
        let elsewhere = Place::Elsewhere.to_string();
        assert_eq!(
            rows,
            [
                ("strokes", "built in".to_owned(), None),
                ("mnist", elsewhere.clone(), Some(60_000)),
                ("fashion-mnist", root.join("fashion-mnist").display().to_string(), Some(60_000)),
                ("stacked-mnist", elsewhere.clone(), Some(128_000)),
                ("cifar10", root.join("cifar10").display().to_string(), Some(2)),
                ("celeba", Place::ByHand.to_string(), Some(202_599)),
                ("ring", "built in".to_owned(), None),
                ("grid", "built in".to_owned(), None),
                ("quickdraw:ice cream", root.join("quickdraw/ice cream.npy").display().to_string(), Some(3)),
                ("quickdraw:CATEGORY", elsewhere, None),
            ]
        );
        // Every name that messages offer is listed.
        for row in &listed {
            assert!(KNOWN.contains(row.name.split(':').next().unwrap()), "{}", row.name);
        }
    }
}
