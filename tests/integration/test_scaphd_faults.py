#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd when the world does not keep still: ends, halts, counters that begin anew, tenants that choose names.

Usage: test_scaphd_faults.py SCAPHD SCAPH. Prints TAP. Segments are looked at byte by byte, beside the reader that is under test elsewhere.
"""

import os
import signal
import subprocess
import time

from bench import Bench, arguments, await_that
from look import SLOW, Segment

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
LIVE, RETIRED = 1, 3
PACKAGE, LATE = 1 << 0, 1 << 10
PROFILE_OFF, DOMAIN_GONE, PRODUCER_ENDED = 1 << 0, 1 << 4, 1 << 5
WALL = 1 << 0


def published(path):
    """Whether a record is there: the file may not be yet, or hold no epoch yet."""
    try:
        return Segment(path).newest() is not None
    except (OSError, ValueError):
        return False


def domain_ring(b):
    """The host's copy of the only domain."""
    return os.path.join(b.host, next(name for name in os.listdir(b.host) if name != "host.ring"))


def host_ring(b):
    return os.path.join(b.host, "host.ring")


def ended(daemon):
    daemon.terminate()
    said = daemon.stderr.read()
    daemon.wait()
    return said


def the_dead_use_nothing(b):
    load = b.load()
    share = b.share("dead")
    daemon = b.daemon(domain=f"dead=pid:{load.pid}")
    time.sleep(0.5)
    host, guest = Segment(domain_ring(b)), Segment(os.path.join(share, "scaph.ring"))
    load.kill()
    load.wait()
    number = host.number()
    b.check(await_that(lambda: host.status()["state"] == RETIRED, 3), "a domain whose process ended is retired")
    b.check(host.number() - number <= 10, "at once, not when a second is full", host.number() - number)
    last = host.newest()
    time.sleep(0.3)
    b.check(host.newest() == last, "and not a microjoule more is given to it", (last, host.newest()))
    b.check(guest.status()["reasons"] & DOMAIN_GONE, "its status says why", guest.status())
    daemon.terminate()
    daemon.wait()
    status = guest.status()
    b.check(status["state"] == RETIRED and status["reasons"] & DOMAIN_GONE and not status["reasons"] & PRODUCER_ENDED,
            "the reason stays the first one", status)


def halted(b):
    """A daemon that was stopped: one record over the whole gap, flagged, nothing counted twice, nothing broken."""
    load = b.load()
    daemon = b.daemon(domain=f"halted=pid:{load.pid}")
    time.sleep(0.3)
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(1)
    daemon.send_signal(signal.SIGCONT)
    time.sleep(0.4)
    records = Segment(domain_ring(b)).history()
    steps = [(c["mono_ns"] - a["mono_ns"], c) for a, c in zip(records, records[1:])]
    long = [record for dt, record in steps if dt > 900_000_000]
    b.check(len(long) == 1 and long[0]["flags"] & LATE and long[0]["flags"] & PACKAGE and long[0]["breaks"] == 0,
            "a halt of a second is one record, late and whole", long)
    after = [dt for dt, record in steps if record["mono_ns"] > long[0]["mono_ns"]] if long else []
    b.check(after and min(after) >= 9_000_000, "no window is cut short to catch up", sorted(after)[:3])
    ended(daemon)


def gap_too_long(b):
    """A halt in which a counter can have wrapped: its energy is nobody's, and that is said."""
    path = os.path.join(b.work, "wrapping")
    with open(path, "w") as file:  # 10 W in a counter of 10 J: a wrap a second, so 250 ms is the limit
        file.write("scaphring-trace 1\nzones package\nrange package 9999999\n")
        for i in range(500):
            file.write(f"{i * 10_000_000} {i * 100_000 % 10_000_000}\n")
    load = b.load()
    daemon = b.daemon(source="replay:" + path, domain=f"gap=pid:{load.pid}", **{"model-watts": None})
    time.sleep(0.3)
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(0.4)
    daemon.send_signal(signal.SIGCONT)
    time.sleep(1.3)
    records = Segment(domain_ring(b)).history()
    across = [(a, c) for a, c in zip(records, records[1:]) if c["mono_ns"] - a["mono_ns"] > 300_000_000]
    b.check(len(across) == 1 and across[0][0]["breaks"] == 0 and across[0][1]["breaks"] == 1 and
            across[0][0]["package_uj"] == across[0][1]["package_uj"],
            "a halt in which a counter can wrap is a break and gives nobody energy", across)
    host = Segment(host_ring(b)).status()
    b.check(3_500_000 < host["unattributed_uj"] < 6_000_000, "it is reported as unattributed", host["unattributed_uj"])
    b.check(records[-1]["package_uj"] > across[0][1]["package_uj"] if across else False, "and the domain's figure goes on")
    ended(daemon)


