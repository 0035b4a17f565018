//! Opens, fetches and checks a data set by name or path.

use std::path::{Path, PathBuf};

use super::dataset::{BadFile, Dataset};
use super::fetch::Progress;
use super::open_options::{OpenOptions, Split};
use super::registry::{NAMES, did_you_mean, parse_name};
use super::resized::Resized;
use super::search_path::SearchPath;
use super::sniff::{FolderContents, format_of, in_folder};
use super::{Format, by_name, folder, nearest, printable_path, survey};
use crate::error::{Error, Result};
use crate::with_notes::WithNotes;

/// Prefix of the name, in a recipe, of a data set passed by a program: `memory:NAME`. It can't be opened by name.
pub const IN_MEMORY: &str = "memory:";

/// Opens a data set by name (`strokes`, `mnist`, `cifar10`, `quickdraw:sheep`, ...) or by path. Missing
/// files of a named set are fetched; `progress` is called during downloads. That uses the network (with the feature
/// `fetch`), a cache folder ([`super::cache_folder`]), and the variables `FAUSSAIRE_DATA` and `FAUSSAIRE_MIRROR`.
///
/// ```
/// use faussaire_data::{Dataset, OpenOptions, open}; // faussaire::data
///
/// # fn main() -> faussaire_data::Result<()> {
/// let digits = open("strokes", &OpenOptions::default().count(20).size((16, 16)), &mut |_| ())?;
/// assert_eq!((digits.len(), digits.shape().to_string()), (20, "16x16x1".to_string()));
/// assert!(open("mnits", &OpenOptions::default(), &mut |_| ()).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The name is unknown, or files are damaged, or missing and can't be fetched.
pub fn open(name_or_path: &str, options: &OpenOptions, progress: &mut dyn FnMut(Progress)) -> Result<Box<dyn Dataset>> {
    open_from(&|| SearchPath::from_env(options.data_dir.as_deref()), name_or_path, options, progress)
}

/// `open` with a search path, which is built only for named sets with files.
fn open_from(
    search_path: &dyn Fn() -> Result<SearchPath>,
    name_or_path: &str,
    options: &OpenOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Box<dyn Dataset>> {
    if let Some(name) = name_or_path.strip_prefix(IN_MEMORY) {
        return Err(Error::usage(
            format!("this run was trained on data in memory ({name})"),
            "pass the same images: in a program to `Trainer::resume` or `judging::Options`, or name a data set that \
             holds them (`data.source`)",
        ));
    }
    options.image().check()?;
    let set = match parse_name(name_or_path)? {
        Some(named) => by_name::open(named, name_or_path, search_path, options, progress)
            .map_err(|error| mention_namesake(error, name_or_path))?,
        None => open_path(name_or_path, options)?,
    };
    Resized::over(set, &options.image())
}

/// Whether `name` is the name of a data set rather than a path.
pub fn is_name(name: &str) -> bool {
    matches!(parse_name(name), Ok(Some(_)))
}

/// Fetches the missing files of a named set, and returns the paths of all; no paths for a synthetic set.
///
/// # Errors
/// The name is unknown, or a file can't be fetched.
pub fn fetch(name: &str, options: &OpenOptions, progress: &mut dyn FnMut(Progress)) -> Result<Vec<PathBuf>> {
    let search_path = SearchPath::from_env(options.data_dir.as_deref())?;
    match parse_name(name)? {
        Some(named) => by_name::fetch(named, name, &search_path, progress),
        None => Err(unknown(name)),
    }
}

/// Reads every image of a set and lists the unusable files.
///
/// # Errors
/// The set can't be opened.
pub fn check(name_or_path: &str, options: &OpenOptions, progress: &mut dyn FnMut(Progress)) -> Result<Vec<BadFile>> {
    if parse_name(name_or_path)?.is_none()
        && let Some(images) = images_at(Path::new(name_or_path), options.split)?
    {
        return folder::check(&images, &options.image());
    }
    let set = open(name_or_path, options, progress)?;
    // Opening a set that is not lazy reads all of it.
    if set.is_lazy() {
        let mut image = vec![0.0; set.shape().len()];
        (0..set.len()).try_for_each(|index| set.read(index, &mut image))?;
    }
    Ok(set.skipped())
}

/// The folder or archive of images at `path` or in the folder `path`.
fn images_at(path: &Path, split: Split) -> Result<Option<PathBuf>> {
    if !path.is_dir() {
        let is_archive = path.is_file() && format_of(path)? == Format::Archive;
        return Ok(is_archive.then(|| path.to_path_buf()));
    }
    Ok(match in_folder(path, split)? {
        FolderContents::Images => Some(path.to_path_buf()),
        FolderContents::Single(file, Format::Archive) => Some(file),
        FolderContents::Single(..) | FolderContents::FileSet(..) | FolderContents::Several(_) => None,
    })
}

fn open_path(name: &str, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
    let path = Path::new(name);
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(unknown(name)),
        Err(error) => return Err(Error::io("read", path)(error)),
    };
    if !about.is_dir() {
        // A pipe or a device would be waited for.
        if !about.is_file() {
            return Err(Error::data(
                format!("{name} is neither a file nor a folder"),
                "give a file or a folder of images",
            ));
        }
        let format = format_of(path)?;
        if !format.has_splits() {
            options.refuse_test_split(name)?;
        }
        return load(format, path, options);
    }
    match in_folder(path, options.split)? {
        FolderContents::FileSet(images, notes) => {
            survey::remarked(WithNotes::over(Format::Idx.load(&images, options)?, notes))
        }
        FolderContents::Several(files) => survey::remarked(files.open(path, options)?),
        FolderContents::Images => Format::Folder.load(path, options),
        // A folder of shards determines its splits itself.
        FolderContents::Single(file, format) if format.has_splits() || file.is_dir() => load(format, &file, options),
        FolderContents::Single(file, format) => {
            options.refuse_test_split(name)?;
            load(format, &file, options)
        }
    }
}

