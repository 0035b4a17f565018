//! A history of losses, one entry per epoch, as Keras's `fit` returns it.

use super::{Event, Gan, Request, StepReport, Watcher};
use crate::error::Result;

/// Mean losses and accuracies of every epoch.
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
