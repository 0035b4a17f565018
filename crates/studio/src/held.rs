//! An answer whose memory counts until the client has read it: the room that its images were given is free again only then.

use axum::body::{Body, Bytes};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes, and the room that they take. The server may let go of a body as soon as its bytes are in line to be written, so the
/// room hangs on the bytes.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body of `bytes` that keeps `room` until they are sent.
pub(crate) fn held(bytes: impl Into<Bytes>, room: OwnedSemaphorePermit) -> Body {
    Body::from(Bytes::from_owner(Held { bytes: bytes.into(), _room: room }))
}
