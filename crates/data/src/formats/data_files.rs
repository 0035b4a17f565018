//! A folder of several data files (arrays, tables, archives): the parts of one set, each with labels beside
//! (`kmnist-train-imgs.npz`), a file per class (`full_numpy_bitmap_cat.npy`), or numbered shards (`train_batch_1.npz`). Of one that holds images, and others that don't,
//! it is the set.

mod shards;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::array::key::{Key, Role, words};
use super::array::scalar::Scalar;
use super::array::shape::{is_flat_or_one, like_images};
use super::beside::{stem, tells_parts};
use super::{npy, npz, pixel_csv};
use crate::Format;
use crate::class_labels::natural_order;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::first_names::first_names;
use crate::in_memory::InMemory;
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, describe, part_of};
use crate::signatures::STACK;
use crate::with_notes::WithNotes;

/// A data file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    pub path: PathBuf,
    pub format: Format,
}

impl DataFile {
    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn key(&self) -> Key {
        let mut key = Key::of(&stem(&self.path));
        // As in the archive of UCI: optdigits.tra, optdigits.tes.
        let ending = self.path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let part = match &*ending {
            "tra" | "trn" | "train" => Part::Train,
            "tes" | "tst" | "test" => Part::Test,
            _ => return key,
        };
        key.part = key.part.or(Some(part));
        key.rest.retain(|word| *word != ending);
        key
    }

    /// Whether it may hold images: arrays of labels and other numbers don't.
    pub(crate) fn holds_images(&self) -> bool {
        let named_for_images = matches!(self.key().role, None | Some(Role::Images));
        match self.format {
            // A damaged file is reported when it is opened.
            Format::Npy => {
                named_for_images && npy::open_array(&self.path).map_or(true, |opened| like_images(&opened.header.shape))
            }
            // A table of labels may have a column for each class.
            Format::PixelCsv => named_for_images,
            Format::Npz => named_for_images && npz::holds_images(&self.path),
            _ => true,
        }
    }
}

/// Data files that make one set, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFiles {
    /// Those of the part.
    files: Vec<DataFile>,
    /// If each is a class, that of each, and all classes of the set.
    names: Vec<String>,
    classes: Vec<String>,
    /// Whether the files are one part of several.
    divided: bool,
    notes: Vec<String>,
}

