#!/usr/bin/env bash
# The smoke study's report proves itself, and fails to when it is changed: takes the folder of the study.
set -euo pipefail
root=$1
ablate=target/release/ablate
study=experiments/smoke.toml
report=$root/reports/smoke

# A command that must end with exit code 3.
refused() {
    local code=0
    "$@" || code=$?
    [ "$code" = 3 ] || { echo "exit code $code instead of 3: $*" >&2; exit 1; }
}

"$ablate" report check "$study" --root "$root"
"$ablate" report why "$study" 'main[1,Average]' --root "$root"
"$ablate" bundle "$study" --root "$root" -o "$root/smoke.tar.zst"
"$ablate" bundle "$study" --root "$root" -o "$root/again.tar.zst"
cmp "$root/smoke.tar.zst" "$root/again.tar.zst"
ABLATE_ROOT=$root/nowhere "$ablate" verify "$root/smoke.tar.zst"

for table in main.md main.tex main.csv; do
    cp "$report/tables/$table" "$root/kept"
    # The first digit of the table.
    sed -i '0,/[0-9]/ s/[0-9]/9&/' "$report/tables/$table"
    refused "$ablate" report check "$study" --root "$root"
    refused "$ablate" bundle "$study" --root "$root" -o "$root/forged.tar.zst"
    cp "$root/kept" "$report/tables/$table"
done
"$ablate" report check "$study" --root "$root"
