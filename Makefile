# What a person types. On a fresh Debian 12, as root, each of these does all of its set-up: packages, build, brick.
#
#   make check             every test, in a world of its own (real libvirt and real VMs, nothing of the machine's touched)
#   make check-web         those of the page alone, in a real browser
#   make demo              a VM from brick to SSH, told step by step; KEEP=1 leaves the world up afterwards
#   make build             the programs, in build/bin
#   make torture SECONDS=60 [SEED=n]   kills everything at random among 200 VMs, then counts what is lost, stuck or leaked
#   make bench             the figures of a kilnd with 10,000 VMs, as a table
#   make fuzz SECONDS=60   searches with every fuzz target, that many seconds each, having shown the lines that the kept inputs run
#   make fuzz-afl SECONDS=60   the same targets, by AFL++
#   make fuzz-coverage     the lines that the kept inputs of each target run
#   make seeds             has the unit tests write their inputs as seeds into fuzz/, to be looked at and committed
#
# TESTS=REGEX narrows `make check` to ctest entries of that name; JOBS is how many processors they may take: ctest has two places for each,
# and a test takes both, or one when it mostly waits (tests/tests.cmake).

SECONDS ?= 60
TESTS ?= .
JOBS ?= $(shell nproc)
CTEST = ctest --output-on-failure --no-tests=error --parallel $$((2 * $(JOBS)))
BUILD := build
# Warnings as errors of a second compiler and both sanitizers, at the price of one further build.
SANITIZED := build-sanitized
FUZZING := build-fuzz
FUZZING_AFL := build-afl
COVERAGE := build-coverage

# The base's kernel tells whether KVM works here.
WORLD = KILN_PROBE_KERNEL=$$(guest/brick/build --base-only)/vmlinuz tests/world/run

.PHONY: build check check-web demo torture bench fuzz fuzz-afl fuzz-coverage seeds packages brick-base sanitized clean
.SILENT:

build: packages
	cmake -S . -B $(BUILD) -G Ninja >/dev/null
	cmake --build $(BUILD)

check: build sanitized brick-base
	$(WORLD) $(CTEST) --test-dir $(BUILD) -R '$(TESTS)'

check-web: build brick-base
	$(WORLD) $(CTEST) --test-dir $(BUILD) -R '^web/'

demo: build brick-base
	$(WORLD) $(if $(KEEP),--keep demo) env KILN_BIN=$(CURDIR)/$(BUILD)/bin tests/e2e/demo $(if $(KEEP),--keep-vm)

torture: build brick-base
	$(WORLD) env KILN_BIN=$(CURDIR)/$(BUILD)/bin NS_BIN=$(CURDIR)/$(BUILD)/ns TORTURE_BIN=$(CURDIR)/$(BUILD)/torture \
		tests/torture/run $(SECONDS) $(SEED)

bench: build
	KILN_BIN=$(CURDIR)/$(BUILD)/bin BENCH_BIN=$(CURDIR)/$(BUILD)/bench python3 -B tests/bench/bench.py

fuzz: packages
	CC=clang cmake -S . -B $(FUZZING) -G Ninja -DKILN_FUZZ=ON >/dev/null
	cmake --build $(FUZZING) --target fuzzers
	$(MAKE) fuzz-coverage
	fuzz/search $(FUZZING) $(SECONDS)

fuzz-afl: packages
	CC=afl-clang-fast cmake -S . -B $(FUZZING_AFL) -G Ninja -DKILN_FUZZ=ON >/dev/null
	cmake --build $(FUZZING_AFL) --target fuzzers
	fuzz/search_afl $(FUZZING_AFL) $(SECONDS)

fuzz-coverage: packages
	CC=clang cmake -S . -B $(COVERAGE) -G Ninja -DKILN_COVERAGE=ON >/dev/null
	cmake --build $(COVERAGE) --target fuzzers
	fuzz/coverage $(COVERAGE)

seeds: build
	KILN_SEEDS=$(CURDIR)/fuzz $(CTEST) --test-dir $(BUILD) -R '^unit/'

packages:
	tests/setup/install

brick-base: packages
	guest/brick/build --base-only >/dev/null

sanitized: packages
	CC=clang cmake -S . -B $(SANITIZED) -G Ninja -DKILN_SANITIZE=ON >/dev/null
	cmake --build $(SANITIZED)

clean:
	rm -rf $(BUILD) $(SANITIZED) $(FUZZING) $(FUZZING_AFL) $(COVERAGE)
