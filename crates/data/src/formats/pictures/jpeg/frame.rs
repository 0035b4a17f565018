//! The frame of a JPEG image: its size, its components, and their samples.

use super::refused;
use super::transform;
use crate::pictures::{MAX_DECODED_BYTES, check_size};

/// Number of coefficients in a block.
pub const BLOCK: usize = 64;

/// A component: brightness, a colour difference, an ink.
pub struct Component {
    /// Its identifier in the file.
    pub id: u8,
    /// Horizontal and vertical sampling factors.
    pub sampling: (usize, usize),
    /// The quantisation table that it names.
    pub table: usize,
    /// Its quantisation table as it was when its first scan began, in natural order.
    pub steps: Option<[i32; BLOCK]>,
    /// Its width and height in samples.
    pub size: (usize, usize),
    /// Its width and height in blocks, up to whole units of all components.
    pub blocks: (usize, usize),
    /// Its samples in rows of whole blocks.
    pub samples: Vec<u8>,
    /// For a progressive image, its coefficients in natural order.
    pub coefficients: Vec<[i16; BLOCK]>,
    /// By coefficient in zigzag order: the number of low bits that no scan has sent yet; `None` before the first scan.
    pub missing_bits: [Option<u8>; BLOCK],
}

impl Component {
    /// Its blocks in a scan of its own.
    pub fn own_blocks(&self) -> (usize, usize) {
        (self.size.0.div_ceil(8), self.size.1.div_ceil(8))
    }

    /// Computes the samples of the block at column `x` and row `y` of blocks; `flat` if all its coefficients but the first are
    /// 0.
    #[inline]
    pub fn write(&mut self, (x, y): (usize, usize), coefficients: &[i16; BLOCK], flat: bool) {
        let stride = 8 * self.blocks.0;
        if let (Some(steps), Some(samples)) = (&self.steps, self.samples.get_mut(8 * (y * stride + x)..)) {
            transform::samples(coefficients, steps, flat, samples, stride);
        }
    }

    /// Computes all samples from coefficients that were kept.
    pub fn write_all(&mut self) {
        let coefficients = std::mem::take(&mut self.coefficients);
        for (index, block) in coefficients.iter().enumerate() {
            let flat = block[1..].iter().all(|&coefficient| coefficient == 0);
            self.write((index % self.blocks.0, index / self.blocks.0), block, flat);
        }
    }
}

/// A frame.
pub struct Frame {
    /// Whether coefficients come in several scans.
    pub progressive: bool,
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// The largest sampling factors.
    pub sampling: (usize, usize),
    /// The units of an interleaved scan, across and down.
    pub units: (usize, usize),
    pub components: Vec<Component>,
}

impl Frame {
    /// Reads the segment of a frame header with this marker; `length` is that of the file.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub fn parse(marker: u8, segment: &[u8], length: usize) -> Result<Self, String> {
        supported(marker)?;
        let Some(&[precision, high, low, wide, narrow, count]) = segment.first_chunk() else {
            return Err(refused("its header ends early"));
        };
        if precision != 8 {
            return Err(format!("it is a JPEG of {precision} bits per sample, which is not read: save it with 8 bits"));
        }
        let height = usize::from(u16::from_be_bytes([high, low]));
        let width = usize::from(u16::from_be_bytes([wide, narrow]));
        if height == 0 && width > 0 {
            return Err("it is a JPEG whose height follows its pixels, which is not read: save it again".to_owned());
        }
        if width == 0 || !matches!(count, 1..=4) || segment.len() < 6 + 3 * usize::from(count) {
            return Err(refused("its header is impossible"));
        }
        check_size(width, height, if count == 1 { 1 } else { 3 })?;
        let parts: Vec<&[u8]> = segment[6..].chunks_exact(3).take(usize::from(count)).collect();
        let factors = |part: &&[u8]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        // The factors of a single component mean nothing.
        let factors: Vec<_> = if count == 1 { vec![(1, 1)] } else { parts.iter().map(factors).collect() };
        if factors.iter().any(|&(h, v)| !(1..=4).contains(&h) || !(1..=4).contains(&v)) {
            return Err(refused("its sampling factors are impossible"));
        }
        let sampling = (factors.iter().map(|f| f.0).max().unwrap_or(1), factors.iter().map(|f| f.1).max().unwrap_or(1));
        let units = (width.div_ceil(8 * sampling.0), height.div_ceil(8 * sampling.1));
        let component = |(part, &(h, v)): (&&[u8], &(usize, usize))| Component {
            id: part[0],
            sampling: (h, v),
            table: usize::from(part[2]),
            steps: None,
            size: ((width * h).div_ceil(sampling.0), (height * v).div_ceil(sampling.1)),
            blocks: (units.0 * h, units.1 * v),
            samples: Vec::new(),
            coefficients: Vec::new(),
            missing_bits: [None; BLOCK],
        };
        let components: Vec<_> = parts.iter().zip(&factors).map(component).collect();
        let frame = Self { progressive: marker == 0xc2, width, height, sampling, units, components };
        // The first scan has a bit or more for each block.
        if frame.blocks() / 8 > length as u64 {
            return Err(format!("its header claims {width}x{height} pixels, more than it can hold"));
        }
        Ok(frame)
    }

    fn blocks(&self) -> u64 {
        self.components.iter().map(|component| (component.blocks.0 * component.blocks.1) as u64).sum()
    }

    /// Makes room for the samples of all components, and for the coefficients of a progressive image, once.
    ///
    /// # Errors
    /// They exceed the limit.
    pub fn allocate(&mut self) -> Result<(), String> {
        let each = if self.progressive { 1 + size_of::<i16>() } else { 1 };
        let bytes = self.blocks() * (BLOCK * each) as u64;
        if bytes > MAX_DECODED_BYTES {
            let ([bytes, limit], (width, height)) =
                ([bytes, MAX_DECODED_BYTES].map(|b| b >> 20), (self.width, self.height));
            return Err(format!(
                "decoding its {width}x{height} pixels takes {bytes} MiB, more than the {limit} MiB allowed"
            ));
        }
        for component in self.components.iter_mut().filter(|component| component.samples.is_empty()) {
            let blocks = component.blocks.0 * component.blocks.1;
            component.samples = vec![0; blocks * BLOCK];
            if self.progressive {
                component.coefficients = vec![[0; BLOCK]; blocks];
            }
        }
        Ok(())
    }
}

/// Refuses the kinds of JPEG that are not decoded.
fn supported(marker: u8) -> Result<(), String> {
    let kind = match marker {
        0xc0..=0xc2 => return Ok(()),
        0xc3 => "lossless JPEG",
        0xc9 | 0xca => "JPEG with arithmetic coding",
        0xf7 => "JPEG-LS image",
        _ => "lossless or hierarchical JPEG",
    };
    Err(format!("it is a {kind}, which is not read: save it as a usual JPEG or as PNG"))
}
