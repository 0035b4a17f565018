#!/usr/bin/env bash
# Checks the formatting of all JavaScript and CSS with Prettier: format.sh. With --write it formats the files instead.
# Needs node 20 or later and npm's registry once (or node_modules); without them it says so and is skipped.
set -euo pipefail
cd "$(dirname "$0")"

skip() { echo "formatting of JavaScript and CSS not checked: $1"; exit 0; }

command -v node >/dev/null || skip "node isn't installed"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is older than 20"
[ -d node_modules/prettier ] || npm ci --no-audit --no-fund --loglevel=error || skip "npm can't install prettier"

prettier=$PWD/node_modules/prettier/bin/prettier.cjs
cd ../../..
exec node "$prettier" --log-level=warn "${1:---check}" 'crates/**/*.js' 'crates/**/*.css'
