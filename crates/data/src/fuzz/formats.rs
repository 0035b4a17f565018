//! The forms in which several arrays, rows or attributes come.

use super::*;
use crate::{Attributes, OpenOptions, Split, cifar, npz};

/// A `.npy` array of this type and shape.
fn array_of(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    crate::testing::npy(&header, bytes)
}

#[test]
fn fuzz_npz() {
    let images = array_of("|u1", "4, 3, 3", &[77; 36]);
    let labels = array_of("<i4", "4,", &[0; 16]);
    let files = [("x_train.npy", &images[..]), ("y_train.npy", &labels[..])];
    // The checksums of an archive hide what lies behind them: the arrays are also changed before they are packed.
    fuzz("npz, outside", &[zip(&files, false), zip(&files, true)], 300, |bytes| {
        with_file("x.npz", bytes, |path| {
            npz::matches(path);
            read_some(npz::open(path, &OpenOptions::default()));
        });
    });
    fuzz("npz, inside", &[images.clone(), labels.clone()], 300, |bytes| {
        for files in [[("x.npy", bytes), ("y.npy", &labels)], [("x.npy", &images), ("y.npy", bytes)]] {
            with_file("x.npz", &zip(&files, true), |path| read_some(npz::open(path, &OpenOptions::default())));
        }
    });
}

#[test]
fn fuzz_cifar() {
    let rows: Vec<u8> = (0..2 * 3073).map(|at| if at % 3073 == 0 { 7 } else { at as u8 }).collect();
    let archive = tar(&[("a/batches.meta.txt", b"a\nb\n"), ("a/data_batch_1.bin", &rows)]);
    fuzz("cifar", &[rows, archive.clone(), gzip(&archive)], 200, |bytes| {
        with_file("data_batch_1.bin", bytes, |path| {
            let _ = (cifar::is_rows(path), cifar::is_archive(path));
            read_some(cifar::open(path, Split::Train));
        });
    });
}

#[test]
fn fuzz_attributes() {
    let text = b"3\nSmiling Bald\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg -1  1\n".to_vec();
    let csv = b"image_id,Smiling,Bald\n000001.jpg,1,-1\n000002.jpg,0,1\n000003.jpg,true,false\n".to_vec();
    fuzz("attributes", &[text, csv], 2000, |bytes| {
        if let Ok(table) = Attributes::parse(bytes, "x") {
            assert!(!table.is_empty() && !table.names().is_empty());
        }
    });
}

#[cfg(feature = "parquet")]
#[test]
fn fuzz_parquet() {
    use crate::parquet;
    let sample = include_bytes!("../formats/parquet/sample.parquet").to_vec();
    fuzz("parquet", &[sample], 100, |bytes| {
        with_file("x.parquet", bytes, |path| read_some(parquet::open(path, Split::Train, &SMALL)));
    });
}
