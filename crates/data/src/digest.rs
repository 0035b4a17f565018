//! SHA-256 digests in lower-case hexadecimal, which identify downloaded files and data sets.

use sha2::{Digest as _, Sha256};

/// An incremental SHA-256 digest.
#[derive(Clone, Debug, Default)]
pub struct Digest(Sha256);

impl Digest {
    /// An empty digest.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> String {
        let mut digest = Self::new();
        digest.update(bytes);
        digest.finish()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds the values of an image, in the order of bytes that all machines share.
    pub fn update_values(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.update(&value.to_le_bytes()));
    }

    /// The digest of all bytes, as 64 hexadecimal digits.
    pub fn finish(self) -> String {
        use std::fmt::Write;
        let mut text = String::with_capacity(64);
        for byte in self.0.finalize() {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_sha256_whatever_the_pieces() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut digest = Digest::new();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(digest.finish(), abc);
        assert_ne!(Digest::new().finish(), abc);
    }
}
