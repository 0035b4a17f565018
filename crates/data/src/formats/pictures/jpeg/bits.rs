//! Bits of entropy-coded data, up to the next marker.

/// Why decoding stopped before the image was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The data end, or a marker follows.
    Ended,
    /// The bits are no code, or more coefficients than a block has.
    Damaged,
}

/// A reader of bits, the most significant first.
pub struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to be buffered; it stays at a marker.
    at: usize,
    /// The next bits, aligned to the top; zeros follow the last one.
    buffer: u64,
    /// How many of them there are.
    count: u32,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes` from `at`.
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, count: 0 }
    }

    /// Buffers at least 57 bits, or all up to the next marker.
    fn fill(&mut self) {
        while self.count <= 56 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if byte == 0xff {
                // 0xff as data is followed by a zero; before that, as before a marker, it may be repeated.
                let other = self.bytes[self.at..].iter().position(|&byte| byte != 0xff);
                match other.map(|other| (self.at + other, self.bytes[self.at + other])) {
                    Some((zero, 0)) => self.at = zero + 1,
                    _ => return,
                }
            } else {
                self.at += 1;
            }
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next 16 bits, with zeros behind the last one.
    #[inline]
    pub fn peek(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        (self.buffer >> 48) as u32
    }

    /// Whether fewer than 16 bits are left.
    pub fn is_ending(&self) -> bool {
        self.count < 16
    }

    /// Passes over `count` bits, which were peeked at.
    #[inline]
    pub fn skip(&mut self, count: u32) -> Result<(), Stop> {
        if count > self.count {
            return Err(Stop::Ended);
        }
        self.buffer <<= count;
        self.count -= count;
        Ok(())
    }

    /// The next `count` bits, at most 16, as a number.
    #[inline]
    pub fn take(&mut self, count: u32) -> Result<u32, Stop> {
        if count == 0 {
            return Ok(0);
        }
        let bits = self.peek() >> (16 - count);
        self.skip(count)?;
        Ok(bits)
    }

    /// A number in JPEG's form: `size` bits, negative ones begin with 0.
    #[inline]
    pub fn signed(&mut self, size: u32) -> Result<i32, Stop> {
        let bits = self.take(size)? as i32;
        Ok(if size > 0 && bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits })
    }

    /// Goes on behind the next restart marker, whatever its number; bytes before it are passed over.
    pub fn restart(&mut self) -> Result<(), Stop> {
        (self.buffer, self.count) = (0, 0);
        let (at, marker) = next_marker(self.bytes, self.at).ok_or(Stop::Ended)?;
        if !(0xd0..=0xd7).contains(&marker) {
            return Err(Stop::Ended);
        }
        self.at = at;
        Ok(())
    }

    /// Where the bytes go on that were not buffered, and the number of whole bytes that were buffered but not used.
    pub fn rest(&self) -> (usize, usize) {
        (self.at, self.count as usize / 8)
    }
}

/// The marker at `at` or behind it, and where its segment begins. `0xff` and a byte that is no marker are passed over.
pub fn next_marker(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
        let marker = bytes[at];
        at += 1;
        if marker >= 0xc0 {
            return Some((at, marker));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bits_end_at_a_marker_and_stuffed_zeros_are_no_data() {
        let bytes = [0b1010_0101, 0xff, 0x00, 0xff, 0xff, 0x00, 0x81, 0xff, 0xd3, 0x40];
        let mut bits = Bits::new(&bytes, 0);
        assert_eq!((bits.take(3), bits.take(5), bits.take(16), bits.take(4)), (Ok(5), Ok(5), Ok(0xffff), Ok(8)));
        assert_eq!((bits.peek(), bits.is_ending()), (0x1000, true));
        assert_eq!(bits.take(5), Err(Stop::Ended));
        assert_eq!(bits.restart(), Ok(()));
        assert_eq!((bits.take(2), bits.take(7)), (Ok(1), Err(Stop::Ended)));
        assert_eq!(bits.restart(), Err(Stop::Ended));
    }

    #[test]
    fn numbers_are_signed_as_in_the_standard() {
        let mut bits = Bits::new(&[0b0100_0110, 0b1100_0111], 0);
        let sizes = [1, 1, 2, 2, 2, 2, 3, 3];
        assert_eq!(sizes.map(|size| bits.signed(size).unwrap()), [-1, 1, -3, -2, 2, 3, -7, 7]);
        assert_eq!(bits.signed(0), Ok(0));
    }

    #[test]
    fn markers_are_found_behind_other_bytes() {
        let bytes = [7, 0xff, 0, 9, 0xff, 0x37, 0xff, 0xff, 0xd9, 0xff];
        assert_eq!(next_marker(&bytes, 0), Some((9, 0xd9)));
        assert_eq!(next_marker(&bytes, 9), None);
        assert_eq!(next_marker(&bytes, 99), None);
    }
}
