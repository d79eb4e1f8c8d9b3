#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden files of proto/golden, made anew from SPEC.md: byte for byte.

Usage: test_golden.py FOLDER [--write]
"""

import os
import sys
import uuid

import segment

EPOCH = 0x0123456789ABCDEF
TAG = 0xABCDEF
UUID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8").bytes


def descriptor():
    return segment.seal_descriptor({
        "gen": (TAG << 40) + 2, "epoch_id": EPOCH, "subject": 1, "uuid": UUID, "name": "web ä€".encode(),
        "window_ns": 20_000_000, "zones": 0b1011, "source": 1, "meter": 1, "profile": 1, "quality": 1})[0]


def status():
    return segment.seal_status({
        "gen": (TAG << 40) + 4, "epoch_id": EPOCH, "state": 1, "reasons": 0b10, "wall_ns": 1_700_000_000_123_456_789,
        "mono_ns": 987_654_321, "valid": 0b111100000111, "record_rate_millihz": 50_000, "uncore_uj": 4711, "package_count": 2,
        "package_uj": [1_000_001, 2_000_002] + [0] * 14, "float_uj": -77, "own_uj": 88, "own_cpu_ns": 99,
        "look_spent_ns": 111, "looks": 12, "read_rate_millihz": 50_001, "own_load_ppm": 13_000, "cpu_budget_ppm": 10_000,
        "sampling_step": 1, "sampling_steps": 3})


def slots():
    data = b""
    for i, (index, ring) in enumerate(((0, 1), (2**39 - 2, 1), (7, 2))):
        k = i + 1
        data += segment.seal_slot(segment.ring_prefix(EPOCH, UUID, ring), TAG, index, {
            "mono_ns": 20_000_000 * k, "package_uj": 0x1111111111111111 * k, "core_uj": 0x0202020202020202 * k,
            "dram_uj": 0x30303030 * k, "idle_uj": 4 * k, "cpu_ns": 19_999_999 * k, "breaks": i * 255,
            "flags": 0x3F11 if i == 2 else 0x1F})
    return data


def main():
    failed = 0
    for name, data in (("descriptor.bin", descriptor()), ("status.bin", status()), ("slots.bin", slots())):
        path = os.path.join(sys.argv[1], name)
        if "--write" in sys.argv:
            with open(path, "wb") as file:
                file.write(data)
        with open(path, "rb") as file:
            golden = file.read()
        if golden != data:
            at = next((i for i, (a, b) in enumerate(zip(golden, data)) if a != b), min(len(golden), len(data)))
            print(f"{name}: differs from SPEC.md at byte {at}")
            failed += 1
    assert segment.crc32c(b"123456789") == 0xE3069283
    return failed


if __name__ == "__main__":
    sys.exit(main())
