//! What a file or a folder is: a file is told by its first bytes, not by its extension; a folder by what is in it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::open_options::Split;
use super::{Format, cifar, folder, idx, npz, parquet};
use crate::error::{Error, Result};
use crate::formats::GZIP;

/// What a folder holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Inside {
    /// The images of a split, named as in MNIST.
    FileSet(PathBuf),
    /// Image files, possibly deeper.
    Images,
    /// One file of another format, or a folder of files that make one set.
    One(PathBuf, Format),
}

/// Looks at what a folder holds; which images, where they are split as in MNIST, is up to `split`.
///
/// # Errors
/// Where it holds nothing that can be opened, or several things.
pub fn in_folder(folder: &Path, split: Split) -> Result<Inside> {
    if let Some(images) = idx::find(folder, split.prefix()) {
        return Ok(Inside::FileSet(images));
    }
    if [split, Split::Train, Split::Test].into_iter().any(|split| cifar::in_folder(folder, split)) {
        return Ok(Inside::One(folder.to_path_buf(), Format::Cifar));
    }
    if !parquet::files(folder)?.is_empty() {
        return Ok(Inside::One(folder.to_path_buf(), Format::Parquet));
    }
    if folder::has_images(folder)? {
        return Ok(Inside::Images);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.is_file()
            && let Some(format) = claimed(&path, &start(&path)?)
        {
            files.push((path, format));
        }
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    if files.len() > 1 {
        files.retain(|(path, format)| *format != Format::Npz || npz::holds_images(path));
    }
    match &files[..] {
        [] => Err(Error::data(
            format!("{} holds no images", folder.display()),
            "expected PNG, JPEG, WebP, GIF or BMP files (at any depth), or one .zip, .tar, .npy, .npz, .parquet, \
             CIFAR-10 or IDX file",
        )),
        [(file, format)] => Ok(Inside::One(file.clone(), *format)),
        several => Err(too_many(folder, several)),
    }
}

/// Names the files among which one must be chosen.
fn too_many(folder: &Path, files: &[(PathBuf, Format)]) -> Error {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names: Vec<String> = files.iter().take(20).map(|(path, _)| name(path)).collect();
    let more = if files.len() > names.len() { ", ..." } else { "" };
    Error::data(
        format!("{} holds {} data files: {}{more}", folder.display(), files.len(), names.join(", ")),
        format!("name one of them: {}", files[0].0.display()),
    )
}

/// The format of a file, by its content.
///
/// # Errors
/// Where it has none that is known: says what it looks like instead.
pub fn format_of(path: &Path) -> Result<Format> {
    let start = start(path)?;
    claimed(path, &start).ok_or_else(|| {
        let (what, hint) = match &start[..] {
            [] => ("it is empty", "the file is damaged or was not downloaded completely: replace it"),
            [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, ..] => {
                ("it is one image", "give the folder that holds the images")
            }
            [0, 0, 8, 1, ..] => ("it holds labels, not images", "give the images file; its labels are found beside it"),
            [b'<', ..] => ("it is a web page", "the download went wrong: fetch the file again"),
            _ => (
                "its first bytes are those of no known format",
                "expected IDX (.gz or not), .npy, .npz, .parquet, CIFAR-10's .bin, .zip, .tar (.gz or not), or a folder of \
                 images",
            ),
        };
        Error::data(format!("{} can't be read as images: {what}", path.display()), hint)
    })
}

fn claimed(path: &Path, start: &[u8]) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format.claims(path, start))
}

/// The first bytes of a file, after gunzip where it is gzipped.
fn start(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(1024).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut inflated = Vec::new();
    // The stream breaks off here, and may be damaged: what came out until then is enough.
    let _ = flate2::read::GzDecoder::new(&bytes[..]).take(512).read_to_end(&mut inflated);
    Ok(inflated)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::{array, gzip, idx_images, idx_labels, tar, zip};
    use super::*;

    #[test]
    fn files_are_told_by_content() {
        let folder = tempfile::tempdir().unwrap();
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
            (b"\x89PNG\r\n", "it is one image"),
            (b"<!DOCTYPE html>", "web page"),
            (b"\x1f\x8b", "it is empty"),
            (b"some text", "no known format"),
            (&idx_labels(&[1]), "it holds labels"),
            (&gzip(b"some text"), "no known format"),
        ] {
            let error = format_of(&put("d", bytes)).unwrap_err();
            assert!(error.to_string().contains(expected) && !error.hint().is_empty(), "{error}");
        }
    }

    #[test]
    fn folders_are_told_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let look = |split| in_folder(root, split);
        let message = || look(Split::Train).unwrap_err().to_string();
        assert!(message().ends_with("holds no images"));
        std::fs::write(root.join("readme.txt"), "text").unwrap();
        std::fs::write(root.join("b.npy"), array(8)).unwrap();
        let one = Inside::One(root.join("b.npy"), Format::Npy);
        assert_eq!(look(Split::Train).unwrap(), one);
        std::fs::write(root.join("a.npy"), array(12)).unwrap();
        assert!(message().ends_with("holds 2 data files: a.npy, b.npy"), "{}", message());
        assert!(look(Split::Train).unwrap_err().hint().ends_with("a.npy"));
        std::fs::create_dir(root.join("deep")).unwrap();
        std::fs::write(root.join("deep/x.png"), "a picture").unwrap();
        assert_eq!(look(Split::Train).unwrap(), Inside::Images);
        let images = root.join("t10k-images-idx3-ubyte");
        std::fs::write(&images, idx_images(1, 2, 3)).unwrap();
        assert_eq!(look(Split::Test).unwrap(), Inside::FileSet(images));
        assert_eq!(look(Split::Train).unwrap(), Inside::Images);
    }
}
