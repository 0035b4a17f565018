//! Recipes as text, as structs, and as older programs wrote them, all through the same door.

use proptest::prelude::*;

use super::*;
use crate::data::LabelSettings;
use crate::doctor::Heal;
use crate::error::Result;
use crate::penalty::Penalty;
use crate::run::Run;
use crate::train::Event;

/// `config.toml` as written by the program before keys were renamed, with every key, none of those at its default.
const OLD_KEYS: &str = include_str!("old_keys.toml");

fn tp(changes: &[&str]) -> Result<Recipe> {
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Recipe::parse(Preset::Tp.text(), "tp", &changes)
}

#[test]
fn round_trips_with_every_key() {
    for preset in Preset::ALL {
        let recipe = Recipe::parse(preset.text(), preset.name(), &[]).unwrap();
        let text = recipe.to_toml().unwrap();
        assert!(text.contains("beta2") && text.contains("save_every"));
        assert_eq!(Recipe::parse(&text, "again", &[]).unwrap(), recipe);
        assert_eq!(recipe.changed(&[]).unwrap(), recipe);
    }
}

#[test]
fn changes_reach_nested_keys() {
    let recipe =
        tp(&["train.batch=8", "generator.adam.learning_rate=3e-4", "train.fake_batchnorm=moving", "data.source=x y"])
            .unwrap();
    assert_eq!(recipe.train.batch, 8);
    assert_eq!(recipe.generator.adam.learning_rate, 3e-4);
    assert_eq!(recipe.train.fake_batchnorm, FakeBatchnorm::Moving);
    assert_eq!(recipe.data.source, "x y");
    // Text stays text, quoted or not, and a group can be set as a whole.
    assert_eq!(tp(&["data.source=1"]).unwrap().data.source, "1");
    assert_eq!(tp(&["data.source=\"a=b\""]).unwrap().data.source, "a=b");
    assert_eq!(tp(&["train.penalties={r1=1, r2=2}", "train.penalties={}"]).unwrap().train.penalties.len(), 0);
    assert_eq!(tp(&["train.augment={ kinds = [\"cutout\"] }"]).unwrap().train.augment.kinds.len(), 1);
}

#[test]
fn bad_keys_and_values_are_named() {
    const BATCH: &str = "recipe key `train.batch`: expected a whole number from 1 to 65,536, got ";
    for (change, part) in [
        ("train.batch=0", format!("{BATCH}0")),
        ("train.batch=abc", format!("{BATCH}\"abc\"")),
        ("train.batch=-3", format!("{BATCH}-3")),
        ("train.batch=1.5", format!("{BATCH}1.5")),
        ("train.bacth=1", "there is no recipe key `train.bacth`; did you mean `train.batch`?".into()),
        ("Train.Batch=1", "there is no recipe key `Train.Batch`; did you mean `train.batch`?".into()),
        ("train.augment.kidns=[]", "did you mean `train.augment.kinds`?".into()),
        ("train.loss=wgna", "`relativistic`, got \"wgna\"".into()),
        ("latent=0", "recipe key `latent`: expected a whole number from 1 to 65,536, got 0".into()),
        ("train.noise=nan", "recipe key `train.noise`: expected a number from 0, below 10, got a number that".into()),
        (
            "generator.adam.learning_rate=-1",
            "`generator.adam.learning_rate`: expected a number above 0, at most 10, got -1".into(),
        ),
        ("discriminator.adam.beta2=1", "`discriminator.adam.beta2`: expected a number from 0, below 1, got 1".into()),
        ("train.ema=1", "`train.ema`: expected a number from 0, below 1, got 1".into()),
        ("latent.size=3", "`latent` is a value".into()),
        ("latent", "expected key=value".into()),
        ("=1", "there is no recipe key ``".into()),
        ("train=1", "recipe key `train`: expected a group of keys, got 1".into()),
        ("data.channels=2", "`data.channels`: expected 0, 1, 3 or 4, got 2".into()),
    ] {
        let error = tp(&[change]).unwrap_err();
        assert!(error.to_string().contains(&part), "{change}: {error}");
        assert!(error.to_string().starts_with("tp: "), "{error}");
        assert!(!error.hint().is_empty());
    }
    let missing = Recipe::parse("latent = 3\n[generator]\nlayers = []", "file.toml", &[]).unwrap_err().to_string();
    assert_eq!(missing, "file.toml: recipe key `discriminator.layers`: expected a list of texts, but it is missing");
}

