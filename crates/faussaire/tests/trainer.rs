//! The trainer through its public door: exact resume, pulled or run, a program's own data, stops, heals, judges.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use faussaire::data::{ImageShape, InMemory, OpenOptions};
use faussaire::judging;
use faussaire::recipe::Conditional;
use faussaire::run::{Run, Sampler};
use faussaire::train::{Ending, Event, Limits, Request};
use faussaire::trainer::{Data, Options, resumed_recipe};
use faussaire::{Device, Error, Gan, Recipe, Trainer};

/// Nets for 8 x 8 images whose steps take a millisecond.
const TINY: &str = r#"
latent = 4
[generator]
layers = ["dense 4*4*4", "reshape 4 4 4", "batchnorm", "relu", "upsample 2", "conv 1 3x3", "sigmoid"]
[discriminator]
layers = ["conv 4 3x3 stride 2", "leakyrelu 0.2", "flatten", "dropout 0.2", "dense 1"]
[train]
batch = 8
precision = "f32"
"#;

fn unlabelled() -> InMemory {
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    let bytes = (0..96 * shape.len()).map(|at| ((at * at / 7) % 256) as u8).collect();
    InMemory::from_bytes("my shapes", shape, bytes).unwrap()
}

fn images() -> InMemory {
    let labels = (0..96).map(|at| at % 3).collect();
    unlabelled().with_labels(labels, ["a", "b", "c"].map(String::from).to_vec()).unwrap()
}

