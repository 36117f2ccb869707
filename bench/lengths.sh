#!/usr/bin/env bash
# Whether time grows as floating-point operations do: a training step of as many tokens, cut into longer and longer sequences.
#   bench/lengths.sh MODEL [FILE.svg]
# TOKENS (8192): of a step, and of the longest sequence; REPEATS (1): steps timed after one that is not.
set -euo pipefail
model=${1:?usage: bench/lengths.sh MODEL [FILE.svg]}
svg=$(realpath -m "${2:-build/lengths.svg}")
model=$(realpath "$model")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tokens=${TOKENS:-8192}
rows=$(mktemp)
trap 'rm -f "$rows" "$rows.json"' EXIT

number() { grep -o "\"$1\":[^,}]*" "$rows.json" | cut -d: -f2; }
printf "%8s %14s %14s %12s\n" T "us a token" "MFLOP a token" "GFLOP/s"
for ((T = 256; T <= tokens; T *= 2)); do
  ./seekr bench step "$model" --sequences $((tokens / T)) --tokens $T --warmup 1 --repeats "${REPEATS:-1}" --json "$rows.json" >/dev/null
  echo "$T $(number seconds) $(number flops)" |
    awk -v n="$tokens" '{ printf "%8d %14.1f %14.1f %12.1f\n", $1, $2 / n * 1e6, $3 / n / 1e6, $3 / $2 / 1e9 }' | tee -a "$rows"
done
mkdir -p "$(dirname "$svg")"
python3 bench/plot.py "time and floating-point operations of a token, by the length of its sequence" "T" "us a token" "MFLOP a token" <"$rows" >"$svg"
echo "plotted in $svg"
