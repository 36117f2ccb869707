#!/usr/bin/env bash
# Times training steps and answers here and in PyTorch in turn, on the same machine, and prints the ratios:
#   PYTHON=python3 PEER=peer_step.py bench/compare_peer.sh MODEL
# PEER is a script "MODEL (seqft|seekr|importance) float32 SEQUENCES TOKENS STEPS" whose last line ends in
# "X tok/s, peak RSS Y MiB …". ROUNDS (2): how often each is run; STEPS (4): steps timed in each run.
set -euo pipefail
model=${1:?usage: bench/compare_peer.sh MODEL}
: "${PEER:?PEER is not set: the PyTorch script to compare with}"
python=${PYTHON:-python3}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
figures=$(mktemp)
trap 'rm -f "$figures" "$figures.json"' EXIT

number() { grep -o "\"$1\":[^,}]*" "$figures.json" | cut -d: -f2; }
# Name, arguments of ./seekr bench; name, script and its arguments. A line each: name, side, tokens/s, peak MiB.
ours() {
  ./seekr bench "${@:2}" --repeats "${STEPS:-4}" --json "$figures.json" >/dev/null
  echo "$1 seekr $(number tokens_per_second) $(number peak_rss_bytes | awk '{print $1 / 1048576}')" | tee -a "$figures" >&2
}
peers() {
  "$python" "${@:2}" | tail -1 | sed -E "s/.* ([0-9.]+) tok\/s, peak RSS ([0-9.]+) MiB.*/$1 peer \1 \2/" | tee -a "$figures" >&2
}

for _ in $(seq "${ROUNDS:-2}"); do
  for mode in plain:seqft seekr:seekr importance:importance; do
    sequences=2
    [ "$mode" = importance:importance ] && sequences=1
    ours "${mode%:*}" step "$model" --mode "${mode%:*}" --sequences $sequences
    peers "${mode%:*}" "$PEER" "$model" "${mode#*:}" float32 $sequences 512 "$((${STEPS:-4} + 1))"
  done
  ours generate generate "$model"
  peers generate bench/peer_generate.py "$model" 16 128 64 "${STEPS:-4}"
done
awk '{ speed[$1 " " $2] += $3; memory[$1 " " $2] += $4; n[$1 " " $2]++; modes[$1] }
  END {
    printf "%-11s %14s %14s %7s %10s %10s %7s\n", "step", "seekr tokens/s", "peer tokens/s", "ratio", "seekr MiB", "peer MiB", "ratio"
    for (m in modes) {
      s = m " seekr"; p = m " peer"
      printf "%-11s %14.1f %14.1f %7.2f %10.0f %10.0f %7.2f\n", m, speed[s] / n[s], speed[p] / n[p],
        speed[s] / n[s] / (speed[p] / n[p]), memory[s] / n[s], memory[p] / n[p], memory[s] / n[s] / (memory[p] / n[p])
    }
  }' "$figures"
