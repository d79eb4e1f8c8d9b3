# SPDX-License-Identifier: Apache-2.0
"""The log of msrfs: what each register was read as, when, and through which CPU."""

import bisect


class Log:
    def __init__(self, path):
        self.start_ns = None
        self.reads = []  # (mono_ns, cpu, register, value); value None: an error
        self.errors = []  # (mono_ns, cpu, register, errno)
        self.commands = []  # (mono_ns, text)
        with open(path) as file:
            for line in file:
                self.take(line.split())
        self.series = {}

    def take(self, words):
        if words[:2] == ["#", "start"]:
            self.start_ns = int(words[2])
        elif words[0] == "#":
            self.commands.append((int(words[1]), " ".join(words[2:])))
        elif words[3] == "error":
            self.errors.append((int(words[0]), int(words[1]), int(words[2], 16), int(words[4])))
        else:
            self.reads.append((int(words[0]), int(words[1]), int(words[2], 16), int(words[3], 16)))

    def of(self, cpus, register):
        """Times and values of what was read of a register through any of these CPUs."""
        key = (tuple(sorted(cpus)), register)
        if key not in self.series:
            chosen = [(mono, value) for mono, cpu, address, value in self.reads if cpu in cpus and address == register]
            self.series[key] = ([mono for mono, _ in chosen], [value for _, value in chosen])
        return self.series[key]

    def after(self, cpus, register, mono_ns, until_ns=None):
        """Values handed out at or after an instant, the next one first; only those before another instant."""
        times, values = self.of(cpus, register)
        first = bisect.bisect_left(times, mono_ns)
        last = len(times) if until_ns is None else bisect.bisect_left(times, until_ns)
        return values[first:last]
