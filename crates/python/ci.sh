#!/usr/bin/env bash
# The Python package: builds the wheel on the workspace's target folder, installs it into an environment of its own (in that
# folder) and runs its tests and type checks. Without Python 3.10 or the package index it says so and does nothing.
# usage: ci.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")"

target=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")
python=${1:-${PYTHON:-}}
if [ -z "$python" ]; then
    for name in python3 python3.13 python3.12 python3.11 python3.10; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
            python=$name
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "skipped: there is no Python 3.10 or newer"
    exit 0
fi
venv=$target/python/venv
if ! [ -x "$venv/bin/python" ]; then
    if ! "$python" -m venv "$venv" 2>/dev/null; then
        echo "skipped: $python has no module venv"
        exit 0
    fi
fi
pip=("$venv/bin/pip" install --quiet --disable-pip-version-check)
if ! "${pip[@]}" 'maturin>=1.9.4,<2'; then
    echo "skipped: the package index can't be reached"
    exit 0
fi

rm -rf "$target/python/wheels"
CARGO_TARGET_DIR=$target "$venv/bin/maturin" build --release --locked --quiet --out "$target/python/wheels"
wheel=$(echo "$target"/python/wheels/*.whl)
size=$(($(wc -c < "$wheel") / 1000))
echo "$(basename "$wheel"): $size kB"
[ "$size" -lt 20000 ] || { echo "error: the wheel is larger than 20 MB"; exit 1; }

"${pip[@]}" "$wheel[dev]"
# The version is that of the last one.
"${pip[@]}" --force-reinstall --no-deps "$wheel"
"$venv/bin/python" -m pytest -p no:cacheprovider tests
# The lab's test stands for programs that use the package.
"$venv/bin/mypy" --cache-dir "$target/python/mypy" python/faussaire tests/test_lab.py
(cd "$target/python" && MYPY_CACHE_DIR="$target/python/mypy" "$venv/bin/stubtest" --concise faussaire._faussaire)
