//! The axis of a chart: round ticks, linear or logarithmic, and the place of a value on it.

/// Values from `low` to `high`, shown between two places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
    /// The distance of its ticks, where its ends were rounded to them.
    step: Option<f64>,
}

impl Scale {
    /// Holds all finite `values`; logarithmic where `log` allows it, all are above 0 and they spread over more than a factor
    /// of 30. `from` and `to` are the places of its ends.
    pub fn new(values: impl Iterator<Item = f64>, log: bool, (from, to): (f64, f64)) -> Self {
        let finite = values.filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let log = log && low > 0.0 && high / low > 30.0;
        // A constant is shown above 0 (below it, where it is negative).
        let (low, high) = match () {
            () if high > low => (low, high),
            () if high == 0.0 => (0.0, 1.0),
            () => (2.0 * low.min(0.0), 2.0 * high.max(0.0)),
        };
        Self { low, high, log, from, to, step: None }
    }

    /// The same, from 0 where the values aren't far away from it.
    pub fn with_zero(self) -> Self {
        let near = !self.log && self.low > 0.0 && self.low < 0.5 * self.high;
        Self { low: if near { 0.0 } else { self.low }, ..self }
    }

    /// The same, from one round number to another, about `count` of them apart. A logarithmic one has some room at its ends.
    pub fn rounded(self, count: usize) -> Self {
        if self.log {
            let room = (self.high / self.low).powf(0.03);
            return Self { low: self.low / room, high: self.high * room, ..self };
        }
        let step = self.step(count);
        let (low, high) = ((self.low / step).floor() * step, (self.high / step).ceil() * step);
        Self { low, high, step: Some(step), ..self }
    }

    /// Whether equal distances are equal factors.
    pub fn is_log(&self) -> bool {
        self.log
    }

    /// The place of `value`.
    pub fn at(&self, value: f64) -> f64 {
        let share = match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        self.from + share * (self.to - self.from)
    }

    /// The distance of round numbers, about `count` of which fit.
    fn step(&self, count: usize) -> f64 {
        let rough = (self.high - self.low) / count.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|s| *s >= rough).unwrap_or(rough)
    }

    /// Round numbers within, about `count` of them.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        if self.log {
            let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
            let all = (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
            let inside: Vec<f64> = all.filter(|v| (self.low..=self.high).contains(v)).collect();
            let every = inside.len().div_ceil(count.max(1)).max(1);
            return inside.into_iter().step_by(every).collect();
        }
        let step = self.step.unwrap_or_else(|| self.step(count));
        // A hair's breadth more, as a round end divided by the step may fall short of a whole number.
        let (first, last) = ((self.low / step - 1e-9).ceil() as i64, (self.high / step + 1e-9).floor() as i64);
        (first..=last).map(|n| n as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_places_in_proportion() {
        let scale = Scale::new([0.0, 2000.0, f64::NAN].into_iter(), false, (50.0, 250.0));
        assert_eq!(scale.ticks(4), [0.0, 500.0, 1000.0, 1500.0, 2000.0]);
        assert_eq!((scale.at(0.0), scale.at(500.0), scale.at(2000.0)), (50.0, 100.0, 250.0));
        let down = Scale::new([0.2, 1.0].into_iter(), true, (100.0, 0.0)).with_zero();
        assert_eq!((down.at(0.0), down.at(1.0), down.is_log()), (100.0, 0.0, false));
    }

    #[test]
    fn wide_spreads_are_logarithmic_and_single_values_have_room() {
        let log = Scale::new([1.0, 10.0, 100.0].into_iter(), true, (0.0, 2.0));
        assert!(log.is_log() && (log.at(10.0) - 1.0).abs() < 1e-12);
        assert_eq!(log.ticks(9), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert!(!Scale::new([0.0, 100.0].into_iter(), true, (0.0, 1.0)).is_log());
        let one = Scale::new([3.0].into_iter(), true, (0.0, 1.0));
        assert!((one.at(3.0) - 0.5).abs() < 1e-12 && !one.ticks(3).is_empty());
        assert!(!Scale::new(std::iter::empty(), true, (0.0, 1.0)).ticks(3).is_empty());
    }

    #[test]
    fn a_constant_is_shown_from_zero() {
        let of = |value: f64| Scale::new([value; 3].into_iter(), false, (0.0, 1.0));
        for (value, zero, place) in [(0.0, 0.0, 0.0), (0.25, 0.0, 0.5), (-4.0, 1.0, 0.5)] {
            assert_eq!((of(value).at(0.0), of(value).at(value)), (zero, place), "{value}");
        }
    }

    #[test]
    fn rounded_ends_are_ticks_and_hold_all_values() {
        let scale = Scale::new([0.13, 0.71].into_iter(), false, (0.0, 1.0)).rounded(4);
        assert_eq!((scale.at(0.0), scale.at(0.8)), (0.0, 1.0));
        assert_eq!(
            scale.ticks(4).iter().map(|v| format!("{v:.1}")).collect::<Vec<_>>(),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        let narrow = Scale::new([0.048, 0.0515].into_iter(), false, (0.0, 1.0)).rounded(4);
        let ticks = narrow.ticks(4);
        assert!(
            narrow.at(ticks[0]).abs() < 1e-9 && (narrow.at(ticks[ticks.len() - 1]) - 1.0).abs() < 1e-9,
            "{ticks:?}"
        );
        let log = Scale::new([1.0, 100.0].into_iter(), true, (0.0, 1.0)).rounded(4);
        assert!(log.at(1.0) > 0.01 && log.at(100.0) < 0.99 && log.at(1.0) < 0.1);
    }
}
