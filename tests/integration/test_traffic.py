#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dram energy by memory traffic: a tree of files stands for resctrl, and a thread for the memory controllers that count.

Usage: test_traffic.py SCAPHD SCAPH MSRFS. Prints TAP. Needs root and /dev/fuse.
"""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Bench, await_that  # noqa: E402
from msrfs.host import SKYLAKE_SERVER, Host, missing, put  # noqa: E402
from msrfs.msrlog import Log  # noqa: E402
from reference.ledger import Ledger  # noqa: E402
from reference.machine import Machine  # noqa: E402
from reference.record import Record  # noqa: E402
from watch import Watch  # noqa: E402

FIELDS = ("package_uj", "core_uj", "dram_uj", "idle_uj")
BY_TRAFFIC = 1 << 13  # proto/SPEC.md, flags
STEP_S = 0.02
# Bytes a second of each group, by package. The one that computes moves little, the one that sleeps a lot.
RATES = {"busy": (100_000_000, 0), "still": (300_000_000, 50_000_000), "": (200_000_000, 150_000_000)}
CACHES = (5, 2)  # ids of the packages' L3 caches
COUNTERS = {(package, zone): (14, 1, f"watts {watts}")
            for package in (0, 1) for zone, watts in (("package", 30000), ("core", 10000), ("dram", 6000 + 2000 * package))}
IN_OPEN, IN_CHANGED = 0x20, 0x2 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200  # include/uapi/linux/inotify.h


class Resctrl:
    """The root group and one monitoring group a domain. Files are replaced whole, as the kernel's are read whole."""

    def __init__(self, folder):
        self.root, self.new = os.path.join(folder, "resctrl"), os.path.join(folder, "new")
        self.bytes = {}
        self.groups = list(RATES)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        put(f"{self.root}/info/L3_MON/num_rmids", 16)
        self.write(f"{self.root}/tasks", "1")

    def folder(self, group):
        return os.path.join(self.root, "mon_groups", group) if group else self.root

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(self.new, "w") as file:
            file.write(f"{text}\n")
        os.rename(self.new, path)

    def counter(self, group, package):
        return f"{self.folder(group)}/mon_data/mon_L3_{CACHES[package]:02}/mbm_total_bytes"

    def count(self, group, elapsed_s):
        for package in (0, 1):
            # The root's counts contain its monitoring groups'.
            rate = sum(RATES[name][package] for name in self.groups) if not group else RATES[group][package]
            self.bytes[group, package] = self.bytes.get((group, package), 10**9) + int(rate * elapsed_s)
            self.write(self.counter(group, package), self.bytes[group, package])

    def run(self):
        last = time.monotonic()
        while not self.stopping.wait(STEP_S):
            now = time.monotonic()
            with self.lock:
                for group in self.groups:
                    self.count(group, now - last)
            last = now

    def __enter__(self):
        for group in self.groups:
            self.count(group, 0)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def members(self, group, pid):
        self.write(f"{self.folder(group)}/tasks", "\n".join(sorted(os.listdir(f"/proc/{pid}/task"))))

    def remove(self, group):
        with self.lock:
            self.groups.remove(group)
            shutil.rmtree(self.folder(group))


class Opens:
    """How often a file below a folder was opened, and whether anything there was changed."""

    def __init__(self, *folders):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        for folder in folders:
            if libc.inotify_add_watch(self.fd, folder.encode(), IN_OPEN | IN_CHANGED) < 0:
                raise OSError(ctypes.get_errno(), folder)

    def take(self):
        opened, changed = 0, []
        try:
            data = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            data = b""
        while data:
            _, mask, _, length = struct.unpack_from("iIII", data)
            name, data = data[16:16 + length].rstrip(b"\0"), data[16 + length:]
            opened += bool(mask & IN_OPEN and not mask & 0x40000000)
            if mask & IN_CHANGED:
                changed.append((hex(mask), name))
        return opened, changed


def write_caches(host):
    for cpu, package in host.package_of.items():
        root = f"{host.sysfs}/devices/system/cpu/cpu{cpu}/cache/index3"
        put(f"{root}/level", 3)
        put(f"{root}/id", CACHES[package])


