//! Remarks on the cost of a step.

use super::{Facts, Found, Images};
use crate::net::summary::grouped;
use crate::recipe::estimate;

/// A step of fewer operations takes a minute on no machine in use, and is not measured.
const QUICK: f64 = 3e11;
/// Seconds that are long for a step.
const LONG: f64 = 60.0;

pub(super) fn slow_step(facts: &Facts) -> Option<Found> {
    let (recipe, nets) = (facts.recipe, [&facts.generator, &facts.discriminator]);
    if matches!(facts.images, Images::Unknown) || estimate::step_flops(recipe, nets) < QUICK {
        return None;
    }
    estimate::step_seconds(recipe, nets).filter(|seconds| *seconds > LONG).map(|seconds| found(facts, seconds))
}

fn found(facts: &Facts, seconds: f64) -> Found {
    let batch = facts.recipe.train.batch;
    let share = facts
        .count()
        .filter(|images| *images >= batch)
        .map_or(String::new(), |images| format!(" ({:.0}% of the images)", 100.0 * batch as f64 / images as f64));
    // As many images as take a quarter of a minute, a power of two.
    let affordable = (batch as f64 * LONG / 4.0 / seconds).max(1.0).log2().floor();
    let smaller = 2f64.powf(affordable).min(64.0) as usize;
    Found {
        what: format!(
            "a step with a batch of {}{share} takes about {} on this machine",
            grouped(batch as u64),
            duration(seconds)
        ),
        follows: String::new(),
        advice: if smaller < batch { "use smaller batches".into() } else { "use smaller nets or images".into() },
        set: if smaller < batch { vec![format!("train.batch={smaller}")] } else { Vec::new() },
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} seconds"),
        s if s < 7200.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{:.0} hours", s / 3600.0),
    }
}

pub(super) fn memory(facts: &Facts) -> Option<Found> {
    let free = match facts.images {
        Images::Unknown => return None,
        _ => free_memory()?,
    };
    let needed = estimate::memory(facts.recipe, [&facts.generator, &facts.discriminator], None);
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    (needed > free).then(|| Found {
        what: format!(
            "training needs about {} of memory with a batch of {}; {} are free",
            gigabytes(needed),
            grouped(facts.recipe.train.batch as u64),
            gigabytes(free)
        ),
        follows: String::new(),
        advice: "use smaller batches".into(),
        set: vec![format!("train.batch={}", (facts.recipe.train.batch as u64 * free / needed / 2).clamp(1, 64))],
    })
}

/// Memory that programs can use, in bytes; none where the system doesn't say.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!([75.0, 600.0, 8000.0].map(duration), ["75 seconds", "10 minutes", "2 hours"]);
    }

    #[test]
    fn the_cost_of_a_step_is_said_with_a_batch_that_takes_less() {
        let found = |batch: usize, seconds: f64| {
            let recipe = crate::Preset::Tp.recipe().unwrap().batch(batch);
            let (generator, discriminator) = recipe.networks().unwrap();
            let facts = Facts { recipe: &recipe, generator, discriminator, images: Images::Count(60_000) };
            assert!(batch < 1000 || estimate::step_flops(&recipe, [&facts.generator, &facts.discriminator]) > QUICK);
            found(&facts, seconds)
        };
        let all = found(60_000, 900.0);
        assert_eq!(
            all.what,
            "a step with a batch of 60,000 (100% of the images) takes about 15 minutes on this machine"
        );
        assert_eq!(all.set, ["train.batch=64"]);
        assert_eq!(found(64, 480.0).set, ["train.batch=2"]);
        assert!(found(1, 100.0).set.is_empty());
    }
}
