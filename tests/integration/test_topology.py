#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two packages that --topology makes of this machine's CPUs: each domain is given its own package's energy and no other's.

Usage: test_topology.py SCAPHD SCAPH MSRFS. Prints TAP. Needs root and /dev/fuse, and for its first part the meter bpf.
"""

import os
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench import Bench  # noqa: E402
from msrfs.host import PACKAGES, SKYLAKE_SERVER, Host, missing  # noqa: E402
from msrfs.msrlog import Log  # noqa: E402
from reference.ledger import Ledger  # noqa: E402
from reference.machine import Machine  # noqa: E402
from reference.record import Record  # noqa: E402
from watch import Watch  # noqa: E402

FIELDS = ("package_uj", "core_uj", "dram_uj", "idle_uj")
WATTS = {0: 10, 1: 40}  # by package
SECONDS = 4
TRIES = 3
LATE, COARSE = 1 << 10, 1 << 11
COUNTERS = {(package, zone): (14, 1, f"watts {watts * (1000 if zone == 'package' else 500)}")
            for package, watts in WATTS.items() for zone in ("package", "core")}


def write_topology(host):
    """CPU 0 is the one package, every other the second, whatever sysfs says."""
    path = os.path.join(host.folder, "topology")
    with open(path, "w") as file:
        file.write(f"# for a test\npackage {PACKAGES[0]} = 0\npackage {PACKAGES[1]} = 1-{host.cpus - 1}\n".replace("1-1", "1"))
    return path


def options(b, host, **changed):
    """sysfs stays the machine's own: only the file says that there are two packages."""
    return {"source": "msr", "msr-path": host.msr, "model-watts": None, "idle": "none", "idle-watts": "0",
            "topology": write_topology(host), **changed}


def run(b, host, meter):
    """Two loads that never leave their CPU; what was recorded and what was published of them."""
    uuids = {name: str(uuid.uuid4()) for name in ("first", "second")}
    loads = {name: b.start("taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done") for cpu, name in enumerate(uuids)}
    path = os.path.join(b.work, f"record.{meter}")
    time.sleep(0.3)
    daemon = b.daemon(**options(b, host, meter=meter, record=path,
                                domain=[f"{name}@{uuids[name]}=pid:{load.pid}" for name, load in loads.items()]))
    with Watch(lambda: {name.removesuffix(".ring"): os.path.join(b.host, name) for name in os.listdir(b.host)}) as watch:
        time.sleep(SECONDS)
        daemon.terminate()
        daemon.stderr.read()
        daemon.wait()
    for load in loads.values():
        load.kill()
        load.wait()
    return uuids, Record(path), watch


def check_columns(b, host, uuids, record, watch):
    """Who ran where, by the meter; and every published figure against the second account."""
    ran = {name: [sum(window.domains[uuids[name]][1][package] for window in record.windows if uuids[name] in window.domains)
                  for package in (0, 1)] for name in uuids}
    b.check(ran["first"][0] > 1e8 and ran["first"][1] == 0 and ran["second"][0] == 0 and ran["second"][1] > 1e8,
            "each ran on its own package and not a nanosecond on the other", ran)
    machine = Machine([{cpu for cpu, at in host.package_of.items() if at == package} for package in (0, 1)],
                      host.model["registers"], host.model["fixed_units"])
    ledger = Ledger(2, host.cpus)
    ledger.begin()
    wrong, compared = [], 0
    for window in machine.windows(Log(host.log), record):
        ledger.close(window)
        expected = {uuids[name]: ledger.figures(uuids[name]) for name in uuids if uuids[name] in window.domains}
        for key, figures in {**expected, "host": ledger.host_figures()}.items():
            published = watch.rings[key].records.get(window.mono_ns)
            if not published:
                continue
            compared += 1
            if max(abs(value - published[field]) for value, field in zip(figures.values(), FIELDS[:3])) > 1:
                wrong.append(f"{window.mono_ns} {key}: {figures}, published {published}")
    b.check(compared > 100 and not wrong, f"{compared} records are those of the exact reference, to 1 uJ", wrong[:5])
    return ran


def costs(uuids, watch, ran):
    """Joules a CPU second of the first and of the second load."""
    last = {name: watch.rings[uuids[name]].records[max(watch.rings[uuids[name]].records)] for name in uuids}
    return [last[name]["package_uj"] * 1000 / ran[name][package] for package, name in enumerate(uuids)]


def far(host, cost):
    """By what part the worse of the two is off."""
    return max(abs(cost[package] / WATTS[package] - 1) for package in ((0, 1) if host.cpus == 2 else (0,)))


