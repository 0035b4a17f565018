//! Lists the named data sets, and which of them are on this machine.

use std::path::PathBuf;

use super::dataset::ImageShape;
use super::open_options::{OpenOptions, Split};
use super::registry::{IDX_SETS, quickdraw_categories};
use super::search_path::SearchPath;
use super::{cifar, folder, npy};
use crate::error::Result;
use crate::synthetic::stacked;
use crate::toy::Toy;

/// The image shape of MNIST and similar sets.
const SHAPE: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

/// Where the files of a set are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Synthetic: no files.
    BuiltIn,
    /// On this machine, in this folder or file.
    Local(PathBuf),
    /// Not on this machine; downloaded on first use.
    Remote,
    /// Not on this machine and not downloadable; to be installed manually.
    Manual,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => write!(f, "built in"),
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Remote => write!(f, "not on this machine; downloaded on first use"),
            Self::Manual => write!(f, "not on this machine; to be installed manually (data fetch says how)"),
        }
    }
}

/// A row of the list of data sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The set's name.
    pub name: String,
    /// A description.
    pub about: String,
    /// Where its files are.
    pub location: Location,
    /// Number of training images; `None` if it is unlimited or varies.
    pub images: Option<usize>,
    /// The shape of each image; zeros if it varies.
    pub shape: ImageShape,
}

/// The named data sets.
///
/// # Errors
/// The given data folder doesn't exist.
pub fn list(options: &OpenOptions) -> Result<Vec<Listing>> {
    Ok(list_in(&SearchPath::from_env(options.data_dir.as_deref())?))
}

fn list_in(search_path: &SearchPath) -> Vec<Listing> {
    let row = |name: &str, about: String, location, images| Listing {
        name: name.to_owned(),
        about,
        location,
        images,
        shape: SHAPE,
    };
    let strokes = row("strokes", "synthetic handwritten-looking digits".to_owned(), Location::BuiltIn, None);
    let mut listings = vec![strokes];
    for set in &IDX_SETS {
        let found = search_path.find_idx(set, Split::Train);
        let folder = found.and_then(|[images, _]| Some(images.parent()?.to_path_buf()));
        let location = folder.map_or(Location::Remote, Location::Local);
        listings.push(row(set.name, set.about.to_owned(), location, Some(60_000)));
    }
    let mnist = listings.get(1).map_or(Location::Remote, |mnist| mnist.location.clone());
    let about = "three digits of MNIST as red, green and blue: 1,000 modes".to_owned();
    let stacked = row("stacked-mnist", about, mnist, Some(stacked::TRAIN));
    listings.push(Listing { shape: ImageShape { channels: 3, ..SHAPE }, ..stacked });
    listings.extend([cifar10(search_path), celeba(search_path)]);
    for toy in Toy::ALL {
        let points = row(toy.name(), toy.about().to_owned(), Location::BuiltIn, None);
        listings.push(Listing { shape: ImageShape { height: 1, width: 1, channels: 2 }, ..points });
    }
    for category in quickdraw_categories() {
        // A damaged file is reported when it is opened.
        let Some(path) = search_path.find_quickdraw(category) else {
            continue;
        };
        let Ok((count, shape)) = npy::layout(&path) else {
            continue;
        };
        let about = format!("drawings (Quick, Draw!): {category}");
        let found = row(&format!("quickdraw:{category}"), about, Location::Local(path), Some(count));
        listings.push(Listing { shape, ..found });
    }
    let about = format!("drawings of one of {} categories (Quick, Draw!)", quickdraw_categories().count());
    listings.push(row("quickdraw:CATEGORY", about, Location::Remote, None));
    let hub = row("hf:OWNER/SET", "a set on Hugging Face, by its parquet files".to_owned(), Location::Remote, None);
    listings.push(Listing { shape: ImageShape { height: 0, width: 0, channels: 0 }, ..hub });
    listings
}

fn cifar10(search_path: &SearchPath) -> Listing {
    let found = search_path.find_cifar10(Split::Train);
    Listing {
        name: "cifar10".to_owned(),
        about: "small photographs in ten classes (Krizhevsky)".to_owned(),
        images: found.as_deref().map_or(Some(cifar::IMAGES), cifar::count),
        location: found.map_or(Location::Remote, Location::Local),
        shape: ImageShape { height: 32, width: 32, channels: 3 },
    }
}

fn celeba(search_path: &SearchPath) -> Listing {
    let found = search_path.find_celeba();
    // A damaged archive is reported when it is opened.
    let layout = found.as_ref().and_then(|found| folder::layout(&found.images).ok());
    let (images, shape) = layout.unwrap_or((202_599, ImageShape { height: 218, width: 178, channels: 3 }));
    Listing {
        name: "celeba".to_owned(),
        about: "faces with 40 attributes (Liu, Luo, Wang, Tang)".to_owned(),
        images: Some(images),
        location: found.map_or(Location::Manual, |found| Location::Local(found.images)),
        shape,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::registry::NAMES;
    use super::super::testing::{idx_images, idx_labels, npy};
    use super::*;

    #[test]
    fn sets_on_this_machine_are_listed_with_their_folders() {
        let folder = crate::testing::folder();
        let root = folder.path();
        std::fs::create_dir_all(root.join("fashion-mnist")).unwrap();
        std::fs::create_dir_all(root.join("quickdraw")).unwrap();
        std::fs::create_dir_all(root.join("cifar10")).unwrap();
        std::fs::write(root.join("cifar10/data_batch_1.bin"), [1; 2 * 3073]).unwrap();
        std::fs::write(root.join("fashion-mnist/train-images-idx3-ubyte"), idx_images(1, 28, 28)).unwrap();
        std::fs::write(root.join("fashion-mnist/train-labels-idx1-ubyte"), idx_labels(&[3])).unwrap();
        let array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 784)}", &[0; 3 * 784]);
        std::fs::write(root.join("quickdraw/ice cream.npy"), array).unwrap();
        let search_path = SearchPath { folders: vec![root.to_path_buf()], ..SearchPath::default() };
        let listed = list_in(&search_path);
        let rows: Vec<_> = listed.iter().map(|row| (row.name.as_str(), row.location.to_string(), row.images)).collect();
        let remote = Location::Remote.to_string();
        assert_eq!(
            rows,
            [
                ("strokes", "built in".to_owned(), None),
                ("mnist", remote.clone(), Some(60_000)),
                ("fashion-mnist", root.join("fashion-mnist").display().to_string(), Some(60_000)),
                ("stacked-mnist", remote.clone(), Some(128_000)),
                ("cifar10", root.join("cifar10").display().to_string(), Some(2)),
                ("celeba", Location::Manual.to_string(), Some(202_599)),
                ("ring", "built in".to_owned(), None),
                ("grid", "built in".to_owned(), None),
                ("quickdraw:ice cream", root.join("quickdraw/ice cream.npy").display().to_string(), Some(3)),
                ("quickdraw:CATEGORY", remote.clone(), None),
                ("hf:OWNER/SET", remote, None),
            ]
        );
        // Every name in error messages is listed.
        for row in &listed {
            assert!(NAMES.contains(row.name.split(':').next().unwrap()), "{}", row.name);
        }
    }
}
