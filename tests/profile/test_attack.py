#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much a tenant learns of a neighbour that modulates its power with random bits, in bits a second.

Usage: test_attack.py SIMULATE. Prints TAP and a table. The neighbour sends equally likely bits of 0.05 to 300 s: hot or cold code at one
load, or work or sleep. The tenant knows the period, chooses its own load, keeps ten colluders, and sees what its records
show: energy and CPU time. It undoes the filter by regression: a linear one of the bit on the prices it computes around the bit, with
their differences, fitted on the first half and judged on the second; the rate is what a channel with that many errors carries.
Trusted records under the same attack show that it works. Simulated hours; SCAPH_TEST_PERCENT scales their number.
"""

import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from scenario import SHARED, TRUSTED, WINDOWS_PER_S, Host, record  # noqa: E402
from tap import Tap  # noqa: E402

tap = Tap()
LIMIT = 0.1
COLLUDERS = 10
WINDOW_S = 1 / WINDOWS_PER_S
# The bit's own time, and what follows: a price tells of the minutes before it.
LAGS_S = (0, 30, 60, 90, 120, 180)


def loads(kind, choice, seconds):
    """CPU time of the tenant in each window, as it pleases."""
    for window in range(int(seconds * WINDOWS_PER_S)):
        if kind == "steady":
            yield 10_000_000
        elif kind == "random":
            yield choice.randrange(1_000_000, 20_000_000)
        else:  # a pulse a second, nearly asleep between: the neighbour weighs more
            yield 19_000_000 if window % WINDOWS_PER_S == 0 else 50_000


def transmit(simulate, profile, period_s, bits, modulation, load, seed):
    """Play the host; returns for each second, or each window for short bits, the tenant's (time, energy, cpu)."""
    choice = random.Random(seed)
    host = Host(simulate, [(2, profile)] * (COLLUDERS + 1), cpus=32)
    seconds = len(bits) * period_s
    for window, own_ns in enumerate(loads(load, choice, seconds)):
        bit = bits[min(len(bits) - 1, int(window * WINDOW_S / period_s + 1e-9))]
        if modulation == "heat":
            secret_ns, heat = 18_000_000, 18 if bit else 8
        else:
            secret_ns, heat = (18_000_000 if bit else 0), 18
        others = [own_ns] + [1_000_000] * (COLLUDERS - 1)
        energy = (sum(others) * 9 + secret_ns * heat) // 1000
        host.window(energy, sum(others) + secret_ns, others + [secret_ns])
    every = max(1, int(min(1, period_s / 2) * WINDOWS_PER_S))
    records, _ = host.play(every=every)
    return [record(row) for row in records[0]], every * WINDOW_S


def prices(rows):
    """What a unit of own CPU time cost in each step."""
    found = []
    last = 0.0
    for before, after in zip(rows, rows[1:]):
        cpu_ns = after[3] - before[3]
        last = (after[1] - before[1]) * 1000 / cpu_ns if cpu_ns else last
        found.append(last)
    return found


def features(price, step_s, period_s, index):
    """Mean price over the bit and at each lag after it, and their differences."""
    width = max(1, int(period_s / step_s + 1e-9))

    def mean(at_s):
        start = max(0, int(at_s / step_s + 1e-9) - 1)  # the first step is between two rows
        part = price[start:start + width]
        return sum(part) / len(part) if part else None

    seen = [mean(index * period_s + lag) for lag in LAGS_S]
    if any(value is None for value in seen):
        return None
    return seen + [b - a for a, b in zip(seen, seen[1:])] + [1.0]


def solve(matrix, vector):
    """Linear equations by elimination, with a ridge that keeps dependent features harmless."""
    n = len(vector)
    rows = [list(matrix[i]) + [vector[i]] for i in range(n)]
    for i in range(n):
        rows[i][i] += 1e-6 * (1 + sum(matrix[j][j] for j in range(n)) / n)
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    found = [0.0] * n
    for i in reversed(range(n)):
        found[i] = (rows[i][n] - sum(rows[i][j] * found[j] for j in range(i + 1, n))) / rows[i][i]
    return found


