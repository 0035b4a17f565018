//! Words: those of Keras and PyTorch are read, and a mistyped word of any kind gets a suggestion.

#![allow(clippy::unwrap_used)]

mod common;

use common::Bench;

/// The tiny recipe in Keras's words.
const KERAS: &str = r#"
latent_dim = 8
[generator]
layers = [
    "Input(shape=(8,))",
    "Dense(7*7*4)", "Reshape((7, 7, 4))", "BatchNormalization()", "LeakyReLU(negative_slope=0.2)",
    "UpSampling2D(2)", "Conv2D(6, (3, 3), padding='same')", "BatchNormalization()", "LeakyReLU(alpha=0.2)",
    "Conv2DTranspose(4, 4, strides=2, padding='same')", "BatchNormalization()", "ReLU()",
    "Conv2D(1, 5, padding='same', activation='sigmoid')",
]
adam = { lr = 1e-3, beta_1 = 0.5 }
[discriminator]
layers = [
    "layers.Conv2D(4, kernel_size=4, strides=2, padding='same', input_shape=(28, 28, 1))", "LeakyReLU(0.2)",
    "layers.Conv2D(filters=8, kernel_size=4, strides=(2, 2), padding='same')", "LeakyReLU(0.2)",
    "Flatten()", "Dropout(0.2)", "Dense(1, activation='sigmoid')",
]
adam = { learning_rate = 1e-3, betas = [0.5, 0.999] }
[train]
loss = "binary_crossentropy"
batch_size = 8
steps = 12
precision = "f32"
"#;

#[test]
fn a_recipe_in_keras_words_trains_to_the_same_weights() {
    let bench = Bench::new();
    std::fs::write(bench.path("keras.toml"), KERAS).unwrap();
    bench.ok(&["train", "--config", "keras.toml", "--run", "keras", "--steps", "3", "--quiet"]);
    bench.train("ours", &["--steps", "3"]);
    assert_eq!(bench.weights("keras"), bench.weights("ours"));
    let written = std::fs::read_to_string(bench.path("keras/config.toml")).unwrap();
    for ours in ["latent = 8", "batch = 8", "loss = \"nonsaturating\"", "learning_rate = 0.001", "beta1 = 0.5"] {
        assert!(written.contains(ours), "{ours} in\n{written}");
    }
}

#[test]
fn mistyped_words_get_a_suggestion() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "2"]);
    for (name, from, to) in [
        ("layer", "\"flatten\"", "\"flaten\""),
        ("option", "upsample 2\"", "upsample 2 biliner\""),
        ("keras", "\"flatten\"", "\"Flaten()\""),
        ("argument", "\"flatten\"", "\"Conv2D(8, 3, stride=2)\""),
        ("torch", "\"flatten\"", "\"nn.Conv2d(8, 8, 3, paddding=1)\""),
        ("activation", "\"flatten\"", "\"Dense(8, activation='rleu')\""),
    ] {
        std::fs::write(bench.path(&format!("{name}.toml")), common::TINY.replace(from, to)).unwrap();
    }
    let set = |change: &'static str| vec!["train", "--config", "tiny.toml", "--set", change];
    let recipe = |file: &'static str| vec!["train", "--config", file];
    for (arguments, meant) in [
        (recipe("layer.toml"), "`flatten`"),
        (recipe("option.toml"), "`bilinear`"),
        (recipe("keras.toml"), "`Flatten`"),
        (recipe("argument.toml"), "`strides`"),
        (recipe("torch.toml"), "`padding`"),
        (recipe("activation.toml"), "`relu`"),
        (set("train.bacth=8"), "`train.batch`"),
        (set("batch=8"), "`train.batch`"),
        (set("train.lr=0.1"), "`generator.adam.learning_rate`"),
        (set("train.loss=hing"), "`hinge`"),
        (set("train.penalties.r9=1"), "`train.penalties.r1`"),
        (set("train.augment.kinds=[\"cutuot\"]"), "`cutout`"),
        (set("generator.adam.decay=cosin"), "`cosine`"),
        (vec!["train", "--preset", "quik"], "`quick`"),
        (vec!["presets", "dcgan64"], "`dcgan-64`"),
        (vec!["summary", "quik"], "`quick`"),
        (vec!["train", "mnsit"], "mnist"),
        (vec!["train", "quickdraw:shep"], "quickdraw:sheep"),
        (vec!["train", "--config", "tiny.toml", "--conditional=concta"], "`concat`"),
        (vec!["train", "--config", "tiny.toml", "--device", "cpuu"], "`cpu`"),
        (vec!["train", "--config", "tiny.toml", "--precision", "f322"], "'f32'"),
        (vec!["train", "--config", "tiny.toml", "--stepss", "1"], "'--steps'"),
        (vec!["trian"], "'train'"),
        (vec!["data", "lits"], "'list'"),
        (vec!["sample", "mine", "-o", "x.pgn"], "`png`"),
        (vec!["sample", "mine", "--checkpoint", "latst", "-o", "x.png"], "`latest`"),
        (vec!["export", "mine", "-o", "x.onx"], "`onnx`"),
        (vec!["export", "mine", "--to", "htlm", "-o", "x"], "`html`"),
        (vec!["export", "mine", "--net", "generatr", "-o", "x.onnx"], "'generator'"),
        (vec!["compare", "strokes", "--vary", "loss=gan,wgan-pg"], "`wgan-gp`"),
        (vec!["compare", "strokes", "--preset", "quik"], "`quick`"),
    ] {
        let output = bench.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        let is_suggested = said.contains("did you mean") || said.contains("similar");
        assert!(is_suggested && said.contains(meant), "{arguments:?}: {said}");
    }
}
