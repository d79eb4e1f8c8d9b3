#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The msr source when registers lie, stop, refuse or are not there: at the start one clear line, in a run no invented energy.

Usage: test_msr_faults.py SCAPHD SCAPH MSRFS. Prints TAP. Needs root and /dev/fuse.
"""

import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Bench, await_that  # noqa: E402
from look import Segment  # noqa: E402
from msrfs.host import KABY_LAKE, SKYLAKE_SERVER, ZEN2, Host, missing  # noqa: E402

UNIT = 14
WATTS = (40, 20)  # of the packages, all the time
SOURCE_LOST = 1 << 2
PACKAGE, CORE, DRAM = 1 << 0, 1 << 1, 1 << 3
CPU, LATE = 1 << 4, 1 << 10  # of records
DRAM_VALID, CORE_VALID = 1 << 2, 1 << 1
NEAR = 2**32 - 2**16
LATE_NS = 200_000_000


def machine(b, msrfs, model=SKYLAKE_SERVER, packages=2, zones=("package", "dram"), start=NEAR):
    folder = os.path.join(b.work, "machine")
    shutil.rmtree(folder, ignore_errors=True)
    watts = {"package": WATTS, "dram": (4, 2), "core": (10, 10)}
    counters = {(package, zone): (model["fixed_units"].get(zone, UNIT), start, f"watts {watts[zone][package] * 1000}")
                for package in range(packages) for zone in zones}
    return Host(msrfs, folder, model, (UNIT,) * packages, counters)


def words(b, host, **changed):
    return b.options(source="msr", **{"model-watts": None, "libvirt": "none", **host.options(), **changed})


def refused(b, host, what, wanted, **changed):
    b.refused(what, wanted, *host.wrap(b.scaphd, *words(b, host, **changed))[1:], program="unshare")


def refusals(b, msrfs):
    with machine(b, msrfs) as host:
        for fault, wanted in (("zero", ["package 3", "reads 0"]), ("still", ["package 3", "stands still"]),
                              ("fail", ["package 3", "cannot be read"])):
            host.fault(fault, 1, "package")
            refused(b, host, f"refused: a package's counter: {fault}", wanted)
            host.fault("sound", 1, "package")
        host.fault("fail", 0, "unit")
        refused(b, host, "refused: no unit register", ["package 0", "0x606", "cannot be read"])
        host.fault("sound", 0, "unit")
        host.command("set 3 0x606 0xa0003")
        refused(b, host, "refused: a unit register that tells 0", ["package 3", "0x606", "no unit"])
        host.command("set 3 0x606 0")
        refused(b, host, "refused: a unit register of 0", ["package 3", "0x606", "no unit"])
        host.command("set 3 0x606 0xa0e03")
        refused(b, host, "refused: no such folder of registers", ["nix/0/msr", "modprobe msr"], **{"msr-path": b.work + "/nix"})
        topology = f"{host.sysfs}/devices/system/cpu/cpu1/topology"
        os.rename(topology, topology + ".away")
        refused(b, host, "refused: half a topology", ["cpu1/topology", "half a topology"])
        os.rename(topology + ".away", topology)
        shutil.rmtree(f"{host.sysfs}/devices")
        refused(b, host, "refused: no sysfs", ["online", "--sysfs"])


def zones(b, msrfs):
    """What does not count is left out, and what there is depends on the processor."""
    for what, model, faults, expected in (
            ("a dram register that refuses", SKYLAKE_SERVER, [("fail", "dram")], PACKAGE),
            ("a dram register that reads 0 in one package", SKYLAKE_SERVER, [("zero", "dram")], PACKAGE),
            ("a server", SKYLAKE_SERVER, [], PACKAGE | DRAM),
            ("a desktop", KABY_LAKE, [], PACKAGE | CORE | DRAM),
            ("an AMD processor, whose register for cores is one core's", ZEN2, [], PACKAGE)):
        given = [zone for zone in ("package", "core", "dram") if zone in model["registers"] and
                 not (model is SKYLAKE_SERVER and zone == "core")]
        with machine(b, msrfs, model, zones=given) as host:
            for fault, zone in faults:
                host.fault(fault, 1, zone)
            b.before = host.wrap()
            daemon = b.daemon(source="msr", **{"model-watts": None, **host.options()})
            ring = Segment(os.path.join(b.host, "host.ring"))
            found = ring.word(344, "I")
            b.check(found == expected, f"zones: {what}", f"{found:#x}")
            await_that(lambda: ring.number() is not None)
            first = ring.newest()
            time.sleep(1)
            last = ring.newest()
            watts = (last["package_uj"] - first["package_uj"]) * 1000 / (last["mono_ns"] - first["mono_ns"])
            b.check(abs(watts - sum(WATTS)) < 0.05 * sum(WATTS), f"power: {what}", watts)
            daemon.terminate()
            daemon.wait()


class Running:
    """A daemon with one domain on a machine; what it publishes of the host."""

    def __init__(self, b, host):
        self.b, self.host = b, host
        b.before = host.wrap()
        self.daemon = b.daemon(source="msr", domain=f"load=pid:{b.load().pid}", **{"model-watts": None, **host.options()})
        self.ring = Segment(os.path.join(b.host, "host.ring"))
        await_that(lambda: self.ring.number() is not None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait()

    def reasons(self):
        return self.ring.status()["reasons"]

    def energy_j(self, seconds):
        before = self.ring.newest()["package_uj"]
        time.sleep(seconds)
        return (self.ring.newest()["package_uj"] - before) / 1e6

    def sane(self, what, breaks):
        """Totals never step back, nor ahead by more than a late reading can bring; records go on; gaps are counted."""
        b = self.b
        records = self.ring.history()
        valid = [record for record in records if record["flags"] & PACKAGE]
        steps = [(after["package_uj"] - before["package_uj"], after["mono_ns"] - before["mono_ns"])
                 for before, after in zip(valid, valid[1:])]
        wild = [(uj, ns) for uj, ns in steps if not 0 <= uj <= sum(WATTS) * (ns + LATE_NS) / 1000]
        b.check(len(valid) > 20 and not wild, f"{what}: no step back, none too large", wild)
        gaps = [after["mono_ns"] - before["mono_ns"] for before, after in zip(records, records[1:])]
        b.check(max(gaps) < 500_000_000, f"{what}: a record for every window", max(gaps))
        b.check(records[-1]["breaks"] == breaks, f"{what}: breaks {breaks}", records[-1])
        status = self.ring.status()
        b.check(status["residual_uj"] + status["unattributed_uj"] <= records[-1]["package_uj"],
                f"{what}: what nobody had is part of the whole", status)


def in_a_run(b, msrfs):
    with machine(b, msrfs) as host, Running(b, host) as run:
        host.fault("still", 1, "package")
        energy = run.energy_j(1)
        host.fault("sound", 1, "package")
        b.check(abs(energy - WATTS[0]) < 6, "a counter that stands still gives no energy, the other goes on", energy)
        run.sane("stood still", 0)
    for fault, what in (("fail", "a register that refuses for a while"), ("zero", "a register that reads 0 for a while")):
        with machine(b, msrfs) as host, Running(b, host) as run:
            time.sleep(0.5)
            before = run.ring.newest()
            host.fault(fault, 1, "package")
            b.check(await_that(lambda: run.reasons() & SOURCE_LOST, 3), f"{what}: the status says so", run.reasons())
            b.check(not run.ring.newest()["flags"] & (PACKAGE | CPU), "and neither energy nor its CPU time is shown",
                    run.ring.newest())
            time.sleep(0.3)
            host.fault("sound", 1, "package")
            b.check(await_that(lambda: not run.reasons() & SOURCE_LOST, 3), "it reads again: so does the status", run.reasons())
            after = run.ring.newest()
            watts = (after["package_uj"] - before["package_uj"]) * 1000 / (after["mono_ns"] - before["mono_ns"])
            b.check(abs(watts - sum(WATTS)) < 0.05 * sum(WATTS), "nothing of the time between is missing", watts)
            records = run.ring.history()
            late = [record for record in records if record["flags"] & LATE and record["flags"] & PACKAGE]
            b.check(late and max(r["mono_ns"] for r in late) > before["mono_ns"], "it is one window, whole and late", late)
            b.check(abs(run.energy_j(1) - sum(WATTS)) < 8, "and energy is counted as before")
            run.sane(what, 0)
    for what, start in (("from little", NEAR), ("from half", 2**31 - 2**16), ("from nearly all", 2**32 - 2**27)):
        with machine(b, msrfs, start=start) as host, Running(b, host) as run:
            time.sleep(0.5)
            host.fault("reset", 0, "package")
            time.sleep(0.5)
            run.sane(f"a counter that began anew {what}", 1)


def cpu_offline(b, msrfs):
    """The package's other CPU takes over, and nothing is missed."""
    with machine(b, msrfs, packages=1) as host, Running(b, host) as run:
        time.sleep(0.3)
        before, start = run.ring.newest(), time.monotonic()
        for cpu in (0, 1, 0):
            host.set_online(cpu, False)
            time.sleep(0.3)
            b.check(not run.reasons() & SOURCE_LOST, f"CPU {cpu} is offline: another one reads", run.reasons())
            host.set_online(cpu, True)
            time.sleep(0.3)
        after = run.ring.newest()
        watts = (after["package_uj"] - before["package_uj"]) * 1000 / (after["mono_ns"] - before["mono_ns"])
        b.check(abs(watts - WATTS[0]) < 0.02 * WATTS[0], "no energy is missed meanwhile", watts)
        run.sane("CPUs that went and came", 0)


def main():
    reason = missing()
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    with Bench(sys.argv[1], sys.argv[2]) as b:
        msrfs = os.path.abspath(sys.argv[3])
        refusals(b, msrfs)
        zones(b, msrfs)
        in_a_run(b, msrfs)
        cpu_offline(b, msrfs)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
