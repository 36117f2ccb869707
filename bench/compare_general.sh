#!/usr/bin/env bash
# Times questions of general ability here and in lm-evaluation-harness in turn, on the same machine, and prints the ratios:
#   PYTHON=python3 bench/compare_general.sh MODEL DATA
# PYTHON has lm_eval 0.4.9, torch and transformers. Both are asked 40 questions with choices of PIQA, BoolQ and SUBJECTS of MMLU, and
# 4 others of GSM8K and TASKS of BBH with at most 192 new tokens. The harness counts with the best of BATCHES, its batch sizes.
set -euo pipefail
model=$(readlink -f "${1:?usage: bench/compare_general.sh MODEL DATA}")
data=$(readlink -f "${2:?usage: bench/compare_general.sh MODEL DATA}")
python=${PYTHON:-python3}
subjects=${SUBJECTS:-abstract_algebra,high_school_geography,world_religions}
tasks=${TASKS:-navigate,object_counting}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
some=$(mktemp -d)
trap 'rm -rf "$some"' EXIT

mkdir -p "$some"/mmlu/{test,dev} "$some"/bbh/{tasks,cot-prompts}
for set in piqa boolq gsm8k; do ln -s "$data/$set" "$some/$set"; done
for s in ${subjects//,/ }; do
  for split in test dev; do
    file=mmlu/$split/${s}_$split.csv
    [ ! -e "$data/$file" ] || ln -s "$data/$file" "$some/$file"
  done
done
for t in ${tasks//,/ }; do
  ln -s "$data/bbh/tasks/$t.json" "$some/bbh/tasks/"
  ln -s "$data/bbh/cot-prompts/$t.txt" "$some/bbh/cot-prompts/"
done

# Kind, sets, questions of each part; prints the seconds without those of loading.
ours() {
  ./seekr eval --general "$some" "$model" --sets "$2" --limit "$3" eval.general.max_new_tokens=192 2>/dev/null |
    awk -v kind="$1" '/^(mmlu|gsm8k|bbh|boolq|piqa) / && NF == 5 { s += $5 } END { print kind, "seekr", s }' | tee -a "$some/seconds" >&2
}
for _ in $(seq "${ROUNDS:-1}"); do
  ours choices mmlu,boolq,piqa 40
  ours open gsm8k,bbh 4
  for batch in ${BATCHES:-1 4 8 16 32}; do
    "$python" scripts/general_reference.py answers "$some" "$some/out.json" "$model" 0 "$subjects" "$tasks" "$batch" 2>/dev/null |
      awk -v batch="$batch" '/^(choices|open) / { print $1, "harness-" batch, $2 }' | tee -a "$some/seconds" >&2
  done
done
awk '{ s[$1 " " $2] += $3; n[$1 " " $2]++ }
  END {
    for (key in s) {
      split(key, k, " ")
      mean = s[key] / n[key]
      if (k[2] == "seekr") own[k[1]] = mean
      else if (!(k[1] in best) || mean < best[k[1]]) { best[k[1]] = mean; by[k[1]] = k[2] }
    }
    printf "%-8s %10s %10s %-11s %6s\n", "kind", "seekr s", "harness s", "by", "ratio"
    for (kind in own) printf "%-8s %10.1f %10.1f %-11s %6.2f\n", kind, own[kind], best[kind], by[kind], best[kind] / own[kind]
  }' "$some/seconds"
