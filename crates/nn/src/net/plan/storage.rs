//! Storage of images between two layers in bf16 training: bf16 if the layer before can write it and the layer after can read it,
//! which halves memory and bandwidth. Layers that support only f32 never get bf16, and a net's inputs and outputs are f32.

/// The storage formats of a layer's input and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// f32, both.
    Single,
    /// Reads f32 or bf16, and stores the requested format ([`crate::net::Fused::stored`]).
    Either,
    /// The output is the input in another shape.
    Same,
}

/// For each of consecutive steps, whether its output may be bf16.
pub(super) fn bf16_outputs(steps: &[Storage]) -> Vec<bool> {
    // The reader of the last output is unknown.
    let mut next_reads = false;
    let mut outputs: Vec<bool> = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        outputs.push(next_reads && *step != Storage::Single);
        next_reads = match step {
            Storage::Single => false,
            Storage::Either => true,
            Storage::Same => next_reads,
        };
    }
    outputs.reverse();
    outputs
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use burn::tensor::DType::{self, BF16, F32};

    use super::Storage::{Either, Same, Single};
    use super::*;
    use crate::net::testing::{Bench, Wanted, distance, network, norm, signed, tensor};
    use crate::net::{Mode, Shape};
    use crate::ops::Precision;

    #[test]
    fn only_what_can_be_read_is_stored_as_bf16() {
        assert_eq!(bf16_outputs(&[Either, Either, Either]), [true, true, false]);
        assert_eq!(bf16_outputs(&[Either, Single, Either, Either]), [false, false, true, false]);
        assert_eq!(bf16_outputs(&[Either, Same, Same, Either, Same]), [true, true, true, false, false]);
        assert_eq!(bf16_outputs(&[Either, Same, Single, Same, Either]), [false, false, false, true, false]);
        assert_eq!(bf16_outputs(&[]), [false; 0]);
    }

    fn bench(lines: &str, input: Shape, precision: Precision) -> Bench {
        Bench { precision, ..Bench::new(network(lines, input, 3, false), Mode::Train, 4) }
    }

    fn forms(bench: &Bench) -> Vec<DType> {
        let x = tensor(&bench.x, bench.shape(), F32);
        let outputs = bench.net.outputs(&bench.tensors(F32), x, &mut bench.pass());
        outputs.iter().map(|y| y.dtype()).collect()
    }

    #[test]
    fn tensors_between_layers_are_bf16() {
        let lines = "dense 32 | reshape 2 2 8 | batchnorm | leakyrelu 0.2 | convtranspose 8 4x4 stride 2 | batchnorm | relu | \
                     relu | dropout 0.1 | conv 4 3x3 | tanh | conv 4 3x3 | relu | upsample 2 | conv 1 5x5 | sigmoid";
        // dense, reshape, batchnorm, convtranspose, batchnorm, relu alone, dropout, conv with tanh, conv, upsampling and conv
        let wanted = [BF16, BF16, BF16, BF16, BF16, BF16, BF16, F32, BF16, F32];
        assert_eq!(forms(&bench(lines, Shape::Flat(5), Precision::Bf16)), wanted);
        assert_eq!(forms(&bench(lines, Shape::Flat(5), Precision::F32)), [F32; 10]);
    }

    /// Layers between others that store bf16; most of these know only f32.
    const BETWEEN: [&str; 18] = [
        "dropout 0.2",
        "conv 8 3x3 | leakyrelu 0.6",
        "convtranspose 8 3x3 | leakyrelu 0.6 | upsample 2 | conv 8 3x3 stride 2 | leakyrelu 0.6",
        "groupnorm 2",
        "layernorm",
        "instancenorm",
        "pixelnorm",
        "attention",
        "pixelshuffle 2",
        "upsample 2",
        "upsample 2 bilinear",
        "avgpool 2",
        "upsample 2 | crop 7 9",
        "minibatchstd",
        "residual | leakyrelu 0.6 | conv 8 3x3 | add",
        "conditionalbatchnorm",
        "embedding 2",
        "leakyrelu 0.5 | tanh",
    ];

    /// The activations' corners are blunt, so that rounding across one changes little.
    #[test]
    fn any_layer_may_stand_between() {
        for between in BETWEEN {
            let lines = format!(
                "conv 8 3x3 | leakyrelu 0.6 | {between} | conv 8 3x3 | batchnorm | {between} | convtranspose 8 3x3 | leakyrelu 0.6 | \
                 {between} | flatten | dense 3"
            );
            let gradients = |precision, r: &[f64]| {
                let bench = bench(&lines, Shape::Image(8, 8, 3), precision);
                assert!(precision == Precision::F32 || forms(&bench).contains(&BF16), "{lines}");
                bench.gradients(Wanted::Logits, r, F32)
            };
            let r = signed(4, 4 * 3);
            let (exact, rounded) = (gradients(Precision::F32, &r), gradients(Precision::Bf16, &r));
            let whole = exact.iter().map(|g| norm(g).powi(2)).sum::<f64>().sqrt();
            let apart = exact.iter().zip(&rounded).map(|(a, b)| distance(a, b).powi(2)).sum::<f64>().sqrt() / whole;
            println!("{between}: {apart}");
            assert!(apart > 1e-4 && apart < 0.1, "{between}: gradients apart by {apart}");
        }
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let lines = "conv 40 3x3 | batchnorm | relu | upsample 2 | conv 24 3x3 | leakyrelu 0.2 | dropout 0.2 | conv 8 4x4 stride 2 | \
                     flatten | dense 3";
        let bench = bench(lines, Shape::Image(16, 16, 3), Precision::Bf16);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bench.gradients(Wanted::Logits, &signed(4, 4 * 3), F32))
        };
        let one = on(1);
        assert!((2..=3).all(|threads| on(threads) == one));
    }
}
