//! The web studio and `faussaire serve`: HTTP on top of the library. It reads run folders and events, so it shows what the
//! command line shows. It never trains a run itself: it starts this same program as a separate process.

// They panic where the stream can't be written; `crates/cli/src/print.rs` doesn't.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod assets;
mod body;
mod connections;
mod engine;
mod errors;
mod guard;
mod memory;
mod peer;
pub mod serve;
pub mod server;
mod shares;
pub mod studio;
mod truncation;
mod work;

pub use guard::{Access, TOKEN_VARIABLE};

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
