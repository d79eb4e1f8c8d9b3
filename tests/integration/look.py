# SPDX-License-Identifier: Apache-2.0
"""A bare look at a segment: the few fields that tests of the daemon ask for. Offsets are those of proto/SPEC.md, layout 1.

Not a reader: it trusts the writer and checks no checksum. tests/contract holds document and code together.
"""

import mmap
import struct

FAST, SLOW = (0x1000, 1), (0x1008, 2)  # head, block type
RECORD = struct.Struct("<QQQQQQQHHI")
RECORD_FIELDS = ("seq", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns", "breaks", "flags", "crc")
INDEX_BITS = (1 << 40) - 1


class Segment:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.rings = {}
        for at in range(384, 384 + 32 * self.word(364, "I"), 32):
            kind, stride, offset, _, count = struct.unpack_from("<IIQQQ", self.map, at)
            self.rings[kind] = (offset, stride, count)
        if not self.rings:
            raise ValueError("no epoch has begun here yet")

    def word(self, at, code="Q"):
        return struct.unpack_from("<" + code, self.map, at)[0]

    def number(self, ring=FAST):
        """Index of the newest record, or None before the first."""
        complete = self.word(ring[0]) & INDEX_BITS
        return (complete >> 1) - 1 if complete else None

    def record(self, index, ring=FAST):
        """The record of an index, or None if its slot does not hold it, or is being written."""
        offset, stride, count = self.rings[ring[1]]
        at = offset + index % count * stride
        values = dict(zip(RECORD_FIELDS, RECORD.unpack_from(self.map, at)))
        whole = values["seq"] & INDEX_BITS == 2 * index + 2 and self.word(at) == values["seq"]
        return values if whole else None

    def newest(self, ring=FAST):
        for _ in range(1000):
            index = self.number(ring)
            record = None if index is None else self.record(index, ring)
            if index is None or record:
                return record
        raise RuntimeError("no whole record in 1000 looks")

    def history(self):
        """The records that are still in the fast ring, oldest first."""
        last = self.number()
        return [r for r in (self.record(i) for i in range(max(0, last - 1000), last + 1)) if r]

    def beat(self):
        return self.word(0x1010)

    def status(self):
        for _ in range(1000):
            before = self.word(0x1100)
            values = {"state": self.word(0x1118, "I"), "reasons": self.word(0x111c, "I"), "valid": self.word(0x1130),
                      "rate_millihz": self.word(0x1138), "residual_uj": self.word(0x1160),
                      "unattributed_uj": self.word(0x1168)}
            if not before & 1 and self.word(0x1100) == before:
                return values
        raise RuntimeError("no whole status in 1000 looks")
