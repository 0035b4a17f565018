//! A list of layers with all shapes inferred. The forward pass along it is in `forward.rs`.

use burn::tensor::{Device, Tensor};

use super::parse::{self, Surroundings, input};
use super::plan::{Step, plan};
use super::{Layer, Op, Pass, Shape, WeightSpec, Weights, spectral};
use faussaire_data::error::{Error, Result};
use faussaire_data::random::Stream;

/// Maximum activations between two layers for one example; more is a typo.
const MAX_ACTIVATIONS: usize = 1 << 26;

/// Maximum parameters of a net (1 GiB); training needs about four times their memory.
const MAX_PARAMETERS: usize = 1 << 28;

/// Maximum layers of a net. A backward pass goes through them one inside the other, which takes stack for each.
const MAX_LAYERS: usize = 1_000;

/// Maximum bytes of a layer's line.
const MAX_LINE: usize = 1_000;

/// A layer of a network with its line, shapes and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEntry {
    /// The layer.
    pub layer: Layer,
    /// Its line in the recipe.
    pub line: String,
    /// Shape of one input example.
    pub input: Shape,
    /// Shape of one output example.
    pub output: Shape,
    /// Index of its first weight in the network's list.
    pub(super) first_weight: usize,
    /// Its weights.
    pub specs: Vec<WeightSpec>,
}

/// The input of a network, and options that apply to all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Shape of one input example.
    pub input: Shape,
    /// Number of classes or attributes it is conditioned on; 0 for none.
    pub labels: usize,
    /// Whether its kernels have spectral normalisation.
    pub spectral: bool,
}

/// A network: data only; its weights are kept apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    pub(super) setting: Setting,
    pub(super) layers: Vec<LayerEntry>,
    pub(super) steps: Vec<Step>,
    pub(super) logit_steps: Vec<Step>,
}

impl Network {
    /// Parses the layer lines of the net called `name` ("generator", "discriminator") for examples of shape `input`.
    ///
    /// # Errors
    /// An invalid line, or a layer that doesn't accept its input; the error names the layer, its line and both shapes.
    pub fn new(name: &str, lines: &[String], input: Shape) -> Result<Self> {
        Self::build(name, lines, Setting { input, labels: 0, spectral: false })
    }

