#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference itself: windows calculated by hand, a record with the log it belongs to, and that it can say no.

Prints TAP.
"""

import os
import sys
import tempfile
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from msrfs.msrlog import Log  # noqa: E402
from reference.ledger import Ledger, Window, float_uj  # noqa: E402
from reference.machine import Machine  # noqa: E402
from reference.record import Record  # noqa: E402
from reference.vary import differences, in_other_order, shifted, split_in_two, with_a_sleeper  # noqa: E402
from tap import Tap  # noqa: E402

MS = 10**6


def by_hand(tap):
    """100 ms at 20 W of idle power, 10 W a package: 1 J each."""
    ledger = Ledger(2, 4, 20)
    energy = {(0, "package"): Fraction(3_000_000), (0, "core"): Fraction(900_000), (0, "dram"): Fraction(300_001),
              (1, "package"): Fraction(500_000)}
    ledger.close(Window(100 * MS, 100 * MS, energy, [80 * MS, 0],
                        {"a": (1, [20 * MS, 0]), "b": (2, [40 * MS, 0])}, [10 * MS, 0]))
    # Package 0: D = 2 J, I = 1 J. a: 2/4 + 1/4 J, b: 2/2 + 2/4 J. Package 1: D = 0, 0.5 J are owed; I = 0.5 J: 1/8 and 1/4 J.
    tap.check(ledger.figures("a").values() == (875_000, 225_000, 75_000, 375_000), "dynamic by time, idle by vCPUs",
              ledger.figures("a"))
    tap.check(ledger.figures("b").values() == (1_750_000, 450_000, 150_000, 750_000), "twice that for twice", ledger.figures("b"))
    tap.check(ledger.host_figures().values() == (3_500_000, 900_000, 300_001, 1_500_000), "the host's is the sum",
              ledger.host_figures())
    tap.check(ledger.residual_uj() == 875_000, "what nobody had is the residual", ledger.residual_uj())
    # Package 1 again: 1.75 J: 1 J idle, 0.5 J pays the debt, 0.25 J for b alone. More vCPUs than CPUs: 1/6 and 5/6 of the idle.
    ledger.close(Window(200 * MS, 100 * MS, {(1, "package"): Fraction(1_750_000)}, [0, 10 * MS],
                        {"a": (1, [0, 0]), "b": (5, [0, 10 * MS])}))
    tap.check(ledger.figures("a").values() == (875_000 + 250_000, 225_000, 75_000, 375_000 + 250_000), "a debt is paid first",
              ledger.figures("a"))
    tap.check(ledger.figures("b").values() == (1_750_000 + 1_500_000, 450_000, 150_000, 750_000 + 1_250_000),
              "an overcommitted host's idle power is divided by vCPUs", ledger.figures("b"))
    # Nobody ran: D is the host's. A domain that is not there gets nothing.
    ledger.close(Window(300 * MS, 100 * MS, {(0, "package"): Fraction(1_400_000)}, [0, 0], {"b": (4, [0, 0])}))
    tap.check(ledger.figures("a").package_uj == 1_125_000 and ledger.figures("b").package_uj == 4_250_000,
              "without busy time D stays with the host", ledger.figures("b"))
    tap.check(ledger.residual_uj() == 3_500_000 + 1_750_000 + 1_400_000 - 5_375_000, "it goes to the residual")
    # Not divided: the host's, nobody's, and no idle energy is owed for it.
    aside = Ledger(1, 4, 10)
    aside.close(Window(100 * MS, 100 * MS, {(0, "package"): Fraction(700_000)}, [MS], {"a": (4, [MS])}, divided=False))
    aside.close(Window(200 * MS, 100 * MS, {(0, "package"): Fraction(1_000_000)}, [MS], {"a": (4, [MS])}))
    tap.check(aside.host_figures().package_uj == 1_700_000 and aside.unattributed.figures().package_uj == 700_000 and
              aside.figures("a").package_uj == 1_000_000 and aside.residual_uj() == 0, "what is not divided is nobody's",
              aside.figures("a"))
    tap.check(float_uj([ledger.exact("a"), ledger.exact("b")], [1_000_000, 4_250_001]) == 124_999,
              "the float is exact less published")
    tap.check(ledger.own.figures().package_uj == 250_000, "the daemon's own energy is what its time is of the busy time",
              ledger.own.figures())
    traffic = Ledger(1, 1)
    traffic.close(Window(0, MS, {(0, "package"): Fraction(900), (0, "dram"): Fraction(900)}, [3], {"a": (1, [2]), "b": (1, [0])},
                         None, ([9], {"a": [1], "b": [5]})))
    tap.check(traffic.figures("a").values() == (600, 0, 100, 0) and traffic.figures("b").values() == (0, 0, 500, 0),
              "with traffic dram goes by it, and package by time", traffic.figures("b"))
    third = Ledger(1, 1)
    for _ in range(3):
        third.close(Window(0, MS, {(0, "package"): Fraction(1, 2)}, [3], {"a": (1, [2])}))
    tap.check(third.figures("a").values() == (0, 0, 0, 0), "a figure is rounded down", third.figures("a"))
    third.close(Window(0, MS, {(0, "package"): Fraction(1, 2)}, [1], {"a": (1, [1])}))
    tap.check(third.figures("a").values() == (1, 0, 0, 0), "and loses nothing on the way; no idle power known: no idle part")
    try:
        third.close(Window(0, MS, {}, [3], {"a": (1, [2]), "b": (1, [2])}))
        tap.check(False, "domains that ran longer than the host are refused")
    except ValueError:
        tap.check(True, "domains that ran longer than the host are refused")


RECORD = """scaphring-trace 1
zones package dram package@1 dram@1
unit package 262144000000
unit package@1 524288000000
range package 4294967295
idle_watts 2.5
quality measured
# a comment

