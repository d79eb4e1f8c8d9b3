#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The meter bpf under another kernel: the same program, as built here, in a guest that runs Debian's.

Usage: test_meter.py BUILD_DIR. Prints TAP. Needs root (virtiofsd, a tmpfs mount). An emulated CPU is slow: only what does not
depend on time is held here, and shares roughly.
"""

import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "../../tools/guest"), os.path.join(here, "..")]
import guest as guests  # noqa: E402
from tap import Tap  # noqa: E402

EXACT = ("a slot used again", "a PID used again", "what runs on a package")
POINTS = 5

tap = Tap()
check = tap.check


def lines_of(guest, command):
    """What it printed, whatever came of it."""
    return guest.run(f"{command}; true", 60).splitlines()


def main():
    build = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root")
        return 0
    live = os.path.join(build, "tests/bpf/live")
    guest = guests.Guest(build, programs={"live": live, "scaphd": os.path.join(build, "producer/scaphd")})
    try:
        guest.boot()
        version = guest.run("uname -r").strip()
        said = guest.run("scaphd --check --source model --model-watts 10:50 --libvirt none --share-root /tmp --host-dir /tmp/host "
                         "--state-dir /tmp/state --allow-plain-dir")
        if "left out when this scaphd was built" in said:
            print("1..0 # skip: this scaphd was built without the meter bpf")
            tap.plan = lambda: None
            return 0
        check("meter    bpf" in said, f"Linux {version} takes the program", said)
        cases = lines_of(guest, "live cases")
        for words in EXACT:
            check(any(re.match(rf"ok \d+ - {words}", line) for line in cases), words, "\n".join(cases))
        shares = lines_of(guest, f"live accuracy bpf 2 {POINTS}")
        for line in shares:
            share = re.search(r"- ([-\w, ]+): (\S+) % of a CPU, perf says (\S+) %", line)
            if share:
                check(abs(float(share[2]) - float(share[3])) < POINTS, share[0][2:])
        check(len(shares) == 10, "every load was looked at", "\n".join(shares))
    finally:
        guest.close()
        tap.plan()
    return tap.failed > 0


if __name__ == "__main__":
    sys.exit(main())
