#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd stopped, its clocks set, the machine asleep, a package's CPUs away, a domain stopped: never a wrong number.

Usage: test_disturbed.py SCAPHD SCAPH MSRFS SHIFT. Prints TAP. Needs root, /dev/fuse.

scaphd reads two packages from msrfs and has clocks of its own (shift.c). Every record of every domain is compared with the second
account in exact fractions (tests/reference), which knows only what msrfs handed out and who ran.
"""

import os
import signal
import struct
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration")]
from audit import Audit, host_rings  # noqa: E402
from bench import Bench, await_that  # noqa: E402
from look import Segment  # noqa: E402
from msrfs.host import SKYLAKE_SERVER, Host, missing  # noqa: E402
from watch import Watch  # noqa: E402

IDLE_WATTS = "12.5"
WATTS_MAX = (64, 80)
UNITS = (14, 11)
COUNTERS = {(0, "package"): (14, 2**32 - 2**21, "sine 18000 64000 401"), (0, "core"): (14, 7, "square 5000 35000 909"),
            (0, "dram"): (16, 2**31, "sine 2000 8000 1303"), (1, "package"): (11, 2**32 - 2**19, "square 2000 80000 307"),
            (1, "core"): (11, 0, "watts 9000"), (1, "dram"): (16, 2**32 - 2**18, "square 1000 5000 707")}
# THREADS BUSY_MS REST_MS [CPU]
LOADS = {"steady": (1, 30, 30, 0), "bursty": (1, 5, 15), "twofold": (2, 7, 20), "asleep": (1, 0, 0)}
HOUR_NS = 3600 * 10**9
STOP_S = 5
LATE, PACKAGE = 1 << 10, 1 << 0
SOURCE_LOST = 1 << 2
WALL_NS = 0x1120


def stop(pid):
    """Until each thread stands still."""
    os.kill(pid, signal.SIGSTOP)

    def stands():
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True
    if not await_that(stands):
        raise RuntimeError(f"{pid} does not stop")


class Clocks:
    def __init__(self, path):
        self.path, self.ns = path, [0, 0]
        self.set()

    def set(self, **changed):
        """realtime_ns, boottime_ns: how far ahead."""
        for at, name in enumerate(("realtime_ns", "boottime_ns")):
            self.ns[at] = changed.get(name, self.ns[at])
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("<qq", *self.ns))


class Story:
    """One daemon, its domains, and what is done to them; each part notes between which times it did so."""

    def __init__(self, b, host, shift):
        self.b, self.host = b, host
        self.clocks = Clocks(os.path.join(b.work, "clocks"))
        self.record = os.path.join(b.work, "record")
        self.uuids = {name: str(uuid.uuid4()) for name in LOADS}
        self.loads = {name: b.start(sys.executable, os.path.join(HERE, "../integration/load.py"), *map(str, words))
                      for name, words in LOADS.items()}
        domains = [f"{name}@{self.uuids[name]}=pid:{load.pid}" for name, load in self.loads.items()]
        time.sleep(0.3)
        b.before = host.wrap("env", f"LD_PRELOAD={shift}", f"SCAPH_CLOCKS={self.clocks.path}")
        self.daemon = b.daemon(source="msr", domain=domains, record=self.record, profile="*=trusted",
                               **{"model-watts": None, "idle-watts": IDLE_WATTS, **host.options()})
        self.ring = Segment(os.path.join(b.host, "host.ring"))
        self.slept = 0

    def halted(self):
        stop(self.daemon.pid)
        begin_ns = time.monotonic_ns()
        time.sleep(STOP_S)
        self.halts.append((begin_ns, time.monotonic_ns()))
        self.daemon.send_signal(signal.SIGCONT)
        time.sleep(0.5)

    def domain_halted(self):
        load = self.loads["steady"]
        stop(load.pid)
        time.sleep(0.1)
        begin_ns = time.monotonic_ns()
        number = self.ring.number()
        await_that(lambda: self.ring.number() >= number + 30)
        self.stops.append((begin_ns, time.monotonic_ns()))
        load.send_signal(signal.SIGCONT)

    def clocks_set(self):
        for ahead_ns in (HOUR_NS, -HOUR_NS, 0):
            self.clocks.set(realtime_ns=ahead_ns)
            good = await_that(lambda: abs(self.ring.word(WALL_NS) - time.time_ns() - ahead_ns) < 5 * 10**9, 3)
            self.b.check(good, f"the clock is set {ahead_ns / HOUR_NS:+.0f} h: so says the status within a second or two")

    def asleep(self):
        """The machine slept: CLOCK_BOOTTIME went on without CLOCK_MONOTONIC."""
        self.clocks.set(boottime_ns=self.clocks.ns[1] + 60 * 10**9)
        self.slept += 1
        time.sleep(0.5)

    def package_away(self, package):
        cpus = [cpu for cpu, at in self.host.package_of.items() if at == package]
        for cpu in cpus:
            self.host.set_online(cpu, False)
        self.b.check(await_that(lambda: self.ring.status()["reasons"] & SOURCE_LOST, 3),
                     f"the CPUs of package {package} are offline: the status says so", self.ring.status())
        time.sleep(0.5)
        for cpu in cpus:
            self.host.set_online(cpu, True)
        self.b.check(await_that(lambda: not self.ring.status()["reasons"] & SOURCE_LOST, 3), "and when they are back",
                     self.ring.status())
        time.sleep(0.3)

    def run(self, rounds):
        self.halts, self.stops = [], []
        with Watch(lambda: host_rings(self.b.host)) as watch:
            time.sleep(0.6)
            for at in range(rounds):
                self.halted()
                self.domain_halted()
                self.clocks_set()
                self.asleep()
                self.package_away(at % 2)
                self.package_away(1)
            self.daemon.terminate()
            self.said = self.daemon.stderr.read()
            self.daemon.wait()
        return watch.rings

    def told(self, rings):
        """What was done is in the records as it has to be."""
        host = sorted(rings["host"].records.items())
        valid = [(mono_ns, record) for mono_ns, record in host if record["flags"] & PACKAGE]
        late = [(a[0], c) for a, c in zip(valid, valid[1:]) if c[0] - a[0] > 0.9e9 * STOP_S]
        self.b.check(len(late) == len(self.halts) and all(c[1]["flags"] & LATE for _, c in late) and
                     all(from_ns <= begin_ns and c[0] >= end_ns for (from_ns, c), (begin_ns, end_ns) in zip(late, self.halts)),
                     f"each halt of {STOP_S} s is one record, late and whole", (late, self.halts))
        self.b.check(valid[-1][1]["breaks"] == self.slept, "a break for each time that the machine slept, and for nothing else",
                     (valid[-1], self.slept))
        for begin_ns, end_ns in self.stops:
            inside = [r for mono_ns, r in sorted(rings[self.uuids["steady"]].records.items()) if begin_ns < mono_ns < end_ns]
            self.b.check(len(inside) > 10 and inside[-1]["cpu_ns"] == inside[0]["cpu_ns"],
                         "a domain that is stopped uses no time", (len(inside), begin_ns, end_ns, inside[:1], inside[-1:]))


def main():
    reason = missing()
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    rounds = max(1, int(os.environ.get("SCAPH_TEST_PERCENT", "10")) // 20)
    with Bench(*sys.argv[1:3]) as b:
        with Host(os.path.abspath(sys.argv[3]), os.path.join(b.work, "machine"), SKYLAKE_SERVER, UNITS, COUNTERS) as host:
            story = Story(b, host, os.path.abspath(sys.argv[4]))
            rings = story.run(rounds)
        # The log is whole when msrfs has ended.
        audit = Audit(b, host, IDLE_WATTS, WATTS_MAX)
        windows = audit.check("disturbed", rings, story.record)
        audit.unattributed("disturbed", rings)
        b.check(sum(not window.divided for window in windows) == story.slept, "the windows in which it slept are not divided",
                story.said)
        story.told(rings)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
