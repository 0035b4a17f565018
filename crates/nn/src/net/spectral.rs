//! Spectral normalisation (Miyato et al. 2018): every kernel is divided by an estimate of its largest singular value,
//! so that the Lipschitz constant of every layer is about 1. The estimate comes from one step of power iteration per
//! pass, from a vector that is stored with the weights (as a statistic) and follows the kernel. The
//! gradient flows through the estimate too, as in PyTorch.

use burn::tensor::Tensor;

use super::{Init, Mode, Pass, WeightSpec};

/// Avoids division by 0 for a kernel of zeros.
const EPSILON: f32 = 1e-12;

/// The additional weights of a layer: one vector for each of its kernels.
pub(super) fn vectors(specs: &[WeightSpec]) -> Vec<WeightSpec> {
    let vector = |spec: &WeightSpec| {
        let columns = spec.shape.last().copied().unwrap_or(1);
        let name = match spec.name {
            "table" => "table_direction",
            "query" => "query_direction",
            "key" => "key_direction",
            "value" => "value_direction",
            "output" => "output_direction",
            _ => "weight_direction",
        };
        WeightSpec::statistic(name, &[columns], Init::Normal(1.0))
    };
    specs.iter().filter(|s| is_kernel(s)).map(vector).collect()
}

/// Whether `spec` is such a vector.
pub(super) fn is_vector(spec: &WeightSpec) -> bool {
    spec.name.ends_with("_direction")
}

/// Whether `spec` is a kernel, which multiplies activations.
fn is_kernel(spec: &WeightSpec) -> bool {
    spec.trainable && spec.fans != (0, 0)
}

/// The layer's weights with normalised kernels; the last entries are the vectors. `weights` are in the order of `specs`. A
/// training pass records the vectors after their iteration.
pub(super) fn normalised(specs: &[WeightSpec], weights: &[Tensor<1>], pass: &mut Pass) -> Vec<Tensor<1>> {
    let own = specs.iter().filter(|s| !is_vector(s)).count();
    let mut result = weights.to_vec();
    let mut vector = own;
    for index in 0..own {
        if !is_kernel(&specs[index]) {
            continue;
        }
        let (kernel, next) = normalise(&weights[index], &weights[vector]);
        if pass.mode == Mode::Train {
            pass.observe(vector, next, 0.0);
        }
        result[index] = kernel;
        vector += 1;
    }
    result
}

/// The vectors of the kernels in `weights`, after enough power iterations to converge.
pub(super) fn converged(specs: &[WeightSpec], weights: &[Tensor<1>], vectors: &[Tensor<1>]) -> Vec<Tensor<1>> {
    const STEPS: usize = 100;
    let kernels = specs.iter().zip(weights).filter(|(spec, _)| is_kernel(spec)).map(|(_, kernel)| kernel);
    let settle = |(kernel, vector): (&Tensor<1>, &Tensor<1>)| {
        (0..STEPS).fold(vector.clone(), |vector, _| normalise(kernel, &vector).1)
    };
    kernels.zip(vectors).map(settle).collect()
}

/// The kernel divided by its largest singular value, and the vector after an iteration.
fn normalise(kernel: &Tensor<1>, vector: &Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let columns = vector.dims()[0];
    let rows = kernel.dims()[0] / columns.max(1);
    let matrix: Tensor<2> = kernel.clone().reshape([rows, columns]);
    let still = matrix.clone().without_autodiff();
    let left = unit(still.clone().matmul(vector.clone().without_autodiff().reshape([columns, 1])));
    let right = unit(still.transpose().matmul(left.clone()));
    let largest: Tensor<1> = left.transpose().matmul(matrix).matmul(right.clone()).reshape([1]);
    (kernel.clone().div(largest.add_scalar(EPSILON)), right.reshape([columns]))
}

fn unit(v: Tensor<2>) -> Tensor<2> {
    let length = v.clone().mul(v.clone()).sum().sqrt().add_scalar(EPSILON);
    v.div(length.reshape([1, 1]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::host;
    use burn::tensor::{Device, TensorData};

    fn tensor(values: &[f32]) -> Tensor<1> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
    }

    #[test]
    fn the_largest_singular_value_becomes_one() {
        // diag(3, 2) has singular values 3 and 2; power iteration finds the first.
        let kernel = tensor(&[3.0, 0.0, 0.0, 2.0]);
        let mut vector = tensor(&[0.6, 0.8]);
        let mut result = kernel.clone();
        for _ in 0..30 {
            (result, vector) = normalise(&kernel, &vector);
        }
        let values = host(&result);
        assert!((values[0] - 1.0).abs() < 1e-5 && (values[3] - 2.0 / 3.0).abs() < 1e-5, "{values:?}");
    }

    #[test]
    fn settled_vectors_need_no_further_step() {
        let specs =
            [WeightSpec::kernel(&[2, 2], Init::GlorotUniform, 2, 2), WeightSpec::trainable("bias", &[2], Init::Zeros)];
        let weights = [tensor(&[3.0, 0.0, 0.0, 2.0]), tensor(&[1.0, 1.0])];
        let found = converged(&specs, &weights, &[tensor(&[0.1, 0.9])]);
        assert_eq!(found.len(), 1);
        let values = host(&normalise(&weights[0], &found[0]).0);
        assert!((values[0] - 1.0).abs() < 1e-6 && (values[3] - 2.0 / 3.0).abs() < 1e-6, "{values:?}");
    }

    #[test]
    fn the_gradient_flows_through_the_estimate() {
        // Scaling the kernel changes nothing, so the gradient along the kernel itself is 0.
        let values = [1.0f32, -2.0, 0.5, 3.0, 0.25, -1.0];
        let mut vector = tensor(&[0.3, -0.7]);
        for _ in 0..50 {
            vector = normalise(&tensor(&values), &vector).1;
        }
        let kernel = tensor(&values).autodiff().require_grad();
        let (normal, _) = normalise(&kernel, &vector);
        let weights = tensor(&[0.1, 0.9, -0.4, 0.3, 0.8, -0.2]);
        let mut gradients = normal.mul(weights).sum().backward();
        let gradient = host(&kernel.grad_remove(&mut gradients).unwrap());
        let along: f32 = gradient.iter().zip(values).map(|(g, v)| g * v).sum();
        let size: f32 = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!(size > 0.05 && along.abs() < 1e-4, "{along} {size}");
    }
}
