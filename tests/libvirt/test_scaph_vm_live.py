#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest that runs is given its share at once and loses it at once, where that was said to be possible, and its profile is changed.

Usage: test_scaph_vm_live.py BUILD_DIR FAULT_LIBRARY. Prints TAP. Needs root: libvirtd with control groups, two guests under
emulation, mounts. SCAPH_TEST_PERCENT=100: interrupted at every step, else at each fourth.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../integration")]
import virt as virts  # noqa: E402
from look import Segment  # noqa: E402
from tap import Tap  # noqa: E402
from test_libvirt import Daemon, await_that  # noqa: E402
from test_scaph_vm import guest_lines  # noqa: E402
from test_scaph_vm_faults import Vm  # noqa: E402

UNIFIED, GROUPS = "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu/machine"
BOTH = ("--transport", "virtiofs", "--transport", "ivshmem")
TRUSTED, SHARED, OFF = 1, 2, 3
PROFILE_AT = 356

tap = Tap()
check = tap.check


def with_groups():
    """A libvirtd that has control groups: without them 9.0 ends when a file system is plugged in."""
    virts.QEMU_CONF = virts.QEMU_CONF.replace("cgroup_controllers = []", "")
    if os.path.isdir("/sys/fs/cgroup/cpu"):
        virts.QEMU_CONF += 'cgroup_controllers = ["cpu"]\n'
        if os.path.ismount(UNIFIED):
            subprocess.run(["umount", "-l", UNIFIED], check=True)


def drop_groups():
    for root, _, _ in os.walk(GROUPS, topdown=False):
        try:
            os.rmdir(root)
        except OSError:
            pass


class Roomy(virts.Domain):
    """A machine with shared memory and ports for one device of either kind more."""

    def xml(self):
        ports = ("<controller type='pci' index='0' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>"
                 "<controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>"
                 "<controller type='pci' model='pcie-to-pci-bridge'/>")
        memory = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
        return super().xml().replace("<controller type='usb'", ports + "<controller type='usb'").replace("<vcpu>", memory + "<vcpu>")


def live(domain):
    return domain.virsh("dumpxml")


def has_live(vm, domain):
    text = live(domain)
    return {name for name, mark in (("virtiofs", os.path.join(vm.export_root, domain.uuid)),
                                    ("ivshmem", f"scaph-{domain.uuid}")) if mark in text}


def cannot(vm, plain):
    """What is said beforehand of a machine that has neither ports nor shared memory, and what libvirt says of it."""
    text, running = vm.definition(plain), live(plain)
    for transport, why, device in (
            ("virtiofs", "shared memory", "<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/>"
             "<source dir='/tmp'/><target dir='scaph'/></filesystem>"),
            ("9p", "9p", "<filesystem type='mount' accessmode='passthrough'><source dir='/tmp'/><target dir='x'/></filesystem>"),
            ("ivshmem", "free port", "<shmem name='scaph-x' role='master'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>")):
        shown = vm.run("enable", "--dry-run", "--transport", transport, plain.uuid)
        check("Live attach is not possible" in shown.stdout and why in shown.stdout, f"{transport}: said not to be possible live", shown)
        done = vm.run("enable", "--yes", "--live", "--transport", transport, plain.uuid)
        check(done.returncode == 1 and why in done.stderr and len(done.stderr.splitlines()) == 1 and not vm.left(plain) and
              vm.definition(plain) == text and live(plain) == running, f"{transport}: --live is refused, and nothing is done", done)
        path = os.path.join(vm.virt.work, "device.xml")
        with open(path, "w") as file:
            file.write(device)
        refused = subprocess.run(["virsh", "-c", "qemu:///system", "attach-device", plain.uuid, path, "--live"], capture_output=True, text=True)
        check(refused.returncode != 0, f"{transport}: and libvirt refuses it too", refused)


