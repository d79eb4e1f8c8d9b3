# SPDX-License-Identifier: Apache-2.0
"""The residual found another way: by the CPU time of the host's own processes, each asked by itself, nothing subtracted.

Between two looks at them, package by package: dynamic energy times their part of busy time. CPUs that never rest keep busy time
even, so that this differs from the sum over windows only as power and their part change together within a quarter of a second,
by ticks of 10 ms for each process and look, and by interrupts, which are no process's: PART of the dynamic energy at most. What
may have run on either package counts at the lower and at the higher of their powers over the whole time, for power knows nothing
of who runs.
"""

from fractions import Fraction

from reference.ledger import Ledger

PART = Fraction(3, 100)


class Estimate:
    """All in microjoules of package energy, from the first look that counts to the last."""

    def __init__(self):
        self.least = self.greatest = self.dynamic = 0
        self.published = 0
        self.unlike = 0  # by how much all processes together differ from busy time, as a part of it

    def holds(self):
        slack = PART * self.dynamic
        return self.published > 0 and self.least - slack < self.published < self.greatest + slack

    def __str__(self):
        joules = [f"{float(uj) / 1e6:.3f}" for uj in (self.published, self.least, self.greatest, self.dynamic)]
        return (f"residual {joules[0]} J, by the processes' CPU time {joules[1]} to {joules[2]} J, of {joules[3]} J dynamic; "
                f"all processes together ran {self.unlike:+.2%} against /proc/stat")


def moved(before, after, name, package):
    return getattr(after, name)[package] - getattr(before, name)[package]


def own_energy(before, after, dynamic):
    """Of processes whose package is known."""
    total = 0
    for package, energy in enumerate(dynamic):
        busy = moved(before, after, "busy_ns", package)
        # Nobody ran: it stays with the host.
        total += energy * Fraction(moved(before, after, "own_ns", package), busy) if busy else energy
    return total


def column(rings, mono_ns):
    """The host's figure less the domains', as published in the window at that time."""
    figures = {key: ring.records[max(at for at in ring.records if at <= mono_ns)]["package_uj"] for key, ring in rings.items()}
    return 2 * figures["host"] - sum(figures.values())


def estimate_of(run, windows, cpus, idle_watts):
    """run: of test_ledger.py. windows: as the reference has them."""
    # Only between looks at which every ring had begun.
    begun_ns = max(min(ring.records) for ring in run.watch.rings.values())
    looks = [look for look in run.own.looks if begun_ns < look.mono_ns <= windows[-1].mono_ns]
    estimate, packages = Estimate(), range(run.own.packages)
    ledger = Ledger(len(packages), cpus, idle_watts)
    all_dynamic = [Fraction(0) for _ in packages]
    left = iter(windows)
    window = next(left)
    for before, after in zip(looks, looks[1:]):
        dynamic = [Fraction(0) for _ in packages]
        while window.mono_ns <= after.mono_ns:
            parts = [ledger.split(package, "package", window.energy_uj[package, "package"], window.dt_ns)
                     for package in packages]
            if window.mono_ns > before.mono_ns:
                vcpus = sum(vcpus for vcpus, _ in window.domains.values())
                idle = sum(part[1] for part in parts) * (1 - Fraction(vcpus, max(vcpus, cpus)))
                estimate.least += idle
                estimate.greatest += idle
                dynamic = [sum_uj + part[0] for sum_uj, part in zip(dynamic, parts)]
            window = next(left, None)
            if window is None:
                break
        all_dynamic = [sum_uj + part for sum_uj, part in zip(all_dynamic, dynamic)]
        own = own_energy(before, after, dynamic)
        estimate.least += own
        estimate.greatest += own
        if window is None:
            break
    first, last = looks[0], looks[-1]
    estimate.dynamic = sum(all_dynamic)
    powers = [all_dynamic[package] / moved(first, last, "busy_ns", package) for package in packages]
    estimate.least += (last.either_ns - first.either_ns) * min(powers)
    estimate.greatest += (last.either_ns - first.either_ns) * max(powers)
    estimate.published = column(run.watch.rings, last.mono_ns) - column(run.watch.rings, first.mono_ns)
    asked = sum(moved(first, last, "own_ns", package) for package in packages)
    asked += last.either_ns - first.either_ns + last.domains_ns - first.domains_ns
    estimate.unlike = asked / sum(moved(first, last, "busy_ns", package) for package in packages) - 1
    return estimate
