#!/usr/bin/env bash
# tools/build.sh PRESET TARGET...: configures once, then builds.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
directory=build
[ "$preset" = release ] || directory=build/$preset
mkdir -p "$directory"
if [ ! -f "$directory/build.ninja" ]; then
  cmake --preset "$preset" >"$directory/configure.log" 2>&1 || { cat "$directory/configure.log"; exit 1; }
fi
ninja -C "$directory" -j "${JOBS:-$(nproc)}" "$@"
