#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger of a whole run: every figure of every window against a second account in exact fractions.

Usage: test_ledger.py SCAPHD SCAPH MSRFS [SECONDS]. Prints TAP; the exit status says whether all is well. Needs root, /dev/fuse.

scaphd reads two packages from msrfs, with units of their own and counters that wrap, while loads come, go, run and sleep. What
each domain used is then computed again (tests/reference) from what msrfs says that it handed out and from what the daemon's
meter recorded. Two runs on one state folder, so that what was counted goes on.
"""

import os
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import residual  # noqa: E402
from bench import Bench  # noqa: E402
from msrfs.host import SKYLAKE_SERVER, Host, missing  # noqa: E402
from msrfs.msrlog import Log  # noqa: E402
from own import Own  # noqa: E402
from reference import vary  # noqa: E402
from reference.ledger import Ledger, float_uj  # noqa: E402
from reference.machine import Machine  # noqa: E402
from reference.record import Record  # noqa: E402
from watch import Watch  # noqa: E402

IDLE_WATTS = "12.5"
UNITS = (14, 11)
FIELDS = ("package_uj", "core_uj", "dram_uj", "idle_uj")
VALID_PACKAGE = 1 << 0
GONE_OR_ENDED = 3  # windows at a run's end or a domain's that may have no record of their own
# THREADS BUSY_MS REST_MS [CPU]
LOADS = {"steady": (1, 30, 30, 0), "bursty": (1, 5, 15), "twofold": (2, 7, 20), "asleep": (1, 0, 0), "mortal": (1, 40, 40),
         "late": (1, 20, 20, 1)}
SHARED = ("bursty", "twofold", "mortal")  # figures by price; the others see exact ones
HERE = os.path.dirname(os.path.abspath(__file__))


def course(seconds):
    """Two packages whose power swings, one of them far below its idle power at times; each counter wraps within the run. Over
    time they use the same, so that the residual may be estimated without knowing where everything ran.
    """
    def near(unit, watts, part):
        return 2**32 - int(watts * seconds * part * 2**unit)

    return {(0, "package"): (14, near(14, 41, 0.3), "sine 18000 64000 401"),
            (0, "core"): (14, near(14, 20, 0.7), "square 5000 35000 909"),
            (0, "dram"): (16, near(16, 5, 0.4), "sine 2000 8000 1303"),
            (1, "package"): (11, near(11, 41, 0.8), "square 2000 80000 307"),
            (1, "core"): (11, near(11, 9, 0.2), "watts 9000"),
            (1, "dram"): (16, near(16, 3, 0.6), "square 1000 5000 707")}


class Run:
    """One run of the daemon: what it recorded and what it published."""

    def __init__(self, b, host, number, sampled):
        self.b, self.host = b, host
        self.sampled = sampled  # whether counters are read between the windows' ends too
        self.path = os.path.join(b.work, f"record.{number}")
        self.loads = {}
        self.own = None

    def start(self, name, uuids):
        uuids.setdefault(name, str(uuid.uuid4()))
        self.loads[name] = self.b.start(sys.executable, f"{HERE}/load.py", *map(str, LOADS[name]))
        self.b.share(uuids[name])

    def rings(self, folder, ending):
        """Paths of segments by what they are named after."""
        found = os.listdir(folder) if os.path.isdir(folder) else []
        return {name.removesuffix(".ring"): os.path.join(folder, name) + ending for name in found}

    def daemon(self, uuids):
        domains = [f"{name}@{uuids[name]}=pid:{load.pid}" for name, load in self.loads.items()]
        profiles = [f"{uuids[name]}=trusted" for name in self.loads if name not in SHARED]
        return self.b.daemon(keep=True, source="msr", domain=domains, profile=profiles, record=self.path, libvirt="none",
                             sample="250" if self.sampled else None,
                             **{"model-watts": None, "idle-watts": IDLE_WATTS, **self.host.options()})

    def settle(self):
        """Every load stays on one CPU from now on."""
        for at, load in enumerate(self.loads.values()):
            for thread in os.listdir(f"/proc/{load.pid}/task"):
                os.sched_setaffinity(int(thread), {at % self.host.cpus})

    def run(self, uuids, seconds, soaked, ending=None):
        """soaked: loads of the host's own leave the CPUs no rest, and domains stay where they are, so that the meter, which looks
        where they ran once a second, knows their part of each package. ending: the domain that ends half way.
        """
        words = [(1, 1, 0, cpu) for cpu in (0, 1)] if soaked else [(1, 10, 30)]
        own = [self.b.start(sys.executable, f"{HERE}/load.py", *map(str, load)) for load in words]
        if soaked:
            self.settle()
        time.sleep(0.3)
        daemon = self.daemon(uuids)
        with Watch(lambda: self.rings(self.b.host, "")) as self.watch, \
                Watch(lambda: self.rings(self.b.shares, "/scaph.ring")) as self.shares:
            with Own([load.pid for load in self.loads.values()], self.host.package_of) as self.own:
                time.sleep(seconds / 2)
                if ending:
                    self.loads[ending].kill()
                    self.loads.pop(ending).wait()
                time.sleep(seconds / 2)
            daemon.terminate()
            self.said = daemon.stderr.read()
            daemon.wait()
        for load in own:
            load.kill()
            load.wait()


def greatest(expected, record):
    return max(abs(value - record[field]) for value, field in zip(expected.values(), FIELDS))


class Account:
    """The second account beside the published one, run by run."""

    def __init__(self, b, host, uuids):
        self.b, self.host, self.uuids = b, host, uuids
        self.machine = Machine([{cpu for cpu, at in host.package_of.items() if at == package} for package in (0, 1)],
                               host.model["registers"], host.model["fixed_units"])
        self.ledger = Ledger(2, host.cpus, IDLE_WATTS)
        self.published = {}  # to the guests that are charged by price, so far

    def check(self, what, run, log):
        b = self.b
        record = Record(run.path)
        windows = self.machine.windows(log, record)
        b.check(record.packages == 2 and len(record.columns) == 6 and
                all(step == self.machine.step_uj(log, *column) for column, step in record.step_uj.items()),
                f"{what}: two packages, three zones each, units as handed out", record.step_uj)
        # With samplers another reading may come between a window's time and its own; without there is nobody.
        most = len(windows) * len(record.columns) / 2 if run.sampled else 0
        b.check(len(windows) > 20 and self.machine.second_choices <= most,
                f"{what}: {len(windows)} windows, counters as handed out", self.machine.second_choices)
        self.ledger.begin()
        wrong, worst, absent, compared, lines = [], 0, 0, 0, []
        for window in windows:
            self.ledger.close(window)
            expected = {key: self.ledger.figures(key) for key in window.domains} | {"host": self.ledger.host_figures()}
            for key, figures in expected.items():
                ring = run.watch.rings.get(key)
                published = ring.records.get(window.mono_ns) if ring else None
                if not published:
                    absent += 1
                    continue
                compared += 1
                error = greatest(figures, published)
                worst = max(worst, error)
                if error > 1:
                    wrong.append(f"{window.mono_ns} {key}: {figures}, published {[published[field] for field in FIELDS]}")
            lines.append((window.mono_ns, self.ledger.residual_uj(), self.ledger.own.figures().package_uj,
                          self.float_uj(run, window.mono_ns)))
        b.check(compared > len(windows) and not wrong, f"{what}: every domain, zone and window to 1 uJ",
                f"{compared} compared, greatest error {worst} uJ\n" + "\n".join(wrong[:10]))
        print(f"# {what}: {len(windows)} windows, {compared} records compared, greatest error {worst} uJ")
        b.check(absent <= GONE_OR_ENDED * len(run.watch.rings), f"{what}: a record for every window", absent)
        self.check_statuses(what, run, lines)
        return windows

    def check_statuses(self, what, run, lines):
        """Residual, the daemon's own part of it, and float, as of the window before each status."""
        wrong, seen, floats = [], 0, 0
        for mono_ns, status in sorted(run.watch.rings["host"].statuses.items()):
            before = [line for line in lines if line[0] <= mono_ns]
            if not before:
                continue
            window_ns, left, own, owed = before[-1]
            seen += 1
            floats += owed is not None
            # What was published was rounded down: the float may be less by up to a microjoule of each domain.
            for name, expected, less in (("residual_uj", left, 0), ("own_uj", own, 0), ("unattributed_uj", 0, 0),
                                         ("float_uj", owed, len(self.published))):
                if expected is not None and not -1 - less <= status[name] - expected <= 1:
                    wrong.append(f"{window_ns}: {name} {expected}, published {status[name]}")
        self.b.check(seen > 2 and floats > seen / 2 and not wrong, f"{what}: every residual and float to 1 uJ",
                     f"{seen} seen, {floats} with a float\n" + "\n".join(wrong[:10]))
        print(f"# {what}: {seen} statuses, {floats} with a float")

    def float_uj(self, run, window_ns):
        """Of the domains that are charged by price and were ever there; None: a record to a guest was not seen."""
        exact = []
        for name in SHARED:
            key = self.uuids[name]
            if key in run.watch.rings and key in run.shares.rings:
                origin_ns = run.watch.rings[key].origin_ns()
                record = run.shares.rings[key].records.get(window_ns - origin_ns)
                if record and record["flags"] & VALID_PACKAGE:
                    self.published[key] = record["package_uj"]
                elif not record and name in run.loads:
                    return None
            if key in self.ledger.domains:
                exact.append(self.ledger.exact(key))
        return float_uj(exact, self.published.values())


