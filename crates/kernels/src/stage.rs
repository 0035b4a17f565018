//! One convolution of a chain, or one transposed: what it computes, whichever way round its geometry is; and where the
//! gradients of two of them go.

use crate::plan::Plan;
use crate::stored::{Values, ValuesMut};
use crate::upsample_conv::{self, Upsampled};
use crate::{Activation, Epilogue, Geometry, Precision};
use crate::{conv, dispatch};

const BF16: Precision = Precision::Bf16;

/// A convolution between others.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Its sizes, those of the upsampled image where it upsamples, those of the convolution that it transposes where it is
    /// transposed.
    pub geometry: &'a Geometry,
    /// 1, or the factor by which the image is upsampled first.
    pub upsample: usize,
    /// Whether it takes the geometry's output to its input; it upsamples nothing then.
    pub transposed: bool,
    /// Its weights, `geometry.w_len()` values.
    pub weight: &'a [f32],
    /// Its biases, one for each channel that it makes.
    pub bias: &'a [f32],
    /// What follows it.
    pub activation: Activation,
}

/// Where the gradients go, those of the first stage first.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// With respect to the weights.
    pub weights: [&'a mut [f32]; 2],
    /// With respect to the biases.
    pub biases: [&'a mut [f32]; 2],
    /// With respect to what the first stage reads, where it is wanted.
    pub x: Option<ValuesMut<'a>>,
}

impl Stage<'_> {
    /// Values that it reads.
    pub(super) fn read_len(&self) -> usize {
        let g = self.geometry;
        if self.transposed { g.y_len() } else { g.x_len() / (self.upsample * self.upsample) }
    }

    /// Values that it makes.
    pub(super) fn made_len(&self) -> usize {
        if self.transposed { self.geometry.x_len() } else { self.geometry.y_len() }
    }

    /// Channels that it makes.
    pub(crate) fn channels(&self) -> usize {
        if self.transposed { self.geometry.in_c } else { self.geometry.out_c }
    }

    pub(super) fn check(&self) {
        conv::check("w", self.weight.len(), self.geometry.w_len());
        conv::check("bias", self.bias.len(), self.channels());
    }

    fn upsampled(&self) -> Upsampled<'_> {
        Upsampled { geometry: self.geometry, factor: self.upsample }
    }

    pub(super) fn forward(&self, x: Values, y: ValuesMut) {
        let Self { geometry, upsample, weight, bias, activation, .. } = *self;
        if self.transposed {
            conv::input_grad(geometry, BF16, x, weight, Some(bias), activation, y);
        } else if upsample == 1 {
            conv::forward(geometry, BF16, x, weight, Some(bias), activation, y);
        } else {
            upsample_conv::forward(&self.upsampled(), BF16, x, weight, Some(bias), activation, y);
        }
    }

    /// The gradient of what it reads, from `dy` in front of its activation, where it is not transposed.
    pub(super) fn input_grad(&self, dy: Values, then: Epilogue, dx: ValuesMut) {
        let Self { geometry, upsample, weight, .. } = *self;
        if upsample == 1 {
            conv::input_grad(geometry, BF16, dy, weight, None, then, dx);
        } else {
            upsample_conv::input_grad(&self.upsampled(), BF16, dy, weight, then, dx);
        }
    }

    /// The gradients of its weights and its bias, where it is not transposed.
    pub(super) fn weight_grad(&self, x: Values, dy: Values, dw: &mut [f32], db: &mut [f32]) {
        let Self { geometry, upsample, .. } = *self;
        if upsample == 1 {
            conv::weight_grad(geometry, BF16, x, dy, dw, Some(db));
        } else {
            upsample_conv::weight_grad(&self.upsampled(), BF16, x, dy, dw, Some(db));
        }
    }

    /// From what it reads to what it makes.
    pub(crate) fn forward_plan(&self) -> Plan {
        if self.transposed { Plan::input_grad(self.geometry, 1) } else { Plan::forward(self.geometry, self.upsample) }
    }

    /// From the gradient of what it makes to that of what it reads.
    pub(crate) fn back_plan(&self) -> Plan {
        if self.transposed { Plan::forward(self.geometry, 1) } else { Plan::input_grad(self.geometry, self.upsample) }
    }

    /// Whether its weight gradient runs along [`Self::back_plan`], with the taps on what it makes, as [`conv::weight_grad`] decides.
    pub(crate) fn weights_go_back(&self) -> bool {
        self.upsample == 1 && dispatch::taps_on_dy(self.geometry, BF16)
    }
}