/// Chooses the files of `split` among the data files of `folder`.
///
/// # Errors
/// None of them holds images, or they are several sets, or there is none of this part.
pub fn choose(folder: &Path, all: Vec<DataFile>, split: Split) -> Result<DataFiles> {
    let (images, others): (Vec<DataFile>, Vec<DataFile>) = all.into_iter().partition(DataFile::holds_images);
    // Labels and parts belong to the images beside them.
    let of_images = |file: &DataFile| images.iter().any(|images| tells_parts(&file.path, &images.path));
    let belongs = |file: &&DataFile| file.key().role == Some(Role::Labels) || of_images(file);
    let aside: Vec<String> = others.iter().filter(|file| !belongs(file)).map(DataFile::name).collect();
    let mut notes: Vec<String> = Vec::new();
    if let (Some(first), false) = (aside.first(), images.is_empty()) {
        notes.push(match aside.len() {
            1 => format!("{first} holds no images and is left aside"),
            count => format!("{count} files hold no images and are left aside, {first} for one"),
        });
    }
    if let Some(size) = one_image_each(&images).or_else(|| one_image_each(&others)).filter(|_| images.len() != 1) {
        let (count, first) = (images.len().max(others.len()), images.first().or(others.first()).map(DataFile::name));
        let first = first.unwrap_or_default();
        let types = types(if images.is_empty() { &others } else { &images });
        let differ = if types.len() > 1 { format!(", of several types: {}", types.join(", ")) } else { String::new() };
        let what =
            format!("{} holds {count} arrays that are one image each ({first}: {size}){differ}", folder.display());
        return Err(Error::data(what, STACK));
    }
    if images.is_empty() {
        return Err(several(folder, &others, "none of them with images"));
    }
    let keys: Vec<Key> = images.iter().map(DataFile::key).collect();
    let parts = parts(&keys);
    let divided = parts.iter().any(|part| *part != Part::Train);
    let part = |wanted: Part| -> Vec<DataFile> {
        images.iter().zip(&parts).filter(|(_, part)| **part == wanted).map(|(file, _)| file.clone()).collect()
    };
    let chosen = match split {
        // The file itself, or what is beside it, may tell parts.
        _ if images.len() == 1 => images.clone(),
        Split::Train => part(Part::Train),
        Split::Test if part(Part::Test).is_empty() => part(Part::Validation),
        Split::Test => part(Part::Test),
    };
    if chosen.is_empty() && split == Split::Test {
        return Err(no_test_images(folder));
    }
    if split == Split::Train {
        notes.extend(parts_of(&images, &parts));
    }
    if let [_] = chosen[..] {
        return Ok(DataFiles { files: chosen, names: Vec::new(), classes: Vec::new(), divided, notes });
    }
    let has_labels = others.iter().any(|file| file.key().role == Some(Role::Labels));
    match class_names(&images, divided) {
        Some(names) if names.iter().all(|name| name.parse::<u64>().is_ok()) && flat_or_one(&images).is_some() => {
            let sizes = flat_or_one(&images).unwrap_or_default();
            let what = format!(
                "{} holds {} arrays of shape {sizes:?}, each of which may be one image or many flat ones",
                folder.display(),
                images.len()
            );
            Err(Error::data(what, "say which: for many images a.reshape(-1, HEIGHT, WIDTH); for one a[:, :, None]"))
        }
        Some(names) if !has_labels && (alike(&images) || are_plain_tables(&images, &names)) => {
            let mut classes = names.clone();
            classes.sort_by(|a, b| natural_order(a, b));
            classes.dedup();
            notes.push(format!("each file is a class: {}", first_names(&classes, 10)));
            let name = |file: &DataFile| images.iter().position(|other| other == file).map(|at| names[at].clone());
            let names = chosen.iter().filter_map(name).collect();
            Ok(DataFiles { files: chosen, names, classes, divided, notes })
        }
        _ if shards::are_shards(&chosen) => {
            let mut files = chosen;
            files.sort_by(|a, b| natural_order(&a.name(), &b.name()));
            let ends = [files.first(), files.last()].map(|file| file.map(DataFile::name).unwrap_or_default());
            notes.push(format!("{} files are read as one set: {} to {}", files.len(), ends[0], ends[1]));
            Ok(DataFiles { files, names: Vec::new(), classes: Vec::new(), divided, notes })
        }
        _ => Err(several(folder, &chosen, "which are not one set")),
    }
}

/// The data files of `split` in the folders of `root`, if these are parts of one set: `train/X.npy` and `test/X.npy`. `None` if they
/// are not.
///
/// # Errors
/// As those of [`choose`], of the folder of the part.
pub fn of_part_folders(root: &Path, folders: Vec<(Vec<DataFile>, PathBuf)>, split: Split) -> Result<Option<DataFiles>> {
    let name = |folder: &Path| folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parts: Vec<Option<Part>> = folders.iter().map(|(_, folder)| part_of(&name(folder))).collect();
    let are_parts = parts.iter().all(Option::is_some) && parts.contains(&Some(Part::Train));
    if !are_parts || folders.iter().any(|(files, _)| files.is_empty()) {
        return Ok(None);
    }
    let mut holdings = Holdings::new();
    for ((files, folder), part) in folders.iter().zip(&parts) {
        let holding = holdings.entry(*part).or_default();
        let images = files.iter().filter(|file| file.holds_images());
        holding.files += images.map(|file| npy::layout(&file.path).map_or(0, |(count, _)| count)).sum::<usize>();
        holding.folders.push(format!("{}/", name(folder)));
    }
    let wanted = crate::parts::choose(&holdings, split);
    let mut of_part = folders.into_iter().zip(&parts).filter(|(_, part)| wanted.is_some() && **part == wanted);
    let Some(((files, folder), _)) = of_part.next() else { return Err(no_test_images(root)) };
    if of_part.next().is_some() {
        return Ok(None);
    }
    let mut chosen = choose(&folder, files, Split::Train)?;
    chosen.divided = true;
    if split == Split::Train {
        chosen.notes.splice(0..0, describe(&holdings, None));
    }
    Ok(Some(chosen))
}

