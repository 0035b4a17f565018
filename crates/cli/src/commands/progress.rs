//! What a person sees while a run trains: a bar with speed and time left, and at every sheet the losses and a strip of
//! ten images drawn in the terminal.

use std::path::Path;
use std::time::{Duration, Instant};

use faussaire::Result;
use faussaire::ops::Precision;
use faussaire::render::{Images, terminal};
use faussaire::train::{Event, Gan, Request, StepReport, Watcher};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::findings;
use crate::report::count;

/// Images in the strip, as in the lab.
const STRIP: usize = 10;

/// The precision in words, and what it costs where the processor can't do it.
fn precision(precision: Precision) -> &'static str {
    match (precision, Precision::fastest()) {
        (Precision::F32, _) => "f32",
        (Precision::Bf16, Precision::Bf16) => "bf16",
        (Precision::Bf16, Precision::F32) => {
            "bf16 (this processor, or FAUSSAIRE_ISA, has no such products: the same rounding, but slower than f32)"
        }
    }
}

/// The watcher for people.
#[derive(Debug)]
pub struct Console {
    bar: ProgressBar,
    quiet: bool,
    time: Option<Duration>,
    began: Option<(Instant, u64)>,
    shown: Option<u64>,
    last: Option<StepReport>,
    warned: bool,
}

impl Console {
    /// Quiet, it shows nothing. `time` is how long the training may take, if that is limited.
    pub fn new(quiet: bool, time: Option<Duration>) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
        let bar = ProgressBar::with_draw_target(None, target);
        Self { bar, quiet, time, began: None, shown: None, last: None, warned: false }
    }

    /// Says what is about to be trained, on what, where.
    pub fn introduce(&self, gan: &Gan, run: &Path) {
        if self.quiet {
            return;
        }
        let parameters = |net: &faussaire::net::Network| count(net.parameters().0 as u64);
        eprintln!(
            "{}: {} images of {}; generator {} parameters, discriminator {}; batch {}, {} threads, {}",
            gan.dataset().name(),
            count(gan.dataset().len() as u64),
            gan.image_shape(),
            parameters(&gan.generator.net),
            parameters(&gan.discriminator.net),
            gan.recipe.train.batch,
            rayon::current_num_threads(),
            precision(gan.generator.precision),
        );
        for remark in gan.dataset().notes() {
            eprintln!("{remark}");
        }
        if !gan.recipe.labels.names.is_empty() && gan.generator.net.labels() > 0 {
            eprintln!("labels: {}", shortened(&gan.recipe.labels.names));
        }
        eprintln!("run folder {}; Ctrl-C stops after the current step and saves", run.display());
    }

    /// Takes the bar away, so that an error stands on a line of its own.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A line above the bar.
    fn say(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| eprintln!("{text}"));
        }
    }

    fn start(&mut self, step: u64, steps: u64) {
        self.began = Some((Instant::now(), step));
        let template = if steps > 0 {
            self.bar.set_length(steps);
            "{bar:24} {pos}/{len} steps  {msg}  {eta} left"
        } else {
            "{spinner} {pos} steps  {msg}  {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_position(step);
        self.bar.reset_eta();
    }

    /// The first bad file at once, the number of all of them at the end.
    fn bad_files(&mut self, gan: &Gan, end: bool) {
        let bad = gan.dataset().skipped();
        if let (Some(first), false) = (bad.first(), self.warned) {
            self.warned = true;
            let (path, reason) = (first.path.display(), &first.reason);
            self.bar.suspend(|| {
                eprintln!("warning: {path} can't be used: {reason}; another image stands in for it, and for any more such files");
            });
        }
        if end && !bad.is_empty() {
            self.bar.suspend(|| {
                eprintln!("{} bad files were passed over; `faussaire data check` lists them", count(bad.len() as u64))
            });
        }
    }

    fn step(&mut self, report: &StepReport, gan: &Gan) {
        if report.step % 50 == 1 {
            self.bad_files(gan, false);
        }
        self.last = Some(*report);
        self.bar.set_position(report.step);
        if let Some((instant, first)) = self.began {
            let per_step = gan.recipe.train.batch as u64 * gan.recipe.train.n_critic;
            let rate = ((report.step - first) * per_step) as f64 / instant.elapsed().as_secs_f64().max(1e-9);
            let left = match self.time.map(|time| time.saturating_sub(instant.elapsed()).as_secs()) {
                Some(seconds) => format!("  at most {seconds}s left"),
                None => String::new(),
            };
            let losses = format!("D {:.3}  G {:.3}", report.d_loss, report.g_loss);
            self.bar.set_message(format!("{rate:.0} images/s  {losses}{left}"));
        }
    }

    /// Losses, accuracies and ten images.
    fn show(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        let Some(report) = self.last.filter(|_| !self.quiet && self.shown != Some(step)) else { return Ok(()) };
        self.shown = Some(step);
        if gan.image_shape().height < 4 {
            self.bar.suspend(|| eprintln!("{}", losses(&report)));
            return Ok(());
        }
        let values = gan.generate(&gan.fixed_latents(STRIP))?;
        let images = Images::from_values(&values, gan.image_shape(), gan.range().bounds())?;
        let stderr = console::Term::stderr();
        let strip = if stderr.is_term() {
            terminal::draw(&images, usize::from(stderr.size().1), terminal::Colours::from_environment())?
        } else {
            String::new()
        };
        self.bar.suspend(|| {
            eprintln!("{}", losses(&report));
            eprint!("{strip}");
        });
        Ok(())
    }
}

/// The first names of a list that may be long.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = if names.len() > SHOWN { format!(", ... ({} in all)", names.len()) } else { String::new() };
    names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ") + &more
}

fn losses(report: &StepReport) -> String {
    let penalty = report.penalty.map_or(String::new(), |p| format!("  penalty {p:.3}"));
    format!(
        "epoch {:.1}  step {}  D loss {:.3}{penalty}  G loss {:.3}  D right on real {:.0}%, on generated {:.0}%",
        report.epoch,
        count(report.step),
        report.d_loss,
        report.g_loss,
        100.0 * report.d_real,
        100.0 * report.d_fake,
    )
}

impl Watcher for Console {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        match event {
            Event::Start { step, steps, .. } => self.start(*step, *steps),
            Event::Step(report) => self.step(report, gan),
            Event::Epoch { epoch, .. } => {
                if gan.recipe.train.sheet_due(*epoch) {
                    self.show(gan)?;
                }
            }
            Event::End { .. } => {
                self.show(gan)?;
                self.bad_files(gan, true);
                self.clear();
            }
            Event::Finding(finding) => self.say(&findings::text(finding)),
            Event::Heal(heal) => self.say(&findings::healed(heal)),
            Event::Sheet { .. } | Event::Score { .. } | Event::Checkpoint { .. } | Event::Diverged { .. } => {}
        }
        Ok(Request::Continue)
    }
}
