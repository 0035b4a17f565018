//! Pages of a column that is packed with Zstandard. The parquet crate unpacks these by C code only.

use std::io::Read;

use bytes::Bytes;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use crate::formats::compression::unpacked;

/// Size limit of an unpacked page (1 GiB).
const MAX_PAGE_BYTES: u64 = 1 << 30;

/// A reader of pages that unpacks those of `packed`.
pub struct Unpacked<P> {
    packed: P,
}

impl<P: PageReader> Unpacked<P> {
    pub fn new(packed: P) -> Self {
        Self { packed }
    }
}

impl<P: PageReader> PageReader for Unpacked<P> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(mut page) = self.packed.get_next_page()? else { return Ok(None) };
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = unpack(buf, 0)?,
            // Its levels come first, unpacked.
            Page::DataPageV2 { buf, is_compressed: true, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                *buf = unpack(buf, usize::try_from(levels).unwrap_or(usize::MAX))?;
            }
            Page::DataPageV2 { .. } => {}
        }
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.packed.at_record_boundary()
    }
}

impl<P: PageReader> Iterator for Unpacked<P> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

/// `packed` with all after its first `plain` bytes unpacked.
fn unpack(packed: &Bytes, plain: usize) -> Result<Bytes> {
    let Some((levels, rest)) = packed.split_at_checked(plain) else {
        return Err(ParquetError::General("a page is shorter than its levels".to_owned()));
    };
    let mut all = levels.to_vec();
    // A page without values has nothing to unpack.
    if !rest.is_empty() {
        let damaged = |error: std::io::Error| ParquetError::General(error.to_string());
        let (reader, compression) = unpacked(rest).map_err(damaged)?;
        if compression.is_none() {
            return Err(ParquetError::General("a page is not packed with Zstandard, as its file says".to_owned()));
        }
        reader.take(MAX_PAGE_BYTES).read_to_end(&mut all).map_err(damaged)?;
    }
    Ok(all.into())
}
