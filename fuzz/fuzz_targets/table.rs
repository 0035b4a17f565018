//! A CSV table of pixels.
#![no_main]

libfuzzer_sys::fuzz_target!(init: faussaire_fuzz::prepare(), |bytes: &[u8]| faussaire_data::fuzz_targets::pixel_csv(bytes));
