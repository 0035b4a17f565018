//! How the strips and tiles of TIFF files are packed.

use std::io::Read;

use super::{damaged, unread};

/// Unpacks a strip or tile of `length` bytes; more bytes may follow and are left out.
///
/// # Errors
/// The packing is not read, or the strip ends early.
pub fn unpack(packed: &[u8], compression: u64, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = match compression {
        1 => packed.get(..length).map(<[u8]>::to_vec).ok_or_else(|| damaged("a strip"))?,
        5 => lzw(packed, length)?,
        8 | 32_946 => inflate(packed, length),
        32_773 => pack_bits(packed, length),
        2..=4 => return Err(unread("fax compression")),
        6 => return Err(unread("JPEG compression of before TIFF 6")),
        34_712 | 33_003 | 33_005 => return Err(unread("JPEG 2000 compression")),
        34_925 => return Err(unread("LZMA compression")),
        34_887 => return Err(unread("LERC compression")),
        34_933 => return Err(unread("PNG compression")),
        50_002 => return Err(unread("JPEG XL compression")),
        50_000 => return Err(unread("Zstandard compression")),
        50_001 => return Err(unread("WebP compression")),
        other => return Err(unread(&format!("compression {other}"))),
    };
    if bytes.len() < length {
        return Err(damaged("a strip"));
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn lzw(packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    // Files of before 1990 have the bits in the other order; their first code, "clear", then begins with a zero byte.
    if packed.len() > 1 && packed[0] == 0 && packed[1] & 1 == 1 {
        return Err(unread("LZW compression of before TIFF 6"));
    }
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut bytes = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let step = decoder.decode_bytes(&packed[read..], &mut bytes[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(weezl::LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            Ok(_) => break,
            Err(_) => return Err(damaged("a strip")),
        }
    }
    bytes.truncate(written);
    Ok(bytes)
}

fn inflate(packed: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error is too short.
    let _ = flate2::read::ZlibDecoder::new(packed).take(length as u64).read_to_end(&mut bytes);
    bytes
}

fn pack_bits(mut packed: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let (true, Some((&head, rest))) = (bytes.len() < length, packed.split_first()) {
        let count = usize::from(head);
        match (head, rest.first()) {
            (0..=127, _) => {
                let run = &rest[..rest.len().min(count + 1)];
                bytes.extend_from_slice(run);
                packed = &rest[run.len()..];
            }
            (128, _) => packed = rest,
            (_, Some(&byte)) => {
                bytes.resize(bytes.len() + 257 - count, byte);
                packed = &rest[1..];
            }
            (_, None) => break,
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unpacked_as_in_apples_example() {
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x80, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let expected =
            b"\xaa\xaa\xaa\x80\x00\x2a\xaa\xaa\xaa\xaa\x80\x00\x2a\x22\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa";
        assert_eq!(unpack(&packed, 32_773, 24).unwrap_or_default(), expected);
        assert!(unpack(&packed, 32_773, 25).is_err());
        for compression in [6, 3, 34_712, 50_000, 4242] {
            assert!(unpack(&packed, compression, 1).is_err_and(|reason| reason.contains("ompression")));
        }
    }
}
