#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon killed again and again under a guest that reads: totals never step back, and never exceed what was measured.

Usage: test_kills.py BUILD_DIR TOTALS. Prints TAP. Needs root. 500 kills at SCAPH_TEST_PERCENT=100.

The model's power is the same idle and busy, so what can have been measured since the start is that power times the time.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration"), os.path.join(HERE, "../../tools/guest")]
import guest as guests  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402

WATTS = 50
tap = Tap()
check = tap.check


def lines_of(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.startswith("{") and line.endswith("}\n")]


def start(guest):
    return guest.scaphd("--model-watts", f"{WATTS}:{WATTS}", "--profile", f"{guest.uuid}=trusted", "--log-level", "error")


def judge(name, figures, limit_uj):
    """Figures in the order in which a reader showed them."""
    back = [(a, b) for a, b in zip(figures, figures[1:]) if b < a]
    check(not back and len(figures) > 20, f"{name}: in {len(figures)} figures no step back", back[:5])
    check(figures and max(figures) - figures[0] <= limit_uj, f"{name}: never above what was measured",
          (max(figures, default=0), limit_uj))
    check(figures and figures[-1] > figures[0], f"{name}: and it went on", figures[-3:])


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root")
        return
    kills = max(20, 5 * int(os.environ.get("SCAPH_TEST_PERCENT", "10")))
    choice = random.Random(1)
    with guests.Guest(sys.argv[1]) as guest:
        guest.boot()
        begun = time.monotonic()
        daemon = start(guest)
        time.sleep(2)
        guest.run("(while :; do :; done) >/dev/null 2>&1 & true")
        for name, path in (("virtiofs", "/virtiofs"), ("ivshmem", guest.pci)):
            guest.run(f"(scaph json --path {path} -s 0 >/out/{name} 2>/out/{name}.err) & true")
        ring = os.path.join(guest.share, "scaph.ring")
        with open(os.path.join(guest.work, "totals"), "w") as file:
            totals = subprocess.Popen([sys.argv[2], ring], stdout=file)
        for _ in range(kills):
            # From before the first record to many windows later; often within the window's own work.
            time.sleep(choice.choice((0.01, 0.05, 0.3)) + choice.random() * 0.2)
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            guest.processes.remove(daemon)
            daemon = start(guest)
        time.sleep(3)
        limit_uj = (time.monotonic() - begun) * WATTS * 1e6
        totals.kill()
        totals.wait()
        host = Segment(os.path.join(guest.host_dir, "host.ring"))
        domain = Segment(os.path.join(guest.host_dir, guest.uuid + ".ring"))
        guest.stop(daemon)
        measured = host.newest()["package_uj"]
        status = host.status()
        dust = measured - domain.newest()["package_uj"] - status["residual_uj"] - status["unattributed_uj"]
        for name in ("virtiofs", "ivshmem"):
            rows = lines_of(os.path.join(guest.out, name))
            epochs = len({row["epoch"] for row in rows if row["epoch"]})
            check(epochs > kills / 5, f"{name}: a guest read through {kills} kills and saw {epochs} epochs", rows[-1:])
            judge(f"{name}: the counter", [row["package_uj"] for row in rows if row["package_uj"] is not None],
                  min(limit_uj, measured))
        with open(os.path.join(guest.work, "totals")) as file:
            rows = [[int(word) for word in line.split()] for line in file if line.endswith("\n")]
        judge("libscaph's totals", [row[0] for row in rows], min(limit_uj, measured))
        judge("libscaph's CPU time", [row[1] for row in rows], (time.monotonic() - begun) * 2e9)
        check(measured <= limit_uj, "the host measured no more than there was", (measured, limit_uj))
        check(0 <= dust <= 2, "and its total is domain, residual and unattributed, whatever window the kill met", dust)
        print(f"# {kills} kills in {time.monotonic() - begun:.0f} s")
    tap.plan()


if __name__ == "__main__":
    main()