fn recipe(changes: &[&str]) -> Recipe {
    Recipe::parse(TINY, "tiny", &changes.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

fn steps(steps: u64) -> Options {
    Options::default().limits(Limits::steps(steps))
}

fn go_on(_: &Event, _: &Gan) -> faussaire::Result<Request> {
    Ok(Request::Continue)
}

/// All weights of both nets and of the average, bit by bit.
fn bits(gan: &Gan) -> Vec<u32> {
    let averaged = gan.averaged();
    let weights = [&gan.generator.weights, &gan.discriminator.weights, &averaged];
    let tensors = weights.into_iter().flat_map(|weights| weights.tensors().to_vec());
    tensors.flat_map(|tensor| tensor.into_data().iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()).collect()
}

#[test]
fn a_trainer_can_be_handed_to_another_thread() {
    let mut trainer = Trainer::new(recipe(&[]), images(), &steps(3)).unwrap();
    let trainer = std::thread::spawn(move || trainer.run(go_on).map(|_| trainer)).join().unwrap().unwrap();
    assert_eq!(trainer.gan().progress.step, 3);
}

#[test]
fn a_resumed_run_is_the_run_that_was_not_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let mut trainer = Trainer::new(recipe(&[]), images(), &steps(30)).unwrap().at(&whole).unwrap();
    assert_eq!(trainer.run(go_on).unwrap(), Ending::Complete);

    let mut first = Trainer::new(recipe(&[]), images(), &steps(13)).unwrap().at(&parts).unwrap();
    first.run(go_on).unwrap();
    let error = Trainer::resume(Run::open(&parts).unwrap(), images(), &steps(30)).unwrap_err();
    assert!(error.to_string().contains("is being trained"), "{error}");
    drop(first);
    let mut second = Trainer::resume(Run::open(&parts).unwrap(), images(), &steps(30)).unwrap();
    assert!(second.is_resumed() && second.gan().progress.step == 13 && !second.is_complete());
    second.run(go_on).unwrap();
    assert_eq!(bits(second.gan()), bits(trainer.gan()));
    assert_ne!(bits(second.gan()), bits(&Gan::new(recipe(&[]), Arc::new(images()), &steps(0).device).unwrap()));
    // Complete: nothing more happens, until it is to go on.
    assert_eq!(second.step().unwrap(), None);
    second.extend(Limits::steps(31));
    assert_eq!(second.run(go_on).unwrap(), Ending::Complete);
    assert_eq!(second.gan().progress.step, 31);
    assert!(second.report().unwrap().contains("<html"));
}

/// The files of a checkpoint, but its state.
fn files(run: &Path, checkpoint: &str) -> Vec<(String, Vec<u8>)> {
    let folder = run.join("checkpoints").join(checkpoint);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "safetensors"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert_eq!(files.len(), 5);
    files
}

/// What a run comes to: its checkpoints, the numbers beside them, its scores, findings and heals.
fn outcome(path: &Path) -> impl PartialEq + std::fmt::Debug + use<> {
    let run = Run::open(path).unwrap();
    let states = ["latest", "best"].map(|name| {
        let state = faussaire::run::state(&run.checkpoint(name)).unwrap().1;
        let bits = (state.best.map(f64::to_bits), state.augment.to_bits());
        (state.step, state.images, state.generator_updates, state.discriminator_updates, bits, state.off_schedule)
    });
    let mut events = run.events(None).unwrap();
    events.retain(|event| {
        matches!(event, Event::Score { .. } | Event::Finding(_) | Event::Heal(_) | Event::Sheet { .. })
    });
    (files(path, "latest"), files(path, "best"), states, events)
}

/// Scores, sheets, the best checkpoint and heals follow the steps, wherever a run was stopped, whatever was planned until then.
#[test]
fn where_a_run_was_stopped_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A discriminator that learns nothing, which the doctor finds after some windows: there is a best checkpoint to go back to.
    let helpless = ["discriminator.adam.learning_rate=1e-7", "train.heal=3", "train.sheet_every=2"];
    let kinds: [(&str, &[&str], Options); 5] = [
        ("plain", &["train.sheet_every=3"], Options::default()),
        ("healed", &helpless, Options::default()),
        ("conditional", &helpless, Options::default().conditional(Conditional::Concat)),
        (
            "augmented",
            &[
                "train.sheet_every=2",
                "train.augment.kinds=[\"translation\"]",
                "train.augment.target=0.3",
                "train.augment.reach=900",
                "train.augment.probability=0.1",
            ],
            Options::default(),
        ),
        ("held out", &["train.sheet_every=5", "train.held_out=0.2", "train.heal=1"], Options::default()),
    ];
    let mut healed = 0;
    for (name, changes, options) in kinds {
        let until = |steps: u64| options.clone().limits(Limits::steps(steps));
        let begin =
            |path: &Path, steps| Trainer::new(recipe(changes), images(), &until(steps)).unwrap().at(path).unwrap();
        let [whole, parts, extended] =
            ["whole", "parts", "extended"].map(|of| folder.path().join(format!("{name} {of}")));
        begin(&whole, 310).run(go_on).unwrap();
        healed +=
            Run::open(&whole).unwrap().events(None).unwrap().iter().filter(|e| matches!(e, Event::Heal(_))).count();

        begin(&parts, 17).run(go_on).unwrap();
        for (steps, stop_at) in [(1000, 61), (150, 149), (152, u64::MAX), (310, u64::MAX)] {
            let mut trainer = Trainer::resume(Run::open(&parts).unwrap(), images(), &until(steps)).unwrap();
            assert_eq!(trainer.remarks(), [""; 0]);
            let stop =
                |_: &Event, gan: &Gan| Ok(if gan.progress.step == stop_at { Request::Stop } else { Request::Continue });
            trainer.run(stop).unwrap();
        }
        assert_eq!(outcome(&parts), outcome(&whole), "{name}");

        // In one process, too.
        if name != "healed" {
            continue;
        }
        let mut trainer = begin(&extended, 17);
        for steps in [17, 61, 150, 151, 310] {
            trainer.extend(Limits::steps(steps));
            trainer.run(go_on).unwrap();
        }
        assert_eq!(outcome(&extended), outcome(&whole), "{name}");
    }
    assert!(healed >= 2, "the test is of heals, too");
}

