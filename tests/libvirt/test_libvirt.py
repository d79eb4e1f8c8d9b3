#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd under a real libvirtd: every domain found by itself through all of its life, and never a step back.

Usage: test_libvirt.py BUILD_DIR. Prints TAP. Needs root: libvirtd, three guests under emulation, mounts.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration")]
import virt as virts  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402

KILLS = 20
WINDOW_NS = 20_000_000
DOMAIN_GONE = 1 << 4

tap = Tap()
check = tap.check


def await_that(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


class Daemon:
    def __init__(self, build, virt, *options, profile="*=trusted"):
        self.virt = virt
        self.host = os.path.join(virt.work, "host")
        self.log = open(os.path.join(virt.work, "scaphd.log"), "a+")
        self.process = subprocess.Popen(
            [os.path.join(build, "producer/scaphd"), "--source", "model", "--model-watts", "12:85", *(["--profile", profile] if profile else []),
             "--share-root", virt.share_root, "--host-dir", self.host, "--state-dir", os.path.join(virt.work, "state"),
             *options], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def ring(self, uuid):
        return os.path.join(self.host, uuid + ".ring")

    def lines(self):
        with open(self.log.name) as file:
            return file.read().splitlines()

    def has(self, domain):
        return os.path.exists(self.ring(domain.uuid))

    def figure(self, domain):
        """Cumulative energy as the host has it; None: the domain is not published."""
        try:
            return Segment(self.ring(domain.uuid)).newest()["package_uj"]
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def epoch(self, domain):
        return Segment(self.ring(domain.uuid)).word(32)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Watch(threading.Thread):
    """Looks at every domain's cumulative counter all the time: it never steps back, whatever is done to the domain."""

    def __init__(self, daemon, domains):
        super().__init__(daemon=True)
        self.scaphd, self.domains = daemon, domains
        self.greatest = {domain.uuid: 0 for domain in domains}
        self.looks, self.back, self.end = 0, [], False

    def run(self):
        while not self.end:
            for domain in self.domains:
                figure = self.scaphd.figure(domain)
                if figure is None:
                    continue
                self.looks += 1
                if figure < self.greatest[domain.uuid]:
                    self.back.append((domain.name, self.greatest[domain.uuid], figure))
                self.greatest[domain.uuid] = figure
            time.sleep(0.02)


def equal_inside(build, daemon, domain, path):
    """A hundred records as the guest reads them, beside the host's copy of the same windows."""
    ring = daemon.ring(domain.uuid)
    host = subprocess.Popen([os.path.join(build, "consumer/scaph"), "json", "-s", "0", "-n", "250", "--timeout", "40", "--path",
                             ring], stdout=subprocess.PIPE, text=True)
    status, text = domain.line.run_status(f"scaph json --path {path} -s 0 -n 100 --wait 5 --timeout 30", 50)
    inside = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    outside = {line["mono_ns"]: line for line in map(json.loads, host.communicate()[0].splitlines())}
    both = [(line, outside[line["mono_ns"]]) for line in inside if line["mono_ns"] in outside]
    fields = ("package_uj", "idle_uj", "cpu_ns")
    return status == 0 and len(both) > 50 and all(a[f] == b[f] for a, b in both for f in fields), (
        f"{len(inside)} inside, {len(both)} of them outside, status {status}\n{text[-500:]}")


def found(build, daemon, domains, paths):
    for domain in domains:
        check(await_that(lambda d=domain: daemon.has(d)), f"{domain.name!r} is found by itself")
    for domain in domains:
        domain.await_ready()
        paths[domain.uuid] = domain.mount()
    # Different loads: one runs, one in bursts, one sleeps.
    domains[0].line.run("(while :; do :; done) >/dev/null 2>&1 & true")
    domains[1].line.run("(while :; do timeout 0.3 sh -c 'while :; do :; done'; sleep 0.3; done) >/dev/null 2>&1 & true")
    for domain in domains:
        good, detail = equal_inside(build, daemon, domain, paths[domain.uuid])
        check(good, f"{domain.name!r} sees its own figure, equal to the host's", detail)
    spent = []
    before = [Segment(daemon.ring(d.uuid)).newest()["cpu_ns"] for d in domains]
    time.sleep(3)
    for domain, first in zip(domains, before):
        spent.append(Segment(daemon.ring(domain.uuid)).newest()["cpu_ns"] - first)
    check(spent[0] > spent[1] > spent[2] > 0, "more load, more CPU time", spent)


def pause_and_reboot(daemon, busy, sleeper):
    epoch = daemon.epoch(busy)
    busy.virsh("suspend")
    check(await_that(lambda: Segment(daemon.ring(busy.uuid)).status()["state"] == 2), "a paused domain is called paused")
    first = Segment(daemon.ring(busy.uuid)).newest()
    time.sleep(1)
    second = Segment(daemon.ring(busy.uuid)).newest()
    check(second["mono_ns"] > first["mono_ns"] and second["cpu_ns"] - first["cpu_ns"] < 50_000_000,
          "its records go on, with hardly any CPU time", (first, second))
    busy.virsh("resume")
    check(await_that(lambda: Segment(daemon.ring(busy.uuid)).status()["state"] == 1), "resumed, it is live again")
    check(daemon.epoch(busy) == epoch, "a pause is no new epoch")
    epoch = daemon.epoch(sleeper)
    sleeper.virsh("reset")
    sleeper.line.await_ready(virts.BOOT_S)
    check(daemon.epoch(sleeper) == epoch, "a guest's reboot is no new epoch")


def destroy_and_start(daemon, domain, others):
    epoch, figure = daemon.epoch(domain), daemon.figure(domain)
    share = Segment(os.path.join(domain.share, "scaph.ring"))
    domain.virsh("destroy")
    check(await_that(lambda: not daemon.has(domain)), "a destroyed domain is gone from the host folder")
    check(share.status()["state"] == 3 and share.status()["reasons"] & DOMAIN_GONE, "its share says so", share.status())
    check(all(daemon.has(other) for other in others), "the others stay")
    domain.start()
    check(await_that(lambda: daemon.figure(domain) is not None), "started again it is back")
    check(daemon.epoch(domain) != epoch and daemon.figure(domain) >= figure > 0, "as a new epoch, its counter going on",
          (epoch, figure, daemon.figure(domain)))


def recreate(daemon, domain):
    """Undefined and defined anew under the same UUID: another life, from 0."""
    before = daemon.figure(domain)
    domain.virsh("destroy")
    await_that(lambda: not daemon.has(domain))
    domain.virsh("undefine")
    time.sleep(0.5)
    domain.define()
    domain.start()
    check(await_that(lambda: daemon.figure(domain) is not None), "a domain defined anew is found")
    check(daemon.figure(domain) < before, "and begins at 0", (before, daemon.figure(domain)))


def save_and_restore(build, daemon, domain, path):
    domain.close_line()
    figure = daemon.figure(domain)
    epoch = daemon.epoch(domain)
    image = os.path.join(daemon.virt.work, "saved")
    domain.virsh("save", image)
    check(await_that(lambda: not daemon.has(domain)), "a saved domain is gone")
    time.sleep(1)
    daemon.virt.virsh("restore", image)
    check(await_that(lambda: daemon.figure(domain) is not None), "restored it is back")
    check(daemon.epoch(domain) != epoch and daemon.figure(domain) >= figure, "as a new epoch, never backwards",
          (figure, daemon.figure(domain)))
    domain.connect()
    good, detail = equal_inside(build, daemon, domain, path)
    check(good, "its guest's page, with the saved bytes in it, is overwritten: figures equal to the host's", detail)


def kill_libvirtd(daemon, virt, domains):
    """What runs goes on: not a window is missing in anybody's ring while libvirtd is killed again and again."""
    rings = {d.name: Segment(daemon.ring(d.uuid)) for d in domains}
    rings["host"] = Segment(daemon.ring("host"))
    seen = {name: {} for name in rings}
    end = threading.Event()

    def collect():
        while not end.wait(1):
            for name, ring in rings.items():
                seen[name].update((r["seq"], r) for r in ring.history())

    collector = threading.Thread(target=collect)
    collector.start()
    reconnects = sum("connected" in line for line in daemon.lines())
    missed = domains[-1]
    for kill in range(KILLS):
        virt.kill()
        if kill == KILLS // 2:
            os.kill(missed.pid(), signal.SIGKILL)
        virt.start()
        await_that(lambda k=kill: sum("connected" in line for line in daemon.lines()) >= reconnects + k + 1, 15)
    connected = sum("connected" in line for line in daemon.lines()) - reconnects
    end.set()
    collector.join()
    for name, ring in rings.items():
        seen[name].update((r["seq"], r) for r in ring.history())
    check(connected == KILLS, f"libvirtd killed {KILLS} times: {KILLS} reconnections", connected)
    for name, records in seen.items():
        rows = [records[seq] for seq in sorted(records)]
        holes = [(a["seq"], b["seq"]) for a, b in zip(rows, rows[1:]) if b["seq"] != a["seq"] + 2]
        longest = max(b["mono_ns"] - a["mono_ns"] for a, b in zip(rows, rows[1:]))
        check(not holes and len({r["breaks"] for r in rows}) == 1 and len(rows) > 300,
              f"{name!r}: {len(rows)} consecutive records over it, longest window {longest / 1e6:.0f} ms", holes[:5])
    check(not daemon.has(missed), "a domain that ended meanwhile is gone")


def main():
    if not virts.ready():
        return
    build = os.path.abspath(sys.argv[1])
    with virts.Virt(build) as virt, Daemon(build, virt) as daemon:
        domains = [virt.domain("web one"), virt.domain("-b $(id);%n%s,", ivshmem=True, plan9=False),
                   virt.domain("\u202egnirts")]
        for domain in domains:
            domain.start()
        paths = {}
        found(build, daemon, domains, paths)
        watch = Watch(daemon, domains)
        watch.start()
        busy, saved, sleeper = domains
        pause_and_reboot(daemon, busy, sleeper)
        destroy_and_start(daemon, busy, (saved, sleeper))
        save_and_restore(build, daemon, saved, paths[saved.uuid])
        kill_libvirtd(daemon, virt, domains)
        watch.end = True
        watch.join()
        check(not watch.back and watch.looks > 1000, f"in {watch.looks} looks no counter stepped back", watch.back[:5])
        recreate(daemon, busy)
        said = "\n".join(daemon.lines())
        check("\u202e" not in said and "\\xe2\\x80\\xae" in said, "names are shown escaped", said)
        check(daemon.stop() == 0, "the daemon ends in order", said)
    tap.plan()


if __name__ == "__main__":
    main()
