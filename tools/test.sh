#!/usr/bin/env bash
# tools/test.sh all|fast|unit|e2e|asan|tsan|fuzz: builds what the suites need, runs them all even if one fails, and ends with one
# line `N passed, N failed` summed over them.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
folders=(base net http telemetry llm pipeline provider gateway)
# What threads share: loops and their mailboxes, pools, metrics, logs, the reload.
shared_folders=(net http telemetry pipeline gateway)
fuzz_seconds=${FUZZ_SECONDS:-5}

heading() { printf '\n== %s\n' "$*"; }

count() { # count PASSED FAILED
  passed=$((passed + $1))
  failed=$((failed + $2))
}

build() {
  tools/build.sh "$@" && return 0
  echo "the build failed: $*"
  count 0 1
  return 1
}

# Runs GoogleTest programs of one build directory; a crash counts as one failure.
run_unit() { # run_unit DIRECTORY FOLDER...
  local directory=$1 log ok bad status
  shift
  for folder in "$@"; do
    [ -x "$directory/${folder}_test" ] || continue
    heading "unit tests: $folder ($directory)"
    log=$(mktemp)
    "$directory/${folder}_test" --gtest_brief=1 >"$log" 2>&1
    status=$?
    ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
    bad=$(grep -c '^\[  FAILED  \] .*(.* ms)$' "$log")
    if [ $status -ne 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    if [ $status -ne 0 ]; then tail -60 "$log"; else tail -1 "$log"; fi
    count "${ok:-0}" "$bad"
    rm -f "$log"
  done
}

run_e2e() { # run_e2e BINARY fast|all
  local log ok bad status
  heading "end-to-end tests: $1 ($2)"
  log=$(mktemp)
  SLUICE_BIN=$1 tests/run_e2e.sh "$2" >"$log" 2>&1
  status=$?
  ok=$(sed -n 's/^[#ℹ] pass \([0-9]*\)$/\1/p' "$log" | tail -1)
  bad=$(sed -n 's/^[#ℹ] fail \([0-9]*\)$/\1/p' "$log" | tail -1)
  if [ $status -ne 0 ] && [ "${bad:-0}" = 0 ]; then bad=1; fi
  if [ $status -ne 0 ]; then tail -150 "$log"; else tail -9 "$log"; fi
  count "${ok:-0}" "${bad:-0}"
  rm -f "$log"
}

run_fuzzers() {
  local target corpus
  for target in build/asan/fuzz/*_fuzz; do
    corpus=tests/corpus/$(basename "$target" _fuzz)
    heading "fuzz: $(basename "$target") for ${fuzz_seconds}s"
    mkdir -p "build/asan/corpus/$(basename "$target")"
    if "$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
      "build/asan/corpus/$(basename "$target")" $([ -d "$corpus" ] && echo "$corpus") >build/asan/fuzz.log 2>&1; then
      grep -E 'number_of_executed_units' build/asan/fuzz.log
      count 1 0
    else
      tail -40 build/asan/fuzz.log
      count 0 1
    fi
  done
}

lint() {
  heading "lint"
  if tools/lint.sh; then count 1 0; else count 0 1; fi
}

tests_of() { printf '%s_test ' "$@"; }

unit() { build release $(tests_of "${folders[@]}") && run_unit build "${folders[@]}"; }
e2e() { build release sluice && run_e2e build/sluice "$1"; }
asan() {
  build asan all || return
  run_unit build/asan "${folders[@]}"
  run_e2e build/asan/sluice fast
}
tsan() {
  build tsan sluice $(tests_of "${shared_folders[@]}") || return
  run_unit build/tsan "${shared_folders[@]}"
  run_e2e build/tsan/sluice shared
}
# The fuzz targets are part of the sanitizer build.
fuzz() { build asan all && run_fuzzers; }

case "${1:-all}" in
  all) unit; e2e all; asan; fuzz; tsan; lint ;;
  fast) unit; e2e fast ;;
  unit) unit ;;
  e2e) e2e all ;;
  asan) asan ;;
  tsan) tsan ;;
  fuzz) fuzz ;;
  *) echo "usage: tools/test.sh all|fast|unit|e2e|asan|tsan|fuzz" >&2; exit 2 ;;
esac

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
