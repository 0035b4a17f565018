//! Playing with a run that was really trained, if only for a moment.

#![allow(clippy::unwrap_used)]

use faussaire::data::Strokes;
use faussaire::metrics::Classifier;
use faussaire::metrics::classifier::Training;
use faussaire::play::{Expert, Inversion, directions, label_directions};
use faussaire::run::{Run, Sampler};
use faussaire::train::Request;
use faussaire::trainer::{Data, Options};
use faussaire::{Device, Recipe, Trainer};

const RECIPE: &str = r#"
latent = 8
[data]
source = "strokes"
[generator]
layers = ["dense 7*7*16", "reshape 7 7 16", "batchnorm", "relu", "upsample 2", "conv 16 3x3", "relu", "upsample 2", "conv 1 3x3", "sigmoid"]
adam = { learning_rate = 2e-3, beta1 = 0.5 }
[discriminator]
layers = ["conv 16 4x4 stride 2", "leakyrelu 0.2", "conv 16 4x4 stride 2", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"]
adam = { learning_rate = 2e-3, beta1 = 0.5 }
[train]
batch = 32
steps = 60
ema = 0.9
"#;

fn trained(folder: &std::path::Path) -> Run {
    let recipe = Recipe::parse(RECIPE, "test", &[]).unwrap();
    let mut trainer =
        Trainer::new(recipe, Data::own(Strokes::new(1, 2000)), &Options::default()).unwrap().at(folder).unwrap();
    trainer.run(|_, _| Ok(Request::Continue)).unwrap();
    Run::open(folder).unwrap()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn a_trained_run_can_be_played_with() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(&folder.path().join("run"));
    let device = Device::cpu();
    let sampler = Sampler::open(&run, "latest", &device).unwrap();

    // SeFa: an orthonormal basis, strongest first.
    let found = directions(&sampler, 99);
    assert_eq!(found.len(), 8);
    for (i, a) in found.iter().enumerate() {
        for (j, b) in found.iter().enumerate() {
            let want = if i == j { 1.0 } else { 0.0 };
            assert!((dot(&a.vector, &b.vector) - want).abs() < 1e-4, "{i} {j}");
        }
    }
    assert!(found.windows(2).all(|pair| pair[0].strength >= pair[1].strength));
    assert!((found.iter().map(|d| d.strength).sum::<f32>() - 1.0).abs() < 1e-4);

    // The way back: from an image of its own to noise that draws it.
    let z = sampler.noise(5, 3, 1);
    let target = sampler.values(&z, None).unwrap();
    let mut search = Inversion::new(&sampler, &target, &[], 1).unwrap();
    let first = search.step(&sampler, 0).unwrap();
    let last = search.step(&sampler, 150).unwrap();
    assert_eq!((first.step, last.step), (0, 150));
    assert!(last.error < 0.4 * first.error, "{} -> {}", first.error, last.error);
    assert_eq!(last.image, sampler.values(&last.z, None).unwrap(), "the image is that of its noise");
    assert!(Inversion::new(&sampler, &target[1..], &[], 1).is_err());

    // The expert: its scores are those of its net, so real images it has learnt and noise differ.
    let expert = Expert::open(&run, "latest", &device).unwrap();
    let scores = expert.scores(&target.repeat(70), &[]).unwrap();
    assert_eq!((scores.len(), expert.step), (70, 60));
    assert!(scores.iter().all(|s| s.is_finite() && (s - scores[0]).abs() < 1e-4));
    assert!(expert.scores(&target[1..], &[]).is_err());
    assert!(Expert::open(&run, "epoch-9999", &device).is_err());
}

#[test]
fn labels_point_the_way() {
    /// Drawn on either side: enough that the rise is several times what chance does.
    const IMAGES: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let run = trained(&folder.path().join("run"));
    let sampler = Sampler::open(&run, "latest", &Device::cpu()).unwrap();
    let set = Strokes::new(1, 1500);
    let training = Training { epochs: 2, ..Training::default() };
    let judge = Classifier::train(&set, &set, training, &Device::cpu(), &mut |_| ()).unwrap();
    let found = label_directions(&sampler, &judge, 600).unwrap();
    assert!(!found.is_empty());
    // Going a direction's way raises what it stands for, against going the other way.
    let strongest = found.iter().max_by(|a, b| a.strength.total_cmp(&b.strength)).unwrap();
    let label = judge.labels().names.iter().position(|name| *name == strongest.name).unwrap();
    let seen = |sign: f32| {
        let noise = sampler.noise(9, 0, IMAGES);
        let noise: Vec<f32> = noise.iter().zip(strongest.vector.iter().cycle()).map(|(z, d)| z + sign * d).collect();
        let verdicts = judge.predict(&sampler.values(&noise, None).unwrap()).unwrap();
        verdicts.probabilities.iter().skip(label).step_by(judge.labels().names.len()).sum::<f32>() / IMAGES as f32
    };
    let (more, less) = (seen(1.0), seen(-1.0));
    println!("{}: {less} -> {more}", strongest.name);
    assert!(more > less + 0.01, "{}: {less} -> {more}", strongest.name);
}