1000 4294967290 5 7 9
2000 10 6 7 9
window 2000 900 100
cpu 6BA7B810-9dad-11d1-80b4-00c04fd430c8 2 300 0
self 1 2
3000 20 7 8 9
4000 30 8 9 10
window 4000 0 0
# not divided
4100 30
"""
LOG = """# start 0
10 0 0x606 0xa0e03
11 1 0x606 0xa0d03
1001 0 0x611 0xabcdef01fffffffa
1002 0 0x619 0x5
1003 1 0x611 0x7
1004 1 0x619 0x9
1005 0 0x641 error 5
# 1500 still 0 0x611
2003 0 0x611 0x10000000a
2004 0 0x619 0x6
2005 1 0x611 0x7
2006 1 0x619 0x9
4001 0 0x611 0x1d
4003 0 0x611 0x1e
4004 0 0x619 0x8
4005 1 0x611 0x9
4006 1 0x619 0xa
"""


def by_files(tap):
    def make(record, log):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("record", record), ("log", log)):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            return Record(os.path.join(folder, "record")), Log(os.path.join(folder, "log"))

    machine = Machine([{0}, {1}], {"unit": 0x606, "package": 0x611, "dram": 0x619}, {"dram": 16})
    record, log = make(RECORD.removesuffix("4100 30\n") + "4100 30", LOG)
    tap.check(record.packages == 2 and record.idle_watts == Fraction(5, 2) and len(record.windows) == 2 and
              record.step_uj[0, "package"] == Fraction(10**6, 2**14) and record.windows[0].own_ns == [1, 2],
              "a record is read, up to a line that was not finished")
    windows = machine.windows(log, record)
    unit14, unit13, unit16 = (Fraction(10**6, 2**bits) for bits in (14, 13, 16))
    tap.check(windows[0].energy_uj == {(0, "package"): 16 * unit14, (0, "dram"): unit16, (1, "package"): 0, (1, "dram"): 0},
              "energy by units as handed out, over a wrap", windows[0].energy_uj)
    tap.check(windows[1].energy_uj == {(0, "package"): 20 * unit14, (0, "dram"): 2 * unit16, (1, "package"): 2 * unit13,
                                       (1, "dram"): unit16}, "the next window begins where it ended", windows[1].energy_uj)
    tap.check([window.divided for window in windows] == [True, False], "what was not divided is known as such")
    tap.check([window.dt_ns for window in windows] == [1000, 2000] and machine.second_choices == 1,
              "another thread's reading in between is known as such")
    tap.check(windows[0].domains == {"6ba7b810-9dad-11d1-80b4-00c04fd430c8": (2, [300, 0])}, "domains by UUID")
    for what, word, text, log_text in (
            ("a recorded value that was never handed out", "handed out as", RECORD.replace("2000 10 6", "2000 11 6"), LOG),
            ("a counter that began anew", "began anew", RECORD.replace("4000 30", "4000 1"), LOG.replace("0x1e", "0x1")),
            ("a window of another time", "not the time", RECORD.replace("window 4000", "window 4001"), LOG),
            ("a line that is none", "no line of a trace", RECORD.replace("self", "shelf"), LOG)):
        try:
            machine.windows(*reversed(make(text.removesuffix("4100 30\n"), log_text)))
            tap.check(False, f"refused: {what}")
        except ValueError as error:
            tap.check(word in str(error), f"refused: {what}", error)


def variations(tap):
    """What must not matter does not, and what must be found is."""
    state = 1
    windows = []
    for at in range(300):
        numbers = []
        for _ in range(12):
            state = state * 6364136223846793005 + 1442695040888963407 & 2**64 - 1
            numbers.append(state >> 40)
        times = {uuid: (1, [numbers[2 * i], numbers[2 * i + 1]]) for i, uuid in enumerate("abc")}
        busy = [sum(times[uuid][1][p] for uuid in times) + numbers[6 + p] for p in range(2)]
        energy = {(p, zone): Fraction(numbers[8 + p] >> shift, 3) for p in range(2)
                  for zone, shift in (("package", 4), ("dram", 9))}
        windows.append(Window(at * 20 * MS, 20 * MS, energy, busy, times))

    def run(of, cpus=16):
        ledger = Ledger(2, cpus, 12)
        for window in of:
            ledger.close(window)
        return ledger

    plain = run(windows)
    tap.check(not differences(plain, run(in_other_order(windows))), "order does not matter")
    tap.check(not differences(plain, run(with_a_sleeper(windows, "z"))), "a sleeping domain more changes no other")
    halves = run(split_in_two(windows, "b", "b1", "b2"))
    tap.check(not differences(plain, halves), "a domain in two parts changes no other")
    sums = [abs(halves.domains["b1"].grid[zone] + halves.domains["b2"].grid[zone] - plain.domains["b"].grid[zone])
            for zone in ("package", "dram", "idle")]
    tap.check(max(sums) < 10**4, "and the parts make the whole", sums)
    tap.check(differences(plain, run(shifted(windows, "a", "b", 100))), "1 % of one's time given to another is seen")
    tight = differences(run(windows, 1), run(with_a_sleeper(windows, "z"), 1))
    tap.check(tight and all(zone in ("package", "idle") for _, zone in tight),
              "where vCPUs outnumber CPUs a sleeper takes its part of the idle power, and of nothing else", tight)


def main():
    tap = Tap()
    by_hand(tap)
    by_files(tap)
    variations(tap)
    tap.plan()


if __name__ == "__main__":
    main()
