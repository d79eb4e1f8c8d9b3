#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--source resctrl over a tree of files: core energy is published as that, to the microjoule, and nothing else is made of it.

Usage: test_resctrl.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Bench, arguments, await_that  # noqa: E402
from look import Segment  # noqa: E402
from msrfs.host import put  # noqa: E402

PACKAGE, CORE, DRAM, IDLE, CPU = (1 << bit for bit in range(5))
ZONES, SOURCE = 344, 348  # offsets in the descriptor
SOURCE_RESCTRL = 7
RESIDUAL, UNATTRIBUTED, PACKAGES = 1 << 6, 1 << 7, 1 << 8  # valid bits of the status
STEP_S = 0.002
WATTS = {"": 12, "gold": 5}


class Resctrl:
    """Control groups with core_energy of this machine's packages; counts in 2^-18 J, shown as the kernel does."""

    def __init__(self, root):
        self.root, self.new = root, root + ".new"
        ids = {open(f"/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id").read().strip()
               for cpu in os.sched_getaffinity(0)}
        self.packages = sorted(max(int(it), 0) for it in ids)
        self.counts, self.begun = {}, {}
        self.groups = list(WATTS)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        for group in self.groups:
            self.add(group, 10**9)

    def add(self, group, count):
        self.counts[group] = self.begun[group] = count
        self.write(group)

    def text(self, count):
        return f"{count >> 18}.{((count & (1 << 18) - 1) * 10**6 + (1 << 17)) >> 18:06}"

    def write(self, group):
        for package in self.packages:
            path = os.path.join(self.root, group, f"mon_data/mon_PERF_PKG_{package:02}/core_energy")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # In place and of one length: the daemon keeps its descriptors, as on the kernel's files.
            fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o444)
            os.pwrite(fd, f"{self.text(self.counts[group])}\n".encode(), 0)
            os.close(fd)

    def run(self):
        last = time.monotonic()
        while not self.stopping.wait(STEP_S):
            now = time.monotonic()
            with self.lock:
                for group in self.groups:
                    self.counts[group] += int(WATTS[group] * (now - last) * 2**18)
                    self.write(group)
            last = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def joules(self):
        """Of all groups and packages, as shown."""
        return sum(float(self.text(count)) for count in self.counts.values()) * len(self.packages)


def core_alone(b, resctrl):
    load = b.load()
    b.share("load")
    daemon = b.daemon(source="resctrl", domain=f"load=pid:{load.pid}", resctrl=resctrl.root, **{"model-watts": None})
    path = os.path.join(b.share("load"), "scaph.ring")
    await_that(lambda: os.path.exists(path))
    host, guest = Segment(os.path.join(b.host, "host.ring")), Segment(path)
    await_that(lambda: host.newest() and guest.newest())
    b.check(host.word(ZONES, "I") == guest.word(ZONES, "I") == CORE and host.word(SOURCE, "I") == SOURCE_RESCTRL,
            "the descriptors say core, and no package", (host.word(ZONES, "I"), guest.word(ZONES, "I")))
    first, before = host.newest(), guest.newest()
    time.sleep(3)
    last, after = host.newest(), guest.newest()
    watts = (last["core_uj"] - first["core_uj"]) * 1000 / (last["mono_ns"] - first["mono_ns"])
    wanted = sum(WATTS.values()) * len(resctrl.packages)
    b.check(abs(watts - wanted) < 0.05 * wanted, f"the host's cores use {watts:.2f} W of the {wanted} W that were counted")
    own = (after["core_uj"] - before["core_uj"]) / (last["core_uj"] - first["core_uj"])
    b.check(0.02 < own <= 1.02, f"the domain's part of that goes by CPU time: {100 * own:.1f} %", (before, after))
    records = host.history() + guest.history()
    b.check(len(records) > 50 and all(r["flags"] & CORE and not r["flags"] & (PACKAGE | DRAM | IDLE) and
                                      not r["package_uj"] and not r["idle_uj"] for r in records),
            f"{len(records)} records: core, and nothing of a package", records[-1:])
    valid = host.status()["valid"]
    b.check(not valid & (RESIDUAL | UNATTRIBUTED | PACKAGES), "the status has no figure of packages", hex(valid))
    shown = json.loads(b.json(path, "--lines", "2").stdout.splitlines()[-1])
    b.check(shown.get("package_uj") is None and "package energy" in json.dumps(shown), "a reader says why there is no package figure",
            shown)
    daemon.terminate()
    said = daemon.stderr.read()
    daemon.wait()
    return said


