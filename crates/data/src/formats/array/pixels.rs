//! Images from the values of an array: bytes stay bytes, other types become floats from 0 to 1.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::range::{self, Range};
use super::scalar::{Kind, Scalar};
use super::shape::{self, Reading};
use crate::dataset::ImageShape;
use crate::error::{Error, Result};
use crate::in_memory::{InMemory, MAX_SET_BYTES};

/// How much more neighbours along the last axis differ where it counts images.
const NUMBER_LAST: f64 = 1.5;

/// The checked layout of an array of images.
#[derive(Debug)]
pub struct Images {
    scalar: Scalar,
    sizes: Vec<u64>,
    fortran: bool,
    reading: Reading,
    /// Whether its first axis is known to count images.
    many: bool,
}

/// How values become pixels.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The values of black and white; `None` to see them from the values.
    pub range: Option<(f32, f32)>,
    /// Whether bytes of which none is larger than 1 are black and white.
    pub binary: bool,
}

impl Images {
    /// Checks the sizes of an array, whose first axis varies fastest if `fortran`, and which is known to hold `many` images or may
    /// be one; `path` is for messages.
    ///
    /// # Errors
    /// The sizes are not those of images, or exceed the memory limit.
    pub fn check(path: &Path, scalar: Scalar, sizes: &[u64], fortran: bool, many: bool) -> Result<Self> {
        let reading = shape::choose(sizes, many)
            .map_err(|(what, hint)| Error::data(format!("{} {what}", path.display()), hint))?;
        let values = sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size));
        if values.is_none_or(|values| values > MAX_SET_BYTES / scalar.stored()) {
            return Err(Error::data(
                format!(
                    "{} has shape {sizes:?}, more than the {MAX_SET_BYTES} bytes allowed in memory",
                    path.display()
                ),
                "use fewer or smaller images, or a folder of image files, which is not read into memory",
            ));
        }
        Ok(Self { scalar, sizes: sizes.to_vec(), fortran, reading, many })
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.reading.count as usize
    }

    /// The shape of each.
    pub fn shape(&self) -> ImageShape {
        self.reading.shape()
    }

    /// Bytes of all values in the file.
    pub fn bytes(&self) -> u64 {
        self.values() as u64 * self.scalar.width as u64
    }

    fn values(&self) -> usize {
        self.count() * self.shape().len()
    }

    /// `values` of the file in the order of images: rows from the top, channels last.
    fn arranged<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        let strides = self.reading.strides(&self.sizes, self.fortran);
        let ImageShape { height, width, channels } = self.shape();
        let natural = [height * width * channels, width * channels, channels, 1];
        let is_natural = (0..4).all(|at| strides[at] == natural[at] || (at == 3 && channels == 1));
        if is_natural {
            return values;
        }
        let mut out = Vec::with_capacity(values.len());
        for image in 0..self.count() {
            for row in 0..height {
                let start = image * strides[0] + row * strides[1];
                for column in 0..width {
                    let pixel = start + column * strides[2];
                    out.extend((0..channels).map(|channel| values[pixel + channel * strides[3]]));
                }
            }
        }
        out
    }

    /// Refuses values whose neighbours along the last axis differ as those of several images do, and along the others as those of
    /// one: `[height, width, n]`, which Matlab has, or flat images as columns.
    fn refuse_number_last<T: Copy>(&self, path: &Path, values: &[T], number: impl Fn(T) -> f64) -> Result<()> {
        /// Shorter axes are no sides of images.
        const MIN_SIDE: u64 = 8;
        let sizes = &self.sizes;
        let is_short = |size: &u64| *size < MIN_SIDE;
        if self.many || sizes.len() > 3 || sizes.iter().any(is_short) {
            return Ok(());
        }
        let steps = self.steps(values, number);
        let differ = |last: f64, others: &[f64]| others.iter().all(|other| last > NUMBER_LAST * other);
        let (what, hint) = match (&sizes[..], &steps[..]) {
            ([height, width, count], [rows, columns, last]) if differ(*last, &[*rows, *columns]) => (
                format!("{count} images of {height}x{width} with their number last"),
                "images come first: numpy.save(\"images.npy\", a.transpose(2, 0, 1)); if the first axis counts them, give \
                 four axes: a[..., None]",
            ),
            ([values, count], [rows, last]) if values.isqrt().pow(2) == *values && differ(*last, &[*rows]) => (
                format!("{count} flat images of {values} values, a column for each"),
                "images are rows: numpy.save(\"images.npy\", a.T); if these are rows, give their sides: a.reshape(-1, HEIGHT, \
                 WIDTH, 1)",
            ),
            _ => return Ok(()),
        };
        Err(Error::data(format!("{} has shape {sizes:?}, and its values are those of {what}", path.display()), hint))
    }

    /// The mean difference of neighbours along each axis, of places spread over all values.
    fn steps<T: Copy>(&self, values: &[T], number: impl Fn(T) -> f64) -> Vec<f64> {
        const PLACES: usize = 1 << 14;
        let axes = self.sizes.len();
        let stride = |axis: usize| -> usize {
            let faster = if self.fortran { &self.sizes[..axis] } else { &self.sizes[axis + 1..] };
            faster.iter().product::<u64>() as usize
        };
        let strides: Vec<usize> = (0..axes).map(stride).collect();
        let mean = |axis: usize| {
            let is_last = |at: usize| at / strides[axis] % self.sizes[axis] as usize + 1 == self.sizes[axis] as usize;
            // A step that shares no factor with most sizes visits all rows and columns.
            let step = (values.len() / PLACES).max(1) | 1;
            let places = (0..values.len()).step_by(step).filter(|at| !is_last(*at));
            let differences = places.map(|at| (number(values[at + strides[axis]]) - number(values[at])).abs());
            let (sum, count) = differences.fold((0.0, 0.0), |(sum, count), difference| (sum + difference, count + 1.0));
            sum / f64::max(count, 1.0)
        };
        (0..axes).map(mean).collect()
    }

    /// The image, row and column of a value of the file, for messages.
    fn place(&self, at: usize) -> String {
        let strides = self.reading.strides(&self.sizes, self.fortran);
        let ImageShape { height, width, .. } = self.shape();
        let sizes = [self.count(), height, width];
        // Of each axis, the place is the rest by its size; a step of one axis is the whole of those that vary faster.
        let [image, row, column] = [0, 1, 2].map(|axis| at / strides[axis].max(1) % sizes[axis].max(1));
        format!("image {image}, row {row}, column {column}")
    }
}

