//! Times the whole alternating step on random images, for bench/: the same work as bench/peers' scripts, the same line
//! of JSON.
//!
//!     step_speed --net fidle|tp|quick --batch 64 --threads 2 --seconds 10

use std::sync::Arc;
use std::time::Instant;

use faussaire::data::{ImageShape, InMemory};
use faussaire::random::Stream;
use faussaire::{Device, Gan, Preset, Recipe, Result};

fn main() {
    faussaire::device::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, default: &str| {
        let value = arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
        value.map_or(default, String::as_str).to_string()
    };
    let number = |name: &str, default: &str| option(name, default).parse::<usize>().unwrap_or(1);
    let threads = number("--threads", "2");
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    let (net, batch) = (option("--net", "fidle"), number("--batch", "64"));
    match time(&net, batch, number("--seconds", "10")) {
        Ok(rate) => println!(
            r#"{{"peer":"faussaire","net":"{net}","precision":"f32","batch":{batch},"threads":{threads},"images_per_s":{rate:.1}}}"#
        ),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}

/// Images per second over at least `seconds`, after three steps of warming up.
fn time(net: &str, batch: usize, seconds: usize) -> Result<f64> {
    let changes = [format!("train.batch={batch}")];
    let recipe = Recipe::parse(Preset::named(net)?.text(), net, &changes)?;
    let shape = ImageShape { height: 28, width: 28, channels: 1 };
    let pixels = Stream::new(0, "pixels").uniform(0, 1024 * shape.len(), 0.0, 255.0);
    let pixels = pixels.into_iter().map(|p| p as u8).collect();
    let images = InMemory::from_bytes("random", shape, pixels)?;
    let mut gan = Gan::new(recipe, Arc::new(images), &Device::cpu())?;
    for _ in 0..3 {
        gan.step()?;
    }
    let began = Instant::now();
    let mut steps = 0;
    while began.elapsed().as_secs_f64() < seconds as f64 {
        gan.step()?;
        steps += 1;
    }
    Ok((steps * batch) as f64 / began.elapsed().as_secs_f64())
}
