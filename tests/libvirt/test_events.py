#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real libvirtd does, and what the hypervisor's thread makes of it, through the program watch.

Usage: test_events.py WATCH. Prints TAP. Needs root. Its machines boot nothing, so it is quick. What is told is compared with
what /proc says runs and with what was done, never with libvirt's own answers.
"""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid as uuids

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]
import virt as virts  # noqa: E402
from tap import Tap  # noqa: E402

KILLS = 20
CROWD = 200
URI = "qemu:///system"
RUN_DIR = "/run/libvirt/qemu"
OTHER_UUID = str(uuids.uuid4())

# Names that libvirt takes, and that would do harm as a path, an option, a format, a command or a line.
NAMES = ("-b $(id);`id`", "%n%s%d", "a,b,,c", "tab\there", ".pid", "\u202egnirts", "R&D's <b> \"c\" \\n", "\u00fc" * 120)

tap = Tap()
check = tap.check


def await_that(condition, seconds=10, every=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


class Watch:
    """The program, and every line it has said so far with its time."""

    def __init__(self, run_dir=RUN_DIR, uri=URI):
        self.process = subprocess.Popen([sys.argv[1], uri, run_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.said = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def mark(self):
        return len(self.said)

    def since(self, mark, about=""):
        return [line for line in list(self.said)[mark:] if about in line]

    def await_line(self, mark, pattern, seconds=10):
        found = []

        def look():
            found[:] = [line for line in list(self.said)[mark:] if re.fullmatch(pattern, line)]
            return found
        await_that(look, seconds)
        return found[0] if found else None

    def end(self, linger_ms=0):
        """Returns how many milliseconds stopping took, and what was told after it."""
        self.process.stdin.write(f"{linger_ms}\n")
        self.process.stdin.close()
        ended = self.await_line(0, r"ended \d+", 20)
        return int(ended.split()[1]) if ended else None

    def lines_after_end(self):
        self.process.wait(20)
        self.reader.join(5)
        at = [i for i, line in enumerate(self.said) if line.startswith("ended ")][-1]
        return self.said[at + 1:]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def switches(self):
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/status") as file:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
        return total

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def running(domain, **values):
    """The pattern of the line that says so, by the PID of /proc; values that are not given may be any."""
    fields = {"pid": domain.pid(), "vcpus": domain.vcpus, "paused": r"\d", "ivshmem": r"\d", **values}
    return f"running {domain.uuid} " + " ".join(f"{key}={value}" for key, value in fields.items()) + " name=.*"


def told(watch, mark, domain, *patterns, seconds=10):
    """The lines about a domain since then are these, in this order; a line may be repeated, and what was told last come again."""
    wanted = [pattern.format(uuid=domain.uuid) for pattern in patterns]

    def lines():
        found = watch.since(mark, domain.uuid)
        return [line for i, line in enumerate(found) if i == 0 or found[i - 1] != line]

    def same():
        have = lines()
        before = watch.since(0, domain.uuid)[:-len(watch.since(mark, domain.uuid)) or None]
        late = have[1:] if have and before and have[0] == before[-1] else have
        return any(len(h) == len(wanted) and all(map(re.fullmatch, wanted, h)) for h in (have, late))
    # An event may be followed by another that says the same.
    good = await_that(same, seconds)
    time.sleep(0.3)
    return good and same(), f"wanted {wanted}\nhave {lines()}"


def ended(watch, mark, domain):
    """It stopped, by whatever steps, and its life is not over."""
    watch.await_line(mark, f"stopped {domain.uuid}")
    time.sleep(0.3)
    lines = watch.since(mark, domain.uuid)
    return lines[-1:] == [f"stopped {domain.uuid}"] and not any("undefined" in line for line in lines), lines


def expect(result, what):
    """A result with its detail, as told() gives it."""
    return check(result[0], what, result[1])


def absent(virt):
    """Without libvirtd, and with one that comes: said once, and then everything."""
    with Watch() as watch:
        time.sleep(2)
        check(len(watch.said) == 1 and watch.said[0].startswith("down ") and "libvirt-sock" in watch.said[0],
              "a libvirtd that is not there is said once, with the reason", watch.said)
        virt.start()
        good = watch.await_line(0, "listed 0 0", 10) and watch.said == [watch.said[0], "up -", "listed 0 0"]
        check(good, "once it is there it is found, and its empty list told", watch.said)
        time.sleep(0.5)
        before = watch.switches()
        time.sleep(3)
        after = watch.switches()
        # Keepalive is two or three of them; a loop that looked five times a second would be fifteen.
        check(after - before < 10, "while nothing happens it sleeps", f"{after - before} switches in 3 s")
        took = watch.end()
        check(took is not None and took < 300, "it ends at once", took)


def life(virt, watch):
    domain = virt.domain("web one", vcpus=2)
    step = watch.mark()
    domain.virsh("start")
    good, detail = told(watch, step, domain, "refresh {uuid}", running(domain, paused=0, ivshmem=0))
    check(good and "name=web one" in watch.since(step, "running")[0], "started: running, by the PID that /proc has", detail)
    for command, what, patterns in (
            ("suspend", "suspended: paused", [running(domain, paused=1)]),
            ("resume", "resumed: refresh, and running", ["refresh {uuid}", running(domain, paused=0)]),
            ("reset", "reset: nothing is new", [])):
        step = watch.mark()
        domain.virsh(command)
        expect(told(watch, step, domain, *patterns), what)
    step = watch.mark()
    domain.virsh("destroy")
    expect(told(watch, step, domain, "stopped {uuid}"), "destroyed: stopped, and its life goes on")
    domain.virsh("start")
    time.sleep(0.3)
    step = watch.mark()
    domain.kill()
    expect(told(watch, step, domain, "stopped {uuid}"), "QEMU killed: stopped")
    step = watch.mark()
    domain.virsh("undefine")
    expect(told(watch, step, domain, "undefined {uuid}"), "undefined: its life is over")
    return domain


def save(virt, watch):
    domain = virt.domain("saved", ivshmem=True)
    image = os.path.join(virt.work, "image")
    domain.virsh("start")
    for words, paused in (((), 0), (("--paused",), 1)):
        step = watch.mark()
        domain.virsh("save", image)
        expect(ended(watch, step, domain), "saved: stopped, and its life goes on")
        step = watch.mark()
        virt.virsh("restore", image, *words)
        pid = domain.pid()
        await_that(lambda: watch.since(step, domain.uuid)[-1:] == watch.since(step, f"paused={paused}")[-1:])
        time.sleep(0.5)
        lines = watch.since(step, domain.uuid)
        check(lines and re.fullmatch(running(domain, pid=pid, paused=paused, ivshmem=1), lines[-1]) and
              any(line.startswith("refresh") for line in lines),
              f"restored{' paused' if paused else ''}: refresh, and what it is now comes last", lines)
    domain.virsh("destroy")


def definitions(virt, watch):
    """A life is over when neither process nor definition is left, whichever goes first."""
    domain = virt.domain("goes first")
    step = watch.mark()
    domain.virsh("start")
    told(watch, step, domain, "refresh {uuid}", running(domain))
    step = watch.mark()
    domain.virsh("undefine")
    time.sleep(0.3)
    check(not watch.since(step, domain.uuid), "undefined while it runs: nothing yet", watch.since(step, domain.uuid))
    domain.define()
    domain.virsh("destroy")
    expect(told(watch, step, domain, "stopped {uuid}"), "defined again before it stops: its life goes on")
    domain.virsh("start")
    watch.await_line(step, running(domain))
    time.sleep(0.3)
    step = watch.mark()
    domain.virsh("undefine")
    domain.virsh("destroy")
    expect(told(watch, step, domain, "stopped {uuid}", "undefined {uuid}"),
           "stopped without a definition: its life is over")
    step = watch.mark()
    domain.create()
    expect(told(watch, step, domain, "refresh {uuid}", running(domain, paused=0)), "a transient one is found")
    step = watch.mark()
    domain.virsh("save", os.path.join(virt.work, "transient"))
    expect(ended(watch, step, domain), "saved, a transient one's life goes on")
    virt.virsh("restore", os.path.join(virt.work, "transient"))
    watch.await_line(step, running(domain))
    time.sleep(0.3)
    step = watch.mark()
    domain.virsh("destroy")
    expect(told(watch, step, domain, "stopped {uuid}", "undefined {uuid}"), "destroyed, it is over")


def names(virt, watch):
    """Every name by its own process; the device is believed by its UUID alone."""
    for name in NAMES:
        domain = virt.domain(name)
        step = watch.mark()
        domain.virsh("start")
        good, detail = told(watch, step, domain, "refresh {uuid}", running(domain, paused=0))
        check(good, f"{name[:20]!a} is found", detail)
        domain.kill()
    squatter = virt.domain("squatter", ivshmem=True, shmem=f"scaph-{OTHER_UUID}")
    step = watch.mark()
    squatter.virsh("start")
    check(watch.await_line(step, running(squatter, ivshmem=0)) and not watch.await_line(step, running(squatter, ivshmem=1), 0.3),
          "another UUID's memory device is not its own", watch.since(step))
    squatter.kill()


def pid_files(virt, domains):
    """A folder of PID files in which one is missing and one is another's: said once, and found when it is right."""
    folder = os.path.join(virt.work, "pids")
    os.mkdir(folder)
    missing, wrong, right = domains
    with open(os.path.join(folder, wrong.name + ".pid"), "w") as file:
        file.write(f"{right.pid()}\n")
    with open(os.path.join(folder, right.name + ".pid"), "w") as file:
        file.write(f"{right.pid()}\n")
    with Watch(run_dir=folder) as watch:
        listed = watch.await_line(0, "listed .*", 5)
        check(listed and watch.await_line(0, running(right), 0.1) and all(d.uuid in listed for d in domains),
              "processes that are not found keep nobody waiting", watch.said)
        check(watch.await_line(0, f"unseen {missing.uuid} it has no PID file.*", 8) and
              watch.await_line(0, f"unseen {wrong.uuid} its PID file names another process", 8),
              "a missing PID file and one of another process are said", watch.said)
        time.sleep(6)
        check(len(watch.since(0, "unseen")) == 2 and len(watch.since(0, "running")) == 1, "once", watch.said)
        for domain in (missing, wrong):
            with open(os.path.join(folder, domain.name + ".pid"), "w") as file:
                file.write(f"{domain.pid()}\n")
        check(all(watch.await_line(0, running(d), 8) for d in (missing, wrong)), "and they are found when it is right",
              watch.said)


