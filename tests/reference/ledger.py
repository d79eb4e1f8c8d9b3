# SPDX-License-Identifier: Apache-2.0
"""Who used how much energy, in exact fractions: a second account of what scaphd publishes, from the formula alone.

It knows the written formula and no code of the daemon. Per package, zone and window, with E microjoules measured, B busy time,
t the domain's, v its vCPUs, C the CPUs of the host, and P the idle power, an equal part of the host's for each package:

    x = E - P dt + debt;   x < 0: debt = x, D = 0;   else debt = 0, D = x;   I = E - D
    each domain:  D t / B  +  I v / max(sum of v, C)      the sum and C are the host's, the same for every package

Only the package zone has an idle part. B = 0: D stays with the host. Where a window has traffic, B and t of the dram zone are bytes:
those of the package and those of the domain. A window that cannot be known (the machine slept in it, say) is not divided: its energy
is in the host's total, and unattributed.

Every term is an exact fraction. Sums are kept in units of 2^-128 microjoule, each term rounded down, for the denominators of
exact ones grow without end: after a million windows that is less than 10^-32 microjoule.
"""

from fractions import Fraction

GRID = 2**128


def on_grid(value):
    return value.numerator * GRID // value.denominator


def whole_uj(grid):
    return grid // GRID


class Window:
    """What is divided: energy_uj by (package, zone), busy_ns by package, domains: uuid -> (vcpus, [cpu_ns by package]).

    own_ns: CPU time of the daemon itself by package, part of the residual; or None. traffic: bytes by package of all there is, and
    of each domain by its uuid; or None: dram goes by CPU time. divided: among domains.
    """

    def __init__(self, mono_ns, dt_ns, energy_uj, busy_ns, domains, own_ns=None, traffic=None, divided=True):
        self.traffic = traffic
        self.mono_ns, self.dt_ns = mono_ns, dt_ns
        self.energy_uj, self.busy_ns, self.domains, self.own_ns = energy_uj, busy_ns, domains, own_ns
        self.divided = divided


class Figures:
    """What is published of one account, in whole microjoules."""

    def __init__(self, package_uj, core_uj, dram_uj, idle_uj):
        self.package_uj, self.core_uj, self.dram_uj, self.idle_uj = package_uj, core_uj, dram_uj, idle_uj

    def values(self):
        return self.package_uj, self.core_uj, self.dram_uj, self.idle_uj

    def __repr__(self):
        return "package %d core %d dram %d idle %d" % self.values()


class Account:
    def __init__(self):
        self.grid = {"package": 0, "core": 0, "dram": 0, "idle": 0}

    def add(self, zone, value):
        if zone in self.grid:
            self.grid[zone] += on_grid(value)

    def figures(self):
        return Figures(*(whole_uj(self.grid[zone]) for zone in ("package", "core", "dram", "idle")))


class Ledger:
    def __init__(self, packages, cpus, idle_watts=None):
        self.packages, self.cpus = packages, cpus
        self.idle_watts = idle_watts
        self.host, self.own, self.unattributed = Account(), Account(), Account()
        self.domains = {}
        self.begin()

    def begin(self):
        """A new run of the daemon: accounts go on, what was owed is forgotten."""
        self.debt = [Fraction(0)] * self.packages

    def split(self, package, zone, energy_uj, dt_ns):
        """Dynamic and idle part."""
        if zone != "package" or self.idle_watts is None:
            return energy_uj, Fraction(0)
        idle_uj = Fraction(self.idle_watts) * dt_ns / 1000 / self.packages  # a watt is 10^-3 uJ a ns
        x = energy_uj - idle_uj + self.debt[package]
        self.debt[package] = min(x, Fraction(0))
        dynamic = max(x, Fraction(0))
        return dynamic, energy_uj - dynamic

    def close(self, window):
        seats = max(sum(vcpus for vcpus, _ in window.domains.values()), self.cpus)
        for package in range(self.packages):
            asked = sum(times[package] for _, times in window.domains.values())
            if asked > window.busy_ns[package]:
                raise ValueError(f"window {window.mono_ns}: domains ran {asked} ns on package {package}, "
                                 f"which was busy for {window.busy_ns[package]} ns")
        for (package, zone), energy_uj in window.energy_uj.items():
            if not window.divided:
                self.host.add(zone, energy_uj)
                self.unattributed.add(zone, energy_uj)
                continue
            dynamic, idle = self.split(package, zone, energy_uj, window.dt_ns)
            self.host.add(zone, energy_uj)
            if zone == "package":
                self.host.add("idle", idle)
            busy_ns = window.busy_ns[package]
            if busy_ns and window.own_ns:
                self.own.add(zone, dynamic * window.own_ns[package] / busy_ns)
            for uuid, (vcpus, times) in window.domains.items():
                account = self.domains.setdefault(uuid, Account())
                if zone == "dram" and window.traffic:
                    whole, parts = window.traffic
                    account.add(zone, dynamic * parts[uuid][package] / whole[package])
                elif busy_ns:
                    account.add(zone, dynamic * times[package] / busy_ns)
                if idle:
                    own = idle * Fraction(vcpus) / seats
                    account.add(zone, own)
                    account.add("idle", own)

    def figures(self, uuid):
        return self.domains[uuid].figures()

    def host_figures(self):
        return self.host.figures()

    def residual_uj(self):
        """Energy of no domain, of windows that were divided. May be below 0 if the formula was not followed."""
        given = sum(account.grid["package"] for account in self.domains.values())
        return whole_uj(self.host.grid["package"] - self.unattributed.grid["package"] - given)

    def exact(self, uuid):
        """A domain's package energy to the last bit, for sums to be rounded once."""
        return self.domains[uuid].grid["package"]


def float_uj(exact, published_uj):
    """Exact package energy of domains that are charged by price (from Ledger.exact), less what was published to them."""
    return whole_uj(sum(exact) - GRID * sum(published_uj))
