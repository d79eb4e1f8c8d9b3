#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd names that libvirt accepts: enabled, started, published by scaphd, checked, disabled; nothing escapes and nothing is left.

Usage: test_scaph_vm_names.py BUILD_DIR FAULT_LIBRARY. Prints TAP. Needs root: libvirtd, mounts. SCAPH_TEST_PERCENT=100: two
hundred names, else six. The domains boot nothing.
"""

import json
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration")]
import virt as virts  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402
from test_libvirt import Daemon, await_that  # noqa: E402
from test_scaph_vm_faults import ODD_NAMES, Vm  # noqa: E402

PIECES = ("..", ".", "-", "--", " ", "\t", "$(touch x)", "`touch x`", ";touch x;", "|", "&&", ">x", "'", '"', "\\", "%n", "%s", "\u202e", "\u2066",
          "\u200b", "\u0085", "\U0001f50b", "e\u0301", "\ufeff", "*", "?", "[a]", "~", "#", "=", ",", "{}", "<b>", "&amp;", "scaph-", "@", "+", ":", "a", "7",
          "\u00ad", "\u2028", "\ud7ff", "\ue000", "web")
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028\u202e\u2066\u2069\ufeff]")
FLOWS = ("--transport", "virtiofs", "--transport", "9p", "--transport", "ivshmem", "--profile", "trusted")
SEED = 6

tap = Tap()
check = tap.check


def names(count):
    """The known ones first, then such as are made of pieces, none twice and none with a slash, which libvirt refuses."""
    rng = random.Random(SEED)
    seen = list(ODD_NAMES) if count > len(ODD_NAMES) else rng.sample(ODD_NAMES, count // 2)
    while True:
        yield from seen
        known = set(seen)
        while True:
            name = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6)))
            if name.strip() and name not in known:
                known.add(name)
                yield name


def attributes(path):
    found = os.lstat(path)
    return found.st_ino, found.st_mode, found.st_uid, found.st_gid, sorted(os.listxattr(path))


def around(vm):
    """What lies where the shares of all lie, and beside it; of it nothing is to change by any name."""
    places = (vm.virt.share_root, vm.export_root, vm.profiles, vm.state)
    listing = {place: (sorted(os.listdir(place)), attributes(place)) for place in places if os.path.isdir(place)}
    with open("/proc/self/mountinfo") as file:
        mounts = {line.split()[4] for line in file}
    shm = sorted(name for name in os.listdir("/dev/shm") if name.startswith("scaph-") and not name.startswith("scaph-libvirt-"))
    ours = {mount for mount in mounts if mount.startswith(vm.virt.work)}
    return mounts - ours, listing, ours, [name for name in shm if any(name == f"scaph-{d.uuid}" for d in vm.virt.domains)]


def published(vm, daemon, domain):
    """scaphd has the domain, and its share has records that move."""
    ring = os.path.join(vm.virt.share_root, domain.uuid, "scaph.ring")

    def number():
        try:
            return Segment(ring).number() or 0
        except (OSError, ValueError):
            return 0

    if not await_that(lambda: daemon.has(domain) and number() > 2, 30):
        return False
    before = number()
    return await_that(lambda: number() > before)


def one(vm, daemon, domain, before):
    """What is wrong, and what was shown."""
    text = vm.definition(domain)
    shown, wrong = "", []

    def run(*words):
        nonlocal shown
        done = vm.run(*words)
        shown += done.stdout + done.stderr
        if done.returncode:
            wrong.append((words[0], done.stderr[-300:], done.stdout[-300:] if words[0] == "check" else ""))
        return done

    run("enable", "--yes", *FLOWS, "--", domain.name)
    started = subprocess.run(["virsh", "-c", "qemu:///system", "start", domain.uuid], capture_output=True, text=True, timeout=60)
    if started.returncode:
        wrong.append(("start", started.stderr))
    elif not published(vm, daemon, domain):
        wrong.append(("publish", daemon.lines()[-3:]))
    run("check", "--", domain.name)
    rows = [row for row in json.loads(vm.run("list", "--json").stdout) if row["uuid"] == domain.uuid]
    if len(rows) != 1 or rows[0]["name"] != domain.name:
        wrong.append(("list", rows))
    subprocess.run(["virsh", "-c", "qemu:///system", "destroy", domain.uuid], capture_output=True)
    run("disable", "--yes", "--", domain.name)
    if vm.definition(domain) != text or vm.left(domain):
        wrong.append(("left", vm.left(domain)))
    elsewhere, *after = around(vm)
    # What others mounted before may have gone meanwhile.
    if tuple(after) != before[1:] or not elsewhere <= before[0]:
        wrong.append(("around", elsewhere - before[0], [(was, now) for was, now in zip(before[1:], after) if was != now]))
    return wrong, shown


def main():
    if not virts.ready():
        return
    percent = int(os.environ.get("SCAPH_TEST_PERCENT", "10"))
    count = 2 * percent if percent > 10 else 6
    build = os.path.abspath(sys.argv[1])
    with virts.Virt() as virt:
        vm = Vm(os.path.join(build, "tools/vm/scaph-vm"), os.path.abspath(sys.argv[2]), virt)
        with Daemon(build, virt, "--profile-dir", vm.profiles, profile=None) as daemon:
            keeper = virt.domain("keeper", plan9=False, share=False)
            vm.run("enable", "--yes", *FLOWS, keeper.uuid)
            before, taken, wrong, raw = around(vm), 0, [], []
            files = set(os.listdir(os.getcwd()))
            for name in names(count):
                domain = virts.Domain(virt, name, plan9=False, share=False)
                try:
                    domain.define()
                except (RuntimeError, UnicodeEncodeError):
                    continue
                virt.domains.append(domain)
                taken += 1
                bad, shown = one(vm, daemon, domain, before)
                if bad:
                    wrong.append((name, bad))
                if RAW.search(shown):
                    raw.append(name)
                virt.virsh("undefine", domain.uuid)
                virt.domains.remove(domain)
                domain.release()
                if taken == count:
                    break
            check(taken == count and not wrong, f"{taken} odd names: enabled, started, published, checked, disabled; nothing is left, and what is "
                  "another's is as it was", "\n".join(map(repr, wrong)))
            check(not raw, "no byte of them reaches the terminal unescaped", raw)
            check(not RAW.search("".join(daemon.lines())), "nor the daemon's log")
            check(set(os.listdir(os.getcwd())) == files, "and nothing that a shell would have made of them is there")
            vm.run("disable", "--yes", keeper.uuid)
            check(daemon.stop() == 0, "the daemon ends in order", daemon.lines()[-5:])
    tap.plan()


if __name__ == "__main__":
    main()
