//! Arrays of numbers in files, such as those in the user's cache folder beside the trained classifiers: a line of JSON
//! that describes the numbers, with their length and digest, then the numbers. A file that doesn't match its first line
//! counts as missing: the numbers are computed and written again.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use faussaire_data::error::{Error, Result};
use faussaire_data::{Digest, PartFile, cache_folder};

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Bytes after the line.
    bytes: usize,
    /// SHA-256 of `about` and those bytes.
    sha256: String,
    /// What the numbers are, as JSON.
    about: String,
}

/// The file for numbers that depend on all of `key`, if this user has a cache folder.
pub(crate) fn path(kind: &str, key: &[&str]) -> Option<PathBuf> {
    let mut digest = Digest::new();
    for part in key {
        // The length keeps adjacent parts apart.
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    Some(cache_folder()?.join("judges").join(format!("{kind}-{}.bin", &digest.finish()[..32])))
}

/// Writes `numbers` with their description.
///
/// # Errors
/// Where they can't be written.
pub(crate) fn save(path: &Path, about: &impl Serialize, numbers: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let broken = |e| Error::run(format!("the description of features can't be written as JSON: {e}"), "report this");
    let about = serde_json::to_string(about).map_err(broken)?;
    let head = Head { bytes: numbers.len(), sha256: digest(&about, numbers), about };
    let mut file = PartFile::create(path)?;
    file.write(serde_json::to_string(&head).map_err(broken)?.as_bytes())?;
    file.write(b"\n")?;
    file.write(numbers)?;
    file.commit()
}

/// Description and numbers of the file at `path`, unless it is missing or damaged.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Option<(T, Vec<u8>)> {
    let mut bytes = std::fs::read(path).ok()?;
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
    bytes.drain(..=end);
    let whole = bytes.len() == head.bytes && digest(&head.about, &bytes) == head.sha256;
    whole.then(|| Some((serde_json::from_str(&head.about).ok()?, bytes)))?
}

fn digest(about: &str, numbers: &[u8]) -> String {
    let mut digest = Digest::new();
    digest.update(about.as_bytes());
    digest.update(numbers);
    digest.finish()
}

/// 32-bit floats from their bytes.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    let float = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(4).map(float).collect()
}

/// 32-bit integers from their bytes.
pub(crate) fn integers(bytes: &[u8]) -> Vec<u32> {
    let integer = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(4).map(integer).collect()
}

/// 64-bit floats from their bytes.
pub(crate) fn doubles(bytes: &[u8]) -> Vec<f64> {
    let double = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    bytes.chunks_exact(8).map(double).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_counts_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inner/x.bin");
        let numbers: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(load::<(u32, String)>(&path), None);
        save(&path, &(7u32, "a\n\"b"), &numbers).unwrap();
        let ((number, text), read) = load::<(u32, String)>(&path).unwrap();
        assert_eq!((number, text.as_str(), floats(&read)), (7, "a\n\"b", vec![1.5, -2.0]));
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(load::<(u32, String)>(&path), None, "byte {at}");
        }
        for cut in [whole.len() - 1, 10, 0] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(load::<(u32, String)>(&path), None, "{cut} bytes");
        }
        assert_eq!(doubles(&0.1f64.to_le_bytes()), [0.1]);
    }

    #[test]
    fn different_keys_have_different_files() {
        let names: Vec<_> = [&["a", "bc"][..], &["ab", "c"], &["a", "b", "c"]].iter().map(|k| path("x", k)).collect();
        assert!(names[0].is_none() || (names[0] != names[1] && names[1] != names[2] && names[0] != names[2]));
    }
}
