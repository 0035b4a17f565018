//! Two consecutive convolutions, in bf16, whose intermediate values are much larger than input and output: the last
//! layers of a generator, with 400 KB of intermediate values per image. Computed one after the other for the whole
//! batch, they would move these through memory, 25 MB at a time, twice in the forward pass and five times in the
//! backward pass. Here a few images at a time go through both and stay in the cache (`engines/amx/chain`). The results
//! are bit-identical to those of one layer after the other, which is computed where that is no slower.

pub mod normed;

pub use crate::stage::{Gradients, Stage};

use crate::conv::{self, check};
use crate::engines::amx;
use crate::stored::{Values, ValuesMut};
use crate::{Epilogue, PooledBuffer, counters};

/// `y = second(first(x))`; the intermediate values are stored in `between` if given, else temporarily as bf16. The
/// first one's activation is ReLU, leaky ReLU or none. Lengths: input of the first, output of the first, output of the
/// second.
pub fn forward<'a>(
    stages: [&Stage; 2],
    x: impl Into<Values<'a>>,
    between: Option<ValuesMut>,
    y: impl Into<ValuesMut<'a>>,
) {
    let (x, y) = (x.into(), y.into());
    check_stages(stages, x.len(), y.len());
    let len = stages[0].made_len();
    check("between", between.as_ref().map_or(len, ValuesMut::len), len);
    if let Some(chain) = amx::chain::chain(stages) {
        return chain.forward(x, between, y);
    }
    let mut own = PooledBuffer::new(if between.is_some() { 0 } else { len * size_of::<u16>() });
    let mut between = between.unwrap_or_else(|| ValuesMut::Bf16(own.bf16()));
    stages[0].forward(x, between.again());
    stages[1].forward(between.read(), y);
}

/// All gradients, of `dy` in front of the second stage's activation; `x` and `between` are those of [`forward`]. The gradient
/// with respect to `x` goes through `then`. Neither stage is transposed. Counts two weight gradients.
pub fn backward<'a>(
    stages: [&Stage; 2],
    x: impl Into<Values<'a>>,
    between: impl Into<Values<'a>>,
    dy: impl Into<Values<'a>>,
    then: impl Into<Epilogue<'a>>,
    gradients: Gradients,
) {
    let (x, between, dy, then) = (x.into(), between.into(), dy.into(), then.into());
    let [first, second] = stages;
    check_stages(stages, x.len(), dy.len());
    assert!(!first.transposed && !second.transposed, "the gradients of a transposed stage are left to it");
    check("between", between.len(), first.made_len());
    for (stage, (dw, db)) in stages.iter().zip(gradients.weights.iter().zip(&gradients.biases)) {
        check("dw", dw.len(), stage.geometry.w_len());
        check("db", db.len(), stage.channels());
    }
    check("dx", gradients.x.as_ref().map_or(x.len(), ValuesMut::len), x.len());
    let then = conv::checked(then, x.len());
    if let Some(chain) = amx::chain::chain(stages)
        && chain.goes_back_together()
    {
        stages.iter().for_each(|_| counters::count_weight_gradient());
        return chain.backward(x, between, dy, then, gradients);
    }
    let Gradients { weights: [first_dw, second_dw], biases: [first_db, second_db], x: dx } = gradients;
    let mut own = PooledBuffer::new(between.len() * size_of::<u16>());
    let dz = own.bf16();
    second.weight_grad(between, dy, second_dw, second_db);
    second.input_grad(dy, Epilogue::Slope(first.activation, between), ValuesMut::Bf16(&mut *dz));
    first.weight_grad(x, Values::Bf16(dz), first_dw, first_db);
    if let Some(dx) = dx {
        first.input_grad(Values::Bf16(dz), then, dx);
    }
}