#[test]
fn the_best_at_an_end_is_forgotten_where_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    let at = |name: &str| faussaire::run::state(&path.join("checkpoints").join(name)).map(|(_, state)| state);
    let resumed = |until: u64| Trainer::resume(Run::open(&path).unwrap(), images(), &steps(until)).unwrap();
    // The first end is before the first score on schedule, at step 24.
    let mut trainer = Trainer::new(recipe(&["train.sheet_every=2"]), images(), &steps(7)).unwrap().at(&path).unwrap();
    trainer.run(go_on).unwrap();
    drop(trainer);
    assert!(at("best").is_ok_and(|best| best.off_schedule && best.step == 7 && best.best.is_none()));
    // Without a step nothing is forgotten.
    drop(resumed(7));
    assert!(at("best").is_ok_and(|best| best.step == 7));
    let mut trainer = resumed(25);
    trainer.step().unwrap();
    assert!(at("best").is_err(), "{:?}", at("best"));
    trainer.run(go_on).unwrap();
    drop(trainer);
    let scheduled =
        |name: &str| at(name).is_ok_and(|best| !best.off_schedule && best.step == 24 && best.best.is_some());
    // Step 25 is scored, too; whichever is the better one, the scheduled one is there.
    assert!(scheduled("best") || scheduled("best.on-schedule"));
    let names = Run::open(&path).unwrap().checkpoint_names().unwrap();
    assert_eq!(names.iter().filter(|name| name.starts_with("best")).count(), 1, "{names:?}");
    // It goes on, and doesn't end again.
    resumed(28).step().unwrap();
    assert!(scheduled("best") && at("best.on-schedule").is_err());
}

#[test]
fn pulled_and_run_make_the_same_steps_and_events() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        Trainer::new(recipe(&["train.sheet_every=1"]), images(), &steps(26)).unwrap().at(&folder.path().join(name))
    };
    let (mut run, mut pulled) = (start("run").unwrap(), start("pulled").unwrap());
    let mut told = Vec::new();
    run.run(|event, _| {
        told.push(event.clone());
        Ok(Request::Continue)
    })
    .unwrap();
    let mut calls = 0;
    let mut events = Vec::new();
    while let Some(of_step) = pulled.step().unwrap() {
        assert_eq!(of_step.iter().filter(|event| matches!(event, Event::Step(_))).count(), 1);
        calls += 1;
        events.extend(of_step);
    }
    assert_eq!((calls, events.len()), (26, told.len()));
    assert_eq!(bits(run.gan()), bits(pulled.gan()));
    let kinds = |events: &[Event]| events.iter().map(std::mem::discriminant).collect::<Vec<_>>();
    assert_eq!(kinds(&events), kinds(&told));
    assert!(
        matches!(events[0], Event::Start { step: 0, .. }) && events.iter().any(|e| matches!(e, Event::Score { .. }))
    );
    // Without a folder, too.
    let mut memory = Trainer::new(recipe(&[]), images(), &steps(26)).unwrap();
    memory.run(go_on).unwrap();
    assert_eq!(bits(memory.gan()), bits(run.gan()));
}

#[test]
fn a_programs_own_data_are_never_taken_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    let mut trainer = Trainer::new(recipe(&[]), unlabelled(), &steps(4)).unwrap().at(&path).unwrap();
    trainer.run(go_on).unwrap();
    drop(trainer);
    let run = Run::open(&path).unwrap();
    let kept = resumed_recipe(&run, &[]).unwrap();
    assert_eq!(kept.data.source, "memory:my shapes");
    let refused = |error: Error| {
        assert!(error.to_string().contains("this run was trained on data in memory (my shapes)"), "{error}");
        assert!(error.hint().contains("pass the same images"), "{}", error.hint());
    };
    refused(Data::open(&kept, &mut |_| ()).unwrap_err());
    refused(judging::run(&judging::Options::of(path.to_string_lossy()).n(60), &mut |_| ()).unwrap_err());
    // Handed over, they are judged against.
    let reference = judging::Reference::new(Arc::new(unlabelled()), None);
    let options = judging::Options::of(path.to_string_lossy()).n(60).reference(reference);
    let judged = judging::run(&options, &mut |_| ()).unwrap();
    assert_eq!((judged.real.as_str(), judged.split), ("my shapes", "train"));
    // Other images are refused.
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    let others = InMemory::from_bytes("others", shape, vec![9; 96 * 64]).unwrap();
    let error = Trainer::resume(run, others, &steps(8)).unwrap_err();
    assert!(error.to_string().contains("not the one that this run was started with"), "{error}");
}

