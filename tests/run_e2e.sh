#!/usr/bin/env bash
# tests/run_e2e.sh [fast|all|shared] [NAME...]: the end-to-end tests against $SLUICE_BIN (default build/sluice).
#   fast    everything that ends within a minute
#   all     also the slow groups: soak, slow attacks, chaos at many offsets
#   shared  what exercises the state that threads share, for ThreadSanitizer
# NAMEs choose files by a part of their path. Prints the summary of Node's own test runner.
set -euo pipefail
cd "$(dirname "$0")"

group=${1:-fast}
shift || true
case "$group" in
  fast) files=(e2e/*.test.mjs chaos/gate.test.mjs) ;;
  all) files=(e2e/*.test.mjs chaos/*.test.mjs slow/*.test.mjs) ;;
  shared) files=(e2e/{streaming,reload,drain,admin,accounting,websocket}.test.mjs) ;;
  *) echo "usage: tests/run_e2e.sh [fast|all|shared] [NAME...]" >&2; exit 2 ;;
esac

if [ $# -gt 0 ]; then
  chosen=()
  for name in "$@"; do
    for file in "${files[@]}"; do [[ $file == *"$name"* ]] && chosen+=("$file"); done
  done
  files=("${chosen[@]}")
fi

binary=${SLUICE_BIN:-build/sluice}
[[ $binary == /* ]] || binary=$(cd .. && pwd)/$binary
[ -x "$binary" ] || { echo "there is no $binary; run 'make build' first" >&2; exit 2; }

# npm writes this file last.
if [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --silent
  touch node_modules/.package-lock.json
fi

SLUICE_BIN=$binary exec node --test --test-reporter=spec --test-timeout=600000 --test-concurrency=3 "${files[@]}"
