//! The steps of a forward pass: which layers are done in one go, and what can be stored as bf16 between them.

use super::storage::bf16_outputs;
use super::{Fused, Pass, Placed, together};
use crate::ops::{Activation, Precision};

/// One step: a layer with what it absorbs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) layer: usize,
    pub(super) fused: Fused,
    /// Whether its output may be stored as bf16.
    pub(super) bf16_output: bool,
    /// How many steps, from this one on, some images at a time may go through together: 2 convolutions, or 3 steps with batch
    /// normalisation between such, where what lies between is much larger than what comes out; else 1.
    pub(super) together: usize,
}

impl Step {
    /// What its layer does besides its own work on this pass.
    pub(super) fn fused_on(&self, pass: &Pass) -> Fused {
        let stored = if self.bf16_output { pass.precision } else { Precision::F32 };
        Fused { stored, links: pass.links(self.fused.links), ..self.fused }
    }
}

/// Pairs each layer with the upsampling before it and the activation behind it, where it can do both in one pass.
pub(super) fn plan(layers: &[Placed]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(layers.len());
    let mut index = 0;
    while index < layers.len() {
        let mut fused = Fused::ALONE;
        let mut layer = index;
        if let Some(factor) = layers[index].layer.kind().as_upsampling()
            && layers.get(index + 1).is_some_and(|next| next.layer.kind().absorbs_upsampling())
        {
            fused.upsample = factor;
            layer = index + 1;
        }
        index = layer + 1;
        if layers[layer].layer.kind().absorbs_activation()
            && let Some(activation) = layers.get(index).and_then(|next| next.layer.kind().as_activation())
        {
            fused.activation = activation;
            index += 1;
        }
        steps.push(Step { layer, fused, bf16_output: false, together: 1 });
    }
    let storage: Vec<_> = steps.iter().map(|step| layers[step.layer].layer.kind().storage()).collect();
    for (step, bf16) in steps.iter_mut().zip(bf16_outputs(&storage)) {
        let activation = layers[step.layer].layer.kind().as_activation().unwrap_or(step.fused.activation);
        // Their slope is read off the value: near its limits bf16 has no digits left for that.
        let saturates = matches!(activation, Activation::Tanh | Activation::Sigmoid);
        step.bf16_output = bf16 && !saturates;
    }
    link(layers, &mut steps);
    for first in 0..steps.len() {
        steps[first].together = together::planned(layers, &steps[first..]);
    }
    steps
}

/// Notes what neighbours do for each other's backward passes. What a step makes is read by the next one alone: a block that
/// keeps it for later is a step of its own.
fn link(layers: &[Placed], steps: &mut [Step]) {
    for first in 1..steps.len() {
        let [step, next] = &mut steps[first - 1..=first] else { continue };
        let [kind, reader] = [step.layer, next.layer].map(|layer| layers[layer].layer.kind());
        let activation = step.fused.activation;
        step.fused.links.centred = reader.centres() && activation == Activation::Identity;
        if kind.keeps_links()
            && reader.keeps_links()
            && matches!(activation, Activation::Relu | Activation::LeakyRelu(_))
        {
            step.fused.links.slope_by_reader = true;
            next.fused.links.made_by = Some(activation);
        }
    }
}
