#!/usr/bin/env bash
# Makes bench/.venv with what the peers need, each in its newest release:
#
#     bench/setup.sh            # a new environment (3 to 4 GB: PyPI's torch for Linux carries CUDA)
#     bench/setup.sh VENV       # or a link to one that exists; ABLATE_BENCH_VENV does the same
#
# pip's own variables work, PIP_EXTRA_INDEX_URL for a CPU-only torch, say. `torch.compile` needs
# g++ besides.
set -euo pipefail

existing=${1:-${ABLATE_BENCH_VENV:-}}
[ -z "$existing" ] || existing=$(realpath "$existing")
cd "$(dirname "$0")"

if [ -n "$existing" ] && [ ! -x "$existing/bin/python" ]; then
    echo "$existing is no virtual environment" >&2
    exit 2
fi
[ ! -L .venv ] || rm .venv
if [ -n "$existing" ]; then
    [ ! -e .venv ] || { echo "bench/.venv is in the way: remove it" >&2; exit 2; }
    ln -s "$existing" .venv
else
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --upgrade \
        torch transformers tokenizers numpy safetensors
fi

.venv/bin/python -c '
import numpy, safetensors, tokenizers, torch, transformers
for module in (torch, transformers, tokenizers, numpy, safetensors):
    print(module.__name__, module.__version__)
'
command -v g++ >/dev/null || echo "no g++: the torch.compile columns will be empty" >&2
