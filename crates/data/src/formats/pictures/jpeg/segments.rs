//! The segments of a JPEG file: tables and headers are read, scans are decoded, up to the end of the first image.

use std::ops::Range;

use super::bits::{Bits, Stop, next_marker};
use super::frame::{BLOCK, Component, Frame};
use super::huffman::Huffman;
use super::refused;
use super::scan::{Part, Reached, Scan, ZIGZAG};
use crate::pictures::orientation;

/// More bytes than this between the last scan and the end marker, as cheap cameras leave them there, are something else.
const MAX_STRAY: usize = 16;

/// N bytes at an image's end are no coincidence if they equal those that follow it.
const PADDING: usize = 4;

/// A parsed file.
pub struct Parsed {
    pub frame: Frame,
    /// The transform in Adobe's segment.
    pub adobe: Option<u8>,
    /// Whether the file says that it is JFIF.
    pub jfif: bool,
    /// The orientation in its EXIF data.
    pub orientation: Option<u8>,
}

/// Reads the first image of a file.
///
/// # Errors
/// The image is truncated, damaged, or of a kind that is not read.
pub fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let mut reader = Reader {
        bytes,
        at: 2,
        quantisation: [None; 4],
        dc: [const { None }; 4],
        ac: [const { None }; 4],
        restart: 0,
        adobe: None,
        jfif: false,
        orientation: None,
        frame: None,
        seen: Vec::new(),
    };
    reader.read()?;
    let mut frame = reader.frame.ok_or_else(ends_early)?;
    if frame.progressive {
        frame.components.iter_mut().for_each(Component::write_all);
    }
    let (adobe, jfif, orientation) = (reader.adobe, reader.jfif, reader.orientation);
    Ok(Parsed { frame, adobe, jfif, orientation })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// In natural order.
    quantisation: [Option<[i32; BLOCK]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart: usize,
    adobe: Option<u8>,
    jfif: bool,
    orientation: Option<u8>,
    frame: Option<Frame>,
    /// The components of all scans so far.
    seen: Vec<usize>,
}

