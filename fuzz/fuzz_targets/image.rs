//! An image file: PNG, JPEG, WebP, GIF, BMP, TIFF, PNM.
#![no_main]

libfuzzer_sys::fuzz_target!(init: faussaire_fuzz::prepare(), |bytes: &[u8]| faussaire_data::fuzz_targets::image(bytes));
