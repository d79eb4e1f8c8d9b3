# SPDX-License-Identifier: Apache-2.0
"""A reader of one segment."""

import ctypes
import errno
import os
import time
from typing import Iterator, Optional, Union

from . import binding
from .errors import Result, error_of
from .figures import Bulletin, Clock, Energy, Info, Record, Span

LIBRARY = binding.LIBRARY
MODES = {"auto": 0, "coherent": 1, "snapshot": 2}
BATCH = 256  # records taken in one call
SLICE_NS = 250_000_000  # waits are cut so that a signal is heard
NS_PER_S = 1_000_000_000


class Reader:
    """Attached to one segment. One thread at a time uses it; readers are independent of each other.

    Use it as a context manager, or close() it.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"], mode: str = "auto", guard: bool = False,
                 history: bool = False) -> None:
        """path: a segment file, a share folder, or a device, as scaph_open(3).

        mode: auto, coherent or snapshot. guard: a process-wide SIGBUS handler, so that a file cut under the reader cannot end the
        process. history: begin at the oldest record, not at the newest.
        """
        self.path = os.fsdecode(path)
        options = binding.COptions()
        if mode not in MODES:
            raise ValueError(f"mode {mode!r}: it is one of {', '.join(MODES)}")
        options.mode, options.guard, options.history = MODES[mode], int(guard), int(history)
        self._handle: Optional[ctypes._Pointer] = None
        handle = binding.Handle()
        result = LIBRARY.scaph_open(os.fsencode(path), ctypes.byref(options), ctypes.byref(handle))
        if result:
            raise error_of(result, "", self.path)
        self._handle = handle

    def close(self) -> None:
        if self._handle is not None:
            LIBRARY.scaph_close(self._handle)
        self._handle = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    @property
    def _open(self) -> "ctypes._Pointer":
        if self._handle is None:
            raise ValueError(f"{self.path}: the reader is closed")
        return self._handle

    def _must(self, result: int) -> None:
        if result:
            raise error_of(result, self.reason if result > 0 else "", self.path)

    @property
    def reason(self) -> str:
        """Why there is no figure: one clause; empty while there are figures."""
        return LIBRARY.scaph_reason(self._open).decode(errors="replace")

    def latest(self, timeout: float = 0) -> Record:
        """The newest record. timeout: seconds to wait for the first one; a new reader has none for a window."""
        record, end = binding.CRecord(), time.monotonic() + timeout
        while True:
            result = LIBRARY.scaph_latest(self._open, ctypes.byref(record))
            if result not in (Result.UNPROVEN, Result.EMPTY) or time.monotonic() >= end:
                self._must(result)
                return Record.of(record)
            time.sleep(0.005)

    def wait(self, timeout: Optional[float] = None, batch: float = 0.05) -> bool:
        """Sleep until there is something new, in batches of at least so many seconds (at most 0.25); whether there is."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left_ns = SLICE_NS if end is None else min(SLICE_NS, max(0, int((end - time.monotonic()) * NS_PER_S)))
            result = LIBRARY.scaph_wait(self._open, left_ns, min(int(batch * NS_PER_S), SLICE_NS))
            if result == Result.OK:
                return True
            if result < 0 and result != -errno.EINTR:
                self._must(result)
            # Whoever pressed Ctrl-C is heard here, between two slices.
            if end is not None and time.monotonic() >= end:
                return False

    def records(self, timeout: Optional[float] = None, batch: float = 0.05, events: bool = False) -> Iterator[Union[Record, Result]]:
        """Every record in order, as they come, without an end; with events also Result.LAPPED and Result.EPOCH where they happen.

        EmptyError: nothing came for timeout seconds. StaleError, WithheldError, RefusedError: as they say; go on if you like.
        """
        taken, count = (binding.CRecord * BATCH)(), ctypes.c_size_t()
        while True:
            result = LIBRARY.scaph_next_many(self._open, taken, BATCH, ctypes.byref(count))
            if result == Result.OK:
                for at in range(count.value):
                    yield Record.of(taken[at])
            elif result in (Result.LAPPED, Result.EPOCH):
                if events:
                    yield Result(result)
            elif result in (Result.EMPTY, Result.UNPROVEN):
                if not self.wait(timeout, batch):
                    raise error_of(result, self.reason, self.path)
            else:
                self._must(result)

    def __iter__(self) -> Iterator[Record]:
        return self.records()  # type: ignore[return-value]

    def window(self, seconds: float = 1) -> Span:
        """Energy and mean power over the last span."""
        span = binding.CSpan()
        self._must(LIBRARY.scaph_window(self._open, int(seconds * NS_PER_S), ctypes.byref(span)))
        return Span.of(span)

    def energy_between(self, t0_ns: int, t1_ns: int, timeout: float = 0) -> Energy:
        """Energy between two readings of time.monotonic_ns(), with bounds that hold; see scaph_energy_between(3).

        timeout: seconds to wait for the record that covers t1_ns; with 0 NotYetError says that it is not there.
        """
        energy, end = binding.CEnergy(), time.monotonic() + timeout
        while True:
            left_ns = min(SLICE_NS, max(0, int((end - time.monotonic()) * NS_PER_S)))
            result = LIBRARY.scaph_energy_await(self._open, t0_ns, t1_ns, left_ns, ctypes.byref(energy))
            again = result in (Result.NOT_YET, Result.UNPROVEN) or result == -errno.EINTR
            if not again or time.monotonic() >= end:
                self._must(result)
                return Energy.of(energy)

    def meter(self, timeout: float = 2) -> "Meter":
        """``with reader.meter() as meter: ...`` and then meter.energy()."""
        return Meter(self, timeout)

    def clock(self) -> Clock:
        """How the host's times are told on time.monotonic_ns()."""
        clock = binding.CClock()
        self._must(LIBRARY.scaph_clock_read(self._open, ctypes.byref(clock)))
        return Clock(clock.epoch_id, clock.offset_ns, clock.error_ns)

    def sync_clock(self, timeout: float = 3) -> None:
        """Know the clock to a part of a millisecond; takes about a second, and lasts for minutes."""
        self._must(LIBRARY.scaph_clock_sync(self._open, int(timeout * NS_PER_S)))

    @property
    def totals(self) -> Span:
        """Sums of what records() has given: never step back."""
        span = binding.CSpan()
        LIBRARY.scaph_totals(self._open, ctypes.byref(span))
        return Span.of(span)

    @property
    def lost(self) -> int:
        """Records known to be lost."""
        return LIBRARY.scaph_lost(self._open)

    @property
    def age_ns(self) -> int:
        """Time since the last record."""
        return LIBRARY.scaph_age_ns(self._open)

    @property
    def info(self) -> Info:
        info = binding.CInfo()
        self._must(LIBRARY.scaph_describe(self._open, ctypes.byref(info)))
        return Info.of(info)

    def bulletin(self) -> Bulletin:
        bulletin = binding.CBulletin()
        self._must(LIBRARY.scaph_bulletin_read(self._open, ctypes.byref(bulletin)))
        return Bulletin.of(bulletin)


class Meter:
    """A block of code, from when it is entered to when it is left."""

    def __init__(self, reader: Reader, timeout: float) -> None:
        self.reader, self.timeout = reader, timeout
        self.t0_ns: Optional[int] = None
        self.t1_ns: Optional[int] = None

    def __enter__(self) -> "Meter":
        self.t0_ns, self.t1_ns = time.monotonic_ns(), None
        return self

    def __exit__(self, *_: object) -> None:
        self.t1_ns = time.monotonic_ns()

    def energy(self) -> Energy:
        """Waits for the block's last record: a window or two."""
        if self.t0_ns is None or self.t1_ns is None:
            raise ValueError("the block has not ended yet")
        return self.reader.energy_between(self.t0_ns, self.t1_ns, self.timeout)


def between(first: Record, last: Record) -> Span:
    """Energy between two records of one reader; GapError where there is none, not even zero."""
    span = binding.CSpan()
    result = LIBRARY.scaph_between(ctypes.byref(first.as_c()), ctypes.byref(last.as_c()), ctypes.byref(span))
    if result:
        raise error_of(result, "", f"records {first.number} and {last.number}")
    return Span.of(span)