#[test]
fn a_run_on_named_data_says_so() {
    let ring = Recipe::parse(faussaire::Preset::Ring.text(), "ring", &[]).unwrap();
    let trainer = Trainer::new(ring.clone(), Data::open(&ring, &mut |_| ()).unwrap(), &steps(1)).unwrap();
    assert_eq!(trainer.gan().recipe.data, ring.data);
    let own = faussaire::data::open("ring", &OpenOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(Trainer::new(ring, own, &steps(1)).unwrap().gan().recipe.data.source, "memory:ring");
}

#[test]
fn a_training_stops_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let mut trainer = Trainer::new(recipe(&[]), images(), &Options::default()).unwrap();
    // Without limits.
    assert!(trainer.run(go_on).unwrap_err().to_string().contains("not limited"));
    trainer = trainer.at(&path).unwrap().stop_when(move || asked.load(Ordering::SeqCst));
    let ending = trainer.run(|event, _| {
        if matches!(event, Event::Step(report) if report.step == 7) {
            stop.store(true, Ordering::SeqCst);
        }
        Ok(Request::Continue)
    });
    assert_eq!((ending.unwrap(), trainer.gan().progress.step), (Ending::Stopped, 7));
    assert!(path.join("checkpoints/latest/state.json").is_file() && path.join("report.html").is_file());
    // A watcher's own error comes through, and the training can go on.
    let mut memory = Trainer::new(recipe(&[]), images(), &steps(5)).unwrap();
    let error = memory
        .run(|_, gan| if gan.progress.step == 3 { Err(Error::usage("enough", "")) } else { Ok(Request::Continue) });
    assert_eq!(error.unwrap_err().to_string(), "enough");
    memory.extend(Limits::steps(5));
    assert_eq!((memory.run(go_on).unwrap(), memory.gan().progress.step), (Ending::Complete, 5));
    // Pulled, it is ended by `finish`.
    let mut pulled =
        Trainer::new(recipe(&[]), images(), &Options::default()).unwrap().at(&folder.path().join("pulled")).unwrap();
    pulled.step().unwrap();
    let last = pulled.finish().unwrap();
    assert!(matches!(last.as_slice(), [Event::End { step: 1, .. }, ..]), "{last:?}");
    assert_eq!(pulled.step().unwrap(), None);
    assert!(folder.path().join("pulled/checkpoints/latest/state.json").is_file());
}

/// A recipe whose losses leave all bounds within a few steps: a deep discriminator at an absurd rate.
fn wild(heal: u64) -> Recipe {
    let deep =
        format!("discriminator.layers=[\"flatten\", {}\"dense 1\"]", "\"dense 8\", \"leakyrelu 0.2\", ".repeat(24));
    let heal = format!("train.heal={heal}");
    recipe(&[
        &deep,
        &heal,
        "train.loss=least-squares",
        "generator.adam.learning_rate=10",
        "discriminator.adam.learning_rate=10",
    ])
}

fn diverge(trainer: &mut Trainer) -> Vec<Event> {
    let mut events = Vec::new();
    // Healed once, it may well diverge again.
    while let Ok(Some(more)) = trainer.step() {
        events.extend(more);
        if events.iter().any(|event| matches!(event, Event::Heal(_))) {
            break;
        }
    }
    events
}

#[test]
fn a_failing_training_is_healed_in_a_folder_and_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    let mut in_folder = Trainer::new(wild(1), images(), &steps(200)).unwrap().at(&path).unwrap();
    let mut in_memory = Trainer::new(wild(1), images(), &steps(200)).unwrap();
    for trainer in [&mut in_folder, &mut in_memory] {
        let events = diverge(trainer);
        let heal =
            events.iter().find_map(|event| if let Event::Heal(heal) = event { Some(heal) } else { None }).unwrap();
        assert_eq!((heal.back_to, &heal.checkpoint), (0, &None));
        assert_eq!((trainer.heals().len(), trainer.gan().progress.step), (1, 0));
        assert!(!trainer.findings().is_empty());
        assert!(trainer.gan().recipe.generator.adam.learning_rate < 10.0, "the rate was lowered");
    }
    assert_eq!(bits(in_folder.gan()), bits(in_memory.gan()));
    assert!(path.join("config.first.toml").is_file());
    let healed = in_folder.gan().recipe.clone();
    drop(in_folder);
    // A kill that kept the heal from config.toml: it is made again from the log.
    std::fs::copy(path.join("config.first.toml"), path.join("config.toml")).unwrap();
    let run = Run::open(&path).unwrap();
    assert_eq!(resumed_recipe(&run, &[]).unwrap().generator.adam, healed.generator.adam);
    let resumed = Trainer::resume(run, images(), &steps(200)).unwrap();
    assert_eq!((resumed.heals().len(), &resumed.gan().recipe.train), (1, &healed.train));
}

