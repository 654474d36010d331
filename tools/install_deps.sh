#!/usr/bin/env bash
# Installs what build and tests need on Debian 12. Does nothing when everything is there. Needs root or sudo only to install.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  clang-16 lld-16 llvm-16 clang-tidy-16 clang-format-16 libclang-rt-16-dev cmake ninja-build make pkg-config ccache git
  libboost1.81-dev libssl-dev libsimdjson-dev libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev libexpected-dev
  libxxhash-dev libmimalloc-dev prometheus-cpp-dev libcurl4-openssl-dev zlib1g-dev
  libgtest-dev libgmock-dev libbenchmark-dev python3 openssl curl ca-certificates
)
bench_packages=(nginx-light wrk valgrind)
[ "${1:-}" = bench ] && packages+=("${bench_packages[@]}")
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}"
  root=""
  [ "$(id -u)" = 0 ] || root=sudo
  $root apt-get update -qq
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The end-to-end tests want Node 20; Debian 12 itself has 18, so the npm package `node` brings a newer one beside it.
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -lt 20 ] && [ ! -x build/node/node_modules/node/bin/node ]; then
  echo "installing: node 20 for the end-to-end tests (in build/node)"
  npm install --silent --no-fund --no-audit --prefix build/node node@20 >/dev/null
fi
