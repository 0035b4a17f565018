//! The discriminator in the generator's step: bit-identical before and after, and its weight gradients not computed.
//! Alone in its process, because it counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use faussaire::ops::weight_gradients_computed;
use faussaire::{Device, Model, Preset, Recipe, Tensor};

fn bits(model: &Model) -> Vec<Vec<u32>> {
    let values = |t: &Tensor<1>| t.clone().into_data().iter::<f32>().map(f32::to_bits).collect();
    model.weights.tensors().iter().map(values).collect()
}

#[test]
fn a_frozen_discriminator_costs_and_changes_nothing() {
    let recipe = Recipe::parse(Preset::Quick.text(), "quick", &[]).unwrap();
    let device = Device::cpu();
    let (g, d) = recipe.networks().unwrap();
    let kernels = |net: &faussaire::net::Network| net.specs().filter(|s| s.name == "weight").count() as u64;
    let (g_kernels, d_kernels) = (kernels(&g), kernels(&d));
    assert_eq!((g_kernels, d_kernels), (4, 4));
    let mut generator = Model::from_network(g, 0, &device);
    let mut discriminator = Model::from_network(d, 0, &device);
    generator.compile(recipe.generator.adam);
    discriminator.compile(recipe.discriminator.adam);
    let z = Tensor::<4>::ones([4, 1, 1, recipe.latent], &device);
    let ones = Tensor::<4>::ones([4, 1, 1, 1], &device);

    let counted = |work: &mut dyn FnMut()| {
        let before = weight_gradients_computed();
        work();
        weight_gradients_computed() - before
    };
    let (before_g, before_d) = (bits(&generator), bits(&discriminator));
    let in_generator_step = counted(&mut || {
        generator.then(discriminator.frozen()).train_on_batch(&z, &ones).unwrap();
    });
    assert_eq!(in_generator_step, g_kernels, "the frozen discriminator's weight gradients were computed");
    assert_eq!(bits(&discriminator), before_d);
    assert_ne!(bits(&generator), before_g);

    let before_g = bits(&generator);
    let in_discriminator_step = counted(&mut || {
        let fakes = generator.predict_on_batch(&z).unwrap();
        discriminator.train_on_batch(&fakes, &ones).unwrap();
    });
    assert_eq!(in_discriminator_step, d_kernels);
    assert_eq!(bits(&generator), before_g);
    assert_ne!(bits(&discriminator), before_d);
}