def crowd(virt, count):
    """Definitions that make a list long enough to be killed amid."""
    words = []
    for _ in range(count):
        uuid = uuids.uuid4()
        path = os.path.join(virt.work, f"{uuid}.xml")
        with open(path, "w") as file:
            file.write(f"<domain type='qemu'><name>{uuid}</name><uuid>{uuid}</uuid><memory unit='MiB'>32</memory>"
                       "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>")
        words.append(f"define {path}")
    virt.virsh("; ".join(words))


def running_in(line):
    """The UUIDs that a list has as running."""
    words = line.split()
    return set(words[3:3 + int(words[1])])


def kills(virt, watch, domains):
    """Killed in the middle of listing as well as at rest: whatever list is told, what runs is in it."""
    crowd(virt, CROWD)
    chance = random.Random(3)
    ups, downs = len(watch.since(0, "up -")), len(watch.since(0, "down "))
    descriptors = watch.descriptors()
    alive, wrong, begun = list(domains), [], watch.mark()
    for kill in range(KILLS):
        step = watch.mark()
        virt.kill()
        if kill == KILLS // 2:
            alive.pop().kill()
        virt.start(wait=False)
        if not await_that(lambda s=step: "up -" in watch.said[s:], 20, every=0.0003):
            wrong.append((kill, "no connection", watch.since(step)))
        elif kill % 2:
            time.sleep(chance.uniform(0, 0.03))
        elif not watch.await_line(step, "listed .*") or not all(watch.await_line(step, running(d), 5) for d in alive):
            wrong.append((kill, watch.since(step)))
    virt.wait()
    last = watch.await_line(step, "listed .*") or "listed 0 0"
    lists = watch.since(begun, "listed ")
    short = [line for line in lists if not {domain.uuid for domain in alive} <= running_in(line)]
    check(not wrong and not short and len(lists) >= KILLS // 2,
          f"libvirtd killed {KILLS} times: {len(lists)} lists, and what runs is in each", (wrong[:3], short[:3]))
    check(len(watch.since(0, "up -")) - ups == KILLS and len(watch.since(0, "down ")) - downs == KILLS,
          "each said once when it went and once when it came", watch.since(begun))
    check(running_in(last) == {domain.uuid for domain in alive}, "who ended meanwhile is not among those that run", last)
    check(watch.descriptors() <= descriptors, "no connection is left behind", (descriptors, watch.descriptors()))
    return alive


