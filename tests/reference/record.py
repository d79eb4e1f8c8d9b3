# SPDX-License-Identifier: Apache-2.0
"""What scaphd --record wrote: raw counters, and the meter's part of each window. docs/man/scaph-trace.5 is its document."""

from fractions import Fraction


class Window:
    """One closed window: when it ended, raw counters by (package, zone), busy time by package, domains in it."""

    def __init__(self, mono_ns, raw, busy_ns):
        self.mono_ns, self.raw, self.busy_ns = mono_ns, raw, busy_ns
        self.domains = {}  # uuid -> (vcpus, [cpu_ns by package])
        self.own_ns = None
        self.traffic = None  # or ([bytes by package], uuid -> [bytes by package])
        self.divided = True  # among domains; else its energy is nobody's


class Record:
    def __init__(self, path):
        self.columns = []  # (package, zone)
        self.step_uj, self.range = {}, {}  # by column
        self.idle_watts, self.quality = None, "measured"
        self.baseline = None
        self.windows = []
        self.numbers = None  # the last line of numbers
        with open(path) as file:
            lines = file.read().split("\n")
        # A line that was being written when the daemon was killed is none.
        lines.pop()
        if lines[0] != "scaphring-trace 1":
            raise ValueError(f"{path}: the first line is {lines[0]!r}")
        for at, line in enumerate(lines[1:], 2):
            try:
                self.take(line.split())
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise ValueError(f"{path}:{at}: {line!r}: {error!r}") from error

    @property
    def packages(self):
        return 1 + max(package for package, _ in self.columns)

    @staticmethod
    def column(word):
        zone, _, package = word.partition("@")
        return int(package or 0), zone

    def take(self, words):
        if words == ["#", "not", "divided"]:
            self.windows[-1].divided = False
        if not words or words[0].startswith("#"):
            return
        kind, rest = words[0], words[1:]
        if kind.isdigit():
            self.take_numbers(int(kind), [int(word) for word in rest])
        elif kind == "zones":
            self.columns = [self.column(word) for word in rest]
            self.step_uj = {column: Fraction(1) for column in self.columns}
        elif kind == "unit":
            self.step_uj[self.column(rest[0])] = Fraction(int(rest[1]), 2**32)
        elif kind == "range":
            self.range[self.column(rest[0])] = int(rest[1])
        elif kind == "idle_watts":
            self.idle_watts = Fraction(rest[0])
        elif kind == "quality":
            self.quality = rest[0]
        elif kind == "window":
            self.take_window(int(rest[0]), [int(word) for word in rest[1:]])
        elif kind == "cpu":
            self.windows[-1].domains[rest[0].lower()] = (int(rest[1]), [int(word) for word in rest[2:]])
        elif kind == "traffic":
            self.windows[-1].traffic = ([int(word) for word in rest], {})
        elif kind == "bytes":
            self.windows[-1].traffic[1][rest[0].lower()] = [int(word) for word in rest[1:]]
        elif kind == "self":
            self.windows[-1].own_ns = [int(word) for word in rest]
        else:
            raise ValueError("no line of a trace")

    def take_numbers(self, mono_ns, values):
        if len(values) != len(self.columns):
            raise ValueError("one number a column")
        self.numbers = Window(mono_ns, dict(zip(self.columns, values)), None)
        if self.baseline is None:
            self.baseline = self.numbers

    def take_window(self, mono_ns, busy_ns):
        if mono_ns != self.numbers.mono_ns:
            raise ValueError("not the time of the line of numbers before it")
        self.windows.append(Window(mono_ns, self.numbers.raw, busy_ns))
