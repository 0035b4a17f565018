//! Memory that the kernels keep goes back to the system when it is asked for. A process of its own: what other tests use
//! at the same time would blur the measurement.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used)]

use faussaire_kernels::memory::{keep_freed_memory, release};
use faussaire_kernels::{Activation, Geometry, PooledBuffer, Precision, Values, conv};

/// Megabytes of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[test]
fn kept_memory_goes_back_and_later_calls_work() {
    keep_freed_memory();
    let before = resident();

    // 128 MB of a result's buffer.
    let mut buffer = PooledBuffer::new(128 << 20);
    buffer.f32().fill(1.0);
    drop(buffer);
    assert!(resident() >= before + 120, "the pool keeps a freed buffer: {} after {before}", resident());
    release();
    assert!(resident() < before + 30, "released, {} after {before}", resident());

    // 128 MB of scratch memory: stored as bf16, computed in f32.
    let g = Geometry::dense(1 << 15, 1 << 10, 8);
    let (x, w) = (vec![0x3F80u16; g.x_len()], vec![1.0; g.w_len()]);
    let product = || {
        let mut y = vec![0.0; g.y_len()];
        conv::forward(&g, Precision::F32, Values::Bf16(&x), &w, None, Activation::Identity, &mut y);
        assert!(y.iter().all(|v| *v == 1024.0));
    };
    let before = resident();
    product();
    assert!(resident() >= before + 120, "scratch memory is kept: {} after {before}", resident());
    release();
    assert!(resident() < before + 30, "released, {} after {before}", resident());
    product();

    // What is in use stays.
    let mut buffer = PooledBuffer::new(1 << 20);
    buffer.f32().fill(2.0);
    release();
    assert!(buffer.f32().iter().all(|v| *v == 2.0));
}
