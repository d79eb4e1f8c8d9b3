#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph_energy_between() against the truth: random spans of 5 ms to 5 s of a power that is known at every instant.

Usage: test_energy_between.py SCAPHD SCAPH SPANS MSRFS. Prints TAP. 10,000 spans of a trace, 1,000 of counters.

A trace whose power changes every 1 to 40 ms is played; what it had counted at an instant is what scaphd had, exactly. One domain is
given all of it: idle power is set above all that comes and goes by domain, not by CPU time. So its guest's segment, which names no
origin, has the machine's energy, and its clock has to be estimated. scaphd records what it read: that log and the trace must agree.
Then the counters of a machine, which step once a millisecond, over a sine of power.
"""

import bisect
import os
import random
import subprocess
import sys
import threading

from bench import Bench

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from msrfs.host import SKYLAKE_SERVER, Host, missing  # noqa: E402
from look import Segment  # noqa: E402

TRACE_S, RUN_S = 25, 9
STEP_NS = 100_000  # between the trace's lines
UUID = "5c0ffee0-0000-4000-8000-000000000001"
ORIGIN_AT = 368  # of the descriptor: origin_mono_ns
WINDOW_MS = 20
KINDS = {5: (4.9, 6), 50: (40, 60), 1000: (800, 1250)}  # lengths that are told apart in the report, ms


class Trace:
    """A counter in microjoules that moves every 100 us, under a power that leaps."""

    def __init__(self):
        rng = random.Random(7)
        self.uj, power_w, left = [0], 0, 0
        for _ in range(TRACE_S * 1_000_000_000 // STEP_NS):
            if not left:
                power_w, left = rng.choice((2, 8, 30, 90, 140)) + rng.random() * 10, rng.randrange(10, 400)
            left -= 1
            self.uj.append(self.uj[-1] + int(power_w * STEP_NS / 1000))

    def write(self, path):
        with open(path, "w") as file:
            file.write("scaphring-trace 1\nzones package\nidle_watts 1000\n")
            file.writelines(f"{at * STEP_NS} {uj}\n" for at, uj in enumerate(self.uj))

    def counted_uj(self, ns):
        """By the trace's own time."""
        return self.uj[int(ns // STEP_NS)]


class Log:
    """What scaphd says it read at each window's end."""

    def __init__(self, path):
        self.mono_ns, self.uj = [], []
        with open(path) as file:
            for line in file:
                if line[0].isdigit():
                    mono_ns, uj = line.split()[:2]
                    self.mono_ns.append(int(mono_ns))
                    self.uj.append(int(uj))

    def between(self, t0_ns, t1_ns):
        """The least and the most it can have been, by the log alone."""
        def at(ns):
            above = bisect.bisect_left(self.mono_ns, ns)
            below = bisect.bisect_right(self.mono_ns, ns) - 1
            return self.uj[below], self.uj[above]
        first, last = at(t0_ns), at(t1_ns)
        return max(0, last[0] - first[1]), last[1] - first[0]


class Answers:
    def __init__(self, text):
        *lines, end = text.splitlines()
        self.spans = [tuple(map(int, line.split())) for line in lines]
        self.answered, self.not_yet, self.too_old, self.gap, self.other, self.left = map(int, end.split()[1:])

    def outside(self, truth_uj):
        """Spans whose truth is not between the bounds. Both ends are whole microjoules, rounded down: one may be missing."""
        return [(span, truth) for span in self.spans for truth in [truth_uj(span[0], span[1])]
                if not span[2] - 1 <= truth <= span[4] + 1]

    def off(self, truth_uj, kind):
        """Mean energy, median of bound / energy and of the best's error / energy in per cent, of spans of one length."""
        low, high = KINDS[kind]
        of = [s for s in self.spans if low * 1e6 <= s[1] - s[0] <= high * 1e6]
        truths = [truth_uj(s[0], s[1]) for s in of]
        mean = sum(truths) / max(1, len(truths))
        bounds = sorted(s[5] for s in of)
        errors = sorted(abs(s[3] - t) for s, t in zip(of, truths))
        middle = len(of) // 2
        return 100 * bounds[middle] / mean, 100 * errors[middle] / mean, len(of)


class Asker(threading.Thread):
    """One run of spans, beside others."""

    def __init__(self, spans, path, mode, count, *words, seconds=RUN_S):
        super().__init__()
        self.command = [spans, path, mode, str(count), str(seconds), "5", str(min(5000, seconds * 900)), *words]
        self.start()

    def run(self):
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=RUN_S + 20)
        self.said, self.out = done.stderr, done.stdout

    def answers(self):
        self.join()
        return Answers(self.out)


def report(b, what, asker, truth_uj, allowed=0):
    answers = asker.answers()
    outside = answers.outside(truth_uj)
    b.check(answers.left == 0 and answers.other == 0 and answers.gap == 0 and answers.too_old == 0,
            f"{what}: all {answers.answered} spans are answered, {answers.not_yet} times not at once",
            f"{answers.left} left, {answers.gap} gaps, {answers.too_old} too old, {answers.other} else\n{asker.said}")
    inside = 100 - 100 * len(outside) / max(1, len(answers.spans))
    b.check(answers.spans and len(outside) <= allowed * len(answers.spans), f"{what}: the bound holds in {inside:.2f} %",
            "\n".join(f"{span} {truth:.0f}" for span, truth in outside[:10]))
    costs, clocks = sorted(s[7] for s in answers.spans), sorted(s[6] for s in answers.spans)
    print(f"# {what}: cost {costs[len(costs) // 2]} ns (9 of 10 below {costs[len(costs) * 9 // 10]} ns), "
          f"clock +-{clocks[len(clocks) // 2] / 1000:.0f} us (at most {clocks[-1] / 1000:.0f} us)")
    for kind in KINDS:
        bound, error, count = answers.off(truth_uj, kind)
        print(f"# {what}: spans of {kind} ms: bound {bound:.1f} % of the energy, best off by {error:.2f} %, median of {count}")
    return answers


def played(b, spans):
    trace = Trace()
    path, log = os.path.join(b.work, "trace"), os.path.join(b.work, "log")
    trace.write(path)
    load = b.load(busy=False)
    share = os.path.join(b.share(UUID), "scaph.ring")
    daemon = b.daemon(source=f"replay:{path}", domain=f"one@{UUID}=pid:{load.pid}", window=str(WINDOW_MS), record=log,
                      **{"model-watts": None, "idle": "equal"})
    origin_ns = Segment(os.path.join(b.host, UUID + ".ring")).word(ORIGIN_AT)
    askers = {"guest, coherent": Asker(spans, share, "coherent", 4000),
              "guest, snapshot": Asker(spans, share, "snapshot", 2500),
              "guest, clock not synchronized": Asker(spans, share, "coherent", 1500, "nosync"),
              "host's copy": Asker(spans, os.path.join(b.host, UUID + ".ring"), "auto", 1000),
              "host": Asker(spans, os.path.join(b.host, "host.ring"), "auto", 1000)}
    for asker in askers.values():
        asker.join()
    daemon.terminate()
    daemon.wait()
    recorded = Log(log)
    # The trace began when scaphd took its first reading, of which the log has the time.
    start_ns = recorded.mono_ns[0]
    b.check(start_ns == origin_ns and
            all(trace.counted_uj(ns - start_ns) == uj for ns, uj in zip(recorded.mono_ns, recorded.uj)),
            "scaphd's log has the trace's counter at every window's end", (start_ns, origin_ns))

    def truth_uj(t0_ns, t1_ns):
        return trace.counted_uj(t1_ns - start_ns) - trace.counted_uj(t0_ns - start_ns)

    total = 0
    for what, asker in askers.items():
        answers = report(b, what, asker, truth_uj)
        total += len(answers.spans)
        narrow = [span for span in answers.spans
                  for least, most in [recorded.between(span[0], span[1])] if span[2] > least + 1 or span[4] < most - 1]
        b.check(not narrow, f"{what}: no bound is tighter than the log allows", narrow[:5])
        if what == "guest, coherent":
            loose = [s for s in answers.spans if s[4] - s[2] > 0 and s[6] > WINDOW_MS * 1e6 / 4]
            b.check(len(loose) < len(answers.spans) / 10, f"{what}: the clock is known to a part of a window", len(loose))
    b.check(total == 10000, "10,000 spans in all", total)


LOW_MW, HIGH_MW, PERIOD_MS = 10_000, 90_000, 34
COUNTED_S = 5


def square_uj(ns):
    """Energy of msrfs' square, since its start."""
    half = PERIOD_MS * 1_000_000 // 2
    periods, rest = divmod(ns, 2 * half)
    return (periods * half * (LOW_MW + HIGH_MW) + min(rest, half) * HIGH_MW + max(rest - half, 0) * LOW_MW) / 1e6


def counted(b, spans, msrfs):
    """Real counters are old by up to a step and read a moment late: the bound allows for that, but not for a halted machine."""
    course = f"square {LOW_MW} {HIGH_MW} {PERIOD_MS}"
    with Host(msrfs, os.path.join(b.work, "machine"), SKYLAKE_SERVER, (14,), {(0, "package"): (14, 7, course)}) as host:
        b.before = host.wrap()
        load = b.load(busy=False)
        daemon = b.daemon(source="msr", domain=f"one@{UUID}=pid:{load.pid}", **{"model-watts": None, "idle-watts": "5"},
                          **host.options())
        with open(host.log) as file:
            start_ns = int(file.readline().split()[2])
        asker = Asker(spans, os.path.join(b.host, "host.ring"), "auto", 1000, seconds=COUNTED_S)
        report(b, "counters", asker, lambda t0, t1: square_uj(t1 - start_ns) - square_uj(t0 - start_ns), allowed=0.01)
        daemon.terminate()
        daemon.wait()


def main():
    scaphd, scaph, spans, msrfs = sys.argv[1:]
    with Bench(scaphd, scaph) as b:
        played(b, os.path.abspath(spans))
        reason = missing()
        if reason:
            print(f"# no counters: {reason}")
        else:
            counted(b, os.path.abspath(spans), os.path.abspath(msrfs))
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
