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
    mkdir -p "$cases/recipe" "$cases/change" "$cases/events" "$cases/checkpoint" "$cases/http"
    (cd .. && FAUSSAIRE_FUZZ_SEEDS=$cases/data RUSTUP_TOOLCHAIN=stable cargo test --quiet --release -p faussaire-data fuzz::)
    cp ../crates/faussaire/presets/*.toml "$cases/recipe"
    printf 'train.batch=8\ngenerator.adam.betas=[0.5, 0.9]\ntrain.augment={kinds=["colour"]}\n' >"$cases/change/a"
    printf 'generator.layers=["dense 4", "relu", "dense 2"]\ndata.size=3x4\n' >"$cases/change/b"
    old=../crates/cli/tests/earlier-run/run
    cp "$old/events.jsonl" "$cases/events"
    # The first byte says which file of a checkpoint it is.
    (printf 1 && cat "$old/checkpoints/latest/state.json") >"$cases/checkpoint/state"
    (printf 0 && cat "$old/checkpoints/latest/generator.safetensors") >"$cases/checkpoint/weights"
    requests=(
        'GET /healthz' 'GET /metrics' 'GET /openapi.json' 'GET /api/runs' 'GET /api/runs/images' 'GET /api/presets' 'GET /api/keys'
        'GET /api/runs/ring/noise?seed=3&first=2&n=4' 'GET /api/runs/images/directions' 'GET /api/runs/images/history?since=1'
        'GET /api/runs/images/sheets/step-0000000.png' 'GET /api/runs/images/report' 'GET /api/runs/images/export?to=safetensors'
        'GET /api/runs/images/samples?n=3&seed=1&format=npy' 'GET /api/datasets'
        $'POST /generate\n{"n": 2, "seed": 7, "format": "png", "truncation": 0.7}'
        $'POST /api/runs/images/images\n{"z": [[0.5, -1]], "format": "png", "truncation": 0.5}'
        $'POST /api/runs/ring/images\n{"n": 2, "seed": 3, "first": 1, "format": "values", "checkpoint": "latest"}'
        $'POST /api/runs/images/walk\n{"ends": [[0, 1], [1, 0]], "frames": 4}'
        $'POST /api/runs/images/invert\n{"pixels": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "steps": 2}'
        $'POST /api/runs/images/judge\n{"z": [[0, 0]]}'
        $'POST /api/runs/images/expert\n{"seed": 1}' $'POST /api/runs/images/expert/answer\n{"round": 1, "answer": 0}'
        $'POST /api/learn\n{"data": "ring", "set": {"train.batch": 8}, "seed": 2}' $'POST /api/learn/1/step\n{"steps": 1}'
        $'POST /api/recipe\n{"preset": "ring", "set": {"latent": 3}}' $'POST /api/runs\n{"preset": "ring", "set": {}}'
        'POST /api/runs/ring/stop' 'POST /api/runs/ring/resume'
        $'!POST /api/recipe HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'
    )
    for i in "${!requests[@]}"; do printf %s "${requests[i]}" >"$cases/http/$i"; done
fi

of_runs="recipe change events checkpoint http"
if [ ${#targets[@]} = 0 ]; then
    # Those that need the library with its networks last: it is compiled once.
    mapfile -t targets < <(cargo fuzz list | grep -v -x -F -f <(tr ' ' '\n' <<<"$of_runs"))
    read -r -a more <<<"$of_runs"
    targets+=("${more[@]}")
fi
for target in "${targets[@]}"; do
    from=$cases/data features=()
    if [[ " $of_runs " == *" $target "* ]]; then from=$cases/$target features=(--features runs); fi
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
