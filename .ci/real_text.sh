#!/usr/bin/env bash
# The same study syntax on real text of two languages: documentation of Python, in `shared/` beside
# the clone. First argument: where to run; second: a Python with pyarrow, tokenizers, sentencepiece.
set -euo pipefail
root=$1 python=$2
ablate=target/release/ablate

start=$SECONDS
"$ablate" run .ci/pydocs.toml --root "$root" --no-progress
echo "the study on real text took $((SECONDS - start)) s"
"$python" .ci/learns.py "$root/reports/pydocs"
"$python" .ci/recompute.py "$root"

# Tokenizers of other makers, whole and compacted: ids and texts of 10,000 lines of each language.
start=$SECONDS
"$python" .ci/tokenizer_files.py target/tokenizers
"$ablate" run .ci/tokenizer_files.toml --root "$root" --no-progress
"$python" .ci/tokenizer_parity.py "$root" 21000
echo "tokenizers of other makers took $((SECONDS - start)) s"

# A real one of more than 100,000 pieces, where somebody has fetched it.
if [ -e data/tokenizers/deepseek/tokenizer.json ]; then
    "$ablate" run .ci/compaction.toml --root "$root-deepseek" --no-progress --until tokens
    "$python" .ci/tokenizer_parity.py "$root-deepseek" 21000
fi
