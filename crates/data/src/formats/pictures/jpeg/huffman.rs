//! Huffman tables.

use super::bits::{Bits, Stop};

/// Codes up to this length are looked up at once.
const SHORT: u32 = 9;

/// A Huffman table.
#[derive(Clone)]
pub struct Huffman {
    /// Length and symbol by the next [`SHORT`] bits; 0 for longer codes.
    short: Box<[u16; 1 << SHORT]>,
    /// By length: the largest code, or -1, and what is added to a code for the index of its symbol.
    long: [(i32, i32); 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// A table from the number of codes of each length 1 to 16, and the symbols in the order of their codes. `None` if there are
    /// more codes than bits allow, or other than `counts` says.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols = symbols.get(..total)?.to_vec();
        let mut short = Box::new([0; 1 << SHORT]);
        let mut long = [(-1, 0); 17];
        let (mut code, mut index) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            let first = code;
            for _ in 0..count {
                if code >> length != 0 {
                    return None;
                }
                if length <= SHORT {
                    let from = (code << (SHORT - length)) as usize;
                    short[from..from + (1 << (SHORT - length))].fill((length as u16) << 8 | u16::from(symbols[index]));
                }
                code += 1;
                index += 1;
            }
            if count > 0 {
                let start = index as i32 - i32::from(count) - first as i32;
                long[length as usize] = (code as i32 - 1, start);
            }
            code <<= 1;
        }
        Some(Self { short, long, symbols })
    }

    /// One of the tables that files without tables mean (Motion JPEG): of brightness or colour, of DC or AC coefficients.
    pub fn usual(is_ac: bool, colour: bool) -> Option<Self> {
        let (counts, symbols) = match (is_ac, colour) {
            (false, false) => (&DC_COUNTS[0], &DC[..]),
            (false, true) => (&DC_COUNTS[1], &DC[..]),
            (true, false) => (&AC_COUNTS[0], &AC[0][..]),
            (true, true) => (&AC_COUNTS[1], &AC[1][..]),
        };
        Self::new(counts, symbols)
    }

    /// The next symbol.
    #[inline(always)]
    pub fn next(&self, bits: &mut Bits) -> Result<u32, Stop> {
        let next = bits.peek();
        match self.short[(next >> (16 - SHORT)) as usize] {
            0 => self.long(next, bits),
            short => {
                bits.skip(u32::from(short >> 8))?;
                Ok(u32::from(short & 0xff))
            }
        }
    }

    /// The symbol of a code longer than [`SHORT`], with which the bits `next` begin.
    #[cold]
    fn long(&self, next: u32, bits: &mut Bits) -> Result<u32, Stop> {
        for length in SHORT + 1..=16 {
            let (largest, start) = self.long[length as usize];
            let code = (next >> (16 - length)) as i32;
            if code <= largest {
                bits.skip(length)?;
                return usize::try_from(code + start)
                    .ok()
                    .and_then(|index| self.symbols.get(index))
                    .map(|&symbol| u32::from(symbol))
                    .ok_or(Stop::Damaged);
            }
        }
        Err(if bits.is_ending() { Stop::Ended } else { Stop::Damaged })
    }
}

const DC_COUNTS: [[u8; 16]; 2] =
    [[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]];

const DC: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

const AC_COUNTS: [[u8; 16]; 2] =
    [[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125], [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119]];

#[rustfmt::skip]
const AC: [[u8; 162]; 2] = [
    [
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
        0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
        0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
        0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
        0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
        0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
        0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
        0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
    [
        0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
        0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
        0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36,
        0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
        0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
        0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
        0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
        0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
        0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_by_their_order() {
        // Codes 0, 10, 110 and, of 12 bits, 1110_0000_0000.
        let table = Huffman::new(&[1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], &[5, 6, 7, 8]).unwrap();
        let bytes = [0b0101_1011, 0b1000_0000, 0b0011_0000];
        let mut bits = Bits::new(&bytes, 0);
        let read: Vec<_> = (0..6).map(|_| table.next(&mut bits)).collect();
        assert_eq!(read, [Ok(5), Ok(6), Ok(7), Ok(8), Ok(7), Ok(5)]);
        assert_eq!(table.next(&mut Bits::new(&[0xf0, 0, 0], 0)), Err(Stop::Damaged));
        assert_eq!(table.next(&mut Bits::new(&[0xf0], 0)), Err(Stop::Ended));
        assert_eq!(table.next(&mut Bits::new(&[], 0)), Err(Stop::Ended));
    }

    #[test]
    fn impossible_tables_are_refused_and_the_usual_ones_are_possible() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Huffman::new(&counts, &[1, 2, 3]).is_none(), "one bit tells two symbols apart");
        counts[0] = 2;
        assert!(Huffman::new(&counts, &[1]).is_none() && Huffman::new(&counts, &[1, 2]).is_some());
        for (is_ac, colour) in [(false, false), (false, true), (true, false), (true, true)] {
            assert!(Huffman::usual(is_ac, colour).is_some());
        }
    }
}
