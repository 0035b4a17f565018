//! A response body that holds a semaphore permit until the client has read it, so that memory limits count unsent bytes.

use axum::body::{Body, Bytes};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes with the permit for their memory. The server may drop a body as soon as its bytes are queued for writing, so the
/// bytes own the permit.
struct PermitBody {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for PermitBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body of `bytes` that holds `permit` until they are sent.
pub(crate) fn permit_body(bytes: impl Into<Bytes>, permit: OwnedSemaphorePermit) -> Body {
    Body::from(Bytes::from_owner(PermitBody { bytes: bytes.into(), _permit: permit }))
}
