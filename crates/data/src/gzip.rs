//! How gzipped files begin.

/// The first bytes of every gzipped file.
pub const GZIP: [u8; 2] = [0x1f, 0x8b];
