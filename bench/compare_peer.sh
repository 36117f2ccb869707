#!/usr/bin/env bash
# Times training steps and answers here and in PyTorch in turn, on the same machine, in float32 and in bfloat16, and prints the ratios:
#   PYTHON=python3 bench/compare_peer.sh MODEL
# PyTorch's best is what counts: its steps take no attention map (bench/peer_step.py), and the plain step is compiled too where a C++
# compiler is. ROUNDS (3): how often each is run, of which the median counts; STEPS (3): steps timed in each run, of which the median
# counts; MODES ("plain seekr importance generate generate1"), TYPES ("f32 bf16"): which; PEER: another script in place of peer_step.py.
# A table of markdown comes last, below the processor and the load.
set -euo pipefail
model=${1:?usage: bench/compare_peer.sh MODEL}
model=$(realpath "$model")
python=${PYTHON:-python3}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
peer=${PEER:-bench/peer_step.py}
steps=${STEPS:-3}
"$python" -c 'import torch, transformers' || {
  echo "compare_peer: $python has no PyTorch and transformers; name one that has in PYTHON" >&2
  exit 69
}
figures=$(mktemp)
trap 'rm -f "$figures" "$figures.json"' EXIT

number() { grep -o "\"$1\":[^,}]*" "$figures.json" | cut -d: -f2; }
# A line each: mode and type, who, tokens/s, peak MiB.
note() { echo "$@" | tee -a "$figures" >&2; }
# Mode, type, arguments of ./seekr bench; the same, and a script with its arguments.
ours() {
  ./seekr bench "${@:3}" --dtype "$2" --repeats "$steps" --json "$figures.json" >/dev/null
  note "$1" "$2" seekr "$(number tokens_per_second)" "$(number peak_rss_bytes | awk '{print $1 / 1048576}')"
}
theirs() {
  local last
  last=$("$python" "${@:4}" 2>/dev/null | tail -1)
  note "$1" "$2" "$3" "$(sed -E 's/.* ([0-9.]+) tok\/s, peak RSS ([0-9.]+) MiB.*/\1 \2/' <<<"$last")"
}

for _ in $(seq "${ROUNDS:-3}"); do
  for mode in ${MODES:-plain seekr importance generate generate1}; do
    for type in ${TYPES:-f32 bf16}; do
      case $mode in
        generate*)
          prompts=16
          [ "$mode" = generate1 ] && prompts=1
          ours "$mode" "$type" generate "$model" --prompts $prompts --tokens 128 --new-tokens 64
          theirs "$mode" "$type" peer bench/peer_generate.py "$model" "$type" $prompts 128 64 "$steps"
          ;;
        *)
          sequences=2
          [ "$mode" = importance ] && sequences=1
          ours "$mode" "$type" step "$model" --mode "$mode" --sequences $sequences --tokens 512
          theirs "$mode" "$type" peer "$peer" "$model" "$mode" "$type" $sequences 512 "$steps"
          if [ "$mode" = plain ] && command -v g++ >/dev/null; then
            theirs "$mode" "$type" compiled "$peer" "$model" "$mode" "$type" $sequences 512 "$steps" compile
          fi
          ;;
      esac
    done
  done
done
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | uniq -c | sed 's/^ *\([0-9]*\) /\1 × /'
echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
sort -k1,3 "$figures" | awk '
  function median(list, n, i, j, t, x) {
    n = split(list, x, " ")
    for (i = 2; i <= n; i++) for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
    return n == 0 ? 0 : n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2
  }
  { key = $1 " " $2; speed[key, $3] = speed[key, $3] " " $4; memory[key, $3] = memory[key, $3] " " $5; keys[key] }
  END {
    print "| step | type | Seekr tokens/s | PyTorch tokens/s | compiled | ratio to the best | Seekr MiB | PyTorch MiB | ratio |"
    print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    split("plain seekr importance generate generate1", order, " ")
    split("f32 bf16", types, " ")
    for (i = 1; i <= 5; i++) for (j = 1; j <= 2; j++) {
      key = order[i] " " types[j]
      if (!(key in keys)) continue
      a = median(speed[key, "seekr"]); b = median(speed[key, "peer"]); c = median(speed[key, "compiled"])
      best = c > b ? c : b; who = c > b ? "compiled" : "peer"
      m = median(memory[key, "seekr"]); p = median(memory[key, who])
      printf "| %s | %s | %.1f | %.1f | %s | %.2f | %.0f | %.0f | %.2f |\n", order[i], types[j], a, b, c ? sprintf("%.1f", c) : "", a / best, m, p, m / p
    }
  }'
