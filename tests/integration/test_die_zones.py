#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AMD's packages as kernels have shown them in powercap: once a die, with the package's energy each, and one core's as "core".

Usage: test_die_zones.py SCAPHD SCAPH. Prints TAP. Needs root, for a mount of its own over /proc/cpuinfo.
"""

import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Bench, arguments, await_that  # noqa: E402
from look import Segment  # noqa: E402
from msrfs.host import PACKAGES, ZEN2, Host, put  # noqa: E402

PACKAGE = 1 << 0
WATTS = {0: 15, 3: 25}  # by package id
CORE_WATTS = 2
DIES = 4
RANGE_UJ = 65532610987


class Zones:
    """SYSFS/class/powercap, in an order of zones that has nothing to do with packages, counted by a thread."""

    def __init__(self, sysfs):
        self.files = []  # path, watts
        dies = [(package, die) for die in range(DIES) for package in reversed(PACKAGES)]
        for number, (package, die) in enumerate(dies):
            zone = f"{sysfs}/class/powercap/intel-rapl:{number}"
            self.add(zone, f"package-{package}-die-{die}", WATTS[package])
            self.add(f"{sysfs}/class/powercap/intel-rapl:{number}:0", "core", CORE_WATTS)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def add(self, zone, name, watts):
        put(f"{zone}/name", name)
        put(f"{zone}/max_energy_range_uj", RANGE_UJ)
        put(f"{zone}/energy_uj", f"{10**9:015}")
        self.files.append((f"{zone}/energy_uj", watts))

    def run(self):
        begin = time.monotonic()
        while not self.stopping.wait(0.005):
            elapsed = time.monotonic() - begin
            for path, watts in self.files:
                # In place and of one length: the daemon keeps its descriptors.
                fd = os.open(path, os.O_WRONLY)
                os.pwrite(fd, f"{10**9 + int(watts * elapsed * 10**6):015}\n".encode(), 0)
                os.close(fd)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def story(b, host, options):
    done = subprocess.run([*host.wrap(), b.scaphd, "--check", *b.options(**options)], capture_output=True, text=True)
    b.check(done.returncode == 0 and done.stdout.count("\npackage ") == 2 and "zones package," in done.stdout,
            f"{DIES} die zones a package are two packages, with no core zone", done.stdout + done.stderr)
    daemon = b.daemon(**options)
    ring = Segment(os.path.join(b.host, "host.ring"))
    await_that(lambda: ring.newest())
    first = ring.newest()
    time.sleep(2)
    last = ring.newest()
    watts = (last["package_uj"] - first["package_uj"]) * 1000 / (last["mono_ns"] - first["mono_ns"])
    wanted = sum(WATTS.values())
    b.check(abs(watts - wanted) < 0.1 * wanted, f"their energy counts once: {watts:.2f} W of {wanted} W", (first, last))
    b.check(last["flags"] & 0b110 == 0 and last["flags"] & PACKAGE, "and one core's is shown as nobody's", last)
    daemon.terminate()
    daemon.wait()


def main():
    if os.geteuid() != 0 or os.sysconf("SC_NPROCESSORS_CONF") < 2:
        print("1..0 # skip: needs root and two CPUs")
        return 0
    with Bench(*arguments()) as b:
        host = Host(None, os.path.join(b.work, "machine"), ZEN2, (16, 16), {})
        b.before = host.wrap()
        with Zones(host.sysfs):
            story(b, host, {"source": "powercap", "model-watts": None, **host.options()})
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