fn check_stages([first, second]: [&Stage; 2], x: usize, y: usize) {
    check("x", x, first.read_len());
    check("the second stage's input", second.read_len(), first.made_len());
    check("y", y, second.made_len());
    first.check();
    second.check();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bf16;
    use crate::memory::workspace;
    use crate::reference::{assert_same_on_any_pool, values};
    use crate::{Activation, Geometry};

    /// Geometries of both stages, the first one's upsampling, activations.
    type Case = (Geometry, Geometry, usize, [Activation; 2]);

    fn cases() -> Vec<Case> {
        use Activation::{Identity, LeakyRelu, Relu, Sigmoid, Tanh};
        let same = |batch, size, from, to, kernel: usize, stride: usize| {
            Geometry::same(batch, size, size, from, to, [kernel; 2], [stride; 2])
        };
        vec![
            // The sheep generator's end, with parts of unequal length.
            (same(9, 28, 48, 96, 3, 1), same(9, 28, 96, 1, 5, 1), 2, [Relu, Identity]),
            (same(21, 28, 32, 64, 3, 1), same(21, 28, 64, 1, 5, 1), 2, [LeakyRelu(0.2), Sigmoid]),
            // Colours; channels that fill no panel.
            (same(8, 16, 24, 40, 3, 1), same(8, 16, 40, 3, 3, 1), 1, [Identity, Tanh]),
            // A discriminator's strides, an activation with no simple slope, one image, none.
            (same(12, 16, 20, 48, 4, 2), same(12, 8, 48, 64, 4, 2), 1, [Relu, Relu]),
            (same(6, 12, 32, 33, 3, 1), same(6, 12, 33, 2, 3, 1), 1, [Tanh, Identity]),
            // The last group of a part, 6 of 22 images, would be laid out otherwise by itself.
            (same(88, 8, 32, 1024, 3, 1), same(88, 8, 1024, 8, 3, 1), 1, [Relu, Identity]),
            (same(1, 14, 32, 64, 3, 1), same(1, 14, 64, 1, 5, 1), 2, [Relu, Identity]),
            (same(0, 14, 32, 64, 3, 1), same(0, 14, 64, 1, 5, 1), 2, [Relu, Identity]),
        ]
    }

    fn bits(values: &[f32]) -> Vec<u16> {
        values.iter().map(|v| bf16::bits(*v)).collect()
    }

    /// Everything that comes out, in a row.
    fn flat(halves: [&[u16]; 2], wholes: [&[f32]; 5]) -> Vec<f32> {
        let halves = halves.into_iter().flatten().map(|h| f32::from(*h));
        halves.chain(wholes.into_iter().flatten().copied()).collect()
    }

    #[test]
    fn the_same_bits_as_one_after_the_other() {
        for (g1, g2, upsample, [bent, end]) in cases() {
            let (w, b) = ([values(g1.w_len(), 1), values(g2.w_len(), 2)], [values(g1.out_c, 3), values(g2.out_c, 4)]);
            let one =
                Stage { geometry: &g1, upsample, transposed: false, weight: &w[0], bias: &b[0], activation: bent };
            let two =
                Stage { geometry: &g2, upsample: 1, transposed: false, weight: &w[1], bias: &b[1], activation: end };
            let (x, dy) = (bits(&values(one.read_len(), 5)), values(g2.y_len(), 6));
            let (xs, dys) = (Values::Bf16(&x), Values::from(&dy));
            let then = Epilogue::Slope(Activation::LeakyRelu(0.3), xs);
            let empty = || {
                let wholes = [g2.y_len(), g1.w_len(), g2.w_len(), g1.out_c, g2.out_c].map(|len| vec![f32::NAN; len]);
                ([vec![0xFFFFu16; g1.y_len()], vec![0xFFFF; x.len()]], wholes)
            };
            let apart = {
                let ([mut between, mut dx], [mut y, mut dw1, mut dw2, mut db1, mut db2]) = empty();
                one.forward(xs, ValuesMut::Bf16(&mut between));
                two.forward(Values::Bf16(&between), ValuesMut::F32(&mut y));
                let kept = Values::Bf16(&between);
                two.weight_grad(kept, dys, &mut dw2, &mut db2);
                let mut dz = vec![0u16; between.len()];
                two.input_grad(dys, Epilogue::Slope(bent, kept), ValuesMut::Bf16(&mut dz));
                one.weight_grad(xs, Values::Bf16(&dz), &mut dw1, &mut db1);
                one.input_grad(Values::Bf16(&dz), then, ValuesMut::Bf16(&mut dx));
                flat([&between, &dx], [&y, &dw1, &dw2, &db1, &db2])
            };
            let together = || {
                let ([mut between, mut dx], [mut y, mut dw1, mut dw2, mut db1, mut db2]) = empty();
                workspace::spoil();
                forward([&one, &two], xs, None, &mut y);
                let alone = std::mem::replace(&mut y, vec![f32::NAN; g2.y_len()]);
                forward([&one, &two], xs, Some(ValuesMut::Bf16(&mut between)), &mut y);
                assert_eq!(alone, y, "keeping what lies between changes nothing");
                let (weights, biases) = ([&mut dw1[..], &mut dw2[..]], [&mut db1[..], &mut db2[..]]);
                let gradients = Gradients { weights, biases, x: Some(ValuesMut::Bf16(&mut dx)) };
                backward([&one, &two], xs, Values::Bf16(&between), dys, then, gradients);
                let all = flat([&between, &dx], [&y, &dw1, &dw2, &db1, &db2]);
                let (weights, biases) = ([&mut dw1[..], &mut dw2[..]], [&mut db1[..], &mut db2[..]]);
                backward([&one, &two], xs, Values::Bf16(&between), dys, then, Gradients { weights, biases, x: None });
                let frozen = flat([&between, &dx], [&y, &dw1, &dw2, &db1, &db2]);
                assert_eq!(all, frozen, "a gradient that nobody wants changes nothing");
                all
            };
            assert!(together() == apart, "{g1:?} {g2:?}");
            assert!(apart.iter().all(|v| !v.is_nan()), "{g1:?}");
            assert_same_on_any_pool(together);
            // More threads than parts: each layer does the whole batch.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(6).build().unwrap();
            assert!(pool.install(together) == apart, "{g1:?}");
        }
    }

    #[test]
    fn the_sheep_generator_goes_together_where_bf16_is_multiplied() {
        let (g1, g2, upsample, [bent, end]) = cases()[0];
        let (w1, w2, b) = (values(g1.w_len(), 1), values(g2.w_len(), 2), values(g1.out_c, 3));
        let one = Stage { geometry: &g1, upsample, transposed: false, weight: &w1, bias: &b, activation: bent };
        let two = Stage { geometry: &g2, upsample: 1, transposed: false, weight: &w2, bias: &b[..1], activation: end };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let stages = [&one, &two];
        let together = pool.install(|| amx::chain::chain(stages).is_some_and(|c| c.goes_back_together()));
        assert_eq!(together, crate::isa::multiplies_bf16());
        let smooth = Stage { activation: Activation::Tanh, ..one };
        assert!(amx::chain::chain([&smooth, &two]).is_none());
    }
}
