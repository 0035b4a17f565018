//! The log of a run: read, examined by the doctor, reported.
#![no_main]

use faussaire::doctor::{Doctor, RunContext};
use faussaire::report;
use faussaire::run::Run;
use faussaire_fuzz::runs;

libfuzzer_sys::fuzz_target!(init: { runs::folder(); }, |bytes: &[u8]| {
    let run = Run::open(&runs::folder()).expect("the run");
    std::fs::write(runs::folder().join("events.jsonl"), bytes).expect("room for the log");
    if let Ok(events) = run.events(None) {
        let context = RunContext::of(&runs::recipe()).expect("a valid recipe");
        let _ = Doctor::new(context, &events).findings();
        let _ = report::write(&run);
    }
});
