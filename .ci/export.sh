#!/usr/bin/env bash
# Exports models of the smoke study that was run in the folder that is given, and loads them with
# `transformers`. That takes PyTorch, of which PyPI has for Linux only builds with CUDA (4 GB): too much
# for every run, so that the second half is for machines that have the peers of `bench` anyway
# (`just bench-setup`, or ABLATE_BENCH_VENV). What is written is checked everywhere by the tests: they
# read it with the reader that gives the logits of `transformers` for its own files.
set -euo pipefail
root=$1
ablate=target/release/ablate
venv=${ABLATE_BENCH_VENV:-bench/.venv}

for variant in baseline rounds teacher; do
    "$ablate" export experiments/smoke.toml "$root/export/$variant" --variant "$variant" --root "$root" --force
done
if "$ablate" export experiments/smoke.toml "$root/export/rounds" --variant rounds --root "$root" 2>"$root/refused"; then
    echo "a folder that holds a model was overwritten" >&2
    exit 1
fi
grep -q -- --force "$root/refused"

if [ -x "$venv/bin/python" ]; then
    for variant in baseline rounds teacher; do
        "$venv/bin/python" .ci/export.py "$root/export/$variant" \
            "The lantern of" "Tom has 3 apples, and" "小明在花园里" " two  spaces"
    done
else
    echo "not loaded with transformers: there is no $venv (just bench-setup)"
fi
