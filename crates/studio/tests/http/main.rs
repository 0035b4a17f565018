//! The studio and the service over real sockets, in front of runs that are trained here.

#![allow(clippy::unwrap_used, clippy::panic)]

mod assets;
mod attacks;
mod client;
mod guard;
mod play;
mod runs;
mod scene;
mod serve;
