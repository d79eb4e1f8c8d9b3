#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd with the meter bpf: what it publishes against the kernel's own account, and who gets it and who does not.

Usage: test_bpf.py SCAPHD SCAPH. Prints TAP. tests/bpf has the meter without the daemon round it.
"""

import os
import subprocess
import time

from bench import Bench, arguments, await_that
from look import Segment

BPF = 1  # enum scaph_meter_id
METER, ORIGIN = 352, 368  # offsets in the descriptor
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
DUTIES = {"always": (100, 0), "half": (5, 5), "tenth": (1, 9)}


def cannot(b):
    """Why this machine has no such meter, or None."""
    done = subprocess.run([b.scaphd, "--check", *b.options(meter="bpf")], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr.strip()


def clock_ns(pid):
    """A process's CPU clock, late by a tick. Source: include/linux/posix-timers.h, CPUCLOCK_SCHED."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def both(segment, pid):
    """The newest record and the kernel's account of one instant: on a busy machine this test itself waits between the two."""
    for _ in range(1000):
        begin = time.monotonic_ns()
        record, kernel = segment.newest(), clock_ns(pid)
        if record and time.monotonic_ns() - begin < 2e6 and begin - segment.word(ORIGIN) - record["mono_ns"] < 12e6:
            return record, kernel
        time.sleep(0.001)
    raise RuntimeError("no fresh record in a thousand looks")


def duty(b, busy_ms, rest_ms):
    loop = (f"import time\nwhile True:\n end = time.monotonic() + {busy_ms / 1000}\n while time.monotonic() < end: pass\n"
            f" time.sleep({rest_ms / 1000})\n" if rest_ms else "while True: pass\n")
    return b.start("python3", "-c", loop)


def domain_segments(b, names):
    """Host segments by the domain name that their descriptors hold."""
    found = {}
    for leaf in os.listdir(b.host):
        if leaf == "host.ring":
            continue
        path = os.path.join(b.host, leaf)
        with open(path, "rb") as file:
            head = file.read(4096)
        for name in names:
            if name.encode() + b"\0" in head:
                try:
                    found[name] = Segment(path)
                except ValueError:
                    pass
    return found


def published(b):
    """Windows shorter than five ticks, and CPU times that are the kernel's own."""
    loads = {name: duty(b, *times) for name, times in DUTIES.items()}
    time.sleep(0.3)
    daemon = b.daemon(meter="bpf", window="5", domain=[f"{name}=pid:{load.pid}" for name, load in loads.items()])
    await_that(lambda: len(domain_segments(b, loads)) == len(loads))
    segments = domain_segments(b, loads)
    b.check(sorted(segments) == sorted(loads) and all(s.word(METER, "I") == BPF for s in segments.values()),
            "every descriptor says meter bpf", segments)
    await_that(lambda: all(segment.newest() for segment in segments.values()))
    before = {name: both(segments[name], loads[name].pid) for name in loads}
    time.sleep(2)
    after = {name: both(segments[name], loads[name].pid) for name in loads}
    for name in loads:
        told = after[name][0]["cpu_ns"] - before[name][0]["cpu_ns"]
        span = after[name][0]["mono_ns"] - before[name][0]["mono_ns"]
        kernel = after[name][1] - before[name][1]
        # The kernel's account is late by a tick at each end, and ours by two windows.
        b.check(abs(told - kernel) < 30e6 + kernel * 0.01, f"{name}: {100 * told / span:.2f} % of a CPU, "
                f"{told / 1e6:.1f} ms, the kernel says {kernel / 1e6:.1f} ms")
    records = segments["always"].history()
    lengths = [b1["mono_ns"] - a1["mono_ns"] for a1, b1 in zip(records, records[1:])]
    steps = [b1["cpu_ns"] - a1["cpu_ns"] for a1, b1 in zip(records, records[1:])]
    b.check(len(steps) > 300 and all(0 <= step <= length * 1.02 + 1e5 for step, length in zip(steps, lengths)),
            f"{len(steps)} windows of 5 ms: none below nothing, none above its length", list(zip(steps, lengths))[-5:])
    host = Segment(os.path.join(b.host, "host.ring")).history()
    uj = [b1["package_uj"] - a1["package_uj"] for a1, b1 in zip(host, host[1:])]
    b.check(all(value >= 0 for value in uj), "no negative energy")
    daemon.terminate()
    daemon.wait()


