//! Writes `.npy` files of bytes in chunks, so that a file may be larger than memory.

use std::path::Path;

use super::header::Header;
use crate::atomic_file::{PartFile, require_room};
use crate::error::{Error, Result};

/// A `.npy` file of `uint8` being written. It gets its name on `finish`.
#[derive(Debug)]
pub struct NpyWriter {
    part: PartFile,
    left: usize,
}

impl NpyWriter {
    /// Creates a C-ordered array of this shape: `[n, height, width]` or `[n, height, width, channels]` for images.
    ///
    /// # Errors
    /// The folder can't be written, the shape is too large, or the disk has no room for it.
    pub fn create(path: &Path, shape: &[usize]) -> Result<Self> {
        let size = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let left = size.ok_or_else(|| {
            Error::usage(format!("{}: an array of shape {shape:?} is too large", path.display()), "write fewer images")
        })?;
        let header = Header::for_bytes(shape);
        require_room(path, header.len() as u64 + left as u64)?;
        let mut part = PartFile::create(path)?;
        part.write(&header)?;
        Ok(Self { part, left })
    }

    /// Appends values; the last index varies fastest.
    ///
    /// # Errors
    /// The disk refuses, or the array is already full.
    pub fn write(&mut self, values: &[u8]) -> Result<()> {
        self.left = self.left.checked_sub(values.len()).ok_or_else(|| {
            Error::usage(
                format!("{} values were written but the array has space for {}", values.len(), self.left),
                "write as many values as the shape says",
            )
        })?;
        self.part.write(values)
    }

    /// Completes the file and renames it.
    ///
    /// # Errors
    /// The disk refuses, or values are missing.
    pub fn finish(self) -> Result<()> {
        self.complete()?.commit()
    }

    /// The complete file, before it is renamed: for files that belong together ([`crate::commit_together`]).
    ///
    /// # Errors
    /// Values are missing.
    pub fn complete(self) -> Result<PartFile> {
        if self.left > 0 {
            return Err(Error::usage(
                format!("{} values are missing from the array", self.left),
                "write as many values as the shape says",
            ));
        }
        Ok(self.part)
    }
}

/// Writes a whole array of bytes: `numpy.load(path)` gives `uint8` of this shape.
///
/// # Errors
/// The disk refuses, or the number of values doesn't match the shape.
pub fn write_npy_u8(path: &Path, shape: &[usize], values: &[u8]) -> Result<()> {
    let mut writer = NpyWriter::create(path, shape)?;
    writer.write(values)?;
    writer.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{Dataset, npy};

    #[test]
    fn written_arrays_are_read_back() {
        let folder = crate::testing::folder();
        let path = folder.path().join("sample.npy");
        let mut writer = NpyWriter::create(&path, &[2, 2, 3]).unwrap();
        writer.write(&[0, 51, 102, 153]).unwrap();
        assert!(!path.exists(), "the file appears only when whole");
        writer.write(&[204, 255, 0, 0, 0, 0, 0, 51]).unwrap();
        writer.finish().unwrap();
        let set = npy::images(&path, &crate::OpenOptions::default()).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (2, "2x3x1".to_owned()));
        let mut image = [0.0; 6];
        set.read(0, &mut image).unwrap();
        assert_eq!(image, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn too_few_or_too_many_values_leave_no_file() {
        let folder = crate::testing::folder();
        let path = folder.path().join("sample.npy");
        assert!(write_npy_u8(&path, &[2, 2], &[1, 2, 3]).is_err());
        assert!(write_npy_u8(&path, &[2, 2], &[1, 2, 3, 4, 5]).is_err());
        assert!(write_npy_u8(&path, &[usize::MAX, 2], &[]).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
