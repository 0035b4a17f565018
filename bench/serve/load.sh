#!/usr/bin/env bash
# `faussaire serve` under load, beside `faussaire sample` on the same machine in the same minutes: images per second, times,
# memory at the begin and at the end. Needs wrk.
#   bench/serve/load.sh RUN [SECONDS] [IMAGES PER REQUEST] [CONNECTIONS] [IMAGES OF SAMPLE]
set -euo pipefail
run=$1 seconds=${2:-60} n=${3:-64} connections=${4:-8} images=${5:-20480}
faussaire=${FAUSSAIRE:-faussaire}
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

sample() {
  local images=$1 began ended
  began=$(date +%s.%N)
  "$faussaire" sample "$run" --checkpoint best -n "$images" -o "$work/images.npy" >/dev/null
  ended=$(date +%s.%N)
  awk -v b="$began" -v e="$ended" 'BEGIN { print e - b }'
}
# Twice, so that starting up and loading drop out.
few=$(sample 1024)
many=$(sample "$((1024 + images))")
rate=$(awk -v f="$few" -v m="$many" -v n="$images" 'BEGIN { printf "%.0f", n / (m - f) }')
echo "sample: $rate images/s"

"$faussaire" serve "$run" --checkpoint best --port 0 --no-token >"$work/address" 2>/dev/null &
server=$!
until grep -q http "$work/address"; do sleep 0.1; done
address=$(head -1 "$work/address")
cat >"$work/post.lua" <<LUA
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local seed = 0
request = function()
  seed = seed + 1
  return wrk.format(nil, "/generate", nil, string.format('{"n":$n,"seed":%d,"format":"raw"}', seed))
end
done = function(summary, latency)
  local s = summary.duration / 1e6
  local e = summary.errors
  print(string.format("serve:  %.0f images/s in %d requests of $n; p50 %.1f ms, p99 %.1f ms, longest %.1f ms",
    (summary.requests - e.status) * $n / s, summary.requests, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3))
  print(string.format("failed: %d by status, %d connect, %d read, %d write, %d timeout", e.status, e.connect, e.read,
    e.write, e.timeout))
end
LUA
memory() { awk '/VmRSS/ { print int($2 / 1024) " MB" }' "/proc/$server/status"; }
wrk -t1 -c"$connections" -d5s -s "$work/post.lua" "$address" >/dev/null
echo "memory after 5 s: $(memory)"
wrk -t1 -c"$connections" -d"${seconds}s" --timeout 30s -s "$work/post.lua" "$address" | grep -E 'serve:|failed:'
echo "memory after $seconds s more: $(memory)"
kill -INT "$server"
wait "$server" && echo "ended as it should"
