# Sluice: `make run` tries it out, `make test` proves it; both set up what they need on Debian 12.
.DEFAULT_GOAL := help
SHELL := bash
JOBS ?= $(shell nproc)
# ccache, where it is installed: precompiled headers need the sloppiness; paths are kept relative so that checkouts share it.
export SLUICE_COMPILER_LAUNCHER ?= $(shell command -v ccache)
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
export CCACHE_SLOPPINESS ?= pch_defines,time_macros,include_file_mtime,include_file_ctime
export PATH := $(CURDIR)/build/node/node_modules/node/bin:$(PATH)

.PHONY: help deps build run test test-fast unit e2e lint fmt asan tsan fuzz-smoke bench bench-quick docs clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

deps: ## install what build and tests need (Debian packages, Node modules)
	@tools/install_deps.sh

build: deps ## build the program: build/sluice
	@tools/build.sh release sluice

run: build ## build and start it with examples/quickstart.yaml
	@exec build/sluice serve -c examples/quickstart.yaml

test: deps ## everything: lint, unit and end-to-end tests, sanitizers, a moment of each fuzzer
	@tools/test.sh all

test-fast: deps ## unit tests and the quick end-to-end tests on the release build
	@tools/test.sh fast

unit: deps ## only the unit tests, release build
	@tools/test.sh unit

e2e: deps ## only the end-to-end tests, release build
	@tools/test.sh e2e

lint: deps ## format, include graph, header self-containment, clang-tidy
	@tools/lint.sh

fmt: ## format all C++ files in place
	@git ls-files '*.h' '*.cc' | xargs clang-format-16 -i

asan: deps ## unit and end-to-end tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/test.sh asan

tsan: deps ## tests of what threads share, under ThreadSanitizer
	@tools/test.sh tsan

fuzz-smoke: deps ## some seconds of each fuzz target
	@tools/test.sh fuzz

bench: ## measure against nginx; writes bench/RESULTS.md
	@tools/install_deps.sh bench
	@tools/build.sh release all
	@bench/run

bench-quick: ## the same with smaller counts, in about a minute
	@tools/install_deps.sh bench
	@tools/build.sh release all
	@bench/run --quick

docs: build ## write docs/configuration.md and docs/sluice.schema.json from the schema in the code
	@build/sluice check --reference > docs/configuration.md
	@build/sluice check --schema > docs/sluice.schema.json

clean: ## remove everything that was built
	rm -rf build
