//! The keys of a recipe: every key once, with its type, meaning, default and range. A new key is a new line here.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};

use serde::{Deserialize, Serialize};

use super::sabotage::Sabotage;
use super::table::{
    AUTO_SWITCH, COUNT, Entry, Kind, Line, SIZE, SWITCH, TEXT, TEXTS, choice, list, number, one_of, required, settings,
    whole,
};
use super::{ImageSize, JointBatch, PrecisionChoice};
use crate::augment::Augmentation;
use crate::data::{Fit, LabelSettings};
use crate::loss::Loss;
use crate::optimizer::AdamSettings;
use crate::penalty::Penalty;

/// All that a run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Recipe {
    /// Length of the noise vector z.
    pub latent: usize,
    /// The training images.
    #[serde(default)]
    pub data: DataSettings,
    /// The labels of conditional nets.
    #[serde(default)]
    pub labels: LabelSettings,
    /// The net that makes images from noise.
    pub generator: NetSettings,
    /// The net that tells real images from generated ones.
    pub discriminator: NetSettings,
    /// How they are trained.
    #[serde(default)]
    pub train: TrainSettings,
}

/// The table: every key of a recipe.
pub(super) const ROOT: &[Line] = &[
    Line::new("latent", "Length of the noise vector z", required(whole(1, 65_536))).reads(&[
        "latent_dim",
        "latent_size",
        "nz",
        "z_dim",
    ]),
    Line::new("data", "The images to learn from", Entry::Group(DataSettings::KEYS)),
    Line::new("labels", "What conditional nets are told", Entry::Group(LABELS)),
    Line::new("generator", "The net that makes images from noise", Entry::Group(NetSettings::KEYS)),
    Line::new("discriminator", "The net that tells real images from generated ones", Entry::Group(NetSettings::KEYS)),
    Line::new("train", "Losses, regularisation and the length of the training", Entry::Group(TrainSettings::KEYS)),
];

settings! {
    /// `[data]`: where images come from.
    DataSettings {
        /// Data set to learn from: its name or path.
        source: String = "strokes".into(), TEXT;
        /// Folder of data sets that is searched before the usual places; empty for none.
        dir: String = String::new(), TEXT;
        /// Learn from the first N images only; 0: all.
        count: usize = 0, COUNT;
        /// Resize images to N x N pixels, or to a rectangle, height first: `"48x64"`; 0: keep their size.
        size: ImageSize = ImageSize::KEEP, SIZE;
        /// How an image of another aspect ratio is resized: `crop` cuts around the centre, `pad` keeps all of it.
        fit: Fit = Fit::Crop, choice(&["crop", "pad"]);
        /// Channels of the images: 1 grey, 3 colour, 4 colour and transparency, 0 as they are in the data set (transparent
        /// image files over `background`).
        channels: usize = 0, one_of(&[0, 1, 3, 4]);
        /// Colour under transparent pixels: `white`, `black`, `grey` or `#rrggbb`.
        background: String = "white".into(), TEXT;
        /// The two pixel values that become black and white, such as `[0, 4095]`, in the units of the files; empty: the whole
        /// range of the pixels' type.
        range: Vec<f64> = Vec::new(), list(&Kind::Number { low: Unbounded, high: Unbounded });
        /// Mirror half of the training images left to right, at random in every batch; scores are computed on images as they
        /// are.
        mirror: bool = false, SWITCH;
    }
}

/// The keys of [`LabelSettings`].
const LABELS: &[Line] = &[
    Line::new("names", "Names of the classes or attributes that conditional nets are told", TEXTS),
    Line::new(
        "kind",
        "Whether an image has exactly one of the labels (`classes`) or any number of them (`attributes`)",
        choice(&["classes", "attributes"]),
    ),
    Line::new(
        "shares",
        "Share of the images that have each label; filled in from the data",
        list(&Kind::Number { low: Included(0.0), high: Included(1.0) }),
    ),
];

settings! {
    /// `[generator]`, `[discriminator]`: a net and its optimizer.
    NetSettings {
        /// Layers of the net, one line each, in the order of the data.
        layers: Vec<String> = Vec::new(), required(TEXTS);
        /// Spectral normalisation: divide every kernel by its largest singular value (Miyato et al. 2018).
        spectral: bool = false, SWITCH;
        /// Settings of the net's Adam optimizer.
        adam: AdamSettings = AdamSettings::default(), Entry::Group(ADAM);
    }
}

