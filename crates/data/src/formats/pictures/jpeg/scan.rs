//! The scans of a JPEG image: Huffman codes become coefficients.

use super::bits::{Bits, Stop};
use super::frame::{BLOCK, Frame};
use super::huffman::Huffman;

/// The place in natural order of each coefficient in zigzag order.
#[rustfmt::skip]
pub const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
    62, 63,
];

/// One component in a scan.
pub struct Part<'a> {
    /// Its index in the frame.
    pub component: usize,
    pub dc: Option<&'a Huffman>,
    pub ac: Option<&'a Huffman>,
}

/// What a scan sends.
pub struct Scan<'a> {
    pub parts: Vec<Part<'a>>,
    /// The first and last coefficient in zigzag order.
    pub band: (usize, usize),
    /// The position of the lowest bit that earlier scans sent; 0 for none.
    pub high: u8,
    /// The position of the lowest bit that this scan sends.
    pub low: u8,
    /// Units between two restart markers; 0: there are none.
    pub restart: usize,
}

/// How far a scan was decoded.
pub struct Reached {
    pub units: usize,
    pub of: usize,
    pub stop: Option<Stop>,
}

impl Scan<'_> {
    /// Decodes the scan from `bits` into `frame`.
    pub fn decode(&self, frame: &mut Frame, bits: &mut Bits) -> Reached {
        let alone = match &self.parts[..] {
            [part] => Some(frame.components[part.component].own_blocks()),
            _ => None,
        };
        let (across, down) = alone.unwrap_or(frame.units);
        let of = across * down;
        let mut state = State::default();
        for unit in 0..of {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                if let Err(stop) = bits.restart() {
                    return Reached { units: unit, of, stop: Some(stop) };
                }
                state = State::default();
            }
            let place = (unit % across, unit / across);
            let done = match alone {
                Some(_) => self.block(frame, bits, &mut state, 0, place),
                None => self.unit(frame, bits, &mut state, place),
            };
            if let Err(stop) = done {
                return Reached { units: unit, of, stop: Some(stop) };
            }
        }
        Reached { units: of, of, stop: None }
    }

    /// The blocks of all components in one unit.
    fn unit(&self, frame: &mut Frame, bits: &mut Bits, state: &mut State, (x, y): (usize, usize)) -> Result<(), Stop> {
        for (index, part) in self.parts.iter().enumerate() {
            let (h, v) = frame.components[part.component].sampling;
            for row in 0..v {
                for column in 0..h {
                    self.block(frame, bits, state, index, (x * h + column, y * v + row))?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn block(
        &self,
        frame: &mut Frame,
        bits: &mut Bits,
        state: &mut State,
        part: usize,
        (x, y): (usize, usize),
    ) -> Result<(), Stop> {
        let component = &mut frame.components[self.parts[part].component];
        let (dc, ac) = (self.parts[part].dc, self.parts[part].ac);
        if !frame.progressive {
            let (Some(dc), Some(ac)) = (dc, ac) else { return Err(Stop::Damaged) };
            let mut block = [0; BLOCK];
            let flat = whole(bits, dc, ac, &mut state.predicted[part], &mut block)?;
            component.write((x, y), &block, flat);
            return Ok(());
        }
        let block = component.coefficients.get_mut(y * component.blocks.0 + x).ok_or(Stop::Damaged)?;
        match (self.band.0, self.high) {
            (0, 0) => {
                let size = dc.ok_or(Stop::Damaged)?.next(bits)?;
                let predicted = &mut state.predicted[part];
                *predicted = predicted.wrapping_add(difference(bits, size)?);
                block[0] = (*predicted << self.low) as i16;
                Ok(())
            }
            (0, _) => {
                block[0] |= (bits.take(1)? << self.low) as i16;
                Ok(())
            }
            (_, 0) => self.first_pass(bits, ac.ok_or(Stop::Damaged)?, &mut state.empty_blocks, block),
            (..) => self.later_pass(bits, ac.ok_or(Stop::Damaged)?, &mut state.empty_blocks, block),
        }
    }

    /// A band's high bits in one block of a progressive image.
    fn first_pass(&self, bits: &mut Bits, ac: &Huffman, empty: &mut u32, block: &mut [i16; BLOCK]) -> Result<(), Stop> {
        if *empty > 0 {
            *empty -= 1;
            return Ok(());
        }
        let mut at = self.band.0;
        while at <= self.band.1 {
            let code = ac.next(bits)?;
            let (run, size) = (code >> 4, code & 15);
            if size > 0 {
                at += run as usize;
                let place = *ZIGZAG.get(at).ok_or(Stop::Damaged)?;
                block[usize::from(place)] = (bits.signed(size)? << self.low) as i16;
                at += 1;
            } else if run == 15 {
                at += 16;
            } else {
                *empty = (1 << run) - 1 + bits.take(run)?;
                break;
            }
        }
        Ok(())
    }

    /// One more bit of a band in one block of a progressive image.
    fn later_pass(&self, bits: &mut Bits, ac: &Huffman, empty: &mut u32, block: &mut [i16; BLOCK]) -> Result<(), Stop> {
        let bit = 1i16 << self.low;
        let refine = |bits: &mut Bits, value: &mut i16| -> Result<(), Stop> {
            if bits.take(1)? == 1 && *value & bit == 0 {
                *value = value.wrapping_add(if *value > 0 { bit } else { -bit });
            }
            Ok(())
        };
        let mut at = self.band.0;
        while *empty == 0 && at <= self.band.1 {
            let code = ac.next(bits)?;
            let (mut run, size) = (code >> 4, code & 15);
            let mut new = 0;
            match size {
                0 if run < 15 => {
                    *empty = (1 << run) + bits.take(run)?;
                    break;
                }
                0 => {}
                1 => new = if bits.take(1)? == 1 { bit } else { -bit },
                _ => return Err(Stop::Damaged),
            }
            while at <= self.band.1 {
                let value = &mut block[usize::from(ZIGZAG[at])];
                at += 1;
                if *value != 0 {
                    refine(bits, value)?;
                } else if run == 0 {
                    *value = new;
                    break;
                } else {
                    run -= 1;
                }
            }
        }
        if *empty > 0 {
            for &place in &ZIGZAG[at..=self.band.1] {
                if block[usize::from(place)] != 0 {
                    refine(bits, &mut block[usize::from(place)])?;
                }
            }
            *empty -= 1;
        }
        Ok(())
    }
}

/// What carries over from one block to the next, up to a restart.
#[derive(Default)]
struct State {
    /// By part of the scan: the DC coefficient of the last block.
    predicted: [i32; 4],
    /// The number of following blocks without coefficients in the band.
    empty_blocks: u32,
}

/// The difference of a DC coefficient to the last one.
fn difference(bits: &mut Bits, size: u32) -> Result<i32, Stop> {
    if size > 15 { Err(Stop::Damaged) } else { bits.signed(size) }
}

/// A block of a sequential image; returns whether all coefficients but the first are 0.
#[inline]
fn whole(
    bits: &mut Bits,
    dc: &Huffman,
    ac: &Huffman,
    predicted: &mut i32,
    block: &mut [i16; BLOCK],
) -> Result<bool, Stop> {
    let size = dc.next(bits)?;
    *predicted = predicted.wrapping_add(difference(bits, size)?);
    block[0] = *predicted as i16;
    let mut flat = true;
    let mut at = 1;
    while at < BLOCK {
        let code = ac.next(bits)?;
        let (run, size) = ((code >> 4) as usize, code & 15);
        if size == 0 {
            if run < 15 {
                break;
            }
            at += 16;
            continue;
        }
        at += run;
        let place = *ZIGZAG.get(at).ok_or(Stop::Damaged)?;
        block[usize::from(place) & 63] = bits.signed(size)? as i16;
        flat = false;
        at += 1;
    }
    Ok(flat)
}
