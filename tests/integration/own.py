# SPDX-License-Identifier: Apache-2.0
"""CPU time of the host's own processes, by package, from /proc: every process that is no domain, each asked by itself.
Beside it that of the domains, and busy time as /proc/stat has it, which is counted in another way.

Time is counted for the package of the CPU that a process ran on last, if it ran there at the look before too. Else it may be of
either, as is what a process used after the last look at it, before it ended: that is found in what its parent has waited for.
"""

import os
import threading
import time

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
PERIOD_S = 0.25
KTHREADD = 2


class Look:
    """own_ns of processes and busy_ns by package; either_ns of processes, on one package or another; domains_ns."""

    def __init__(self, packages):
        self.mono_ns = time.monotonic_ns()
        self.own_ns, self.busy_ns, self.domains_ns = [0] * packages, [0] * packages, 0
        self.either_ns = 0


class Own:
    """domains: PIDs that are no processes of the host."""

    def __init__(self, domains, package_of):
        self.domains, self.package_of = set(domains), package_of
        self.packages = 1 + max(package_of.values())
        self.processes = {}  # PID and start -> as at the last look
        self.total_ns = [0] * self.packages
        self.either_ns = 0
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
            process = self.process(pid)
            if process and int(pid) in self.domains:
                now.domains_ns += process["ticks"] * TICK_NS
            elif process:
                seen[pid, process["start"]] = process
        if self.looks:
            self.count(seen)
        self.processes = seen
        now.own_ns, now.either_ns = list(self.total_ns), self.either_ns
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
        nothing = {"ticks": 0, "waited": 0, "package": None}
        either = 0
        for key, process in seen.items():
            before = self.processes.get(key, nothing)
            ticks = process["ticks"] - before["ticks"]
            if process["package"] == before["package"]:
                self.total_ns[process["package"]] += ticks * TICK_NS
            else:
                either += ticks
            either += process["waited"] - before["waited"]
        for key, process in self.processes.items():
            # Nobody waits for the kernel's threads and for our own children, whose time is counted above.
            if key not in seen and process["parent"] not in (KTHREADD, os.getpid()):
                either -= process["ticks"] + process["waited"]
        self.either_ns += either * TICK_NS

    def busy(self):
        busy = [0] * self.packages
        with open("/proc/stat") as file:
            for line in file:
                name, *fields = line.split()
                if name.startswith("cpu") and name[3:].isdigit():
                    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
                    busy[self.package_of[int(name[3:])]] += (user + nice + system + irq + softirq) * TICK_NS
        return busy