def information(right, count):
    """Bits that a symmetric binary channel carries at this rate of errors; what chance alone would show is taken off."""
    if not count:
        return 0.0
    error = min(max(1 - right / count, 1e-9), 1 - 1e-9)
    entropy = -error * math.log2(error) - (1 - error) * math.log2(1 - error)
    return max(0.0, 1 - entropy - 1 / (2 * count * math.log(2)))


def learn(rows, step_s, period_s, bits):
    price = prices(rows)
    samples = [(features(price, step_s, period_s, i), bit) for i, bit in enumerate(bits)]
    samples = [(f, b) for f, b in samples if f]
    half = len(samples) // 2
    train, test = samples[:half], samples[half:]
    if len(train) < 8:
        return 0.0, 0, 0
    n = len(train[0][0])
    matrix = [[sum(f[i] * f[j] for f, _ in train) for j in range(n)] for i in range(n)]
    vector = [sum(f[i] * (2 * b - 1) for f, b in train) for i in range(n)]
    weights = solve(matrix, vector)
    right = sum((sum(w * x for w, x in zip(weights, f)) > 0) == b for f, b in test)
    return information(right, len(test)) / period_s, right, len(test)


def attack(simulate, profile, period_s, modulation, load, percent):
    # Enough bits to judge the rate by, within hours that are simulated in seconds.
    seconds = max(600, min(4 * 3600, 400 * period_s)) * max(percent, 10) / 100 if period_s < 30 else 6 * 3600
    choice = random.Random(int(period_s * 1000))
    bits = [choice.randrange(2) for _ in range(int(max(seconds, 900) / period_s))]
    rows, step_s = transmit(simulate, profile, period_s, bits, modulation, load, 1)
    return learn(rows, step_s, period_s, bits)


def distinct_prices(simulate):
    """The bound that no attack can pass: how many prices there can be after one price, whatever neighbours do."""
    choice = random.Random(5)
    host = Host(simulate, [(2, SHARED)] * 2, cpus=8)
    for window in range(3600 * WINDOWS_PER_S):
        if window % (15 * WINDOWS_PER_S) == 0:
            heat = choice.choice((1, 3, 10, 30, 100, 300))
        host.window(heat * 20_000, 20_000_000, [1_000_000, 19_000_000])
    records, _ = host.play(every=10)
    price = prices([record(row) for row in records[0]])
    moves = [max(a, b) / min(a, b) for a, b in zip(price[600:], price[601:]) if a > 0 and b > 0 and a != b]
    seconds = [i / 5 for i, (a, b) in enumerate(zip(price[600:], price[601:])) if abs(a / b - 1) > 0.005]
    apart = min(b - a for a, b in zip(seconds, seconds[1:]) if b - a > 1)
    most = 1.02 ** 31 * 1.01
    tap.check(moves and max(moves) <= most, "whatever neighbours do, a price moves by at most 31 steps of 2 %", max(moves))
    tap.check(apart >= 59, "and once a minute", apart)
    bound = math.log2(63) / 60
    tap.check(bound <= LIMIT, "which is less than 0.1 bit/s", bound)
    print(f"# bound for any attack: log2(63) / 60 s = {bound:.4f} bit/s; seen: {len(seconds)} moves, greatest factor {max(moves):.3f}")


def main():
    simulate = os.path.abspath(sys.argv[1])
    percent = int(os.environ.get("SCAPH_TEST_PERCENT", "10"))
    periods = (0.05, 0.2, 1, 5, 20, 60, 120, 300)
    distinct_prices(simulate)
    worst = 0.0
    print("# period     modulation  own load   right of       bit/s")
    for period_s in periods:
        for modulation in ("heat", "work"):
            for load in ("steady", "random", "pulse") if percent > 10 else ("random",):
                rate, right, count = attack(simulate, SHARED, period_s, modulation, load, percent)
                worst = max(worst, rate)
                print(f"# {period_s:6} s   {modulation:10}  {load:8}  {right:6} {count:6}  {rate:10.5f}", flush=True)
    tap.check(worst <= LIMIT, f"shared: at most {LIMIT} bit/s about a neighbour", worst)
    rate, right, count = attack(simulate, TRUSTED, 0.2, "heat", "steady", percent)
    print(f"# trusted, 0.2 s, heat: {right} of {count} right, {rate:.3f} bit/s")
    tap.check(rate > 1, "trusted: the same attack reads the neighbour", rate)
    tap.plan()


if __name__ == "__main__":
    main()
