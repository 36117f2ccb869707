#!/usr/bin/env bash
# Prints the path of an nvcc: that on PATH, or of CUDA_HOME, or NVIDIA's compiler from PyPI in a private environment below the given folder.
set -euo pipefail
folder=${1:?folder}
if command -v nvcc; then exit; fi
if [ -n "${CUDA_HOME:-}" ] && [ -x "$CUDA_HOME/bin/nvcc" ]; then echo "$CUDA_HOME/bin/nvcc"; exit; fi
if [ ! -f "$folder/complete" ]; then
  rm -rf "$folder"
  python3 -m venv "$folder" >&2
  "$folder/bin/pip" -q install --disable-pip-version-check --no-deps nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-cuda-cuobjdump==13.2.78 nvidia-cuda-nvdisasm==13.2.78 >&2
  touch "$folder/complete"
fi
find "$folder/" -path '*/bin/nvcc'
