#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three commands from a plain domain to watts inside its guest, one back: virtiofs, 9p and ivshmem, each in a real guest.

Usage: test_scaph_vm.py BUILD_DIR FAULT_LIBRARY. Prints TAP. Needs root: libvirtd, three guests under emulation, mounts.
"""

import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration")]
import virt as virts  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402
from test_libvirt import Daemon, await_that  # noqa: E402
from test_scaph_vm_faults import Vm  # noqa: E402

tap = Tap()
check = tap.check

RETIRED = 3


def guest_lines(done):
    """The lines to be typed: those that are set in."""
    after = done.stdout.split("In the guest, as root:\n")[1].splitlines()
    return [line.strip() for line in after if line.startswith("    ")]


def watts(domain, lines):
    """What the printed lines show in the guest; the last one is the reader."""
    for line in lines[:-1]:
        domain.line.run(line)
    status, text = domain.line.run_status(lines[-1] + " -n 3 --wait 10 --timeout 40", 60)
    return status == 0 and re.search(r"\d+\.\d+ W", text) is not None, text


def enabled_and_read(vm, domains, texts):
    lines = {}
    for transport, domain in domains.items():
        done = vm.run("enable", "--yes", "--transport", transport, "--", domain.name)
        lines[transport] = guest_lines(done)
        check(done.returncode == 0 and len(lines[transport]) <= 2, f"{transport}: enabled, and it says two lines", done)
        domain.start()
    for transport, domain in domains.items():
        domain.await_ready()
        good, text = watts(domain, lines[transport])
        check(good, f"{transport}: the lines inside show watts", text)
        check(vm.run("check", domain.uuid).returncode == 0, f"{transport}: check finds nothing wrong",
              vm.run("check", domain.uuid).stdout)


def set_up_inside(domains):
    """scaph guest-setup in place of the lines, in a guest without systemd: fstab for 9p, the group for ivshmem; and undone."""
    line = domains["9p"].line
    line.run("umount /var/scaphandre; rmdir /var/scaphandre /var")
    status, text = line.run_status("scaph guest-setup", 60)
    check(status == 0, "guest-setup: 9p is set up", text)
    status, text = line.run_status("umount /var/scaphandre && mount /var/scaphandre && scaph text -n 3 --timeout 40", 60)
    check(status == 0 and " W" in text, "guest-setup: its line in fstab mounts it again, with watts", text)
    status, text = line.run_status("scaph guest-setup", 60)
    check(status == 0 and "already" in text, "guest-setup: twice is once", text)
    status, text = line.run_status("scaph guest-setup --undo && ! grep -q scaphandre /proc/mounts && ! test -e /var && ! grep -q scaph /etc/fstab", 60)
    check(status == 0, "guest-setup: undone, nothing is left", text)
    line = domains["ivshmem"].line
    line.run("mkdir -p /etc; echo scaph:x:990: >/etc/group")  # busybox here makes none
    status, text = line.run_status("scaph guest-setup && stat -c '%a %g' /sys/bus/pci/devices/*/resource2 | grep -q '640 990'", 60)
    check(status == 0 and "no figures" not in text, "guest-setup: the group may read the ivshmem device", text)
    status, text = line.run_status("scaph guest-setup --undo && grep -q scaph /etc/group && ! stat -c '%a' /sys/bus/pci/devices/*/resource2 | grep 640", 60)
    check(status == 0, "guest-setup: undone, only root may, and the group that was there stays", text)
    domains["9p"].line.run("mkdir -p /var/scaphandre && mount -t 9p -o ro,nosuid,nodev,noexec,trans=virtio,version=9p2000.L scaph9p /var/scaphandre")


def state_of(vm, domain):
    """What nobody but the daemon may change of a domain's share."""
    folder = virts_share(vm, domain)
    found = [os.stat(path) for path in (folder, os.path.join(folder, "scaph.ring"))]
    return sorted(os.listdir(folder)), [(s.st_ino, s.st_size, s.st_mode, s.st_uid, s.st_gid, s.st_nlink) for s in found]


def moves(vm, domain):
    ring = Segment(os.path.join(virts_share(vm, domain), "scaph.ring"))
    before = ring.number()
    return await_that(lambda: ring.number() > before)


def abused(vm, daemon, abuse, domains):
    """Root inside a guest, and root in a slave mount namespace of the host, try all that a file system offers."""
    plain = os.path.join(vm.virt.work, "plain")
    os.mkdir(plain)
    with open(os.path.join(plain, "scaph.ring"), "w") as file:
        file.write("x" * 8192)
    control = subprocess.run([abuse, plain], capture_output=True, text=True)
    check(control.returncode == 1 and control.stdout.count("not refused") > 25, "(what is tried succeeds where nothing forbids it)", control)
    folders = [domains[transport] for transport in ("virtiofs", "9p")]
    before = [state_of(vm, domain) for domain in folders]
    for transport in ("virtiofs", "9p"):
        status, text = domains[transport].line.run_status("abuse /var/scaphandre", 60)
        check(status == 0 and "attempts" in text, f"{transport}: guest root is refused all that it tries", text)
    for domain in folders:
        export = os.path.join(vm.export_root, domain.uuid)
        done = subprocess.run(["unshare", "-m", "--propagation", "slave", abuse, export], capture_output=True, text=True)
        check(done.returncode == 0 and "attempts" in done.stdout, "and root in a slave mount namespace of the host, on the export", done)
    check([state_of(vm, domain) for domain in folders] == before, "no file, size, mode or owner is another", before)
    check(daemon.process.poll() is None and all(moves(vm, domain) for domain in folders) and
          await_that(lambda: daemon.figure(domains["ivshmem"]) is not None), "the daemon lives, and publishes for all of them")