/// Reads the values of an array; `path` is the set's name and for messages.
///
/// # Errors
/// There are too few values, one is not finite, or their range is unclear.
pub fn read(path: &Path, reader: &mut dyn Read, images: &Images, settings: Settings) -> Result<InMemory> {
    if images.scalar.stored() == 1 {
        let mut bytes = vec![0u8; images.values()];
        reader.read_exact(&mut bytes).map_err(cut_short(path))?;
        return from_bytes(path, bytes, images, settings);
    }
    let (floats, low, high) = read_floats(path, reader, images)?;
    images.refuse_number_last(path, &floats, f64::from)?;
    if let [rows, columns] = images.sizes[..]
        && rows == columns
        && is_symmetric(&floats, rows as usize)
    {
        return Err(Error::data(
            format!(
                "{} is a symmetric matrix of {rows}x{rows}, as of correlations or distances, no images",
                path.display()
            ),
            "give an array of images",
        ));
    }
    let range = black_and_white(path, images.scalar, (low, high), settings.range)?;
    let name = path.display().to_string();
    let set = if images.scalar.kind != Kind::Float
        && (range.black, range.white) == (0.0, 255.0)
        && low >= 0.0
        && high <= 255.0
    {
        let bytes = floats.into_iter().map(|value| value as u8).collect();
        InMemory::from_bytes(name, images.shape(), images.arranged(bytes))?
    } else {
        let (from, to) = (range.black as f32, range.white as f32);
        let mut floats = floats;
        for value in &mut floats {
            *value = ((*value - from) / (to - from)).clamp(0.0, 1.0);
        }
        InMemory::from_floats(name, images.shape(), images.arranged(floats))?
    };
    Ok(with_notes(set, images, range))
}

/// `read`, from all bytes of the values.
///
/// # Errors
/// As `read`.
pub fn from_bytes(path: &Path, mut bytes: Vec<u8>, images: &Images, settings: Settings) -> Result<InMemory> {
    if images.scalar.stored() != 1 || bytes.len() != images.values() {
        return read(path, &mut &bytes[..], images, settings);
    }
    images.refuse_number_last(path, &bytes, f64::from)?;
    let range = byte_levels(path, &mut bytes, images.scalar, settings)?;
    let set = InMemory::from_bytes(path.display().to_string(), images.shape(), images.arranged(bytes))?;
    Ok(with_notes(set, images, range))
}