/// Runs `work` with little stack, so that a recursion over its input ends the test.
fn with_little_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn the_depth_and_length_of_a_recipe_cost_no_stack() {
    with_little_stack(|| {
        const DEEP: usize = 60_000;
        let dots = |first: &str| format!("{first}{}", ".a".repeat(DEEP));
        for change in [
            format!("{}=1", dots("train")),
            format!("{}=1", dots("latent")),
            format!("{}=1", "train.".repeat(DEEP)),
            format!("{}=1", ".".repeat(DEEP)),
            format!("{}=1", "a".repeat(DEEP)),
            format!("train.batch={}", "[".repeat(DEEP)),
            format!("train.batch={}1{}", "[".repeat(DEEP), "]".repeat(DEEP)),
            format!("train.penalties={}1{}", "{a=".repeat(DEEP), "}".repeat(DEEP)),
            format!("train.penalties={{{}=1}}", dots("a")),
            format!("generator.layers=[\"{}\"]", "dense(".repeat(DEEP)),
            "a".repeat(DEEP),
        ] {
            let error = tp(&[&change]).and_then(|recipe| recipe.networks()).err().unwrap().to_string();
            assert!(error.len() < 1_000, "{} characters: {}", error.len(), &error[..1_000]);
        }
        for text in [
            format!("{} = 1", dots("a")),
            format!("[{}]", dots("a")),
            format!("[[{}]]", dots("a")),
            format!("[train]\n{} = 1", dots("a")),
            format!("latent = {}1{}", "[".repeat(DEEP), "]".repeat(DEEP)),
            format!("latent = {}1{}", "{a=".repeat(DEEP), "}".repeat(DEEP)),
            format!("latent = \"{}\"", "a".repeat(DEEP)),
            format!("{} = 1", "a".repeat(DEEP)),
        ] {
            let error = Recipe::parse(&text, "deep", &[]).err().unwrap().to_string();
            assert!(error.len() < 2_000, "{} characters: {}", error.len(), &error[..1_000]);
        }
    });
}

#[test]
fn a_quoted_name_with_dots_is_told_apart() {
    let text = format!("\"train.batch\" = 8\n{}", Preset::Tp.text());
    let error = Recipe::parse(&text, "mine", &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "mine: recipe key `train.batch`: its name is in quotes, which makes it one name; expected it without quotes"
    );
}

/// Pieces of keys and of values, put together at random.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(Key::all()).prop_map(|key| key.name.clone()),
        2 => proptest::sample::select(vec![
            ".", "=", "[", "]", "{", "}", "\"", "'", "\n", ",", "#", " ", "train", "generator.adam", "1", "-1", "1e999",
            "nan", "inf", "true", "\"a\"", "\\", "\0", "é", "\u{202e}", "1979-05-27", "0x", "_", "train.penalties.r1",
        ])
        .prop_map(String::from),
        1 => proptest::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        1 => (proptest::sample::select(vec![".a", "[", "{a=", "a", "\"", "="]), 1..3_000usize)
            .prop_map(|(text, times)| text.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is given is a recipe or a short error.
    #[test]
    fn no_change_does_harm(pieces in proptest::collection::vec(piece(), 0..8)) {
        let change = pieces.concat();
        if let Err(error) = tp(&[&change]) {
            prop_assert!(error.to_string().len() < 2_000, "{}", error.to_string().len());
        }
        if let Err(error) = Recipe::parse(&change, "text", &[]) {
            prop_assert!(error.to_string().len() < 2_000, "{}", error.to_string().len());
        }
    }
}

/// Pairs of another name that is read and the present one.
fn renamed() -> impl Iterator<Item = (&'static str, &'static Key)> {
    Key::all().iter().filter_map(|key| Some((key.old.as_deref()?, key)))
}

