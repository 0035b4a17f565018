//! Trains on images that the program has in memory, with the losses by callback and an early stop.
//!
//!     cargo run --release -p faussaire-core --example own_images

use faussaire::prelude::*;

fn main() -> Result<()> {
    let shape = ImageShape { height: 28, width: 28, channels: 1 };
    // Squares of all sizes; yours come from anywhere.
    let square = |size: usize| (0..784).map(move |at| u8::from(at % 28 < size && at / 28 < size) * 255);
    let images = InMemory::from_bytes("squares", shape, (0..512).flat_map(|at| square(4 + at % 20)).collect())?;

    let limits = Limits::epochs(50);
    let mut trainer = Trainer::new(Preset::Quick.recipe()?, images, &Options::default().limits(limits))?;
    let ending = trainer.run(|event, _| {
        let Event::Epoch { epoch, report } = event else { return Ok(Request::Continue) };
        println!("epoch {epoch}: D loss {:.3}, G loss {:.3}", report.d_loss, report.g_loss);
        Ok(if report.d_loss < 0.1 { Request::Stop } else { Request::Continue })
    })?;
    println!("{ending} at step {}", trainer.gan().progress.step);
    Ok(())
}
