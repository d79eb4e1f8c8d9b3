# SPDX-License-Identifier: Apache-2.0
"""The same windows, told otherwise: what must not matter to an account, and what must."""

from fractions import Fraction

from reference.ledger import Window


def told(window, domains):
    return Window(window.mono_ns, window.dt_ns, window.energy_uj, window.busy_ns, domains, window.own_ns, window.traffic,
                  window.divided)


def in_other_order(windows):
    return [told(window, dict(reversed(window.domains.items()))) for window in windows]


def with_a_sleeper(windows, uuid, vcpus=1):
    """One domain more, that never runs."""
    return [told(window, {uuid: (vcpus, [0] * len(window.busy_ns)), **window.domains}) for window in windows]


def split_in_two(windows, uuid, first, second):
    """A domain's time and vCPUs as those of two: a third and two thirds, in whole nanoseconds."""
    found = []
    for window in windows:
        domains = dict(window.domains)
        if uuid in domains:
            vcpus, times = domains.pop(uuid)
            part = [time // 3 for time in times]
            domains[first] = (Fraction(vcpus, 3), part)
            domains[second] = (Fraction(2 * vcpus, 3), [time - own for time, own in zip(times, part)])
        found.append(told(window, domains))
    return found


def shifted(windows, giver, taker, part):
    """A part, 1 in so many, of one domain's time is counted as another's."""
    found = []
    for window in windows:
        domains = dict(window.domains)
        if giver in domains and taker in domains:
            moved = [time // part for time in domains[giver][1]]
            for uuid, sign in ((giver, -1), (taker, 1)):
                vcpus, times = domains[uuid]
                domains[uuid] = (vcpus, [time + sign * more for time, more in zip(times, moved)])
        found.append(told(window, domains))
    return found


def differences(one, other):
    """(uuid, zone) of the accounts that two ledgers have in common and that are not the same, to the last bit."""
    return [(uuid, zone) for uuid in one.domains.keys() & other.domains.keys()
            for zone, grid in one.domains[uuid].grid.items() if other.domains[uuid].grid[zone] != grid]