def later(b):
    """A domain that is let in again while the daemon runs, without capabilities by then: its time goes on being counted."""
    load = duty(b, 100, 0)
    daemon = b.daemon(meter="bpf", domain=f"again=pid:{load.pid}")
    segment = os.path.join(b.share("again"), "scaph.ring")
    b.check(await_that(lambda: os.path.exists(segment), 8), "a share that comes makes its domain come in again")
    await_that(lambda: Segment(segment).newest() is not None, 5)
    time.sleep(0.5)
    before, before_clock = Segment(segment).newest(), clock_ns(load.pid)
    time.sleep(1)
    after, after_clock = Segment(segment).newest(), clock_ns(load.pid)
    told, kernel = after["cpu_ns"] - before["cpu_ns"], after_clock - before_clock
    b.check(abs(told - kernel) < 50e6, f"and is counted: {told / 1e6:.1f} ms, the kernel says {kernel / 1e6:.1f} ms")
    daemon.terminate()
    daemon.wait()


def who(b):
    """auto takes what it can have, and says why; what was asked for by name is had or refused."""
    fresh = {key: os.path.join(b.work, "none") for key in ("host-dir", "state-dir")}
    done = subprocess.run([b.scaphd, "--check", *b.options()], capture_output=True, text=True)
    b.check(done.returncode == 0 and "meter    bpf: " in done.stdout, "auto takes bpf where it can", done.stdout + done.stderr)
    done = subprocess.run([*NOBODY, b.scaphd, "--check", *b.options(**fresh)], capture_output=True, text=True)
    b.check(done.returncode == 0 and "meter    cputime: " in done.stdout and "CAP_BPF" in done.stdout,
            "and cputime for who may not, saying why", done.stdout + done.stderr)
    two = [f"--{kind}-caps=+bpf,+perfmon" for kind in ("inh", "ambient")]
    done = subprocess.run([*NOBODY, *two, b.scaphd, "--check", *b.options(meter="bpf", **fresh)], capture_output=True, text=True)
    b.check(done.returncode == 0 and "meter    bpf: " in done.stdout, "bpf for an ordinary user with the two capabilities it names",
            done.stdout + done.stderr)
    b.refused("bpf without the right to it", ["--meter bpf", "CAP_BPF", "CAP_PERFMON"], *NOBODY[1:], b.scaphd,
              *b.options(meter="bpf"), program=NOBODY[0])
    b.refused("bpf in a PID namespace of its own", ["--meter bpf", "container"], "--pid", "--fork", "--mount-proc", b.scaphd,
              *b.options(meter="bpf"), program="unshare")
    daemon = b.start("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", b.scaphd, *b.options(),
                     stderr=subprocess.PIPE, text=True)
    said = ""
    for line in daemon.stderr:
        said += line
        if "publishing" in line:
            break
    b.check("meter cputime" in said and "bpf: no: scaphd runs in a container" in said, "the log says why not", said)
    daemon.kill()
    daemon.wait()
    done = subprocess.run([b.scaphd, "--version"], capture_output=True, text=True)
    b.check("meters: bpf, cputime" in done.stdout, "--version says what was built in", done.stdout)


def main():
    with Bench(*arguments()) as b:
        reason = cannot(b)
        if os.geteuid() != 0 or reason:
            print(f"1..0 # skip: {reason or 'programs in the kernel need root'}")
            b.plan = lambda: None
            return 0
        os.chmod(b.work, 0o755)
        for part in (published, later, who):
            part(b)
    return b.failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