def counter_begins_anew(b):
    """A step back without a range is no consumption, however large what it shows then."""
    path = os.path.join(b.work, "reset")
    with open(path, "w") as file:
        file.write("scaphring-trace 1\nzones package\n")
        for i in range(300):
            file.write(f"{i * 10_000_000} {5_000_000 + i * 1000 if i < 60 else 4_000_000 + i * 1000}\n")
    load = b.load()
    daemon = b.daemon(source="replay:" + path, domain=f"reset=pid:{load.pid}", **{"model-watts": None})
    time.sleep(1.5)
    last = Segment(host_ring(b)).newest()
    b.check(100_000 < last["package_uj"] < 200_000, "a counter that begins anew adds nothing of its own", last)
    b.check(last["breaks"] == 1, "and counts a break", last)
    ended(daemon)


def adds_up(b):
    """host = domains + residual + unattributed, to the microjoule, in what an ended run leaves behind."""
    loads = [b.load(), b.load(False), b.load()]
    rings = [os.path.join(b.share(f"sum{at}"), "scaph.ring") for at in range(3)]
    daemon = b.daemon(domain=[f"sum{at}=pid:{load.pid}" for at, load in enumerate(loads)])
    time.sleep(1.2)
    host = Segment(host_ring(b))
    daemon.terminate()
    daemon.wait()
    status = host.status()
    total = host.newest()["package_uj"]
    parts = [Segment(ring).newest()["package_uj"] for ring in rings]
    # Each figure is rounded down for itself.
    dust = total - sum(parts) - status["residual_uj"] - status["unattributed_uj"]
    b.check(0 <= dust <= len(parts) + 1 and total > 0,
            "the host's total is domains, residual and unattributed", (total, parts, status))
    b.check(status["state"] == RETIRED and status["reasons"] & PRODUCER_ENDED, "and says that its producer ended", status)


def model_keeps_its_bounds(b):
    """No window above the power that the operator called full, however busy time is counted."""
    loads = [b.load() for _ in range(2 * (os.cpu_count() or 1))]
    daemon = b.daemon(domain=f"full=pid:{loads[0].pid}")
    time.sleep(2.5)
    records = Segment(host_ring(b)).history()
    watts = [(c["package_uj"] - a["package_uj"]) * 1000 / (c["mono_ns"] - a["mono_ns"]) for a, c in zip(records, records[1:])]
    b.check(len(watts) > 50 and max(watts) < 50.01 and min(watts) > 9.99, "every window lies between IDLE and FULL",
            (min(watts), max(watts)))
    ended(daemon)
    for load in loads:
        load.kill()
        load.wait()


def beats(b):
    """Windows about as long as the time between two beats: none may be put off to the window after."""
    load = b.load(busy=False)
    for window_ms in (40, 50, 60, 1000):
        share = b.share("beating")
        daemon = b.daemon(domain=f"beating=pid:{load.pid}", window=str(window_ms))
        time.sleep(0.3)
        guest = Segment(os.path.join(share, "scaph.ring"))
        beat, begin = guest.beat(), time.monotonic()
        time.sleep(2)
        beats, seconds = guest.beat() - beat, time.monotonic() - begin
        b.check(beats >= 10 * seconds - 1, f"windows of {window_ms} ms: {beats} beats in {seconds:.2f} s, ten a second promised")
        ended(daemon)
    load.kill()
    load.wait()