/// Opens a set, with remarks on its images; those in files are looked at by `Folder` itself.
fn load(format: Format, path: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
    let set = format.load(path, options)?;
    match format {
        Format::Parquet | Format::Folder | Format::Archive | Format::Strokes => Ok(set),
        _ => survey::remarked(set),
    }
}

/// `error` of the set called `name`; where a file or folder here has that name, with how to open that.
fn mention_namesake(error: Error, name: &str) -> Error {
    match Path::new(name).exists() {
        true => error.and_hint(&format!("the files in ./{name} are opened as ./{name}")),
        false => error,
    }
}

/// The file or folder beside `path` with a name near its own.
fn near_path(path: &Path) -> Option<String> {
    let parent = path.parent()?;
    let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let names: Vec<String> =
        std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(printable_path(&parent.join(near)).to_string())
}

fn unknown(name: &str) -> Error {
    if name.starts_with("http://") || name.starts_with("https://") {
        return Error::usage(
            format!("{name} is an address, and data are read from this machine"),
            format!("download it first, for example with: curl -LO {name}; then give the file"),
        );
    }
    let looks_like_path = name.contains(['/', '\\']) || Path::new(name).extension().is_some();
    let what = if looks_like_path {
        format!("there is no file or folder {name}")
    } else {
        format!("no data set is called '{name}', and there is no such file or folder")
    };
    if name.contains(['*', '?']) && looks_like_path {
        return Error::usage(what, "give the folder: all images in it are read");
    }
    if let Some(near) = near_path(Path::new(name)).filter(|_| looks_like_path) {
        return Error::usage(what, format!("did you mean {near}?"));
    }
    // `mnist.npz` is no set by name, and is what other programs download.
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    let did_you_mean = did_you_mean(name)
        .or_else(|| did_you_mean(stem))
        .map_or(String::new(), |known| format!("did you mean {known}? "));
    Error::usage(what, format!("{did_you_mean}known names: {NAMES}; or a path to images"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::{array, gzip, idx_images, sample, shared_data, tar, zip};
    use super::*;

    fn open_here(name: &str, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
        let search_path =
            || Ok(SearchPath { folders: options.data_dir.iter().cloned().collect(), ..SearchPath::default() });
        open_from(&search_path, name, options, &mut |_| panic!("nothing is to be fetched"))
    }

    fn open_plain(path: &Path) -> Result<Box<dyn Dataset>> {
        open_here(path.to_str().unwrap(), &OpenOptions::default())
    }

    #[test]
    fn paths_are_opened_in_their_format() {
        let folder = crate::testing::folder();
        let root = folder.path();
        std::fs::write(root.join("b.dat"), array(8)).unwrap();
        assert_eq!(open_plain(&root.join("b.dat")).unwrap().len(), 2);
        assert_eq!(open_plain(root).unwrap().len(), 2);
        std::fs::create_dir(root.join("deep")).unwrap();
        image::GrayImage::new(5, 6).save(root.join("deep/x.png")).unwrap();
        assert_eq!(open_plain(root).unwrap().shape().to_string(), "6x5x1");
        std::fs::write(root.join("t10k-images-idx3-ubyte"), idx_images(1, 2, 3)).unwrap();
        let test = OpenOptions { split: Split::Test, ..OpenOptions::default() };
        assert_eq!(open_here(root.to_str().unwrap(), &test).unwrap().shape().to_string(), "2x3x1");
        for path in ["deep", "b.dat"] {
            let error = open_here(root.join(path).to_str().unwrap(), &test).unwrap_err();
            assert!(error.to_string().contains("no test images"), "{error}");
        }
    }

    #[test]
    fn archives_are_opened_and_checked() {
        let folder = crate::testing::folder();
        let image = sample("rgb.png");
        let files = [("cat/a.png", &image[..]), ("dog/b.png", &image[..]), ("dog/c.png", b"no picture")];
        for (name, bytes) in [("a.zip", zip(&files, true)), ("a.tgz", gzip(&tar(&files)))] {
            let path = folder.path().join("only").join(name);
            std::fs::create_dir_all(folder.path().join("only")).unwrap();
            std::fs::write(&path, bytes).unwrap();
            // The folder that holds one archive is that archive.
            for path in [path.as_path(), &folder.path().join("only")] {
                let size = OpenOptions { size: Some((6, 6)), ..OpenOptions::default() };
                let set = open_here(path.to_str().unwrap(), &size).unwrap();
                assert_eq!((set.len(), set.shape().to_string(), set.classes().len()), (3, "6x6x3".to_owned(), 2));
                assert!(set.notes()[0].contains("centre crop, then 6x6"));
                let bad = check(path.to_str().unwrap(), &size, &mut |_| {}).unwrap();
                assert_eq!(bad.len(), 1);
                assert!(bad[0].path.ends_with(Path::new(name).join("dog/c.png")), "{bad:?}");
            }
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn bad_files_are_listed() {
        let folder = crate::testing::folder();
        let root = folder.path();
        let look = |path: &Path| check(path.to_str().unwrap(), &OpenOptions::default(), &mut |_| {});
        image::GrayImage::new(5, 6).save(root.join("a.png")).unwrap();
        assert_eq!(look(root).unwrap(), []);
        std::fs::write(root.join("b.png"), "no picture").unwrap();
        assert_eq!(look(root).unwrap()[0].path, root.join("b.png"));
        std::fs::write(root.join("c.npy"), &array(8)[..70]).unwrap();
        assert!(look(&root.join("c.npy")).is_err());
    }

    #[test]
    fn unknown_names_get_a_hint() {
        let error = open_plain(Path::new("fashion_mnist")).unwrap_err();
        assert_eq!(error.to_string(), "no data set is called 'fashion_mnist', and there is no such file or folder");
        assert!(error.hint().starts_with("did you mean fashion-mnist? known names: strokes, mnist,"));
        let error = open_plain(Path::new("no/such.npy")).unwrap_err();
        assert_eq!(error.to_string(), "there is no file or folder no/such.npy");
    }

    #[test]
    fn strokes_need_no_files() {
        let options = OpenOptions { count: Some(50), seed: 3, ..OpenOptions::default() };
        let train = open_here("strokes", &options).unwrap();
        assert_eq!((train.len(), train.shape().to_string()), (50, "28x28x1".to_owned()));
        let test = open_here("strokes", &OpenOptions { split: Split::Test, ..options.clone() }).unwrap();
        assert_ne!(train.fingerprint(), test.fingerprint());
        assert!(open_here("strokes", &OpenOptions { count: Some(0), ..options.clone() }).is_err());
        let large = OpenOptions { size: Some((32, 32)), channels: Some(3), ..options };
        assert_eq!(open_here("strokes", &large).unwrap().shape().to_string(), "32x32x3");
        assert!(open_here("strokes", &OpenOptions { size: Some((0, 4)), ..large }).is_err());
    }

    #[test]
    fn real_sets_by_name() {
        let Some(data) = shared_data() else { return };
        let options = OpenOptions { data_dir: Some(data.clone()), ..OpenOptions::default() };
        let test = OpenOptions { split: Split::Test, ..options.clone() };
        for (name, options, count, classes) in [
            ("mnist", &options, 60_000, 10),
            ("mnist", &test, 10_000, 10),
            ("fashion-mnist", &test, 10_000, 10),
            ("quickdraw:sheep", &options, 1000, 0),
        ] {
            let set = open_here(name, options).unwrap();
            assert_eq!((set.len(), set.classes().len()), (count, classes), "{name}");
            assert_eq!((set.shape().to_string().as_str(), set.name().starts_with(name)), ("28x28x1", true));
        }
        assert!(open_here("quickdraw:sheep", &test).is_err());
        let drawings = open_plain(&data.join("quickdraw")).unwrap();
        assert_eq!((drawings.len() > 16_000, drawings.classes().len()), (true, 16));
        // Two data files, of which one can be read.
        assert_eq!(open_plain(&data.join("sheep-market")).unwrap().len(), 8000);
    }
}
