//! The layers that are timed: those of the course nets (fidle.toml and tp.toml of crates/faussaire/presets) and of a DCGAN for 64x64
//! colour images (dcgan-64.toml there). A name begins with the nets that have the layer, so that a filter can choose;
//! a number before a comma is the side of the images that come in.

use faussaire_kernels::Geometry;

/// A layer: its name, the convolution, and how it is used.
pub struct Layer {
    pub name: &'static str,
    pub g: Geometry,
    pub kind: Kind,
}

/// How a layer uses its convolution.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Conv,
    /// Upsampling by 2 first.
    Upsample,
    /// The geometry is the convolution that this layer transposes.
    Transpose,
}

/// All layers with products, at `batch` images.
pub fn layers(batch: usize) -> Vec<Layer> {
    let conv = |n: usize, i, o, k: usize, s: usize| Geometry::same(batch, n, n, i, o, [k, k], [s, s]);
    let dense = |i, o| Geometry::dense(batch, i, o);
    let layer = |name, kind, g| Layer { name, g, kind };
    vec![
        layer("fidle G dense 128 -> 3136", Kind::Conv, dense(128, 3136)),
        layer("fidle G up 7, conv 64 -> 128 3x3", Kind::Upsample, conv(14, 64, 128, 3, 1)),
        layer("fidle G up 14, conv 128 -> 256 3x3", Kind::Upsample, conv(28, 128, 256, 3, 1)),
        layer("fidle G, tp G conv 256 -> 1 5x5", Kind::Conv, conv(28, 256, 1, 5, 1)),
        layer("fidle D, tp D conv 1 -> 64 4x4/2", Kind::Conv, conv(28, 1, 64, 4, 2)),
        layer("fidle D, tp D conv 64 -> 128 4x4/2", Kind::Conv, conv(14, 64, 128, 4, 2)),
        layer("fidle D conv 128 -> 128 4x4/2", Kind::Conv, conv(7, 128, 128, 4, 2)),
        layer("fidle D dense 2048 -> 1", Kind::Conv, dense(2048, 1)),
        layer("tp G dense 32 -> 25088", Kind::Conv, dense(32, 25088)),
        layer("tp G convT 128 -> 128 5x5", Kind::Transpose, conv(14, 128, 128, 5, 1)),
        layer("tp G convT 128 -> 256 4x4/2", Kind::Transpose, conv(28, 256, 128, 4, 2)),
        layer("tp D conv 128 -> 256 4x4/2", Kind::Conv, conv(7, 128, 256, 4, 2)),
        layer("tp D dense 4096 -> 1", Kind::Conv, dense(4096, 1)),
        layer("dcgan-64 G dense 100 -> 8192", Kind::Conv, dense(100, 8192)),
        layer("dcgan-64 G convT 4, 512 -> 256 4x4/2", Kind::Transpose, conv(8, 256, 512, 4, 2)),
        layer("dcgan-64 G convT 8, 256 -> 128 4x4/2", Kind::Transpose, conv(16, 128, 256, 4, 2)),
        layer("dcgan-64 G convT 16, 128 -> 64 4x4/2", Kind::Transpose, conv(32, 64, 128, 4, 2)),
        layer("dcgan-64 G convT 32, 64 -> 3 4x4/2", Kind::Transpose, conv(64, 3, 64, 4, 2)),
        layer("dcgan-64 D conv 64, 3 -> 64 4x4/2", Kind::Conv, conv(64, 3, 64, 4, 2)),
        layer("dcgan-64 D conv 32, 64 -> 128 4x4/2", Kind::Conv, conv(32, 64, 128, 4, 2)),
        layer("dcgan-64 D conv 16, 128 -> 256 4x4/2", Kind::Conv, conv(16, 128, 256, 4, 2)),
        layer("dcgan-64 D conv 8, 256 -> 512 4x4/2", Kind::Conv, conv(8, 256, 512, 4, 2)),
        layer("dcgan-64 D dense 8192 -> 1", Kind::Conv, dense(8192, 1)),
    ]
}
