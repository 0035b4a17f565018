#!/usr/bin/env bash
# From slider to pixels: one image at a time from `faussaire studio`, each with another noise vector, over one connection.
#   bench/serve/slider.sh RUN [IMAGES]
set -euo pipefail
run=$1 images=${2:-200}
faussaire=${FAUSSAIRE:-faussaire}
work=$(mktemp -d)
trap 'kill "$studio" 2>/dev/null || true; rm -rf "$work"' EXIT
"$faussaire" studio "$run" --port 0 --no-token >"$work/address" 2>/dev/null &
studio=$!
until grep -q http "$work/address"; do sleep 0.1; done
address=$(head -1 "$work/address")api/runs/$(basename "$run")
for seed in $(seq $((images + 5))); do
  printf 'url = "%s/images"\ndata = "{\\"seed\\":%d}"\nheader = "content-type: application/json"\noutput = "/dev/null"\n' \
    "$address" "$seed"
  printf 'write-out = "%%{time_total}\\n"\nnext\n'
done | sed '$d' >"$work/requests"
# The first ones load the run.
curl -s -K "$work/requests" | tail -n +6 | sort -n |
  awk '{ t[NR] = 1e3 * $1 } END { printf "%d images: median %.1f ms, 95th of 100 %.1f ms, longest %.1f ms\n", NR, t[int((NR + 1) / 2)], t[int(NR * 0.95)], t[NR] }'