#[test]
fn a_run_of_before_keys_were_renamed_is_read() {
    let recipe = Recipe::parse(OLD_KEYS, "config.toml", &[]).unwrap();
    let direct: Recipe = toml::from_str(OLD_KEYS).unwrap();
    assert_eq!(direct, recipe, "serde reads it by itself, too");
    let train = &recipe.train;
    assert_eq!((train.label_flip, train.pac, train.n_critic, train.ema), (0.125, 2, 3, 0.75));
    assert_eq!((train.fake_batchnorm, train.joint_batch), (FakeBatchnorm::Moving, JointBatch::Apart));
    assert_eq!((recipe.generator.adam.learning_rate, recipe.discriminator.adam.learning_rate), (3e-4, 5e-5));
    let written = recipe.to_toml().unwrap();
    assert_eq!(Recipe::parse(&written, "new", &[]).unwrap(), recipe);
    let old: toml::Table = OLD_KEYS.parse().unwrap();
    let new: toml::Table = written.parse().unwrap();
    let at = |table: &toml::Table, name: &str| {
        let mut parts = name.split('.');
        let first = table.get(parts.next().unwrap()).cloned();
        parts.fold(first, |value, part| value.and_then(|value| value.get(part).cloned()))
    };
    for (earlier, key) in renamed().filter(|(name, _)| !name.contains("adam.beta_")) {
        assert!(at(&old, earlier).is_some() && at(&old, &key.name).is_none(), "the fixture lacks {earlier}");
        assert_eq!(at(&new, &key.name), at(&old, earlier), "{earlier}");
        assert!(at(&new, earlier).is_none(), "{earlier} is written");
    }
}

#[test]
fn earlier_names_can_be_set_in_text_in_code_and_by_a_log() {
    for (earlier, key) in renamed() {
        let value = match key.kind {
            Kind::Choice(words) => words[1].to_owned(),
            Kind::Switch | Kind::AutoSwitch => "false".into(),
            Kind::Integer { .. } => "2".into(),
            _ => "0.25".into(),
        };
        let typed = |name: &str| tp(&[&format!("{name}={value}")]).unwrap();
        assert_eq!(typed(earlier), typed(&key.name), "{earlier}");
        assert_ne!(typed(earlier), tp(&[]).unwrap(), "{earlier} changes something");
        let number: Option<toml::Value> =
            format!("v = {value}").parse().ok().and_then(|mut t: toml::Table| t.remove("v"));
        let value_in_code = number.unwrap_or_else(|| value.clone().into());
        assert_eq!(tp(&[]).unwrap().set(earlier, value_in_code).unwrap(), typed(&key.name), "{earlier}");
        let set = format!("\"set\":[\"{earlier}={value}\"]");
        assert_eq!(tp(&[]).unwrap().changed(&heal(&set).set).unwrap(), typed(&key.name), "{earlier}");
        let line = format!("{{{FINDING},{set}}}");
        let Event::Finding(finding) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
        assert_eq!(tp(&[]).unwrap().changed(&finding.set).unwrap(), typed(&key.name), "{earlier}");
    }
}

const FINDING: &str = r#""event":"finding","step":9,"name":"collapse","seen":"x","means":"y","advice":"z""#;
const HEAL: &str = r#""event":"heal","step":9,"name":"collapse","back_to":0,"remedy":"y""#;

fn heal(set: &str) -> Heal {
    let line = format!("{{{HEAL},{set}}}");
    let Event::Heal(heal) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
    heal
}

#[test]
fn a_run_folder_of_before_keys_were_renamed_is_read_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let set = r#""set":["train.packing=4","generator.adam.rate=0.25"]"#;
    std::fs::write(path("config.toml"), OLD_KEYS).unwrap();
    std::fs::write(path("events.jsonl"), format!("{{{HEAL},{set}}}\n")).unwrap();
    let run = Run::open(folder.path()).unwrap();
    let recipe = run.recipe(&[]).unwrap();
    assert_eq!(recipe, Recipe::parse(OLD_KEYS, "old", &[]).unwrap());
    assert_eq!(run.first_recipe().unwrap(), recipe);
    let [Event::Heal(heal)] = &run.events(None).unwrap()[..] else { panic!() };
    let healed = recipe.changed(&heal.set).unwrap();
    assert_eq!((healed.train.pac, healed.generator.adam.learning_rate), (4, 0.25));
    assert!(
        differences(&recipe, &recipe.changed(&["train.discriminator_steps=3".into()]).unwrap()).unwrap().is_empty()
    );
    run.write_recipe(&healed).unwrap();
    assert_eq!(run.recipe(&[]).unwrap(), healed);
    assert!(std::fs::read_to_string(path("config.toml")).unwrap().contains("\npac = 4\n"));
}

