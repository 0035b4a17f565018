//! Memory for responses: what requests may take together, counted until their clients have read the answers.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::errors::{Answer, Failure};

/// A limit on the memory of all responses.
#[derive(Debug)]
pub(crate) struct Memory {
    kilobytes: usize,
    free: Arc<Semaphore>,
}

/// A response's part of the memory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    _permit: OwnedSemaphorePermit,
}

impl Memory {
    pub(crate) fn new(kilobytes: usize) -> Self {
        Self { kilobytes, free: Arc::new(Semaphore::new(kilobytes)) }
    }

    /// Takes `bytes`, for `what`.
    ///
    /// # Errors
    /// 400 for more than there ever is, 429 for more than is free.
    pub(crate) fn reserve(&self, bytes: usize, what: &str) -> Answer<Reserved> {
        let kilobytes = bytes.div_ceil(1024);
        if kilobytes > self.kilobytes {
            return Err(Failure::bad(format!("{what} exceed the memory limit"), "request fewer"));
        }
        let wanted = u32::try_from(kilobytes).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.free).try_acquire_many_owned(wanted);
        permit.map(|permit| Reserved { _permit: permit }).map_err(|_| Failure::busy("the memory for images is in use"))
    }
}

/// Bytes with their part of the memory. The server may drop a body as soon as its bytes are queued for writing, so the bytes
/// own it.
struct Held {
    bytes: Bytes,
    _reserved: Reserved,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Reserved {
    /// A body of `bytes` that keeps the memory until they are sent.
    pub(crate) fn body(self, bytes: impl Into<Bytes>) -> Body {
        Body::from(Bytes::from_owner(Held { bytes: bytes.into(), _reserved: self }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_until_the_bytes_are_gone() {
        let memory = Memory::new(4);
        assert_eq!(memory.reserve(4097, "images").unwrap_err().status.as_u16(), 400);
        let body = memory.reserve(3000, "images").unwrap().body(vec![1, 2]);
        assert_eq!(memory.reserve(2000, "images").unwrap_err().status.as_u16(), 429);
        drop(body);
        memory.reserve(4096, "images").unwrap();
    }
}
