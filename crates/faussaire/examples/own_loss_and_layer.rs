//! A loss and a layer of one's own, registered by name, in a recipe that is trained like any other. Both keep their bits over
//! a resume, as `tests/own.rs` shows.
//!
//!     cargo run --release -p faussaire-core --example own_loss_and_layer

use std::sync::Arc;

use faussaire::data::{ImageShape, InMemory};
use faussaire::loss::{GanLoss, Scale, Scores};
use faussaire::net::parse::Reading;
use faussaire::net::{Dual, Fused, LayerKind, Pass, Shape};
use faussaire::run::Sampler;
use faussaire::train::Limits;
use faussaire::{Device, Gan, Recipe, Result, Tensor, register_layer, register_loss};

/// The squared hinge: D's scores are pushed beyond a margin of 1, the farther off the harder.
struct SquaredHinge;

impl GanLoss for SquaredHinge {
    fn discriminator(&self, scores: &Scores, _smoothing: f32) -> Tensor<1> {
        let missing = |scores: Tensor<4>| scores.add_scalar(1.0).clamp_min(0.0);
        let (real, fake) = (missing(scores.real.clone().neg()), missing(scores.fake.clone()));
        real.clone().mul(real).mean().add(fake.clone().mul(fake).mean())
    }
    fn generator(&self, fake: Tensor<4>, _real: Option<Tensor<4>>) -> Tensor<1> {
        fake.mean().neg()
    }
    fn scale(&self) -> Scale {
        Scale { middle: Some(0.0), unit: Some(0.5), log_odds: false }
    }
    fn chance_loss(&self) -> Option<f32> {
        Some(2.0)
    }
}

/// `own:softsign`: x / (1 + |x|).
#[derive(Debug)]
struct Softsign;

impl LayerKind for Softsign {
    fn keyword(&self) -> &'static str {
        "softsign"
    }
    fn output(&self, input: Shape) -> Reading<Shape> {
        Ok(input)
    }
    fn forward(&self, _: Shape, x: Tensor<4>, _: &[Tensor<1>], _: Fused, _: &mut Pass) -> Tensor<4> {
        x.clone().div(x.abs().add_scalar(1.0))
    }
    /// The derivative is 1 / (1 + |x|)^2.
    fn tangent(&self, input: Shape, x: Dual, w: &[Tensor<1>], pass: &mut Pass) -> Dual {
        let scale = x.value.clone().abs().add_scalar(1.0).powf_scalar(-2.0);
        Dual { value: self.forward(input, x.value, w, Fused::ALONE, pass), tangent: x.tangent.mul(scale) }
    }
}

const RECIPE: &str = r#"
latent = 8
generator = { layers = ["dense 32", "own:softsign", "dense 64", "reshape 8 8 1", "sigmoid"] }
discriminator = { layers = ["flatten", "dense 32", "own:softsign", "dense 1"] }
train = { loss = "own:squared-hinge", batch = 16, steps = 200 }
"#;

fn main() -> Result<()> {
    register_loss("squared-hinge", Arc::new(SquaredHinge))?;
    register_layer("softsign", |_| Ok(Arc::new(Softsign)))?;
    let pixels = (0..64 * 64).map(|i| if i % 8 < 4 { 200 } else { 30 }).collect();
    let data = InMemory::from_bytes("stripes", ImageShape { height: 8, width: 8, channels: 1 }, pixels)?;
    let mut gan = Gan::new(Recipe::parse(RECIPE, "the example", &[])?, Arc::new(data), &Device::cpu())?;
    gan.fit(&Limits::steps(200), &mut [])?;
    let sampler = Sampler::of(&gan)?;
    let image = sampler.values(&sampler.noise(0, 0, 1), None)?;
    let row: Vec<String> = image[..8].iter().map(|v| format!("{v:.2}")).collect();
    println!("the first row of an image after 200 steps: {}", row.join(" "));
    Ok(())
}
