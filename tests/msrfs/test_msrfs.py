#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""msrfs itself: reads as the kernel's driver has them, counters as configured, a log of exactly what was handed out.

Usage: test_msrfs.py MSRFS. Prints TAP. Needs root and /dev/fuse.
"""

import errno
import os
import sys
import tempfile
import threading
import time
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from msrfs.host import INTEL, KABY_LAKE, Host, missing  # noqa: E402
from msrfs.msrlog import Log  # noqa: E402
from tap import Tap  # noqa: E402

PACKAGE, CORE, DRAM = INTEL["package"], INTEL["core"], INTEL["dram"]
LOW = 0xffffffff


class Reader:
    """Reads registers of one CPU, and remembers what it was given."""

    def __init__(self, host, cpu):
        self.cpu, self.seen = cpu, []
        self.file = os.open(f"{host.msr}/{cpu}/msr", os.O_RDONLY)

    def read(self, register, size=8):
        value = int.from_bytes(os.pread(self.file, size, register), "little")
        self.seen.append((self.cpu, register, value))
        return value

    def error(self, register, size=8):
        try:
            os.pread(self.file, size, register)
        except OSError as error:
            return error.errno
        return 0


def energy_uj(course, ms):
    """Energy of a course of power up to a millisecond; not of a sine, which is rounded."""
    words = course.split()
    low = int(words[1])
    if words[0] == "watts":
        return low * ms
    high, period = int(words[2]), int(words[3])
    first = period // 2
    whole, rest = divmod(ms, period)
    return whole * (high * first + low * (period - first)) + high * min(rest, first) + low * max(0, rest - first)


def reads(tap, host):
    first, second = Reader(host, 0), Reader(host, 1)
    tap.check(first.read(INTEL["unit"]) == 0xa0003 | 14 << 8 and second.read(INTEL["unit"]) == 0xa0003 | 13 << 8,
              "each package has a unit register of its own")
    tap.check([first.error(it) for it in (0, 0x123, INTEL["psys"], 0xC001029B)] == [errno.EIO] * 4,
              "a register that is not there: EIO")
    tap.check([first.error(PACKAGE, size) for size in (1, 4, 7, 9, 16, 4096)] == [errno.EINVAL] * 6,
              "another size than 8: EINVAL")
    tap.check(second.error(DRAM) == errno.EIO and first.read(DRAM) != 0, "a package has only the registers given to it")
    names = {name: sorted(os.listdir(f"{host.msr}/{name}")) for name in ("", "0", "1")}
    tap.check(names[""] == sorted(["control", *map(str, range(host.cpus))]) and names["0"] == names["1"] == ["msr"],
              "folders as in /dev/cpu", names)
    ends = []
    for reader, register in ((first, PACKAGE), (first, DRAM), (second, PACKAGE)):
        values = []
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            values.append(reader.read(register))
            time.sleep(0.002)
        steps = [(after - before) & LOW for before, after in zip(values, values[1:])]
        ends.append((values[0] & LOW) > (values[-1] & LOW) or register == DRAM)
        tap.check(max(steps) < 1 << 24 and sum(steps) > 1000, f"{register:#x} counts, and never back but for the wrap", steps)
        tap.check(len({value >> 32 for value in values}) > len(values) / 2, "its upper half is noise")
    tap.check(all(ends), "counters wrapped while they were read", ends)
    return [first, second]


def faults(tap, host, reader):
    host.fault("still", 0, "package")
    values = {reader.read(PACKAGE) & LOW for _ in range(30) if not time.sleep(0.002)}
    tap.check(len(values) == 1, "still: it stands")
    host.fault("sound", 0, "package")
    time.sleep(0.02)
    moved = (reader.read(PACKAGE) - values.pop()) & LOW
    tap.check(0 < moved < 1 << 20, "sound again: it goes on from there", moved)
    host.fault("zero", 0, "package")
    tap.check([reader.read(PACKAGE) for _ in range(3)] == [0] * 3, "zero: it reads 0")
    host.fault("fail", 0, "package")
    tap.check(reader.error(PACKAGE) == errno.EIO and reader.read(DRAM), "fail: EIO, and the others as before")
    host.fault("sound", 0, "package")
    before = reader.read(DRAM) & LOW
    host.fault("reset", 0, "dram")
    after = reader.read(DRAM) & LOW
    tap.check(before > 1000 > after, "reset: it begins anew", (before, after))
    host.command(f"set 0 {INTEL['unit']:#x} 0xa0e03")
    tap.check(reader.read(INTEL["unit"]) == 0xa0e03, "set: a fixed register is another")
    host.set_online(1, False)
    second = f"{host.msr}/1/msr"
    try:
        os.open(second, os.O_RDONLY)
        opened = 0
    except OSError as error:
        opened = error.errno
    tap.check(opened == errno.ENXIO, "offline: ENXIO at open")
    host.set_online(1, True)
    os.close(os.open(second, os.O_RDONLY))
    refused = 0
    for line in ("nonsense", "still 9 0x611", "offline 200", "set 0 0x611 5", "still 0", "x" * 300):
        try:
            host.command(line)
        except OSError:
            refused += 1
    tap.check(refused == 6, "commands that are none are refused")


def two_at_once(host):
    readers = [Reader(host, cpu) for cpu in (0, 1)]
    threads = [threading.Thread(target=lambda it=it: [it.read(PACKAGE) for _ in range(3000)]) for it in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return readers


def log_is_true(tap, host, readers, counting_until_ns):
    host.command("flush")
    log = Log(host.log)
    for cpu in (0, 1):
        seen = [one[1:] for reader in readers for one in reader.seen if one[0] == cpu]
        logged = [(register, value) for _, at, register, value in log.reads if at == cpu]
        tap.check(seen == logged and len(seen) > 3000, f"the log is what CPU {cpu} was handed, in order",
                  (len(seen), len(logged)))
    tap.check(all(a[0] <= b[0] for a, b in zip(log.reads, log.reads[1:])), "its times rise")
    tap.check({one[3] for one in log.errors} == {errno.EIO}, "failed reads stand in it")
    wrong, counted = [], 0
    zone_of = {register: zone for zone, register in INTEL.items()}
    for mono_ns, cpu, register, value in log.reads:
        if mono_ns > counting_until_ns or register == INTEL["unit"]:
            continue
        unit, start, course = host.counters[host.package_of[cpu], zone_of[register]]
        if course.startswith("sine"):
            continue
        exact = Fraction(energy_uj(course, (mono_ns - log.start_ns) // 1000000) * 2**unit, 10**6)
        counted += 1
        if value & LOW != (start + int(exact)) % 2**32:
            wrong.append((mono_ns, cpu, register, value))
    tap.check(counted > 1000 and not wrong, "every value is the configured energy of its millisecond, to one count", wrong[:5])


def main():
    tap = Tap()
    reason = missing()
    if reason:
        print(f"1..0 # skip: {reason}")
        return
    with tempfile.TemporaryDirectory(prefix="scaph-msrfs-") as folder:
        # They wrap while they are looked at: the first after 0.9 s, the last after 3.7 s.
        counters = {(0, "package"): (14, 2**32 - 2**19, "watts 35000"), (0, "dram"): (16, 5, "sine 1000 9000 777"),
                    (0, "core"): (14, 2**32 - 2**14, "square 2000 30000 333"),
                    (1, "package"): (13, 2**32 - 1_530_000, "square 10000 90000 701")}
        with Host(sys.argv[1], folder, KABY_LAKE, (14, 13), counters) as host:
            readers = reads(tap, host)
            sound_until_ns = time.monotonic_ns()
            faults(tap, host, readers[0])
            log_is_true(tap, host, readers + two_at_once(host), sound_until_ns)
            for reader in readers:
                os.close(reader.file)
        tap.check(host.status == 0 and not os.path.ismount(host.msr), "SIGTERM: unmounted, and a clean end")
    tap.plan()


if __name__ == "__main__":
    main()
