# SPDX-License-Identifier: Apache-2.0
"""A second implementation of proto/SPEC.md, written from that document alone: reader and writer of segments.

Section numbers are those of SPEC.md. Nothing here is fast; it is here to disagree when code and document part.
"""

import mmap
import os
import struct

MAGIC = 0x676e726870616373
TAG_SHIFT = 40
FAST, SLOW = 1, 2

# Section 2: field name, offset, struct code.
DESCRIPTOR = (
    ("magic", 0, "Q"), ("gen", 8, "Q"), ("layout", 16, "I"), ("compatible_with", 20, "I"), ("byte_order", 24, "I"),
    ("desc_bytes", 28, "I"), ("epoch_id", 32, "Q"), ("must_bits", 40, "Q"), ("may_bits", 48, "Q"), ("crc", 56, "I"),
    ("subject", 60, "I"), ("uuid", 64, "16s"), ("name", 80, "256s"), ("window_ns", 336, "Q"), ("zones", 344, "I"),
    ("source", 348, "I"), ("meter", 352, "I"), ("profile", 356, "I"), ("quality", 360, "I"), ("block_count", 364, "I"),
    ("origin_mono_ns", 368, "Q"),
)
DESCRIPTOR_BYTES = 640
BLOCKS_AT, BLOCK_BYTES = 384, 32

# Section 4.
STATUS = (
    ("gen", 0, "Q"), ("crc", 8, "I"), ("status_bytes", 12, "I"), ("epoch_id", 16, "Q"), ("state", 24, "I"),
    ("reasons", 28, "I"), ("wall_ns", 32, "Q"), ("mono_ns", 40, "Q"), ("valid", 48, "Q"), ("record_rate_millihz", 56, "Q"),
    ("uncore_uj", 64, "Q"), ("psys_uj", 72, "Q"), ("dram_idle_uj", 80, "Q"), ("runq_wait_ns", 88, "Q"),
    ("residual_uj", 96, "Q"), ("unattributed_uj", 104, "Q"), ("package_count", 112, "I"), ("package_uj", 120, "16Q"),
    ("float_uj", 256, "q"), ("own_uj", 264, "Q"), ("own_cpu_ns", 272, "Q"),
    ("look_spent_ns", 280, "Q"), ("looks", 288, "Q"), ("read_rate_millihz", 296, "Q"), ("own_load_ppm", 304, "I"),
    ("cpu_budget_ppm", 308, "I"), ("sampling_step", 312, "I"), ("sampling_steps", 316, "I"),
)
STATUS_BYTES = 320

