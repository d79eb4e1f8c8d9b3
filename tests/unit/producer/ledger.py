#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The attribution formula in exact fractions, against the C ledger's figures after every window.

Usage: ledger.py ATTRIBUTION_TEST. A difference of 1 microjoule is allowed: the published figure is rounded down.
A trace in which 1 % of one domain's CPU time is given to another must be found out.
"""

import os
import subprocess
import sys
import tempfile
from fractions import Fraction


def greatest_error(lines, shift=0):
    idle_uw, domains, cpus = map(int, lines[0].split())
    debt = Fraction(0)
    total = [Fraction(0)] * domains
    idle = [Fraction(0)] * domains
    worst = Fraction(0)
    for line in lines[1:]:
        numbers = list(map(int, line.split()))
        energy, dt_ns, busy_ns = numbers[:3]
        rows = [numbers[3 + 3 * d:6 + 3 * d] for d in range(domains)]
        cpu = [Fraction(row[0]) for row in rows]
        moved = cpu[0] * shift / 100
        cpu[0] -= moved
        cpu[1] += moved
        x = energy - Fraction(idle_uw * dt_ns, 10**9) + debt
        debt, dynamic = (x, Fraction(0)) if x < 0 else (Fraction(0), x)
        rest = energy - dynamic
        for d in range(domains):
            own_idle = rest / max(domains, cpus)
            total[d] += own_idle + (dynamic * cpu[d] / busy_ns if busy_ns else 0)
            idle[d] += own_idle
            worst = max(worst, abs(total[d] - rows[d][1]), abs(idle[d] - rows[d][2]))
        # Fractions grow without end; a denominator of 2^64 keeps them far below what is compared.
        total = [Fraction(int(t * 2**64), 2**64) for t in total]
        idle = [Fraction(int(i * 2**64), 2**64) for i in idle]
        debt = Fraction(int(debt * 2**64), 2**64)
    return worst


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        subprocess.run([sys.argv[1], path], check=True)
        with open(path) as file:
            lines = file.read().splitlines()
    worst = greatest_error(lines)
    seeded = greatest_error(lines, shift=1)
    print(f"{len(lines) - 1} windows: greatest error {float(worst):.6f} uJ; with 1 % shifted {float(seeded):.0f} uJ")
    return not (len(lines) > 1000 and worst <= 1 and seeded > 1)


if __name__ == "__main__":
    sys.exit(main())
