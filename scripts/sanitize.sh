#!/usr/bin/env bash
# Do the kernels stay within their memory, and their arithmetic within its range?
#
# usage: scripts/sanitize.sh
#
# Runs the tests of crates/kernels, the only crate with unsafe code, with AddressSanitizer, debug assertions and overflow
# checks; a test among them runs all others on each instruction set of this machine. AddressSanitizer needs the nightly
# toolchain; without it the tests run with the rest, and that is said. Then the tests that take random nets and recipes
# through whole steps run with assertions in the kernels. The first half builds in target/sanitize.
set -euo pipefail
cd "$(dirname "$0")/.."

checks="-Cdebug-assertions=on -Coverflow-checks=on"
host=$(rustc -vV | sed -n 's/^host: //p')
toolchain=+stable
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=+nightly
    checks="-Zsanitizer=address $checks"
else
    echo "AddressSanitizer skipped: it needs the nightly toolchain (rustup toolchain install nightly)"
fi
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/sanitize" RUSTFLAGS="$checks" \
    cargo $toolchain test --release --locked -p faussaire-kernels --lib --target "$host"

profile=profile.release.package.faussaire-kernels
RANDOM_RECIPES="${RANDOM_RECIPES:-2000}" cargo test --release --locked --workspace --test combinations \
    --test random_recipes --config "$profile.debug-assertions=true" --config "$profile.overflow-checks=true"
