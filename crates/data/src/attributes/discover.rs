//! Finds the attribute table of a folder or an archive of images, next to it or inside.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Attributes, WithAttributes};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::formats::archive::OtherFiles;
use crate::formats::archive::zip;
use crate::pread::ReadAt;

/// Bytes read to detect a table.
const DETECTION_BYTES: u64 = 1 << 16;

/// The images of the folder or archive at `path`, with the attributes of the table found for them. A table without any of
/// the images is ignored.
///
/// # Errors
/// The table has only some of the images, or is damaged.
pub(crate) fn attach(folder: Folder, path: &Path) -> Result<Box<dyn Dataset>> {
    let table = match packed(path)? {
        Some(table) => Some(table),
        None => match find(path)? {
            // A file that only starts like a table may be something else.
            Some(file) if !has_celebas_name(&file) => Attributes::open(&file).ok(),
            Some(file) => Some(Attributes::open(&file)?),
            None => None,
        },
    };
    match table {
        Some(table) if (0..folder.len()).any(|index| table.of(folder.entry_name(index)).is_some()) => {
            WithAttributes::over(folder, &table)
        }
        _ => Ok(Box::new(folder)),
    }
}

/// The table in a zip archive, by CelebA's name for it.
fn packed(archive: &Path) -> Result<Option<Attributes>> {
    let named = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or_default();
        file.starts_with("list_attr") && (file.ends_with(".csv") || file.ends_with(".txt"))
    };
    let Some(file) = File::open(archive).ok().filter(|_| archive.is_file()) else { return Ok(None) };
    // Other archives have no such list.
    let members = zip::listed(&file, named, &mut OtherFiles::default()).unwrap_or_default();
    let Some(member) = members.first() else { return Ok(None) };
    let origin = archive.join(&*member.name).display().to_string();
    let mut at = ReadAt::new(&file);
    let table = zip::stream(&mut at, member)
        .map_err(|what| Error::data(format!("{origin} can't be read: {what}"), "download or pack the archive again"))?;
    Attributes::parse(BufReader::new(table), &origin).map(Some)
}

/// The table for the folder or archive `images`: inside the folder, else next to it. Of several candidates the one with
/// CelebA's name; `None` if there is no table or the choice is ambiguous.
///
/// # Errors
/// A folder can't be read.
fn find(images: &Path) -> Result<Option<PathBuf>> {
    let beside = images.parent().filter(|parent| parent.is_dir()).map(Path::to_path_buf);
    // A relative path of one part has the parent "".
    let beside = beside.or_else(|| (images.components().count() == 1).then(|| PathBuf::from(".")));
    let folders = [images.is_dir().then(|| images.to_path_buf()), beside];
    for folder in folders.into_iter().flatten() {
        let tables = tables(&folder)?;
        let named: Vec<&PathBuf> = tables.iter().filter(|path| has_celebas_name(path)).collect();
        match (&tables[..], &named[..]) {
            ([only], _) => return Ok(Some(only.clone())),
            (_, [only]) => return Ok(Some((*only).clone())),
            _ => {}
        }
    }
    Ok(None)
}

/// The tables directly in a folder, sorted.
pub fn tables(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        if matches!(extension.as_deref(), Some("csv" | "txt")) && path.is_file() && is_table(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a table has CelebA's file name.
pub(crate) fn has_celebas_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("list_attr"))
}

/// Whether a file starts like a table: a valid header and first row with at least two attributes (a name with one number
/// could be anything).
fn is_table(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut start = Vec::new();
    let mut reader = BufReader::new(file.take(DETECTION_BYTES));
    for _ in 0..3 {
        if reader.read_until(b'\n', &mut start).is_err() {
            return false;
        }
    }
    // CelebA's first line declares more rows than this excerpt has.
    let text = String::from_utf8_lossy(&start);
    let body = match text.split_once('\n') {
        Some((first, rest)) if first.trim().parse::<usize>().is_ok() => format!("1\n{rest}"),
        _ => text.into_owned(),
    };
    Attributes::parse(body.as_bytes(), "").is_ok_and(|table| table.names().len() > 1 || has_celebas_name(path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{ImageOptions, testing};

    #[test]
    fn folders_and_archives_get_their_attributes() {
        let root = tempfile::tempdir().unwrap();
        let mut png = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let png = png.into_inner();
        let table = b"image_id,A,B\n1.jpg,1,-1\n2.jpg,-1,-1\n";
        let path = root.path().join("faces.zip");
        let open = || attach(Folder::open(&path, &ImageOptions::default()).unwrap(), &path);
        std::fs::write(&path, testing::zip(&[("in/1.png", &png), ("in/list_attr.csv", table)], true)).unwrap();
        let set = open().unwrap();
        assert_eq!((set.attributes().len(), set.has_attribute(0, 0)), (2, Some(true)));
        std::fs::write(&path, testing::zip(&[("3.png", &png)], true)).unwrap();
        assert!(open().unwrap().attributes().is_empty());
        // Beside it: of other images, of these, of some of these.
        std::fs::write(root.path().join("a.csv"), table).unwrap();
        assert!(open().unwrap().attributes().is_empty());
        std::fs::write(&path, testing::zip(&[("2.png", &png)], true)).unwrap();
        assert_eq!(open().unwrap().has_attribute(0, 0), Some(false));
        std::fs::write(&path, testing::zip(&[("2.png", &png), ("3.png", &png)], true)).unwrap();
        assert!(open().unwrap_err().to_string().contains("1 of 2 images"));
        // Not a table after all; named as one, it should be.
        std::fs::write(root.path().join("a.csv"), [&table[..], b"4.jpg,1,7\n5.jpg,3,1\n"].concat()).unwrap();
        assert!(open().unwrap().attributes().is_empty());
        std::fs::rename(root.path().join("a.csv"), root.path().join("list_attr.csv")).unwrap();
        assert!(open().unwrap_err().to_string().contains("line 4: B is '7'"));
    }

    #[test]
    fn the_table_is_in_the_folder_or_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let images = root.join("images");
        std::fs::create_dir(&images).unwrap();
        let archive = root.join("faces.zip");
        std::fs::write(&archive, "zip").unwrap();
        let put = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        put("notes.txt", "2 sheep\n1 2\n");
        put("labels.csv", "file,label\n1.jpg,1\n");
        put("boxes.csv", "image_id,x,y\n1.jpg,95,71\n");
        assert_eq!(find(&images).unwrap(), None);
        put("list.csv", "image_id,A,B\n1.jpg,1,-1\n2.jpg,1,-1\n3.jpg,1,-1\n");
        assert_eq!(find(&images).unwrap(), Some(root.join("list.csv")));
        assert_eq!(find(&archive).unwrap(), Some(root.join("list.csv")));
        // Two: none, unless one has CelebA's name.
        put("other.csv", "image_id,A,B\n1.jpg,1,-1\n");
        assert_eq!(find(&archive).unwrap(), None);
        put("list_attr_celeba.txt", "202599\nA B\n000001.jpg 1 -1\n000002.jpg 1 -1\n");
        assert_eq!(find(&archive).unwrap(), Some(root.join("list_attr_celeba.txt")));
        put("images/own.txt", "1\nA B\n1.jpg 1 -1\n");
        assert_eq!(find(&images).unwrap(), Some(root.join("images/own.txt")));
        assert_eq!(find(Path::new("no/such/place")).unwrap(), None);
    }
}
