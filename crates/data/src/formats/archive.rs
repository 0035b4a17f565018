//! Many files in one place, read one at a time: a folder, a .zip, a .tar, or a .tar.gz. An archive is read as it is,
//! never unpacked. `Container` lists the image files in it and gives the bytes of each.

mod budget;
mod member;
pub(crate) mod tar;
pub(crate) mod zip;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::folder::scan::{self, Looked, OnDisk};
use crate::formats::GZIP;
pub(crate) use member::{Member, Others, common_folders, is_image};

/// The largest file that is read as one image (256 MiB).
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The image files in a folder or an archive, sorted by name.
pub(crate) struct Container {
    /// The folder or archive.
    root: PathBuf,
    /// When the folder or archive itself was last changed.
    modified: u64,
    members: Members,
    others: Others,
}

/// The files, each with what it takes to find its bytes.
enum Members {
    /// In a folder of a million files, to look at each takes a while, and is done when asked for.
    Folder(Vec<Member<OnDisk>>, OnceLock<Vec<Looked>>),
    Zip(File, Vec<Member<zip::Place>>),
    Tar(tar::Bytes, Vec<Member<tar::Place>>),
}

/// The same expression for whichever members there are.
macro_rules! of_any {
    ($self:expr, $members:ident => $then:expr) => {
        match &$self.members {
            Members::Folder($members, _) => $then,
            Members::Zip(_, $members) => $then,
            Members::Tar(_, $members) => $then,
        }
    };
}

impl Container {
    /// Lists the images in the folder or archive at `root`.
    ///
    /// # Errors
    /// Where it can't be read, is no archive, or is a damaged one.
    pub fn open(root: &Path) -> Result<Self> {
        let (members, others) = if root.is_dir() {
            let (members, others) = scan::scan(root)?;
            (Members::Folder(members, OnceLock::new()), others)
        } else {
            let file = File::open(root).map_err(Error::io("read", root))?;
            Self::open_archive(file).map_err(|what| {
                Error::data(
                    format!("{} can't be read as an archive of images: {what}", root.display()),
                    "expected a .zip, .tar or .tar.gz; if it is damaged, download or pack it again",
                )
            })?
        };
        Ok(Self { root: root.to_path_buf(), modified: modified(root), members, others })
    }

    /// Files that are in memory already, one after the other, with their names and lengths; `root` is where they are from.
    pub fn in_memory(root: &Path, bytes: Vec<u8>, files: impl Iterator<Item = (String, u64)>) -> Self {
        let members = Members::Tar(tar::Bytes::Memory(bytes), tar::in_a_row(files));
        Self { root: root.to_path_buf(), modified: modified(root), members, others: Others::default() }
    }

    fn open_archive(file: File) -> Result<(Members, Others), String> {
        let mut others = Others::default();
        let mut start = [0; 512];
        let got = read_up_to(&file, &mut start).map_err(|error| error.to_string())?;
        let members = if zip::matches(&start[..got]) {
            let members = member::settled(zip::members(&file, &mut others)?);
            Members::Zip(file, members)
        } else if start.starts_with(&GZIP) {
            let (bytes, members) = tar::unzip(file, &mut others)?;
            Members::Tar(bytes, member::settled(members))
        } else if tar::matches(&start[..got]) {
            let members = member::settled(tar::members(&file, &mut others)?);
            Members::Tar(tar::Bytes::File(file), members)
        } else {
            return Err("its first bytes are those of no zip or tar archive".to_owned());
        };
        Ok((members, others))
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        of_any!(self, members => members.len())
    }

    /// The path of image `index` inside, with `/` between its parts.
    pub fn name(&self, index: usize) -> &str {
        of_any!(self, members => &members[index].name)
    }

    /// The bytes of image `index`'s file, once unpacked.
    pub fn length(&self, index: usize) -> u64 {
        match &self.members {
            Members::Folder(members, looked) => self.look(members, looked)[index].length,
            Members::Zip(_, members) => members[index].place.length,
            Members::Tar(_, members) => members[index].place.length,
        }
    }

    fn look<'a>(&self, members: &[Member<OnDisk>], looked: &'a OnceLock<Vec<Looked>>) -> &'a [Looked] {
        looked.get_or_init(|| scan::look(&self.root, members))
    }

    /// Where a person finds image `index`.
    pub fn path(&self, index: usize) -> PathBuf {
        match &self.members {
            Members::Folder(members, _) => members[index].place.path(&self.root, &members[index].name),
            Members::Zip(..) | Members::Tar(..) => self.root.join(self.name(index)),
        }
    }

    /// Reads image `index`'s file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, String> {
        match &self.members {
            Members::Folder(..) => scan::read(&self.path(index)),
            Members::Zip(file, members) => {
                small_enough(members[index].place.length)?;
                zip::read(file, &members[index])
            }
            Members::Tar(bytes, members) => {
                small_enough(members[index].place.length)?;
                tar::read(bytes, &members[index])
            }
        }
    }

    /// What tells this image file from another version of it, as far as that is known without reading it.
    pub fn version(&self, index: usize) -> u64 {
        match &self.members {
            Members::Folder(members, looked) => self.look(members, looked)[index].modified,
            Members::Zip(_, members) => u64::from(members[index].place.crc),
            Members::Tar(..) => self.modified,
        }
    }

    /// Whether the images are files of their own.
    pub fn is_folder(&self) -> bool {
        matches!(self.members, Members::Folder(..))
    }

    /// The folder or archive.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What lies there too and is not read.
    pub fn others(&self) -> &Others {
        &self.others
    }
}

/// True where a file that begins with `start` is an archive, apart from gzipped ones.
pub(crate) fn matches(start: &[u8]) -> bool {
    zip::matches(start) || tar::matches(start)
}

/// Refuses a file that is too large for an image.
///
/// # Errors
/// Its length and the limit.
pub(crate) fn small_enough(length: u64) -> Result<(), String> {
    if length <= MAX_FILE_BYTES {
        return Ok(());
    }
    Err(format!("it has {length} bytes, more than the {MAX_FILE_BYTES} allowed for one image"))
}

/// When a file or folder was last changed.
fn modified(path: &Path) -> u64 {
    std::fs::metadata(path).and_then(|about| about.modified()).map_or(0, since_epoch)
}

/// A moment as one number (nanoseconds since 1970).
pub(crate) fn since_epoch(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Reads until `out` is full or the file ends.
fn read_up_to(mut file: &File, out: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < out.len() {
        match file.read(&mut out[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}
