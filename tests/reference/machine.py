# SPDX-License-Identifier: Apache-2.0
"""Energy of each window from what msrfs handed out; from scaphd's record only when windows ended and who ran in them.

A window's counter is the first value handed out at or after its time. Another thread of the daemon may have read in between:
then it is the next one that the record names. A number in the record that was never handed out is an error.
"""

from fractions import Fraction

from reference.ledger import Window

LOW = 0xffffffff
RESET = 2**31  # a greater step is a counter that began anew


class Machine:
    """cpus: by package, those through which its registers are read. registers: by zone and "unit"."""

    def __init__(self, cpus, registers, fixed_units):
        self.cpus, self.registers, self.fixed_units = cpus, registers, fixed_units

    def step_uj(self, log, package, zone):
        """Energy of a count, by the unit register as it was handed out: bits 12:8, 2^-n joule."""
        _, values = log.of(self.cpus[package], self.registers["unit"])
        exponent = self.fixed_units.get(zone, values[0] >> 8 & 0x1f)
        return Fraction(10**6, 2**exponent)

    def windows(self, log, record):
        """Windows for a ledger; self.second_choices counts where the first value was another thread's."""
        self.second_choices = 0
        steps = {(package, zone): self.step_uj(log, package, zone) for package, zone in record.columns}
        before = record.baseline
        raw = self.counters(log, record.baseline, record.windows[0].mono_ns)
        found = []
        for at, window in enumerate(record.windows):
            until_ns = record.windows[at + 1].mono_ns if at + 1 < len(record.windows) else None
            now = self.counters(log, window, until_ns)
            energy_uj = {}
            for column, step_uj in steps.items():
                counts = now[column] - raw[column] & LOW
                if counts >= RESET:
                    raise ValueError(f"window {window.mono_ns}: {column} began anew")
                energy_uj[column] = counts * step_uj
            found.append(Window(window.mono_ns, window.mono_ns - before.mono_ns, energy_uj, window.busy_ns, window.domains,
                                window.own_ns, window.traffic, window.divided))
            before, raw = window, now
        return found

    def counters(self, log, window, until_ns):
        found = {}
        for (package, zone), recorded in window.raw.items():
            values = [value & LOW for value in log.after(self.cpus[package], self.registers[zone], window.mono_ns, until_ns)]
            if not values or recorded & LOW not in values:
                raise ValueError(f"window {window.mono_ns}: {zone}@{package} was recorded as {recorded}, and handed out as "
                                 f"{values[:5]}")
            self.second_choices += values[0] != recorded & LOW
            found[package, zone] = values[0] if values[0] == recorded & LOW else recorded & LOW
        return found
