//! A judgement in one sentence: how near the images are to real ones, how many classes are generated, whether copies of
//! training images were found; or why none of this can be told.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scores::memorization::nearest_training::Memorization;
use crate::{Judgement, Metric, Score};

/// Below this many times the distance of real images among themselves, the images are not new ones.
const SAME: f64 = 0.1;
/// Up to this many times the distance of real images among themselves, the images are as near as these.
const AS_REAL: f64 = 1.3;
/// Up to this many times, they are close.
const CLOSE: f64 = 3.0;
/// From this many times on, they are far.
const FAR: f64 = 20.0;

/// Most names of missing classes that are listed.
const LISTED: usize = 5;

/// How near generated images are to real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The scores leave it open.
    CannotTell,
    /// As near as real images are to each other.
    AsReal,
    /// Near them.
    Close,
    /// Clearly different.
    Different,
    /// Far away.
    Far,
}

/// The judgement in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How near the images are to real ones.
    pub grade: Grade,
    /// One sentence, without a capital letter and a full stop.
    pub text: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Judgement {
    /// The judgement in one sentence.
    pub fn verdict(&self) -> Verdict {
        let (grade, mut text) = self.nearness();
        let parts = [self.drawn_classes(), self.obedience(), self.copies.as_ref().map(copies)];
        for part in parts.into_iter().flatten() {
            text += &format!("; {part}");
        }
        Verdict { grade, text }
    }

    /// How near the images are to real ones, by the first distance that says something.
    fn nearness(&self) -> (Grade, String) {
        let distance = |metric| self.get(metric).filter(|score| score.too_few.is_none());
        if let Some(found) = distance(Metric::Frechet).and_then(by_ratio) {
            return found;
        }
        let why = self.get(Metric::Frechet).map_or_else(String::new, why_not);
        match distance(Metric::Kernel).filter(|score| score.warning.is_none()).and_then(by_interval) {
            Some((grade, text)) => (grade, format!("{text} ({why})")),
            None => (Grade::CannotTell, format!("can't be told: {why}")),
        }
    }

    /// How many classes are generated: the number whose equal shares would diverge as much, less what chance adds.
    fn drawn_classes(&self) -> Option<String> {
        let kl = self.get(Metric::ClassKl).filter(|score| score.too_few.is_none())?;
        let all = self.occurs.iter().filter(|occurs| **occurs).count();
        let by_chance = all.saturating_sub(1) as f64 / (2.0 * self.images.max(1) as f64);
        let drawn = all as f64 * (by_chance - kl.value).min(0.0).exp();
        let text = match format!("{drawn:.1}") {
            text if text == format!("{all}.0") => format!("all {all} classes are drawn"),
            text => format!("{text} of {all} classes are drawn"),
        };
        if self.missing.is_empty() {
            return Some(text);
        }
        let more = self.missing.len().saturating_sub(LISTED);
        let mut names = self.missing[..self.missing.len() - more].join(", ");
        if more > 0 {
            names += &format!(" and {more} more");
        }
        Some(format!("{text} (missing: {names})"))
    }

    /// How many conditional images show their class.
    fn obedience(&self) -> Option<String> {
        let accuracy = self.get(Metric::ConditionalAccuracy).filter(|score| score.too_few.is_none())?;
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let real = accuracy.floor.map_or(String::new(), |real| format!(" (of real images {})", percent(real)));
        Some(format!("{} show the class that was asked for{real}", percent(accuracy.value)))
    }
}

/// A Fréchet distance in terms of that of real images among themselves; `None` where that is unknown.
fn by_ratio(score: &Score) -> Option<(Grade, String)> {
    let (floor, [least, most]) = (score.floor.filter(|floor| *floor > 0.0)?, score.floor_range?);
    let (times, value) = (score.value / floor, number(score.value));
    if score.value < SAME * least {
        let text = "the real images themselves, or copies of most of them: the distance";
        return Some((
            Grade::AsReal,
            format!("{text} {value} is less than {SAME} times that of real images among themselves"),
        ));
    }
    let grades = [score.low / most, score.high / least].map(Grade::of);
    // Not even the neighbouring grades are certain.
    if grades[1] as u8 > grades[0] as u8 + 1 {
        let [low, high, least, most] = [score.low, score.high, least, most].map(number);
        let text = format!(
            "can't be told: the distance {value} is uncertain ({low} to {high}, real images among themselves {least} to {most})"
        );
        return Some((Grade::CannotTell, text));
    }
    let grade = Grade::of(times);
    let times = if times < 10.0 { format!("{times:.1}") } else { format!("{times:.0}") };
    let text = format!("{}: the distance {value} is {times} times that of real images among themselves", grade.words());
    Some((grade, text))
}

