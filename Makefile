# The commands a person needs; each first installs and builds what it lacks, so that they work on a
# bare Debian 12. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: all build deps demo test test-extra asan tidy format format-check static deb bench long clean clean-servers help

export BUILD ?= build/release
export T ?=

# make passes its own job slots to ninja otherwise; ninja counts the processors itself.
unexport MAKEFLAGS

sources = $(shell git ls-files '*.cpp' '*.h')

all: build

deps:
	@deploy/install-build-deps.sh

build: deps  ## build everything (release)
	@cmake --preset release -B $(BUILD) > /dev/null
	@nice ninja -C $(BUILD)

demo:  ## the pharmacy, its staff and rowtrail; DEMO_SECONDS=30 stops and checks by itself
	@deploy/demo/demo.sh

test: build  ## all tests; T=pattern runs those whose name contains it
	@test/run.sh

test-extra: deps  ## tests that need more than Debian and npm; an unreachable registry is no failure
	@if [ -x test/extra/run.sh ]; then test/extra/run.sh; else echo "nothing in test-extra yet"; fi

asan: deps  ## the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset asan > /dev/null
	@nice ninja -C build/asan
	@BUILD=build/asan UNIT_ONLY=1 ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$(CURDIR)/test/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1 test/run.sh

tidy: deps  ## clang-tidy, warnings are errors; T=path looks at the files below it only
	@cmake --preset dev > /dev/null
	@nice test/tidy.py build/dev $(T)

format: deps  ## clang-format every source file in place
	@clang-format-14 -i $(sources)

format-check: deps  ## fail where clang-format would change something
	@clang-format-14 --dry-run --Werror $(sources) && echo "clang-format: no findings"

static: deps  ## one static binary, dist/rowtrail, that needs nothing beside it
	@deploy/static/build.sh

deb: static  ## a Debian package of the static binary with its systemd units, in dist/
	@cd build/static && cpack -G DEB -B ../../dist > cpack.log || { tail -n 20 cpack.log; exit 1; }
	@rm -rf dist/_CPack_Packages && ls dist/*.deb

bench: build  ## benchmarks
	@if [ -x bench/run.sh ]; then bench/run.sh; else echo "no benchmarks yet"; exit 1; fi

long: build  ## what takes hours: fuzzing, soak, thousands of kills (docs/reliability.md)
	@if [ -x test/long/run.sh ]; then test/long/run.sh; else echo "no long-running tests yet"; exit 1; fi

clean:  ## remove what was built
	@rm -rf build

clean-servers:  ## stop the private test servers and remove them with their data
	@test/servers/clean.sh

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