#[test]
fn a_key_by_both_of_its_names_is_refused() {
    const NETS: &str = "latent = 1\ngenerator = { layers = [] }\ndiscriminator = { layers = [] }\n";
    for (earlier, key) in renamed() {
        let (Some((group, old)), Some((_, new))) = (earlier.rsplit_once('.'), key.name.rsplit_once('.')) else {
            panic!()
        };
        let default = key.default.as_deref().unwrap();
        let quoted = matches!(key.kind, Kind::Choice(_) | Kind::AutoSwitch);
        let value = if quoted { format!("\"{default}\"") } else { default.to_owned() };
        let both = format!("{{ {old} = {value}, {new} = {value} }}");
        let text = match group.split_once('.') {
            Some((net, adam)) => NETS.replace(&format!("{net} = {{"), &format!("{net} = {{ {adam} = {both},")),
            None => format!("{NETS}{group} = {both}\n"),
        };
        let error = Recipe::parse(&text, "both", &[]).unwrap_err().to_string();
        let (said, earlier) = (format!("recipe key `{}`: it is given twice", key.name), format!("`{earlier}`"));
        assert!(error.contains(&said) && error.contains(&earlier), "{error}");
    }
}

/// Puts a number into a field.
type Put = fn(&mut Recipe, f64);

/// Every field that holds a number, by a way to put a value into it. Values that its type can't hold are cut to it.
const NUMBERS: &[(&str, Put)] = &[
    ("latent", |r, v| r.latent = v as usize),
    ("data.count", |r, v| r.data.count = v as usize),
    ("data.size", |r, v| r.data.size = ImageSize::square(v as usize)),
    ("data.channels", |r, v| r.data.channels = v as usize),
    ("generator.adam.learning_rate", |r, v| r.generator.adam.learning_rate = v),
    ("generator.adam.beta1", |r, v| r.generator.adam.beta1 = v),
    ("generator.adam.beta2", |r, v| r.generator.adam.beta2 = v),
    ("generator.adam.epsilon", |r, v| r.generator.adam.epsilon = v),
    ("generator.adam.clip", |r, v| r.generator.adam.clip = v),
    ("generator.adam.warmup", |r, v| r.generator.adam.warmup = v as u64),
    ("generator.adam.decay_updates", |r, v| r.generator.adam.decay_updates = v as u64),
    ("discriminator.adam.learning_rate", |r, v| r.discriminator.adam.learning_rate = v),
    ("discriminator.adam.beta1", |r, v| r.discriminator.adam.beta1 = v),
    ("discriminator.adam.beta2", |r, v| r.discriminator.adam.beta2 = v),
    ("discriminator.adam.epsilon", |r, v| r.discriminator.adam.epsilon = v),
    ("discriminator.adam.clip", |r, v| r.discriminator.adam.clip = v),
    ("discriminator.adam.warmup", |r, v| r.discriminator.adam.warmup = v as u64),
    ("discriminator.adam.decay_updates", |r, v| r.discriminator.adam.decay_updates = v as u64),
    ("train.smoothing", |r, v| r.train.smoothing = v),
    ("train.label_noise", |r, v| r.train.label_noise = v),
    ("train.label_flip", |r, v| r.train.label_flip = v),
    ("train.penalties.wgan-gp", |r, v| penalty(r, Penalty::WganGp, v)),
    ("train.penalties.r1", |r, v| penalty(r, Penalty::R1, v)),
    ("train.penalties.r2", |r, v| penalty(r, Penalty::R2, v)),
    ("train.penalties.dragan", |r, v| penalty(r, Penalty::Dragan, v)),
    ("train.penalty_every", |r, v| r.train.penalty_every = v as u64),
    ("train.weight_clip", |r, v| r.train.weight_clip = v),
    ("train.noise", |r, v| r.train.noise = v),
    ("train.noise_steps", |r, v| r.train.noise_steps = v as u64),
    ("train.pac", |r, v| r.train.pac = v as usize),
    ("train.label_weight", |r, v| r.train.label_weight = v),
    ("train.augment.probability", |r, v| r.train.augment.probability = v),
    ("train.augment.target", |r, v| r.train.augment.target = v),
    ("train.augment.reach", |r, v| r.train.augment.reach = v as u64),
    ("train.batch", |r, v| r.train.batch = v as usize),
    ("train.slices", |r, v| r.train.slices = v as usize),
    ("train.epochs", |r, v| r.train.epochs = v as u64),
    ("train.steps", |r, v| r.train.steps = v as u64),
    ("train.n_critic", |r, v| r.train.n_critic = v as u64),
    ("train.seed", |r, v| r.train.seed = v as u64),
    ("train.ema", |r, v| r.train.ema = v),
    ("train.sheet_every", |r, v| r.train.sheet_every = v as u64),
    ("train.keep_every", |r, v| r.train.keep_every = v as u64),
    ("train.save_every", |r, v| r.train.save_every = v as u64),
    ("train.held_out", |r, v| r.train.held_out = v),
    ("train.heal", |r, v| r.train.heal = v as u64),
];

