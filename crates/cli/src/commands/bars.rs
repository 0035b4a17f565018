//! Progress bars for what may precede the work itself: downloading data, training a judge.

use faussaire::data::{self, printable};
use faussaire::judging::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::{self, note};

const FETCHING: &str = "{msg}  {bar:24} {bytes}/{total_bytes}  {eta} left";
const TRAINING: &str = "training the judge (once per data set)  {bar:24} {percent}%  {eta} left";

/// One bar at a time on stderr, shown while there is progress and removed at the end.
#[derive(Debug)]
pub struct Bars {
    quiet: bool,
    fetching: Option<ProgressBar>,
    training: Option<ProgressBar>,
}

impl Bars {
    /// Shows nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, fetching: None, training: None }
    }

    /// Shows `progress`.
    pub fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Fetching(progress) => self.fetching(progress),
            Progress::TrainingFirst(text) if self.quiet => drop(text),
            Progress::TrainingFirst(text) => note!("{text}"),
            Progress::Training(done) => {
                remove(&mut self.fetching);
                let quiet = self.quiet;
                self.training
                    .get_or_insert_with(|| bar(quiet, TRAINING, Some(1000)))
                    .set_position((1000.0 * done) as u64);
            }
            // What a later library does has no bar yet.
            _ => {}
        }
    }

    /// Shows the progress of a download.
    pub fn fetching(&mut self, progress: data::Progress) {
        remove(&mut self.training);
        let quiet = self.quiet;
        let bar = self.fetching.get_or_insert_with(|| bar(quiet, FETCHING, None));
        bar.set_message(printable(&progress.file).into_owned());
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.bytes);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        remove(&mut self.fetching);
        remove(&mut self.training);
    }
}

fn remove(bar: &mut Option<ProgressBar>) {
    if let Some(bar) = bar.take() {
        bar.finish_and_clear();
    }
}

fn bar(quiet: bool, template: &str, length: Option<u64>) -> ProgressBar {
    let bar = print::bar(quiet, length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
