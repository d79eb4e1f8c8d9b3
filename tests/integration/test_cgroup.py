#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups as domains: containers whose processes come and go. Usage: test_cgroup.py SCAPHD SCAPH. Prints TAP.

Needs root and a control group hierarchy that counts CPU time: version 2, or cpuacct of version 1.
"""

import glob
import os
import subprocess
import time

from bench import Bench, arguments, await_that
from look import Segment

SECONDS = 3
WINDOW_S = 0.05  # a window, and the tick that a counter may be late by


def hierarchy():
    """A folder beneath which groups can be made, or None."""
    for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpuacct"):
        counter = "cpu.stat" if os.path.exists(root + "/cgroup.controllers") else "cpuacct.usage"
        try:
            name = f"{root}/scaph-probe-{os.getpid()}"
            os.mkdir(name)
            found = os.path.exists(f"{name}/{counter}")
            os.rmdir(name)
            if found:
                return root
        except OSError:
            pass
    return None


class Group:
    def __init__(self, path):
        self.path = path
        os.makedirs(path)

    def used_s(self):
        if os.path.exists(self.path + "/cpuacct.usage"):
            with open(self.path + "/cpuacct.usage") as file:
                return int(file.read()) / 1e9
        with open(self.path + "/cpu.stat") as file:
            return int(next(line.split()[1] for line in file if line.startswith("usage_usec"))) / 1e6

    def run(self, b, script):
        return b.start("sh", "-c", f"echo $$ > {self.path}/cgroup.procs && {script}")

    def remove(self):
        """Its processes end first; the kernel takes a moment to let the last one go."""
        for child in glob.glob(self.path + "/*/"):
            Group.remove_path(child)
        Group.remove_path(self.path)

    @staticmethod
    def remove_path(path):
        def gone():
            try:
                os.rmdir(path)
            except FileNotFoundError:
                return True
            except OSError:
                return False
            return True
        await_that(gone, 5)


def segment_of(b, uuid):
    return glob.glob(f"{b.host}/*{uuid}*")


def newest(b, uuid):
    return Segment(segment_of(b, uuid)[0]).newest()


def accounts(b, groups, root):
    uuids = {name: f"6ba7b810-9dad-11d1-80b4-00c04fd430c{i}" for i, name in enumerate(groups)}
    daemon = b.daemon(domain=[f"{name}@{uuids[name]}=cgroup:{group.path}" for name, group in groups.items()])
    time.sleep(0.3)
    used, seen = {}, {}
    for name, group in groups.items():
        seen[name], used[name] = newest(b, uuids[name]), group.used_s()
    time.sleep(SECONDS)
    for name, group in groups.items():
        record, now_s = newest(b, uuids[name]), group.used_s()
        spent_s, counted_s = now_s - used[name], (record["cpu_ns"] - seen[name]["cpu_ns"]) / 1e9
        b.check(abs(spent_s - counted_s) <= 2 * WINDOW_S,
                f"{name}: {counted_s:.3f} s of CPU time as its group has {spent_s:.3f} s, whoever came and went in it")
        energy_uj = record["package_uj"] - seen[name]["package_uj"]
        b.check(energy_uj > 0 and record["idle_uj"] <= record["package_uj"], f"{name}: energy with it, {energy_uj / 1e6:.2f} J")
    return daemon, uuids


def removal(b, daemon, group, uuid, processes):
    for process in processes:
        process.kill()
        process.wait()
    group.remove()
    b.check(await_that(lambda: not segment_of(b, uuid), 10), "a group that is removed is retired", segment_of(b, uuid))
    b.check(daemon.poll() is None, "the others go on")


def bad_groups(b, root, outer, inner, pid):
    b.refused("a group that is not there", ["--domain", "is not there", "create it"],
              *b.options(domain=f"a=cgroup:{root}/scaph-none"))
    if "meters: bpf" in subprocess.run([b.scaphd, "--version"], capture_output=True, text=True).stdout:
        b.refused("a group for the meter bpf", ["--meter bpf", "control group", "--meter cputime"],
                  *b.options(domain=f"a=cgroup:{inner}", meter="bpf"))
    b.refused("a folder that is no group", ["no control group"], *b.options(domain=f"a=cgroup:{b.work}"))
    b.refused("a group within another", ["processes in common"],
              *b.options(domain=[f"a=cgroup:{outer}", f"b=cgroup:{inner}"]))
    b.refused("a process within a group", ["processes in common"], *b.options(domain=[f"a=cgroup:{outer}", f"b=pid:{pid}"]))
    if os.path.isdir("/sys/fs/cgroup/cpu") and not os.path.exists("/sys/fs/cgroup/cpu/cpuacct.usage"):
        b.refused("a hierarchy without CPU time", ["cpuacct.usage"], *b.options(domain="a=cgroup:/sys/fs/cgroup/cpu"))


def main():
    root = hierarchy() if os.geteuid() == 0 else None
    if not root:
        print("1..0 # skip: control groups that count CPU time can only be made by root, where they are mounted")
        return
    top = f"{root}/scaph-test-{os.getpid()}"
    os.mkdir(top)
    with Bench(*arguments()) as b:
        groups = {name: Group(f"{top}/{name}") for name in ("spinner", "churn", "idler")}
        try:
            processes = [groups["spinner"].run(b, "while :; do :; done"),
                         groups["churn"].run(b, "while :; do sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); done'; done"),
                         groups["idler"].run(b, "exec sleep 1000")]
            await_that(lambda: groups["spinner"].used_s() > 0 and groups["churn"].used_s() > 0)
            inner = Group(groups["idler"].path + "/inner")
            bad_groups(b, root, groups["idler"].path, inner.path, processes[2].pid)
            daemon, uuids = accounts(b, groups, root)
            removal(b, daemon, groups["churn"], uuids["churn"], [processes[1]])
        finally:
            for process in b.processes:
                process.kill()
                process.wait()
            for group in groups.values():
                group.remove()
            Group.remove_path(top)


if __name__ == "__main__":
    main()
