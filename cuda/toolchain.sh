#!/usr/bin/env bash
# Prints the path of an nvcc: that on PATH, or of CUDA_HOME, or NVIDIA's compiler from PyPI in a private environment below the given folder.
# With a second word, cute: the options that find NVIDIA's CuTe headers and of the CUDA headers they need, from there always.
set -euo pipefail
folder=${1:?folder}
install() { # packages...
  if [ -f "$folder/complete" ]; then return; fi
  rm -rf "$folder"
  python3 -m venv "$folder" >&2
  "$folder/bin/pip" -q install --disable-pip-version-check --no-deps "$@" >&2
  touch "$folder/complete"
}
headers=(nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85)
if [ "${2:-}" = cute ]; then
  install "${headers[@]}" nvidia-cutlass==4.2.0.0
  cute=$(find "$folder/" -path '*/include/cute/layout.hpp') cuda=$(find "$folder/" -name cuda_runtime.h)
  echo "-isystem $(dirname "$(dirname "$cute")") -isystem $(dirname "$cuda") -isystem $(dirname "$cuda")/cccl"
  exit
fi
if command -v nvcc; then exit; fi
if [ -n "${CUDA_HOME:-}" ] && [ -x "$CUDA_HOME/bin/nvcc" ]; then echo "$CUDA_HOME/bin/nvcc"; exit; fi
install "${headers[@]}" nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-cuobjdump==13.2.78 nvidia-cuda-nvdisasm==13.2.78
find "$folder/" -path '*/bin/nvcc'
