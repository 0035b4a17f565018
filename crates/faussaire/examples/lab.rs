//! The lab's ten steps, one to one, in the library's verbs. The course does the same in Keras; docs/lab.md sets both
//! side by side.
//!
//!     cargo run --release -p faussaire-core --example lab -- [DATASET] [EPOCHS] [IMAGES]

use std::path::Path;
use std::time::Instant;

use faussaire::PixelRange;
use faussaire::data::{self, Dataset};
use faussaire::random::Stream;
use faussaire::render::{Images, png, sheet};
use faussaire::{AdamSettings, Device, Error, Model, Recipe, Result, Tensor};

/// How much of the lab to do.
pub struct Size {
    /// Passes over the data.
    pub epochs: u64,
    /// Steps per pass, at most.
    pub steps: u64,
    /// Images per batch.
    pub batch: usize,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dataset = arguments.next().unwrap_or_else(|| "strokes".into());
    let epochs = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(30);
    let images = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(6000);
    let size = Size { epochs, steps: u64::MAX, batch: 64 };
    let recipe = faussaire::Preset::Tp.recipe().map(nets);
    let outcome = recipe.and_then(|recipe| {
        let dataset = data::open(&dataset, &data::OpenOptions::default(), &mut |_| {})?;
        let dataset = data::Subset::first(dataset, images);
        let folder = Path::new("lab");
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        walk(&recipe, dataset.as_ref(), &size, folder)
    });
    if let Err(error) = outcome {
        eprintln!("error: {error}\nhint: {}", error.hint());
        std::process::exit(1);
    }
}

/// The recipe with statistics of batch normalisation that follow within an epoch of 6,000 images. With Keras's 0.99 D would
/// learn from the images of a G that is not the one that is trained, and win.
pub fn nets(mut recipe: Recipe) -> Recipe {
    for layer in recipe.generator.layers.iter_mut().filter(|layer| *layer == "batchnorm") {
        layer.push_str(" momentum 0.8");
    }
    recipe
}

/// The lab, with the nets of `recipe`; strips of images go into `folder`. Returns the last losses of D and G.
pub fn walk(recipe: &Recipe, dataset: &dyn Dataset, size: &Size, folder: &Path) -> Result<(f32, f32)> {
    let device = Device::cpu();
    let seed = recipe.train.seed;
    let m = size.batch;

    // 1. Build the generator.
    let (g, d) = recipe.networks()?;
    let mut generator = Model::from_network(g, seed, &device);
    // 2. Build the discriminator.
    let mut discriminator = Model::from_network(d, seed, &device);
    // A summary of both.
    println!("{}\n{}", generator.summary(), discriminator.summary());
    // 3. Compile the discriminator: binary cross-entropy and Adam.
    discriminator.compile(AdamSettings::new(2e-4).betas(0.5, 0.999));
    // 4. The GAN, below: its optimiser is the generator's.
    generator.compile(AdamSettings::new(2e-4).betas(0.5, 0.999));

    let batches = data::Batches::new(dataset.len(), m, seed)?;
    let noise = Stream::new(seed, "lab");
    let draw = |index: u64, n: usize| {
        let z = noise.normal(index, n * recipe.latent);
        Tensor::<4>::from_data(burn::tensor::TensorData::new(z, [n, 1, 1, recipe.latent]), &device)
    };
    let (real, generated) =
        (|n| Tensor::<4>::ones([n, 1, 1, 1], &device), |n| Tensor::<4>::zeros([n, 1, 1, 1], &device));
    let shape = dataset.shape();
    let range = PixelRange::of(&generator.net)?;
    let mut losses = (f32::NAN, f32::NAN);

    for epoch in 1..=size.epochs {
        let began = Instant::now();
        for step in 0..batches.batches_per_epoch().min(size.steps) {
            let turn = (epoch - 1) * batches.batches_per_epoch() + step;
            // 5. Draw z ~ N(0, I).
            let z = draw(2 * turn, m);
            // 6. Generate.
            let fakes = generator.predict_on_batch(&z)?;
            // 7. Mix real images, drawn at random, with generated ones; label them.
            let mut pixels = Vec::new();
            data::fill(dataset, &batches.indices(turn), &mut pixels)?;
            range.from_unit(&mut pixels);
            let dims = [m, shape.height, shape.width, shape.channels];
            let reals = Tensor::from_data(burn::tensor::TensorData::new(pixels, dims), &device);
            let mixed = Tensor::cat(vec![reals, fakes], 0);
            let labels = Tensor::cat(vec![real(m), generated(m)], 0);
            // 8. Train the discriminator on the batch.
            let d = discriminator.train_on_batch(&mixed, &labels)?;
            // 9. Draw a new z, labelled "real".
            let (z, wish) = (draw(2 * turn + 1, m), real(m));
            // 4. The GAN: a frozen copy of the discriminator behind the generator. It borrows both nets instead of copying
            //    them, so it is put together where it is used; the discriminator can't be changed through it.
            let mut gan = generator.then(discriminator.frozen());
            // 10. Train the GAN on it: only the generator learns.
            let g = gan.train_on_batch(&z, &wish)?;
            losses = (d.loss, g.loss);
        }
        println!("epoch {epoch}: D loss {:.4}, GAN loss {:.4}, {:.0?}", losses.0, losses.1, began.elapsed());
        // After the first epoch, and every 10: a strip of 10 generated images.
        if epoch == 1 || epoch % 10 == 0 || epoch == size.epochs {
            let strip = generator.predict_on_batch(&draw(u64::MAX, 10))?;
            let values: Vec<f32> = strip.into_data().iter::<f32>().collect();
            let images = Images::from_values(&values, shape, range.bounds())?;
            let picture = sheet::sheet(&images, 1, 10, &sheet::Options::default())?;
            png::write(&folder.join(format!("epoch-{epoch:03}.png")), &picture)?;
        }
    }
    Ok(losses)
}
