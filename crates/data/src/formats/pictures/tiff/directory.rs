//! The directory of a TIFF file: numbers by tag.

use std::collections::BTreeMap;

use super::damaged;

/// The most numbers of an entry that are read: offsets of the tiles of a large image.
const MAX_NUMBERS: usize = 1 << 20;

/// The first directory of a file. TIFF and BigTIFF differ in the sizes of its fields.
pub struct Directory {
    entries: BTreeMap<u64, Vec<u64>>,
    /// Whether numbers are big-endian.
    pub big: bool,
    /// Whether another directory follows.
    pub more: bool,
}

impl Directory {
    /// Reads the first directory.
    ///
    /// # Errors
    /// It lies outside of the file.
    pub fn first(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes).ok_or_else(|| damaged("its header"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let file = File { bytes, big: bytes.starts_with(b"MM") };
        let wide = file.number(2, 2)? == 43;
        let (offset_at, count_width, entry_width, width) = if wide { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
        let at = usize::try_from(file.number(offset_at, width)?).ok()?;
        let count = usize::try_from(file.number(at, count_width)?).ok()?;
        let start = at.checked_add(count_width)?;
        let end = start.checked_add(count.checked_mul(entry_width)?)?;
        let mut entries = BTreeMap::new();
        for entry in bytes.get(start..end)?.chunks_exact(entry_width).enumerate() {
            let at = start + entry.0 * entry_width;
            if let (Some(tag), Some(numbers)) = (file.number(at, 2), file.numbers(at, width)) {
                entries.entry(tag).or_insert(numbers);
            }
        }
        let more = file.number(end, width).is_some_and(|next| next != 0);
        Some(Self { entries, big: file.big, more })
    }

    /// The numbers of a tag.
    pub fn numbers(&self, tag: u64) -> Option<Vec<u64>> {
        self.entries.get(&tag).cloned()
    }

    /// The first number of a tag.
    pub fn number(&self, tag: u64) -> Option<u64> {
        self.entries.get(&tag)?.first().copied()
    }
}

struct File<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl File<'_> {
    /// The number of `width` bytes at `at`.
    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) })
    }

    /// The whole numbers of the entry at `at`, whose count and offset have `width` bytes; `None` for text, fractions and floats.
    fn numbers(&self, at: usize, width: usize) -> Option<Vec<u64>> {
        let size = match self.number(at + 2, 2)? {
            1 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 13 => 4,
            16..=18 => 8,
            _ => return None,
        };
        let count = usize::try_from(self.number(at + 4, width)?).ok()?.min(MAX_NUMBERS);
        let value_at = at + 4 + width;
        let inside = count.checked_mul(size)? <= width;
        let start = if inside { value_at } else { usize::try_from(self.number(value_at, width)?).ok()? };
        // Nothing is allocated for a count that the file can't hold.
        self.bytes.get(start..start.checked_add(count * size)?)?;
        (0..count).map(|k| self.number(start + k * size, size)).collect()
    }
}
