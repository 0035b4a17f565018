//! A network's weights: a list of flat tensors in layer order, their names, shapes and initial values.

use burn::tensor::{Device, Tensor, TensorData};
use rand_distr::{Distribution, StandardNormal};

use faussaire_data::random::{Stream, unit};

/// The initialiser of a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform on +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010), Keras's default.
    GlorotUniform,
    /// Normal with mean 0 and this standard deviation (DCGAN uses 0.02).
    Normal(f32),
    /// Normal with variance 2 / fan_in (He et al. 2015), for nets without normalisation.
    HeNormal,
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
}

/// One weight of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightSpec {
    /// `weight`, `bias`, `gamma`, `beta`, `mean`, `variance`.
    pub name: &'static str,
    /// Keras's layout: `[in, out]`, `[kh, kw, in, out]`, `[kh, kw, out, in]` where transposed.
    pub shape: Vec<usize>,
    /// The initialiser.
    pub init: Init,
    /// Fan-in and fan-out.
    pub fans: (usize, usize),
    /// False for moving statistics, and for a bias that stays 0.
    pub trainable: bool,
}

impl WeightSpec {
    /// A trainable kernel, to which spectral normalisation applies.
    pub fn kernel(shape: &[usize], init: Init, fan_in: usize, fan_out: usize) -> Self {
        Self { fans: (fan_in, fan_out), ..Self::trainable("weight", shape, init) }
    }

    /// A trainable weight.
    pub fn trainable(name: &'static str, shape: &[usize], init: Init) -> Self {
        Self { name, shape: shape.to_vec(), init, fans: (0, 0), trainable: true }
    }

    /// A moving statistic, which training passes observe ([`super::Pass::observe`]).
    pub fn statistic(name: &'static str, shape: &[usize], init: Init) -> Self {
        Self { trainable: false, ..Self::trainable(name, shape, init) }
    }

    /// A weight that keeps its initial values: the bias of a layer without one.
    pub fn fixed(name: &'static str, shape: &[usize], init: Init) -> Self {
        Self { trainable: false, ..Self::trainable(name, shape, init) }
    }

    /// A bias, which is trained or stays 0.
    pub fn bias(len: usize, is_trained: bool) -> Self {
        let kind = if is_trained { Self::trainable } else { Self::fixed };
        kind("bias", &[len], Init::Zeros)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its initial values, drawn from `stream` at `index`.
    pub fn initial(&self, stream: &Stream, index: u64) -> Vec<f32> {
        let mut rng = stream.at(index);
        let count = self.len();
        match self.init {
            Init::Zeros => vec![0.0; count],
            Init::Ones => vec![1.0; count],
            Init::Normal(deviation) => normal(&mut rng, deviation, count),
            Init::HeNormal => normal(&mut rng, (2.0 / self.fans.0.max(1) as f32).sqrt(), count),
            Init::GlorotUniform => {
                let limit = (6.0 / (self.fans.0 + self.fans.1) as f32).sqrt();
                (0..count).map(|_| limit * (2.0 * unit(&mut rng) - 1.0)).collect()
            }
        }
    }
}

fn normal(rng: &mut impl rand::Rng, deviation: f32, count: usize) -> Vec<f32> {
    let draw = |_| {
        let z: f32 = StandardNormal.sample(rng);
        deviation * z
    };
    (0..count).map(draw).collect()
}

/// The values of a network's weights, flat, in the order of [`super::Network::specs`].
#[derive(Clone, Debug)]
pub struct Weights {
    values: Vec<Tensor<1>>,
}

impl Weights {
    /// Wraps tensors in the network's order.
    pub fn new(values: Vec<Tensor<1>>) -> Self {
        Self { values }
    }

    /// Puts host values on `device`.
    pub fn from_values(values: Vec<Vec<f32>>, device: &Device) -> Self {
        let tensor = |v: Vec<f32>| {
            let len = v.len();
            Tensor::from_data(TensorData::new(v, [len]), device)
        };
        Self { values: values.into_iter().map(tensor).collect() }
    }

    /// All tensors.
    pub fn tensors(&self) -> &[Tensor<1>] {
        &self.values
    }

    /// All tensors, mutably.
    pub fn tensors_mut(&mut self) -> &mut [Tensor<1>] {
        &mut self.values
    }

    /// The weights as leaves of the autodiff graph: those marked trainable get gradients.
    pub fn tracked(&self, trainable: impl Iterator<Item = bool>) -> Self {
        let track = |(t, trainable): (&Tensor<1>, bool)| {
            if trainable { t.clone().autodiff().require_grad() } else { t.clone() }
        };
        Self { values: self.values.iter().zip(trainable).map(track).collect() }
    }
}
