#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a shared domain is told: nothing of its neighbours but a price, and in the long run the right sum.

Usage: test_shared.py SIMULATE. Prints TAP. Simulated time; SCAPH_TEST_PERCENT has no influence, for an hour takes seconds.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from scenario import OFF, SHARED, TRUSTED, WINDOWS_PER_S, Host, record  # noqa: E402
from tap import Tap  # noqa: E402

tap = Tap()
BLOCK = 10 * WINDOWS_PER_S  # prices are set at multiples of 10 s


def shapes(seed, seconds):
    """Neighbours' (energy, CPU time) by window: another order of the same values in each block for each seed."""
    values = random.Random(1)
    order = random.Random(seed)
    found = []
    for _ in range(seconds * WINDOWS_PER_S // BLOCK):
        block = [(values.randrange(50_000, 900_000), values.randrange(1_000_000, 60_000_000)) for _ in range(BLOCK)]
        order.shuffle(block)
        found += block
    return found


def observe(simulate, profile, seed, idle_uw):
    host = Host(simulate, [(2, profile), (4, profile), (2, OFF)], idle_uw=idle_uw)
    own = random.Random(3)
    for energy_uj, neighbour_ns in shapes(seed, 300):
        # All that runs is shared: so the period's sums are those of the shape, whoever ran beside whom.
        cpu_ns = own.randrange(0, 20_000_000)
        host.window(energy_uj, cpu_ns + neighbour_ns, [cpu_ns, neighbour_ns, 0])
    return host.play()


def non_interference(simulate):
    for idle_uw, what in ((0, ""), (3_000_000, ", idle power known")):
        (one, one_status), (two, two_status) = (observe(simulate, SHARED, seed, idle_uw) for seed in (10, 11))
        same = sum(a[:52] == b[:52] for a, b in zip(one[0], two[0]))
        tap.check(same == len(one[0]) > 10_000, f"shared: a neighbour's other shape changes no byte of a record{what}",
                  f"{same} of {len(one[0])} equal")
        tap.check(one_status[0] == two_status[0] and len(one_status[0]) > 200, f"shared: nor of the status{what}",
                  [(i, a, b) for i, (a, b) in enumerate(zip(one_status[0], two_status[0])) if a != b][:3])
        energy = [record(row)[1] for row in one[0]]
        tap.check(energy[-1] > 0 and len(set(energy)) > 1000, f"and there are figures{what}", energy[-5:])
        exact = [record(row)[5] for row in one[0]], [record(row)[5] for row in two[0]]
        tap.check(exact[0] != exact[1], f"though the exact ones differ{what}")
    (one, _), (two, _) = (observe(simulate, TRUSTED, seed, 0) for seed in (10, 11))
    different = sum(a[:52] != b[:52] for a, b in zip(one[0], two[0]))
    tap.check(different > len(one[0]) * 0.9, "trusted: the same shapes are seen", different)


def phases(choice):
    """A domain's program: for half a minute to five minutes one heat and one load, sometimes none."""
    while True:
        heat, load = choice.uniform(8, 18), choice.choice((0, 0.2, 0.5, 0.8, 1))
        for _ in range(choice.randrange(30, 300)):
            yield heat, load


def accuracy(simulate):
    """An hour of domains in changing phases beside a little load of the host's own, with and without idle power."""
    for seed in range(4):
        choice = random.Random(seed)
        host = Host(simulate, [(2, SHARED)] * 6, cpus=16, idle_uw=8_000_000 if seed % 2 else 0)
        programs = [phases(choice) for _ in host.domains]
        for window in range(3600 * WINDOWS_PER_S):
            if window % WINDOWS_PER_S == 0:
                now = [next(program) for program in programs]
            cpu_ns = [int(load * choice.uniform(20e6, 40e6)) for _, load in now]
            other_ns = int(choice.uniform(0, 5e6))
            energy = sum(heat * ns / 1000 for (heat, _), ns in zip(now, cpu_ns)) + 9 * other_ns / 1000
            host.window(int(energy) + 160_000 * (seed % 2), sum(cpu_ns) + other_ns, cpu_ns)
        records, _ = host.play(every=WINDOWS_PER_S)
        told = [sum(record(row)[1] for row in rows) for rows in zip(*records)]
        exact = [sum(record(row)[5] for row in rows) for rows in zip(*records)]
        hour = abs(told[-1] / exact[-1] - 1)
        ten = max(abs((told[t] - told[t - 600]) / (exact[t] - exact[t - 600]) - 1) for t in range(600, len(told)))
        tap.check(hour <= 0.01, f"host {seed}: over an hour the sum is within 1 %", f"{hour:.3%}")
        tap.check(ten <= 0.05, f"host {seed}: over any ten minutes within 5 %", f"{ten:.3%}")
        print(f"# host {seed}: an hour {hour:.3%}, worst of all ten minutes {ten:.3%}")


def pending(simulate):
    """Before there is a price there is no figure; never a step back."""
    host = Host(simulate, [(2, SHARED), (2, TRUSTED)])
    for _ in range(80 * WINDOWS_PER_S):
        host.window(400_000, 30_000_000, [10_000_000, 20_000_000])
    (records, other), (statuses, _) = host.play()
    rows = [record(row) for row in records]
    first = next(i for i, row in enumerate(rows) if row[4] & 1)
    tap.check(10 * WINDOWS_PER_S - 2 <= first <= 11 * WINDOWS_PER_S, "the first price comes after 10 s", first)
    tap.check(all(row[1] == 0 for row in rows[:first]), "before it there is no energy")
    tap.check(all(int.from_bytes(s[4:8], "little") & 1 << 7 for s in statuses[:9]), "and the reason is said")
    tap.check(all(a[1] <= b[1] for a, b in zip(rows, rows[1:])), "energy never steps back")
    tap.check(all(row[4] & 1 << 12 for row in rows), "every record says that it is priced")
    tap.check(all(record(row)[4] & 1 and not record(row)[4] & 1 << 12 for row in other), "a trusted one has figures at once")


def main():
    simulate = os.path.abspath(sys.argv[1])
    non_interference(simulate)
    pending(simulate)
    accuracy(simulate)
    tap.plan()


if __name__ == "__main__":
    main()
