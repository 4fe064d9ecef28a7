#!/usr/bin/env bash
# The same study syntax on real text of two languages: documentation of Python, in `shared/` beside
# the clone. First argument: where to run; second: a Python with pyarrow.
set -euo pipefail
root=$1 python=$2
ablate=target/release/ablate

start=$SECONDS
"$ablate" run .ci/pydocs.toml --root "$root" --no-progress
echo "the study on real text took $((SECONDS - start)) s"
"$python" .ci/learns.py "$root/reports/pydocs"
"$python" .ci/recompute.py "$root"
"$python" .ci/tokenizer_parity.py "$root"
