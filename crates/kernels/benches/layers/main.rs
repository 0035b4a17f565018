//! Times every kernel at the shapes of the course nets and of a 64x64 DCGAN (batch 64) and prints Markdown tables:
//! GFLOP/s beside the machine's measured matrix-product limit, GB/s beside its measured copy. Products count the
//! multiplications that are left after phases and summed taps; padding counts as work. Each figure is the best of
//! several runs, interleaved with measurements of the limit, so that a busy machine spoils both or neither.
//!
//! `cargo bench -p faussaire-kernels --bench layers -- [FILTER]... [--cpu] [--batch=N] [--bf16]`; `RAYON_NUM_THREADS` sets
//! the threads.
//! A filter is a part of a layer's name, such as `fidle`, `tp` or `dcgan-64`, or `memory` for the kernels without
//! products; of several, any will do.
//! `--bf16` multiplies bfloat16 and stores images of more than four channels so, as nets do between their layers; the
//! limit stays that of f32.
//! `--cpu` measures processor time on one thread instead, for machines that others use at the same time.

mod shapes;

use faussaire_kernels::batchnorm::BatchNorm;
use faussaire_kernels::upsample_conv::Upsampled;
use faussaire_kernels::{
    Activation, Adam, PooledBuffer, Precision, Values, ValuesMut, activation, adam, batchnorm, conv, isa, upsample_conv,
};
use rayon::prelude::*;
use shapes::{Kind, Layer, layers};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 1013) as f32 / 1013.0 - 0.5).collect()
}

static CPU_TIME: AtomicBool = AtomicBool::new(false);

/// Wall time, or this thread's processor time.
fn now() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    #[cfg(target_os = "linux")]
    if CPU_TIME.load(Ordering::Relaxed) {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call fills in `time`; this clock exists on every Linux.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        return Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
    }
    START.elapsed()
}

/// Best time of several calls; the first one only warms up.
fn best(mut work: impl FnMut()) -> Duration {
    work();
    let start = Instant::now();
    let mut best = Duration::MAX;
    let mut runs = 0;
    while runs < 5 || (start.elapsed() < Duration::from_millis(300) && runs < 200) {
        let t = now();
        work();
        best = best.min(now() - t);
        runs += 1;
    }
    best
}

/// GFLOP/s of 1024 x 1024 x 1024 products, one per thread at a time.
fn product_limit() -> f64 {
    const N: usize = 1024;
    let threads = rayon::current_num_threads();
    let (a, b) = (values(N * N), values(N * N));
    let mut c = vec![0.0f32; threads * N * N];
    let time = best(|| {
        c.par_chunks_mut(N * N).for_each(|c| {
            let n = N as isize;
            // SAFETY: all three are N x N matrices of rows of N values, `c` borrowed exclusively.
            unsafe {
                let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
                let none = gemm::Parallelism::None;
                gemm::gemm(N, N, N, c, 1, n, false, a, 1, n, b, 1, n, 0.0, 1.0, false, false, false, none);
            }
        });
    });
    2.0 * (N * N * N * threads) as f64 / time.as_secs_f64() / 1e9
}

/// GB/s of a copy, read plus write, too large for any cache.
fn copy_limit() -> f64 {
    let x = values(1 << 24);
    let mut y = vec![0.0f32; x.len()];
    let time = best(|| y.par_chunks_mut(1 << 16).zip(x.par_chunks(1 << 16)).for_each(|(y, x)| y.copy_from_slice(x)));
    2.0 * 4.0 * x.len() as f64 / time.as_secs_f64() / 1e9
}

/// An image in the form that it has between layers: bf16 in a bf16 training, f32 where a net begins or ends.
enum Image {
    F32(Vec<f32>),
    Bf16(PooledBuffer),
}

impl Image {
    fn new(len: usize, channels: usize, precision: Precision) -> Self {
        /// An image's own channels, or a score.
        const ENDS: usize = 4;
        let values = values(len);
        if precision == Precision::F32 || channels <= ENDS {
            return Self::F32(values);
        }
        // Cutting the digits off is rounding enough for a bench.
        let mut block = PooledBuffer::new(2 * len);
        block.bf16().iter_mut().zip(&values).for_each(|(b, v)| *b = (v.to_bits() >> 16) as u16);
        Self::Bf16(block)
    }

    fn read(&self) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values),
            Self::Bf16(values) => Values::bf16_in(values.as_ref()).unwrap_or(Values::Bf16(&[])),
        }
    }

    fn write(&mut self) -> ValuesMut<'_> {
        match self {
            Self::F32(values) => ValuesMut::F32(values),
            Self::Bf16(values) => ValuesMut::Bf16(values.bf16()),
        }
    }
}

/// Times of forward pass, input gradient and weight gradient.
fn time(layer: &Layer, p: Precision) -> [Duration; 3] {
    let g = &layer.g;
    let small = if layer.kind == Kind::Upsample { g.x_len() / 4 } else { g.x_len() };
    let input = || Image::new(small, g.in_c, p);
    let output = || Image::new(g.y_len(), g.out_c, p);
    let (x, w, dy, mut y, mut dx) = (input(), values(g.w_len()), output(), output(), input());
    let mut dw = vec![0.0; w.len()];
    let (act, none) = (Activation::LeakyRelu(0.2), Activation::Identity);
    let (out_bias, in_bias) = (values(g.out_c), values(g.in_c));
    let up = Upsampled { geometry: g, factor: 2 };
    match layer.kind {
        Kind::Conv => [
            best(|| conv::forward(g, p, x.read(), &w, Some(&out_bias), act, y.write())),
            best(|| conv::input_grad(g, p, dy.read(), &w, None, none, dx.write())),
            best(|| conv::weight_grad(g, p, x.read(), dy.read(), &mut dw, None)),
        ],
        Kind::Transpose => [
            best(|| conv::input_grad(g, p, dy.read(), &w, Some(&in_bias), act, dx.write())),
            best(|| conv::forward(g, p, x.read(), &w, None, none, y.write())),
            best(|| conv::weight_grad(g, p, x.read(), dy.read(), &mut dw, None)),
        ],
        Kind::Upsample => [
            best(|| upsample_conv::forward(&up, p, x.read(), &w, Some(&out_bias), act, y.write())),
            best(|| upsample_conv::input_grad(&up, p, dy.read(), &w, none, dx.write())),
            best(|| upsample_conv::weight_grad(&up, p, x.read(), dy.read(), &mut dw, None)),
        ],
    }
}

