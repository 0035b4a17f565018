//! `.npy` files of images, as `numpy.save` writes them: `[n, 784]` (any square), `[n, height, width]`,
//! `[n, height, width, channels]` or `[n, channels, height, width]`, as booleans, integers or floats, in C or Fortran order.
//! Arrays of Python objects are refused: they are pickles, and unpickling runs code.

mod header;
mod layout;
mod singles;
mod write;

use std::path::Path;

use crate::dataset::ImageShape;
use crate::error::Result;
use crate::formats::array::{self, Settings};
use crate::formats::beside;
use crate::in_memory::InMemory;
use crate::open_options::OpenOptions;
pub(crate) use header::Header;
pub(crate) use layout::{Opened, check, damaged, open as open_array};
pub(crate) use singles::{singles, with_range};
pub use write::{NpyWriter, write_npy_u8};

/// Whether these first bytes are those of a `.npy` file.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(&header::MAGIC)
}

/// Opens a `.npy` file of images, and the labels and parts beside it (`y_train.npy` of `x_train.npy`, `split.npy`). Black and white
/// are those of `options.range`, else the smallest usual range that contains all values: [0, 1], [-1, 1], [0, 255] or, for integers,
/// all of 16 bits.
///
/// # Errors
/// Where the file can't be read, holds more or less than its header declares, no images, or values in no usual range; where it has no
/// images of the part.
pub fn open(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let (count, _) = layout(path)?;
    let rows = beside::rows(path, count as u64)?;
    if rows.is_none() {
        options.refuse_test_split(&path.display().to_string())?;
    }
    let note = beside::unread_parts(path, count, rows.is_some());
    let set = beside::attach(images(path, options)?, path)?.with_notes(note);
    match rows {
        Some(rows) => rows.of_part(set, options.split),
        None => Ok(set),
    }
}

/// As `open`, without labels and parts.
pub(crate) fn images(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let Opened { mut reader, header, length } = open_array(path)?;
    let images = check(path, &header, length, false)?;
    let set = array::read(path, &mut reader, &images, Settings { range: options.range, binary: true })?;
    match reader.read(&mut [0]) {
        Ok(0) => Ok(set),
        Ok(_) => Err(damaged(path, "more bytes follow than its header declares")),
        Err(error) => Err(damaged(path, &error.to_string())),
    }
}

