//! How long ranks take to exchange numbers: the statistics of a batch normalisation, and the gradients of a net.
//!
//!     cargo build --release -p faussaire-ranks --example exchange
//!     mpirun -n 2 target/release/examples/exchange 2400000

use std::time::Instant;

use faussaire_ranks::{Ranks, Refused};

fn main() -> Result<(), Refused> {
    let ranks = Ranks::join()?;
    let floats = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_400_000);
    let timed = |count: usize, times: u32, exchange: &mut dyn FnMut(&mut Vec<f32>) -> Result<(), Refused>| {
        let mut values = vec![ranks.rank() as f32; count];
        exchange(&mut values)?;
        let mut best = f64::INFINITY;
        for _ in 0..times {
            ranks.gather(&[0])?;
            let began = Instant::now();
            exchange(&mut values)?;
            best = best.min(began.elapsed().as_secs_f64());
        }
        Ok::<_, Refused>(best * 1e6)
    };
    let gathered = timed(256, 1000, &mut |values| ranks.gather_values(values).map(drop))?;
    let added = timed(floats, 20, &mut |values| ranks.sum(values))?;
    if ranks.rank() == 0 {
        let size = ranks.size();
        println!(
            "{size} ranks: gather of 256 numbers {gathered:.1} us, sum of {floats} numbers {added:.0} us (the best of many)"
        );
    }
    ranks.leave();
    Ok(())
}