def plugged_in(vm, domain):
    shown = vm.run("enable", "--dry-run", *BOTH, domain.uuid)
    check("Live attach is possible: --live plugs virtiofs,ivshmem in" in shown.stdout and not vm.left(domain),
          "virtiofs and ivshmem: said to be possible live", shown)
    done = vm.run("enable", "--yes", "--live", *BOTH, domain.uuid)
    check(done.returncode == 0 and "plugged in at once" in done.stdout and has_live(vm, domain) == {"virtiofs", "ivshmem"},
          "and are, by --live, in a guest that runs", (done, has_live(vm, domain)))
    vm.run("enable", "--yes", "--profile", "trusted", domain.uuid)
    for line in guest_lines(done)[:-1]:
        domain.line.run(line)
    status, text = domain.line.run_status("scaph text -n 5 --wait 10 --timeout 40", 60)
    check(status == 0 and " W" in text, "which reads watts over virtiofs", text)
    device = domain.line.run("for d in /sys/bus/pci/devices/*; do [ $(cat $d/vendor) = 0x1af4 ] && "
                             "[ $(cat $d/device) = 0x1110 ] && basename $d; done; true").strip()
    status, text = domain.line.run_status(f"scaph text -n 3 --wait 10 --timeout 40 --path {device}", 60)
    check(status == 0 and " W" in text, "and over ivshmem", (device, text))
    check(vm.run("check", domain.uuid).returncode == 0, "check finds nothing wrong", vm.run("check", domain.uuid).stdout)
    again = vm.run("enable", "--yes", "--live", *BOTH, domain.uuid)
    check(again.returncode == 0 and "right already" in again.stdout, "a second time changes nothing", again)
    for what in ("save", "snapshot"):
        image = os.path.join(vm.virt.work, what)
        words = ("save", domain.uuid, image) if what == "save" else ("snapshot-create-as", domain.uuid, "x", "--memspec", image)
        refused = subprocess.run(["virsh", "-c", "qemu:///system", *words], capture_output=True, text=True)
        check(refused.returncode != 0 and has_live(vm, domain), f"{what} is refused from now on, as was said", refused)


def plugged_out(vm, domain, text):
    domain.line.run("umount /var/scaphandre")
    done = vm.run("disable", "--yes", "--live", domain.uuid)
    check(done.returncode == 0 and not has_live(vm, domain) and not vm.left(domain) and vm.definition(domain) == text,
          "disable --live plugs both out and leaves nothing", (done, has_live(vm, domain), vm.left(domain)))
    left = domain.line.run("grep -l 0x1110 /sys/bus/pci/devices/*/device; cat /sys/bus/virtio/devices/*/device 2>/dev/null; true")
    check(left.strip() == "", "the guest sees neither any more", left)


def kept_back(vm, domain, text):
    """Without --live a guest keeps what it has; a later start has not got it."""
    vm.run("enable", "--yes", "--live", "--transport", "ivshmem", domain.uuid)
    done = vm.run("disable", "--yes", domain.uuid)
    check(done.returncode == 0 and "until disable --live" in done.stderr and has_live(vm, domain) == {"ivshmem"} and
          vm.definition(domain) == text and not vm.left(domain), "disable alone leaves the running guest its device", done)
    done = vm.run("enable", "--yes", "--live", "--transport", "ivshmem", domain.uuid)
    done = vm.run("disable", "--yes", "--live", domain.uuid)
    check(done.returncode == 0 and not has_live(vm, domain) and not vm.left(domain), "and disable --live takes that too", done)


def each_step(vm, domain, text, kind, stride):
    """The Nth changing call fails, or is the last, while a guest runs: for every N there is, or each stride-th."""
    words = ("enable", "--yes", "--live", "--transport", "ivshmem", domain.uuid)
    wrong, step, seen = [], 1 - stride, {"enable": 0, "disable": 0}
    while True:
        step += stride
        done = vm.run(*words, fault=f"{kind}:{step}")
        if done.returncode == 0:
            break
        seen["enable"] += 1
        if kind == "fail" and (vm.definition(domain) != text or has_live(vm, domain) or vm.left(domain)):
            wrong.append(("enable", step, has_live(vm, domain), vm.left(domain), done.stderr))
        after = vm.run(*words) if step % 2 else vm.run("disable", "--yes", domain.uuid)
        if after.returncode or (step % 2 and has_live(vm, domain) != {"ivshmem"}):
            wrong.append(("enable, then", step, after.stderr))
        vm.run("disable", "--yes", "--live", domain.uuid)
        if has_live(vm, domain) or vm.left(domain) or vm.definition(domain) != text:
            wrong.append(("enable, disabled", step, has_live(vm, domain), vm.left(domain)))
    step = 1 - stride
    while True:
        step += stride
        vm.run(*words)
        done = vm.run("disable", "--yes", "--live", domain.uuid, fault=f"{kind}:{step}")
        if done.returncode == 0:
            break
        seen["disable"] += 1
        vm.run("disable", "--yes", "--live", domain.uuid)
        if has_live(vm, domain) or vm.left(domain) or vm.definition(domain) != text:
            wrong.append(("disable", step, has_live(vm, domain), vm.left(domain), done.stderr))
    check(seen["enable"] * stride >= 25 and seen["disable"] * stride > 10 and not wrong,
          f"{kind} at {seen['enable']} steps of enable --live and {seen['disable']} of disable --live: mended by the next run", wrong)
    vm.run("disable", "--yes", "--live", domain.uuid)