/// Whether a kernel distance tells the images from real ones.
fn by_interval(score: &Score) -> Option<(Grade, String)> {
    let [least, most] = score.floor_range?;
    let [value, low, high, least, most_text] = [score.value, score.low, score.high, least, most].map(number);
    let numbers = format!("{value} ({low} to {high}), that of real images among themselves {least} to {most_text}");
    // Halves have half as many images, so their distances vary more than this one.
    if score.low > 0.0 && score.value > most {
        return Some((Grade::Different, format!("different from real: the kernel distance is {numbers}")));
    }
    Some((
        Grade::CannotTell,
        format!("can't be told: no difference from real images is shown, the kernel distance is {numbers}"),
    ))
}

/// Why a distance says nothing.
fn why_not(score: &Score) -> String {
    match (&score.too_few, &score.warning) {
        (Some(few), _) => {
            format!("only {} images, a {} needs about {}", few.images, score.name.metric.field_name(), few.needed)
        }
        (None, Some(warning)) => format!("{}: {warning}", score.name.metric.field_name()),
        (None, None) => "real images have no score of their own".into(),
    }
}

fn copies(found: &Memorization) -> String {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    match () {
        () if found.excess > 2.0 => format!(
            "{} look like copies of training images ({} would by chance)",
            percent(found.share),
            percent(found.expected)
        ),
        () if found.z < -3.0 => "no single copy found, but as a whole they are too near to the training images".into(),
        () => "no copies found".into(),
    }
}

/// A score with three or four significant digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        v if v >= 1e-4 => format!("{value:.4}"),
        0.0 => "0".into(),
        _ => format!("{value:.1e}"),
    }
}