fn products(layers: &[Layer], batch: usize, precision: Precision) {
    println!(
        "| layer, batch {batch} | GFLOP | forward ms | GFLOP/s | input gradient ms | GFLOP/s | weight gradient ms | GFLOP/s | limit |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for layer in layers {
        let reduced = if layer.kind == Kind::Upsample { 4.0 / 9.0 } else { 1.0 };
        let gflop = layer.g.flops() as f64 * reduced / 1e9;
        let before = product_limit();
        let times = time(layer, precision).map(|t| t.as_secs_f64());
        let limit = before.max(product_limit());
        print!("| {} | {gflop:.3} |", layer.name);
        for t in times {
            print!(" {:.2} | {:.0} ({:.0}%) |", t * 1e3, gflop / t, gflop / t / limit * 100.0);
        }
        println!(" {limit:.0} |");
    }
}

/// Kernels that move memory: `bytes` is what they must read and write at least.
fn row(name: &str, bytes: usize, work: impl FnMut()) {
    let before = copy_limit();
    let t = best(work).as_secs_f64();
    let limit = before.max(copy_limit());
    let speed = bytes as f64 / t / 1e9;
    println!(
        "| {name} | {:.1} | {:.2} | {speed:.1} ({:.0}%) | {limit:.1} |",
        bytes as f64 / 1e6,
        t * 1e3,
        speed / limit * 100.0
    );
}

fn memory(batch: usize, p: Precision) {
    println!("\n| kernel | MB | ms | GB/s | copy GB/s |\n| --- | ---: | ---: | ---: | ---: |");
    let (rows, c) = (batch * 28 * 28, 256);
    let n = rows * c;
    let size = if p == Precision::F32 { 4 } else { 2 };
    let image = || Image::new(n, c, p);
    let (x, dy, mut y, mut dx) = (image(), image(), image(), image());
    let (mut mean, mut var, gamma, beta) = (vec![0.0; c], vec![0.0; c], values(c), values(c));
    let (mut dgamma, mut dbeta) = (vec![0.0; c], vec![0.0; c]);
    let act = Activation::LeakyRelu(0.2);
    row("batchnorm moments", size * n, || batchnorm::moments(x.read(), &mut mean, &mut var));
    let norm = BatchNorm { mean: &mean, variance: &var, gamma: &gamma, beta: &beta, epsilon: 1e-3, activation: act };
    row("batchnorm forward + leakyrelu", 2 * size * n, || {
        batchnorm::forward(&norm, x.read(), y.write());
    });
    row("batchnorm backward (two passes)", 5 * size * n, || {
        let (dg, db) = (&mut dgamma, &mut dbeta);
        let (x, dy, dx) = (x.read(), dy.read(), dx.write());
        batchnorm::backward_train(&norm, x, dy, dx, dg, db);
    });
    row("leakyrelu forward", 2 * size * n, || activation::forward(act, x.read(), y.write()));
    row("leakyrelu backward + bias", 3 * size * n, || {
        activation::backward_with_bias(act, y.read(), dy.read(), dx.write(), &mut dbeta);
    });
    row("bias gradient", size * n, || activation::bias_grad(dy.read(), &mut dbeta));
    row("sigmoid forward", 2 * size * n, || activation::forward(Activation::Sigmoid, x.read(), y.write()));
    row("tanh forward", 2 * size * n, || activation::forward(Activation::Tanh, x.read(), y.write()));
    let settings = Adam { rate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    let (mut w, dw, mut m, mut v) = (values(n), values(n), vec![0.0; n], vec![0.0; n]);
    row("adam", 28 * n, || adam::step(&settings, 10, &mut w, &dw, &mut m, &mut v));
    row("weight average", 12 * n, || adam::average(0.999, &mut m, &w));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let batch = args.iter().find_map(|a| a.strip_prefix("--batch=")?.parse().ok()).unwrap_or(64);
    CPU_TIME.store(args.iter().any(|a| a == "--cpu"), Ordering::Relaxed);
    if CPU_TIME.load(Ordering::Relaxed) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        if let Err(error) = pool.build_global() {
            eprintln!("{error}");
        }
    }
    println!("Instruction set {}; threads: {}.\n", isa::isa().name(), rayon::current_num_threads());
    let precision = if args.iter().any(|a| a == "--bf16") { Precision::Bf16 } else { Precision::F32 };
    let mut chosen = layers(batch);
    chosen.retain(|layer| filters.is_empty() || filters.iter().any(|filter| layer.name.contains(filter.as_str())));
    if !chosen.is_empty() {
        products(&chosen, batch, precision);
    }
    if filters.is_empty() || filters.iter().any(|filter| *filter == "memory") {
        memory(batch, precision);
    }
}
