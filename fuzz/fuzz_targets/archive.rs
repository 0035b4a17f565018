//! A zip or tar archive of images, packed or not.
#![no_main]

libfuzzer_sys::fuzz_target!(init: faussaire_fuzz::prepare(), |bytes: &[u8]| faussaire_data::fuzz_targets::archive(bytes));
