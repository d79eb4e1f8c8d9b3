# SPDX-License-Identifier: Apache-2.0
"""libscaph by ctypes: its structures and functions, as scaph.h has them. Nothing else here knows of C."""

import ctypes
import os
from ctypes import POINTER, Structure, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64

SONAME = "libscaph.so.0"


class CRecord(Structure):
    _fields_ = [(name, c_uint64) for name in ("epoch_id", "number", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj",
                                              "cpu_ns")] + [("breaks", c_uint32), ("flags", c_uint32)]


class CSpan(Structure):
    _fields_ = [(name, c_uint64) for name in ("duration_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns",
                                              "power_uw")] + [("flags", c_uint32), ("reserved", c_uint32)]


class CBounds(Structure):
    _fields_ = [("least", c_uint64), ("best", c_uint64), ("most", c_uint64)]


class Sized(Structure):
    """One whose first field is its own size."""

    def __init__(self) -> None:
        super().__init__()
        self.size = ctypes.sizeof(self)


class CEnergy(Sized):
    _fields_ = ([("size", c_size_t), ("epoch_id", c_uint64), ("duration_ns", c_uint64)] +
                [(name, CBounds) for name in ("package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns")] +
                [("bound_uj", c_uint64), ("clock_ns", c_uint64), ("flags", c_uint32), ("reserved", c_uint32)])


class CClock(Sized):
    _fields_ = [("size", c_size_t), ("epoch_id", c_uint64), ("offset_ns", c_int64), ("error_ns", c_uint64)]


class COptions(Sized):
    _fields_ = [("size", c_size_t), ("mode", c_int), ("guard", c_int), ("history", c_int)]


class CInfo(Sized):
    _fields_ = [("size", c_size_t), ("name", c_char * 256), ("uuid", c_char * 37), ("source", c_char * 16), ("meter", c_char * 16),
                ("profile", c_char * 16), ("mode", c_char * 16), ("epoch_id", c_uint64), ("window_ns", c_uint64),
                ("origin_mono_ns", c_uint64), ("is_host", c_int), ("is_estimated", c_int)]


class CBulletin(Sized):
    _fields_ = ([("size", c_size_t), ("epoch_id", c_uint64), ("state", c_uint32), ("reasons", c_uint32)] +
                [(name, c_uint64) for name in ("valid", "wall_ns", "mono_ns", "uncore_uj", "psys_uj", "residual_uj",
                                               "unattributed_uj")] +
                [("float_uj", c_int64)] +
                [(name, c_uint64) for name in ("own_uj", "own_cpu_ns", "look_spent_ns", "looks", "read_rate_millihz")] +
                [(name, c_uint32) for name in ("own_load_ppm", "cpu_budget_ppm", "sampling_step", "sampling_steps")])


class _Opaque(Structure):
    pass


Handle = POINTER(_Opaque)

# Result and arguments of each function of libscaph.map.
FUNCTIONS = {
    "scaph_open": (c_int, [c_char_p, POINTER(COptions), POINTER(Handle)]),
    "scaph_close": (None, [Handle]),
    "scaph_next": (c_int, [Handle, POINTER(CRecord)]),
    "scaph_next_many": (c_int, [Handle, POINTER(CRecord), c_size_t, POINTER(c_size_t)]),
    "scaph_latest": (c_int, [Handle, POINTER(CRecord)]),
    "scaph_wait": (c_int, [Handle, c_int64, c_uint64]),
    "scaph_between": (c_int, [POINTER(CRecord), POINTER(CRecord), POINTER(CSpan)]),
    "scaph_window": (c_int, [Handle, c_uint64, POINTER(CSpan)]),
    "scaph_energy_between": (c_int, [Handle, c_uint64, c_uint64, POINTER(CEnergy)]),
    "scaph_energy_await": (c_int, [Handle, c_uint64, c_uint64, c_int64, POINTER(CEnergy)]),
    "scaph_clock_read": (c_int, [Handle, POINTER(CClock)]),
    "scaph_clock_sync": (c_int, [Handle, c_int64]),
    "scaph_totals": (None, [Handle, POINTER(CSpan)]),
    "scaph_lost": (c_uint64, [Handle]),
    "scaph_age_ns": (c_uint64, [Handle]),
    "scaph_describe": (c_int, [Handle, POINTER(CInfo)]),
    "scaph_bulletin_read": (c_int, [Handle, POINTER(CBulletin)]),
    "scaph_reason": (c_char_p, [Handle]),
}


def load() -> ctypes.CDLL:
    """The library: $SCAPH_LIBRARY, or where the system has it. ImportError says what to install."""
    path = os.environ.get("SCAPH_LIBRARY") or SONAME
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ImportError(f"{path}: {error}; install libscaph of the same version, or name it in SCAPH_LIBRARY") from error
    return library


LIBRARY = load()
