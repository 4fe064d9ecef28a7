#!/usr/bin/env bash
# Runs the smoke study into the folder that is given, from nothing, and says how long it took.
# Meant to take less than a minute on two cores; other machines get twice that.
set -euo pipefail
root=$1
ablate=target/release/ablate

"$ablate" check experiments/smoke.toml
start=$SECONDS
"$ablate" run experiments/smoke.toml --root "$root" --no-progress
took=$((SECONDS - start))
echo "the smoke study took $took s (meant: 60 s at most)"
if ((took > 120)); then
    echo "that is too long" >&2
    exit 1
fi

# A second run makes nothing.
results() { find "$root/data/store" -name .artifact.json -printf '%p %T@\n' | sort; }
before=$(results)
"$ablate" run experiments/smoke.toml --root "$root" --quiet
[ "$before" = "$(results)" ] || { echo "the second run made something" >&2; exit 1; }

"$ablate" status experiments/smoke.toml --root "$root"
"$ablate" compare smoke:baseline smoke:rounds --root "$root"
