//! A table of attributes.
#![no_main]

libfuzzer_sys::fuzz_target!(init: faussaire_fuzz::prepare(), |bytes: &[u8]| faussaire_data::fuzz_targets::attributes(bytes));
