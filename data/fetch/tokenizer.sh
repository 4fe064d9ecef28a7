#!/usr/bin/env bash
# A real tokenizer of more than 100,000 pieces for English and Chinese: DeepSeek's (MIT licence), out
# of PyPI's `litellm` wheel (41 MB to fetch, 4 MB kept). Nothing calls this by itself.
#
#     data/fetch/tokenizer.sh [FOLDER]      # data/tokenizers/deepseek, unless another is given
#
# Needs python3 with pip. Leaves tokenizer.json and LICENSE in the folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-data/tokenizers/deepseek}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$scratch" 'litellm==1.109.1'
mkdir -p "$folder"
python3 - "$scratch" "$folder" <<'PYTHON'
import pathlib
import sys
import zipfile

scratch, folder = map(pathlib.Path, sys.argv[1:])
inside = "litellm/litellm_core_utils/tokenizers/deepseek_tokenizer"
with zipfile.ZipFile(next(scratch.glob("litellm-*.whl"))) as wheel:
    (folder / "tokenizer.json").write_bytes(wheel.read(f"{inside}.json"))
    (folder / "LICENSE").write_bytes(wheel.read(f"{inside}_LICENSE"))
PYTHON
echo "$folder/tokenizer.json: 129,280 entries"
