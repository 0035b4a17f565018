//! Format detection: of a file by its first bytes, not by its extension; of a folder by its files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::first_names::first_names;
use crate::folder::Listing;
use crate::folder::scan::{Contents, contents};
use crate::formats::compression::unpacked;
use crate::formats::data_files::{self, DataFile, DataFiles};
use crate::formats::hidden::is_hidden;
use crate::formats::{pixel_csv, stl10};
use crate::open_options::Split;
use crate::parts::{Part, part_of, words};
use crate::pictures::{self, FORMATS};
use crate::signatures;
use crate::{Format, cifar, idx, npy, npz, parquet};

/// The contents of a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum FolderContents {
    /// The images of a split, named as in MNIST, with what is to be said of the other files.
    FileSet(PathBuf, Vec<String>),
    /// Image files at any depth, or archives of them.
    Images,
    /// Single file of another format, or a folder whose files form one set.
    Single(PathBuf, Format),
    /// Several files of other formats.
    Several(DataFiles),
}

/// Detects the contents of a folder; `split` selects among files named as in MNIST.
///
/// # Errors
/// The folder holds no data set, or several.
pub fn in_folder(folder: &Path, split: Split) -> Result<FolderContents> {
    if let Some(images) = idx::find(folder, split.prefix()) {
        let notes = if split == Split::Train { beside_mnist(folder)? } else { Vec::new() };
        return Ok(FolderContents::FileSet(images, notes));
    }
    cifar::refuse_python(folder)?;
    if cifar::is_folder(folder) {
        return Ok(FolderContents::Single(folder.to_path_buf(), Format::Cifar));
    }
    if stl10::is_folder(folder) {
        return Ok(FolderContents::Single(folder.to_path_buf(), Format::Stl10));
    }
    let found = contents(folder)?;
    // Tables of addresses lie beside images or archives of these; images in the documentation lie beside tables of images.
    let tables = parquet::files(folder)?;
    if !tables.is_empty() && (found == Contents::Nothing || tables.iter().any(|table| parquet::holds_images(table))) {
        return Ok(FolderContents::Single(folder.to_path_buf(), Format::Parquet));
    }
    if found == Contents::Images {
        refuse_few_beside_a_set(folder)?;
        return Ok(FolderContents::Images);
    }
    // One image in each array, or images without the ending of one; fewer than three may be an example of a set beside them.
    let count = if found == Contents::Nothing { Listing::open(folder)?.len() } else { 0 };
    if count >= 3 {
        return Ok(FolderContents::Images);
    }
    let mut files = data_files_in(folder)?;
    if count > 0 && !files.iter().any(DataFile::holds_images) {
        return Ok(FolderContents::Images);
    }
    // Archives are one set, beside which there may be arrays of labels, for one.
    if found == Contents::Archives
        && files.iter().all(|file| file.format == Format::Archive || !has_images(&file.path, file.format))
    {
        files.retain(|file| file.format == Format::Archive);
        if files.len() != 1 {
            return Ok(FolderContents::Images);
        }
    }
    if files.is_empty() {
        let below = folders_with_files(folder);
        if let [only] = &below[..] {
            return in_folder(only, split);
        }
        let files = below.iter().map(|folder| Ok((data_files_in(folder)?, folder.clone())));
        if let Some(files) = data_files::of_part_folders(folder, files.collect::<Result<_>>()?, split)? {
            return Ok(FolderContents::Several(files));
        }
        refuse_several(folder, &below, split)?;
    }
    match &files[..] {
        [] => Err(match signatures::of_folder(folder) {
            Some((what, remedy)) => Error::data(format!("{} holds no images, but {what}", folder.display()), remedy),
            None => Error::data(
                format!("{} holds no images", folder.display()),
                format!(
                    "expected {FORMATS} files (at any depth), or one .zip, .tar, .npy, .npz, .parquet, CIFAR-10 or IDX file"
                ),
            ),
        }),
        [file] => Ok(FolderContents::Single(file.path.clone(), file.format)),
        _ => data_files::choose(folder, files, split).map(FolderContents::Several),
    }
}