/// The keys of [`AdamSettings`].
const ADAM: &[Line] = &[
    Line::new("learning_rate", "Learning rate of Adam (Kingma & Ba 2015)", number(Excluded(0.0), Included(10.0)))
        .was("rate")
        .reads(&["lr"]),
    Line::new("beta1", "Decay of Adam's first moment per update", number(Included(0.0), Excluded(1.0))).also("beta_1"),
    Line::new("beta2", "Decay of Adam's second moment per update", number(Included(0.0), Excluded(1.0))).also("beta_2"),
    Line::new("epsilon", "Added to the root of Adam's second moment", number(Excluded(0.0), Included(1.0)))
        .reads(&["eps"]),
    Line::new(
        "clip",
        "Clip the norm of the net's whole gradient to this value; 0: no clipping",
        number(Included(0.0), Excluded(1e9)),
    ),
    Line::new("warmup", "Raise the learning rate linearly from 0 over the first N updates", COUNT),
    Line::new(
        "decay",
        "How the learning rate falls to 0 after the warmup (`cosine`: Loshchilov & Hutter 2017)",
        choice(&["none", "linear", "cosine"]),
    ),
    Line::new("decay_updates", "Updates after which a falling learning rate has reached 0", COUNT),
];

/// The statistics that G's batch normalisation uses for D's generated images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FakeBatchnorm {
    /// Those of the batch, as in G's own step (DCGAN's way).
    #[default]
    Batch,
    /// The moving ones, as with Keras's `predict_on_batch`.
    Moving,
}

settings! {
    /// `[train]`: the losses and the length of the training.
    TrainSettings {
        /// Loss function of the two nets.
        loss with Loss::ALIASES: Loss = Loss::default(), choice(Loss::NAMES);
        /// One-sided label smoothing: the label of real images is 1 minus this (Salimans et al. 2016).
        smoothing: f64 = 0.0, number(Included(0.0), Excluded(0.5));
        /// Label noise: a number between 0 and this is subtracted from the label of every image that D learns from, real or
        /// generated, anew in every update; for losses by cross-entropy.
        label_noise: f64 = 0.0, number(Included(0.0), Excluded(0.5));
        /// Share of pairs of a real and a generated image whose labels are exchanged before D learns from them.
        label_flip was "flips": f64 = 0.0, number(Included(0.0), Excluded(0.5));
        /// Weights of the gradient penalties on D, such as `{ r1 = 10.0 }`.
        penalties: BTreeMap<Penalty, f64> = BTreeMap::new(), Entry::Group(PENALTIES);
        /// Apply the gradient penalties in every Nth update of D only, N times as strongly (lazy regularisation, Karras et al.
        /// 2020).
        penalty_every: u64 = 1, whole(1, 1000);
        /// Clip D's weights to plus and minus this value after each update (Arjovsky et al. 2017); 0: no clipping.
        weight_clip: f64 = 0.0, number(Included(0.0), Excluded(1e6));
        /// Instance noise: standard deviation of the noise added to all images before D sees them (Sonderby et al. 2017), in
        /// units of the pixels' range.
        noise: f64 = 0.0, number(Included(0.0), Excluded(10.0));
        /// Steps over which the instance noise fades out; 0: it stays.
        noise_steps: u64 = 0, COUNT;
        /// Number of images stacked along the channels of each D input (PacGAN, Lin et al. 2018); it divides the batch.
        pac was "packing": usize = 1, whole(1, 65_536);
        /// Weight of the label classification loss, for a discriminator that ends in `auxiliary` (AC-GAN, Odena et al. 2017).
        label_weight: f64 = 1.0, number(Included(0.0), Excluded(1e6));
        /// Differentiable augmentation of all images before D sees them.
        augment: AugmentSettings = AugmentSettings::default(), Entry::Group(AugmentSettings::KEYS);
        /// Number of real images per update of D, and of generated ones.
        batch reads ["batch_size"]: usize = 64, whole(1, 65_536);
        /// Number of equal slices in which a batch is computed, each by itself, with the gradients added in a fixed order; the
        /// ranks of `mpirun` share them, and the results depend on it, by rounding, but not on the number of ranks.
        slices: usize = 1, one_of(&[1, 2, 4, 8, 16, 32, 64, 128, 256]);
        /// Stop after N passes over the data; 0: no such limit.
        epochs reads ["n_epochs", "num_epochs"]: u64 = 0, COUNT;
        /// Stop after N updates of G; 0: no such limit.
        steps: u64 = 0, COUNT;
        /// Number of updates of D per update of G (k in Goodfellow et al. 2014, n_critic in Arjovsky et al. 2017).
        n_critic was "discriminator_steps": u64 = 1, whole(1, 1000);
        /// Seed of all random numbers.
        seed: u64 = 0, COUNT;
        /// Format to which the operands of matrix products, and the images between most layers, are rounded in training; `auto`
        /// is bf16 where the processor multiplies it, and f32 under gradient penalties and for 2-D points.
        precision: PrecisionChoice = PrecisionChoice::Auto, choice(&["auto", "f32", "bf16"]);
        /// Decay of the exponential moving average (EMA) of G's weights per step; 0: no average.
        ema was "average": f64 = 0.999, number(Included(0.0), Excluded(1.0));
        /// Statistics that G's batch normalisation uses for the images that D learns from: of the `batch`, or the `moving` ones.
        fake_batchnorm was "fakes": FakeBatchnorm = FakeBatchnorm::default(), choice(&["batch", "moving"]);
        /// D takes real and generated images as one batch; `false`: as two batches, as in DCGAN; `auto`: as two where D has batch
        /// normalisation, whose statistics over both would tell them apart.
        joint_batch was "mixed": JointBatch = JointBatch::Auto, AUTO_SWITCH;
        /// Write a sheet of images and score the averaged generator every N epochs; 0: only at the end.
        sheet_every: u64 = 10, COUNT;
        /// The judge scores the run and chooses its best checkpoint: a classifier of the data's labels, trained once for each
        /// data set; `false`: plain pixels do.
        judge: bool = false, SWITCH;
        /// Keep a checkpoint permanently every N epochs; 0: only the latest and the best.
        keep_every: u64 = 0, COUNT;
        /// Seconds between two checkpoints; one is also written at the end.
        save_every: u64 = 60, COUNT;
        /// Share of the images that D never learns from, so that the doctor can see whether it memorises the others; 0: none.
        held_out: f64 = 0.0, number(Included(0.0), Excluded(0.5));
        /// A mistake that was built in for an exercise by `train --sabotage`, or `random:SEED`; empty for none.
        sabotage: Sabotage = Sabotage::default(), TEXT;
        /// How often a failing run may go back and change its recipe by itself; 0: never.
        heal: u64 = 0, whole(0, 3);
        /// Files in the safetensors format with initial weights, instead of random ones.
        init: Vec<String> = Vec::new(), TEXTS;
    }
}

