//! Opens and fetches the named data sets. `registry` has the names, `search_path` finds their files, `download` fetches them.

use std::path::{Path, PathBuf};

use crate::dataset::{Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::fetch::Progress;
use crate::folder::Listing;
use crate::hub::HubName;
use crate::named::elsewhere;
use crate::named::tfds::{self, Wanted};
use crate::open_options::{OpenOptions, Split};
use crate::registry::{IDX_SETS, IdxSet, NamedSet};
use crate::search_path::SearchPath;
use crate::synthetic::points::{self, Points};
use crate::synthetic::stacked::{self, Stacked};
use crate::synthetic::strokes::Strokes;
use crate::toy::Toy;
use crate::with_notes::WithNotes;
use crate::{cifar, idx, image_files, npy, npz, parquet};

/// Default number of training and test images of `strokes`, as in MNIST.
const STROKES_COUNTS: [usize; 2] = [60_000, 10_000];

/// Opens the set `named`; `search_path` is called only for sets with files.
///
/// # Errors
/// Files are damaged, or missing and can't be fetched; options that don't apply to this set.
pub fn open(
    named: NamedSet,
    name: &str,
    search_path: &dyn Fn() -> Result<SearchPath>,
    options: &OpenOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Box<dyn Dataset>> {
    let places = || search_path().map(|search_path| search_path.elsewhere);
    Ok(match named {
        NamedSet::Strokes => Box::new(strokes(options)?),
        NamedSet::Toy(toy) => Box::new(points(toy, options)?),
        NamedSet::Idx(set) => open_idx(set, &search_path()?, options, progress)?,
        NamedSet::Stacked => {
            let (seed, count) = seed_and_count(options, [stacked::TRAIN, stacked::TEST])?;
            let digits = open_idx(&IDX_SETS[0], &search_path()?, options, progress)?;
            Box::new(Stacked::new(split_name(name, options), digits, seed, count)?)
        }
        NamedSet::Cifar10 => {
            let search_path = search_path()?;
            let fetched = search_path.find_cifar10(options.split).is_none();
            let path = search_path.find_or_fetch_cifar10(options.split, progress)?;
            let unread = if fetched { elsewhere::unread_cifar10(&search_path.elsewhere) } else { None };
            let notes = elsewhere::note(&search_path.elsewhere, &path).into_iter().chain(unread).collect();
            WithNotes::over(Box::new(cifar::open(&path, options.split)?.named(split_name(name, options))), notes)
        }
        NamedSet::Celeba => {
            let found = search_path()?.find_or_fetch_celeba()?;
            let beside: Vec<PathBuf> = [found.table.clone()].into_iter().chain(found.partition).collect();
            let set = image_files::open_listing(&Listing::open(&found.images)?, &beside, options)?;
            if set.attributes().is_empty() {
                return Err(Error::data(
                    format!("{} has no row for the images in {}", found.table.display(), found.images.display()),
                    "put the table of these images beside them",
                ));
            }
            WithNotes::over(set, elsewhere::note(&places()?, &found.images).into_iter().collect())
        }
        NamedSet::Quickdraw(category) => {
            options.refuse_test_split(name)?;
            let path = search_path()?.find_or_fetch_quickdraw(category, progress)?;
            let set = Box::new(npy::images(&path, options)?.named(format!("quickdraw:{category}")));
            WithNotes::over(set, elsewhere::note(&places()?, &path).into_iter().collect())
        }
        NamedSet::Hub => {
            let hub_name =
                HubName::parse(name)?.ok_or_else(|| Error::usage(format!("{name} is no name"), "hf:OWNER/SET"))?;
            let folder = search_path()?.find_or_fetch_hub(&hub_name, options.split, progress)?;
            Box::new(parquet::open(&folder, options.split, &options.image())?.named(name.to_owned()))
        }
    })
}

/// Fetches the missing files of a set, and returns the paths of all.
///
/// # Errors
/// A file can't be fetched.
pub fn fetch(
    named: NamedSet,
    name: &str,
    search_path: &SearchPath,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<PathBuf>> {
    let mut idx = |set| -> Result<Vec<PathBuf>> {
        let train = search_path.find_or_fetch_idx(set, Split::Train, progress)?;
        let test = search_path.find_or_fetch_idx(set, Split::Test, progress)?;
        Ok(train.into_iter().chain(test).collect())
    };
    match named {
        NamedSet::Strokes | NamedSet::Toy(_) => Ok(Vec::new()),
        NamedSet::Idx(set) => idx(set),
        NamedSet::Stacked => idx(&IDX_SETS[0]),
        NamedSet::Cifar10 => {
            let train = search_path.find_or_fetch_cifar10(Split::Train, progress)?;
            let test = search_path.find_or_fetch_cifar10(Split::Test, progress)?;
            Ok(if train == test { vec![train] } else { vec![train, test] })
        }
        NamedSet::Celeba => search_path
            .find_or_fetch_celeba()
            .map(|found| [found.images, found.table].into_iter().chain(found.partition).collect()),
        NamedSet::Quickdraw(category) => Ok(vec![search_path.find_or_fetch_quickdraw(category, progress)?]),
        NamedSet::Hub => {
            let Some(name) = HubName::parse(name)? else { return Ok(Vec::new()) };
            let train = search_path.find_or_fetch_hub(&name, Split::Train, progress)?;
            match search_path.find_or_fetch_hub(&name, Split::Test, progress) {
                Ok(_) | Err(Error::NoTestImages { .. }) => parquet::files(&train),
                Err(error) => Err(error),
            }
        }
    }
}

/// The synthetic digits; test images have a seed of their own.
pub fn strokes(options: &OpenOptions) -> Result<Strokes> {
    seed_and_count(options, STROKES_COUNTS).map(|(seed, count)| Strokes::new(seed, count))
}

fn points(toy: Toy, options: &OpenOptions) -> Result<Points> {
    if options.size.is_some() || options.channels.is_some() {
        return Err(Error::usage(
            format!("{} has points of the plane, which have neither size nor channels", toy.name()),
            "leave out `data.size` and `data.channels`",
        ));
    }
    seed_and_count(options, [points::POINTS; 2]).map(|(seed, count)| Points::new(toy, seed, count))
}

/// Seed and number of images of a synthetic set; `default` are the default numbers of training and test images.
fn seed_and_count(options: &OpenOptions, default: [usize; 2]) -> Result<(u64, usize)> {
    const TEST_SEED: u64 = u64::from_be_bytes(*b"heldback");
    let (seed, default) = match options.split {
        Split::Train => (options.seed, default[0]),
        Split::Test => (options.seed ^ TEST_SEED, default[1]),
    };
    match options.count.unwrap_or(default) {
        0 => Err(Error::usage("0 images were asked for", "expected at least 1 image")),
        count => Ok((seed, count)),
    }
}

fn open_idx(
    set: &IdxSet,
    search_path: &SearchPath,
    options: &OpenOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Box<dyn Dataset>> {
    let name = split_name(set.name, options);
    let noted =
        |set, path: &Path| WithNotes::over(set, elsewhere::note(&search_path.elsewhere, path).into_iter().collect());
    if search_path.find_idx(set, options.split).is_none() {
        if let Some(file) = search_path.find_npz(set) {
            return Ok(noted(Box::new(npz::open(&file, options)?.named(name)), &file));
        }
        let there = set.name.replace('-', "_");
        if let Some(files) = tfds::find(&search_path.elsewhere, &there, options.split) {
            let shape = ImageShape { height: 28, width: 28, channels: 1 };
            let read = tfds::open(&files, Wanted { name: &there, shape, classes: &set.classes })?;
            return Ok(noted(Box::new(read.named(name)), &files[0]));
        }
    }
    let [images, labels] = search_path.find_or_fetch_idx(set, options.split, progress)?;
    Ok(noted(Box::new(idx::open_with(&images, &labels, &set.classes, options)?.named(name)), &images))
}

/// The name of a split.
fn split_name(name: &str, options: &OpenOptions) -> String {
    if options.split == Split::Test { format!("{name}/test") } else { name.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::registry::parse_name;
    use crate::testing::{idx_images, idx_labels, npy as array, shared_data, zip};

    fn open_in(folder: &Path, name: &str, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        let search_path = || Ok(SearchPath { folders: vec![folder.to_path_buf()], ..SearchPath::default() });
        open(parse_name(name).unwrap().unwrap(), name, &search_path, options, &mut |_| {
            panic!("nothing is to be fetched")
        })
    }

    fn test() -> OpenOptions {
        OpenOptions { split: Split::Test, ..OpenOptions::default() }
    }

    #[test]
    fn toys_need_no_files() {
        let none = Path::new("no/such/folder");
        for (name, classes) in [("ring", 8), ("grid", 25)] {
            let set = open_in(none, name, &OpenOptions::default()).unwrap();
            assert_eq!((set.len(), set.classes().len(), set.shape().to_string().as_str()), (50_000, classes, "1x1x2"));
            assert_ne!(set.fingerprint(), open_in(none, name, &test()).unwrap().fingerprint());
            let few = OpenOptions { count: Some(7), ..OpenOptions::default() };
            assert_eq!((open_in(none, name, &few).unwrap().len(), set.name().as_str()), (7, name));
            let error = open_in(none, name, &OpenOptions { size: Some((8, 8)), ..few }).unwrap_err();
            assert!(error.hint().contains("`data.size`"), "{error}");
        }
    }

    #[test]
    fn stacks_are_made_of_mnist() {
        let folder = crate::testing::folder();
        let mnist = folder.path().join("mnist");
        std::fs::create_dir(&mnist).unwrap();
        std::fs::write(mnist.join("t10k-images-idx3-ubyte"), idx_images(5, 28, 28)).unwrap();
        std::fs::write(mnist.join("t10k-labels-idx1-ubyte"), idx_labels(&[1, 2, 3, 4, 5])).unwrap();
        let set = open_in(folder.path(), "stacked-mnist", &test()).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (26_000, "28x28x3".to_owned()));
        assert_eq!((set.name().as_str(), set.classes().len()), ("stacked-mnist/test", 1000));
        let error = open_in(folder.path(), "stacked-mnist", &OpenOptions::default()).unwrap_err();
        assert!(error.to_string().starts_with("mnist is not in"), "{error}");
    }

    #[test]
    fn what_other_programs_keep_is_used_and_said() {
        let keras = tempfile::tempdir().unwrap();
        let root = keras.path();
        let of = |shape: &str, bytes: &[u8]| {
            array(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape})}}"), bytes)
        };
        let images = of("11, 28, 28", &[7; 11 * 784]);
        let labels = of("11,", &[9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9]);
        let members = [("x_train.npy", &images[..]), ("y_train.npy", &labels[..])];
        std::fs::write(root.join("mnist.npz"), zip(&members, true)).unwrap();
        std::fs::create_dir_all(root.join("QuickDraw/origine")).unwrap();
        std::fs::write(root.join("QuickDraw/origine/sheep.npy"), of("5, 784", &[1; 5 * 784])).unwrap();
        let open = |name: &str, own: bool| {
            let folders = vec![root.to_path_buf()];
            let path = if own {
                SearchPath { folders, ..SearchPath::default() }
            } else {
                SearchPath { elsewhere: folders, ..SearchPath::default() }
            };
            let named = parse_name(name).unwrap().unwrap();
            super::open(named, name, &|| Ok(path.clone()), &OpenOptions::default(), &mut |_| panic!("fetched")).unwrap()
        };
        for (name, count) in [("mnist", 11), ("quickdraw:sheep", 5)] {
            let set = open(name, false);
            assert_eq!(
                (set.len(), set.shape().to_string(), set.name()),
                (count, "28x28x1".to_owned(), name.to_owned())
            );
            assert!(
                set.notes().iter().any(|note| note.ends_with("where another program keeps it")),
                "{:?}",
                set.notes()
            );
            assert!(!open(name, true).notes().iter().any(|note| note.contains("another program")));
        }
        assert_eq!((open("mnist", false).label(0), open("mnist", false).label(1)), (Some(9), Some(1)));
        assert_eq!(open("mnist", false).classes(), (0..10).map(|n: u8| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn files_that_cannot_be_fetched_are_named() {
        let folder = crate::testing::folder();
        let error = open_in(folder.path(), "celeba", &OpenOptions::default()).unwrap_err();
        assert!(error.to_string().contains("so its files are not fetched"), "{error}");
        assert!(error.hint().starts_with("put img_align_celeba.zip and list_attr_celeba.txt into"), "{}", error.hint());
        let error = open_in(folder.path(), "cifar10", &test()).unwrap_err();
        assert!(error.hint().starts_with("put cifar-10-binary.tar.gz into DIR/cifar10"), "{}", error.hint());
    }

    #[test]
    fn real_sets() {
        let Some(data) = shared_data() else { return };
        let open = |name: &str, options: &OpenOptions| open_in(&data, name, options).unwrap();
        let train = OpenOptions::default();
        let cifar = open("cifar10", &train);
        assert_eq!((cifar.len(), cifar.classes()[6].as_str(), cifar.name().as_str()), (20_000, "frog", "cifar10"));
        assert_eq!((open("cifar10", &test()).len(), open("stacked-mnist", &train).len()), (2000, 128_000));
        let celeba = open("celeba", &train);
        assert_eq!((celeba.len(), celeba.shape().to_string()), (10_000, "64x64x3".to_owned()));
        assert_eq!((celeba.attributes().len(), celeba.classes().len()), (40, 0));
        let smiling = celeba.attributes().iter().position(|name| name == "Smiling").unwrap();
        let count = (0..celeba.len()).filter(|&index| celeba.has_attribute(index, smiling) == Some(true)).count();
        assert_eq!(count, 4822);
    }
}
