#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shares that scaph-vm did not make: folders of Scaphandre's how-to, and a container's bind mount. Usage: test_by_hand.py SCAPHD SCAPH.
Prints TAP. What is done is what docs/from-scaphandre.md and docs/hypervisors.md say.
"""

import json
import os
import shutil
import subprocess
import sys
import time

from bench import Bench, await_that
from look import Segment
from test_cgroup import Group, hierarchy

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c9"


def strict(b, **changed):
    """Options of a daemon that takes no share but a tmpfs, as it is started on a host."""
    return [word for word in b.options(**changed) if word != "--allow-plain-dir"]


def start(b, *words):
    log = open(os.path.join(b.work, "log"), "wb")
    process = b.start(b.scaphd, *words, stderr=log)
    log.close()
    return process


def said(b):
    with open(os.path.join(b.work, "log")) as file:
        return file.read()


def mount(folder, size="5m"):
    """As the how-to has it."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs_web", folder, "-o", f"size={size}"], check=True)


def old_share(b):
    """A folder by the domain's name, with what Scaphandre left in it: found, and left alone."""
    folder = os.path.join(b.shares, "web")
    mount(folder)
    os.makedirs(folder + "/intel-rapl:0")
    os.makedirs(folder + "/intel-rapl:0:0")
    with open(folder + "/intel-rapl:0/energy_uj", "w") as file:
        file.write("123456")
    b.start("qemu-system-x86_64", "-S", "-accel", "tcg", "-nodefaults", "-display", "none", "-m", "16", "-name", "guest=web,debug-threads=on",
            "-uuid", UUID, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemon = start(b, *strict(b, discover="qemu", meter="cputime"))
    b.check(await_that(lambda: os.path.exists(folder + "/scaph.ring"), 15), "the folder of the how-to is found by the domain's name", said(b))
    done = b.json(folder, "-n", "1")
    b.check(done.returncode == 0 and UUID in done.stdout, "and read", done.stdout + done.stderr)
    with open(folder + "/intel-rapl:0/energy_uj") as file:
        b.check(file.read() == "123456" and sorted(os.listdir(folder)) == ["intel-rapl:0", "intel-rapl:0:0", "scaph.ring"],
                "Scaphandre's files beside it are left alone", os.listdir(folder))
    own = os.path.join(b.shares, UUID)
    mount(own, "1m")
    b.check(await_that(lambda: os.path.exists(own + "/scaph.ring"), 15), "a folder by its UUID goes before it", said(b))
    daemon.terminate()
    daemon.wait()


def container(b, root):
    """A container's own share: its folder, given to it by bind mount and read-only, is the host's memory: no system call to read it."""
    top = Group(f"{root}/scaph-container-{os.getpid()}")
    share, inside = os.path.join(b.shares, UUID), os.path.join(b.work, "inside")
    try:
        load = top.run(b, "while :; do :; done")
        os.makedirs(inside)
        daemon = start(b, *strict(b, domain=f"shop@{UUID}=cgroup:{top.path}", meter="cputime"))
        await_that(lambda: os.path.exists(share + "/scaph.ring"))
        script = ("mount --bind \"$1\" \"$2\" && mount -o remount,bind,ro,nosuid,nodev,noexec \"$2\" && ! touch \"$2/x\" 2>&- && umount -l \"$1\" && "
                  "exec \"$3\" json --path \"$2\" -n 3")
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", share, inside, b.scaph],
                              capture_output=True, text=True, timeout=30)
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        b.check(done.returncode == 0 and len(objects) >= 3 and all(o["mode"] == "coherent" and o["uuid"] == UUID for o in objects),
                "in a container: its own share, coherently, and it cannot write there", done.stdout + done.stderr)
        b.check(any((o["power_w"] or 0) > 0 for o in objects), "with the energy of its load", objects)
        before = Segment(share + "/scaph.ring").newest()
        time.sleep(0.5)
        b.check(Segment(share + "/scaph.ring").newest()["cpu_ns"] > before["cpu_ns"], "which goes on")
        load.kill()
        load.wait()
        daemon.terminate()
        daemon.wait()
    finally:
        for process in b.processes:
            process.kill()
            process.wait()
        top.remove()


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: mounts and control groups need root")
        return
    if not os.environ.get("SCAPH_BY_HAND_NAMESPACE"):
        os.environ["SCAPH_BY_HAND_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])
    with Bench(sys.argv[1], sys.argv[2]) as b:
        if shutil.which("qemu-system-x86_64"):
            old_share(b)
        else:
            print("# skip: qemu-system-x86 is not installed")
            mount(os.path.join(b.shares, UUID), "1m")
        root = hierarchy()
        if root:
            container(b, root)
        else:
            print("# skip: no control groups that count CPU time can be made here")


if __name__ == "__main__":
    main()
