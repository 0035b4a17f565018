//! `--share K/N`: which of N shares of some work a task of a cluster does.

use faussaire::Share;

/// `3/8`
pub fn parse(text: &str) -> Result<Share, String> {
    let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parsed {
        Some((index, count)) if (1..=1_000_000).contains(&count) && index < count => Ok(Share { index, count }),
        Some((index, count)) if (1..=1_000_000).contains(&count) => {
            let last = count - 1;
            Err(format!(
                "share {index} of {count}: shares count from 0 to {last} (for a Slurm array: --array=0-{last})"
            ))
        }
        _ => Err("expected a share such as 0/8: the first of 8".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn others_are_refused() {
        assert!(parse("8/8").unwrap_err().contains("--array=0-7"));
        assert!(["3", "/", "1/0", "-1/2", "1/2/3", "a/b", ""].iter().all(|text| parse(text).is_err()));
        assert_eq!(parse("3/8").unwrap(), Share { index: 3, count: 8 });
    }
}