    /// Parses the layer lines of the net called `name` for `setting`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn build(name: &str, lines: &[String], setting: Setting) -> Result<Self> {
        if lines.is_empty() {
            return Err(Error::recipe(
                format!("the {name} has no layers"),
                format!("write `[{name}]` with `layers = [ ... ]`; `faussaire presets tp` shows an example"),
            ));
        }
        if lines.len() > MAX_LAYERS {
            return Err(Error::recipe(
                format!("the {name} has {} layers, expected at most {MAX_LAYERS}", lines.len()),
                "leave layers out",
            ));
        }
        let around = Surroundings { labels: setting.labels, open: Vec::new() };
        let mut building = Building { name, setting, around, layers: Vec::with_capacity(lines.len()), parameters: 0 };
        for (place, line) in expanded(name, lines)? {
            match line.strip_prefix(input::KEYWORD).filter(|words| words.starts_with(' ')) {
                Some(words) => building.check_input(&place, words)?,
                None => building.add(&place, line)?,
            }
        }
        if building.layers.is_empty() {
            return Err(Error::recipe(format!("the {name} has no layers"), "an `input` line makes none: add some"));
        }
        let Building { around, layers, .. } = building;
        if !around.open.is_empty() {
            return Err(Error::recipe(
                format!("the {name} has {} `residual` without an `add`", around.open.len()),
                "end each block with \"add\"",
            ));
        }
        let steps = plan(&layers);
        let logit_steps = plan(under_sigmoid(&layers));
        Ok(Self { name: name.into(), setting, layers, steps, logit_steps })
    }

    /// "generator" or "discriminator" in a recipe; any name elsewhere.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The input, and options that apply to all layers.
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// Shape of one input example.
    pub fn input(&self) -> Shape {
        self.setting.input
    }

    /// Shape of one output example.
    pub fn output(&self) -> Shape {
        self.layers.last().map_or(self.setting.input, |l| l.output)
    }

    /// Number of classes or attributes that its layers use; 0 for none.
    pub fn labels(&self) -> usize {
        if self.layers.iter().any(|l| l.layer.kind().takes_labels()) { self.setting.labels } else { 0 }
    }

    /// Whether its output has label logits after the score (AC-GAN).
    pub fn guesses_labels(&self) -> bool {
        self.layers.last().is_some_and(|l| l.layer.kind().op(l.input) == Op::Dense && l.layer.kind().takes_labels())
    }

    /// The first layer that no gradient penalty can pass through, and why.
    pub fn penalty_obstacle(&self) -> Option<(&LayerEntry, &'static str)> {
        self.layers.iter().find_map(|l| l.layer.kind().penalty_obstacle().map(|why| (l, why)))
    }

    /// The layers in order.
    pub fn layers(&self) -> &[LayerEntry] {
        &self.layers
    }

    /// All weights in order.
    pub fn specs(&self) -> impl Iterator<Item = &WeightSpec> {
        self.layers.iter().flat_map(|l| &l.specs)
    }

    /// Whether each weight is trainable, in order.
    pub fn trainable(&self) -> impl Iterator<Item = bool> + '_ {
        self.specs().map(|s| s.trainable)
    }

    /// Names of all weights in order: `generator.3.convtranspose.weight`.
    pub fn weight_names(&self) -> Vec<String> {
        let named = |(index, l): (usize, &LayerEntry)| {
            let prefix = format!("{}.{index}.{}", self.name, l.layer.kind().keyword());
            l.specs.iter().map(move |s| format!("{prefix}.{}", s.name)).collect::<Vec<_>>()
        };
        self.layers.iter().enumerate().flat_map(named).collect()
    }

    /// The numbers of all and of trainable parameters.
    pub fn parameters(&self) -> (usize, usize) {
        let count = |trainable: bool| self.specs().filter(|s| s.trainable || !trainable).map(WeightSpec::len).sum();
        (count(false), count(true))
    }

    /// Multiplications and additions of one example's forward pass, without fusion or fast algorithms.
    pub fn flops(&self) -> u64 {
        self.layers.iter().map(|l| l.layer.kind().flops(l.input)).fold(0, u64::saturating_add)
    }

    /// Operations of one example's forward pass with the moves of its values, for estimates of time: some layers compute
    /// nothing and make millions of values.
    pub fn operations(&self) -> u64 {
        /// A value is written, read, and often passed on: about as long as N operations.
        const PER_VALUE: u64 = 8;
        self.flops().saturating_add(PER_VALUE.saturating_mul(self.activations() as u64))
    }

    /// Values between all layers for one example, its input included: what training keeps for the backward pass.
    pub fn activations(&self) -> usize {
        self.layers.iter().fold(self.input().len(), |sum, entry| sum.saturating_add(entry.output.len()))
    }

    /// The largest number of values between two layers for one example.
    pub fn widest(&self) -> usize {
        self.layers.iter().map(|entry| entry.output.len()).fold(self.input().len(), usize::max)
    }

    /// The shape after each layer, in a line: `32 -> dense 3136 -> reshape 7x7x64`.
    pub fn shapes(&self) -> String {
        shapes(&self.layers, self.setting.input)
    }

    /// Weights of these tensors, in the order of [`Self::specs`].
    ///
    /// # Errors
    /// The number or lengths of tensors don't match the net.
    pub fn weights(&self, tensors: Vec<Tensor<1>>) -> Result<Weights> {
        let weights = Weights::new(tensors);
        self.check_weights(&weights)?;
        Ok(weights)
    }

    /// Initial weights, from the seed's stream with the network's name.
    pub fn initial(&self, seed: u64, device: &Device) -> Weights {
        let stream = Stream::new(seed, &format!("init.{}", self.name));
        let values = self.specs().enumerate().map(|(i, s)| s.initial(&stream, i as u64)).collect();
        Weights::from_values(values, device)
    }

    /// The weights of each layer as used at inference, in the order of its specs: kernels with spectral normalisation are
    /// divided by their norm, without the vectors. `None` if the weights belong to another net.
    pub fn in_use(&self, weights: &Weights) -> Vec<Vec<(&WeightSpec, Tensor<1>)>> {
        if self.check_weights(weights).is_err() {
            return vec![Vec::new(); self.layers.len()];
        }
        let of = |entry| {
            let mut own = self.weights_of(entry, weights, &mut Pass::infer()).into_owned();
            own.truncate(entry.specs.iter().filter(|s| !spectral::is_vector(s)).count());
            entry.specs.iter().zip(own).collect()
        };
        self.layers.iter().map(of).collect()
    }

    /// The same layers without spectral normalisation, for kernels that are already divided.
    ///
    /// # Errors
    /// None for a valid network.
    pub fn unnormalised(&self) -> Result<Self> {
        let lines: Vec<String> = self.layers.iter().map(|entry| entry.line.clone()).collect();
        Self::build(&self.name, &lines, Setting { spectral: false, ..self.setting })
    }

    /// Weights of these values, layer by layer as [`Self::in_use`] gives them. The vectors of spectral normalisation are
    /// iterated until they converge for these kernels.
    pub fn adopt(&self, layers: Vec<Vec<Vec<f32>>>, device: &Device) -> Weights {
        let drawn = self.initial(0, device);
        let mut all = Vec::with_capacity(drawn.tensors().len());
        for (entry, values) in self.layers.iter().zip(layers) {
            let own = Weights::from_values(values, device);
            let vectors = entry.first_weight + own.tensors().len()..entry.first_weight + entry.specs.len();
            let vectors = drawn.tensors().get(vectors).unwrap_or_default();
            let vectors = spectral::converged(&entry.specs, own.tensors(), vectors);
            all.extend(own.tensors().iter().cloned().chain(vectors));
        }
        Weights::new(all)
    }
}