fn penalty(recipe: &mut Recipe, penalty: Penalty, weight: f64) {
    recipe.train.penalties.insert(penalty, weight);
}

const VALUES: [f64; 14] =
    [0.0, -0.0, 1.0, 2.0, 3.0, 64.0, 0.3, 1e-60, 0.999_999_999_9, -1.0, 7.5, 1e300, f64::INFINITY, f64::NAN];

#[test]
fn every_number_is_put_to_the_test() {
    let numeric =
        |key: &&Key| matches!(key.kind, Kind::Number { .. } | Kind::Integer { .. } | Kind::OneOf(_) | Kind::Size);
    let keys: Vec<&str> = Key::all().iter().filter(numeric).map(|key| key.name.as_str()).collect();
    assert_eq!(NUMBERS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), keys);
    // Out of range alone: refused, and by its own name.
    let first = |name: &str| if name.starts_with("train.penalties") { 0.0 } else { f64::NAN };
    for (name, put) in NUMBERS {
        for value in [first(name), -1.0, f64::INFINITY] {
            let mut recipe = tp(&[]).unwrap();
            put(&mut recipe, value);
            if let Err(error) = recipe.validate() {
                assert!(error.to_string().contains(&format!("`{name}`")), "{name} = {value}: {error}");
            } else {
                let whole = Key::find(name).is_ok_and(|key| !matches!(key.kind, Kind::Number { .. }));
                assert!(whole && value.is_nan() | (value < 0.0), "{name} = {value} is accepted");
            }
        }
    }
}

/// Texts that TOML has to quote, and a few that are layers.
fn texts() -> impl Strategy<Value = String> {
    const WORDS: [&str; 12] = ["", "dense 1", "flatten", "relu", "\"", "\\", "\n", "\t", "#", "=", "\u{0}", "\u{e9}"];
    proptest::collection::vec(0..WORDS.len(), 0..4).prop_map(|at| at.into_iter().map(|at| WORDS[at]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// A recipe that passes can be written and read back; one that doesn't is refused; neither panics, nor do its nets.
    #[test]
    fn whatever_is_built_passes_or_is_refused(
        changes in proptest::collection::vec((0..NUMBERS.len(), 0..VALUES.len()), 0..5),
        source in texts(),
        lines in proptest::collection::vec(texts(), 0..4),
        names in proptest::collection::vec(texts(), 0..3),
        shares in proptest::collection::vec(0..VALUES.len(), 0..3),
        keep in 0..4u8,
    ) {
        let mut recipe = tp(&[]).unwrap();
        recipe.data.source = source;
        if keep == 0 {
            recipe.generator.layers = lines;
            recipe.labels = LabelSettings::attributes(names);
            recipe.labels.shares = shares.into_iter().map(|at| VALUES[at]).collect();
        }
        for (field, value) in changes {
            NUMBERS[field].1(&mut recipe, VALUES[value]);
        }
        let _ = recipe.networks();
        if recipe.validate().is_ok() {
            let text = recipe.to_toml().unwrap();
            let again = Recipe::parse(&text, "again", &[]);
            prop_assert_eq!(again.map_err(|e| e.to_string()), Ok(recipe));
        }
    }
}
