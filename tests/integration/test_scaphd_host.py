#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd on a host that changes under it: shares that come and are remounted, folders that are lost, a libvirt that is not one;
idle power, and traces recorded and played.

Usage: test_scaphd_host.py SCAPHD SCAPH. Prints TAP. Parts that need root say so.
"""

import json
import os
import subprocess
import tempfile
import time

from bench import Bench, arguments, await_that
from look import Segment

RING = "scaph.ring"
BUSY_TICKS = 1000


def mount(path, size="1m"):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "scaph-test", path], check=True)


def figure(b, path):
    done = b.json(path, "-n", "1", "--wait", "3")
    return json.loads(done.stdout)["package_uj"] if done.returncode == 0 else None


def shares_that_come(b):
    """Nothing is there at the start; a folder comes, then a tmpfs over it, then another: each is found and filled."""
    load = b.load()
    daemon = b.daemon(domain=f"guest=pid:{load.pid}")
    path = b.share("guest")
    b.check(await_that(lambda: os.path.exists(os.path.join(path, RING)), 6), "a share that comes later is found")
    first = figure(b, path)
    b.check(first is not None, "and filled", first)
    if os.geteuid() == 0:
        mounts = 0
        for what in ("a tmpfs mounted over it", "and another over that"):
            mount(path)
            mounts += 1
            b.check(await_that(lambda: os.path.exists(os.path.join(path, RING)), 6), f"{what} is found")
            again = figure(b, path)
            b.check(again is not None and again >= first, "its figures go on", (first, again))
        daemon.terminate()
        said = daemon.stderr.read()
        daemon.wait()
        b.check(said.count("came or was replaced") == 3, "each is one line of log", said)
        for _ in range(mounts):
            subprocess.run(["umount", path], check=True)
    else:
        print("# skip: mounts need root")
        daemon.terminate()
        daemon.wait()


def shares_too_small(b):
    """What the line of a refused share says is what mends it: more room in the tmpfs, or a larger one in its place."""
    if os.geteuid() != 0:
        print("# skip: mounts need root")
        return
    load = b.load()
    path = b.share("tight")
    ring = os.path.join(path, RING)
    daemon = b.daemon(domain=f"tight=pid:{load.pid}")
    await_that(lambda: os.path.exists(ring))
    # Nobody has a file open in a tmpfs that was refused: the next one is given its device's number.
    for what, mend in (("another", [["umount", path], ["mount", "-t", "tmpfs", "-o", "size=1m", "scaph-test", path]]),
                       ("one made larger", [["mount", "-o", "remount,size=1m", path]])):
        mount(path, "16k")
        while "no space left" not in daemon.stderr.readline():
            pass
        time.sleep(2.5)
        for command in mend:
            subprocess.run(command, check=True)
        b.check(await_that(lambda: os.path.exists(ring), 6), f"a share too small, then {what}: found and filled")
    daemon.terminate()
    said = daemon.stderr.read()
    daemon.wait()
    b.check("no space left" not in said, "and refused no more", said)
    for _ in range(2):
        subprocess.run(["umount", path], check=True)


def guest_cannot_keep_busy(b):
    """What a guest does inside its share brings no look, no line, no new file."""
    load = b.load(False)
    path = b.share("fidgety")
    daemon = b.daemon(domain=f"fidgety=pid:{load.pid}")
    os.unlink(os.path.join(path, RING))
    os.symlink("/etc/passwd", os.path.join(path, RING))
    time.sleep(5)
    b.check(os.path.islink(os.path.join(path, RING)), "a link in the place of a segment is left alone")
    daemon.terminate()
    said = daemon.stderr.read()
    daemon.wait()
    lines = [line for line in said.splitlines() if "fidgety" in line]
    b.check(not lines, "and nobody is kept busy", lines)


def not_a_tmpfs(b):
    """A folder on a disk that comes later is refused once, not every time it is looked at."""
    load = b.load()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(b.scaphd))) as root:
        words = b.options(domain=f"later=pid:{load.pid}", **{"share-root": root})
        words.remove("--allow-plain-dir")
        daemon = b.start(b.scaphd, *words, stderr=subprocess.PIPE, text=True)
        # Not before the domain is in: until then a share does not come, but is there.
        await_that(lambda: os.path.isdir(b.host) and len(os.listdir(b.host)) == 2)
        os.mkdir(os.path.join(root, "later"))
        time.sleep(7)
        daemon.terminate()
        said = daemon.stderr.read()
        daemon.wait()
        b.check(said.count("not a tmpfs") == 1 and said.count("came or was replaced") == 1, "a share on a disk is refused once", said)


def one_file_for_two(b):
    """A domain that is named as another's folder does not get its file."""
    one, two = b.load(), b.load(False)
    b.share("one")
    os.symlink("one", os.path.join(b.shares, "two"))
    b.refused("a share that is a link to another's", ["share of two", "symbolic"],
              *b.options(domain=[f"one=pid:{one.pid}", f"two=pid:{two.pid}"]))
    os.unlink(os.path.join(b.shares, "two"))


