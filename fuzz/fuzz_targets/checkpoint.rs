//! The files of a checkpoint: its state, or (where the first byte is even) weights.
#![no_main]

use std::path::Path;

use faussaire::run::{self, Run, Sampler};
use faussaire::safetensors::{about, decode, entries};
use faussaire::Device;
use faussaire_fuzz::runs;

libfuzzer_sys::fuzz_target!(init: { runs::folders(); }, |bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    if kind % 2 == 0 {
        let (generator, _) = runs::recipe().networks().expect("valid nets");
        let _ = about(rest);
        let _ = decode(rest, &entries(&generator), Path::new("x"), "", &Device::cpu());
        return;
    }
    let run = Run::open(&runs::folder()).expect("the run");
    let place = run.checkpoint("latest");
    std::fs::write(place.join("state.json"), rest).expect("room for the state");
    if run::state(&place).is_ok() {
        let _ = Sampler::open(&run, "latest", &Device::cpu()).map(|sampler| sampler.noise(0, 0, 1));
    }
});
