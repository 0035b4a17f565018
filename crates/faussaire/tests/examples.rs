//! The two course examples, at small size: they run, learn something, and leave their pictures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use faussaire::data::{self, OpenOptions};
use faussaire::{Preset, Recipe};

#[path = "../examples/lab.rs"]
mod lab;
#[path = "../examples/sheep.rs"]
mod sheep;

/// The presets' nets with a sixteenth of the channels.
fn small(preset: Preset, layers: [(&str, &str); 4], changes: &[&str]) -> Recipe {
    let text = layers.iter().fold(preset.text().to_string(), |text, (from, to)| text.replace(from, to));
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Recipe::parse(&text, "small", &changes).unwrap()
}

#[test]
fn the_lab() {
    let layers = [("128", "8"), ("256", "16"), ("conv 64", "conv 4"), ("latent = 32", "latent = 16")];
    let recipe = small(Preset::Tp, layers, &[]);
    let dataset = data::open("strokes", &OpenOptions::default(), &mut |_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let size = lab::Size { epochs: 2, steps: 40, batch: 16 };
    let (d_loss, g_loss) = lab::walk(&recipe, dataset.as_ref(), &size, folder.path()).unwrap();
    // Eighty steps teach D something: it began at ln 2.
    assert!((0.01..0.68).contains(&d_loss), "D loss {d_loss}");
    assert!((0.3..6.0).contains(&g_loss), "G loss {g_loss}");
    let strip = image::open(folder.path().join("epoch-002.png")).unwrap();
    assert!(strip.width() >= 280 && strip.height() >= 28);
    assert!(folder.path().join("epoch-001.png").exists());
}

#[test]
fn draw_me_a_sheep() {
    let layers = [("128 ", "16 "), ("256 ", "8 "), ("*64", "*4"), ("7 7 64", "7 7 4")];
    let recipe = small(Preset::Fidle, layers, &["train.batch=16"]);
    let dataset = data::open("strokes", &OpenOptions::default(), &mut |_| {}).unwrap();
    let total = dataset.len() as u64;
    assert!(total > 1000);
    let folder = tempfile::tempdir().unwrap();
    let few = data::Subset::first(dataset, 320);
    let history = sheep::draw(recipe, few, 3, folder.path()).unwrap();
    assert_eq!((history.d_loss.len(), history.g_loss.len()), (3, 3));
    assert!(history.d_loss[2] < history.d_loss[0], "{:?}", history.d_loss);
    // A sheet per epoch, two nets, and the last picture.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
}
