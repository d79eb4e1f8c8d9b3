# SPDX-License-Identifier: Apache-2.0
"""Figures as Python has them. What is not known is None, never 0."""

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

from . import binding


class Flag(enum.IntFlag):
    """enum scaph_record_flag: what is known, and of which kind it is."""

    HAS_PACKAGE = 1 << 0
    HAS_CORE = 1 << 1
    HAS_DRAM = 1 << 2
    HAS_IDLE = 1 << 3
    HAS_CPU = 1 << 4
    IS_ESTIMATED = 1 << 8
    IS_FILTERED = 1 << 9
    IS_LATE = 1 << 10
    IS_COARSE = 1 << 11
    IS_PRICED = 1 << 12
    IS_BY_TRAFFIC = 1 << 13


_KNOWN = {"package_uj": Flag.HAS_PACKAGE, "core_uj": Flag.HAS_CORE, "dram_uj": Flag.HAS_DRAM, "idle_uj": Flag.HAS_IDLE,
          "cpu_ns": Flag.HAS_CPU}


def _known(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) if of.flags & bit else None for name, bit in _KNOWN.items()}


@dataclass(frozen=True)
class Record:
    """What had been used by the end of one window. Subtract with scaph.between(), which knows when one must not."""

    epoch_id: int
    number: int
    mono_ns: int  # end of the window on the host's clock, since the epoch's origin
    package_uj: Optional[int]
    core_uj: Optional[int]
    dram_uj: Optional[int]
    idle_uj: Optional[int]
    cpu_ns: Optional[int]
    breaks: int
    flags: Flag

    @classmethod
    def of(cls, record: binding.CRecord) -> "Record":
        return cls(epoch_id=record.epoch_id, number=record.number, mono_ns=record.mono_ns, breaks=record.breaks,
                   flags=Flag(record.flags), **_known(record))

    def as_c(self) -> binding.CRecord:
        figures = {name: getattr(self, name) or 0 for name in _KNOWN}
        return binding.CRecord(epoch_id=self.epoch_id, number=self.number, mono_ns=self.mono_ns, breaks=self.breaks,
                               flags=self.flags, **figures)


@dataclass(frozen=True)
class Span:
    """Energy between two records."""

    duration_ns: int
    package_uj: Optional[int]
    core_uj: Optional[int]
    dram_uj: Optional[int]
    idle_uj: Optional[int]
    cpu_ns: Optional[int]
    power_uw: Optional[int]  # mean of package_uj over duration_ns
    flags: Flag

    @classmethod
    def of(cls, span: binding.CSpan) -> "Span":
        known = span.flags & Flag.HAS_PACKAGE and span.duration_ns
        return cls(duration_ns=span.duration_ns, power_uw=span.power_uw if known else None, flags=Flag(span.flags), **_known(span))

    @property
    def watts(self) -> Optional[float]:
        return None if self.power_uw is None else self.power_uw / 1e6


class Bounds(NamedTuple):
    """A figure that lies between least and most for certain."""

    least: int
    best: int
    most: int


@dataclass(frozen=True)
class Energy:
    """Energy between two instants of time.monotonic_ns(), with what it may be off by."""

    epoch_id: int
    duration_ns: int
    package_uj: Optional[Bounds]
    core_uj: Optional[Bounds]
    dram_uj: Optional[Bounds]
    idle_uj: Optional[Bounds]
    cpu_ns: Optional[Bounds]
    bound_uj: int  # package_uj.best is off by this at most
    clock_ns: int  # how uncertain either end was in the host's time
    flags: Flag

    @classmethod
    def of(cls, energy: binding.CEnergy) -> "Energy":
        bounds = {name: value and Bounds(value.least, value.best, value.most) for name, value in _known(energy).items()}
        return cls(epoch_id=energy.epoch_id, duration_ns=energy.duration_ns, bound_uj=energy.bound_uj, clock_ns=energy.clock_ns,
                   flags=Flag(energy.flags), **bounds)

    @property
    def joules(self) -> Optional[float]:
        return None if self.package_uj is None else self.package_uj.best / 1e6

    @property
    def bound_joules(self) -> Optional[float]:
        return None if self.package_uj is None else self.bound_uj / 1e6


class Clock(NamedTuple):
    """time.monotonic_ns() = a record's mono_ns + offset_ns, give or take error_ns."""

    epoch_id: int
    offset_ns: int
    error_ns: int


@dataclass(frozen=True)
class Info:
    """What the segment says of itself."""

    name: str  # as the host wrote it: escape it before showing
    uuid: str
    source: str
    meter: str
    profile: str
    mode: str
    epoch_id: int
    window_ns: int
    origin_mono_ns: Optional[int]  # host segments only
    is_host: bool
    is_estimated: bool

    @classmethod
    def of(cls, info: binding.CInfo) -> "Info":
        texts = {name: getattr(info, name).decode(errors="replace")
                 for name in ("name", "uuid", "source", "meter", "profile", "mode")}
        return cls(epoch_id=info.epoch_id, window_ns=info.window_ns, origin_mono_ns=info.origin_mono_ns or None,
                   is_host=bool(info.is_host), is_estimated=bool(info.is_estimated), **texts)


class State(enum.IntEnum):
    """enum scaph_bulletin_state."""

    LIVE = 1
    PAUSED = 2
    RETIRED = 3


_VALID = {"wall_ns": 1 << 0, "mono_ns": 1 << 0, "uncore_uj": 1 << 2, "psys_uj": 1 << 3, "residual_uj": 1 << 6,
          "unattributed_uj": 1 << 7, "float_uj": 1 << 9, "own_uj": 1 << 10, "own_cpu_ns": 1 << 10,
          **dict.fromkeys(("look_spent_ns", "looks", "read_rate_millihz", "own_load_ppm", "cpu_budget_ppm", "sampling_step",
                           "sampling_steps"), 1 << 11)}


@dataclass(frozen=True)
class Bulletin:
    """What a segment says about once a second, beside its records."""

    epoch_id: int
    state: int  # State, or one that this module does not know
    reasons: int  # enum scaph_bulletin_reason of scaph.h
    wall_ns: Optional[int]
    mono_ns: Optional[int]
    uncore_uj: Optional[int]
    psys_uj: Optional[int]
    residual_uj: Optional[int]
    unattributed_uj: Optional[int]
    float_uj: Optional[int]
    own_uj: Optional[int]
    own_cpu_ns: Optional[int]
    look_spent_ns: Optional[int]  # how the host samples: see scaph.h
    looks: Optional[int]
    read_rate_millihz: Optional[int]
    own_load_ppm: Optional[int]
    cpu_budget_ppm: Optional[int]
    sampling_step: Optional[int]
    sampling_steps: Optional[int]

    @classmethod
    def of(cls, bulletin: binding.CBulletin) -> "Bulletin":
        known = {name: getattr(bulletin, name) if bulletin.valid & bit else None for name, bit in _VALID.items()}
        return cls(epoch_id=bulletin.epoch_id, state=bulletin.state, reasons=bulletin.reasons, **known)
