//! The terminal while a run trains: a bar with speed and time left, and at every sheet the losses and a strip of ten
//! images.

use std::path::Path;
use std::time::{Duration, Instant};

use faussaire::Result;
use faussaire::data::first_names;
use faussaire::ops::Precision;
use faussaire::render::{Images, terminal};
use faussaire::train::{Event, Gan, Request, StepReport, Watcher};
use indicatif::{ProgressBar, ProgressStyle};

use super::findings;
use crate::print::{self, note};
use crate::report::{self, count, counted};

/// Labels that are named.
const SHOWN: usize = 12;

/// Images in the strip, as in the lab.
const STRIP: usize = 10;

/// The precision, with a warning if it is emulated.
fn precision(precision: Precision) -> &'static str {
    match (precision, Precision::fastest()) {
        (Precision::F32, _) => "f32",
        (Precision::Bf16, Precision::Bf16) => "bf16",
        (Precision::Bf16, Precision::F32) => {
            "bf16 (emulated: this CPU, or FAUSSAIRE_ISA, cannot multiply bf16; slower than f32)"
        }
    }
}

/// The watcher that prints to stderr.
#[derive(Debug)]
pub struct Console {
    bar: ProgressBar,
    quiet: bool,
    time: Option<Duration>,
    began: Option<(Instant, u64)>,
    /// Steps in all; 0 where only the time is limited.
    steps: u64,
    shown: Option<u64>,
    last: Option<StepReport>,
    warned: bool,
}

impl Console {
    /// Shows nothing if `quiet`. `time` is the limit of the training, if there is one.
    pub fn new(quiet: bool, time: Option<Duration>) -> Self {
        Self {
            bar: print::bar(quiet, None),
            quiet,
            time,
            began: None,
            steps: 0,
            shown: None,
            last: None,
            warned: false,
        }
    }

    /// Prints the data, the nets, the machine's settings and the run folder.
    pub fn introduce(&self, gan: &Gan, run: &Path) {
        if self.quiet {
            return;
        }
        let parameters = |net: &faussaire::net::Network| count(net.parameters().0 as u64);
        note!(
            "{}: {}; batch size {}; {}, {}",
            gan.dataset().name(),
            report::images(gan.dataset().len() as u64, gan.image_shape()),
            gan.recipe.train.batch,
            counted(rayon::current_num_threads() as u64, "thread"),
            precision(gan.generator.precision),
        );
        let (generator, discriminator) = (parameters(&gan.generator.net), parameters(&gan.discriminator.net));
        note!("parameters: generator {generator}, discriminator {discriminator}");
        for note in gan.dataset().notes() {
            note!("{note}");
        }
        for unused in &gan.dataset().info().unused_labels {
            note!("labels not used: {unused}");
        }
        if !gan.recipe.labels.names.is_empty() && gan.generator.net.labels() > 0 {
            let names = &gan.recipe.labels.names;
            let all = if names.len() > SHOWN { format!(" ({} in all)", names.len()) } else { String::new() };
            note!("conditional on: {}{all}", first_names(names, SHOWN));
        }
        note!("run folder {}; Ctrl-C stops after the current step and saves", run.display());
    }

    /// Removes the bar, so that an error gets a line of its own.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn start(&mut self, step: u64, steps: u64) {
        self.began = Some((Instant::now(), step));
        let template = match self.time {
            Some(time) => {
                self.bar.set_length(time.as_millis() as u64);
                "{bar:16.green} {msg}"
            }
            None if steps > 0 => {
                self.bar.set_length(steps);
                "{bar:16.green} {msg}  {eta} left"
            }
            None => "{spinner} {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_position(if self.time.is_some() { 0 } else { step });
        self.steps = steps;
        self.bar.reset_eta();
    }

    /// The first bad file at once, the number of all of them at the end.
    fn bad_files(&mut self, gan: &Gan, end: bool) {
        let bad = gan.dataset().skipped();
        if let (Some(first), false) = (bad.first(), self.warned) {
            self.warned = true;
            let (path, reason) = (first.path.display(), &first.reason);
            let text = format!("{path} is skipped: {reason}; another image replaces it, and any further bad file");
            print::warning(&text);
        }
        if end && !bad.is_empty() {
            note!("skipped {}; `faussaire data check` lists them", counted(bad.len() as u64, "bad file"));
        }
    }

    fn step(&mut self, report: &StepReport, gan: &Gan) {
        if report.step % 50 == 1 {
            self.bad_files(gan, false);
        }
        self.last = Some(*report);
        let Some((instant, first)) = self.began else { return };
        let elapsed = instant.elapsed();
        let left =
            self.time.map_or(String::new(), |time| format!("  {} s left", time.saturating_sub(elapsed).as_secs()));
        self.bar.set_position(self.time.map_or(report.step, |_| elapsed.as_millis() as u64));
        let per_step = gan.recipe.train.batch as u64 * gan.recipe.train.n_critic;
        let speed = report::rate((report.step - first) * per_step, elapsed.as_secs_f64());
        let all = if self.steps > 0 { format!("/{}", count(self.steps)) } else { String::new() };
        let losses = format!("D {:.3}  G {:.3}", report.d_loss, report.g_loss);
        self.bar.set_message(format!("step {}{all}  {speed}  {losses}{left}", count(report.step)));
    }

    /// Losses, accuracies and ten images.
    fn show(&mut self, gan: &Gan) -> Result<()> {
        let step = gan.progress.step;
        let Some(report) = self.last.filter(|_| !self.quiet && self.shown != Some(step)) else { return Ok(()) };
        self.shown = Some(step);
        if gan.image_shape().height < 4 {
            note!("{}", losses(&report, gan));
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
        note!("{}", losses(&report, gan));
        print::picture(&strip);
        Ok(())
    }
}

/// A line of losses, with D's accuracy for losses whose scores have a threshold.
fn losses(report: &StepReport, gan: &Gan) -> String {
    let penalty = report.penalty.map_or(String::new(), |p| format!("  penalty {p:.3}"));
    let accuracy = match gan.recipe.train.loss.scale().middle {
        Some(_) => {
            let (real, fake) = (100.0 * report.d_real, 100.0 * report.d_fake);
            format!("  D accuracy: real {real:.0}%, generated {fake:.0}%")
        }
        None => String::new(),
    };
    let (epoch, step) = (report.epoch, count(report.step));
    format!("epoch {epoch:.1}  step {step}  loss D {:.3}  G {:.3}{penalty}{accuracy}", report.d_loss, report.g_loss)
}

impl Watcher for Console {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        match event {
            Event::Start { step, steps, .. } => self.start(*step, *steps),
            Event::Step(report) => self.step(report, gan),
            Event::Epoch { epoch, .. } if gan.recipe.train.sheet_due(*epoch) => self.show(gan)?,
            Event::End { .. } => {
                self.show(gan)?;
                self.bad_files(gan, true);
                self.clear();
            }
            Event::Finding(finding) if !self.quiet && !gan.recipe.train.sabotage.is_secret() => {
                print::remark(&findings::text(finding))
            }
            Event::Heal(heal) if !self.quiet => print::remark(&findings::healed(heal)),
            _ => {}
        }
        Ok(Request::Continue)
    }
}