fn wrong_line(place: &str, what: &str) -> Error {
    Error::recipe(format!("{place}: {what}"), "a layer line looks like `conv 64 4x4 stride 2`")
}

/// Each line translated to one or two lines in this program's vocabulary, with its location for errors.
fn expanded(name: &str, lines: &[String]) -> Result<Vec<(String, String)>> {
    let mut all = Vec::with_capacity(lines.len());
    for (index, written) in lines.iter().enumerate() {
        if written.len() > MAX_LINE {
            let start: String = written.chars().take(40).collect();
            let place = format!("{name}, layer {index} (`{start}...`)");
            let what = format!("the line has {} bytes, expected at most {MAX_LINE}", written.len());
            return Err(wrong_line(&place, &what));
        }
        let place = format!("{name}, layer {index} (`{written}`)");
        let meant = parse::expanded(written).map_err(|what| wrong_line(&place, &what))?;
        all.extend(meant.into_iter().map(|line| (place.clone(), line)));
    }
    Ok(all)
}

/// A network while its lines are parsed.
struct Building<'a> {
    name: &'a str,
    setting: Setting,
    around: Surroundings,
    layers: Vec<LayerEntry>,
    parameters: usize,
}

impl Building<'_> {
    /// The shape after the layers so far.
    fn shape(&self) -> Shape {
        self.layers.last().map_or(self.setting.input, |last| last.output)
    }

    /// Checks what a line says of the shape that is there. The labels of a conditional net may have been appended to it.
    fn check_input(&self, place: &str, words: &str) -> Result<()> {
        let added = self.layers.last().is_some_and(|last| last.layer.planned(last.input) == Op::Embedding);
        let shape = if added { self.layers.last().map_or(self.setting.input, |last| last.input) } else { self.shape() };
        input::check(words, shape).map_err(|what| {
            let hint = shapes_hint(self.name, &self.layers, self.setting.input);
            Error::recipe(format!("{place}: {what}"), hint)
        })
    }

    /// Parses one more line; `place` names it in errors.
    fn add(&mut self, place: &str, line: String) -> Result<()> {
        let (name, before) = (self.name, self.layers.last());
        let input = self.shape();
        let first_weight = before.map_or(0, |last| last.first_weight + last.specs.len());
        let layer = Layer::parse(&line, &self.around).map_err(|what| wrong_line(place, &what))?;
        let output = layer.kind().output(input).map_err(|what| {
            let hint = shapes_hint(name, &self.layers, self.setting.input);
            Error::recipe(format!("{place}, input {input}: {what}"), hint)
        })?;
        if output.len() > MAX_ACTIVATIONS {
            return Err(Error::recipe(
                format!("{place}: its output {output} would have {} values per example", output.len()),
                format!("the maximum is {MAX_ACTIVATIONS}; check the sizes before it"),
            ));
        }
        match layer.planned(input) {
            Op::Open => self.around.open.push(input),
            Op::Close { .. } => drop(self.around.open.pop()),
            _ => {}
        }
        let mut specs = layer.kind().weights(input);
        if self.setting.spectral {
            specs.extend(spectral::vectors(&specs));
        }
        self.parameters = specs.iter().fold(self.parameters, |sum, spec| sum.saturating_add(spec.len()));
        if self.parameters > MAX_PARAMETERS {
            return Err(Error::recipe(
                format!("{place}, input {input}: up to here the {name} has {} parameters", self.parameters),
                format!("the maximum is {MAX_PARAMETERS}; check the sizes"),
            ));
        }
        self.layers.push(LayerEntry { layer, line, input, output, first_weight, specs });
        Ok(())
    }
}

