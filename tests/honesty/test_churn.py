#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Domains come and go by the hundred while libvirtd is killed again and again: nobody is charged for another.

Usage: test_churn.py SCAPHD SCAPH MSRFS. Prints TAP. Needs root, /dev/fuse, libvirtd, QEMU.

Each domain is a machine under emulation that finds nothing to boot. What is published of it is compared, window by window, with the
second account in exact fractions; and its CPU time, at its end, with what the kernel says that its QEMU used: read while that is
stopped, so both are exact.
"""

import os
import random
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration"), os.path.join(HERE, "../libvirt")]
import virt as virts  # noqa: E402
from audit import Audit, host_rings  # noqa: E402
from bench import Bench, await_that  # noqa: E402
from look import Segment  # noqa: E402
from msrfs.host import SKYLAKE_SERVER, Host, missing  # noqa: E402
from watch import Watch  # noqa: E402

IDLE_WATTS = "12.5"
WATTS_MAX = (64, 80)
UNITS = (14, 11)
COUNTERS = {(0, "package"): (14, 2**32 - 2**21, "sine 18000 64000 401"), (0, "core"): (14, 7, "square 5000 35000 909"),
            (0, "dram"): (16, 2**31, "sine 2000 8000 1303"), (1, "package"): (11, 2**32 - 2**19, "square 2000 80000 307"),
            (1, "core"): (11, 0, "watts 9000"), (1, "dram"): (16, 2**32 - 2**18, "square 1000 5000 707")}
DOMAINS, KILLS = 200, 20
AT_ONCE = 5  # each of so many threads has one domain coming and one going
LIFE_S = (0.6, 1.5)
KILL_S = (1, 4)  # between two
TRIES = 100
FOUND_S = 20
# Beside what the meter does not know: interrupts and a hypervisor, if the process's clock leaves them out.
OFF_NS, OFF_PART = 5_000_000, 0.03


class Said:
    """What the daemon says, taken as it comes: a full pipe would hold it up."""

    def __init__(self, daemon):
        self.lines = []
        self.thread = threading.Thread(target=lambda: self.lines.extend(daemon.stderr))
        self.thread.start()

    def text(self):
        self.thread.join()
        return "".join(self.lines)


def clock_ns(pid):
    """A process's CPU clock, exact while it is stopped. Source: include/linux/posix-timers.h, CPUCLOCK_SCHED."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Churn:
    def __init__(self, b, virt, domains, kills):
        self.b, self.virt, self.left, self.kills = b, virt, domains, kills
        self.lock = threading.Lock()
        self.lives = []  # (uuid, published cpu_ns, the kernel's, what it had when it was first seen)
        self.failed = self.retried = 0
        self.random = random.Random(1)
        self.failure = None

    def take(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def segment(self, domain):
        try:
            segment = Segment(os.path.join(self.b.host, domain.uuid + ".ring"))
            return segment if segment.newest() else None
        except (OSError, ValueError):
            return None

    def create(self, domain):
        """Again where libvirtd was killed over it: what QEMU it left behind it may not know."""
        for _ in range(TRIES):
            try:
                domain.create()
                return True
            except RuntimeError as error:
                # Or there still is the one before, of the same name.
                if "already" in str(error) and domain.pid():
                    return True
                domain.kill()
            self.retried += 1
            time.sleep(0.2)
        return False

    def live(self, domain):
        found = await_that(lambda: self.segment(domain), FOUND_S)
        pid = domain.pid()
        if not found or not pid:
            return False
        segment = self.segment(domain)
        first = clock_ns(pid)
        time.sleep(self.random.uniform(*LIFE_S))
        os.kill(pid, signal.SIGSTOP)
        # Windows end every 20 ms; this thread may have to wait itself.
        time.sleep(0.1)
        numbers = [(record["cpu_ns"], clock_ns(pid)) for record in (segment.newest() for _ in range(3) if not time.sleep(0.04))]
        os.kill(pid, signal.SIGKILL)
        with self.lock:
            self.lives.append((domain.uuid, *numbers[-1], first, segment.word(368)))
        return True

    def work(self):
        try:
            while self.take():
                # Names are the same again and again; UUIDs are not.
                domain = virts.Domain(self.virt, f"guest {threading.get_ident()}", plan9=False, share=False)
                with self.lock:
                    self.virt.domains.append(domain)
                if not (self.create(domain) and self.live(domain)):
                    self.failed += 1
                domain.kill()
        except Exception as error:  # told by the thread that waits
            self.failure = error

    def run(self):
        threads = [threading.Thread(target=self.work) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        killed = 0
        while any(thread.is_alive() for thread in threads) or killed < self.kills:
            time.sleep(self.random.uniform(*KILL_S))
            if killed < self.kills:
                self.virt.kill()
                time.sleep(self.random.uniform(0, 0.5))
                self.virt.start()
                killed += 1
        if self.failure:
            raise self.failure
        return killed


def charged(b, churn, rings):
    """Each has its own time and no more."""
    wrong = []
    for uuid, published_ns, kernel_ns, first_ns, _ in churn.lives:
        least, most = kernel_ns - first_ns, kernel_ns
        if not least * (1 - OFF_PART) - OFF_NS <= published_ns <= most * (1 + OFF_PART) + OFF_NS:
            wrong.append(f"{uuid}: {published_ns / 1e6:.1f} ms, its QEMU {kernel_ns / 1e6:.1f} ms, {first_ns / 1e6:.1f} when seen")
        ring = rings.get(uuid)
        last = max(ring.records.items())[1]["cpu_ns"] if ring and ring.records else published_ns
        if last > kernel_ns * (1 + OFF_PART) + OFF_NS:
            wrong.append(f"{uuid}: {last / 1e6:.1f} ms at its end, its QEMU {kernel_ns / 1e6:.1f} ms")
    b.check(churn.lives and not wrong, f"{len(churn.lives)} domains: CPU time as the kernel has it for each one's QEMU",
            "\n".join(wrong[:10]))


def main():
    reason = missing() or virts.missing()
    if reason:
        print(f"1..0 # skip: {reason}")
        return 0
    virts.enter_namespace()
    whole = int(os.environ.get("SCAPH_TEST_PERCENT", "10")) >= 100
    domains, kills = (DOMAINS, KILLS) if whole else (6, 2)
    with Bench(*sys.argv[1:3]) as b:
        with Host(os.path.abspath(sys.argv[3]), os.path.join(b.work, "machine"), SKYLAKE_SERVER, UNITS, COUNTERS) as host, \
                virts.Virt() as virt:
            b.before = host.wrap()
            record = os.path.join(b.work, "record")
            daemon = b.daemon(source="msr", record=record, profile="*=trusted", libvirt="qemu:///system",
                              **{"model-watts": None, "idle-watts": IDLE_WATTS, **host.options()})
            said = Said(daemon)
            begin = time.monotonic()
            with Watch(lambda: host_rings(b.host)) as watch:
                churn = Churn(b, virt, domains, kills)
                killed = churn.run()
                b.check(await_that(lambda: list(host_rings(b.host)) == ["host"], 20), "in the end none is left",
                        list(host_rings(b.host)))
                daemon.terminate()
                said = said.text()
                b.check(daemon.wait(10) == 0, "the daemon ends in order", said[-3000:])
        print(f"# {len(churn.lives)} domains lived, {churn.failed} did not come to it, {churn.retried} times anew, in {time.monotonic() - begin:.0f} s")
        b.check(killed == kills and said.count("connected") >= kills and len(churn.lives) >= domains * 0.9,
                f"{domains} domains, at most {AT_ONCE} at once, libvirtd killed {killed} times", said[-3000:])
        audit = Audit(b, host, IDLE_WATTS, WATTS_MAX)
        audit.check("churn", watch.rings, record)
        audit.unattributed("churn", watch.rings)
        b.check(audit.named >= {uuid for uuid, *_ in churn.lives}, "every domain that lived is among them",
                {uuid for uuid, *_ in churn.lives} - audit.named)
        charged(b, churn, watch.rings)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
