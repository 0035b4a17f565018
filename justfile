# `just check` is what CI runs.
check:
    bash .ci/run

# Formats all JavaScript and CSS (`.ci/run` checks them).
format-web:
    crates/studio/browser-tests/format.sh --write

# The README's test command.
test:
    cargo test --release --workspace

# The Python package: wheel, tests, types.
python:
    crates/python/ci.sh

# A first run: digits in about a minute.
train:
    cargo run --release -- train

# Reference numbers of Keras (needs Python 3.11 and a few hundred MB; see bench/parity/README.md).
parity:
    cd bench/parity && python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python parity.py

# Beside Keras and PyTorch, in turn, on a machine where nothing else runs (bench/README.md).
bench:
    cargo build --release
    python3 bench/peers/run.py --faussaire target/release/faussaire
