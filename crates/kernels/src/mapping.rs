//! A file's bytes as a slice, without reading the file: the system brings pages in as they are touched, and may drop
//! them again when memory is short. For files that are complete and never changed afterwards.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// A file mapped into memory, read-only.
///
/// Map only files that are never written again: that are written under another name, then renamed, and replaced or
/// removed but never changed in place. If another program shortens a mapped file all the same, touching the lost part
/// stops the process (SIGBUS on Unix; Windows refuses to shorten a mapped file). Replacing or removing it does no harm:
/// the map keeps the old bytes.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl Mapping {
    /// Maps the whole file at `path`.
    ///
    /// # Errors
    /// Where the file can't be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the map is private to this value, which gives out shared slices of plain bytes only, and is unmapped
        // when it is dropped. That the bytes don't change while they are borrowed is what the type's documentation asks
        // of its callers: our files are renamed into place when complete and never written afterwards.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(map))
    }

    /// Gives the memory back that reading has brought in; what is read again comes back from the file. A process that
    /// walks over a large map so stays small. Where the system has no such call, nothing happens.
    pub fn release(&self) {
        #[cfg(target_os = "linux")]
        {
            // SAFETY: on Linux, dropping the pages of a shared, read-only map loses nothing: the next access reads the
            // same bytes from the file again. A refusal makes no difference.
            let _ = unsafe { self.0.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_files_own_even_after_it_is_gone() {
        let path = std::env::temp_dir().join(format!("faussaire-mapping-{}", std::process::id()));
        let bytes: Vec<u8> = (0..10_000).map(|k| (k % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let map = Mapping::open(&path).unwrap();
        assert_eq!(map[..], bytes[..]);
        map.release();
        assert_eq!(map[..], bytes[..]);
        drop(map);
        std::fs::write(&path, b"").unwrap();
        assert!(Mapping::open(&path).is_ok_and(|map| map.is_empty()));
        std::fs::remove_file(&path).unwrap();
        assert!(Mapping::open(&path).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_removed_file_stays_readable_while_mapped() {
        let path = std::env::temp_dir().join(format!("faussaire-removed-{}", std::process::id()));
        std::fs::write(&path, [7; 5000]).unwrap();
        let map = Mapping::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        map.release();
        assert!(map.len() == 5000 && map.iter().all(|&byte| byte == 7));
    }
}
