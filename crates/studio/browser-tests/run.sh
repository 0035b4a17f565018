#!/usr/bin/env bash
# Drives the studio in headless Chromium: run.sh BINARY. Needs node 20 or later, npm's registry once (or node_modules), and a Chromium
# (CHROMIUM names one elsewhere); without them it says so and is skipped. Takes two minutes on two cores, twice that where they are busy.
set -euo pipefail

binary=${1:?"expected the path of a built faussaire: run.sh target/release/faussaire"}
binary=$(realpath "$binary")
cd "$(dirname "$0")"

skip() { echo "browser tests skipped: $1"; exit 0; }

command -v node >/dev/null || skip "node isn't installed"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is older than 20"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$CHROMIUM" ] || skip "no Chromium was found"
export CHROMIUM
[ -d node_modules/playwright-core ] || npm ci --no-audit --no-fund --loglevel=error || skip "npm can't install playwright-core"

FAUSSAIRE=$binary exec node --test --test-reporter=spec studio.test.js
