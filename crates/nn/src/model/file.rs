//! A model as one `.safetensors` file: layers, weights, and the optimizer with its moments, so that a loaded model continues
//! bit for bit. Weights have their names and Keras's layouts; everything else is JSON in the file's header.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Model;
use crate::net::{Network, Setting, Shape};
use crate::ops::Precision;
use crate::optimizer::{AdamSettings, Optimizer};
use crate::safetensors::{Entry, about, decode, encode_with, entries, moment_entries};
use faussaire_data::PartFile;
use faussaire_data::error::{Error, Result};

/// The metadata in the header.
#[derive(Serialize, Deserialize)]
struct About {
    /// Version of this layout.
    model: u32,
    name: String,
    layers: Vec<String>,
    /// `[features]` or `[height, width, channels]`.
    input: Vec<usize>,
    labels: usize,
    spectral: bool,
    seed: u64,
    precision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    adam: Option<AdamSettings>,
    updates: u64,
}

const VERSION: u32 = 1;

impl Model {
    /// Writes the model to `path`, a `.safetensors` file; an existing file is replaced atomically.
    ///
    /// # Errors
    /// The file can't be written, or a weight is NaN or infinite.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_part(path)?.commit()
    }

    /// As [`Self::save`], but the file appears when what is returned is committed: alone, or together with others.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn save_part(&self, path: impl AsRef<Path>) -> Result<PartFile> {
        let bytes = self.to_bytes()?;
        let mut file = PartFile::create(path.as_ref())?;
        file.write(&bytes)?;
        Ok(file)
    }

    /// What [`Self::save`] writes.
    ///
    /// # Errors
    /// A weight is NaN or infinite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.net.check_weights(&self.weights)?;
        let setting = self.net.setting();
        let about = About {
            model: VERSION,
            name: self.net.name().into(),
            layers: self.net.layers().iter().map(|entry| entry.line.clone()).collect(),
            input: match setting.input {
                Shape::Flat(features) => vec![features],
                Shape::Image(h, w, c) => vec![h, w, c],
            },
            labels: setting.labels,
            spectral: setting.spectral,
            seed: self.seed,
            precision: self.precision.name().into(),
            adam: self.optimizer.as_ref().map(Optimizer::settings),
            updates: self.updates(),
        };
        let about = serde_json::to_string(&about)
            .map_err(|e| Error::run(format!("the model's description can't be written: {e}"), "please report this"))?;
        let moments = self.optimizer.iter().flat_map(|optimizer| optimizer.moments.iter().flatten().cloned());
        let tensors: Vec<Tensor<1>> = self.weights.tensors().iter().cloned().chain(moments).collect();
        encode_with(&all_entries(&self.net, self.optimizer.is_some()), &tensors, self.updates(), about)
    }

    /// Reads a file written by [`Self::save`].
    ///
    /// # Errors
    /// The file can't be read, is damaged, or has unknown layers.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(&std::fs::read(path).map_err(Error::io("read", path))?, path, device)
    }

    /// Reads what [`Self::to_bytes`] gave; `path` is what errors call it.
    ///
    /// # Errors
    /// The bytes are damaged, or have unknown layers.
    pub fn from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<Self> {
        let hint = "expected a file that `Model::save` wrote; a run's weights are read with `Run`";
        let other = || Error::run(format!("{} is not a saved model", path.display()), hint);
        let about: About = serde_json::from_str(&about(bytes).ok_or_else(other)?).map_err(|_| other())?;
        if about.model != VERSION {
            return Err(Error::run(
                format!("{} has version {}, expected {VERSION}", path.display(), about.model),
                "use the release of faussaire that wrote it",
            ));
        }
        let input = match about.input[..] {
            [features] => Shape::Flat(features),
            [h, w, c] => Shape::Image(h, w, c),
            _ => return Err(other()),
        };
        let setting = Setting { input, labels: about.labels, spectral: about.spectral };
        let net = Network::build(&about.name, &about.layers, setting)?;
        let mut tensors = decode(bytes, &all_entries(&net, about.adam.is_some()), path, hint, device)?;
        let moments = tensors.split_off(net.specs().count());
        let mut model = Self::from_network(net, about.seed, device);
        model.weights = model.net.weights(tensors)?;
        model.precision = [Precision::F32, Precision::Bf16]
            .into_iter()
            .find(|precision| precision.name() == about.precision)
            .ok_or_else(other)?;
        if let Some(adam) = about.adam {
            if let Some(problem) = adam.problem() {
                return Err(Error::run(format!("{} is damaged: {problem}", path.display()), hint));
            }
            model.compile(adam);
        }
        if let Some(optimizer) = &mut model.optimizer {
            optimizer.updates = about.updates;
            optimizer.moments = moments.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
        }
        Ok(model)
    }
}

