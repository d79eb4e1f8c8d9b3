# SPDX-License-Identifier: Apache-2.0
"""CPU time of the host's own processes, by package, from /proc: every process that is no domain, each asked by itself.

Time is counted for the package of the CPU that a process ran on last. What a process used after the last look at it, before it
ended, is found in what its parent has waited for.
"""

import os
import threading
import time

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
PERIOD_S = 0.25
KTHREADD = 2


class Look:
    """time_ns; own_ns and busy_ns by package since the boot."""

    def __init__(self, packages):
        self.mono_ns = time.monotonic_ns()
        self.own_ns, self.busy_ns = [0] * packages, [0] * packages


class Own:
    """domains: PIDs that are no processes of the host."""

    def __init__(self, domains, package_of):
        self.domains, self.package_of = set(domains), package_of
        self.packages = 1 + max(package_of.values())
        self.processes = {}  # PID and start -> as at the last look
        self.total_ns = [0] * self.packages
        self.looks = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.look()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def run(self):
        while not self.stopping.wait(PERIOD_S):
            self.look()

    def look(self):
        now = Look(self.packages)
        now.busy_ns = self.busy()
        seen = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) not in self.domains:
                process = self.process(pid)
                if process:
                    seen[pid, process["start"]] = process
        if self.looks:
            self.count(seen)
        self.processes = seen
        now.own_ns = list(self.total_ns)
        self.looks.append(now)

    def process(self, pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # Fields 4, 14 to 17, 22 and 39 of proc(5); the first here is the third.
        user, system, waited_user, waited_system = map(int, fields[11:15])
        # Domains that ended are what this process has waited for.
        waited = 0 if int(pid) == os.getpid() else waited_user + waited_system
        return {"start": fields[19], "parent": int(fields[1]), "ticks": user + system, "waited": waited,
                "package": self.package_of[int(fields[36])]}

    def count(self, seen):
        nothing = {"ticks": 0, "waited": 0}
        ended = 0
        for key, process in seen.items():
            before = self.processes.get(key, nothing)
            self.total_ns[process["package"]] += (process["ticks"] - before["ticks"]) * TICK_NS
            ended += process["waited"] - before["waited"]
        for key, process in self.processes.items():
            # Nobody waits for the kernel's threads and for our own children, whose time is counted above.
            if key not in seen and process["parent"] not in (KTHREADD, os.getpid()):
                ended -= process["ticks"] + process["waited"]
        for package in range(self.packages):
            self.total_ns[package] += ended * TICK_NS // self.packages

    def busy(self):
        busy = [0] * self.packages
        with open("/proc/stat") as file:
            for line in file:
                name, *fields = line.split()
                if name.startswith("cpu") and name[3:].isdigit():
                    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
                    busy[self.package_of[int(name[3:])]] += (user + nice + system + irq + softirq) * TICK_NS
        return busy