def exact(b, resctrl):
    """With nobody writing between the looks, what the counters moved is what is published, to the microjoule."""
    daemon = b.daemon(source="resctrl", resctrl=resctrl.root, **{"model-watts": None})
    host = Segment(os.path.join(b.host, "host.ring"))
    await_that(lambda: host.newest())

    def still():
        """Both as they are once nothing moves: two windows later."""
        with resctrl.lock:
            time.sleep(0.2)
            return resctrl.joules(), host.newest()

    joules, record = still()
    time.sleep(1)
    more, later = still()
    moved = round((more - joules) * 1e6)
    b.check(moved > 10**6 and later["core_uj"] - record["core_uj"] == moved and later["breaks"] == record["breaks"],
            f"{moved} uJ were counted and published", (record, later))
    # A control group that comes: a gap, and none of what it had counted before is anybody's.
    with resctrl.lock:
        WATTS["silver"] = 3
        resctrl.add("silver", 10**12)
        resctrl.groups.append("silver")
    good = await_that(lambda: host.newest()["breaks"] == later["breaks"] + len(resctrl.packages) or
                      host.newest()["breaks"] > later["breaks"])
    time.sleep(0.5)
    last = host.newest()
    b.check(good and 0 <= last["core_uj"] - later["core_uj"] < 10**8, "a group that comes is a gap, and invents nothing", (later, last))
    daemon.terminate()
    daemon.wait()


def refusals(b, resctrl):
    common = {"source": "resctrl", "model-watts": None}
    b.refused("no resctrl", ["--source resctrl", "say with --resctrl where it is"], *b.options(**common, resctrl=b.work + "/none"))
    b.refused("no monitoring there", ["no resctrl with monitoring"], *b.options(**common, resctrl=b.shares))
    for option, value in (("record", os.path.join(b.work, "trace")), ("idle-watts", "12")):
        b.refused(f"--{option}, which is about packages", [f"--{option}", "does not measure package energy"],
                  *b.options(**common, resctrl=resctrl.root, **{option: value}))
    b.check(not os.path.exists(os.path.join(b.work, "trace")), "and no trace is begun")
    b.refused("--calibrate, too", ["--calibrate", "does not measure package energy"], "--calibrate",
              *b.options(**common, resctrl=resctrl.root))
    empty = os.path.join(b.work, "empty")
    os.makedirs(empty)
    done = subprocess.run([b.scaphd, *b.options(**{"source": "auto", "model-watts": None, "sysfs": "/sys", "resctrl": resctrl.root,
                                                   "msr-path": empty}), "--check"], capture_output=True, text=True)
    b.check("source   resctrl" not in done.stdout, "auto never takes it", done.stdout + done.stderr)
    done = subprocess.run([b.scaphd, "--check", *b.options(**common, resctrl=resctrl.root)], capture_output=True, text=True)
    b.check(done.returncode == 0 and "source   resctrl (measured)" in done.stdout and "not the packages'" in done.stdout and
            "zones core," in done.stdout, "--check says what it is", done.stdout + done.stderr)


def main():
    with Bench(*arguments()) as b:
        with Resctrl(os.path.join(b.work, "resctrl")) as resctrl:
            put(f"{resctrl.root}/info/PERF_PKG_MON/num_rmids", 8)
            core_alone(b, resctrl)
            refusals(b, resctrl)
            exact(b, resctrl)
    return b.failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