impl Grade {
    /// That of a distance of this many times the one of real images among themselves.
    fn of(times: f64) -> Self {
        match times {
            t if t <= AS_REAL => Self::AsReal,
            t if t <= CLOSE => Self::Close,
            t if t < FAR => Self::Different,
            _ => Self::Far,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::CannotTell => "can't be told",
            Self::AsReal => "as near as real images are to each other",
            Self::Close => "close to real",
            Self::Different => "different from real",
            Self::Far => "far from real",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Better, ScoreName, TooFew};

    fn score(name: &str, [value, low, high]: [f64; 3], [floor, least, most]: [f64; 3]) -> Score {
        Score {
            name: ScoreName::parse(name),
            value,
            low,
            high,
            floor: Some(floor),
            floor_range: Some([least, most]),
            better: Better::Smaller,
            too_few: None,
            warning: None,
        }
    }

    fn judgement(scores: Vec<Score>) -> Judgement {
        Judgement { scores, images: 10_000, ..Judgement::default() }
    }

    fn said(scores: Vec<Score>) -> (Grade, String) {
        let Verdict { grade, text } = judgement(scores).verdict();
        (grade, text)
    }

    #[test]
    fn a_distance_is_graded_by_that_of_real_images() {
        let of = |value: f64| said(vec![score("frechet-9-x", [value, 0.9 * value, 1.1 * value], [2.6, 2.5, 2.7])]);
        let ratio = |words: &str, value: &str, times: &str| {
            format!("{words}: the distance {value} is {times} times that of real images among themselves")
        };
        let same = of(0.1);
        assert!(same.0 == Grade::AsReal && same.1.starts_with("the real images themselves, or copies"), "{same:?}");
        for (value, grade, words, shown, times) in [
            (1.4, Grade::AsReal, "as near as real images are to each other", "1.4", "0.5"),
            (5.3, Grade::Close, "close to real", "5.3", "2.0"),
            (17.7, Grade::Different, "different from real", "17.7", "6.8"),
            (280.0, Grade::Far, "far from real", "280", "108"),
        ] {
            assert_eq!(of(value), (grade, ratio(words, shown, times)));
        }
    }

    #[test]
    fn what_is_open_is_not_graded() {
        // The interval reaches from as good as real to far away.
        let wide = said(vec![score("frechet-9-x", [6.3, 0.0, 60.0], [2.6, 2.5, 2.7])]);
        let text = "can't be told: the distance 6.3 is uncertain (0 to 60.0, real images among themselves 2.5 to 2.7)";
        assert_eq!(wide, (Grade::CannotTell, text.into()));
        // Too few images: the kernel distance tells a difference, or doesn't.
        let few = |images| Some(TooFew { images, needed: 256 });
        let frechet = Score { too_few: few(60), ..score("frechet-60-x", [9.0, 8.0, 10.0], [2.6, 2.5, 2.7]) };
        let kernel =
            |value: f64| score("kernel(subsets-of-30)-60-x", [value, value - 1.0, value + 1.0], [0.1, -0.5, 0.75]);
        let (grade, text) = said(vec![frechet.clone(), kernel(3.0)]);
        let numbers = "3.0 (2.0 to 4.0), that of real images among themselves -0.50 to 0.75";
        let why = "(only 60 images, a Fréchet distance needs about 256)";
        assert_eq!(
            (grade, text),
            (Grade::Different, format!("different from real: the kernel distance is {numbers} {why}"))
        );
        let (grade, text) = said(vec![frechet.clone(), kernel(0.2)]);
        assert_eq!(grade, Grade::CannotTell);
        assert!(
            text.starts_with("can't be told: no difference from real images is shown, the kernel distance is 0.20"),
            "{text}"
        );
        // Neither has enough.
        let kernel = Score { too_few: few(20), ..kernel(3.0) };
        let frechet = Score { too_few: few(20), ..frechet };
        let text = "can't be told: only 20 images, a Fréchet distance needs about 256";
        assert_eq!(said(vec![frechet, kernel]), (Grade::CannotTell, text.into()));
        // Enough, but real images differ from each other by anything.
        let (grade, text) = said(vec![score("frechet-9-x", [6.0, 5.0, 7.0], [6.3, 0.4, 310.0])]);
        assert_eq!(grade, Grade::CannotTell);
        assert!(text.ends_with("6.0 is uncertain (5.0 to 7.0, real images among themselves 0.40 to 310)"), "{text}");
        // Constant features.
        let constant =
            Score { warning: Some("all the same".into()), ..score("frechet-9-x", [6.0, 5.0, 7.0], [0.0; 3]) };
        assert_eq!(said(vec![constant]), (Grade::CannotTell, "can't be told: Fréchet distance: all the same".into()));
        let unknown = Score { floor: None, floor_range: None, ..score("frechet-9-x", [6.0; 3], [1.0; 3]) };
        assert!(said(vec![unknown]).1.ends_with("real images have no score of their own"));
    }

    #[test]
    fn classes_and_copies_follow() {
        let frechet = || score("frechet-9-x", [5.2, 5.0, 5.4], [2.6, 2.5, 2.7]);
        let kl = |value: f64| score("class-kl-9-x", [value; 3], [0.0; 3]);
        let classes = |value: f64, missing: &[&str]| {
            let mut judgement = judgement(vec![frechet(), kl(value)]);
            // Eleven names, ten of which occur.
            judgement.occurs = [[true; 10].as_slice(), &[false]].concat();
            judgement.missing = missing.iter().map(ToString::to_string).collect();
            judgement.verdict().text.split("; ").nth(1).unwrap().to_owned()
        };
        // Chance alone: 9 / 20,000.
        assert_eq!(classes(0.00045, &[]), "all 10 classes are drawn");
        assert_eq!(classes(0.02, &[]), "9.8 of 10 classes are drawn");
        assert_eq!(classes(10f64.ln(), &["1", "2"]), "1.0 of 10 classes are drawn (missing: 1, 2)");
        assert!(classes(1.0, &["a", "b", "c", "d", "e", "f", "g"]).ends_with("(missing: a, b, c, d, e and 2 more)"));

        let found = |excess: f64, z: f64| {
            let copies = Memorization {
                share: 0.21,
                low: 0.2,
                high: 0.22,
                expected: 0.01,
                excess,
                threshold: 0.5,
                z,
                rule: String::new(),
            };
            let accuracy = Score { floor: Some(0.993), ..score("class-accuracy-9-x", [0.9861; 3], [0.0; 3]) };
            let judgement = Judgement { copies: Some(copies), ..judgement(vec![frechet(), accuracy]) };
            judgement.verdict().text
        };
        let asked = "98.6% show the class that was asked for (of real images 99.3%)";
        assert!(found(1.0, 0.0).ends_with(&format!("; {asked}; no copies found")), "{}", found(1.0, 0.0));
        assert!(found(9.0, 0.0).ends_with("; 21.0% look like copies of training images (1.0% would by chance)"));
        assert!(
            found(0.0, -4.0)
                .ends_with("; no single copy found, but as a whole they are too near to the training images")
        );
    }
}
