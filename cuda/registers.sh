#!/usr/bin/env bash
# A table of the kernels in a fatbin: registers, bytes of local memory (a stack, or spilled registers), matrix instructions (HMMA) and
# asynchronous copies (LDGSTS). Fails where a kernel of 16-bit elements has local memory, or an attention kernel none of the two.
set -euo pipefail
nvcc=$(./toolchain.sh "$1")
tool=$(command -v cuobjdump || echo "$(dirname "$nvcc")/cuobjdump")
for arch in sm_80 sm_90; do
  "$tool" -arch $arch -res-usage "$2" 2>&1 | awk -v arch=$arch '
    / Function / { name = $2; sub(":", "", name) }
    /REG:/ { match($0, /REG:[0-9]+/); r = substr($0, RSTART + 4, RLENGTH - 4)
             match($0, /STACK:[0-9]+/); s = substr($0, RSTART + 6, RLENGTH - 6); print arch, name, r, s }' | sort > "$2.$arch.registers"
  "$tool" -arch $arch -sass "$2" | awk '
    /Function : / { name = $3 } /HMMA/ { mma[name]++ } /LDGSTS/ { copy[name]++ }
    END { for (n in mma) print n, mma[n], copy[n] + 0 }' | sort > "$2.$arch.sass"
done
awk 'FILENAME ~ /sass$/ { split(FILENAME, p, "."); a = p[length(p) - 1]; mma[a, $1] = $2; copy[a, $1] = $3; next }
  FNR == 1 && !header++ { printf "%-6s %-28s %9s %11s %6s %7s\n", "target", "kernel", "registers", "local bytes", "HMMA", "LDGSTS" }
  { printf "%-6s %-28s %9d %11d %6d %7d\n", $1, $2, $3, $4, mma[$1, $2], copy[$1, $2]
    if ($4 > 0 && $2 !~ /_f32/) { bad = 1; print "  local memory in " $2 > "/dev/stderr" }
    if ($2 ~ /attention_(fwd|bwd_q|bwd_kv)_(bf16|f16)/ && (!mma[$1, $2] || !copy[$1, $2])) { bad = 1; print "  no tensor cores or copies in " $2 > "/dev/stderr" } }
  END { exit bad }' "$2".sm_80.sass "$2".sm_90.sass "$2".sm_80.registers "$2".sm_90.registers