def state(b):
    load = b.load()
    path = b.share("kept")
    domain = f"kept=pid:{load.pid}"

    def run(seconds, **changed):
        daemon = b.daemon(domain=domain, **changed)
        time.sleep(seconds)
        found = figure(b, path)
        daemon.terminate()
        daemon.wait()
        return found

    first = run(1)
    second = run(0.5, keep=True)
    b.check(second > first > 0, "counters go on over a restart", (first, second))
    os.unlink(os.path.join(b.state, "counters"))
    third = run(0.2, keep=True)
    b.check(third < second, "with the state lost they begin at 0", (second, third))
    with open(os.path.join(b.state, "counters"), "r+b") as file:
        file.write(b"\xff" * 64)
    daemon = b.start(b.scaphd, *b.options(domain=domain), stderr=subprocess.PIPE, text=True)
    said = ""
    while "publishing" not in said:
        said += daemon.stderr.readline()
    b.check(said.count("begin at 0") == 1 and "counters" in said, "damaged counters are said, and begun anew", said)
    daemon.terminate()
    daemon.wait()
    if os.geteuid() == 0:
        folder = os.path.join(b.work, "readonly")
        os.mkdir(folder, 0o700)
        mount(folder)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        b.refused("a state folder that is read-only", ["readonly", "--state-dir"],
                  *b.options(domain=domain, **{"state-dir": folder}))
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)
    else:
        print("# skip: a read-only mount needs root")


def libvirts(b):
    for uri in ("test:///default", "qemu:///nowhere", "qemu+ssh://other/system", "nonsense"):
        b.refused(f"--libvirt {uri}", ["--libvirt", "qemu:///system"], *b.options(libvirt=uri))
    load = b.load(False)
    path = b.share("own")
    daemon = b.daemon(domain=f"own=pid:{load.pid}", libvirt="qemu:///system?socket=/nowhere")
    time.sleep(2.5)
    good = figure(b, path) is not None
    daemon.terminate()
    said = daemon.stderr.read()
    b.check(daemon.wait(5) == 0 and good, "a libvirt that is absent: what is there is published", said)
    lines = [line for line in said.splitlines() if "libvirt:" in line]
    b.check(len(lines) == 1 and "tried again" in lines[0], "with one line of log", said)


def policies(b):
    """Two processes that sleep on a machine of 10 W when idle: who is given that."""
    pids = [b.load(False).pid for _ in range(2)]
    domains = [f"d{i}=pid:{pid}" for i, pid in enumerate(pids)]
    cpus = os.cpu_count()
    for policy, part in (("vcpus", 1 / max(2, cpus)), ("equal", 0.5), ("none", 0)):
        daemon = b.daemon(domain=domains, idle=policy, **{"model-watts": "10:10"})
        time.sleep(1.5)
        rings = [Segment(os.path.join(b.host, name)) for name in os.listdir(b.host) if name != "host.ring"]
        records = [ring.newest() for ring in rings]
        watts = [record["idle_uj"] * 1000 / record["mono_ns"] for record in records]
        daemon.terminate()
        daemon.wait()
        b.check(len(records) == 2 and all(abs(w - 10 * part) < 0.3 for w in watts), f"--idle {policy}: {10 * part:g} W for each",
                watts)


