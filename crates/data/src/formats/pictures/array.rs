//! One image in a `.npy` file: rows, columns and, first or last, channels.

use super::check_size;
use super::raster::{Raster, Samples};
use crate::formats::array::Scalar;
use crate::formats::array::scalar::Kind;
use crate::formats::array::shape::{OneImage, one_image};
use crate::npy::{self, Header};

/// Whether these first bytes are those of an array.
pub fn matches(start: &[u8]) -> bool {
    npy::matches(start)
}

/// The values of an array that is one image, in the order of the file.
struct Values<'a> {
    scalar: Scalar,
    image: OneImage,
    header: Header,
    bytes: &'a [u8],
}

impl<'a> Values<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, String> {
        let header = Header::read(&mut &bytes[..])?;
        let scalar = Scalar::of_descr(&header.descr)
            .ok_or_else(|| format!("its values are of type '{}'", header.descr.escape_debug()))?;
        let image = one_image(&header.shape)
            .ok_or_else(|| format!("it is an array of shape {:?}, not of one image", header.shape))?;
        check_size(image.width, image.height, image.channels * scalar.width)?;
        let declared = image.height * image.width * image.channels * scalar.width;
        let bytes = bytes.get(header.offset as usize..).unwrap_or_default();
        if bytes.len() != declared {
            return Err(format!(
                "its header declares shape {:?}, that makes {declared} bytes, but {} follow",
                header.shape,
                bytes.len()
            ));
        }
        Ok(Self { scalar, image, header, bytes })
    }

    fn each(&self) -> impl Iterator<Item = f64> {
        self.bytes.chunks_exact(self.scalar.width).map(|value| self.scalar.float(value))
    }

    /// `values` with rows from the top and channels last.
    fn arranged<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let OneImage { height, width, channels, .. } = self.image;
        let [rows, columns, planes] = self.image.strides(&self.header.shape, self.header.fortran_order);
        let mut out = Vec::with_capacity(values.len());
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            out.extend((0..channels).map(|channel| values[row * rows + column * columns + channel * planes]));
        }
        out
    }
}

/// Decodes an array.
///
/// # Errors
/// A description of what is wrong.
pub fn decode(bytes: &[u8]) -> Result<Raster, String> {
    let values = Values::of(bytes)?;
    let OneImage { height, width, channels, .. } = values.image;
    let samples = match (values.scalar.kind, values.scalar.width) {
        (Kind::Bool, _) => {
            let levels: Vec<u8> = values.bytes.iter().map(|byte| if *byte == 0 { 0 } else { 255 }).collect();
            Samples::Bytes(values.arranged(&levels))
        }
        (Kind::Unsigned, 1) => Samples::Bytes(values.arranged(values.bytes)),
        _ if channels == 4 => return Err(format!("its four channels are {}, expected uint8", values.scalar.name())),
        _ => {
            let numbers: Vec<f32> = values.each().map(|value| value as f32).collect();
            if let Some(odd) = numbers.iter().find(|value| !value.is_finite()) {
                return Err(format!("one of its values is {odd}"));
            }
            Samples::Numbers { values: values.arranged(&numbers), kind: values.scalar.name(), range: None }
        }
    };
    Ok(Raster { width, height, channels, samples })
}

/// The type of an array's values, the smallest and the largest one.
///
/// # Errors
/// As `decode`.
pub(crate) fn extremes(bytes: &[u8]) -> Result<(Scalar, f64, f64), String> {
    let values = Values::of(bytes)?;
    let (low, high) =
        values.each().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    // The smallest of numbers and NaN is the number.
    if !(low.is_finite() && high.is_finite()) || values.each().any(f64::is_nan) {
        return Err("not all of its values are finite".to_owned());
    }
    Ok((values.scalar, low, high))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::npy;

    fn file(descr: &str, fortran: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}"), bytes)
    }

    #[test]
    fn every_order_is_one_picture() {
        let at = |row: usize, column: usize, channel: usize| (row * 31 + column * 7 + channel * 90) as u8;
        let (mut last, mut first, mut fortran) = (Vec::new(), Vec::new(), Vec::new());
        (0..8 * 9 * 3).for_each(|k| last.push(at(k / 27, k / 3 % 9, k % 3)));
        (0..8 * 9 * 3).for_each(|k| first.push(at(k / 9 % 8, k % 9, k / 72)));
        (0..8 * 9 * 3).for_each(|k| fortran.push(at(k % 8, k / 8 % 9, k / 72)));
        let wanted = decode(&file("|u1", "False", "8, 9, 3", &last)).unwrap();
        assert_eq!((wanted.height, wanted.width, wanted.channels), (8, 9, 3));
        assert_eq!(wanted.samples, Samples::Bytes(last.clone()));
        assert_eq!(decode(&file("|u1", "False", "3, 8, 9", &first)).unwrap(), wanted);
        assert_eq!(decode(&file("|u1", "True", "8, 9, 3", &fortran)).unwrap(), wanted);
        let grey = decode(&file("|b1", "False", "1, 8, 9", &[0, 1, 9].repeat(24))).unwrap();
        assert_eq!((grey.channels, grey.samples), (1, Samples::Bytes([0, 255, 255].repeat(24))));
    }

    #[test]
    fn other_arrays_are_refused() {
        for (descr, shape, bytes, expected) in [
            ("|u1", "9, 8, 8, 3", 9 * 192, "not of one image"),
            ("|u1", "100", 100, "not of one image"),
            ("|O", "8, 8", 512, "its values are of type '|O'"),
            ("<f4", "8, 9, 4", 1152, "its four channels are float32, expected uint8"),
            ("|u1", "8, 9", 71, "that makes 72 bytes, but 71 follow"),
            ("|u1", "8, 9", 73, "but 73 follow"),
            ("<f8", "16000, 16000", 0, "more than the 512 MiB"),
        ] {
            let error = decode(&file(descr, "False", shape, &vec![0; bytes])).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let odd = file("<f4", "False", "8, 9", &f32::INFINITY.to_le_bytes().repeat(72));
        assert!(decode(&odd).unwrap_err().contains("is inf") && extremes(&odd).is_err());
        let nan = [f32::NAN, 1.0].repeat(36).iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        assert!(extremes(&file("<f4", "False", "8, 9", &nan)).is_err());
    }
}