def hung(virt, domains):
    """A libvirtd that takes connections and answers nothing."""
    with Watch() as old:
        old.await_line(0, "listed .*")
        virt.libvirtd.send_signal(signal.SIGSTOP)
        try:
            hang(virt, old)
        finally:
            virt.libvirtd.send_signal(signal.SIGCONT)
        step = [i for i, line in enumerate(old.said) if line.startswith("down")][0]
        check(old.await_line(step, "listed .*", 15) and all(old.await_line(step, running(d), 5) for d in domains),
              "it comes back by itself", old.said)
        took = old.end()
        check(took is not None and took < 1500, "and ends", took)


def hang(virt, old):
    with Watch() as opening:
        check(opening.await_line(0, "down it takes connections and does not answer", 8), "one that answers nothing is said",
              opening.said)
        check(old.await_line(0, "down it no longer answers", 25), "one that answers no longer is said", old.said)
        took = opening.end(linger_ms=2000)
        check(took is not None and took < 1500, "it ends within about a second all the same", took)
        virt.libvirtd.send_signal(signal.SIGCONT)
        after = opening.lines_after_end()
        check(after == [], "nothing is told after the end, though libvirt answers at last", after)


def refused():
    for uri in ("test:///default", "qemu+ssh://somewhere/system", "qemu:///embed?root=/tmp", "", "xen:///"):
        done = subprocess.run([sys.argv[1], uri, RUN_DIR], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
        check(done.returncode == 1 and done.stderr.count("\n") == 1 and not done.stdout, f"{uri!r} is refused",
              done.stderr + done.stdout)


def main():
    if not virts.ready():
        return
    refused()
    with virts.Virt(start=False) as virt:
        absent(virt)
        with Watch() as watch:
            watch.await_line(0, "listed .*")
            life(virt, watch)
            save(virt, watch)
            definitions(virt, watch)
            names(virt, watch)
            domains = [virt.domain(name) for name in ("one", "two words", "-three")]
            for domain in domains:
                domain.virsh("start")
            pid_files(virt, domains)
            domains = kills(virt, watch, domains)
        hung(virt, domains)
    tap.plan()


if __name__ == "__main__":
    main()
