#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph doctor: each fault is seeded and found, alone, and a machine without any gets none.

Segments are a real daemon's; sysfs, /proc, /dev and fstab are trees of files; shares are tmpfs mounts, for which it takes root, as
for being a user who may not read something.

Usage: test_doctor.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
import uuid

from bench import Bench, arguments, await_that

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../contract"))
import segment  # noqa: E402

NOBODY, GROUP = 65534, 4  # a group of every system: adm
DEVICE = "bus/pci/devices/0000:00:05.0"
IS_ROOT = os.geteuid() == 0


def put(root, path, data="", mode=0o644):
    whole = os.path.join(root, path)
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    with open(whole, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(whole, mode)
    return whole


def words(*parts):
    return b"".join(part.encode() + b"\0" for part in parts)


def is_running(pid):
    """A process that nobody has waited for yet has ended too."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Machine:
    """Trees that stand for a machine without a fault, until one is seeded."""

    def __init__(self, b, name):
        self.b = b
        self.root = os.path.join(b.work, name)
        self.sysfs, self.procfs, self.devfs = (os.path.join(self.root, part) for part in ("sys", "proc", "dev"))
        self.shares = os.path.join(self.root, "shares")
        for folder in (self.procfs, self.devfs, self.shares):
            os.makedirs(folder)
        put(self.sysfs, "class/powercap/intel-rapl:0/energy_uj", "1\n")
        put(self.sysfs, "kernel/btf/vmlinux")
        self.fstab = put(self.root, "fstab", "scaph /var/scaphandre virtiofs ro 0 0\n")
        self.virsh = put(self.root, "virsh", "#!/bin/sh\necho 9.0.0\n", 0o755)
        self.mounts = []

    def share(self, name, options=None):
        path = os.path.join(self.shares, name)
        os.makedirs(path)
        if options:
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "scaph", path], check=True)
            self.mounts.append(path)
        return path

    def ivshmem(self, mode=0o600, gid=0):
        put(self.sysfs, f"{DEVICE}/vendor", "0x1af4\n")
        put(self.sysfs, f"{DEVICE}/device", "0x1110\n")
        path = put(self.sysfs, f"{DEVICE}/resource2", bytes(4096), mode)
        if gid:
            os.chown(path, 0, gid)

    def close(self):
        for path in self.mounts:
            subprocess.run(["umount", path], check=False)

    def ask(self, *options, path, scaph=None, seconds=30, **how):
        return subprocess.run([scaph or self.b.scaph, "doctor", "--path", path, "--sysfs", self.sysfs, "--procfs", self.procfs,
                               "--devfs", self.devfs, "--share-root", self.shares, "--fstab", self.fstab, "--virsh", self.virsh,
                               *options], capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, **how)

    def finds(self, what, wanted, *options, told=(), **how):
        """Exactly the wanted ids, in JSON, with what is told in one of them; the status goes by faults."""
        done = self.ask("--json", *options, **how)
        report = json.loads(done.stdout) if done.stdout else {"findings": [], "faults": -1}
        found = report["findings"]
        faults = [one for one in found if not one["warning"]]
        text = " ".join(f"{one['what']} {one['mend']}" for one in found)
        self.b.check([one["id"] for one in found] == list(wanted) and all(word in text for word in told) and
                     done.returncode == (1 if faults else 0) and report["faults"] == len(faults) and not done.stderr and
                     all(one["what"] and one["mend"] for one in found), what, f"{done}")
        return report


class Live:
    """A segment that a second implementation writes: measured, as no real source here can be."""

    def __init__(self, path):
        self.writer = segment.Writer(path, {"epoch_id": random.getrandbits(64) & ~0xFFFFFF | 0x123456, "subject": 1,
                                            "uuid": uuid.uuid4().bytes, "name": b"web", "window_ns": 20_000_000, "zones": 1,
                                            "source": 1, "meter": 1, "profile": 1, "quality": 1})
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.ended.wait(0.02):
            number += 1
            self.writer.publish({"mono_ns": number * 20_000_000, "package_uj": number * 1000, "core_uj": 0, "dram_uj": 0,
                                 "idle_uj": 0, "cpu_ns": 0, "breaks": 0, "flags": 1})
            self.writer.beat()

    def close(self):
        self.ended.set()
        self.thread.join()


def healthy(b, live):
    machine = Machine(b, "healthy")
    put(machine.procfs, "41/cmdline", words("/usr/bin/qemu-system-x86_64", "-name", "guest=web,debug-threads=on", "-machine",
                                            "pc,memory-backend=mem", "-object", "memory-backend-memfd,id=mem,size=1G", "-device",
                                            "vhost-user-fs-pci,chardev=c,tag=scaph"))
    put(machine.procfs, "42/cmdline", words("/usr/bin/kvm", "-M", "pc,memory-backend=mem", "-object",
                                            "memory-backend-file,id=mem,mem-path=/dev/shm,share=on,size=1G", "-device",
                                            "vhost-user-fs-pci,tag=scaph,chardev=c"))
    put(machine.procfs, "43/cmdline", words("/usr/bin/qemu-system-x86_64", "-object",
                                            '{"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"size":1}', "-machine",
                                            "pc,usb=off,memory-backend=pc.ram", "-device",
                                            '{"driver":"vhost-user-fs-pci","id":"fs0","tag":"scaph"}'))
    put(machine.procfs, "44/cmdline", words("/usr/bin/qemu-system-x86_64", "-device", "vhost-user-fs-pci,tag=other"))
    put(machine.procfs, "45/cmdline", words("/usr/bin/grep", "vhost-user-fs-pci,tag=scaph"))
    if IS_ROOT:
        machine.share("web", "size=1m")
    try:
        for role in ("--host", "--guest"):
            machine.finds(f"a machine without a fault: nothing, {role}", [], role, path=live)
        done = machine.ask("--host", path=live)
        b.check(done.returncode == 0 and "as a host nothing is wrong" in done.stdout, "and as text it says so", done)
        both = machine.finds("both at once", [], "--host", "--guest", path=live)
        b.check(both["host"] and both["guest"] and both["schema"] == 1, "and JSON says as what", both)
    finally:
        machine.close()


def ways(b, live):
    nowhere = os.path.join(b.work, "nowhere")
    machine = Machine(b, "none")
    machine.finds("no share", ["no-share"], "--guest", path=nowhere, told=["nowhere", "scaph-vm enable"])
    put(machine.sysfs, "fs/virtiofs/0/tag", "scaph\n")
    machine.finds("a share that is not mounted", ["no-share"], "--guest", path=nowhere, told=["guest-setup, which mounts"])
    put(machine.root, "fstab", "# by hand\nscaph /var/scaphandre 9p trans=virtio,version=9p2000.L 0 0\n")
    machine.finds("9p for a virtiofs device", ["9p-for-virtiofs"], "--guest", path=nowhere, told=["virtiofs one", "/var/scaphandre"])
    put(machine.sysfs, "bus/virtio/devices/virtio0/device", "0x0009\n")
    put(machine.sysfs, "bus/virtio/devices/virtio0/mount_tag", "scaph\n")
    machine.finds("9p for a 9p device is right", ["no-share"], "--guest", path=nowhere)

    machine = Machine(b, "locked")
    machine.ivshmem()
    put(machine.sysfs, "kernel/security/lockdown", "none [integrity] confidentiality\n")
    machine.finds("lockdown", ["lockdown"], "--guest", path=nowhere, told=["virtiofs"])
    machine.finds("lockdown does not matter to a share", [], "--guest", path=live)
    put(machine.sysfs, "kernel/security/lockdown", "[none] integrity confidentiality\n")
    machine.finds("no lockdown, and no figures in the device", ["no-share"], "--guest", path=nowhere, told=["scaphd"])


def permissions(b, live):
    if not IS_ROOT:
        return
    scaph = os.path.join(b.work, "scaph")
    shutil.copy(b.scaph, scaph)
    os.chmod(b.work, 0o755)
    stranger = {"scaph": scaph, "user": NOBODY, "group": NOBODY, "extra_groups": []}
    machine = Machine(b, "denied")
    machine.ivshmem(0o600)
    machine.finds("an ivshmem device of root's alone", ["ivshmem-permission"], "--guest", path=os.path.join(b.work, "nowhere"),
                  told=["resource2", "guest-setup"], **stranger)
    machine.finds("it may be named, too", ["ivshmem-permission"], "--guest", path="0000:00:05.0", **stranger)
    machine.ivshmem(0o640, GROUP)
    machine.finds("an ivshmem device of a group", ["wrong-group"], "--guest", path="0000:00:05.0", told=["usermod -aG adm"], **stranger)
    os.chmod(live, 0o640)
    os.chown(live, 0, GROUP)
    for role in ("--host", "--guest"):
        machine.finds(f"a segment of a group, {role}", ["wrong-group"], role, path=live, told=["usermod -aG adm"], **stranger)
    machine.finds("a member may read it", [], "--guest", path=live, **{**stranger, "extra_groups": [GROUP]})
    closed = os.path.join(b.work, "closed")
    os.makedirs(closed)
    os.chmod(closed, 0o750)
    os.chown(closed, 0, GROUP)
    machine.finds("a folder of a group", ["wrong-group"], "--host", path=closed, told=["closed", "usermod -aG adm"], **stranger)
    os.chmod(closed, 0o700)
    machine.finds("a folder of root's alone", ["wrong-group"], "--host", path=closed, told=["sudo scaph doctor"], **stranger)
    os.chmod(live, 0o644)


def segments(b):
    machine = Machine(b, "segments")
    load = b.load()
    idle = b.load(busy=False)
    share = b.share("web")
    b.share("short")
    short = b.load(busy=False)
    daemon = b.daemon(domain=[f"web=pid:{load.pid}", f"short=pid:{short.pid}"])
    for role in ("--guest", "--host"):
        machine.finds(f"an estimated source is a warning, {role}", ["estimated-source"], role, path=share, told=["model"])
    machine.finds("of a host folder it is said once", ["estimated-source"], "--host", path=b.host, told=["other"])
    short.kill()
    short.wait()
    machine.finds("a domain that is off is no fault of its host", ["estimated-source"], "--host", path=b.host)
    machine.finds("whoever reads as a guest runs", ["stale-producer"], "--guest", path=os.path.join(b.shares, "short"), told=["retired"])
    machine.finds("a file that nobody has written to", ["stale-producer"], "--guest", path=put(b.work, "empty.ring"))
    other = os.path.join(b.work, "other.ring")
    with open(os.path.join(share, "scaph.ring"), "rb") as file:
        data = bytearray(file.read())
    daemon.kill()
    daemon.wait()
    machine.finds("a producer that is gone", ["stale-producer"], "--guest", path=share, told=["restart scaphd"])
    machine.finds("and on its host", ["stale-producer"], "--host", path=b.host, told=["others"])
    data[20:24] = struct.pack("<I", 99)
    data[56:60] = bytes(4)
    length, = struct.unpack_from("<I", data, 28)
    data[56:60] = struct.pack("<I", segment.crc32c(bytes(data[:length])))
    put(b.work, "other.ring", bytes(data))
    machine.finds("another layout", ["other-layout"], "--guest", path=other, told=["other.ring", "same version"])
    machine.finds("a host folder without a segment", ["stale-producer"], "--host", path=machine.root, told=["does not run"])
    daemon = b.daemon(domain=[f"web=pid:{load.pid}"], profile="*=off")
    machine.finds("profile off", ["profile-off"], "--guest", path=share, told=["--profile"])
    daemon.kill()
    daemon.wait()
    daemon = b.daemon(domain=[f"web=pid:{idle.pid}"], profile="*=shared")
    machine.finds("records without energy: no price yet", ["no-energy"], "--guest", path=share, told=["price"])
    daemon.kill()
    daemon.wait()


def host(b, live):
    machine = Machine(b, "memory")
    put(machine.procfs, "51/cmdline", words("/usr/bin/qemu-system-x86_64", "-name", "guest=a\x1bb,x=y", "-m", "512", "-device",
                                            "vhost-user-fs-pci,chardev=c,tag=scaph"))
    machine.finds("a machine whose memory is its own", ["no-memfd"], "--host", path=live, told=["a\\x1bb", "process 51"])
    for number, line in enumerate((
            # The shared object is another device's.
            ("qemu-kvm", "-object", "memory-backend-file,id=ivshmem,share=on", "-device", "ivshmem-plain,memdev=ivshmem"),
            ("kvm", "-object", "memory-backend-memfd,id=mem,share=off", "-machine", "pc,memory-backend=mem"),
            ("qemu-system-aarch64", "-object", '{"qom-type":"memory-backend-ram","id":"pc.ram"}', "-machine",
             "virt,memory-backend=pc.ram"),
            # One node of two.
            ("qemu-system-x86_64", "-object", "memory-backend-memfd,id=a", "-object", "memory-backend-ram,id=b", "-numa",
             "node,memdev=a", "-numa", "node,memdev=b"))):
        put(machine.procfs, "51/cmdline", words(*line, "-device", '{"driver":"vhost-user-fs-pci","tag":"scaph"}'))
        machine.finds(f"another, {number}", ["no-memfd"], "--host", path=live)
    put(machine.procfs, "51/cmdline", b"qemu-system-x86_64\0-device\0vhost-user-fs-pci,tag=scaph")
    machine.finds("a line without an end", ["no-memfd"], "--host", path=live)

    machine = Machine(b, "poor")
    os.unlink(os.path.join(machine.sysfs, "class/powercap/intel-rapl:0/energy_uj"))
    machine.finds("no counters", ["no-counters"], "--host", path=live, told=["modprobe"])
    for tree, path in ((machine.devfs, "cpu/3/msr"), (machine.sysfs, "bus/event_source/devices/power/events/energy-pkg")):
        whole = put(tree, path)
        machine.finds(f"{path} is one", [], "--host", path=live)
        os.unlink(whole)
    put(machine.devfs, "cpu/0/msr")
    os.unlink(os.path.join(machine.sysfs, "kernel/btf/vmlinux"))
    machine.finds("no BTF is a warning", ["no-btf"], "--host", path=live)
    put(machine.sysfs, "kernel/btf/vmlinux")
    for version, wanted in (("5.10.0", ["old-libvirt"]), ("6.1.0", ["old-libvirt"]), ("6.2.0", []), ("11.0.0", []), ("nonsense", [])):
        put(machine.root, "virsh", f"#!/bin/sh\necho {version}\n", 0o755)
        machine.finds(f"libvirt {version}", wanted, "--host", path=live, told=["9p"] if wanted else [])
    os.unlink(machine.virsh)
    machine.finds("no libvirt", [], "--host", path=live)
    put(machine.root, "virsh", f"#!/bin/sh\necho $$ >{machine.root}/pid\nexec sleep 60\n", 0o755)
    os.unlink(os.path.join(machine.devfs, "cpu/0/msr"))
    begun = time.monotonic()
    machine.finds("what hangs is left at the deadline, and the rest is said", ["no-counters", "no-answer"], "--host", "--timeout", "4",
                  path=live, told=["virsh"])
    b.check(time.monotonic() - begun < 20, "long before it would have ended")
    with open(os.path.join(machine.root, "pid")) as file:
        pid = file.read().strip()
    b.check(await_that(lambda: not is_running(pid)), "and a program that it ran is ended with it", pid)


def shares(b, live):
    if not IS_ROOT:
        return
    machine = Machine(b, "shares")
    try:
        full = machine.share("full", "size=4k")
        put(full, "junk", bytes(4096))
        machine.finds("a share without space", ["full-tmpfs"], "--host", path=live, told=["shares/full", "space"])
        os.unlink(os.path.join(full, "junk"))
        machine.finds("with space again", [], "--host", path=live)
        put(full, "scaph.ring", bytes(4096))
        machine.finds("full of its segment", [], "--host", path=live)
        os.unlink(os.path.join(full, "scaph.ring"))
        crowded = machine.share("crowded", "size=1m,nr_inodes=2")
        put(crowded, "junk")
        machine.finds("a share without an inode", ["full-tmpfs"], "--host", path=live, told=["shares/crowded", "inode"])
        os.unlink(os.path.join(crowded, "junk"))
        machine.share("plain\x1b[2J")
        os.symlink("/", os.path.join(machine.shares, "link"))
        put(machine.shares, "file")
        machine.finds("a share that is no mount", ["unmounted-tmpfs"], "--host", path=live, told=["shares/plain\\x1b", "repair"])
        done = machine.ask("--host", path=live)
        lines = done.stdout.splitlines()
        b.check(done.returncode == 1 and len(lines) == 2 and lines[0].startswith("unmounted-tmpfs: fault: ") and
                lines[1].startswith("    mend: ") and "\x1b" not in done.stdout, "as text: two lines, safe to show", done)
    finally:
        machine.close()


def main():
    with Bench(*arguments()) as b:
        ring = os.path.join(b.work, "live.ring")
        live = Live(ring)
        try:
            for what, wanted, line in (("an unknown option", "--bogus", ["--bogus"]), ("a word", "web", ["web"]),
                                       ("--timeout 0", "--timeout", ["--timeout", "0"]), ("no value", "needs a value", ["--path"])):
                b.refused(f"refused: {what}", [wanted], "doctor", *line, program=b.scaph, status=2)
            healthy(b, ring)
            ways(b, ring)
            permissions(b, ring)
            host(b, ring)
            shares(b, ring)
            segments(b)
        finally:
            live.close()


if __name__ == "__main__":
    main()