class Story:
    def __init__(self, b, host, resctrl):
        self.b, self.host, self.resctrl = b, host, resctrl
        self.uuids = {name: str(uuid.uuid4()) for name in ("busy", "still")}
        self.loads = {name: b.load(busy=name == "busy") for name in self.uuids}
        time.sleep(0.3)
        for name, load in self.loads.items():
            resctrl.members(name, load.pid)
        self.path = os.path.join(b.work, "record")
        self.said = []

    def options(self, **changed):
        return {"source": "msr", "model-watts": None, "idle-watts": "12", "meter": "cputime", "resctrl": self.resctrl.root,
                "domain": [f"{name}@{self.uuids[name]}=pid:{load.pid}" for name, load in self.loads.items()],
                **self.host.options(), **changed}

    def checked(self, what, wanted):
        done = subprocess.run([*self.host.wrap(), self.b.scaphd, "--check", *self.b.options(**self.options())],
                              capture_output=True, text=True)
        self.b.check(done.returncode == 0 and wanted in done.stdout, f"--check says {what}", done.stdout + done.stderr)

    def listen(self, daemon):
        for line in daemon.stderr:
            self.said.append((time.monotonic(), line))

    def heard(self, words, seconds=10):
        good = await_that(lambda: any(words in line for _, line in self.said), seconds)
        self.b.check(good, f"the log says: {words}", [line for _, line in self.said])

    def newest(self, watch, name):
        ring = watch.rings[self.uuids.get(name, name)]
        return ring.records[max(ring.records)]

    def run(self):
        """By traffic, then one group vanishes: by CPU time; what was recorded and published of both."""
        b, resctrl = self.b, self.resctrl
        daemon = b.daemon(record=self.path, **self.options())
        ear = threading.Thread(target=self.listen, args=(daemon,))
        ear.start()
        with Watch(lambda: {name.removesuffix(".ring"): os.path.join(b.host, name) for name in os.listdir(b.host)}) as watch:
            self.heard("dram energy goes by memory traffic")
            opens = Opens(os.path.dirname(resctrl.counter("still", 0)))
            writes = Opens(resctrl.folder(""), resctrl.root + "/mon_groups", resctrl.folder("still"), resctrl.folder("busy"))
            begin = time.monotonic()
            time.sleep(4)
            opened, seconds = opens.take()[0], time.monotonic() - begin
            b.check(2 <= opened <= seconds + 1, f"a counter is read at most once a second: {opened} times in {seconds:.1f} s")
            changed = writes.take()[1]
            b.check(not changed, "nothing is made or written there", changed)
            resctrl.remove("still")
            self.heard("dram energy goes by CPU time")
            time.sleep(2)
            daemon.terminate()
            ear.join()
            daemon.wait()
        return Record(self.path), watch

    def check_figures(self, record, watch):
        """Every record against the second account, which divides dram by the bytes that were recorded."""
        b, host = self.b, self.host
        machine = Machine([{cpu for cpu, at in host.package_of.items() if at == package} for package in (0, 1)],
                          host.model["registers"], host.model["fixed_units"])
        ledger = Ledger(2, host.cpus, "12")
        wrong, flags, compared = [], [], 0
        for window in machine.windows(Log(host.log), record):
            ledger.close(window)
            for key in (*self.uuids.values(), "host"):
                published = watch.rings[key].records.get(window.mono_ns) if key in watch.rings else None
                if not published:
                    continue
                compared += 1
                figures = ledger.host_figures() if key == "host" else ledger.figures(key)
                if max(abs(value - published[field]) for value, field in zip(figures.values(), FIELDS)) > 1:
                    wrong.append(f"{window.mono_ns} {key}: {figures}, published {published}")
                if bool(published["flags"] & BY_TRAFFIC) != bool(window.traffic):
                    flags.append(f"{window.mono_ns} {key}")
        b.check(compared > 150 and not wrong, f"{compared} records are those of the exact reference, to 1 uJ", wrong[:5])
        b.check(not flags, "each says of its window which of both it was", flags[:5])

    def check_shares(self, record):
        """What the daemon made of the counters is what they moved; and both kinds of windows are there."""
        b = self.b
        by_traffic = [window for window in record.windows if window.traffic]
        b.check(len(by_traffic) > 50 and len(record.windows) - len(by_traffic) > 30,
                f"{len(by_traffic)} windows by traffic and {len(record.windows) - len(by_traffic)} by CPU time")
        for name in self.uuids:
            for package in (0, 1):
                whole = sum(window.traffic[0][package] for window in by_traffic)
                own = sum(window.traffic[1][self.uuids[name]][package] for window in by_traffic)
                wanted = RATES[name][package] / sum(rates[package] for rates in RATES.values())
                # The counters move one after the other, in steps of a fiftieth of what is looked at.
                b.check(abs(own / whole - wanted) < 0.05 and (own == 0) == (wanted == 0),
                        f"{name}: {100 * own / whole:.1f} % of the traffic of package {package}, which counted {100 * wanted:.1f} %")

    def check_sleeper(self, record, watch):
        """It had no CPU time to speak of, and is given dram energy all the same; not while that goes by CPU time."""
        ring = watch.rings[self.uuids["still"]]
        first = [window.mono_ns for window in record.windows if window.traffic and window.mono_ns in ring.records]
        told = [ring.records[at] for at in first]
        last = self.newest(watch, "still")
        self.b.check(told[-1]["dram_uj"] - told[0]["dram_uj"] > 1e6 and last["dram_uj"] - told[-1]["dram_uj"] < 1e5,
                     "a sleeper with traffic is given dram energy, without groups it is not",
                     (told[0], told[-1], last))


def main():
    reason = missing() or (None if os.sysconf("SC_NPROCESSORS_CONF") > 1 else "two packages need two CPUs")
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    with Bench(sys.argv[1], sys.argv[2]) as b:
        folder = os.path.join(b.work, "tree")
        with Host(os.path.abspath(sys.argv[3]), os.path.join(b.work, "machine"), SKYLAKE_SERVER, (14, 14), COUNTERS) as host, \
                Resctrl(folder) as resctrl:
            write_caches(host)
            b.before = host.wrap()
            story = Story(b, host, resctrl)
            story.checked("that dram goes by traffic", "dram     by memory traffic, of ")
            record, watch = story.run()
            story.checked("why it does not", "dram     by CPU time: ")
        story.check_figures(record, watch)
        story.check_shares(record)
        story.check_sleeper(record, watch)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
