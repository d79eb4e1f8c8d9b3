#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two implementations, one document: Python reads what scaphd writes, scaph reads what Python writes.

Usage: test_programs.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid

import segment

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

tap = Tap()
check = tap.check


def python_reads(scaphd, scaph, work):
    """Every record of three seconds, from both rings, beside what scaph says of it."""
    share = os.path.join(work, "shares", "load")
    os.makedirs(share)
    load = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    daemon = subprocess.Popen(
        [scaphd, "--source", "model", "--model-watts", "10:50", "--domain", f"load=pid:{load.pid}", "--profile",
         "*=trusted", "--share-root", os.path.join(work, "shares"), "--allow-plain-dir", "--host-dir",
         os.path.join(work, "host"), "--state-dir", os.path.join(work, "state"), "--shm-dir", work, "--log-level", "error"])
    path = os.path.join(share, "scaph.ring")
    try:
        reader = None
        end = time.monotonic() + 10
        while reader is None and time.monotonic() < end:
            try:
                reader = segment.Reader(path)
            except (OSError, ValueError):
                time.sleep(0.02)
        by_scaph = subprocess.Popen([scaph, "json", "--path", path, "-s", "0", "-n", "150", "--timeout", "30"],
                                    stdout=subprocess.PIPE, text=True)
        beat = reader.beat()
        mine = {}
        end = time.monotonic() + 4.5
        index = 0
        while time.monotonic() < end:
            newest = reader.newest()
            while newest is not None and index <= newest:
                mine[index] = reader.record(index)
                index += 1
            time.sleep(0.01)
        theirs = [json.loads(line) for line in by_scaph.communicate()[0].splitlines()]
        check(all(mine.values()) and len(mine) > 180, "Python verifies every record of the C writer", len(mine))
        names = ("mono_ns", "package_uj", "idle_uj", "cpu_ns", "breaks")
        wrong = [line for line in theirs if line["number"] in mine and
                 any(line[name] != mine[line["number"]][name] for name in names)]
        check(len(theirs) == 150 and not wrong, "and reads in them what the C reader reads", wrong[:2])
        check(reader.beat() >= beat + 45, "the beat is stored ten times a second and more", reader.beat() - beat)
        slow = [reader.record(i, segment.SLOW) for i in range((reader.newest(segment.SLOW) or 0) + 1)]
        check(len(slow) >= 3 and all(slow) and all(
            any(s["mono_ns"] == f["mono_ns"] and s["package_uj"] == f["package_uj"] for f in mine.values()) for s in slow),
            "the slow ring repeats records of the fast one", slow)
        status = reader.status()
        check(status and status["state"] == 1 and abs(status["record_rate_millihz"] - 50000) < 15000, "status", status)
        check(reader.desc["name"].rstrip(b"\0") == b"load" and reader.desc["quality"] == 2 and
              reader.desc["source"] == 4 and reader.desc["origin_mono_ns"] == 0, "descriptor", reader.desc)
        daemon.terminate()
        check(daemon.wait(5) == 0 and reader.status()["state"] == 3, "a daemon that ends in order retires its segment")
    finally:
        for process in (daemon, load):
            process.kill()
            process.wait()


def scaph_reads(scaph, work):
    """Python publishes 300 random records of every shape; the C reader delivers each as it was written."""
    path = os.path.join(work, "python.ring")
    epoch = random.getrandbits(64) & ~0xFFFFFF | 0x123456
    identity = uuid.uuid4()
    writer = segment.Writer(path, {"epoch_id": epoch, "subject": 1, "uuid": identity.bytes, "name": b"from python",
                                   "window_ns": 10_000_000, "zones": 0b1011, "source": 1, "meter": 1, "profile": 1,
                                   "quality": 1})
    written = {}
    reader = subprocess.Popen([scaph, "json", "--path", path, "-s", "0", "-n", "300", "--wait", "5", "--timeout", "30"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    values = {"mono_ns": 0, "package_uj": 0, "core_uj": 0, "dram_uj": 0, "idle_uj": 0, "cpu_ns": 0, "breaks": 0}
    # Beats alone first, so that the reader is attached before the first record.
    for _ in range(30):
        writer.beat()
        time.sleep(0.02)
    end = time.monotonic() + 20
    number = 0
    while reader.poll() is None and time.monotonic() < end:
        for name in ("package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns"):
            values[name] += random.randrange(1, 10**6)
        values["mono_ns"] += 10_000_000
        values["breaks"] += random.random() < 0.02
        values["flags"] = random.choice((0b11111, 0b10001, 0b01011))
        shown = {name: values[name] for name in values}
        for bit, name in enumerate(("package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns")):
            if not values["flags"] >> bit & 1:
                shown[name] = None
        record = {name: shown.get(name) or 0 for name in values}
        writer.publish(record)
        written[number] = shown
        number += 1
        if number % 10 == 0:
            writer.beat()
        if number % 100 == 0:
            writer.publish(record, segment.SLOW)
            writer.refresh()
            writer.set_status(state=1)
        time.sleep(0.008)
    text = reader.communicate()[0]
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    names = ("mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns", "breaks")
    wrong = [line for line in lines if any(line[name] != written[line["number"]][name] for name in names)]
    check(len(lines) == 300 and not wrong, "the C reader delivers every record that Python writes, as it was written",
          (len(lines), wrong[:1], text[-500:]))
    check(all(line["epoch"] == f"{epoch:016x}" and line["uuid"] == str(identity) and line["estimated"] is False
              for line in lines), "with its identity", lines[:1])
    powers = sum(line["power_w"] is not None for line in lines)
    check(200 < powers < 300 and all(line["reason"] == "gap" for line in lines[1:] if line["power_w"] is None),
          "and no power over a gap", powers)


def main():
    with tempfile.TemporaryDirectory(prefix="scaph-contract-") as work:
        python_reads(sys.argv[1], sys.argv[2], work)
        scaph_reads(sys.argv[2], work)
    tap.plan()
    return 0


if __name__ == "__main__":
    sys.exit(main())
