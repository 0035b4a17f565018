//! The file of decoded images: a header, then image after image (one byte per value, channels-last), then as JSON which
//! ones are bad and why. While it is filled it has another name; under its own it is complete and never changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use faussaire_kernels::mapping::Mapping;

use super::{Contents, Found};
use crate::atomic_file::PartFile;
use crate::error::{Error, Result};
use crate::in_memory::copy_bytes;
use crate::pread::{read_at, write_at};

/// How the file begins; another layout gets another number.
const MAGIC: &[u8; 16] = b"faussaire bytes1";

/// Where the images begin: a page of its own for the header.
const HEADER_BYTES: usize = 4096;

/// The bad images by number, with the reasons.
type Bad = BTreeMap<usize, String>;

/// A complete file.
pub struct Complete {
    path: PathBuf,
    map: Mapping,
    size: usize,
    bad: Bad,
    /// Bytes read since memory was last given back.
    read: AtomicUsize,
}

/// Where a file is larger than this (1 GiB), a process that reads all of it would seem to hold all of it.
const HELD_BYTES: usize = 1 << 30;

/// Memory is then given back each time that so many bytes were read (64 MiB). As the system brings in what lies around
/// them too, several times as much is held.
const RELEASE_BYTES: usize = 64 << 20;

impl Complete {
    /// The file at `path`, if it is there, whole, and holds these contents.
    pub fn open(path: &Path, contents: &Contents) -> Option<Self> {
        let map = Mapping::open(path).ok()?;
        let size = contents.shape.len();
        let end = contents.count.checked_mul(size)?.checked_add(HEADER_BYTES)?;
        let head = header(contents, map.len().checked_sub(end)?);
        if map.get(..HEADER_BYTES)? != head {
            return None;
        }
        let bad = serde_json::from_slice(&map[end..]).ok()?;
        if let Ok(file) = std::fs::File::open(path) {
            // Files that were not used for long make room for others; one that can't be marked as used may be next.
            let _ = file.set_modified(SystemTime::now());
        }
        Some(Self { path: path.to_path_buf(), map, size, bad, read: AtomicUsize::new(0) })
    }

    /// Writes image `index` into `out` as floats.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Found {
        if let Some(reason) = self.bad.get(&index) {
            return Found::Bad(reason.clone());
        }
        let start = HEADER_BYTES + index * self.size;
        copy_bytes(&self.map[start..start + self.size], out);
        self.release();
        Found::Image
    }

    fn release(&self) {
        let due = self.map.len() > HELD_BYTES && self.read.fetch_add(self.size, Ordering::Relaxed) >= RELEASE_BYTES;
        if due {
            self.read.store(0, Ordering::Relaxed);
            self.map.release();
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A file on its way.
pub struct Filling {
    part: PartFile,
    contents: Contents,
    /// What is there of each image.
    states: Box<[AtomicU8]>,
    seen: AtomicUsize,
    bad: Mutex<Bad>,
}

const MISSING: u8 = 0;
const HERE: u8 = 1;
const BAD: u8 = 2;

impl Filling {
    /// Begins the file that will be `path`.
    ///
    /// # Errors
    /// Where it can't be created.
    pub fn begin(path: &Path, contents: &Contents) -> Result<Self> {
        let part = PartFile::create(path)?;
        let states = (0..contents.count).map(|_| AtomicU8::new(MISSING)).collect();
        Ok(Self { part, contents: contents.clone(), states, seen: AtomicUsize::new(0), bad: Mutex::default() })
    }

    /// Writes image `index` into `out` as floats, if it is there.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Found {
        match self.states[index].load(Ordering::Acquire) {
            HERE => {
                let mut bytes = vec![0; self.contents.shape.len()];
                match read_at(self.part.file(), &mut bytes, self.place(index)) {
                    Ok(()) => {
                        copy_bytes(&bytes, out);
                        Found::Image
                    }
                    Err(_) => Found::Nothing,
                }
            }
            BAD => self.bad().get(&index).map_or(Found::Nothing, |reason| Found::Bad(reason.clone())),
            _ => Found::Nothing,
        }
    }

    /// Writes image `index`, or notes why it is bad; says how many are now there.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn keep(&self, index: usize, image: std::result::Result<&[u8], &str>) -> std::io::Result<usize> {
        let state = match image {
            // Two threads may write the same bytes to the same place.
            Ok(bytes) => {
                write_at(self.part.file(), bytes, self.place(index))?;
                HERE
            }
            Err(reason) => {
                self.bad().insert(index, reason.to_owned());
                BAD
            }
        };
        let new = self.states[index].swap(state, Ordering::AcqRel) == MISSING;
        Ok(self.seen.fetch_add(usize::from(new), Ordering::AcqRel) + usize::from(new))
    }

    /// How many images are there.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::Acquire)
    }

    /// Whether image `index` is there.
    pub fn has(&self, index: usize) -> bool {
        self.states[index].load(Ordering::Acquire) != MISSING
    }

    /// What it will be called.
    pub fn target(&self) -> &Path {
        self.part.target()
    }

    /// Puts the file, which must hold every image, in its place.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn complete(self) -> Result<Complete> {
        let bad = std::mem::take(&mut *self.bad());
        let trailer = serde_json::to_vec(&bad).map_err(|error| Error::data(error.to_string(), "this is a bug"))?;
        let part = self.part.path();
        let target = self.part.target().to_path_buf();
        write_at(self.part.file(), &trailer, self.place(self.contents.count)).map_err(Error::io("write", part))?;
        write_at(self.part.file(), &header(&self.contents, trailer.len()), 0).map_err(Error::io("write", part))?;
        self.part.commit()?;
        let map = Mapping::open(&target).map_err(Error::io("read", &target))?;
        Ok(Complete { path: target, map, size: self.contents.shape.len(), bad, read: AtomicUsize::new(0) })
    }

    fn place(&self, index: usize) -> u64 {
        HEADER_BYTES as u64 + index as u64 * self.contents.shape.len() as u64
    }

    fn bad(&self) -> std::sync::MutexGuard<'_, Bad> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The header of a file with these contents and so many bytes after the images.
fn header(contents: &Contents, trailer: usize) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    let shape = contents.shape;
    for number in [contents.count, shape.height, shape.width, shape.channels, trailer] {
        header.extend((number as u64).to_le_bytes());
    }
    header.extend(contents.key.bytes());
    header.resize(HEADER_BYTES, 0);
    header
}
