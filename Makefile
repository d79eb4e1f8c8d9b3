# SPDX-License-Identifier: Apache-2.0
# The front door. The work is done by meson and by the programs named here.
BUILD := build

.PHONY: help all demo demo-vm bench test test-long soak install clean

help:
	@echo "make demo       measure two loads of this machine: no guest, no service, half a minute"
	@echo "make demo-vm    the same with a real tiny guest, over virtiofs, 9p and ivshmem"
	@echo "make bench      measure the transport beside its floors and peers: a table and a picture, a minute"
	@echo "make all        build into $(BUILD)/"
	@echo "make test       install what is needed, build, run every test"
	@echo "make test-long  the same suites at full size"
	@echo "make soak       the same, watching for a false stale for HOURS (default 1)"
	@echo "make install    install what was built"
	@echo "make clean      remove $(BUILD)/"

all:
	@tools/dev/install-deps build test
	@test -d $(BUILD)/meson-info || meson setup $(BUILD)
	@ninja -C $(BUILD)

demo: all
	@tools/demo/demo $(BUILD)

demo-vm: all
	@tools/dev/install-deps vm
	@tools/demo/demo-vm $(BUILD)

bench:
	@tools/dev/install-deps build test bench
	@test -d $(BUILD)/meson-info && meson setup --reconfigure $(BUILD) >/dev/null || meson setup $(BUILD)
	@ninja -C $(BUILD) tools/bench/scaph-bench
	@$(BUILD)/tools/bench/scaph-bench --plot $(BUILD)/bench.svg
	@echo "picture: $(BUILD)/bench.svg"

test:
	@tests/run

test-long:
	@SCAPH_TEST_PERCENT=100 tests/run

soak:
	@SCAPH_TEST_PERCENT=100 SCAPH_SOAK_SECONDS=$$(( $(or $(HOURS),1) * 3600 )) tests/run

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-asan build-tsan build-arm