/// The layers up to the logits: all but a final sigmoid.
pub(super) fn under_sigmoid(layers: &[LayerEntry]) -> &[LayerEntry] {
    match layers.split_last() {
        Some((last, before)) if last.layer.planned(last.input) == Op::Sigmoid => before,
        _ => layers,
    }
}

fn shapes_hint(name: &str, before: &[LayerEntry], input: Shape) -> String {
    format!("the {name}'s shapes up to there: {}", shapes(before, input))
}

fn shapes(layers: &[LayerEntry], input: Shape) -> String {
    let each = layers.iter().map(|l| format!("{} {}", l.layer.kind().keyword(), l.output));
    std::iter::once(input.to_string()).chain(each).collect::<Vec<_>>().join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Activation;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn shapes_follow_keras_same_padding() {
        let net = lines(&["conv 8 4x4 stride 2", "conv 8 4x4 stride 2", "conv 8 4x4 stride 2", "flatten", "dense 1"]);
        let net = Network::new("discriminator", &net, Shape::Image(28, 28, 1)).unwrap();
        let shapes: Vec<_> = net.layers().iter().map(|l| l.output.to_string()).collect();
        assert_eq!(shapes, ["14x14x8", "7x7x8", "4x4x8", "128", "1"]);
        assert_eq!(net.shapes(), "28x28x1 -> conv 14x14x8 -> conv 7x7x8 -> conv 4x4x8 -> flatten 128 -> dense 1");
        assert_eq!(net.activations(), 784 + 14 * 14 * 8 + 7 * 7 * 8 + 4 * 4 * 8 + 128 + 1);
    }

    #[test]
    fn a_net_in_other_words_is_the_same_net() {
        let ours = ["conv 8 4x4 stride 2 nobias", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"];
        let keras = [
            "Input(shape=(8, 8, 3))",
            "Conv2D(8, 4, strides=2, padding='same', use_bias=False)",
            "LeakyReLU(negative_slope=0.2)",
            "Flatten()",
            "Dense(1, activation='sigmoid')",
        ];
        let torch = [
            "nn.Conv2d(3, 8, 4, 2, 1, bias=False)",
            "nn.LeakyReLU(0.2, inplace=True)",
            "nn.Flatten()",
            "nn.Linear(4*4*8, 1)",
            "nn.Sigmoid()",
        ];
        let build = |text: &[&str]| Network::new("discriminator", &lines(text), Shape::Image(8, 8, 3));
        let (ours, keras) = (build(&ours).unwrap(), build(&keras).unwrap());
        assert_eq!(ours.weight_names(), keras.weight_names());
        let shapes = |net: &Network| net.layers().iter().map(|l| l.output).collect::<Vec<_>>();
        assert_eq!(shapes(&ours), shapes(&keras));
        // A product is a size there too.
        assert_eq!(shapes(&ours), shapes(&build(&torch).unwrap()));
        let trainable: Vec<bool> = ours.trainable().collect();
        assert_eq!(trainable, [true, false, true, true], "a bias that isn't there stays 0");
        // An embedding that makes the net conditional is appended to the input that its first line declares.
        let dense = lines(&["embedding 4", "Dense(8, input_dim=32)"]);
        let setting = Setting { input: Shape::Flat(32), labels: 3, spectral: false };
        assert!(Network::build("generator", &dense, setting).is_ok());
    }

    #[test]
    fn values_that_are_only_moved_take_time_too() {
        let net = Network::new("generator", &lines(&["upsample 16", "upsample 16"]), Shape::Image(4, 4, 1)).unwrap();
        assert_eq!((net.activations(), net.widest()), (16 + 64 * 64 + 1024 * 1024, 1024 * 1024));
        assert!(net.operations() >= net.flops() + net.activations() as u64);
    }

    #[test]
    fn the_number_and_length_of_lines_are_limited() {
        let build = |lines: &[String]| Network::new("generator", lines, Shape::Flat(4));
        assert_eq!(build(&vec!["relu".to_string(); MAX_LAYERS]).unwrap().layers().len(), MAX_LAYERS);
        let error = build(&vec!["relu".to_string(); MAX_LAYERS + 1]).unwrap_err().to_string();
        assert_eq!(error, "the generator has 1001 layers, expected at most 1000");
        let error = build(&["dense ".to_string() + &"1*".repeat(MAX_LINE)]).unwrap_err().to_string();
        assert!(error.contains("the line has 2006 bytes, expected at most 1000") && error.len() < 200, "{error}");
    }

    #[test]
    fn errors_name_layer_line_and_shapes() {
        let net = lines(&["dense 10", "reshape 2 2 3"]);
        let error = Network::new("generator", &net, Shape::Flat(4)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "generator, layer 1 (`reshape 2 2 3`), input 10: 2x2x3 has 12 values, but the input 10 has 10"
        );
        assert_eq!(error.hint(), "the generator's shapes up to there: 4 -> dense 10");
        for (line, part) in [
            ("conv 8", "expected a kernel size here"),
            ("conv 0 3x3", "positive number"),
            ("conv 8 3x3 stride 0", "expected a stride like 4x4, at most 1024, found `0`"),
            ("conv 65536 16777216x16777216", "at most 1024"),
            ("conv 65536 99x99", "parameters"),
            ("conv 8 3x3 rellu", "`rellu` is not understood here"),
            ("dropout 1.5", "expected the share to drop from 0 to 0.99, found `1.5`"),
            ("conv 8 3x3 strid 2", "`strid` is not understood here; did you mean `stride`?"),
            ("conv 8 3x3 paddding same", "did you mean `padding`?"),
            ("conv 8 3x3 padding smae", "did you mean `same`?"),
            ("conv 8 3x3 padding 3", "a number below the kernel's size"),
            ("conv 8 3x3 init zeross", "did you mean `zeros`?"),
            ("conv 8 9x9 padding valid", "with padding valid the 9x9 kernel doesn't fit into the input 8x8x1"),
            ("convtranspose 8 2x2 padding 1 output_padding 1", "below the stride"),
            ("convtranspose 8 3x3 stride 2 output_padding 1", "padding same sets the output's size"),
            ("upsample 2 biliner", "did you mean `bilinear`?"),
            ("input 28x28x1", "the line says that its input is 28x28x1, but it is 8x8x1"),
            ("nn.Conv2d(3, 8, 3)", "its input has 3 channels or features, but it is 8x8x1"),
            ("Dense(8, input_dim=32)", "its input is 32, but it is 8x8x1"),
            ("input 8x8x1", "has no layers"),
            ("dens 3", "there is no layer `dens`; did you mean `dense`?"),
            ("", "the line is empty"),
            ("dense 999999999999999999999", "found `999999999999999999999`"),
        ] {
            let error = Network::new("discriminator", &lines(&[line]), Shape::Image(8, 8, 1)).unwrap_err();
            assert!(error.to_string().contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn layers_absorb_what_they_can() {
        let net =
            lines(&["dense 12", "reshape 2 2 3", "upsample 2", "conv 4 3x3", "relu", "batchnorm", "tanh", "tanh"]);
        let net = Network::new("generator", &net, Shape::Flat(2)).unwrap();
        let steps: Vec<_> = net.steps.iter().map(|s| (s.layer, s.fused.upsample, s.fused.activation)).collect();
        let none = Activation::Identity;
        assert_eq!(
            steps,
            [(0, 1, none), (1, 1, none), (3, 2, Activation::Relu), (5, 1, Activation::Tanh), (7, 1, none)]
        );
    }
}
