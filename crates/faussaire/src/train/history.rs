//! A history of losses, one entry per epoch, as Keras's `fit` returns it.

use super::{Event, Gan, Request, StepReport, Watcher};
use crate::error::Result;

/// Mean losses and accuracies of every epoch.
///
/// ```
/// use faussaire::prelude::*;
/// use faussaire::train::History;
///
/// # fn main() -> Result<()> {
/// # let shape = ImageShape { height: 8, width: 8, channels: 1 };
/// # let images = InMemory::from_bytes("stripes", shape, (0..4096).map(|at| (at % 8 * 30) as u8).collect())?;
/// # let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
/// let mut trainer = Trainer::new(recipe, images, &Options::default().limits(Limits::epochs(2)))?;
/// let mut history = History::default();
/// trainer.run_watched(&mut [&mut history])?;
/// assert_eq!((history.d_loss.len(), history.g_loss.len()), (2, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Discriminator's loss.
    pub d_loss: Vec<f32>,
    /// Generator's loss.
    pub g_loss: Vec<f32>,
    /// Share of real images classified as real.
    pub d_real: Vec<f32>,
    /// Share of generated images classified as generated.
    pub d_fake: Vec<f32>,
    sums: [f64; 4],
    steps: u32,
}

impl History {
    fn add(&mut self, report: &StepReport) {
        for (sum, value) in self.sums.iter_mut().zip([report.d_loss, report.g_loss, report.d_real, report.d_fake]) {
            *sum += f64::from(value);
        }
        self.steps += 1;
    }

    fn close_epoch(&mut self) {
        let [d_loss, g_loss, d_real, d_fake] = self.sums.map(|s| (s / f64::from(self.steps.max(1))) as f32);
        self.d_loss.push(d_loss);
        self.g_loss.push(g_loss);
        self.d_real.push(d_real);
        self.d_fake.push(d_fake);
        (self.sums, self.steps) = ([0.0; 4], 0);
    }
}

impl Watcher for History {
    fn on(&mut self, event: &Event, _: &Gan) -> Result<Request> {
        match event {
            Event::Step(report) => self.add(report),
            Event::Epoch { .. } => self.close_epoch(),
            _ => {}
        }
        Ok(Request::Continue)
    }
}
