#!/usr/bin/env bash
# Installs what the checks need and is not there: a C compiler for the build, Python and a browser
# for the checks of what the program writes.
set -euo pipefail

missing=()
command -v cc >/dev/null || missing+=(build-essential)
command -v git >/dev/null || missing+=(git)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
command -v chromium >/dev/null || missing+=(chromium)
if ((${#missing[@]})); then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
# `rust-toolchain.toml` names the toolchain and its components; this installs them.
cargo fmt --version
cargo clippy --version
