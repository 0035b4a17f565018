//! A data set with more notes on how it is read.

use std::sync::Arc;

use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::error::Result;

/// A data set with more notes.
#[derive(Debug)]
pub(crate) struct WithNotes {
    inner: Arc<dyn Dataset>,
    notes: Vec<String>,
}

impl WithNotes {
    /// `set` with `notes` before its own.
    pub fn over(set: Box<dyn Dataset>, notes: Vec<String>) -> Box<dyn Dataset> {
        if notes.is_empty() { set } else { Box::new(Self { inner: Arc::from(set), notes }) }
    }
}

impl Dataset for WithNotes {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn shape(&self) -> ImageShape {
        self.inner.shape()
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        self.inner.read(index, out)
    }

    fn info(&self) -> &DatasetInfo {
        self.inner.info()
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.inner.as_ref())
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        Some(inner.to_owned())
    }

    fn notes(&self) -> Vec<String> {
        self.notes.iter().cloned().chain(self.inner.notes()).collect()
    }
}