/// The number and shape of the images in a `.npy` file, from its header and size only.
///
/// # Errors
/// As `open`, except for errors in the values.
pub fn layout(path: &Path) -> Result<(usize, ImageShape)> {
    let opened = open_array(path)?;
    check(path, &opened.header, opened.length, false).map(|images| (images.count(), images.shape()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::testing::{gzip, npy, shared_data};

    fn open_bytes(bytes: &[u8]) -> Result<InMemory> {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        open(&path, &OpenOptions::default())
    }

    fn file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    fn first(bytes: &[u8]) -> Vec<f32> {
        let set = open_bytes(bytes).unwrap();
        let mut image = vec![9.0; set.shape().len()];
        set.read(0, &mut image).unwrap();
        image
    }

    fn f32s(values: [f32; 4]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn every_type_reads_alike() {
        let want = [0.0, 0.2, 0.4, 1.0];
        assert_eq!(first(&file("|u1", "1, 4", &[0, 51, 102, 255])), want);
        assert_eq!(first(&file("<f4", "1, 2, 2", &f32s(want))), want);
        let doubled: Vec<u8> = [0.0f64, 0.2, 0.4, 1.0].iter().flat_map(|value| value.to_be_bytes()).collect();
        assert_eq!(first(&file(">f8", "1, 2, 2, 1", &doubled)), want);
        assert_eq!(first(&file("|b1", "1, 2, 2", &[0, 1, 1, 0])), [0.0, 1.0, 1.0, 0.0]);
        // A mask saved as bytes.
        assert_eq!(first(&file("|u1", "1, 2, 2", &[0, 1, 1, 0])), [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_range_of_floats_is_seen() {
        assert_eq!(first(&file("<f4", "1, 4", &f32s([-1.0, -0.5, 0.0, 1.0]))), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(first(&file("<f4", "1, 4", &f32s([0.0, 51.0, 102.0, 255.0]))), [0.0, 0.2, 0.4, 1.0]);
        assert_eq!(first(&file("<f4", "1, 4", &f32s([-0.0005, 0.5, 0.5, 1.0005]))), [0.0, 0.5, 0.5, 1.0]);
        let error = open_bytes(&file("<f4", "1, 4", &f32s([-3.0, 0.0, 0.0, 2.5]))).unwrap_err();
        assert!(error.to_string().contains("values from -3 to 2.5"), "{error}");
        let error = open_bytes(&file("<f4", "1, 4", &f32s([0.0, f32::NAN, 0.0, 1.0]))).unwrap_err();
        assert!(error.to_string().ends_with("a value of image 0, row 0, column 1 is NaN"), "{error}");
    }

    /// 256 different values as each type, of which one reading is possible.
    #[test]
    fn types_orders_and_shapes_read_alike() {
        // Two images of 8x8 pixels in colour, channels last.
        let levels: Vec<u8> = (0..384u32).map(|at| (at * 7 % 256) as u8).collect();
        let want: Vec<f32> = levels[..192].iter().map(|level| f32::from(*level) / 255.0).collect();
        let all = |bytes: &dyn Fn(u8) -> Vec<u8>| levels.iter().flat_map(|level| bytes(*level)).collect::<Vec<u8>>();
        let of = |descr: &str, bytes: &dyn Fn(u8) -> Vec<u8>| first(&file(descr, "2, 8, 8, 3", &all(bytes)));
        let near = |read: Vec<f32>| read.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-3);
        assert_eq!(of("|u1", &|v| vec![v]), want);
        assert_eq!(of("<u2", &|v| u16::from(v).to_le_bytes().to_vec()), want);
        assert_eq!(of(">i2", &|v| i16::from(v).to_be_bytes().to_vec()), want);
        assert_eq!(of("<i4", &|v| i32::from(v).to_le_bytes().to_vec()), want);
        assert_eq!(of("<i8", &|v| i64::from(v).to_le_bytes().to_vec()), want);
        assert!(near(of("<u2", &|v| (257 * u16::from(v)).to_le_bytes().to_vec())), "16 bits");
        assert!(near(of("|i1", &|v| vec![v.wrapping_sub(128)])), "around zero");
        // Halves of whole numbers up to 255 are exact.
        let half = |v: u8| {
            if v == 0 {
                0
            } else {
                let e = v.ilog2();
                ((e + 15) << 10 | (u32::from(v) << (10 - e) & 1023)) as u16
            }
        };
        assert!(near(of("<f2", &|v| half(v).to_le_bytes().to_vec())), "float16");

        let at = |image: usize, row: usize, column: usize, channel: usize| {
            levels[((image * 8 + row) * 8 + column) * 3 + channel]
        };
        let mut planes = Vec::new();
        let mut fortran = Vec::new();
        for (image, channel, row, column) in (0..2 * 3 * 64).map(|k| (k / 192, k / 64 % 3, k / 8 % 8, k % 8)) {
            planes.push(at(image, row, column, channel));
        }
        for (channel, column, row, image) in (0..2 * 3 * 64).map(|k| (k / 128, k / 16 % 8, k / 2 % 8, k % 2)) {
            fortran.push(at(image, row, column, channel));
        }
        assert_eq!(first(&file("|u1", "2, 3, 8, 8", &planes)), want);
        assert_eq!(first(&file("|u1", "2, 3, 64", &planes)), want);
        let fortran = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 8, 8, 3)}", &fortran);
        assert_eq!(first(&fortran), want);
        let notes = open_bytes(&file("|u1", "2, 3, 8, 8", &planes)).unwrap().notes();
        assert_eq!(notes, ["the array's shape [2, 3, 8, 8] is read as [n, 3, height, width]"]);
        let packed = open_bytes(&gzip(&file("|u1", "2, 8, 8, 3", &levels))).unwrap();
        assert_eq!(packed.fingerprint(), open_bytes(&file("|u1", "2, 8, 8, 3", &levels)).unwrap().fingerprint());
        assert!(open_bytes(&gzip(&file("|u1", "2, 8, 8, 3", &[&levels[..], &[0]].concat()))).is_err());
        assert!(open_bytes(&gzip(&file("|u1", "2, 8, 8, 3", &levels[1..]))).is_err());
    }

    #[test]
    fn a_range_is_given_or_a_small_one_remarked() {
        let digits =
            file("<f8", "1, 2, 2", &[0.0f64, 4.0, 8.0, 16.0].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
        let dark = open_bytes(&digits).unwrap();
        assert!(dark.notes()[0].contains("`data.range` = [0, 16] makes 16 white"), "{:?}", dark.notes());
        let folder = crate::testing::folder();
        let path = folder.path().join("a.npy");
        for bytes in [digits, file("|u1", "1, 2, 2", &[0, 4, 8, 16])] {
            std::fs::write(&path, bytes).unwrap();
            let set = open(&path, &OpenOptions::default().range((0.0, 16.0))).unwrap();
            let mut image = [9.0; 4];
            set.read(0, &mut image).unwrap();
            assert!(image.iter().zip([0.0, 0.25, 0.5, 1.0]).all(|(a, b)| (a - b).abs() < 0.002), "{image:?}");
            assert!(set.notes()[0].contains("from 0 to 16 become black to white"), "{:?}", set.notes());
        }
        let wide = file("<u2", "1, 2, 2", &[0, 0, 255, 15, 1, 0, 2, 0]);
        let error = open_bytes(&wide).unwrap_err();
        assert!(error.to_string().contains("has uint16 values from 0 to 4095"), "{error}");
        assert!(error.hint().contains("`data.range`), such as [0, 4095]"), "{}", error.hint());
    }

    #[test]
    fn sheep_themselves() {
        let Some(data) = shared_data() else { return };
        let set = open(&data.join("sheep-market/aaron_sheep_28x28.npy"), &OpenOptions::default()).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (8000, "28x28x1".to_owned()));
        let error = images(&data.join("sheep-market/aaron_sheep.npz"), &OpenOptions::default()).unwrap_err();
        assert!(error.to_string().contains("does not begin with"), "{error}");
    }
}
