#!/usr/bin/env bash
# Breaks a kernel in a copy of the sources, one way at a time, and expects the tests to fail in some order of threads. A copy starts from
# the objects of the unbroken sources, so that a mutant compiles only what it changed. Run by: make -C cuda mutations
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "${1:?build folder}"
build=$(cd "$1" && pwd) only=${ONLY:-}
fast="-O1 -g0"

break_text() { # file, text, replacement: the text must occur once
  FROM=$2 TO=$3 python3 - "$1" <<'PY'
import os, sys
path = sys.argv[1]; text = open(path).read(); old = os.environ["FROM"]
if text.count(old) != 1: sys.exit(f"{path} has {text.count(old)} times, not once: {old}")
open(path, "w").write(text.replace(old, os.environ["TO"]))
PY
}

# Prints one line, and leaves a file where the tests passed.
try() { # number, name, tests, file, text, replacement
  local copy=$build/$1 name=$2 tests=$3 start=$SECONDS order
  cp -a "$build/base" "$copy"
  touch "$build/$1.survived"
  # A mutant changes what threads do, never what launchers pass: their objects stay.
  if ! break_text "$copy/cuda/src/$4" "$5" "$6" || ! touch "$copy"/out/obj/launch/*.o ||
    ! make -s -C "$copy/cuda" BUILD=../out CXXFLAGS="$fast" tests >"$build/$1.log" 2>&1; then
    cat "$build/$1.log" 2>/dev/null || true
    echo "NOT BUILT: $name"
    return
  fi
  for order in random lifo fifo; do
    if ! STOP_AT_FAILURE=1 SEEKR_EMULATOR_ORDER=$order LD_LIBRARY_PATH="$copy/out/emulator" timeout 600 \
      "$copy/out/test/cuda_test" $tests >"$build/$1.log" 2>&1; then
      echo "caught in $order order ($((SECONDS - start)) s): $name: $(grep -m1 -e FAILED "$build/$1.log" | cut -c1-90)"
      rm -rf "$build/$1.survived" "$copy"
      return
    fi
  done
  rm -rf "$copy"
  echo "NOT CAUGHT ($((SECONDS - start)) s): $name"
}

count=0
mutate() { # name, tests, file, text, replacement
  [[ $1 == *"$only"* ]] || return 0
  count=$((count + 1))
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  try "$count" "$@" &
}

rm -rf "$build"/[0-9]* "$build/base/cuda" "$build/base/native"
mkdir -p "$build/base/native"
cp -a cuda "$build/base/" && cp -a native/src native/include native/test "$build/base/native/"
make -s -j2 -C "$build/base/cuda" BUILD=../out CXXFLAGS="$fast" tests
unbroken() {
  SEEKR_EMULATOR_ORDER=random LD_LIBRARY_PATH="$build/base/out/emulator" "$build/base/out/test/cuda_test" >"$build/0.log" 2>&1 ||
    { touch "$build/0.survived"; echo "THE TESTS FAIL with nothing broken:"; cat "$build/0.log"; }
}
unbroken &

# Copies that were not waited for.
mutate "forward does not wait for its copies" attention attention_fwd.cu "cp_async_wait<1>();" "cp_async_wait<2>();"
mutate "backward over keys does not wait for its copies" attention attention_bwd.cu "load(stage ^ 1, j + BK);
      cp_async_commit();
      cp_async_wait<1>();" "load(stage ^ 1, j + BK);
      cp_async_commit();
      cp_async_wait<2>();"
mutate "backward over queries does not wait for its copies" attention attention_bwd.cu "load(stage ^ 1, i + 1);
      cp_async_commit();
      cp_async_wait<1>();" "load(stage ^ 1, i + 1);
      cp_async_commit();
      cp_async_wait<2>();"

# Barriers that are missing.
mutate "forward reads a tile before all of it is there" attention attention_fwd.cu "cp_async_wait<1>();
      barrier();" "cp_async_wait<1>();"
mutate "forward overwrites a tile that others read" attention attention_fwd.cu "barrier(); // the stage may be overwritten" ""
mutate "backward over keys reads a tile before all of it is there" attention attention_bwd.cu "cp_async_wait<1>();
      barrier();

      float s[NT][4], da[NT][4], tile_squares" "cp_async_wait<1>();

      float s[NT][4], da[NT][4], tile_squares"
mutate "backward over keys overwrites a tile that others read" attention attention_bwd.cu "accumulate<NT>(dq, s, tile(stage, 0));
      barrier();" "accumulate<NT>(dq, s, tile(stage, 0));"
mutate "backward over queries reads a tile before all of it is there" attention attention_bwd.cu "cp_async_wait<1>();
      barrier();

      const int64_t h" "cp_async_wait<1>();

      const int64_t h"
mutate "backward over queries overwrites a tile that others read" attention attention_bwd.cu "accumulate<NT>(dk, da, tile(stage, 0));
      barrier();" "accumulate<NT>(dk, da, tile(stage, 0));"
mutate "a block's sum overwrites the one before" emulator device.cuh "barrier(); // whoever still reads an earlier sum there" ""
mutate "a block's maximum overwrites the one before" emulator device.cuh "v = warp_max(v);
  barrier();" "v = warp_max(v);"
mutate "a block's sum reads warps that have not written" attention device.cuh "if (lane() == 0) room[warp()] = v;
  barrier();
  T sum" "if (lane() == 0) room[warp()] = v;
  T sum"

# Fragments.
mutate "A is transposed" attention attention.cuh "ldmatrix(a.r, tile" "ldmatrix_transposed(a.r, tile"
mutate "B is transposed" attention attention.cuh "ldmatrix(r, tile" "ldmatrix_transposed(r, tile"
mutate "B is not transposed" attention attention.cuh "ldmatrix_transposed(r, tile" "ldmatrix(r, tile"
mutate "A of floats has rows and k exchanged" attention attention.cuh "row + g + i / 2 % 2 * 8, k0 + 2 * t + i % 2 + i / 4 * 8" \
  "row + g + i / 4 * 8, k0 + 2 * t + i % 2 + i / 2 % 2 * 8"
mutate "B of floats has columns and k exchanged" attention attention.cuh "n + i / 4 * 8 + g, k0 + 2 * t + i % 2 + i / 2 % 2 * 8" \
  "n + i / 2 % 2 * 8 + g, k0 + 2 * t + i % 2 + i / 4 * 8"

# Edges off by one.
mutate "forward does not see its own key" attention attention_fwd.cu "key <= mine + i / 2 * 8" "key < mine + i / 2 * 8"
mutate "forward sees the next key" attention attention_fwd.cu "key <= mine + i / 2 * 8" "key <= mine + 1 + i / 2 * 8"
mutate "backward over keys does not see its own key" attention attention_bwd.cu "seen = key <= position[r]" "seen = key < position[r]"
mutate "backward over keys sees the next key" attention attention_bwd.cu "seen = key <= position[r]" "seen = key <= position[r] + 1"
mutate "backward over queries does not see its own key" attention attention_bwd.cu "valid && key <= position" "valid && key < position"
mutate "backward over queries sees the next key" attention attention_bwd.cu "valid && key <= position" "valid && key <= position + 1"
mutate "backward over queries goes past the last" attention attention_bwd.cu "valid = position < b.length" "valid = position <= b.length"
mutate "a tile is loaded with a row too many" attention attention.cuh "row < count && c * E < HS" "row <= count && c * E < HS"
mutate "a tile is loaded with a row too few" attention attention.cuh "row < count && c * E < HS" "row < count - 1 && c * E < HS"
mutate "an unaligned tile is loaded with a row too many" attention attention.cuh "row < count && c < HS" "row <= count && c < HS"
mutate "a row too many is stored" attention attention.cuh "row < count && column < HS" "row <= count && column < HS"

# Heads.
mutate "forward takes the keys of another head" attention attention_fwd.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "backward over keys takes those of another head" attention attention_bwd.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "backward over queries takes those of another head" attention attention_bwd.cu "kv * a.group() + i / tiles, first" \
  "kv + i / tiles * a.NKV, first"
mutate "a distilled row of the wrong head" attention attention.cuh "index * (position + 1)" "index * position"

# Sums.
mutate "a block's sum leaves out a warp" attention device.cuh "for (int w = 1; w < THREADS / 32; w++) sum += room[w];" \
  "for (int w = 1; w < THREADS / 32 - 1; w++) sum += room[w];"
mutate "a block's sum is added in the order of arrival" emulator device.cuh "if (lane() == 0) room[warp()] = v;
  barrier();
  T sum = room[0];
  for (int w = 1; w < THREADS / 32; w++) sum += room[w];
  return sum;" "if (thread() == 0) room[0] = 0;
  barrier();
  if (lane() == 0) room[0] += v;
  barrier();
  return room[0];"
mutate "the sum of a row leaves out two lanes" attention attention.cuh "return v + shuffle_xor(v, 2);" "return v;"
mutate "the last part of a sequence is not added" attention optimizer.cu "i < start[s + 1]; i += THREADS" "i < start[s + 1] - 1; i += THREADS"

wait
survivors=$(find "$build" -maxdepth 1 -name '*.survived' | wc -l)
echo "$count mutants, $survivors survived, $SECONDS s"
[ "$count" -gt 0 ] && [ "$survivors" -eq 0 ]