/// Refuses a folder of which several folders below hold sets of their own.
fn refuse_several(folder: &Path, below: &[PathBuf], split: Split) -> Result<()> {
    /// Folders that are looked at.
    const MOST: usize = 20;
    let sets: Vec<&PathBuf> = below.iter().take(MOST).filter(|below| in_folder(below, split).is_ok()).collect();
    let [first, _, ..] = &sets[..] else { return Ok(()) };
    let names: Vec<String> =
        sets.iter().map(|set| set.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    Err(Error::data(
        format!("{} holds {} sets: {}", folder.display(), sets.len(), first_names(&names, 8)),
        format!("give one of them: {}", first.display()),
    ))
}

/// What is to be said of a folder with files named as in MNIST: its parts, and the other sets in it.
fn beside_mnist(folder: &Path) -> Result<Vec<String>> {
    let mut notes: Vec<String> = idx::parts_of(folder).into_iter().collect();
    let mut others = Vec::new();
    for path in own_entries(folder).into_iter().filter(|path| path.is_file()) {
        let format = detect(&path, &start(&path)?).filter(|format| *format != Format::Idx);
        if let Some(format) = format
            && (DataFile { path: path.clone(), format }).holds_images()
        {
            others.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    if contents(folder)? == Contents::Images {
        others.push("image files".to_owned());
    }
    if !others.is_empty() {
        notes.push(format!(
            "left aside, as the files named as MNIST's are the set: {}; to learn from another one, give it",
            first_names(&others, 8)
        ));
    }
    Ok(notes)
}

/// The data files in a folder, sorted by name.
fn data_files_in(folder: &Path) -> Result<Vec<DataFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        refuse_piece(&path)?;
        if path.is_file()
            && let Some(format) = detect(&path, &start(&path)?)
        {
            files.push(DataFile { path, format });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Folders of pictures that programs have made of a set.
const RESULT_WORDS: [&str; 20] = [
    "result",
    "results",
    "output",
    "outputs",
    "figure",
    "figures",
    "fig",
    "figs",
    "plot",
    "plots",
    "sample",
    "samples",
    "generated",
    "preview",
    "previews",
    "progress",
    "epochs",
    "assets",
    "docs",
    "screenshots",
];

/// Refuses a folder in which a file holds a set of images, beside very few images or those in folders of results: they may be an
/// example of the set or what was made of it.
fn refuse_few_beside_a_set(folder: &Path) -> Result<()> {
    /// More images are a set, and more results are not looked at.
    const MOST: usize = 3;
    const MOST_RESULTS: usize = 1000;
    let few = crate::folder::scan::images(folder, MOST_RESULTS + 1)?;
    let is_result = |name: &String| {
        name.split_once('/').is_some_and(|(top, _)| words(top).iter().any(|word| RESULT_WORDS.contains(&word.as_str())))
    };
    if few.len() > MOST && (few.len() > MOST_RESULTS || !few.iter().all(is_result)) {
        return Ok(());
    }
    let folders = std::iter::once(folder.to_path_buf()).chain(folders_in(folder));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    let of_test = |path: &PathBuf| {
        let names = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
        names.split('/').any(|name| part_of(name).is_some_and(|part| part != Part::Train))
    };
    files.sort_by_key(|path| (of_test(path), path.clone()));
    for path in files {
        let is_set = path.is_file()
            && match detect(&path, &start(&path)?) {
                Some(Format::Npz) => npz::holds_images(&path),
                Some(Format::Npy) => npy::layout(&path).is_ok_and(|(count, _)| count > MOST),
                Some(Format::PixelCsv) => true,
                // Another part of the set.
                Some(Format::Archive) => !Listing::open(folder)?.reads_archives(),
                _ => false,
            };
        if is_set {
            let (count, s) = (few.len(), if few.len() == 1 { "" } else { "s" });
            let what = format!("{} holds {count} image{s} ({}) beside {}", folder.display(), few[0], path.display());
            return Err(Error::data(
                format!("{what}, which may be the set that is meant"),
                format!(
                    "to learn from the file, give it, {}, or move the image{s} away; else move the file away",
                    path.display()
                ),
            ));
        }
    }
    Ok(())
}

/// The folders in a folder that hold files, at any depth; none if some lie beside them that are no text.
fn folders_with_files(folder: &Path) -> Vec<PathBuf> {
    const TEXT: [&str; 6] = ["txt", "md", "json", "yaml", "yml", "html"];
    let is_text =
        |path: &Path| path.extension().is_some_and(|ending| TEXT.iter().any(|text| ending.eq_ignore_ascii_case(text)));
    if own_entries(folder).iter().any(|path| path.is_file() && !is_text(path)) {
        return Vec::new();
    }
    let has_files =
        |path: &PathBuf| std::fs::read_dir(path).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok()));
    folders_in(folder).into_iter().filter(has_files).collect()
}

/// What is in a folder, sorted, but for hidden files and folders.
fn own_entries(folder: &Path) -> Vec<PathBuf> {
    let is_own = |path: &PathBuf| path.file_name().is_none_or(|name| !is_hidden(&name.to_string_lossy()));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_own).collect();
    paths.sort();
    paths
}

/// The folders in a folder, but for links, which may lead back.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|about| about.is_dir());
    own_entries(folder).into_iter().filter(is_folder).collect()
}

/// Whether a file, beside archives, is more than labels.
fn has_images(path: &Path, format: Format) -> bool {
    match format {
        Format::Npy => npy::layout(path).is_ok(),
        Format::Parquet => parquet::holds_images(path),
        _ => true,
    }
}