def check_powers(b, host, tries):
    """A CPU second on a package costs its power, for it never rests: on the one a quarter of what it does on the other.

    A kernel may hide a switch from the meter (runtime.h): what the load ran then is told late, when others have had the energy.
    One of three runs has to be without that; every record of each is that of the reference.
    """
    first, second = min(tries, key=lambda cost: far(host, cost))
    b.check(abs(first - WATTS[0]) < 0.1 * WATTS[0], f"a CPU second on the first costs {first:.2f} J of its {WATTS[0]} W", tries)
    if host.cpus == 2:
        b.check(abs(second - WATTS[1]) < 0.1 * WATTS[1], f"and on the second {second:.2f} J of its {WATTS[1]} W", tries)


def bpf(b, host):
    done = subprocess.run([*host.wrap(), b.scaphd, "--check", *b.options(**options(b, host, meter="bpf"))],
                          capture_output=True, text=True)
    if done.returncode:
        b.check(True, f"the program in the kernel # SKIP {done.stderr.strip()}")
        return None
    b.check("not as the machine does" in done.stdout and "package  1 (id 3" in done.stdout, "--check says that the file is in force",
            done.stdout)
    uuids, record, watch = run(b, host, "bpf")
    b.check(record.packages == 2, "two packages under the real program", record.columns)
    return uuids, record, watch


def short_windows(b, host):
    """One package's steps are met and not the other's: windows of few steps are coarse, every one of them."""
    load = b.load()
    uid = str(uuid.uuid4())
    daemon = b.daemon(**options(b, host, window="5", domain=f"short@{uid}=pid:{load.pid}", profile="*=trusted"))
    with Watch(lambda: {uid: os.path.join(b.host, uid + ".ring")}) as watch:
        time.sleep(2)
    daemon.terminate()
    daemon.stderr.read()
    daemon.wait()
    flags = [record["flags"] for record in watch.rings[uid].records.values() if record["flags"] & 1 and not record["flags"] & LATE]
    b.check(len(flags) > 20 and all(flag & COARSE for flag in flags), "windows of 5 ms over two packages are flagged coarse",
            f"{sum(1 for flag in flags if flag & COARSE)} of {len(flags)}")


def loud(b, host):
    """One warning at the start, whatever the meter."""
    daemon = b.start(*host.wrap(), b.scaphd, *b.options(**options(b, host, meter="cputime")), stderr=subprocess.PIPE, text=True)
    said = ""
    for line in daemon.stderr:
        said += line
        if "publishing" in line:
            break
    daemon.terminate()
    daemon.wait()
    b.check(said.count("packages are as this file says, and not as the machine does") == 1, "the log says loudly that it is in force",
            said)


def refusals(b, host):
    path = os.path.join(b.work, "odd")
    for what, text, wanted in (("a file of garbage", "\x7fELF\n", ["odd:1", "no line of a topology"]),
                               ("an unknown CPU", f"package 0 = 0-{host.cpus}\n", [f"no CPU {host.cpus}", "--topology"]),
                               ("a CPU twice", "package 0 = 0-1\npackage 1 = 1\n", ["odd:2", "CPU 1 is named twice"]),
                               ("no CPU", "\n", ["--topology", "names no CPU"]),
                               ("a CPU left out", "package 0 = 1\n", ["CPU 0 is online and of no package"])):
        with open(path, "w") as file:
            file.write(text)
        b.refused(what, wanted, *b.options(topology=path))
    b.refused("no file", ["--topology", "No such file"], *b.options(topology=path + ".none"))
    b.refused("a folder", ["--topology", "Is a directory"], *b.options(topology=b.work))


def main():
    reason = missing() or (None if os.sysconf("SC_NPROCESSORS_CONF") > 1 else "two packages need two CPUs")
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    with Bench(sys.argv[1], sys.argv[2]) as b:
        tries, found = [], True
        while found and len(tries) < TRIES and not (tries and far(host, tries[-1]) < 0.1):
            with Host(os.path.abspath(sys.argv[3]), os.path.join(b.work, f"machine{len(tries)}"), SKYLAKE_SERVER, (14, 14),
                      COUNTERS) as host:
                b.before = host.wrap()
                if not tries:
                    loud(b, host)
                    short_windows(b, host)
                found = bpf(b, host)
            if found:
                uuids, record, watch = found
                tries.append(costs(uuids, watch, check_columns(b, host, uuids, record, watch)))
        if tries:
            check_powers(b, host, tries)
        refusals(b, host)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
