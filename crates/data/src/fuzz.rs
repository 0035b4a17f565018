//! Fuzzing: valid files of every format are changed at random and shown to `fuzz_targets.rs`. Each test runs briefly with the
//! others, and for the seconds in `FAUSSAIRE_FUZZ_SECONDS` on request:
//! `FAUSSAIRE_FUZZ_SECONDS=60 cargo test --release fuzz -- --nocapture`.

mod formats;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::fuzz_targets::{archive, idx, image, npy};
use super::testing::{array, gzip, idx_images, sample, tar, tar_header, zip};

/// A change; positions are fractions of the file's length.
#[derive(Clone, Debug)]
enum Change {
    Set(f64, u8),
    Flip(f64, u8),
    /// A number as files hold it, little-endian or big-endian.
    Number(f64, u64, usize, bool),
    Cut(f64),
    Remove(f64, usize),
    Repeat(f64, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0.0..1.0f64;
    let extreme = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1 << 31), Just(0xffff), any::<u64>()];
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (at(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        3 => (at(), extreme, prop_oneof![Just(2), Just(4), Just(8)], any::<bool>())
            .prop_map(|(at, number, width, big)| Change::Number(at, number, width, big)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), 1..64usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (at(), 1..600usize).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    let position = |at: f64| ((at * length as f64) as usize).min(length - 1);
    match *change {
        Change::Set(at, byte) => bytes[position(at)] = byte,
        Change::Flip(at, bit) => bytes[position(at)] ^= 1 << bit,
        Change::Number(at, number, width, big) => {
            let digits =
                if big { number.to_be_bytes()[8 - width..].to_vec() } else { number.to_le_bytes()[..width].to_vec() };
            bytes.iter_mut().skip(position(at)).zip(digits).for_each(|(byte, digit)| *byte = digit);
        }
        Change::Cut(at) => bytes.truncate(position(at)),
        Change::Remove(at, count) => drop(bytes.drain(position(at)..(position(at) + count).min(length))),
        Change::Repeat(at, count) => {
            let part = bytes[position(at)..(position(at) + count).min(length)].to_vec();
            bytes.splice(position(at)..position(at), part);
        }
    }
}

/// Repairs checksums, so that the code after their check is tested too.
fn repair(bytes: &mut [u8]) {
    if bytes.starts_with(b"\x89PNG") {
        let mut at = 8;
        while let Some(length) = bytes.get(at..at + 4).and_then(|four| four.first_chunk()) {
            let end = at + 8 + u32::from_be_bytes(*length).min(1 << 30) as usize;
            let Some(chunk) = bytes.get(at + 4..end) else { return };
            let mut sum = flate2::Crc::new();
            sum.update(chunk);
            let Some(position) = bytes.get_mut(end..end + 4) else { return };
            position.copy_from_slice(&sum.sum().to_be_bytes());
            at = end + 4;
        }
    } else if bytes.get(257..262) == Some(b"ustar") {
        for block in bytes.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}

/// Shows `try_one` changed copies of `seeds`: some hundred, or as many as fit into the time asked for.
fn fuzz(name: &str, seeds: &[Vec<u8>], cases: u32, try_one: impl Fn(&[u8])) {
    keep(name, seeds);
    let seconds = std::env::var("FAUSSAIRE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let case = (0..seeds.len(), proptest::collection::vec(change(), 1..6), any::<bool>());
    // Other cases each time where it goes on for long, else always the same.
    let mut seed = [7; 32];
    if seconds.is_some() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        seed[..16].copy_from_slice(&now.as_nanos().to_le_bytes());
    }
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let (start, mut tried) = (Instant::now(), 0);
    while seconds.map_or(tried < cases, |seconds| start.elapsed() < Duration::from_secs(seconds)) {
        let (seed, changes, repaired) = case.new_tree(&mut runner).unwrap().current();
        let mut bytes = seeds[seed].clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        if repaired {
            repair(&mut bytes);
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| try_one(&bytes)));
        assert!(outcome.is_ok(), "{name}: seed {seed}, {changes:?}, repaired: {repaired}");
        tried += 1;
    }
    println!("{name}: {tried} damaged files in {:.1?}; {}", start.elapsed(), peak());
}

/// Writes `seeds` into the folder `FAUSSAIRE_FUZZ_SEEDS`, if that is asked for: libFuzzer starts from them (`fuzz/smoke.sh`).
fn keep(name: &str, seeds: &[Vec<u8>]) {
    let Some(folder) = std::env::var_os("FAUSSAIRE_FUZZ_SEEDS") else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (at, seed) in seeds.iter().enumerate() {
        let file = format!("{}-{at}", name.replace([' ', ','], "-"));
        std::fs::write(Path::new(&folder).join(file), seed).unwrap();
    }
}

/// The most memory that this process ever held, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak unknown").to_owned()
}

/// Files for an archive: images of two classes, and something else.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["rgb.png", "grey.jpg", "palette-alpha.png", "lossless.webp"];
    let images = names.iter().zip(["a/b/1.png", "a/b/2.jpg", "a/c/3.png", "a/c/4.webp"]);
    images.map(|(sample_name, name)| (name, sample(sample_name))).chain([("a/readme", b"text".to_vec())]).collect()
}

#[test]
fn fuzz_zip() {
    let files = files();
    let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    fuzz("zip", &[zip(&files, false), zip(&files, true)], 300, archive);
}

#[test]
fn fuzz_tar() {
    let files = files();
    let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let plain = tar(&files);
    let long = [&tar_header("././@LongLink", 10, b'L')[..], &[b'n'; 512], &plain].concat();
    let properties = [&tar_header("PaxHeader", 13, b'x')[..], b"13 path=a.png", &[0; 499], &plain].concat();
    let seeds = [plain, long, properties];
    fuzz("tar", &seeds, 300, archive);
    // The same behind gzip: half the cases change what is packed, half the packing.
    fuzz("tar.gz, inside", &seeds, 150, |bytes| archive(&gzip(bytes)));
    fuzz("tar.gz, outside", &seeds.map(|seed| gzip(&seed)), 150, archive);
}

#[test]
fn fuzz_images() {
    let listed = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images")).unwrap();
    let listed = listed.map(|entry| entry.unwrap().path()).filter(|path| path.extension().unwrap() != "py");
    let mut seeds: Vec<_> = listed.map(|path| std::fs::read(path).unwrap()).collect();
    seeds.sort();
    fuzz("images", &seeds, 5000, image);
}

#[test]
fn fuzz_idx_and_npy() {
    let idx_file = idx_images(3, 4, 5);
    fuzz("idx", &[idx_file.clone(), gzip(&idx_file)], 300, idx);
    fuzz("npy", &[array(32)], 300, npy);
}