fn no_test_images(folder: &Path) -> Error {
    Error::NoTestImages {
        what: format!("{} has no test images of its own", folder.display()),
        hint: "use its training images, or give a data set that has both".into(),
    }
}

/// What each file is used for, if they are several parts.
fn parts_of(files: &[DataFile], parts: &[Part]) -> Option<String> {
    let mut holdings = Holdings::new();
    for (file, part) in files.iter().zip(parts) {
        let holding = holdings.entry(Some(*part)).or_default();
        holding.files += npy::layout(&file.path).map_or(0, |(count, _)| count);
        holding.folders.push(file.name());
    }
    describe(&holdings, None)
}

/// The names of the types of arrays.
fn types(files: &[DataFile]) -> Vec<String> {
    let name = |file: &DataFile| Scalar::of_descr(&npy::open_array(&file.path).ok()?.header.descr).map(Scalar::name);
    let names: BTreeSet<String> = files.iter().filter_map(name).collect();
    names.into_iter().collect()
}

/// Whether all are arrays of images of one shape.
fn alike(files: &[DataFile]) -> bool {
    let shape = |file: &DataFile| {
        let layout = npy::layout(&file.path).ok()?;
        (file.format == Format::Npy).then_some(layout.1)
    };
    let mut shapes = files.iter().map(shape);
    let first = shapes.next().flatten();
    first.is_some() && shapes.all(|shape| shape == first)
}

/// Whether all are tables of pixels without labels, with names that are no numbers.
fn are_plain_tables(files: &[DataFile], names: &[String]) -> bool {
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    files.iter().all(|file| file.format == Format::PixelCsv && pixel_csv::is_plain(&file.path))
        && !names.iter().any(is_number)
}

/// The shape of several arrays, if each may be one image or many flat ones, and it is the same for all.
fn flat_or_one(files: &[DataFile]) -> Option<Vec<u64>> {
    let shape = |file: &DataFile| npy::open_array(&file.path).ok().map(|opened| opened.header.shape);
    let first = shape(files.first()?)?;
    let are_same = || files.iter().all(|file| file.format == Format::Npy && shape(file).as_ref() == Some(&first));
    (files.len() > 2 && is_flat_or_one(&first) && are_same()).then_some(first)
}

/// The shape of several arrays, if it is that of one image and the same for all.
fn one_image_each(files: &[DataFile]) -> Option<String> {
    const MIN_FILES: usize = 3;
    let shape = |file: &DataFile| -> Option<Vec<u64>> {
        (file.format == Format::Npy).then(|| npy::open_array(&file.path).ok().map(|opened| opened.header.shape))?
    };
    let first = shape(files.first()?)?;
    let is_image = match first[..] {
        [height, width] | [height, width, 1 | 3 | 4] | [1, height, width] => {
            // Flat images, many of them, have a square number of values.
            let may_be_flat = height != width && width.isqrt().pow(2) == width;
            !may_be_flat && height.min(width) >= 8 && height.max(width) <= 4 * height.min(width)
        }
        _ => false,
    };
    let are_same = || files.iter().all(|file| shape(file).as_ref() == Some(&first));
    (files.len() >= MIN_FILES && is_image && are_same()).then(|| format!("shape {first:?}"))
}