# Section 5.
SLOT = struct.Struct("<QQQQQQQHHI")
SLOT_FIELDS = ("seq", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns", "breaks", "flags", "crc")

_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state = state >> 8 ^ _TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def pack(fields, count, values):
    data = bytearray(count)
    for name, at, code in fields:
        if name not in values:
            continue
        value = values[name]
        if isinstance(value, (list, tuple)):
            struct.pack_into("<" + code, data, at, *value)
        else:
            struct.pack_into("<" + code, data, at, value)
    return data


def unpack(fields, data):
    values = {}
    for name, at, code in fields:
        found = struct.unpack_from("<" + code, data, at)
        values[name] = found if len(found) > 1 else found[0]
    return values


def tag_of(epoch_id):
    return epoch_id & 0xFFFFFF


def complete(tag, index):
    return (tag << TAG_SHIFT) + 2 * index + 2


def ring_slots(window_ns):
    count = 1024
    while count * window_ns < 4 * 10**9:
        count *= 2
    return count


def seal_descriptor(values):
    """Descriptor bytes with directory and checksum, of section 2 and 5; and the size of the file."""
    fast = ring_slots(values["window_ns"])
    values = dict(values, magic=MAGIC, layout=1, compatible_with=1, byte_order=0x01020304,
                  desc_bytes=DESCRIPTOR_BYTES, block_count=2, crc=0)
    data = pack(DESCRIPTOR, DESCRIPTOR_BYTES, values)
    slow_at = 0x2000 + fast * 64
    struct.pack_into("<IIQQQ", data, BLOCKS_AT, FAST, 64, 0x2000, fast * 64, fast)
    struct.pack_into("<IIQQQ", data, BLOCKS_AT + BLOCK_BYTES, SLOW, 64, slow_at, 1024 * 64, 1024)
    struct.pack_into("<I", data, 56, crc32c(data))
    return bytes(data), slow_at + 1024 * 64


def seal_status(values):
    data = pack(STATUS, STATUS_BYTES, dict(values, status_bytes=STATUS_BYTES, crc=0))
    struct.pack_into("<I", data, 8, crc32c(data))
    return bytes(data)


def ring_prefix(epoch_id, uuid, ring):
    return struct.pack("<Q", epoch_id) + uuid + struct.pack("<I", ring)


def seal_slot(prefix, tag, index, values):
    data = SLOT.pack(complete(tag, index), *(values.get(name, 0) for name in SLOT_FIELDS[1:9]), 0)
    return data[:60] + struct.pack("<I", crc32c(prefix + data[:60]))


class Refused(ValueError):
    """Not a segment that may be read."""


class Reader:
    """Rules 1, 4 and 7 of section 8, coherent mode."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.attach()

    def attach(self):
        data = self.map[:4096]
        self.desc = desc = unpack(DESCRIPTOR, data)
        if desc["magic"] != MAGIC or desc["gen"] & 1 or desc["byte_order"] != 0x01020304:
            raise Refused("no segment, or busy")
        if desc["compatible_with"] > 1 or desc["must_bits"]:
            raise Refused("newer than this reader")
        if not DESCRIPTOR_BYTES <= desc["desc_bytes"] <= 4096 or desc["desc_bytes"] % 8:
            raise Refused("length")
        if desc["crc"] != crc32c(data[:56] + bytes(4) + data[60:desc["desc_bytes"]]):
            raise Refused("checksum")
        self.tag = tag_of(desc["epoch_id"])
        if self.tag in (0, 0xFFFFFF):
            raise Refused("tag")
        self.rings = {}
        for entry in range(desc["block_count"]):
            kind, stride, offset, size, count = struct.unpack_from("<IIQQQ", data, BLOCKS_AT + entry * BLOCK_BYTES)
            if kind in (FAST, SLOW):
                if stride % 64 or size != stride * count or count & count - 1 or offset + size > len(self.map):
                    raise Refused("directory")
                self.rings[kind] = (offset, stride, count,
                                    ring_prefix(desc["epoch_id"], desc["uuid"], kind))

    def head(self, ring=FAST):
        return struct.unpack_from("<Q", self.map, 0x1000 if ring == FAST else 0x1008)[0]

    def beat(self):
        return struct.unpack_from("<Q", self.map, 0x1010)[0]

    def newest(self, ring=FAST):
        head = self.head(ring)
        if head >> TAG_SHIFT != self.tag or head == self.tag << TAG_SHIFT:
            return None
        return ((head & (1 << TAG_SHIFT) - 1) >> 1) - 1

    def record(self, index, ring=FAST):
        """The record of an index as a dict, or None if the slot does not hold it whole."""
        offset, stride, count, prefix = self.rings[ring]
        at = offset + index % count * stride
        data = self.map[at:at + 64]
        values = dict(zip(SLOT_FIELDS, SLOT.unpack(data)))
        if values["seq"] != complete(self.tag, index) or values["crc"] != crc32c(prefix + data[:60]):
            return None
        return values

    def status(self):
        data = self.map[0x1100:0x2000]
        values = unpack(STATUS, data)
        if values["gen"] & 1 or values["epoch_id"] != self.desc["epoch_id"]:
            return None
        if values["crc"] != crc32c(data[:8] + bytes(4) + data[12:values["status_bytes"]]):
            return None
        return values


class Writer:
    """Section 7. The 64-bit words are stored through a cast view, one store each."""

    def __init__(self, path, desc):
        self.desc = dict(desc)
        self.tag = tag_of(desc["epoch_id"])
        self.gen = self.tag << TAG_SHIFT
        self.status_gen = self.gen
        sealed, size = seal_descriptor(dict(self.desc, gen=self.gen + 2))
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.posix_fallocate(fd, 0, size)
        self.map = mmap.mmap(fd, size)
        os.close(fd)
        self.words = memoryview(self.map).cast("Q")
        self.fast_slots = ring_slots(desc["window_ns"])
        self.prefix = {ring: ring_prefix(desc["epoch_id"], desc["uuid"], ring) for ring in (FAST, SLOW)}
        self.at = {FAST: 0x2000 // 8, SLOW: (0x2000 + self.fast_slots * 64) // 8}
        self.next = {FAST: 0, SLOW: 0}
        self.heads = {FAST: self.gen, SLOW: self.gen}
        self.adopt()

    def store(self, at, data):
        for i, word in enumerate(struct.unpack(f"<{len(data) // 8}Q", data)):
            self.words[at + i] = word

    def rewrite_descriptor(self, inside=lambda: None):
        self.gen += 2
        data = seal_descriptor(dict(self.desc, gen=self.gen))[0]
        self.words[1] = self.gen - 1
        inside()
        self.store(0, data[:8])
        self.store(2, data[16:])
        self.words[1] = self.gen

    def set_status(self, **values):
        self.status_gen += 2
        data = seal_status(dict(values, gen=self.status_gen, epoch_id=self.desc["epoch_id"]))
        at = 0x1100 // 8
        self.words[at] = self.status_gen - 1
        self.store(at + 1, data[8:])
        self.words[at] = self.status_gen

    def put_heads(self):
        self.words[0x1000 // 8] = self.heads[FAST]
        self.words[0x1008 // 8] = self.heads[SLOW]

    def adopt(self):
        def inside():
            for at in range(0x2000 // 8, len(self.words)):
                self.words[at] = 0
            self.put_heads()
            self.beat()
            self.set_status(state=1)

        self.rewrite_descriptor(inside)

    def beat(self):
        self.words[0x1010 // 8] += 1

    def publish(self, values, ring=FAST):
        index = self.next[ring]
        data = seal_slot(self.prefix[ring], self.tag, index, values)
        at = self.at[ring] + index % (self.fast_slots if ring == FAST else 1024) * 8
        number = complete(self.tag, index)
        self.words[at] = number - 1
        self.store(at + 1, data[8:])
        self.words[at] = number
        self.heads[ring] = number
        self.put_heads()
        self.next[ring] += 1

    def refresh(self):
        self.rewrite_descriptor(self.put_heads)