#[test]
fn a_divergence_is_an_error_that_leaves_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wild");
    let mut trainer = Trainer::new(wild(0), images(), &steps(200)).unwrap().at(&path).unwrap();
    let error = trainer.run(go_on).unwrap_err();
    assert!(matches!(error, Error::Diverged { .. }), "{error}");
    assert!(path.join("report.html").is_file());
    assert_eq!(trainer.step().unwrap(), None);
}

#[test]
fn labels_are_filled_in_and_unfit_changes_refused() {
    let options = steps(2).conditional(Conditional::Concat);
    let mut told = Trainer::new(recipe(&[]), images(), &options).unwrap();
    assert_eq!((told.gan().recipe.labels.names.join(""), told.gan().recipe.labels.shares.len()), ("abc".into(), 3));
    told.run(go_on).unwrap();
    let folder = tempfile::tempdir().unwrap();
    begun(&folder.path().join("mine"));
    let run = Run::open(&folder.path().join("mine")).unwrap();
    let error = resumed_recipe(&run, &["train.batch=4".into()]).unwrap_err();
    assert!(error.to_string().contains("train.batch"), "{error}");
    assert_eq!(resumed_recipe(&run, &["train.steps=9".into()]).unwrap().train.steps, 9);
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    begun(&path);
    let mut trainer = Trainer::resume(Run::open(&path).unwrap(), images(), &steps(6)).unwrap();
    assert!(!trainer.is_resumed());
    trainer.run(go_on).unwrap();
    let mut other = Trainer::new(recipe(&[]), images(), &steps(6)).unwrap();
    other.run(go_on).unwrap();
    assert_eq!(bits(trainer.gan()), bits(other.gan()));
    drop(trainer);
    // But not where checkpoints were there and the latest is lost.
    let checkpoints = path.join("checkpoints");
    std::fs::rename(checkpoints.join("latest"), checkpoints.join("kept")).unwrap();
    let error = Trainer::resume(Run::open(&path).unwrap(), images(), &steps(9)).unwrap_err();
    assert!(error.to_string().contains("is missing, but there are other checkpoints"), "{error}");
}

/// A run folder without a checkpoint.
fn begun(path: &Path) {
    drop(Trainer::new(recipe(&[]), images(), &steps(1)).unwrap().at(path).unwrap());
}

#[test]
fn a_judge_scores_a_training_in_memory() {
    let judged = recipe(&["train.judge=true", "train.sheet_every=1"]);
    let mut trainer = Trainer::new(judged, unlabelled(), &steps(12)).unwrap();
    let mut scores = Vec::new();
    trainer
        .run(|event, _| {
            if let Event::Score { step, name, .. } = event {
                scores.push((*step, name.to_string()));
            }
            Ok(Request::Continue)
        })
        .unwrap();
    let (step, name) = scores.first().unwrap();
    assert_eq!(*step, 12);
    assert!(name.starts_with("frechet-1000-my-shapes-random-convnet"), "{name}");
    assert!(trainer.scoring_time().as_nanos() > 0);
}

#[test]
fn a_sampler_in_memory_draws_what_its_checkpoint_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let options = steps(3).conditional(Conditional::Concat);
    let mut trainer = Trainer::new(recipe(&[]), images(), &options).unwrap().at(&path).unwrap();
    trainer.run(go_on).unwrap();
    let run = Run::open(&path).unwrap();
    let memory = Sampler::of(trainer.gan()).unwrap();
    let saved = Sampler::open(&run, "latest", &Device::cpu()).unwrap();
    assert_eq!((memory.step, saved.step), (3, 3));
    assert_eq!(memory.draw(70, 4).unwrap(), saved.draw(70, 4).unwrap());
    let b = memory.draw_class("b", 9, 4).unwrap();
    assert_eq!(b, saved.draw_class("b", 9, 4).unwrap());
    assert_ne!(b, memory.draw_class("a", 9, 4).unwrap());
    let z = memory.noise(4, 0, 2);
    let refused = |labels| memory.values(&z, labels).unwrap_err().to_string();
    assert!(refused(Some(&[1.0; 3])).contains("3 label values for 2 images, expected 3 each"));
    assert!(refused(None).contains("0 label values for 2 images, expected 3 each"));
}
