#!/usr/bin/env bash
# Format, include graph, header self-containment, house rules, clang-tidy. Prints findings; exits 1 if there are any.
set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
step() { # step NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "lint: $name ok"; else echo "lint: $name FAILED"; bad=1; fi
}

formatted() { git ls-files '*.h' '*.cc' | xargs clang-format-16 --dry-run -Werror 2>&1 | head -40 | { ! grep .; }; }
house_rules() {
  ! git grep -nE 'co_(await|spawn)[^;]*\[[^]]*[=&a-z][^]]*\]\s*\(' -- src &&
    ! git grep -nE '\b(TODO|FIXME|XXX)\b' -- src tests bench tools ':!tools/lint.sh' &&
    ! git grep -nE '#include [<"]boost/asio' -- src &&
    ! git grep -nE '#include [<"](boost/beast|nghttp2)' -- src ':!src/http'
}
# Every header compiles alone: one line that includes it, compiled without code generation.
self_contained() {
  local flags
  flags="-std=c++20 -fsyntax-only -Wall -Wextra -Werror -Isrc -I. -DSPDLOG_FMT_EXTERNAL -DBOOST_ASIO_SEPARATE_COMPILATION"
  git ls-files 'src/*.h' |
    xargs -P "$(nproc)" -I{} sh -c "echo '#include \"{}\"' | clang++-16 $flags -x c++ - || echo 'not self-contained: {}'" 2>&1 | { ! grep .; }
}
tidy() {
  tools/build.sh release base >/dev/null || return 1
  local files
  mapfile -t files < <(git ls-files 'src/*.cc' | grep -vE '_(test|bench|fuzz)\.cc$|/boost_json\.cc$')
  local findings
  findings=$(run-clang-tidy-16 -clang-tidy-binary clang-tidy-16 -quiet -j "$(nproc)" -p build "${files[@]}" 2>/dev/null | grep -E '(warning|error):' | sort -u)
  [ -z "$findings" ] || { echo "$findings"; return 1; }
}

step format formatted
step "include graph" python3 tools/check_includes.py
step "house rules" house_rules
step "self-contained headers" self_contained
[ "${SLUICE_SKIP_TIDY:-}" = 1 ] || step clang-tidy tidy
exit $bad
