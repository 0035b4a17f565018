//! Reads labels from an array of integers of any width.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::npy::{self, Header};

/// The largest label.
const MAX_LABEL: i128 = 65_535;

/// Width in bytes, whether signed, and whether the most significant byte comes first.
fn layout(descr: &str) -> Option<(usize, bool, bool)> {
    let (order, kind) = descr.split_at_checked(1)?;
    let (kind, width) = kind.split_at_checked(1)?;
    let width = width.parse().ok().filter(|width| matches!(width, 1 | 2 | 4 | 8))?;
    matches!((order, kind), ("<" | ">" | "|" | "=", "i" | "u")).then_some((width, kind == "i", order == ">"))
}

/// Whether an array of this type holds integers.
pub fn is_whole(descr: &str) -> bool {
    layout(descr).is_some()
}

/// Reads the labels that follow a header, in an array of `length` bytes; `path` is for messages.
///
/// # Errors
/// Their number doesn't match the header, or one is negative or above 65,535.
pub fn read(path: &Path, reader: &mut dyn Read, header: &Header, length: u64) -> Result<Vec<u32>> {
    let (width, signed, big) =
        layout(&header.descr).ok_or_else(|| npy::damaged(path, "its labels are not integers"))?;
    let count = header.shape.first().copied().unwrap_or(0);
    let promised = count.checked_mul(width as u64).and_then(|bytes| bytes.checked_add(header.offset));
    if promised != Some(length) {
        return Err(npy::damaged(path, &format!("its header declares {count} labels, but it has {length} bytes")));
    }
    let mut labels = Vec::new();
    let mut word = [0u8; 8];
    for index in 0..count {
        let bytes = &mut word[..width];
        reader.read_exact(bytes).map_err(|error| npy::damaged(path, &error.to_string()))?;
        if big {
            bytes.reverse();
        }
        let unsigned = bytes.iter().rev().fold(0i128, |value, &byte| value << 8 | i128::from(byte));
        let negative = signed && bytes[width - 1] >= 128;
        let label = if negative { unsigned - (1 << (8 * width)) } else { unsigned };
        if !(0..=MAX_LABEL).contains(&label) {
            return Err(Error::data(
                format!("{}: label {index} is {label}", path.display()),
                "expected labels from 0 to 65535",
            ));
        }
        labels.push(label as u32);
    }
    Ok(labels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn labels(descr: &str, count: u64, bytes: &[u8]) -> Result<Vec<u32>> {
        let header = Header { descr: descr.to_owned(), fortran_order: false, shape: vec![count], offset: 128 };
        read(Path::new("y"), &mut &bytes[..], &header, 128 + bytes.len() as u64)
    }

    #[test]
    fn every_width_and_order() {
        assert_eq!(labels("|u1", 2, &[0, 200]).unwrap(), [0, 200]);
        assert_eq!(labels("<u2", 2, &[1, 2, 255, 255]).unwrap(), [513, 65_535]);
        assert_eq!(labels(">i2", 2, &[1, 2, 0, 9]).unwrap(), [258, 9]);
        assert_eq!(labels("<i8", 1, &[7, 0, 0, 0, 0, 0, 0, 0]).unwrap(), [7]);
        for descr in ["<f4", "|O", "|b1", "<U5", "<i16", "i", "", "µ", "<i"] {
            assert!(!is_whole(descr), "{descr}");
        }
    }

    #[test]
    fn labels_out_of_range_and_wrong_lengths_are_errors() {
        assert!(labels("|i1", 2, &[0, 128]).unwrap_err().to_string().ends_with("label 1 is -128"));
        assert!(labels("<i8", 1, &[255; 8]).unwrap_err().to_string().ends_with("label 0 is -1"));
        assert!(labels("<u8", 1, &[255; 8]).unwrap_err().to_string().contains("18446744073709551615"));
        assert!(labels("<u4", 1, &[0, 0, 1, 0]).is_err());
        assert!(labels("<u4", 2, &[0; 4]).is_err() && labels("<u4", 1, &[0; 8]).is_err());
        assert!(labels("<u8", u64::MAX, &[0; 8]).is_err());
    }
}
