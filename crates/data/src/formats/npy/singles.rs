//! Folders with one image in each `.npy` file, which are read as those of image files are: `cat/0001.npy`. Files are opened to see
//! whether they are such images only where a folder has no image file and no archive. The values of black and white are decided by all
//! arrays together, as for one array of all images.

use std::collections::HashSet;
use std::path::Path;

use rayon::prelude::*;

use super::open_array;
use crate::error::{Error, Result};
use crate::folder::Files;
use crate::folder::scan::OnDisk;
use crate::formats::archive::{Member, extension, is_archive_name, is_image};
use crate::formats::array;
use crate::formats::array::key::{Key, Role};
use crate::formats::array::rows::tells_parts;
use crate::formats::array::scalar::{Kind, Scalar};
use crate::formats::array::shape::{like_images, one_image};
use crate::formats::beside::stem;
use crate::parts::divide;
use crate::pictures::array_extremes;
use crate::resize::ImageOptions;

/// Fewest arrays that make a set.
const MIN_FILES: usize = 3;

/// Most bytes that are read to find the values of black and white (16 GiB).
const MAX_BYTES: u64 = 16 << 30;

/// Arrays of bytes that are looked at for a value above 1, without which bytes are black and white.
const SAMPLE: usize = 64;

/// What an array is to a folder of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// One image with values of this type.
    Image(Scalar),
    /// Labels, parts or other numbers.
    NoImages,
    /// Several images.
    Images,
    /// A damaged file, which is reported when it is read.
    Damaged,
}

/// The numbers of the members of the folder `root` that are arrays of one image each; none if some arrays are of several images, of
/// several types, or if there are image files or archives.
pub(crate) fn singles(root: &Path, members: &[Member<OnDisk>]) -> HashSet<usize> {
    let is_array = |name: &str| extension(name).eq_ignore_ascii_case("npy");
    if members.iter().any(|member| is_image(&member.name) || is_archive_name(&member.name)) {
        return HashSet::new();
    }
    let arrays: Vec<usize> = (0..members.len()).filter(|at| is_array(&members[*at].name)).collect();
    if arrays.len() < MIN_FILES {
        return HashSet::new();
    }
    let look = |at: &usize| content(&members[*at].location.path(root, &members[*at].name));
    // Most folders of arrays are others, which the first files show.
    if arrays[..MIN_FILES].iter().map(look).any(|content| content == Content::Images) {
        return HashSet::new();
    }
    let contents: Vec<Content> = arrays.par_iter().map(look).collect();
    // Masks in a folder of their own may be of another type.
    let division = divide(arrays.iter().map(|at| &*members[*at].name));
    let in_set =
        |at: usize| division.part(at).is_some() && !matches!(contents[at], Content::NoImages | Content::Damaged);
    let sound = || (0..contents.len()).filter(|at| in_set(*at)).map(|at| contents[at]);
    let are_alike = sound().all(|content| matches!(content, Content::Image(_)) && sound().next() == Some(content));
    if !are_alike || sound().count() < MIN_FILES {
        return HashSet::new();
    }
    arrays.into_iter().zip(&contents).filter(|(_, content)| **content != Content::NoImages).map(|(at, _)| at).collect()
}

fn content(path: &Path) -> Content {
    let Ok(opened) = open_array(path) else { return Content::Damaged };
    let (name, sizes) = (stem(path), &opened.header.shape);
    let role = Key::of(&name).role;
    if matches!(role, Some(Role::Labels | Role::Names)) || tells_parts(&name) || sizes.len() < 2 {
        return Content::NoImages;
    }
    match (Scalar::of_descr(&opened.header.descr), one_image(sizes)) {
        (Some(scalar), Some(_)) => Content::Image(Scalar { big: false, ..scalar }),
        _ if like_images(sizes) => Content::Images,
        _ => Content::NoImages,
    }
}