/// The weights in [`TrainSettings::penalties`].
const PENALTIES: &[Line] = &[
    Line::new(
        "wgan-gp",
        "Weight of the penalty on gradient norms of D other than 1 between real and generated images (Gulrajani et al. 2017)",
        PENALTY,
    ),
    Line::new("r1", "Weight of the penalty on D's gradient norm at real images (Mescheder et al. 2018)", PENALTY),
    Line::new("r2", "Weight of the penalty on D's gradient norm at generated images (Mescheder et al. 2018)", PENALTY),
    Line::new(
        "dragan",
        "Weight of the penalty on gradient norms of D other than 1 around real images (Kodali et al. 2017)",
        PENALTY,
    ),
];
const PENALTY: Entry = number(Excluded(0.0), Excluded(1e9));

settings! {
    /// `[train.augment]`: differentiable augmentation (Zhao et al. 2020).
    AugmentSettings {
        /// Augmentations applied to all images before D sees them, in this order (Zhao et al. 2020).
        kinds: Vec<Augmentation> = Vec::new(), list(&Kind::Choice(&["colour", "translation", "cutout"]));
        /// Probability that each augmentation changes an image; with a target, the initial one.
        probability: f64 = 1.0, number(Included(0.0), Included(1.0));
        /// Adapt the probability so that the mean sign of D's scores on real images keeps this value (0.6 in Karras et al.
        /// 2020); 0: the probability is constant.
        target: f64 = 0.0, number(Included(0.0), Excluded(1.0));
        /// Number of images within which an adaptive probability can rise from 0 to 1.
        reach: u64 = 500_000, COUNT;
    }
}

impl TrainSettings {
    /// Whether a sheet is due at the end of `epoch`.
    pub fn sheet_due(&self, epoch: u64) -> bool {
        due(self.sheet_every, epoch)
    }

    /// Whether a permanent checkpoint is due at the end of `epoch`.
    pub(crate) fn keep_due(&self, epoch: u64) -> bool {
        due(self.keep_every, epoch)
    }
}

fn due(every: u64, epoch: u64) -> bool {
    every > 0 && epoch.is_multiple_of(every)
}
