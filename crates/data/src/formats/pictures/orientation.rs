//! How an image is to be turned: the orientation in its EXIF data, by file format.

/// The EXIF tag of the orientation, which TIFF files have too.
pub const TAG: u16 = 0x0112;

/// The orientation in EXIF data, which is a TIFF file with or without the prefix `Exif\0\0`.
pub fn in_exif(exif: &[u8]) -> Option<u8> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = match exif.first_chunk()? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *exif.get(at..)?.first_chunk()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes = *exif.get(at..)?.first_chunk()?;
        Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entry = (0..usize::from(short(directory)?))
        .map(|k| directory.saturating_add(2 + 12 * k))
        .find(|&at| short(at) == Some(TAG))?;
    let value = match short(entry + 2)? {
        3 => u32::from(short(entry + 8)?),
        4 => long(entry + 8)?,
        1 => u32::from(*exif.get(entry + 8)?),
        _ => return None,
    };
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

/// The orientation in a PNG file: its chunk eXIf, wherever it is.
pub fn in_png(bytes: &[u8]) -> Option<u8> {
    let mut at = 8;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
        let (kind, content) = bytes.get(at + 4..)?.split_at_checked(4)?;
        if kind == b"eXIf" {
            return in_exif(content.get(..length)?);
        }
        at = at.checked_add(length)?.checked_add(12)?;
    }
}

/// The orientation in a WebP file: its chunk EXIF.
pub fn in_webp(bytes: &[u8]) -> Option<u8> {
    let mut at = 12;
    loop {
        let (kind, rest) = bytes.get(at..)?.split_at_checked(4)?;
        let length = usize::try_from(u32::from_le_bytes(*rest.first_chunk()?)).ok()?;
        if kind == b"EXIF" {
            return in_exif(rest.get(4..)?.get(..length)?);
        }
        at = at.checked_add(length)?.checked_add(8 + length % 2)?;
    }
}

/// An image with rows of `width` pixels of `channels` bytes, turned upright, and its new width and height.
pub fn upright(
    pixels: Vec<u8>,
    (width, height): (usize, usize),
    channels: usize,
    orientation: Option<u8>,
) -> ((usize, usize), Vec<u8>) {
    // Whether rows become columns, and whether the result is mirrored then, left to right or top to bottom.
    let (transposed, mirrored, flipped) = match orientation {
        Some(2) => (false, true, false),
        Some(3) => (false, true, true),
        Some(4) => (false, false, true),
        Some(5) => (true, false, false),
        Some(6) => (true, true, false),
        Some(7) => (true, true, true),
        Some(8) => (true, false, true),
        _ => return ((width, height), pixels),
    };
    let (new_width, new_height) = if transposed { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(pixels.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let x = if mirrored { new_width - 1 - x } else { x };
            let y = if flipped { new_height - 1 - y } else { y };
            let (x, y) = if transposed { (y, x) } else { (x, y) };
            turned.extend_from_slice(&pixels[(y * width + x) * channels..][..channels]);
        }
    }
    ((new_width, new_height), turned)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// EXIF data with this orientation and nothing else.
    pub fn exif(orientation: u8, big: bool) -> Vec<u8> {
        match big {
            true => {
                [&b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation, 0, 0, 0, 0, 0, 0]].concat()
            }
            false => {
                [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat()
            }
        }
    }

    #[test]
    fn orientations_are_found_in_both_byte_orders_and_behind_the_prefix() {
        for orientation in 1..=8 {
            for big in [false, true] {
                let exif = exif(orientation, big);
                assert_eq!(in_exif(&exif), Some(orientation));
                assert_eq!(in_exif(&[b"Exif\0\0", &exif[..]].concat()), Some(orientation));
                (0..exif.len() - 8).for_each(|length| assert_eq!(in_exif(&exif[..length]), None));
            }
        }
        assert_eq!((in_exif(&exif(0, true)), in_exif(&exif(9, false)), in_exif(b"")), (None, None, None));
    }

    #[test]
    fn all_eight_turn_the_corners_as_the_standard_says() {
        // 1 2 3 / 4 5 6: which corner is where the eye sees the top left, and what follows it to the right.
        let image = vec![1, 2, 3, 4, 5, 6];
        for (orientation, size, seen) in [
            (1, (3, 2), [1, 2, 3, 4, 5, 6]),
            (2, (3, 2), [3, 2, 1, 6, 5, 4]),
            (3, (3, 2), [6, 5, 4, 3, 2, 1]),
            (4, (3, 2), [4, 5, 6, 1, 2, 3]),
            (5, (2, 3), [1, 4, 2, 5, 3, 6]),
            (6, (2, 3), [4, 1, 5, 2, 6, 3]),
            (7, (2, 3), [6, 3, 5, 2, 4, 1]),
            (8, (2, 3), [3, 6, 2, 5, 1, 4]),
        ] {
            assert_eq!(upright(image.clone(), (3, 2), 1, Some(orientation)), (size, seen.to_vec()), "{orientation}");
        }
        let ((width, height), turned) = upright(vec![1, 2, 3, 4, 5, 6], (1, 2), 3, Some(6));
        assert_eq!((width, height, turned), (2, 1, vec![4, 5, 6, 1, 2, 3]));
        assert_eq!(upright(image.clone(), (3, 2), 1, None), ((3, 2), image));
    }
}