/// Whether values are a matrix of `side` rows that is its own transpose, and no single number.
pub fn is_symmetric<T: PartialEq + Copy>(values: &[T], side: usize) -> bool {
    let at = |row: usize, column: usize| values[row * side + column];
    values.len() == side * side
        && values.windows(2).any(|pair| pair[0] != pair[1])
        && (0..side).all(|row| (0..row).all(|column| at(row, column) == at(column, row)))
}

/// `set` with notes on how it was read.
fn with_notes(set: InMemory, images: &Images, range: Range) -> InMemory {
    let usual = ["[n, side*side]", "[n, height, width]", "[n, height, width, 3]"];
    let axes = images.reading.axes;
    let is_odd = !usual.contains(&axes) || (images.sizes.len() == 4 && images.sizes[1] == 3);
    let order = is_odd.then(|| format!("the array's shape {:?} is read as {axes}", images.sizes));
    // Other numbers than bytes may be anything, such as embeddings.
    let is_flat = axes == "[n, side*side]" && images.sizes.len() == 2 && images.scalar.stored() > 1;
    let (side, values) = (images.shape().width, images.shape().len());
    let flat = is_flat
        .then(|| format!("each row of the array, {values} numbers, is read as an image of {side}x{side} pixels"));
    set.with_levels(range.black, range.white).with_notes(order.into_iter().chain(flat).chain(range.note))
}

/// The error for an array that can't be read to its end.
fn cut_short(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |error| match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Error::data(
            format!("{} is damaged: {error}", path.display()),
            "the file is damaged or was not downloaded completely: replace it",
        ),
        _ => Error::io("read", path)(error),
    }
}

/// Makes pixels of bytes or booleans, in place.
fn byte_levels(path: &Path, bytes: &mut [u8], scalar: Scalar, settings: Settings) -> Result<Range> {
    if scalar.kind == Kind::Bool {
        bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
    }
    let (low, high) = bytes.iter().fold((u8::MAX, 0), |(low, high), &byte| (low.min(byte), high.max(byte)));
    let mut range = black_and_white(path, scalar, (low.into(), high.into()), settings.range)?;
    if scalar.kind != Kind::Bool && !settings.binary && settings.range.is_none() {
        range = Range::bytes(low.into(), high.into());
    }
    if (range.black, range.white) != (0.0, 255.0) {
        let level =
            |byte: usize| (255.0 * ((byte as f64 - range.black) / (range.white - range.black)).clamp(0.0, 1.0)).round();
        let levels: Vec<u8> = (0..256).map(|byte| level(byte) as u8).collect();
        bytes.iter_mut().for_each(|byte| *byte = levels[usize::from(*byte)]);
    }
    Ok(range)
}

/// The values of black and white: those given, or by the extremes of all values of `path`.
///
/// # Errors
/// The extremes are those of no usual range.
pub fn black_and_white(
    path: &Path,
    scalar: Scalar,
    (low, high): (f64, f64),
    given: Option<(f32, f32)>,
) -> Result<Range> {
    if let Some(given) = given {
        return Ok(Range::given(given, low, high));
    }
    range::decide(scalar, low, high).ok_or_else(|| {
        let [black, white] = range::likely(low, high);
        let [low, high] = [low, high].map(range::rounded);
        Error::data(
            format!(
                "{} has {} values from {low} to {high}, expected [0, 1], [-1, 1], [0, 255] or all of 16 bits",
                path.display(),
                scalar.name()
            ),
            format!("say which values are black and white (`data.range`), such as [{black}, {white}]"),
        )
    })
}

/// The values and their extremes.
fn read_floats(path: &Path, reader: &mut dyn Read, images: &Images) -> Result<(Vec<f32>, f64, f64)> {
    let (scalar, count) = (images.scalar, images.values());
    let width = scalar.width;
    let mut floats = Vec::with_capacity(count.min(1 << 26));
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut chunk = vec![0u8; 8192 * width];
    while floats.len() < count {
        let bytes = &mut chunk[..(count - floats.len()).min(8192) * width];
        reader.read_exact(bytes).map_err(cut_short(path))?;
        for value in bytes.chunks_exact(width).map(|bytes| scalar.float(bytes)) {
            if !value.is_finite() {
                return Err(Error::data(
                    format!("{}: a value of {} is {value}", path.display(), images.place(floats.len())),
                    "expected finite pixels: numpy.isfinite(a) shows where they are not",
                ));
            }
            (low, high) = (low.min(value), high.max(value));
            floats.push(value as f32);
        }
    }
    Ok((floats, low, high))
}