def kept_in_the_dark(b):
    """Profile off: life, status with the reason, not one record; the host's copy is exact."""
    load = b.load()
    share = b.share("dark")
    daemon = b.daemon(domain=f"dark=pid:{load.pid}", profile="*=off")
    time.sleep(1.3)
    guest = Segment(os.path.join(share, "scaph.ring"))
    beat = guest.beat()
    status = guest.status()
    b.check(guest.newest() is None and guest.newest(SLOW) is None, "a domain that is off gets no record")
    b.check(status["state"] == LIVE and status["reasons"] & PROFILE_OFF and status["valid"] == WALL and
            not status["rate_millihz"], "its status says that it is off, and nothing of the host", status)
    time.sleep(0.3)
    b.check(guest.beat() >= beat + 3, "it beats ten times a second", (beat, guest.beat()))
    b.check(Segment(domain_ring(b)).newest()["package_uj"] > 0, "the host's copy has its figures")
    b.check(os.stat(os.path.join(share, "scaph.ring")).st_mode & 0o777 == 0o644, "its segment may be read by all")
    ended(daemon)


def chosen_names(b):
    """A domain that calls itself by another's UUID does not get that one's share."""
    load, victim = b.load(), b.share(UUID)
    daemon = b.daemon(domain=f"{UUID}=pid:{load.pid}")
    time.sleep(0.2)
    b.check(os.listdir(victim) == [], "a name that is another's UUID leads to no share", os.listdir(victim))
    ended(daemon)


def check_beside(b):
    load = b.load(False)
    daemon = b.daemon(domain=f"a=pid:{load.pid}")
    done = subprocess.run([b.scaphd, *b.options(domain=f"a=pid:{load.pid}"), "--check"], capture_output=True, text=True)
    b.check(done.returncode == 0 and done.stderr == "" and "kernel tick" in done.stdout, "--check works beside a running daemon",
            done.stderr)
    b.check(daemon.poll() is None, "and does not disturb it")
    ended(daemon)


def files_of_options(b):
    path = os.path.join(b.work, "faults.ini")

    def write(text):
        with open(path, "w") as file:
            file.write(text)

    write("[scaphd]\nnonsense\nwindwo = 20\n")
    b.refused("of two mistakes the first one is told, with its line", ["faults.ini:2", "key = value"], "--config", path)
    write("[scaphd]\nstate-dir = /" + "x" * 300 + "\nwindow = 20\n")
    b.refused("a line too long is told as such, with its line", ["faults.ini:2", "bytes"], "--config", path)
    write("[scaphd]\nsource = model\nmodel-watts = 1:2\ndomain = x=pid:4194304\n")
    done = subprocess.run([b.scaphd, "--config", path], capture_output=True, text=True)
    b.check(done.returncode == 1 and done.stderr.count("\n") == 1 and "faults.ini:4: domain" in done.stderr and
            "no process" in done.stderr, "a domain of a file is told with its line", done.stderr)
    write("[scaphd]\ndomain = x=pid:4194304\n")
    load = b.load(False)
    done = subprocess.run([b.scaphd, "--config", path, *b.options(domain=f"a=pid:{load.pid}"), "--check"], capture_output=True,
                          text=True)
    b.check(done.returncode == 0 and "domain   a" in done.stdout, "the command line's domains replace the file's", done.stderr)


def ordinary_user(b):
    """Everything works without privilege, given folders of one's own."""
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    load = b.load()
    home = os.path.join(b.work, "home")
    os.makedirs(os.path.join(home, "shares", "mine"))
    if words:
        os.chmod(b.work, 0o755)
        for folder in (home, os.path.join(home, "shares"), os.path.join(home, "shares", "mine")):
            os.chown(folder, 65534, 65534)
    changed = {"share-root": home + "/shares", "host-dir": home + "/host", "state-dir": home + "/state"}
    daemon = b.start(*words, b.scaphd, *b.options(domain=f"mine=pid:{load.pid}", **changed), stderr=subprocess.PIPE, text=True)
    ring = os.path.join(home, "shares", "mine", "scaph.ring")
    b.check(await_that(lambda: published(ring), 5), "an ordinary user publishes")
    daemon.terminate()
    b.check(daemon.wait(5) == 0 and os.listdir(home + "/host") == [], "and ends in order", daemon.stderr.read())


def main():
    with Bench(*arguments()) as b:
        for part in (the_dead_use_nothing, beats, halted, gap_too_long, counter_begins_anew, adds_up, model_keeps_its_bounds,
                     kept_in_the_dark, chosen_names, check_beside, files_of_options, ordinary_user):
            part(b)


if __name__ == "__main__":
    main()
