#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Host, guest, two control groups in the guest: a real guest's own scaphd divides what its host says it used.

Usage: test_nested.py BUILD_DIR. Prints TAP. Needs root. Over virtiofs and over ivshmem. What the guest's daemon counts must be
what the host published for the guest, to the microjoule, and the groups and the residual must add up to it.
"""

import glob
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../../tools/guest"), os.path.join(HERE, "../integration")]
import guest as guests  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402

FLAG_PACKAGE = 1
SECONDS = 8
UUIDS = {name: f"6ba7b810-9dad-11d1-80b4-00c04fd430c{i}" for i, name in enumerate(("busy", "rare"))}
LOADS = {"busy": "while :; do :; done", "rare": "while :; do i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; sleep 0.2; done"}
tap = Tap()
check = tap.check


def prepare(guest):
    """Two groups with a load each."""
    guest.run("mkdir -p /run /cg /tmp/shares && mount -t cgroup2 none /cg")
    for name, script in LOADS.items():
        with open(f"{guest.out}/{name}.sh", "w") as file:
            file.write(f"echo $$ > /cg/{name}/cgroup.procs\n{script}\n")
        guest.run(f"mkdir /cg/{name} && (setsid sh /out/{name}.sh >/dev/null 2>&1 &)")


def published(guest, seen):
    """The host's figures for the guest, gathered while they are there."""
    seen |= {r["package_uj"] for r in Segment(guest.share + "/scaph.ring").history() if r["flags"] & FLAG_PACKAGE}


def run_inner(guest, source, seen):
    """The guest's daemon for some seconds; its segments as they were then, by name."""
    domains = " ".join(f"--domain {name}@{uuid}=cgroup:{name}" for name, uuid in UUIDS.items())
    options = (f"--source ring:{source} {domains} --cgroupfs /cg --libvirt none --share-root /tmp/shares --allow-plain-dir "
               "--state-dir /tmp/state --host-dir /tmp/host --profile '*=trusted'")
    guest.run("rm -rf /tmp/state /tmp/host")
    guest.run(f"(setsid scaphd {options} >/tmp/inner.log 2>&1 & echo $! >/tmp/inner.pid)")
    for _ in range(SECONDS * 2):
        time.sleep(0.5)
        published(guest, seen)
    folder = f"{guest.out}/host"
    shutil.rmtree(folder, ignore_errors=True)
    # The totals first: the last window they speak of is then in the groups' segments too.
    status, said = guest.run_status("cp /tmp/host/host.ring /out/total; cp -r /tmp/host /out/host; mv /out/total /out/host/host.ring; cat /tmp/inner.log; kill $(cat /tmp/inner.pid); rm -rf /tmp/state")
    published(guest, seen)
    time.sleep(0.2)
    published(guest, seen)
    found = {}
    for path in glob.glob(folder + "/*"):
        name = next((n for n, uuid in UUIDS.items() if uuid in path), "total")
        if os.path.getsize(path):
            found[name] = Segment(path)
    return found, said


def by_index(segment):
    return {((r["seq"] & ((1 << 40) - 1)) >> 1) - 1: r for r in segment.history() if r["flags"] & FLAG_PACKAGE}


def judge(what, found, said, seen):
    if not check(set(found) == {"total", *UUIDS}, f"{what}: the guest's daemon publishes both groups and its totals", said):
        return
    rows = {name: by_index(segment) for name, segment in found.items()}
    common = sorted(set.intersection(*(set(row) for row in rows.values())))
    check(len(common) >= 20, f"{what}: {len(common)} windows of 100 ms", said)
    totals = [rows["total"][i]["package_uj"] for i in common]
    shifts = [figure - totals[0] for figure in seen if all(figure - totals[0] + total in seen for total in totals)]
    check(totals[-1] > totals[0] and shifts, f"{what}: every total is a figure of the host's for this guest less one constant",
          (totals[:5], totals[-5:], len(seen)))
    sums = {i: sum(rows[name][i]["package_uj"] for name in UUIDS) for i in common}
    check(all(sums[i] <= rows["total"][i]["package_uj"] for i in common), f"{what}: the groups never have more than the guest")
    status = found["total"].status()
    rest = status["residual_uj"] + status["unattributed_uj"]
    check(any(0 <= rows["total"][i]["package_uj"] - sums[i] - rest <= len(UUIDS) for i in common),
          f"{what}: the groups' sum plus the residual is the guest's figure, to the microjoule of each one's rounding",
          (status, [(rows["total"][i]["package_uj"] - sums[i]) for i in common]))
    first, last = common[0], common[-1]
    used = {name: rows[name][last]["package_uj"] - rows[name][first]["package_uj"] for name in UUIDS}
    check(used["busy"] > used["rare"] > 0, f"{what}: who spins has more than who rests: {used}")


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root")
        return
    build = sys.argv[1]
    with guests.Guest(build, programs={"scaphd": os.path.join(build, "producer/scaphd")}) as guest:
        guest.boot()
        guest.scaphd("--profile", f"{guest.uuid}=trusted")
        prepare(guest)
        for what, source in (("virtiofs", "/virtiofs"), ("ivshmem", f"/sys/bus/pci/devices/{guest.pci}/resource2")):
            seen = set()
            found, said = run_inner(guest, source, seen)
            judge(what, found, said, seen)
    tap.plan()


if __name__ == "__main__":
    main()