/// Detects the format of a file by its content.
///
/// # Errors
/// The format is unknown; the message says what the file looks like.
pub(crate) fn format_of(path: &Path) -> Result<Format> {
    refuse_piece(path)?;
    let start = start(path)?;
    detect(path, &start).ok_or_else(|| {
        let (what, hint) = match &start[..] {
            [] => ("empty", "the file is damaged or was not downloaded completely: replace it"),
            start if start.starts_with(b"GIF8") => (
                "one image",
                "use the folder of the images; of one animation, write the frames to a folder: ffmpeg -i FILE frame-%04d.png",
            ),
            start if pictures::is_image(start) => ("one image", "use the folder of the images"),
            [0, 0, 8, 1, ..] => ("one of labels, not images", "give the images file; its labels are found beside it"),
            start => match signatures::kind(start).or_else(|| signatures::of_file(path)) {
                Some(kind) if kind.name == signatures::CSV => {
                    let why = pixel_csv::why_not(path).map_or_else(String::new, |why| format!("; {why}"));
                    let what = format!("{} can't be read as images: it is {}{why}", path.display(), kind.name);
                    return Error::data(what, kind.remedy);
                }
                Some(kind) => (kind.name, kind.remedy),
                None => (
                    "of an unknown format",
                    "expected IDX (.gz or not), .npy, .npz, .parquet, CIFAR-10's .bin, .zip, .tar (.gz or not), or a folder \
                     of images",
                ),
            },
        };
        Error::data(format!("{} can't be read as images: it is {what}", path.display()), hint)
    })
}

/// Refuses a file that its name says to be a piece of an archive.
fn refuse_piece(path: &Path) -> Result<()> {
    signatures::piece_of_archive(path).filter(|_| path.is_file()).map_or(Ok(()), |kind| {
        Err(Error::data(format!("{} can't be read as images: it is {}", path.display(), kind.name), kind.remedy))
    })
}

fn detect(path: &Path, start: &[u8]) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format.matches(path, start))
}

/// The first bytes of a file, uncompressed.
fn start(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    let (reader, compression) = unpacked(file).map_err(Error::io("read", path))?;
    let got = reader.take(1024).read_to_end(&mut bytes).map_err(Error::io("read", path));
    // A damaged stream may begin well: its reader says what is wrong.
    got.map(drop).or_else(|error| if compression.is_some() { Ok(()) } else { Err(error) })?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{array, gzip, idx_images, idx_labels, tar, zip};

    #[test]
    fn file_formats_are_detected_by_content() {
        let folder = crate::testing::folder();
        let put = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            folder.path().join(name)
        };
        assert_eq!(format_of(&put("a.dat", &array(8))).unwrap(), Format::Npy);
        assert_eq!(format_of(&put("b", &gzip(&idx_images(3, 4, 5)))).unwrap(), Format::Idx);
        assert_eq!(format_of(&put("e", &zip(&[("a.png", b"x")], true))).unwrap(), Format::Archive);
        assert_eq!(format_of(&put("f", &tar(&[("a.png", b"x")]))).unwrap(), Format::Archive);
        assert_eq!(format_of(&put("g.tgz", &gzip(&tar(&[("a.png", b"x")])))).unwrap(), Format::Archive);
        assert_eq!(format_of(&put("c.png", &idx_images(3, 4, 5))).unwrap(), Format::Idx);
        for (bytes, expected) in [
            (&b""[..], "it is empty"),
            (b"\x89PNG\r\n\x1a\n", "it is one image"),
            (b"II*\0", "it is one image"),
            (b"<!DOCTYPE html>", "web page"),
            (b"\x1f\x8b", "it is empty"),
            (b"\x01\x02\x03", "unknown format"),
            (b"label,a,b\n1,2,3", "a table in text (CSV)"),
            (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
            (&idx_labels(&[1]), "one of labels"),
            (&gzip(b"some text"), "it is text"),
        ] {
            let error = format_of(&put("d", bytes)).unwrap_err();
            assert!(error.to_string().contains(expected) && !error.hint().is_empty(), "{error}");
        }
    }

    #[test]
    fn folder_contents_are_detected() {
        let folder = crate::testing::folder();
        let root = folder.path();
        let look = |split| in_folder(root, split);
        let message = || look(Split::Train).unwrap_err().to_string();
        assert!(message().ends_with("holds no images"));
        std::fs::write(root.join("readme.txt"), "text").unwrap();
        std::fs::write(root.join("b.npy"), array(8)).unwrap();
        let one = FolderContents::Single(root.join("b.npy"), Format::Npy);
        assert_eq!(look(Split::Train).unwrap(), one);
        std::fs::write(root.join("a.npy"), array(12)).unwrap();
        assert!(message().contains("holds 2 data files"), "{}", message());
        std::fs::create_dir(root.join("deep")).unwrap();
        std::fs::write(root.join("deep/x.png"), "a picture").unwrap();
        assert_eq!(look(Split::Train).unwrap(), FolderContents::Images);
        let images = root.join("t10k-images-idx3-ubyte");
        std::fs::write(&images, idx_images(1, 2, 3)).unwrap();
        assert_eq!(look(Split::Test).unwrap(), FolderContents::FileSet(images, Vec::new()));
        assert_eq!(look(Split::Train).unwrap(), FolderContents::Images);
    }
}
