//! Finds the image files below a folder, with their lengths and modification times.

use std::collections::HashSet;
use std::fs::{DirEntry, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats::archive::{Member, OtherFiles, check_image_size, is_image, since_epoch};

/// A file below the folder.
#[derive(Debug)]
pub struct OnDisk {
    /// The path inside the folder, if it is not UTF-8; the member's name is then only an approximation.
    odd: Option<Box<Path>>,
}

/// Metadata of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata {
    /// Its length; 0 if the system returns an error, which is reported on reading.
    pub length: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub modified: u64,
}

impl OnDisk {
    /// The file, below `root`.
    pub fn path(&self, root: &Path, name: &str) -> PathBuf {
        root.join(self.odd.as_deref().unwrap_or(Path::new(name)))
    }
}

/// Whether a folder has an image, at any depth.
pub(crate) fn has_images(root: &Path) -> Result<bool> {
    let mut found = false;
    walk(root, |_, is_image| {
        found |= is_image;
        !found
    })?;
    Ok(found)
}

/// The image files below `root`, sorted by name. Hidden files and folders are skipped, and folders that links lead
/// to a second time; other files are counted.
pub(crate) fn scan(root: &Path) -> Result<(Vec<Member<OnDisk>>, OtherFiles)> {
    let (mut files, mut others) = (Vec::new(), OtherFiles::default());
    walk(root, |file, is_image| {
        match is_image {
            true => files.push(file),
            false => others.add(&file.to_string_lossy()),
        }
        true
    })?;
    let mut members: Vec<_> = files.into_iter().map(member).collect();
    members.par_sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok((members, others))
}

fn member(file: PathBuf) -> Member<OnDisk> {
    let name = portable(&file).into_boxed_str();
    let odd = file.to_str().is_none().then(|| file.into_boxed_path());
    Member { name, location: OnDisk { odd } }
}

/// The metadata of every file.
pub fn metadata(root: &Path, members: &[Member<OnDisk>]) -> Vec<Metadata> {
    let one = |member: &Member<OnDisk>| {
        let about = std::fs::metadata(member.location.path(root, &member.name)).ok()?;
        Some(Metadata { length: about.len(), modified: about.modified().map_or(0, since_epoch) })
    };
    members.par_iter().map(|member| one(member).unwrap_or_default()).collect()
}

/// Calls `visit` with the relative path of every file below `root`, and whether it has the extension of an image; stops when
/// it returns false.
fn walk(root: &Path, mut visit: impl FnMut(PathBuf, bool) -> bool) -> Result<()> {
    let mut seen = HashSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let folder = root.join(&below);
        if !seen.insert(folder.canonicalize().map_err(Error::io("read", &folder))?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let entry = entry.map_err(Error::io("read", &folder))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if text.starts_with('.') || text == "__MACOSX" {
                continue;
            }
            match kind(&entry) {
                Some(Kind::Folder) => open.push(below.join(name)),
                Some(Kind::File) if !visit(below.join(&name), is_image(&text)) => return Ok(()),
                _ => {}
            }
        }
    }
    Ok(())
}

enum Kind {
    Folder,
    File,
}

/// The kind of an entry, or of a link's target; `None` for broken links and devices.
fn kind(entry: &DirEntry) -> Option<Kind> {
    let mut kind = entry.file_type().ok()?;
    if kind.is_symlink() {
        kind = std::fs::metadata(entry.path()).ok()?.file_type();
    }
    if kind.is_dir() {
        return Some(Kind::Folder);
    }
    kind.is_file().then_some(Kind::File)
}

/// A relative path with `/` as the separator on every system, so that runs are portable.
fn portable(file: &Path) -> String {
    let parts: Vec<_> = file.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Reads an image file, within the size limit.
///
/// # Errors
/// A description of what is wrong.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    check_image_size(length)?;
    let mut bytes = Vec::with_capacity(length as usize);
    // A file may grow while it is read.
    file.take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn put(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "12345").unwrap();
        }
    }

    #[test]
    fn images_are_listed_in_order_with_their_lengths() {
        let root = tempfile::tempdir().unwrap();
        assert!(!has_images(root.path()).unwrap());
        put(root.path(), &["b.JPG", "a/z.png", "a/.b.png", ".c/d.png", "notes.txt", "c.jpeg", "d.heic"]);
        let (listed, others) = scan(root.path()).unwrap();
        let looked = metadata(root.path(), &listed);
        let listed: Vec<_> =
            listed.iter().zip(&looked).map(|(member, looked)| (&*member.name, looked.length)).collect();
        assert_eq!(listed, [("a/z.png", 5), ("b.JPG", 5), ("c.jpeg", 5)]);
        assert_eq!(others.describe().unwrap(), "2 files of other types skipped: 1 .heic, 1 .txt");
        assert!(has_images(root.path()).unwrap());
        assert!(scan(&root.path().join("missing")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_end_and_odd_names_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        put(root.path(), &["x/a.png"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("x/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere.png", root.path().join("dangling.png")).unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"\xff.png");
        std::fs::write(root.path().join(odd), "123").unwrap();
        let (listed, _) = scan(root.path()).unwrap();
        let read = |member: &Member<OnDisk>| read(&member.location.path(root.path(), &member.name)).unwrap().len();
        assert_eq!(listed.iter().map(read).collect::<Vec<_>>(), [5, 3]);
        assert_eq!(&*listed[1].name, "\u{fffd}.png");
    }
}
