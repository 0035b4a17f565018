//! An answer whose memory counts until the client has read it: the room that its images were given is free again only then.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes, and the room that they take.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: Option<Bytes>,
    _room: OwnedSemaphorePermit,
}

impl Held {
    pub(crate) fn body(bytes: impl Into<Bytes>, room: OwnedSemaphorePermit) -> axum::body::Body {
        axum::body::Body::new(Self { bytes: Some(bytes.into()), _room: room })
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