def hostile_guest(domain, transport):
    """Guest root on its share: whatever it tries is refused. The mount is made writable as far as the guest has a say."""
    domain.line.run("mount -o remount,rw /var/scaphandre; true")
    for what in ("echo x >/var/scaphandre/scaph.ring", "echo x >>/var/scaphandre/scaph.ring", "rm /var/scaphandre/scaph.ring",
                 "echo x >/var/scaphandre/new", "mkdir /var/scaphandre/new", "ln -s x /var/scaphandre/new",
                 "ln /var/scaphandre/scaph.ring /var/scaphandre/new", "mknod /var/scaphandre/new c 1 3",
                 "truncate -s 0 /var/scaphandre/scaph.ring", "chown 1 /var/scaphandre/scaph.ring",
                 "chmod 777 /var/scaphandre", "mv /var/scaphandre/scaph.ring /var/scaphandre/new"):
        status, text = domain.line.run_status(what)
        if not check(status != 0, f"{transport}: guest root is refused: {what}", text):
            break


def consequences(vm, virt, domains):
    """What enabling says of save is what libvirt does."""
    image = os.path.join(virt.work, "saved")
    for transport, domain in domains.items():
        domain.close_line()
        try:
            domain.virsh("save", image)
            saved = True
        except RuntimeError:
            saved = False
        check(saved == (transport == "ivshmem"), f"{transport}: save is {'taken' if saved else 'refused'}, as was said")
        if saved:
            virt.virsh("restore", image)
        domain.connect()
        if saved:
            status, text = domain.line.run_status("scaph text -n 3 --wait 10 --timeout 40", 60)
            check(status == 0 and " W" in text, f"{transport}: restored, the guest reads on", text)


def fresh_share(vm, daemon, domain, transport):
    """A spoiled share is repaired under a running guest, which reads on in the same mount."""
    ring = os.path.join(virts_share(vm, domain), "scaph.ring")
    os.truncate(ring, 100)
    time.sleep(1)
    found = vm.run("check", domain.uuid)
    check(found.returncode == 1 and "cut" in found.stdout and "repair" in found.stdout, "check finds a cut share, and what mends it",
          found.stdout)
    done = vm.run("repair", domain.uuid)
    check(done.returncode == 0 and await_that(lambda: os.path.exists(ring) and os.path.getsize(ring) > 8192),
          "repair gives a fresh one", (done, daemon.lines()[-5:]))
    status, text = domain.line.run_status("scaph text -n 3 --wait 10 --timeout 40", 60)
    check(status == 0 and " W" in text, f"{transport}: which the running guest reads", text)
    check(vm.run("check", domain.uuid).returncode == 0, "and check finds nothing wrong any more")


def virts_share(vm, domain):
    return os.path.join(vm.virt.share_root, domain.uuid)


def disabled_running(vm, daemon, domain, text):
    """The guest keeps its device until its next start; the host is rid of all of it."""
    ring = Segment(os.path.join(virts_share(vm, domain), "scaph.ring"))
    done = vm.run("disable", "--yes", domain.uuid)
    check(done.returncode == 0 and not vm.left(domain), "disabled while it runs: nothing is left on the host",
          (done, vm.left(domain)))
    check(vm.definition(domain) == text, "and its definition is what it was, byte for byte")
    check(ring.status()["state"] == RETIRED, "its segment is retired", ring.status())
    check(daemon.has(domain), "the host goes on to see its figures")
    domain.virsh("destroy")


def disabled(vm, domain, text, transport):
    domain.virsh("destroy")
    done = vm.run("disable", "--yes", domain.uuid)
    check(done.returncode == 0 and vm.definition(domain) == text, f"{transport}: disabled, the definition is byte for byte "
          "what it was", done)
    check(not vm.left(domain), f"{transport}: no mount, file or folder is left", vm.left(domain))
    domain.virsh("start")
    check(domain.virsh("domstate").strip() == "running", f"{transport}: and it starts")
    domain.virsh("destroy")


def main():
    if not virts.ready():
        return
    build = os.path.abspath(sys.argv[1])
    abuse = os.path.join(build, "tests/libvirt/abuse")
    with virts.Virt(build, programs={"abuse": abuse}) as virt, Daemon(build, virt) as daemon:
        vm = Vm(os.path.join(build, "tools/vm/scaph-vm"), os.path.abspath(sys.argv[2]), virt)
        domains = {"virtiofs": virt.domain("web one", plan9=False, share=False),
                   "9p": virt.domain("-b $(id),", plan9=False, share=False),
                   "ivshmem": virt.domain("\u202egnirts", plan9=False, share=False)}
        texts = {transport: vm.definition(domain) for transport, domain in domains.items()}
        enabled_and_read(vm, domains, texts)
        set_up_inside(domains)
        hostile_guest(domains["virtiofs"], "virtiofs")
        hostile_guest(domains["9p"], "9p")
        abused(vm, daemon, abuse, domains)
        consequences(vm, virt, domains)
        fresh_share(vm, daemon, domains["9p"], "9p")
        disabled_running(vm, daemon, domains["virtiofs"], texts["virtiofs"])
        for transport in ("9p", "ivshmem"):
            disabled(vm, domains[transport], texts[transport], transport)
        check(daemon.stop() == 0, "the daemon ends in order", daemon.lines())
    tap.plan()


if __name__ == "__main__":
    main()
