#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine that a real libvirtd and discovery both tell of, and one that only discovery does. Usage: test_discover.py BUILD. Prints TAP."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from bench import Bench, await_that  # noqa: E402
from virt import Virt, ready  # noqa: E402

ALONE = "6ba7b810-9dad-11d1-80b4-00c04fd430ca"


def said(b):
    with open(b.work + "/log") as file:
        return file.read()


def rings(b, *ours):
    """Others may run machines here meanwhile."""
    leaves = os.listdir(b.host) if os.path.isdir(b.host) else []
    return sorted(leaf[:-len(".ring")] for leaf in leaves if leaf[:-len(".ring")] in ours)


def run(b, virt):
    both = virt.domain("both,named\t'x'", plan9=False)
    both.virsh("start")
    b.start("qemu-system-x86_64", "-S", "-accel", "tcg", "-nodefaults", "-display", "none", "-m", "16", "-name", "alone", "-uuid", ALONE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(b.work + "/log", "wb") as log:
        daemon = b.start(b.scaphd, *b.options(libvirt="qemu:///system", discover="qemu", meter="cputime", **{"share-root": virt.share_root}),
                         stderr=log)
    b.check(await_that(lambda: rings(b, both.uuid, ALONE) == sorted([both.uuid, ALONE]), 20), "each is published once", (rings(b, both.uuid, ALONE), said(b)))
    b.check(await_that(lambda: os.path.exists(both.share + "/scaph.ring")), "with its share")
    pid = both.pid()
    b.check(both.pid() == pid and said(b).count(f"process {pid})") == 1, "the one that both tell of was never let in again", said(b))
    both.virsh("destroy")
    b.check(await_that(lambda: rings(b, both.uuid, ALONE) == [ALONE], 15), "and is gone when libvirt says so", said(b))
    b.check(daemon.poll() is None, "the daemon lives")
    b.check(ALONE not in virt.virsh("list", "--all", "--uuid"), "libvirt has never heard of the other")


def main():
    if not ready():
        return
    build = sys.argv[1]
    with Bench(build + "/producer/scaphd", build + "/consumer/scaph") as b, Virt() as virt:
        run(b, virt)


if __name__ == "__main__":
    main()