fn all_entries(net: &Network, compiled: bool) -> Vec<Entry> {
    let moments = if compiled { moment_entries(net) } else { Vec::new() };
    entries(net).into_iter().chain(moments).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::host;
    use faussaire_data::random::Stream;

    fn critic() -> Model {
        let lines = [
            "conv 4 3x3 stride 2",
            "batchnorm",
            "leakyrelu 0.2",
            "dropout 0.3",
            "flatten",
            "embedding 2",
            "dense 1",
            "sigmoid",
        ];
        let lines: Vec<String> = lines.map(String::from).to_vec();
        let mut model = Model::conditional("my critic", &lines, Shape::Image(4, 4, 1), 3, 7, &Device::flex()).unwrap();
        model.compile(AdamSettings { learning_rate: 0.01, clip: 1.0, ..AdamSettings::default() });
        model
    }

    fn steps(model: &mut Model, turns: std::ops::Range<u64>) -> Vec<Vec<f32>> {
        for turn in turns {
            let x = Stream::new(1, "x").uniform(turn, 6 * 16, 0.0, 1.0);
            let labels: Vec<f32> = (0..18).map(|i| f32::from(i % 3 == i / 3 % 3)).collect();
            model.train((&x, &labels), &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).unwrap();
        }
        model.weights.tensors().iter().map(host).collect()
    }

    #[test]
    fn a_loaded_model_goes_on_with_the_same_bits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("critic.safetensors");
        let whole = steps(&mut critic(), 0..5);
        let mut first = critic();
        steps(&mut first, 0..3);
        first.save(&path).unwrap();
        let mut second = Model::load(&path, &Device::flex()).unwrap();
        assert_eq!((second.net.name(), second.updates()), ("my critic", 3));
        let resumed = steps(&mut second, 3..5);
        assert!(resumed == whole, "the loaded model learned otherwise");
        assert!(steps(&mut critic(), 0..3) != whole);
    }

    #[test]
    fn an_uncompiled_model_and_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("critic.safetensors");
        let mut model = critic();
        model.optimizer = None;
        model.save(&path).unwrap();
        assert!(Model::load(&path, &Device::flex()).unwrap().optimizer.is_none());
        let bytes = crate::safetensors::encode(&[("a".into(), vec![1])], &[Tensor::zeros([1], &Device::flex())], 1);
        std::fs::write(&path, bytes.unwrap()).unwrap();
        assert!(Model::load(&path, &Device::flex()).unwrap_err().to_string().contains("is not a saved model"));
        std::fs::write(&path, b"no such file").unwrap();
        assert!(Model::load(&path, &Device::flex()).is_err());
    }

    #[test]
    fn flat_values_and_labels_that_do_not_fit_are_errors() {
        let mut model = critic();
        let (x, labels) = (vec![0.5; 2 * 16], vec![0.0; 6]);
        assert_eq!(model.predict((&x, &labels)).unwrap().len(), 2);
        assert!(model.predict(&x).unwrap_err().to_string().contains("3 labels for each of 2 examples, got 0"));
        assert!(model.predict((&x, &x)).is_err());
        assert!(model.predict(&[0.0; 17]).unwrap_err().to_string().contains("examples of 4x4x1, 16 values each"));
        assert!(model.train((&x, &labels), &[1.0]).is_err());
        let before = model.updates();
        model.weights = crate::net::Weights::new(Vec::new());
        assert!(model.train((&x, &labels), &[1.0, 0.0]).is_err());
        assert_eq!(model.updates(), before);
    }

    #[test]
    fn evaluating_is_a_mean_over_all_parts_and_changes_nothing() {
        let lines = ["dense 1".to_string()];
        let mut model = Model::new("critic", &lines, Shape::Flat(1), 1, &Device::flex()).unwrap();
        model.weights = crate::net::Weights::from_values(vec![vec![1.0], vec![0.0]], &Device::flex());
        let x: Vec<f32> = (0..100).map(|at| if at < 90 { 2.0 } else { -2.0 }).collect();
        let told = model.evaluate(&x, &[1.0; 100]).unwrap();
        let cost = |logit: f32| (1.0 + (-logit).exp()).ln();
        assert!((told.loss - (0.9 * cost(2.0) + 0.1 * cost(-2.0))).abs() < 1e-5, "{told:?}");
        assert!((told.accuracy - 0.9).abs() < 1e-6, "{told:?}");
        assert!(model.evaluate(&x, &[1.0; 99]).is_err() && model.updates() == 0);
    }

    #[test]
    fn two_names_draw_unlike() {
        let lines = ["dense 8".to_string(), "dropout 0.5".to_string()];
        let model = |name: &str| Model::new(name, &lines, Shape::Flat(4), 1, &Device::flex()).unwrap();
        let weights = |name: &str| host(&model(name).weights.tensors()[0]);
        assert!(weights("first") == weights("first") && weights("first") != weights("second"));
        let kept = |name: &str| model(name).training_pass(0).kept(64, 0.5);
        assert!(kept("first") == kept("first") && kept("first") != kept("second"));
    }
}
