//! The values that mean black and white, from the type and the extremes of all values of a file.

use super::scalar::{Kind, Scalar};

/// The values of black and white.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub black: f64,
    pub white: f64,
    /// What to tell the user, if anything.
    pub note: Option<String>,
}

impl Range {
    /// Black and white that were inferred from values between `low` and `high`. Where the darkest and the lightest pixel of all
    /// images are close, the inference may be wrong.
    fn seen(black: f64, white: f64, low: f64, high: f64) -> Self {
        let [low, high] = [low, high].map(rounded);
        let from = low.min(0.0);
        let note = (high - low <= 0.5 * (white - black)).then(|| match low == high {
            true => format!("all pixels have the value {low}; black is {black}, white is {white}"),
            false => format!(
                "the pixel values lie between {low} and {high}, black is {black} and white is {white}, so the images have \
                 little contrast; `data.range` = [{from}, {high}] makes {high} white"
            ),
        });
        Self { black, white, note }
    }

    /// Black and white that the user gives, for values between `low` and `high`.
    pub fn given((black, white): (f32, f32), low: f64, high: f64) -> Self {
        let (black, white) = (f64::from(black), f64::from(white));
        let [low, high] = [low, high].map(rounded);
        let clipped = if low < black || high > white { "; values outside are clipped" } else { "" };
        let note = format!(
            "pixel values from {black} to {white} become black to white (they lie between {low} and {high}{clipped})"
        );
        Self { black, white, note: Some(note) }
    }

    /// Bytes of 0 to 255.
    pub fn bytes(low: f64, high: f64) -> Self {
        Self::seen(0.0, 255.0, low, high)
    }
}

/// The usual range that most likely holds values between `low` and `high`, for proposals: a few values may lie outside of it, as
/// after a filter. Their own extremes if there is none.
pub fn likely(low: f64, high: f64) -> [f64; 2] {
    /// The part of a range by which values may lie outside of it.
    const SLACK: f64 = 0.05;
    /// The part of a range that values reach at least.
    const REACHED: f64 = 0.2;
    const USUAL: [[f64; 2]; 7] =
        [[0.0, 1.0], [-1.0, 1.0], [0.0, 255.0], [0.0, 1023.0], [0.0, 4095.0], [0.0, 16_383.0], [0.0, 65_535.0]];
    let holds = |&[black, white]: &[f64; 2]| {
        let slack = SLACK * white;
        // What hardly goes below zero is no range around it.
        let is_around = black == 0.0 || low <= -0.5 * high.abs();
        low >= black - slack && high <= white + slack && high >= REACHED * white && is_around
    };
    USUAL.into_iter().find(holds).unwrap_or_else(|| [low, high].map(rounded))
}

/// A value for messages, with a few digits.
pub fn rounded(value: f64) -> f64 {
    let scale = 10f64.powi(4 - value.abs().max(1e-30).log10().ceil() as i32);
    if value.fract() == 0.0 || !scale.is_finite() { value } else { (value * scale).round() / scale }
}

/// Floats slightly outside of a range, as after resampling, belong to it.
const TOLERANCE: f64 = 1e-3;

/// Floats of which none is larger are no bytes.
const MAX_UNIT: f64 = 4.0;