def profiles(vm, daemon, domain):
    """A word to scaph-vm is a new epoch of another profile, at once, and again after a restart of either."""
    ring = os.path.join(vm.virt.share_root, domain.uuid, "scaph.ring")
    word = os.path.join(vm.profiles, domain.uuid)

    def now():
        segment = Segment(ring)
        return segment.word(PROFILE_AT, "I"), segment.word(32)

    vm.run("enable", "--yes", domain.uuid)
    check(await_that(lambda: os.path.exists(ring) and now()[0] == SHARED), "without --profile it is shared", daemon.lines()[-3:])
    before = now()[1]
    for name, wanted, mode in (("trusted", TRUSTED, 0o640), ("off", OFF, 0o644), ("shared", SHARED, 0o644), ("trusted", TRUSTED, 0o640)):
        done = vm.run("enable", "--yes", "--profile", name, domain.uuid)
        there, epoch = now()
        check(done.returncode == 0 and there == wanted and epoch != before and os.stat(ring).st_mode & 0o777 == mode and
              open(word).read() == name + "\n", f"--profile {name}: at once, and a new epoch", (done, there, daemon.lines()[-3:]))
        before = epoch
    again = vm.run("enable", "--yes", "--profile", "trusted", domain.uuid)
    check(again.returncode == 0 and now()[1] == before, "the same once more begins no epoch", again)
    kept = vm.run("enable", "--yes", domain.uuid)
    check(kept.returncode == 0 and now() == (TRUSTED, before), "enabled without the option, it keeps its profile", kept)
    os.unlink(word)
    found = vm.run("check", domain.uuid)
    check(found.returncode == 1 and "was to be trusted" in found.stdout and "mended by: enable" in found.stdout,
          "check finds a profile that somebody took away", found)
    mended = vm.run("enable", "--yes", domain.uuid)
    check(mended.returncode == 0 and os.path.exists(word) and "was to be" not in vm.run("check", domain.uuid).stdout and now() == (TRUSTED, before),
          "and enable mends it", (mended, now(), before))
    check(f"{domain.uuid}" in vm.run("list").stdout and "trusted" in vm.run("list", "--json").stdout, "list --json says it")
    return word


def undone(vm, domain, word, text):
    done = vm.run("disable", "--yes", domain.uuid)
    check(done.returncode == 0 and not os.path.exists(word) and os.listdir(vm.profiles) == [] and not vm.left(domain) and
          vm.definition(domain) == text, "disable takes the profile back", done)


def main():
    if not virts.ready():
        return
    with_groups()
    build = os.path.abspath(sys.argv[1])
    try:
        with virts.Virt(build) as virt:
            vm = Vm(os.path.join(build, "tools/vm/scaph-vm"), os.path.abspath(sys.argv[2]), virt)
            options = ("--profile-dir", vm.profiles)
            plain = virt.domain("plain", plan9=False, share=False)
            domain = Roomy(virt, "roomy -x", plan9=False, share=False)
            virt.domains.append(domain)
            domain.define()
            text = vm.definition(domain)
            plain.virsh("start")
            domain.start()
            cannot(vm, plain)
            domain.await_ready()
            stride = 1 if int(os.environ.get("SCAPH_TEST_PERCENT", "10")) >= 100 else 4
            each_step(vm, domain, text, "kill", stride)
            each_step(vm, domain, text, "fail", stride)
            with Daemon(build, virt, *options, profile=None) as daemon:
                plugged_in(vm, domain)
                plugged_out(vm, domain, text)
                kept_back(vm, domain, text)
                word = profiles(vm, daemon, domain)
                check(daemon.stop() == 0, "the daemon ends in order", daemon.lines())
            with Daemon(build, virt, *options, profile=None) as daemon:
                ring = os.path.join(virt.share_root, domain.uuid, "scaph.ring")
                check(await_that(lambda: daemon.has(domain) and Segment(ring).word(PROFILE_AT, "I") == TRUSTED),
                      "a later daemon finds the profile", daemon.lines())
                undone(vm, domain, word, text)
    finally:
        drop_groups()
    tap.plan()


if __name__ == "__main__":
    main()
