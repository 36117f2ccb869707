#!/usr/bin/env bash
# Breaks a kernel in a copy of the sources, one way at a time, and expects the tests to fail in some order of threads.
# Run by: make -C cuda mutations
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:?build folder}
survivors=0

mutate() { # name, file, text, replacement: the text must occur
  local name=$1 file=$2 from=$3 to=$4 copy=$build/mutant
  rm -rf "$copy" && mkdir -p "$copy/native" && cp -r cuda "$copy/" && cp -r native/src native/include native/test "$copy/native/"
  FROM=$from TO=$to python3 - "$copy/cuda/src/$file" <<'PY'
import os, sys
path = sys.argv[1]; text = open(path).read(); old = os.environ["FROM"]
if old not in text: sys.exit(f"{path} has no: {old}")
open(path, "w").write(text.replace(old, os.environ["TO"], 1))
PY
  if ! make -s -C "$copy/cuda" BUILD="$PWD/$build/mutant/build" tests >"$build/mutant.log" 2>&1; then
    cat "$build/mutant.log"; echo "$name: does not compile"; exit 1
  fi
  for order in fifo lifo random; do
    if ! SEEKR_EMULATOR_ORDER=$order LD_LIBRARY_PATH="$build/mutant/build/emulator" timeout 600 \
      "$build/mutant/build/test/cuda_test" attention >"$build/mutant.log" 2>&1; then
      echo "caught in $order order: $name"
      return
    fi
  done
  echo "NOT CAUGHT: $name"
  survivors=$((survivors + 1))
}

mkdir -p "$build"
mutate "a missing cp.async wait" attention_fwd.cu "cp_async_wait<0>();" "cp_async_wait<1>();"
mutate "a missing barrier after the tile was read" attention_fwd.cu "barrier(); // values are here, and the keys have been used" ""
mutate "a missing barrier after the tile arrived" attention_bwd_q.cu "barrier(); // values are here, and the keys before have been used" ""
mutate "a missing barrier between two warps" attention_bwd_kv.cu "barrier(); // A is here" ""
mutate "a transposed fragment" attention_tile.cuh "ldmatrix_transposed(r, tile" "ldmatrix(r, tile"
mutate "an off-by-one tile edge" attention.cuh "> 16 * m + i % 4 / 2 * 8;" ">= 16 * m + i % 4 / 2 * 8;"
mutate "a row too many is stored" attention_tile.cuh "row < count && column < HS" "row <= count && column < HS"
mutate "a distilled row of the wrong head" attention.cuh "index * (position + 1)" "index * position"
[ "$survivors" -eq 0 ] || exit 1
