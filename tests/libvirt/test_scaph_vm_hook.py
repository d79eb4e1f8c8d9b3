#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvirt's hook mends a share before its domain starts and never keeps one from starting; new domains are enabled by name.

Usage: test_scaph_vm_hook.py SCAPH_VM FAULT_LIBRARY HOOK. Prints TAP. Needs root: libvirtd, mounts. Its domains boot nothing.
"""

import fcntl
import os
import shlex
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]
import virt as virts  # noqa: E402
from tap import Tap  # noqa: E402
from test_scaph_vm_faults import ALL, Vm  # noqa: E402

BOUND_S = 30  # ten seconds of the hook's, and what a busy machine adds

tap = Tap()
check = tap.check


def write(path, text, mode=0o755):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


class Hook:
    """The hook as it is installed, and the scaph-vm that it finds."""

    def __init__(self, vm, template):
        self.vm = vm
        self.program = os.path.join(vm.virt.work, "bin/scaph-vm")
        self.log = os.path.join(vm.virt.work, "hook.log")
        with open(template) as file:
            write("/etc/libvirt/hooks/qemu.d/scaph", file.read().replace("@sbindir@", os.path.dirname(self.program)))
        self.work()

    def work(self):
        """A good one, with the places of this test."""
        words = " ".join(map(shlex.quote, self.vm.command("prepare")))
        write(self.program, f"#!/bin/sh\n[ \"$*\" = prepare ] || exit 9\n{words} >>{self.log} 2>&1\n")

    def be(self, script):
        write(self.program, "#!/bin/sh\n" + script)


def damage(vm, domain):
    for root in (vm.export_root, vm.virt.share_root):
        subprocess.run(["umount", os.path.join(root, domain.uuid)], check=True)
    os.unlink(f"/dev/shm/scaph-{domain.uuid}")


def start(domain):
    """Whether it started, and how long that took."""
    began = time.monotonic()
    done = subprocess.run(["virsh", "-c", "qemu:///system", "start", domain.uuid], capture_output=True, text=True, timeout=120)
    return done.returncode == 0, time.monotonic() - began, done.stderr


def stop(domain):
    subprocess.run(["virsh", "-c", "qemu:///system", "destroy", domain.uuid], capture_output=True)


def log_of(hook):
    if not os.path.exists(hook.log):
        return "the hook's scaph-vm did not run"
    with open(hook.log) as file:
        return file.read()


def mended(vm, hook, domain):
    damage(vm, domain)
    hook.be("exit 0\n")
    start(domain)
    stop(domain)
    check("share" in vm.whole(domain) and "export" in vm.whole(domain), "a domain whose share is gone does not have it back by its start")
    hook.work()
    good, _, why = start(domain)
    check(good and not vm.whole(domain), "with the hook it starts, and has all of it", (why, vm.whole(domain), log_of(hook)))
    stop(domain)


def waits(vm, hook, domain):
    """Another scaph-vm at work is waited for."""
    damage(vm, domain)
    store = os.open(vm.state, os.O_RDONLY)
    fcntl.flock(store, fcntl.LOCK_EX)
    timer = threading.Timer(1, os.close, (store,))
    timer.start()
    good, _, why = start(domain)
    timer.join()
    check(good and not vm.whole(domain), "also while another scaph-vm is at work for a second", (why, log_of(hook)))
    stop(domain)


def together(vm, hook, domains):
    for domain in domains:
        damage(vm, domain)
    results = {}
    threads = [threading.Thread(target=lambda d=d: results.update({d.uuid: start(d)})) for d in domains]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(all(results[d.uuid][0] and not vm.whole(d) for d in domains), f"{len(domains)} that start together are all mended",
          (results, log_of(hook)))
    for domain in domains:
        stop(domain)


def broken(hook, domain, stranger):
    for what, script in (("fails", "exit 1\n"), ("is killed", "kill -9 $$\n"), ("is no program", "\x7fELF"),
                         ("hangs", "trap '' TERM\nexec sleep 300\n")):
        hook.be(script)
        good, took, why = start(domain)
        check(good and took < BOUND_S, f"a scaph-vm that {what}: the domain starts, within {BOUND_S} s", (took, why))
        stop(domain)
    os.unlink(hook.program)
    good, _, why = start(domain)
    check(good, "and without any scaph-vm", why)
    stop(domain)
    hook.work()
    good, _, why = start(stranger)
    check(good and not hook.vm.left(stranger), "one that was never enabled starts, and nothing is made for it", why)
    stop(stranger)


def prepare_refuses(vm):
    for text in ("", "<domain>", "<domain/>", "<domain><uuid>../../x</uuid></domain>", "x" * (5 << 20)):
        done = subprocess.run(vm.command("prepare"), input=text, capture_output=True, text=True, timeout=60)
        check(done.returncode == 1 and len(done.stderr.splitlines()) == 1, f"prepare refuses {text[:40]!r} in one line", done)


def by_name(vm, domains):
    settings = os.path.join(vm.virt.work, "scaph-vm.conf")
    words = ("--settings", settings)
    done = vm.run("auto", *words)
    check(done.returncode == 0 and "nothing is enabled" in done.stdout, "without settings auto enables nothing", done)
    for text, wanted in (("auto-enable = x\n", ":1: keys belong"), ("[scaph-vm]\nfrob = 1\n", ":2: the keys are"),
                         ("[scaph-vm]\nauto-enable =\n", ":2: the pattern is empty"), ("[scaph-vm]\nauto-transport = usb\n", ":2: a transport is"),
                         ("[scaph-vm]\nwords\n", ":2: neither"), ("[scaph-vm]\nauto-enable = " + "x" * 500 + "\n", ":2: the line is too long")):
        write(settings, text, 0o644)
        done = vm.run("auto", *words)
        check(done.returncode == 1 and wanted in done.stderr and len(done.stderr.splitlines()) == 1, f"settings: {wanted[1:]}: in one line", done)
    write(settings, "[scaph-vm]\nauto-enable = web-*\n", 0o666)
    done = vm.run("auto", *words)
    check(done.returncode == 1 and "others own it" in done.stderr, "settings that others may write are refused", done)
    write(settings, "[scaph-vm]\nauto-enable = web-*\nauto-enable = [ab]$(id)?\nauto-except = web-x*\nauto-transport = 9p\n"
          "auto-transport = ivshmem\n", 0o644)
    chosen = [d for d in domains if d.name in ("web-1", "a$(id);")]
    dry = vm.run("auto", "--dry-run", *words)
    check(dry.returncode == 0 and dry.stdout.count("would be enabled") == 2 and not any(vm.left(d) for d in domains),
          "auto --dry-run says which", dry)
    done = vm.run("auto", *words)
    enabled = [d for d in domains if vm.left(d)]
    check(done.returncode == 0 and enabled == chosen and len(done.stdout.splitlines()) == 2, "auto enables those that the patterns choose, one line each",
          (done, [d.name for d in enabled]))
    check(all("9p" in vm.run("list", d.uuid).stdout and "virtiofs" not in vm.run("list", d.uuid).stdout for d in chosen), "by the transports that it names")
    again = vm.run("auto", *words)
    check(again.returncode == 0 and again.stdout == "", "a second time there is nothing to do", again)
    done = vm.run("disable", "--yes", *words, chosen[0].uuid)
    check(done.returncode == 0 and "auto-except" in done.stderr and not vm.left(chosen[0]), "disabling one says that it would come back", done)
    back = vm.run("auto", *words)
    check(back.returncode == 0 and vm.left(chosen[0]), "as it does", back)
    for domain in chosen:
        vm.run("disable", "--yes", domain.uuid)
    check(not any(vm.left(d) for d in domains), "disabled, nothing is left")


def main():
    if not virts.ready():
        return
    with virts.Virt(start=False) as virt:
        vm = Vm(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), virt)
        hook = Hook(vm, sys.argv[3])
        virt.start()
        names = ("web-1", "web-x1", "a$(id);", "plain 4")
        domains = [virt.domain(name, plan9=False, share=False) for name in names]
        stranger = virt.domain("stranger", plan9=False, share=False)
        by_name(vm, domains)
        for domain in domains:
            vm.run("enable", "--yes", *ALL, domain.uuid)
        mended(vm, hook, domains[0])
        waits(vm, hook, domains[1])
        together(vm, hook, domains)
        broken(hook, domains[2], stranger)
        prepare_refuses(vm)
        for domain in domains:
            vm.run("disable", "--yes", domain.uuid)
        check(not any(vm.left(d) for d in domains), "disabled, nothing is left", [vm.left(d) for d in domains])
    tap.plan()


if __name__ == "__main__":
    main()
