#!/usr/bin/env bash
# One epoch of fine-tuning on a real task here and in PyTorch, which pads what is packed here; tokens that are padding do not count.
#   PYTHON=python3 bench/compare_run.sh MODEL [TASK]
# SAMPLES (200), BATCH (8); TASK is a folder with train.json and test.json.
set -euo pipefail
model=$(realpath "${1:?usage: bench/compare_run.sh MODEL [TASK]}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
task=$(realpath "${2:-examples/superni/task875}")
samples=${SAMPLES:-200} batch=${BATCH:-8}
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT

./seekr train method.name=seqft model.path="$model" data.root="$(dirname "$task")" "data.tasks=[$(basename "$task")]" \
  data.train_limit="$samples" data.test_limit=1 eval.max_new_tokens=1 train.epochs=1 train.batch="$batch" run.save_models=false \
  run.out="$run/run" >/dev/null 2>&1
grep '"event":"step"' "$run/run/log.jsonl" | sed -E 's/.*"tokens":([0-9]+),"seconds":([0-9.eE-]+).*/\1 \2/' |
  awk '{ t += $1; s += $2 } END { printf "seekr: %d steps, %d tokens, %.1f s, %.1f tokens/s\n", NR, t, s, t / s }' | tee "$run/seekr"
"${PYTHON:-python3}" bench/peer_run.py "$model" "$task/train.json" "$samples" "$batch" 2>/dev/null | tee "$run/peer"
paste "$run/seekr" "$run/peer" | awk '$4 != $13 { print "the two did not read the same tokens"; exit 1 } { printf "ratio %.2f\n", $8 / $17 }'