/// An error that lists the data files to choose from.
fn several(folder: &Path, files: &[DataFile], what: &str) -> Error {
    let names: Vec<String> = files.iter().map(DataFile::name).collect();
    let is_of_test = |file: &&DataFile| file.key().part.is_some_and(|part| part != Part::Train);
    let first = files.iter().find(|file| !is_of_test(file)).or(files.first());
    let first = first.map_or_else(|| folder.to_path_buf(), |file| file.path.clone());
    Error::data(
        format!("{} holds {} data files, {what}: {}", folder.display(), files.len(), first_names(&names, 20)),
        format!("name one of them: {}", first.display()),
    )
}

impl DataFiles {
    /// Opens the set.
    ///
    /// # Errors
    /// A file can't be opened, or there are no test images.
    pub fn open(&self, folder: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        // The file of a part holds nothing else.
        let inside = if self.divided { options.clone().split(Split::Train) } else { options.clone() };
        if let [only] = &self.files[..] {
            if !only.format.has_splits() {
                inside.refuse_test_split(&only.path.display().to_string())?;
            }
            let set = only.format.load(&only.path, &inside)?;
            return Ok(WithNotes::over(set, self.notes.clone()));
        }
        if self.names.is_empty() {
            return Ok(Box::new(shards::open(folder, &self.files, &inside)?.with_notes(self.notes.clone())));
        }
        inside.refuse_test_split(&folder.display().to_string())?;
        let (mut sets, mut labels) = (Vec::new(), Vec::new());
        for (file, name) in self.files.iter().zip(&self.names) {
            let set = match file.format {
                Format::PixelCsv => pixel_csv::open(&file.path, &inside)?,
                _ => npy::images(&file.path, &inside)?,
            };
            let label = self.classes.iter().position(|class| class == name).unwrap_or(0);
            labels.extend(std::iter::repeat_n(label as u32, set.len()));
            sets.push(set);
        }
        let set = InMemory::concatenated(folder.display().to_string(), sets)?;
        Ok(Box::new(set.with_labels(labels, self.classes.clone())?.with_notes(self.notes.clone())))
    }
}

/// The part of each file. Names are those of parts if one names the training part, or none, and each other one a part of the same
/// set.
fn parts(keys: &[Key]) -> Vec<Part> {
    let of = |key: &Key| key.part.unwrap_or(Part::Train);
    let is_of_set = |key: &Key| keys.iter().any(|other| of(other) == Part::Train && other.same_set(key));
    if keys.iter().all(is_of_set) {
        return keys.iter().map(of).collect();
    }
    vec![Part::Train; keys.len()]
}

