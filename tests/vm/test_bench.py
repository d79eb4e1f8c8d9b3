#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a record costs its reader in a real guest, over virtiofs and ivshmem, beside a text file on the same share.

Usage: test_bench.py BUILD_DIR GUEST_PROGRAM FEEDER. Prints TAP, and what was measured as JSON; saves it as
BUILD_DIR/bench-guest.json. Needs root. SCAPH_BENCH_SECONDS: how long it measures (20).

One guest, one run; each path takes its turn within every 20 ms, and ratios are held, not times. All of it is on the vCPU
that gets virtiofs's interrupts: one thread less to wake in each request, for all alike.
"""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../../tools/guest")]
import guest as guests  # noqa: E402
from tap import Tap  # noqa: E402

SECONDS = int(os.environ.get("SCAPH_BENCH_SECONDS", "20"))
# Against Scaphandre's own calls (its fstat is a request of its own); the least calls that could do are shown beside them.
LEAST = {"virtiofs_20ms": 20, "virtiofs_1ms": 500, "ivshmem_bare": 10000}
tap = Tap()
check = tap.check


def measure(guest):
    device = f"/sys/bus/pci/devices/{guest.pci}/resource2"
    status, text = guest.run_status(f"taskset 1 scaph-bench-guest --seconds {SECONDS} /virtiofs {device}", SECONDS + 40)
    figures = json.loads(text[text.index("{"):]) if "{" in text else {}
    check(status == 0 and figures.get("bad_records") == 0, "every record read was what was written", text)
    return figures


def show(figures):
    print("# what a record costs, by the clock and by the CPU, and how much dearer the text file is, read by the least calls "
          "and by Scaphandre's")
    for name, cost in figures.items():
        if isinstance(cost, dict) and "ns" in cost:
            ratios = [figures[of][name] for of in ("ratios", "ratios_scaphandre") if name in figures[of]]
            print(f"#   {name:15} {cost['ns']:12.1f} ns {cost['cpu_ns']:12.1f} ns " +
                  "".join(f"{ratio:10.1f} x" for ratio in ratios))
    for name in ("virtiofs_20ms", "virtiofs_1ms"):
        path = figures[name]
        print(f"#   {name}: {path['pread_ns']:.1f} ns of it in {path['preads_a_batch']:.2f} preads a batch")


def whole(figures):
    """Each batch held what had come since the last."""
    for name, count in (("virtiofs_20ms", 5), ("virtiofs_1ms", 1000)):
        path = figures[name]
        check(abs(path["records_a_batch"] / count - 1) < 0.05 and path["lost"] == 0,
              f"{name}: batches of {count} records, none lost", path)


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root")
        return
    build, program, feeder = sys.argv[1:4]
    with guests.Guest(build, programs={"scaph-bench-guest": program}) as guest:
        guest.boot()
        guest.start(feeder, guest.share, guest.ivshmem, guest.uuid)
        time.sleep(0.5)
        figures = measure(guest)
        log = guest.log_of(os.path.basename(feeder))
        check(not log, "the feeder had nothing to complain of", log)
    if figures:
        whole(figures)
        show(figures)
        for name, least in LEAST.items():
            check(figures["ratios_scaphandre"][name] >= least, f"{name}: a record at least {least} times cheaper than by text file",
                  figures["ratios_scaphandre"])
        with open(os.path.join(build, "bench-guest.json"), "w") as file:
            json.dump(figures, file, indent=1)
        print("# " + json.dumps(figures))
    tap.plan()


if __name__ == "__main__":
    main()
