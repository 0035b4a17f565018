//! The web studio and `faussaire serve`: HTTP in front of the library. It reads run folders and events, so it can't differ
//! from the command line, and it trains no run by itself: what it starts is this same program, as a process of its own.

mod archive;
mod assets;
mod body;
pub mod engine;
pub mod errors;
pub mod guard;
mod held;
pub mod serve;
pub mod server;
pub mod studio;
mod truncation;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
