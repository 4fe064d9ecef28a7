#!/usr/bin/env bash
# Makes a Python environment in the folder that is given: none of it is part of the project.
set -euo pipefail
python3 -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check pyarrow scipy tokenizers sentencepiece tensorboard
