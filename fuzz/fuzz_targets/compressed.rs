//! A gzip, bzip2, XZ or Zstandard stream.
#![no_main]

libfuzzer_sys::fuzz_target!(init: faussaire_fuzz::prepare(), |bytes: &[u8]| faussaire_data::fuzz_targets::compressed(bytes));