/// `options` with the values of black and white of arrays of one image each, and what to say of them; as they are for other files, and
/// where they have such values. `files` are those of all parts.
///
/// # Errors
/// The values are those of no usual range, or too many to be looked at.
pub(crate) fn with_range(files: &Files, options: &ImageOptions) -> Result<(ImageOptions, Option<String>)> {
    let are_arrays = files.len() > 0 && extension(files.name(0)).eq_ignore_ascii_case("npy");
    if !are_arrays || options.range.is_some() {
        return Ok((*options, None));
    }
    // What can't be read is a bad file.
    let look = |index: usize| files.read(index).and_then(|bytes| array_extremes(&bytes)).ok();
    let step = files.len().div_ceil(SAMPLE);
    let sample: Vec<(Scalar, f64, f64)> = (0..files.len()).step_by(step).filter_map(look).collect();
    let is_plain = |(scalar, _, high): &(Scalar, f64, f64)| match (scalar.kind, scalar.width) {
        (Kind::Bool, _) => true,
        (Kind::Unsigned, 1) => *high > 1.0,
        _ => false,
    };
    if sample.iter().any(is_plain) {
        return Ok((*options, None));
    }
    let bytes: u64 = (0..files.len()).map(|index| files.length(index)).sum();
    if bytes > MAX_BYTES {
        return Err(Error::data(
            format!(
                "{} has {bytes} bytes of arrays, too many to find out the values of black and white",
                files.root().display()
            ),
            "say which they are (`data.range`), such as [0, 1]",
        ));
    }
    let wider = |a: (Scalar, f64, f64), b: (Scalar, f64, f64)| (a.0, a.1.min(b.1), a.2.max(b.2));
    let all = (0..files.len()).into_par_iter().filter_map(look).reduce_with(wider);
    let Some((scalar, low, high)) = all else { return Ok((*options, None)) };
    let range = array::black_and_white(files.root(), scalar, (low, high), None)?;
    let given = (range.black as f32, range.white as f32);
    let is_usual = (scalar, given) == (Scalar::U8, (0.0, 255.0));
    Ok((ImageOptions { range: Some(given).filter(|_| !is_usual), ..*options }, range.note))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::error::Result;
    use crate::testing::npy;
    use crate::{Dataset, OpenOptions, Split, check, open};

    /// A numpy array of this type and shape whose values are `first` and so on.
    fn array(descr: &str, shape: &str, values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| match descr {
                "|u1" => vec![*value as u8],
                _ => value.to_le_bytes().to_vec(),
            })
            .collect();
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), &bytes)
    }

    fn flat(value: f32) -> Vec<f32> {
        vec![value; 64]
    }

    fn opened(files: &[(&str, Vec<u8>)], split: Split) -> Result<(Box<dyn Dataset>, usize)> {
        let folder = crate::testing::folder();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let (path, options) = (folder.path().to_str().unwrap(), OpenOptions::default().split(split));
        let bad = check(path, &options, &mut |_| ())?.len();
        let set = open(path, &options, &mut |_| ())?;
        // All images are kept in memory once they are read.
        (0..set.len()).try_for_each(|index| set.read(index, &mut vec![0.0; set.shape().len()]))?;
        Ok((set, bad))
    }

    fn first_values(set: &dyn Dataset) -> Vec<f32> {
        let mut image = vec![0.0; set.shape().len()];
        let mut first = |index| {
            set.read(index, &mut image).unwrap();
            image[0]
        };
        (0..set.len()).map(&mut first).collect()
    }

    #[test]
    fn black_and_white_are_those_of_all_parts() {
        // The first image alone, or the training images, could be of another range.
        let file = |value: f32| array("<f4", "8, 8", &flat(value));
        let files = [
            ("train/0.npy", file(0.0)),
            ("train/1.npy", file(1.0)),
            ("train/2.npy", file(0.4)),
            ("test/3.npy", file(255.0)),
        ];
        let (set, bad) = opened(&files, Split::Train).unwrap();
        assert_eq!((set.len(), bad), (3, 0));
        assert!(first_values(&*set).iter().all(|value| *value < 0.005), "{:?}", first_values(&*set));
        let (set, _) = opened(&files, Split::Test).unwrap();
        assert_eq!(first_values(&*set), [1.0]);
        let (set, _) = opened(&files[..3], Split::Train).unwrap();
        assert_eq!(first_values(&*set), [0.0, 1.0, 0.4]);
        let error = opened(&[("0.npy", file(0.0)), ("1.npy", file(9.0)), ("2.npy", file(-3.0))], Split::Train);
        let error = error.map(drop).unwrap_err();
        assert!(error.to_string().contains("has float32 values from -3 to 9"), "{error}");
    }

    #[test]
    fn bytes_of_masks_are_black_and_white() {
        let file = |value: f32| array("|u1", "8, 8", &flat(value));
        let files = [("a/0.npy", file(0.0)), ("a/1.npy", file(1.0)), ("b/2.npy", file(1.0)), ("b/3.npy", file(0.0))];
        let (set, _) = opened(&files, Split::Train).unwrap();
        assert_eq!((first_values(&*set), set.classes()), (vec![0.0, 1.0, 1.0, 0.0], vec!["a".into(), "b".into()]));
        let grey = [("0.npy", file(51.0)), ("1.npy", file(1.0)), ("2.npy", file(255.0))];
        assert_eq!(first_values(&*opened(&grey, Split::Train).unwrap().0), [0.2, 1.0 / 255.0, 1.0]);
    }

    #[test]
    fn other_arrays_are_no_images() {
        let image = || array("|u1", "8, 9", &[9.0; 72]);
        let with = |name, bytes| {
            opened(&[("0.npy", image()), ("1.npy", image()), ("2.npy", image()), (name, bytes)], Split::Train)
        };
        let (set, _) = with("labels.npy", array("|u1", "3, ", &[0.0, 1.0, 0.0])).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (3, "8x9x1".to_owned()));
        assert!(set.info().unused_labels[0].starts_with("labels.npy: labels in .npy beside image files"));
        let damaged = with("3.npy", b"\x93NUMPY".to_vec()).map(|(set, bad)| (set.len(), set.skipped().len(), bad));
        assert_eq!(damaged.unwrap(), (4, 1, 1));
        // Many images, and another type.
        let (set, _) = with("all.npy", array("|u1", "20, 8, 8", &vec![3.0; 1280])).unwrap();
        assert_eq!(set.len(), 20);
        let aside = "3 files hold no images and are left aside, 0.npy for one";
        assert!(set.notes().contains(&aside.to_owned()), "{:?}", set.notes());
        assert!(with("3.npy", array("<f4", "8, 9", &[0.5; 72])).is_err());
        assert!(opened(&[("0.npy", image()), ("1.npy", image())], Split::Train).is_err());
    }
}
