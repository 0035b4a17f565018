//! The forms in which several arrays, rows or attributes come.

use super::*;
use crate::fuzz_targets as target;

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
    fuzz("npz, outside", &[zip(&files, false), zip(&files, true)], 300, target::npz);
    fuzz("npz, inside", &[images.clone(), labels.clone()], 300, |bytes| {
        for files in [[("x.npy", bytes), ("y.npy", &labels)], [("x.npy", &images), ("y.npy", bytes)]] {
            target::npz(&zip(&files, true));
        }
    });
}

#[test]
fn fuzz_cifar() {
    let rows: Vec<u8> = (0..2 * 3073).map(|at| if at % 3073 == 0 { 7 } else { at as u8 }).collect();
    let archive = tar(&[("a/batches.meta.txt", b"a\nb\n"), ("a/data_batch_1.bin", &rows)]);
    fuzz("cifar", &[rows, archive.clone(), gzip(&archive)], 200, target::cifar);
}

#[test]
fn fuzz_relatives_of_cifar() {
    let hundred: Vec<u8> = (0..2 * 3074).map(|at| if at % 3074 < 2 { 7 } else { at as u8 }).collect();
    fuzz("cifar-100", &[tar(&[("a/fine_label_names.txt", b"a\n"), ("a/train.bin", &hundred)])], 100, target::cifar);
    let images = vec![3; 27_648];
    fuzz("stl-10", &[tar(&[("a/train_y.bin", &[3]), ("a/train_X.bin", &images)])], 100, target::cifar);
}

#[test]
fn fuzz_labels() {
    let images = array_of("|u1", "4, 3, 3", &[77; 36]);
    let seeds = [
        array_of("<U3", "4,", &[b"a\0\0\0b\0\0\0\0\0\0\0".repeat(4)].concat()),
        array_of("|u1", "4, 2", &[1, 0, 0, 1, 1, 0, 0, 1]),
        array_of("<f8", "4, 1", &1f64.to_le_bytes().repeat(4)),
        array_of("|S2", "4,", b"a\0b\0a\0cd"),
    ];
    fuzz("labels", &seeds, 500, |bytes| {
        target::npz(&zip(&[("x.npy", &images), ("y.npy", bytes)], true));
    });
}

#[test]
fn fuzz_arrays() {
    let seeds = [
        array_of("<f2", "2, 4, 4", &[0x3c; 64]),
        array_of(">i8", "2, 16", &[0; 256]),
        array_of("<u2", "2, 3, 4, 4", &[1; 192]),
        crate::testing::npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 4, 4, 3)}", &[200; 96]),
    ];
    fuzz("arrays", &seeds, 500, target::npy);
}

#[test]
fn fuzz_tables_of_pixels() {
    let row = |from: usize| (from..from + 64).map(|value| value.to_string()).collect::<Vec<_>>();
    let names: Vec<String> = (0..64).map(|at| format!("pixel{at}")).collect();
    let columns = format!("label,{}\n1,{}\n2,{}\n", names.join(","), row(0).join(","), row(9).join(","));
    let list = format!("emotion,pixels,Usage\n1,{},Training\n0,{},PublicTest\n", row(0).join(" "), row(9).join(" "));
    fuzz("tables", &[columns.into_bytes(), list.into_bytes()], 500, target::pixel_csv);
}

#[cfg(feature = "compression")]
#[test]
fn fuzz_compressed_streams() {
    let seeds = ["images.tar.gz", "images.tar.bz2", "images.tar.xz", "images.tar.zst"].map(crate::testing::stream);
    fuzz("compression", &seeds, 500, |bytes| {
        target::compressed(bytes);
        target::archive(bytes);
    });
}

#[test]
fn fuzz_attributes() {
    let text = b"3\nSmiling Bald\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg -1  1\n".to_vec();
    let csv = b"image_id,Smiling,Bald\n000001.jpg,1,-1\n000002.jpg,0,1\n000003.jpg,true,false\n".to_vec();
    fuzz("attributes", &[text, csv], 2000, target::attributes);
}

#[cfg(feature = "parquet")]
#[test]
fn fuzz_parquet() {
    let sample = include_bytes!("../formats/parquet/sample.parquet").to_vec();
    fuzz("parquet", &[sample], 100, target::parquet);
}
