# SPDX-License-Identifier: Apache-2.0
"""Everything that a run has published, record by record: against the second account, and against what is possible at all.

A record of a window that was left open (a package could not be read) has no energy in it, and its window is not in the daemon's
record: the next one covers its time.
"""

import bisect
import os

from msrfs.msrlog import Log
from reference.ledger import Ledger
from reference.machine import Machine
from reference.record import Record

FIELDS = ("package_uj", "core_uj", "dram_uj", "idle_uj")
PACKAGE = 1 << 0
LOW = 0xffffffff
SHORT_NS = 9_000_000  # half of 20 ms, and a step of the counter
STEP_NS = 1_000_000  # of msrfs' counters, unless it is told otherwise
SHOWN = 10


class Audit:
    """watts_max: the most that each package's counter can show."""

    def __init__(self, b, host, idle_watts, watts_max):
        self.b, self.watts_max = b, watts_max
        self.register = host.model["registers"]["package"]
        self.count_uj = sum(10**6 / 2**unit for unit in host.units)
        packages = 1 + max(host.package_of.values())
        self.machine = Machine([{cpu for cpu, at in host.package_of.items() if at == package} for package in range(packages)],
                               host.model["registers"], host.model["fixed_units"])
        self.ledger = Ledger(packages, host.cpus, idle_watts)
        self.log_path = host.log

    def check(self, what, rings, record_path):
        """rings: of the host's copies, by UUID, and "host". Returns the windows."""
        log, record = Log(self.log_path), Record(record_path)
        windows = self.machine.windows(log, record)
        # But for the last, which ends with the daemon.
        short = [(window.mono_ns, window.dt_ns) for window in windows[:-1] if window.dt_ns < SHORT_NS]
        self.b.check(not short, f"{what}: no window shorter than half of what was asked for", short[:SHOWN])
        self.exact(what, rings, windows)
        self.possible(what, rings, self.most_uj(log, record))
        return windows

    def most_uj(self, log, record):
        """By window: all that the package counters can have come to since the first, from when they were really read."""
        most_uj, sum_uj, before = {}, 0, {}
        for window in record.windows:
            for package, cpus in enumerate(self.machine.cpus):
                times, values = log.of(cpus, self.register)
                at = bisect.bisect_left(times, window.mono_ns)
                # Another thread may have read in between.
                at = next(i for i in range(at, len(values)) if values[i] & LOW == window.raw[package, "package"] & LOW)
                step_ns = (times[at] - log.start_ns) // STEP_NS * STEP_NS
                # A watt is 10^-3 uJ a ns.
                sum_uj += self.watts_max[package] * (step_ns - before.get(package, step_ns)) / 1000
                before[package] = step_ns
            most_uj[window.mono_ns] = sum_uj
        return most_uj

    def exact(self, what, rings, windows):
        wrong, compared, greatest, named = [], 0, 0, set()
        for window in windows:
            self.ledger.close(window)
            expected = {key: self.ledger.figures(key) for key in window.domains}
            expected["host"] = self.ledger.host_figures()
            for key, figures in expected.items():
                published = rings[key].records.get(window.mono_ns) if key in rings else None
                if not published:
                    continue
                error = max(abs(value - published[field]) for value, field in zip(figures.values(), FIELDS))
                greatest, compared = max(greatest, error), compared + 1
                named.add(key)
                if error > 1:
                    wrong.append(f"{window.mono_ns} {key}: {figures}, published {[published[field] for field in FIELDS]}")
        self.b.check(compared > len(windows) and not wrong,
                     f"{what}: {compared} records of {len(named) - 1} domains and the host, each to 1 uJ",
                     f"{len(windows)} windows, greatest error {greatest} uJ\n" + "\n".join(wrong[:SHOWN]))
        self.named = named

    def possible(self, what, rings, most_uj):
        """No step back, none above the machine's power, no domain's above the host's, nothing from a window left open."""
        back, above, beyond, held, nearest = [], [], [], [], 0
        host, last_ns = rings["host"].records, max(most_uj)
        for key, ring in rings.items():
            records = sorted(ring.records.items())
            valid = [(mono_ns, record) for mono_ns, record in records if record["flags"] & PACKAGE]
            held += [(key, mono_ns) for mono_ns, record in records
                     if bool(record["flags"] & PACKAGE) != (mono_ns in most_uj) and mono_ns <= last_ns]
            for (from_ns, before), (to_ns, after) in zip(valid, valid[1:]):
                moved = [after[field] - before[field] for field in FIELDS]
                seen = (key, from_ns, to_ns, moved)
                if min(moved) < 0 or after["cpu_ns"] < before["cpu_ns"]:
                    back.append(seen)
                if from_ns not in most_uj or to_ns not in most_uj:
                    continue
                allowed = most_uj[to_ns] - most_uj[from_ns] + self.count_uj + 1
                nearest = max(nearest, moved[0] / allowed)
                if moved[0] > allowed:
                    above.append((allowed, *seen))
                if from_ns in host and to_ns in host and moved[0] > host[to_ns]["package_uj"] - host[from_ns]["package_uj"] + 1:
                    beyond.append(seen)
        check = self.b.check
        check(not back, f"{what}: nothing steps back: no negative power", "\n".join(map(str, back[:SHOWN])))
        check(not above and nearest > 0, f"{what}: no window above {sum(self.watts_max)} W, all that the counters can show",
              "\n".join(map(str, above[:SHOWN])))
        check(not beyond, f"{what}: no domain above its host", "\n".join(map(str, beyond[:SHOWN])))
        check(not held, f"{what}: energy in the records of closed windows, and in no others", "\n".join(map(str, held[:SHOWN])))
        print(f"# {what}: the window nearest to the limit had {nearest:.1%} of it")

    def unattributed(self, what, rings):
        """What was not divided, and what no domain had, as the host's last status has them."""
        status = max(rings["host"].statuses.items())[1]
        want = self.ledger.unattributed.figures().package_uj, self.ledger.residual_uj()
        got = status["unattributed_uj"], status["residual_uj"]
        self.b.check(all(abs(a - c) <= 1 for a, c in zip(want, got)), f"{what}: residual and unattributed energy to 1 uJ",
                     f"{want}, published {got}")


def host_rings(folder):
    """Paths of the host's copies by UUID."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return {name.removesuffix(".ring"): os.path.join(folder, name) for name in names if name.endswith(".ring")}