def record_and_play(b):
    load = b.load()
    trace = os.path.join(b.work, "recorded")
    b.share("played")
    daemon = b.daemon(domain=f"played=pid:{load.pid}", record=trace, **{"model-watts": "10:50", "idle-watts": "8"})
    time.sleep(3)
    measured = Segment(os.path.join(b.host, "host.ring")).newest()["package_uj"]
    daemon.terminate()
    daemon.wait()
    b.refused("a record over an older one", ["--record", "does not exist"], *b.options(record=trace))
    with open(trace) as file:
        lines = file.read().splitlines()
    numbers = [line.split() for line in lines if line[0].isdigit()]
    b.check(len(numbers) > 100 and sum(line.startswith("window ") for line in lines) == len(numbers) - 1,
            "a window for every reading but the first", len(numbers))
    # The newest record was looked at a little before the end.
    recorded = int(numbers[-1][1]) - int(numbers[0][1])
    b.check(measured <= recorded < measured * 1.2, "what was recorded is what was measured", (measured, recorded))
    daemon = b.daemon(domain=f"played=pid:{load.pid}", source="replay:" + trace, **{"model-watts": None})
    done = b.json(os.path.join(b.host, "host.ring"), "-n", "1")
    b.check(json.loads(done.stdout)["estimated"] is True, "played, an estimate is still called one", done.stdout)
    await_that(lambda: Segment(os.path.join(b.host, "host.ring")).status()["reasons"] & 4, 8)
    energy = [record["package_uj"] for record in Segment(os.path.join(b.host, "host.ring")).history() if record["flags"] & 1]
    b.check(energy and abs(energy[-1] - recorded) < 0.05 * recorded, "and gives the same energy", (energy[-1:], recorded))
    daemon.terminate()
    daemon.wait()


def record_until_full(b):
    """A disk that is full ends a trace behind a whole line; one that was cut all the same is refused."""
    load = b.load()
    b.share("full")
    folder = os.path.join(b.work, "disk")
    trace = os.path.join(folder, "trace")
    os.mkdir(folder)
    if os.geteuid() == 0:
        mount(folder, "8k")
        daemon = b.daemon(domain=f"full=pid:{load.pid}", record=trace)
        await_that(lambda: os.statvfs(folder).f_bavail == 0)
        time.sleep(2)
        daemon.terminate()
        said = daemon.stderr.read()
        b.check(daemon.wait(5) == 0 and said.count("the trace ends early") == 1, "a disk that is full is said", said)
        with open(trace) as file:
            lines = file.read()
        b.check(len(lines) > 4096 and lines[-1] == "\n", "and the trace ends behind a whole line", lines[-40:])
        done = subprocess.run([b.scaphd, "--check", *b.options(source="replay:" + trace, **{"model-watts": None})],
                              capture_output=True, text=True, timeout=10)
        b.check(done.returncode == 0, "it can be played", done.stderr)
        subprocess.run(["umount", folder], check=True)
    else:
        print("# skip: mounts need root")
    with open(trace, "w") as file:
        file.write("scaphring-trace 1\nzones package\n0 1000\n1000000 2000\n2000000 30")
    b.refused("a trace cut within a number", ["trace:5", "cut short"],
              *b.options(source="replay:" + trace, **{"model-watts": None}))


def calibrations(b):
    """A machine whose /proc/stat says that nothing runs, and one that says it is busy; both play 12 W."""
    trace = os.path.join(b.work, "twelve")
    with open(trace, "w") as file:
        file.write("scaphring-trace 1\nzones package\n")
        file.writelines(f"{i * 20_000_000} {i * 240_000}\n" for i in range(50 * 40))
    procfs = os.path.join(b.work, "proc")
    os.mkdir(procfs)
    with open("/proc/stat") as file:
        lines = file.read().splitlines()
    with open(os.path.join(procfs, "stat"), "w") as file:
        file.write("\n".join(lines) + "\n")
    os.symlink("/proc/cpuinfo", os.path.join(procfs, "cpuinfo"))
    words = {"source": "replay:" + trace, "model-watts": None}
    idle = b.start(b.scaphd, "--calibrate", *b.options(**words, procfs=procfs, meter="cputime"), stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, text=True)
    b.load(), b.load()
    busy = b.start(b.scaphd, "--calibrate", *b.options(**words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return idle, busy


def calibrated(b, idle, busy):
    out, said = idle.communicate(timeout=60)
    b.check(idle.returncode == 0 and out.startswith("idle-watts = ") and abs(float(out.split()[-1]) - 12) < 0.1,
            "--calibrate on an idle machine gives its power", out + said)
    b.check(said.count("span") == 3, "and tells of its progress", said)
    out, said = busy.communicate(timeout=60)
    b.check(busy.returncode == 1 and "busy" in said and not out and len(said.splitlines()) == 1, "on a busy one it refuses", said)


def main():
    with Bench(*arguments()) as b:
        calibrating = calibrations(b)
        shares_that_come(b)
        shares_too_small(b)
        guest_cannot_keep_busy(b)
        not_a_tmpfs(b)
        one_file_for_two(b)
        state(b)
        libvirts(b)
        record_and_play(b)
        record_until_full(b)
        policies(b)
        calibrated(b, *calibrating)


if __name__ == "__main__":
    main()
