//! JPEG files that are not quite whole: what other programs show without a word is refused, what is whole in spite of it is read.

use super::*;

const NAMES: [&str; 6] =
    ["420.jpg", "420-progressive.jpg", "420-restart.jpg", "420-scans.jpg", "grey-odd.jpg", "turned.jpg"];

/// Bytes that look like anything.
fn noise(count: usize) -> Vec<u8> {
    (0..count as u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Puts `bytes` before the first segment with this marker.
fn before(file: &[u8], marker: u8, bytes: &[u8]) -> Vec<u8> {
    let at = file.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
    [&file[..at], bytes, &file[at..]].concat()
}

#[test]
fn a_stump_is_refused_whatever_follows_it() {
    let other = sample("baseline.jpg");
    for name in NAMES {
        let whole = sample(name);
        let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        for part in [30, 60, 90] {
            let stump = &whole[..scan + (whole.len() - scan) * part / 100];
            let zeros = vec![0; whole.len() - stump.len()];
            let tails: [&[u8]; 8] =
                [&[], &zeros, &[0; 5000], &[0xff; 50], &noise(3000), &other, b"\xff\xd9", &[0x55; 3000]];
            for (which, tail) in tails.iter().enumerate() {
                let reason = read(&[stump, tail].concat(), None).expect_err(&format!("{name} {part} {which}"));
                assert!(reason.contains("truncated JPEG") || reason.contains("damaged"), "{name}: {reason}");
            }
        }
    }
    // One scan of several is whole, with an end marker behind it.
    for name in ["420-progressive.jpg", "420-scans.jpg"] {
        let whole = sample(name);
        let scans: Vec<usize> = (0..whole.len() - 1).filter(|&at| whole[at..at + 2] == [0xff, 0xda]).collect();
        let reason = read(&[&whole[..*scans.last().unwrap()], b"\xff\xd9"].concat(), None).unwrap_err();
        assert!(reason.contains("truncated JPEG"), "{name}: {reason}");
    }
}

#[test]
fn a_thumbnail_is_not_taken_for_the_image() {
    let thumbnail = sample("baseline.jpg");
    let segment = [b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", &thumbnail[..]].concat();
    let head = [&[0xff, 0xe1][..], &(segment.len() as u16 + 2).to_be_bytes(), &segment].concat();
    for name in ["420.jpg", "420-progressive.jpg"] {
        let whole = sample(name);
        let with = [&whole[..2], &head, &whole[2..]].concat();
        assert_eq!(read(&with, None), read(&whole, None), "{name}");
        assert!(read(&with[..with.len() - 100], None).unwrap_err().contains("truncated JPEG"), "{name}");
    }
}

#[test]
fn what_is_whole_is_read_in_spite_of_oddities() {
    for name in NAMES {
        let whole = sample(name);
        let seen = read(&whole, None).unwrap();
        let open = &whole[..whole.len() - 2];
        for (which, odd) in [
            open.to_vec(),
            [&whole[..], &noise(500)].concat(),
            [&whole[..], &[0; 999]].concat(),
            [&whole[..], &sample("baseline.jpg")].concat(),
            before(&whole, 0xc4, b"1234567"),
            before(&whole, 0xdb, b"\xff\xff\xff"),
            before(&whole, 0xc4, b"\xff\x37"),
            [open, &[0, 0, 0], b"\xff\xd9"].concat(),
            [open, b"\xff\xff\xff\xd9"].concat(),
            [open, b"\xff\xd3\xff\xd9"].concat(),
        ]
        .iter()
        .enumerate()
        {
            assert!(read(odd, None).as_ref() == Ok(&seen), "{name} {which}");
        }
    }
    // Restart markers with wrong numbers, but none missing.
    let mut counted = sample("420-restart.jpg");
    let seen = read(&counted, None).unwrap();
    for at in 0..counted.len() - 1 {
        if counted[at] == 0xff && (0xd0..=0xd7).contains(&counted[at + 1]) {
            counted[at + 1] = 0xd5;
        }
    }
    assert_eq!(read(&counted, None), Ok(seen));
    // Tables that everybody knows may be left out, as in frames of Motion JPEG.
    let whole = sample("420.jpg");
    let mut bare = whole.clone();
    while let Some(at) = bare.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let length = usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
        bare.drain(at..at + 2 + length);
    }
    assert_eq!(read(&bare, None), read(&whole, None));
}

#[test]
fn lost_bytes_and_markers_are_noticed() {
    let whole = sample("420-restart.jpg");
    let marker = (0..whole.len() - 1).rfind(|&at| whole[at] == 0xff && (0xd0..=0xd7).contains(&whole[at + 1])).unwrap();
    let lost = [&whole[..marker], &whole[marker + 2..]].concat();
    assert!(read(&lost, None).is_err());
    // The tables of a scan are missing.
    let mut tableless = sample("420.jpg");
    let at = tableless.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    let length = usize::from(u16::from_be_bytes([tableless[at + 2], tableless[at + 3]]));
    tableless.drain(at..at + 2 + length);
    assert!(read(&tableless, None).unwrap_err().contains("damaged"));
}
