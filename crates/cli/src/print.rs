//! All that the command prints. Most of it is words about work: where they can't be written (a closed terminal, a reader that
//! went away, a log on a full disk), the work goes on (`tell!`, `note!`, bars). Only where the words are what was asked for is
//! that an error (`say!`). Text is printed as [`printable`]; a heading alone may have a colour, on a terminal.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Style, Term};
use faussaire::data::printable;
use faussaire::{Error, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, TermLike};

/// Prints to stdout what the command was asked for.
macro_rules! say {
    ($($text:tt)*) => { $crate::print::result(&$crate::print::Line::plain(format_args!($($text)*)))? };
}
/// Prints to stdout what came of the work, which is done whether or not anybody hears of it.
macro_rules! tell {
    ($($text:tt)*) => { $crate::print::outcome(format_args!($($text)*)) };
}
/// Prints a remark to stderr, above the bars.
macro_rules! note {
    ($($text:tt)*) => { $crate::print::remark(&$crate::print::Line::plain(format_args!($($text)*))) };
}
pub(crate) use {note, say, tell};

/// What [`Error::Io`] calls stdout.
const STDOUT: &str = "stdout";
/// How often bars are drawn, per second.
const REDRAWS: u8 = 4;

/// A line or several, of which a heading may have a colour.
pub struct Line {
    heading: Option<(String, Style)>,
    text: String,
}

impl Line {
    /// Without a heading.
    pub fn plain(text: impl Display) -> Self {
        Self { heading: None, text: printable(&text.to_string()).into_owned() }
    }

    /// `heading`, a space, `text`. Other programs look for headings in logs, so they are plain there.
    pub fn headed(heading: &str, style: Style, text: impl Display) -> Self {
        Self { heading: Some((printable(heading).into_owned(), style)), ..Self::plain(text) }
    }

    /// As it is printed; `coloured` gives the heading its style.
    fn shown(&self, coloured: impl Fn(&Style, &str) -> String) -> String {
        match &self.heading {
            Some((heading, style)) => format!("{} {}\n", coloured(style, heading), self.text),
            None => format!("{}\n", self.text),
        }
    }
}

/// What `say!` does.
pub fn result(line: &Line) -> Result<()> {
    let attended = console::user_attended();
    let text = line.shown(|style, heading| match attended {
        true => style.clone().for_stdout().apply_to(heading).to_string(),
        false => heading.to_owned(),
    });
    whole(text.as_bytes())
}

/// Writes the bytes that the command was asked for to stdout.
///
/// # Errors
/// They can't be written. [`is_unread`] tells the reader that went away.
pub fn whole(bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    };
    BARS.suspend(write).map_err(Error::io("write to", STDOUT))
}

/// Whether `error` says that nobody reads stdout any more (`| head`), which is no failure.
pub fn is_unread(error: &Error) -> bool {
    matches!(error, Error::Io { path, source, .. }
        if path.as_os_str() == STDOUT && source.kind() == io::ErrorKind::BrokenPipe)
}

/// What `tell!` does.
pub fn outcome(text: Arguments) {
    let _ = result(&Line::plain(text));
}

/// What `note!` does.
pub fn remark(line: &Line) {
    let attended = console::user_attended_stderr();
    let text = line.shown(|style, heading| match attended {
        true => style.clone().for_stderr().apply_to(heading).to_string(),
        false => heading.to_owned(),
    });
    picture(&text);
}

/// Prints to stderr what a terminal is to obey: images in coloured blocks.
pub fn picture(text: &str) {
    BARS.suspend(|| {
        let _ = io::stderr().write_all(text.as_bytes());
    });
}

/// Prints a warning to stderr.
pub fn warning(text: &str) {
    remark(&Line::headed("warning:", Style::new().yellow().bold(), text));
}

/// A bar of `length` below all that is printed, or one that isn't shown.
pub fn bar(quiet: bool, length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
    if quiet { bar } else { BARS.add(bar) }
}

/// All bars, which are taken away while something else is printed.
static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    let term = Term::buffered_stderr();
    let dumb = std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb");
    MultiProgress::with_draw_target(match term.is_term() && !(dumb && cfg!(unix)) {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(Screen { term, lost: AtomicBool::new(false) }), REDRAWS),
        false => ProgressDrawTarget::hidden(),
    })
});

/// A terminal on which nothing more is drawn once it is gone: indicatif panics where it can't draw.
#[derive(Debug)]
struct Screen {
    term: Term,
    lost: AtomicBool,
}

impl Screen {
    fn draw(&self, how: impl FnOnce(&Term) -> io::Result<()>) -> io::Result<()> {
        if !self.lost.load(Ordering::Relaxed) && how(&self.term).is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.term.size().1
    }
    fn height(&self) -> u16 {
        self.term.size().0
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_up(n))
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_down(n))
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_right(n))
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_left(n))
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.draw(|term| term.write_line(line))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(|term| term.write_str(text))
    }
    fn clear_line(&self) -> io::Result<()> {
        self.draw(Term::clear_line)
    }
    fn flush(&self) -> io::Result<()> {
        self.draw(Term::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headings_are_coloured() {
        let styled = |_: &Style, heading: &str| format!("<{heading}>");
        let line = Line::headed("error:", Style::new().red(), "no \u{1b}[31mred\u{1b}[0m.png\n  here");
        assert_eq!(line.shown(styled), "<error:> no \\u001b[31mred\\u001b[0m.png\n  here\n");
        assert_eq!(Line::plain("a").shown(styled), "a\n");
    }

    #[test]
    fn a_lost_terminal_costs_nothing() {
        let screen = Screen { term: Term::buffered_stderr(), lost: AtomicBool::new(false) };
        let mut tried = 0;
        for _ in 0..3 {
            let gone = |_: &Term| {
                tried += 1;
                Err(io::ErrorKind::BrokenPipe.into())
            };
            assert!(screen.draw(gone).is_ok());
        }
        assert_eq!(tried, 1);
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_a_full_disk() {
        let of = |path: &str, kind: io::ErrorKind| Error::io("write to", path)(kind.into());
        assert!(is_unread(&of(STDOUT, io::ErrorKind::BrokenPipe)));
        assert!(!is_unread(&of(STDOUT, io::ErrorKind::StorageFull)));
        assert!(!is_unread(&of("pipe", io::ErrorKind::BrokenPipe)));
    }
}