fn ends_early() -> String {
    "it ends before the image does (truncated JPEG)".to_owned()
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), String> {
        loop {
            let Some((at, marker)) = next_marker(self.bytes, self.at) else { return Err(ends_early()) };
            self.at = at;
            match marker {
                // Markers without a segment.
                0xd0..=0xd8 => {}
                0xd9 => return Err(ends_early()),
                0xda => {
                    if self.scan()? {
                        return Ok(());
                    }
                }
                _ => self.segment(marker)?,
            }
        }
    }

    /// The content of the segment at `self.at`, behind which it goes on.
    fn take(&mut self) -> Result<&[u8], String> {
        let length = self.bytes.get(self.at..self.at + 2).ok_or_else(ends_early)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let content = self.at + 2..self.at + length.max(2);
        self.at = content.end;
        self.bytes.get(content).ok_or_else(ends_early)
    }

    fn segment(&mut self, marker: u8) -> Result<(), String> {
        let length = self.bytes.len();
        let segment = self.take()?;
        match marker {
            0xc4 => {
                let segment = segment.to_vec();
                return self.huffman(&segment).ok_or_else(|| refused("its Huffman tables are impossible"));
            }
            0xdb => {
                let segment = segment.to_vec();
                return self.quantisation(&segment).ok_or_else(|| refused("its quantisation tables are impossible"));
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                let frame = Frame::parse(marker, segment, length)?;
                if self.frame.replace(frame).is_some() {
                    return Err(refused("it has several headers"));
                }
            }
            0xdd => {
                self.restart = match segment {
                    [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
                    _ => 0,
                }
            }
            0xe0 => self.jfif |= segment.starts_with(b"JFIF\0"),
            0xe1 if segment.starts_with(b"Exif\0\0") => {
                let found = orientation::in_exif(segment);
                self.orientation = self.orientation.or(found);
            }
            0xee if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied(),
            _ => {}
        }
        Ok(())
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, symbols) = rest.split_first_chunk::<16>()?;
            let table = Huffman::new(counts, symbols)?;
            segment = &symbols[counts.iter().map(|&count| usize::from(count)).sum()..];
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(kind & 15))? = Some(table);
        }
        Some(())
    }

    fn quantisation(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let wide = kind >> 4 > 0;
            let (steps, others) = rest.split_at_checked(if wide { 2 * BLOCK } else { BLOCK })?;
            let mut natural = [0; BLOCK];
            for (k, &place) in ZIGZAG.iter().enumerate() {
                let step =
                    if wide { u16::from_be_bytes([steps[2 * k], steps[2 * k + 1]]) } else { u16::from(steps[k]) };
                natural[usize::from(place)] = i32::from(step);
            }
            segment = others;
            *self.quantisation.get_mut(usize::from(kind & 15))? = Some(natural);
        }
        Some(())
    }

    /// Decodes the scan whose header is at `self.at`; true if it is the last one.
    fn scan(&mut self) -> Result<bool, String> {
        let header = self.take()?.to_vec();
        let Some(mut frame) = self.frame.take() else { return Err(refused("a scan precedes its header")) };
        let last = self.scan_of(&mut frame, &header);
        self.frame = Some(frame);
        last
    }

    fn scan_of(&mut self, frame: &mut Frame, header: &[u8]) -> Result<bool, String> {
        let impossible = || refused("the header of a scan is impossible");
        let (&count, rest) = header.split_first().ok_or_else(impossible)?;
        let count = usize::from(count);
        let Some((named, &[first, last, bits, ..])) = rest.split_at_checked(2 * count) else {
            return Err(impossible());
        };
        let (band, high, low) = match frame.progressive {
            true => ((usize::from(first), usize::from(last)), bits >> 4, bits & 15),
            false => ((0, BLOCK - 1), 0, 0),
        };
        let one_band = !frame.progressive || if band.0 == 0 { band.1 == 0 } else { count == 1 && band.1 >= band.0 };
        if !(1..=4).contains(&count) || band.1 >= BLOCK || !one_band || low > 13 {
            return Err(impossible());
        }
        let mut parts: Vec<(usize, usize, usize)> = Vec::new();
        for pair in named.chunks_exact(2) {
            let component =
                frame.components.iter().position(|component| component.id == pair[0]).ok_or_else(impossible)?;
            if parts.iter().any(|&(other, ..)| other == component) {
                return Err(impossible());
            }
            parts.push((component, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        for &(component, dc, ac) in &parts {
            // Files of Motion JPEG leave out tables that everybody knows.
            for (tables, number, is_ac) in [(&mut self.dc, dc, false), (&mut self.ac, ac, true)] {
                let table = tables.get_mut(number).ok_or_else(impossible)?;
                if table.is_none() && number < 2 && (!frame.progressive || is_ac == (band.0 > 0)) {
                    *table = Huffman::usual(is_ac, number == 1);
                }
            }
            let component = &mut frame.components[component];
            if component.steps.is_none() {
                component.steps = *self.quantisation.get(component.table).ok_or_else(impossible)?;
                if component.steps.is_none() {
                    return Err(refused("a quantisation table is missing"));
                }
            }
            for missing in &mut component.missing_bits[band.0..=band.1] {
                *missing = Some(low);
            }
        }
        self.seen.extend(parts.iter().map(|&(component, ..)| component));
        frame.allocate()?;
        let parts = parts
            .iter()
            .map(|&(component, dc, ac)| Part { component, dc: self.dc[dc].as_ref(), ac: self.ac[ac].as_ref() })
            .collect();
        let scan = Scan { parts, band, high, low, restart: self.restart };
        let mut bits = Bits::new(self.bytes, self.at);
        let reached = scan.decode(frame, &mut bits);
        self.end_of_scan(frame, &reached, &bits)
    }

    /// Judges where a scan ended, and whether the image is complete; goes on behind it.
    fn end_of_scan(&mut self, frame: &Frame, reached: &Reached, bits: &Bits) -> Result<bool, String> {
        let part = |units: usize| format!("{}% of it can be decoded", 100 * units / reached.of.max(1));
        let (rest, unused) = bits.rest();
        match reached.stop {
            Some(Stop::Damaged) => return Err(format!("it is damaged: {}", part(reached.units))),
            Some(Stop::Ended) => {
                let what = match next_marker(self.bytes, rest) {
                    None | Some((_, 0xd8 | 0xd9)) => ends_early(),
                    Some(_) => "it is damaged".to_owned(),
                };
                let scans = if frame.progressive { " in one of its scans" } else { "" };
                return Err(format!("{what}: {}{scans}", part(reached.units)));
            }
            None => {}
        }
        self.at = rest;
        let mut next = next_marker(self.bytes, rest);
        let stray = rest - unused.min(rest)..next.map_or(self.bytes.len(), |(at, _)| at - 2);
        // Some programs write a restart marker at the end, too.
        while let Some((at, 0xd0..=0xd7)) = next {
            next = next_marker(self.bytes, at);
        }
        let all = (0..frame.components.len()).all(|component| self.seen.contains(&component));
        match next {
            // More scans follow.
            Some((_, marker)) if !matches!(marker, 0xd8 | 0xd9) && (frame.progressive || !all) => Ok(false),
            _ if !all => Err(ends_early()),
            _ => self.ends_well(frame, stray, next.is_some()).map(|()| true),
        }
    }

    /// Whether what follows the last scan, the `stray` bytes and perhaps a marker, shows that the image is whole. Where a truncated
    /// file was padded, its last part was decoded from the padding.
    fn ends_well(&self, frame: &Frame, stray: Range<usize>, marked: bool) -> Result<(), String> {
        let complete = |component: &Component| component.missing_bits.iter().all(|missing| *missing == Some(0));
        if !frame.components.iter().all(complete) {
            return Err(format!("{}: its last scans are missing", ends_early()));
        }
        let (decoded, stray) = (&self.bytes[..stray.start], &self.bytes[stray]);
        let well = match stray {
            [] | [_] | [_, _] => true,
            [first, ..] if marked && stray.iter().all(|byte| byte == first) => {
                !decoded.iter().rev().take(PADDING).all(|byte| byte == first)
            }
            _ => marked && stray.len() <= MAX_STRAY,
        };
        if well { Ok(()) } else { Err("it is a truncated JPEG, and something else follows".to_owned()) }
    }
}
