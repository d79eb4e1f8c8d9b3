# SPDX-License-Identifier: Apache-2.0
"""Energy of this virtual machine, or on the host of every one: libscaph for Python.

    import scaph

    with scaph.open("/var/scaphandre") as reader:
        print(reader.latest(timeout=1).package_uj)      # microjoules so far; None where it is not known

        for record in reader:                           # each window's record, 20 ms by default, without an end
            print(record.number, record.package_uj)
            break

        reader.sync_clock()                             # once; so that an instant is known to a part of a millisecond
        with reader.meter() as meter:
            sum(range(10_000_000))
        energy = meter.energy()
        print(energy.joules, "+-", energy.bound_joules, "J")

Needs nothing but libscaph.so.0 (or the file that SCAPH_LIBRARY names). Figures are whole microjoules and nanoseconds as the host
counted them; what is not known is None, never 0. What stands in the way of a figure is raised: ScaphError and its kinds, OSError for
what the system refuses. A reader is used by one thread at a time. All calls let other threads run; one on a share that hangs does not
return: programs that must stay alive read in a thread of their own.
"""

import os
from typing import Union

from .errors import (EmptyError, GapError, NotYetError, RefusedError, Result, ScaphError, StaleError, TooOldError, UnprovenError,
                     WithheldError)
from .figures import Bounds, Bulletin, Clock, Energy, Flag, Info, Record, Span, State
from .reader import Meter, Reader, between


def open(path: Union[str, "os.PathLike[str]"] = "/var/scaphandre", mode: str = "auto", guard: bool = False,
         history: bool = False) -> Reader:
    """Open a segment: see Reader."""
    return Reader(path, mode, guard, history)


__all__ = ["Bounds", "Bulletin", "Clock", "EmptyError", "Energy", "Flag", "GapError", "Info", "Meter", "NotYetError", "Reader",
           "Record", "RefusedError", "Result", "ScaphError", "Span", "StaleError", "State", "TooOldError", "UnprovenError",
           "WithheldError", "between", "open"]