/// Black and white of values of type `scalar` between `low` and `high`: the smallest usual range that contains them. `None` if
/// no usual range does, or several may be meant.
pub fn decide(scalar: Scalar, low: f64, high: f64) -> Option<Range> {
    let within = |black: f64, white: f64, tolerance: f64| {
        let slack = tolerance * white;
        (low >= black - slack && high <= white + slack).then_some((black, white))
    };
    let (black, white) = match scalar.kind {
        Kind::Bool => (0.0, 1.0),
        Kind::Float => within(0.0, 1.0, TOLERANCE)
            // What hardly goes below zero is more likely 0 to 1 after a filter that overshoots.
            .or_else(|| within(-1.0, 1.0, TOLERANCE).filter(|_| low <= -0.5 * high))
            // Values of a little more than 1 are those of 0 to 1 after a filter, or normalised ones, and no bytes.
            .or_else(|| within(0.0, 255.0, TOLERANCE).filter(|_| high > MAX_UNIT))?,
        Kind::Unsigned | Kind::Signed => {
            // Bytes around zero and 16 bits show by values that the smaller ranges don't hold.
            let centred = (low <= -64.0 && high >= 64.0).then(|| within(-128.0, 127.0, 0.0)).flatten();
            let wide = (high >= 32_768.0).then(|| within(0.0, 65_535.0, 0.0)).flatten();
            let bytes = if scalar.kind == Kind::Signed && scalar.width == 1 { None } else { within(0.0, 255.0, 0.0) };
            within(0.0, 1.0, 0.0).or_else(|| within(-1.0, 1.0, 0.0)).or(bytes).or(centred).or(wide)?
        }
    };
    let mut range = Range::seen(black, white, low, high);
    if black < 0.0 && low < 0.0 {
        let bytes = match black {
            -128.0 => "; if they are bytes of 0 to 255 that were read as signed ones, a.view(numpy.uint8) gives these",
            _ => "",
        };
        let said = format!("pixel values: {black} is black, {white} is white{bytes}");
        range.note = Some(range.note.map_or(said.clone(), |note| format!("{said}; {note}")));
    }
    Some(range)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(descr: &str, low: f64, high: f64) -> Option<(f64, f64, bool)> {
        let range = decide(Scalar::of_descr(descr).unwrap(), low, high)?;
        Some((range.black, range.white, range.note.is_some()))
    }

    #[test]
    fn the_smallest_usual_range_is_taken() {
        for (descr, low, high, expected) in [
            ("|u1", 0.0, 255.0, Some((0.0, 255.0, false))),
            ("|u1", 0.0, 16.0, Some((0.0, 255.0, true))),
            ("|u1", 7.0, 7.0, Some((0.0, 255.0, true))),
            ("|u1", 0.0, 1.0, Some((0.0, 1.0, false))),
            ("|b1", 0.0, 1.0, Some((0.0, 1.0, false))),
            ("<f4", 0.0, 1.0004, Some((0.0, 1.0, false))),
            ("<f4", -1.0, 0.9, Some((-1.0, 1.0, true))),
            ("<f4", -0.1, 0.2, Some((-1.0, 1.0, true))),
            ("<f4", -0.5, 0.5, Some((-1.0, 1.0, true))),
            ("<f4", -0.03, 1.02, None),
            ("<f4", -0.004, 1.0, None),
            ("<f4", -0.4, 1.0, None),
            ("<f4", -0.5, 1.0, Some((-1.0, 1.0, true))),
            ("<f4", -1.0, -0.2, Some((-1.0, 1.0, true))),
            ("<f4", 0.0, 2.0, None),
            ("<f4", 0.0, 16.0, Some((0.0, 255.0, true))),
            ("<f4", 0.0, 0.06, Some((0.0, 1.0, true))),
            ("<f4", 0.0, 255.2, Some((0.0, 255.0, false))),
            ("<f4", -2.1, 2.6, None),
            ("<f4", 0.0, 4095.0, None),
            ("<f8", 0.0, 65_535.0, None),
            ("<i8", 0.0, 255.0, Some((0.0, 255.0, false))),
            ("<i8", -1.0, 1.0, Some((-1.0, 1.0, true))),
            ("<i4", -128.0, 127.0, Some((-128.0, 127.0, true))),
            ("|i1", -100.0, 127.0, Some((-128.0, 127.0, true))),
            ("|i1", 0.0, 127.0, None),
            ("<i4", -3.0, 100.0, None),
            ("<u2", 0.0, 255.0, Some((0.0, 255.0, false))),
            ("<u2", 0.0, 4095.0, None),
            ("<u2", 0.0, 40_000.0, Some((0.0, 65_535.0, false))),
            ("<i8", 0.0, 65_536.0, None),
        ] {
            assert_eq!(of(descr, low, high), expected, "{descr} {low} {high}");
        }
    }

    #[test]
    fn likely_ranges_are_proposed() {
        for (low, high, expected) in [
            (240.0, 3744.0, [0.0, 4095.0]),
            (0.0, 1000.0, [0.0, 1023.0]),
            (0.0, 16_000.0, [0.0, 16_383.0]),
            (0.0, 65_535.0, [0.0, 65_535.0]),
            (-0.01, 1.02, [0.0, 1.0]),
            (-0.3, 255.4, [0.0, 255.0]),
            (-0.9, 1.01, [-1.0, 1.0]),
            (-2.1179, 2.64, [-2.118, 2.64]),
            (-1024.0, 3071.0, [-1024.0, 3071.0]),
            (0.0, 2.0, [0.0, 2.0]),
        ] {
            assert_eq!(likely(low, high), expected, "{low} {high}");
        }
    }

    #[test]
    fn black_below_zero_is_said() {
        let said = |descr: &str, low, high| decide(Scalar::of_descr(descr).unwrap(), low, high).unwrap().note;
        assert!(said("|i1", -128.0, 127.0).unwrap().starts_with("pixel values: -128 is black, 127 is white; if"));
        assert_eq!(said("<f4", -1.0, 1.0).unwrap(), "pixel values: -1 is black, 1 is white");
        assert_eq!(said("<f4", -0.0005, 1.0), None);
    }

    #[test]
    fn small_parts_of_a_range_are_remarked() {
        let said = |low, high| decide(Scalar::U8, low, high).unwrap().note;
        let expected = "the pixel values lie between 0 and 16, black is 0 and white is 255, so the images have little \
                        contrast; `data.range` = [0, 16] makes 16 white";
        assert_eq!(said(0.0, 16.0).unwrap(), expected);
        assert_eq!(said(9.0, 9.0).unwrap(), "all pixels have the value 9; black is 0, white is 255");
        assert_eq!((said(0.0, 200.0), rounded(-4.659_952_9), rounded(0.062_745_1)), (None, -4.66, 0.062_75));
        let given = Range::given((0.0, 9.0), 0.0, 16.0).note.unwrap();
        assert!(
            given.ends_with("0 to 9 become black to white (they lie between 0 and 16; values outside are clipped)")
        );
    }
}
