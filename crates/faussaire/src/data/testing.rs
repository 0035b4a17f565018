//! Small files that the tests of this folder read, and where the real ones are.

use std::io::Write;
use std::path::PathBuf;

/// The folder of real data (`$FAUSSAIRE_DATA`, or `shared/data` beside the checkout); none: the test is skipped.
pub fn shared_data() -> Option<PathBuf> {
    let folder = std::env::var_os("FAUSSAIRE_DATA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    if folder.join("mnist").is_dir() {
        return Some(folder);
    }
    println!("skipped: no real data in {}", folder.display());
    None
}

/// `bytes`, gzipped.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of images whose bytes count up (mod 251).
pub fn idx_images(count: u32, height: u32, width: u32) -> Vec<u8> {
    let mut file = 0x0803u32.to_be_bytes().to_vec();
    for size in [count, height, width] {
        file.extend(size.to_be_bytes());
    }
    file.extend((0..count * height * width).map(|k| (k % 251) as u8));
    file
}

/// An IDX file of labels.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut file = 0x0801u32.to_be_bytes().to_vec();
    file.extend((labels.len() as u32).to_be_bytes());
    file.extend(labels);
    file
}

/// A `.npy` file, version 1, with this header dictionary and these bytes.
pub fn npy(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((dictionary.len() as u16 + 1).to_le_bytes());
    file.extend(dictionary.as_bytes());
    file.push(b'\n');
    file.extend(bytes);
    file
}
