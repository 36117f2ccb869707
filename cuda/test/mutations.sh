#!/usr/bin/env bash
# Breaks a kernel or the runtime (mutants/) in a copy of the sources, one way at a time, and expects a test to fail in some order of threads
# and to say what was wrong: an end without words is not enough. A copy starts from the objects of the unbroken sources, so that a mutant
# compiles only what it changed. JOBS: how many at a time, 2. Run by: make -C cuda mutations
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "${1:?build folder}"
build=$(cd "$1" && pwd) only=${ONLY:-} jobs=${JOBS:-2}
fast="-O1 -g0 -w"

# file, text, replacement: the text must occur once, however its lines are broken. Says whether it was in a kernel or in a launcher.
break_text() {
  FROM=$2 TO=$3 python3 - "$1" <<'PY'
import os, re, sys
path = sys.argv[1]; text = open(path).read(); old = os.environ["FROM"]
found = list(re.finditer(r"\s+".join(map(re.escape, old.split())), text))
if len(found) != 1: sys.exit(f"{path} has {len(found)} times, not once: {old}")
open(path, "w").write(text[:found[0].start()] + os.environ["TO"] + text[found[0].end():])
launchers = 0 if path.endswith(("launch.h", ".cpp")) else text.find("#ifdef SK_LAUNCHERS")
print("kernel" if launchers < 0 or found[0].start() < launchers else "launcher")
PY
}

# Prints one line, and leaves a file where the tests passed.
try() { # number, name, tests, file, text, replacement
  local copy=$build/$1 name=$2 tests=$3 start=$SECONDS order place
  cp -a "$build/base" "$copy"
  touch "$build/$1.survived"
  # What the mutant is not in stays as it was: launchers or kernels, and both where the tests bring kernels of their own.
  place=$(break_text "$copy/cuda/src/$4" "$5" "$6") || true
  [ "$place" = launcher ] || touch "$copy"/out/obj/launch/*.o
  [ "$place" = kernel ] && [ "$tests" != emulator ] || touch "$copy"/out/obj/emulated/*.o
  if [ -z "$place" ] || ! make -s -C "$copy/cuda" BUILD=../out CXXFLAGS="$fast" tests >"$build/$1.log" 2>&1; then
    cat "$build/$1.log" 2>/dev/null || true
    echo "NOT BUILT: $name"
    return
  fi
  for order in random lifo fifo; do
    if ! STOP_AT_FAILURE=1 SEEKR_EMULATOR_ORDER=$order LD_LIBRARY_PATH="$copy/out/emulator" timeout 600 \
      "$copy/out/test/cuda_test" $tests >"$build/$1.log" 2>&1; then
      if ! grep -q FAILED "$build/$1.log"; then
        echo "CRASHED, and nothing said what was wrong: $name"
        rm -rf "$copy"
        return
      fi
      echo "caught in $order order ($((SECONDS - start)) s): $name: $(grep -m1 FAILED "$build/$1.log" | cut -c8-110)"
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
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
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

for list in runtime ops windows attention; do source "cuda/test/mutants/$list.sh"; done

wait
survivors=$(find "$build" -maxdepth 1 -name '*.survived' | wc -l)
echo "$count mutants, $survivors survived, $SECONDS s"
[ "$count" -gt 0 ] && [ "$survivors" -eq 0 ]
