#!/usr/bin/env bash
# Opens a report's page in headless Chromium: no console message, no request but for the file itself,
# and what is shown is complete. Argument: the report's folder.
set -euo pipefail
report=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

flags=(
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --host-resolver-rules='MAP * ~NOTFOUND'
    --user-data-dir="$scratch/profile" --window-size=1200,2000 --virtual-time-budget=5000
)
for scheme in light dark; do
    dark=()
    [ "$scheme" = light ] || dark=(--force-dark-mode --blink-settings=preferredColorScheme=0)
    timeout 120 chromium "${flags[@]}" "${dark[@]}" --enable-logging=stderr --v=0 \
        --log-net-log="$scratch/$scheme.json" --dump-dom "file://$report/index.html" \
        >"$scratch/$scheme.html" 2>"$scratch/$scheme.log"
    if grep ':CONSOLE' "$scratch/$scheme.log"; then
        echo "the page writes to the console" >&2
        exit 1
    fi
done
python3 .ci/page.py "$report" "$scratch"