/// The class of each file if each is one: the words that differ in their names. `None` for numbered pieces of one set, and for names
/// that do not differ.
fn class_names(files: &[DataFile], divided: bool) -> Option<Vec<String>> {
    let of = |file: &DataFile| -> Vec<String> {
        let words = words(&stem(&file.path)).into_iter();
        words.filter(|word| !divided || part_of(word).is_none()).collect()
    };
    let all: Vec<Vec<String>> = files.iter().map(of).collect();
    let (first, rest) = all.split_first()?;
    let common = |same: &dyn Fn(&[String], usize) -> bool| {
        let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
        (0..shortest).take_while(|at| rest.iter().all(|words| same(words, *at))).count()
    };
    let before = common(&|words, at| words[at] == first[at]);
    let after = common(&|words, at| words[words.len() - 1 - at] == first[first.len() - 1 - at]);
    let is_piece = |word: &String| shards::PIECES.contains(&word.trim_end_matches('s'));
    let name = |words: &Vec<String>| {
        let middle = words.get(before..words.len().saturating_sub(after)).filter(|middle| !middle.is_empty())?;
        (!words.iter().any(is_piece)).then(|| middle.join(" "))
    };
    all.iter().map(name).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::open;
    use crate::testing::{npy as npy_file, zip};

    fn labels(count: u8) -> Vec<u8> {
        let bytes: Vec<u8> = (0..count).map(|label| label % 3).collect();
        npy_file(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({count},)}}"), &bytes)
    }

    fn images(count: u8) -> Vec<u8> {
        let bytes: Vec<u8> = (0..count).flat_map(|image| [image, 0, 99, 255].repeat(4)).collect();
        npy_file(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 4, 4)}}"), &bytes)
    }

    fn grey(count: usize, side: usize) -> Vec<u8> {
        npy_file(
            &format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {side}, {side})}}"),
            &vec![99; count * side * side],
        )
    }

    fn in_zip(array: &[u8]) -> Vec<u8> {
        zip(&[("arr_0.npy", array)], true)
    }

    /// Number of images, and classes, of a folder of these files; and the notes.
    fn look(files: &[(&str, Vec<u8>)], split: Split) -> Result<(usize, Vec<String>, Vec<String>)> {
        let folder = crate::testing::folder();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let set = open(folder.path().to_str().unwrap(), &OpenOptions::default().split(split), &mut |_| ())?;
        Ok((set.len(), set.classes(), set.notes()))
    }

    fn text(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn parts_are_told_by_names_and_have_their_labels_beside() {
        let sets: [[(&str, Vec<u8>); 4]; 3] = [
            [
                ("kmnist-train-imgs.npz", in_zip(&images(6))),
                ("kmnist-train-labels.npz", in_zip(&labels(6))),
                ("kmnist-test-imgs.npz", in_zip(&images(2))),
                ("kmnist-test-labels.npz", in_zip(&labels(2))),
            ],
            [
                ("x_train.npy", images(6)),
                ("y_train.npy", labels(6)),
                ("x_test.npy", images(2)),
                ("y_test.npy", labels(2)),
            ],
            [("X.npy", images(6)), ("y.npy", labels(6)), ("X_val.npy", images(2)), ("y_val.npy", labels(2))],
        ];
        for set in sets {
            let (count, classes, notes) = look(&set, Split::Train).unwrap();
            assert_eq!((count, classes), (6, text(&["0", "1", "2"])), "{}", set[0].0);
            let (labels, parts) =
                (format!("labels: {}, 3 classes (0, 1, 2)", set[1].0), notes.first().cloned().unwrap_or_default());
            assert!(
                notes.contains(&labels) && parts.starts_with("parts: ") && parts.ends_with("held back"),
                "{notes:?}"
            );
            assert!(parts.contains(set[0].0) && parts.contains(set[2].0), "{parts}");
            let (count, classes, _) = look(&set, Split::Test).unwrap();
            assert_eq!((count, classes), (2, text(&["0", "1", "2"])), "{}", set[0].0);
        }
    }

    #[test]
    fn a_file_per_class() {
        let categories = [("full_numpy_bitmap_cat.npy", images(3)), ("full_numpy_bitmap_ice cream.npy", images(2))];
        let (count, classes, notes) = look(&categories, Split::Train).unwrap();
        assert_eq!((count, classes), (5, text(&["cat", "ice cream"])));
        assert_eq!(notes, ["each file is a class: cat, ice cream"]);
        assert!(look(&categories, Split::Test).unwrap_err().to_string().contains("no test images"));
        // The category `train` is no part.
        let (_, classes, _) = look(&[("sheep.npy", images(3)), ("train.npy", images(2))], Split::Train).unwrap();
        assert_eq!(classes, text(&["sheep", "train"]));
        let divided = [("cat_train.npy", images(3)), ("dog_train.npy", images(2)), ("cat_test.npy", images(1))];
        assert_eq!(look(&divided, Split::Train).unwrap().1, text(&["cat", "dog"]));
        let numbers = [("10.npy", images(3)), ("9.npy", images(2))];
        assert_eq!(look(&numbers, Split::Train).unwrap().1, text(&["9", "10"]));
    }

    #[test]
    fn one_file_with_images_is_the_set() {
        let lists = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", &[0; 12]);
        let (count, _, notes) =
            look(&[("a.npy", images(3)), ("features_mean.npy", lists.clone())], Split::Train).unwrap();
        assert_eq!((count, notes), (3, text(&["features_mean.npy holds no images and is left aside"])));
        let error = look(&[("a.npy", lists.clone()), ("b.npy", lists)], Split::Train).unwrap_err();
        assert!(error.to_string().ends_with("holds 2 data files, none of them with images: a.npy, b.npy"), "{error}");
        let (.., notes) = look(&[("images.npy", images(3)), ("labels.npy", labels(2))], Split::Train).unwrap();
        assert_eq!(notes, ["labels.npy beside it is not read: it has 2 labels for 3 images"]);
        let (.., notes) =
            look(&[("images.npy", images(3)), ("labels.json", b"[0, 1, 2]".to_vec())], Split::Train).unwrap();
        assert_eq!(notes, ["the labels in labels.json are not read: save them as labels.npy"]);
    }

    #[test]
    fn numbered_shards_are_one_set() {
        let of = |count: u8| zip(&[("x.npy", &images(count)), ("y.npy", &labels(count))], true);
        let shards = [("s_10.npz", of(3)), ("s_9.npz", of(2))];
        let (count, classes, notes) = look(&shards, Split::Train).unwrap();
        assert_eq!((count, classes), (5, text(&["0", "1", "2"])));
        assert!(notes.contains(&"2 files are read as one set: s_9.npz to s_10.npz".to_owned()), "{notes:?}");
        assert!(notes.contains(&"labels: in each file, 3 classes (0, 1, 2)".to_owned()), "{notes:?}");
        // All labels of a file differ.
        let each: Vec<u8> = (0..30).collect();
        let each = npy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (30,)}", &each);
        let of_each = zip(&[("x.npy", &images(30)), ("y.npy", &each)], true);
        assert!(look(&[("s_1.npz", of_each.clone())], Split::Train).unwrap().1.is_empty());
        let few = look(&[("s_1.npz", of_each.clone()), ("s_2.npz", of_each)], Split::Train).unwrap();
        assert_eq!((few.0, few.1.len()), (60, 30));
        let arrays = [("x_0.npy", images(3)), ("y_0.npy", labels(3)), ("x_1.npy", images(2)), ("y_1.npy", labels(2))];
        assert_eq!(look(&arrays, Split::Train).unwrap().1, text(&["0", "1", "2"]));
        assert_eq!(look(&[("batch_1.npy", images(3)), ("batch_2.npy", images(3))], Split::Train).unwrap().0, 6);
        // Black and white would differ from file to file.
        let floats = |white: f32| {
            let values: Vec<u8> = [0.0, white].repeat(16).into_iter().flat_map(f32::to_le_bytes).collect();
            npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4, 4)}", &values)
        };
        let error = look(&[("part1.npy", floats(1.0)), ("part2.npy", floats(255.0))], Split::Train).unwrap_err();
        assert!(error.to_string().contains("part2.npy (0 and 255)") && error.hint().contains("data.range"), "{error}");
        assert_eq!(look(&[("part1.npy", floats(1.0)), ("part2.npy", floats(0.9))], Split::Train).unwrap().0, 4);
    }

    #[test]
    fn several_sets_are_listed() {
        for files in [
            [("a.npy", images(3)), ("b.npy", grey(2, 9))],
            [("a.npy", images(3)), ("b.npz", in_zip(&images(3)))],
            [("batch_1.npy", images(3)), ("batch_2.npy", grey(2, 9))],
        ] {
            let error = look(&files, Split::Train).unwrap_err();
            let expected = format!("holds 2 data files, which are not one set: {}, {}", files[0].0, files[1].0);
            assert!(error.to_string().ends_with(&expected) && error.hint().ends_with(files[0].0), "{error}");
        }
    }
}
