//! Whole numbers on the command line. What is none, or is negative, is told with the numbers that there are.

/// Reads whole numbers from `least` to `most`.
pub fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| read(text, least, most, least..=most)
}

/// The same for numbers that the library checks, whose message says more: any that fits is read.
pub fn for_library<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| read(text, least, most, 0..=u64::MAX)
}

/// As in a recipe, whose numbers have a sign.
pub const LARGEST: u64 = i64::MAX as u64;

fn read<T: TryFrom<u64>>(
    text: &str,
    least: u64,
    most: u64,
    accepted: std::ops::RangeInclusive<u64>,
) -> Result<T, String> {
    let number = text.parse::<u64>().ok().filter(|number| accepted.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match most {
        u64::MAX => format!("expected a whole number, {least} or more"),
        most => format!("expected a whole number from {least} to {most}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told_with_the_range() {
        let seed = whole::<u64>(0, LARGEST);
        assert_eq!((seed("0"), seed("9223372036854775807")), (Ok(0), Ok(LARGEST)));
        for text in ["-1", "1.5", "1e6", "ten", "", "9223372036854775808", "99999999999999999999999"] {
            assert_eq!(seed(text).unwrap_err(), "expected a whole number from 0 to 9223372036854775807", "{text}");
        }
        assert_eq!(whole::<u16>(0, u64::MAX)("70000").unwrap_err(), "expected a whole number, 0 or more");
        let batch = for_library::<u64>(1, 65_536);
        assert_eq!((batch("0"), batch("70000")), (Ok(0), Ok(70_000)));
        assert_eq!(batch("-3").unwrap_err(), "expected a whole number from 1 to 65536");
    }
}
