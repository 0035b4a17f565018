#!/usr/bin/env bash
# Runs each target for a minute (or the seconds of $1; further words name the targets), from files that the tests' own code makes.
# It needs nightly and cargo-fuzz (`rustup toolchain install nightly`, `cargo install cargo-fuzz --locked`), and says so where
# they are not there.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
targets=("$@")

if ! rustup toolchain list 2>/dev/null | grep -q '^nightly' || ! command -v cargo-fuzz >/dev/null; then
    echo "skipped: fuzzing needs the toolchain nightly and cargo-fuzz"
    exit 0
fi
export RUSTUP_TOOLCHAIN=nightly
cases=$PWD/corpus/seeds
work=${TMPDIR:-/tmp}
[ -d /dev/shm ] && work=/dev/shm

# The versions that the command is built with.
cp ../Cargo.lock Cargo.lock

if [ ! -d "$cases/data" ]; then
    mkdir -p "$cases/recipe" "$cases/change" "$cases/events" "$cases/checkpoint"
    (cd .. && FAUSSAIRE_FUZZ_SEEDS=$cases/data RUSTUP_TOOLCHAIN=stable cargo test --quiet --release -p faussaire-data fuzz::)
    cp ../crates/faussaire/presets/*.toml "$cases/recipe"
    printf 'train.batch=8\ngenerator.adam.betas=[0.5, 0.9]\ntrain.augment={kinds=["colour"]}\n' >"$cases/change/a"
    printf 'generator.layers=["dense 4", "relu", "dense 2"]\ndata.size=3x4\n' >"$cases/change/b"
    old=../crates/cli/tests/earlier-run/run
    cp "$old/events.jsonl" "$cases/events"
    # The first byte says which file of a checkpoint it is.
    (printf 1 && cat "$old/checkpoints/latest/state.json") >"$cases/checkpoint/state"
    (printf 0 && cat "$old/checkpoints/latest/generator.safetensors") >"$cases/checkpoint/weights"
fi

[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
for target in "${targets[@]}"; do
    case $target in
    recipe | change | events | checkpoint) from=$cases/$target features=(--features runs) ;;
    *) from=$cases/data features=() ;;
    esac
    mkdir -p "corpus/$target"
    echo "== $target, $seconds s"
    TMPDIR=$work cargo fuzz run "${features[@]}" "$target" "corpus/$target" "$from" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -max_len=20000 -print_final_stats=1 2>&1 |
        grep -E '^(stat::|SUMMARY|Test unit|artifact|thread|==[0-9]+==|Done|.*panicked)' || true
    # A crash, a hang or too much memory leaves a file.
    if ls "artifacts/$target"/* >/dev/null 2>&1; then
        echo "found: $(ls "artifacts/$target")"
        failed=1
    fi
done
exit "${failed:-0}"
