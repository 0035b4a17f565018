#!/usr/bin/env bash
# How much a studio with viewers slows a training down: the same training with and without them, several times in turn.
#   bench/serve/viewers.sh [VIEWERS] [ROUNDS]
set -euo pipefail
viewers=${1:-8} rounds=${2:-3}
faussaire=${FAUSSAIRE:-faussaire}
work=$(mktemp -d)
cd "$work"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
train() {
  "$faussaire" train strokes --preset quick --steps 300 --set train.sheet_every=0 --run "runs/$1" --quiet >/dev/null
  # Seconds in steps, as the log has them.
  grep '"event":"step"' "runs/$1/events.jsonl" | tail -1 | sed 's/.*"train_s":\([0-9.]*\).*/\1/'
}
mkdir runs
for round in $(seq "$rounds"); do
  alone=$(train "alone-$round")
  "$faussaire" studio runs --port 0 --no-token >address 2>/dev/null &
  studio=$!
  until grep -q http address; do sleep 0.1; done
  clients=()
  for _ in $(seq "$viewers"); do
    curl -sN "$(head -1 address)api/events" >/dev/null &
    clients+=($!)
  done
  watched=$(train "watched-$round")
  kill "${clients[@]}" "$studio" 2>/dev/null || true
  wait "$studio" 2>/dev/null || true
  awk -v a="$alone" -v w="$watched" -v n="$viewers" \
    'BEGIN { printf "alone %.2f s, with %d viewers %.2f s: %+.1f %%\n", a, n, w, 100 * (w / a - 1) }'
done