def told_otherwise(b, windows, uuids):
    """The recorded windows again: what must not matter changes no other account by a bit."""
    def run(of):
        ledger = Ledger(2, 64, IDLE_WATTS)
        for window in of:
            ledger.close(window)
        return ledger

    plain = run(windows)
    b.check(not vary.differences(plain, run(vary.in_other_order(windows))), "in another order nothing changes")
    b.check(not vary.differences(plain, run(vary.with_a_sleeper(windows, "sleeper"))), "with a sleeping domain more neither")
    b.check(not vary.differences(plain, run(vary.split_in_two(windows, uuids["steady"], "a", "b"))),
            "with a domain split in two neither")
    b.check(vary.differences(plain, run(vary.shifted(windows, uuids["steady"], uuids["bursty"], 100))),
            "with 1 % of one's time given to another it does")


def story(b, msrfs, seconds):
    uuids = {}
    with Host(msrfs, os.path.join(b.work, "machine"), SKYLAKE_SERVER, UNITS, course(seconds)) as host:
        b.before = host.wrap()
        first = Run(b, host, 1, False)
        for name in ("steady", "bursty", "twofold", "asleep", "mortal"):
            first.start(name, uuids)
        first.run(uuids, seconds / 2, False, "mortal")
        second = Run(b, host, 2, True)
        second.loads = dict(first.loads)
        second.start("late", uuids)
        second.run(uuids, seconds / 2, True)
    log = Log(host.log)
    account = Account(b, host, uuids)
    windows = account.check("first run", first, log)
    registers = [(package, register) for package in (0, 1) for zone, register in host.model["registers"].items()
                 if (package, zone) in host.counters]
    account.check("second run, with one more", second, log)
    wraps = [sum(after & 0xffffffff < before & 0xffffffff for before, after in zip(values, values[1:]))
             for values in (log.of(account.machine.cpus[package], register)[1] for package, register in registers)]
    b.check(all(wraps), "every counter wrapped in these runs", wraps)
    estimate = residual.estimate_of(second, account.machine.windows(log, Record(second.path)), host.cpus, IDLE_WATTS)
    print(f"# second run: {estimate}")
    b.check(estimate.holds(), "second run: the residual is the share of the host's own processes", estimate)
    told_otherwise(b, windows, uuids)


def main():
    reason = missing()
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    percent = int(os.environ.get("SCAPH_TEST_PERCENT", "10"))
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else max(28, 120 * percent / 100)
    with Bench(sys.argv[1], sys.argv[2]) as b:
        story(b, os.path.abspath(sys.argv[3]), seconds)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
