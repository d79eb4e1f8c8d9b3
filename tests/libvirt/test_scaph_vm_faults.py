#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph-vm on domains that boot nothing: odd names, steps that fail, kill -9 at every step, other people's changes.

Usage: test_scaph_vm_faults.py SCAPH_VM FAULT_LIBRARY. Prints TAP. Needs root: libvirtd, mounts.
"""

import json
import os
import pty
import re
import subprocess
import sys
import uuid as uuids

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]
import virt as virts  # noqa: E402
from tap import Tap  # noqa: E402

ALL = ("--transport", "virtiofs", "--transport", "9p", "--transport", "ivshmem", "--profile", "trusted")
ODD_NAMES = (
    "two words", " leading", "trailing ", "-b", "--yes", "--", "-c", ".", "..", ".hidden", "a\tb", "$(id)", "`id`", "a;b", "a,b,,c",
    "%n%s%x", "a'b\"c", "a\\b", "<xml/>", "a&b", "\u202egnirts", "a\u200bb", "\u2066x\u2069", "\U0001f50b", "caf\u00e9", "*", "?",
    "[a]", "~root", "a=b", "7", "x" * 200, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "a\u0085b", "list", "{b}",
)

tap = Tap()
check = tap.check


class Vm:
    """The program, with every place in the test's own folder."""

    def __init__(self, program, library, virt):
        self.program, self.library, self.virt = program, library, virt
        self.export_root = os.path.join(virt.work, "export")
        self.state = os.path.join(virt.work, "vm")
        self.profiles = os.path.join(virt.work, "profiles")

    def command(self, *words):
        return [self.program, *words[:1], "--share-root", self.virt.share_root, "--export-root", self.export_root,
                "--state-dir", self.state, "--daemon-dir", os.path.join(self.virt.work, "state"), "--profile-dir", self.profiles,
                *words[1:]]

    def run(self, *words, fault=None):
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        if fault:
            environment |= {"LD_PRELOAD": self.library, "SCAPH_FAULT": fault}
        return subprocess.run(self.command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              env=environment)

    def definition(self, domain):
        return self.virt.virsh("dumpxml", domain.uuid, "--inactive", "--security-info")

    def left(self, domain):
        """Whatever there is of a domain beside libvirt's own."""
        places = [os.path.join(folder, domain.uuid) for folder in (self.virt.share_root, self.export_root, self.state,
                                                                          self.profiles)]
        places.append(f"/dev/shm/scaph-{domain.uuid}")
        with open("/proc/self/mountinfo") as file:
            mounts = [line for line in file if domain.uuid in line]
        return [place for place in places if os.path.lexists(place)] + mounts

    def whole(self, domain):
        """What is missing of an enabled domain with all transports."""
        share, export = (os.path.join(root, domain.uuid) for root in (self.virt.share_root, self.export_root))
        with open("/proc/self/mountinfo") as file:
            mounts = {line.split()[4]: line.split()[5] for line in file}
        file = f"/dev/shm/scaph-{domain.uuid}"
        text = self.definition(domain)
        return [what for what, good in {
            "share": mounts.get(share, "").startswith("rw,nosuid,nodev,noexec"),
            "export": mounts.get(export, "").startswith("ro,nosuid,nodev,noexec"),
            "file": os.path.exists(file) and os.stat(file).st_size == 1 << 20 and os.stat(file).st_mode == 0o100660,
            "profile": os.path.exists(os.path.join(self.profiles, domain.uuid)),
            "definition": text.count(export) == 2 and text.count(f"scaph-{domain.uuid}") == 1 and "memfd" in text,
        }.items() if not good]


def odd_names(vm):
    """Everything is keyed by UUID: a name is never a path, a word of a shell, an option, or a command to a terminal."""
    before = sorted(os.listdir(vm.virt.work))
    wrong, raw, taken = [], [], 0
    for name in ODD_NAMES:
        domain = virts.Domain(vm.virt, name, plan9=False, share=False)
        try:
            domain.define()
        except RuntimeError:
            continue
        vm.virt.domains.append(domain)
        taken += 1
        text = vm.definition(domain)
        done = vm.run("enable", "--yes", *ALL, "--", name)
        steps = [done.returncode, vm.whole(domain)]
        listed = vm.run("list", "--json")
        rows = [row for row in json.loads(listed.stdout or "[]") if row["uuid"] == domain.uuid]
        steps.append(len(rows) == 1 and rows[0]["name"] == name)
        checked = vm.run("check", "--", name)
        steps.append(checked.returncode)
        undone = vm.run("disable", "--yes", "--", name)
        steps += [undone.returncode, vm.definition(domain) == text, vm.left(domain)]
        if steps != [0, [], True, 0, 0, True, []]:
            wrong.append((name, steps, done.stderr, checked.stdout, undone.stderr))
        shown = done.stdout + done.stderr + checked.stdout + undone.stdout
        if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\u2069]", shown):
            raw.append(name)
        vm.virt.virsh("undefine", domain.uuid)
    check(taken >= 30 and not wrong, f"{taken} odd names: enabled, listed, checked, disabled, nothing left", wrong)
    check(not raw, "no byte of them reaches the terminal unescaped", raw)
    new = {name for name in os.listdir(vm.virt.work) if not name.endswith(".xml")} - set(before)
    check(not new, "and nothing lies elsewhere", new)


def asks(vm, domain, text):
    done = vm.run("enable", domain.uuid)
    check(done.returncode == 1 and "--yes" in done.stderr and "+++" in done.stdout and not vm.left(domain),
          "without a terminal it shows what it would do, and refuses", done)
    dry = vm.run("enable", "--dry-run", domain.uuid)
    check(dry.returncode == 0 and not vm.left(domain) and vm.definition(domain) == text, "a dry run changes nothing", dry)
    for answer, wanted in (("n\n", 1), ("\n", 1), ("\x04", 1), ("y\n", 0)):
        master, slave = pty.openpty()
        process = subprocess.Popen(vm.command("enable", domain.uuid), stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        os.write(master, answer.encode())
        status = process.wait(30)
        os.close(master)
        check(status == wanted and bool(vm.left(domain)) == (wanted == 0), f"asked, {answer!r}: {status}")
    again = vm.run("enable", "--yes", domain.uuid)
    check(again.returncode == 0 and "right already" in again.stdout, "enabled twice is enabled once", again)
    more = vm.run("enable", "--yes", domain.uuid, "--transport", "9p", "--transport", "ivshmem", "--profile", "off")
    check(more.returncode == 0 and not vm.whole(domain), "further transports come to those that are there",
          (more, vm.whole(domain)))
    undone = vm.run("disable", "--yes", domain.uuid)
    check(undone.returncode == 0 and vm.definition(domain) == text and not vm.left(domain),
          "disabled, the definition is what it was, byte for byte", undone)
    nothing = vm.run("disable", "--yes", domain.uuid)
    check(nothing.returncode == 0 and "nothing" in nothing.stdout, "disabled twice is disabled once", nothing)


def each_step(vm, domain, text, kind):
    """The Nth changing call fails, or is the last: for every N there is."""
    steps = {"enable": 0, "disable": 0}
    wrong = []
    for command in ("enable", "disable"):
        while True:
            if command == "disable":
                vm.run("enable", "--yes", *ALL, domain.uuid)
            step = steps[command] + 1
            done = vm.run(command, "--yes", *(ALL if command == "enable" else ()), domain.uuid, fault=f"{kind}:{step}")
            if done.returncode == 0:
                break
            steps[command] = step
            if command == "enable" and kind == "fail" and (vm.definition(domain) != text or vm.left(domain)):
                wrong.append((command, step, vm.left(domain), done.stderr))
            # What comes next, whichever it is, mends it first.
            if step % 2 or command == "disable":
                after = vm.run("enable", "--yes", *ALL, domain.uuid)
                if after.returncode or vm.whole(domain):
                    wrong.append((command, step, vm.whole(domain), after.stderr))
            after = vm.run("disable", "--yes", domain.uuid)
            if after.returncode or vm.definition(domain) != text or vm.left(domain):
                wrong.append((command, step, vm.left(domain), after.stderr))
        vm.run("disable", "--yes", domain.uuid)
    check(steps["enable"] > 25 and steps["disable"] > 10 and not wrong,
          f"{kind} at each of {steps['enable']} steps of enable and {steps['disable']} of disable: mended by the next run", wrong)
    check(vm.definition(domain) == text and not vm.left(domain), "and nothing is left")


def somebody_else(vm, domain, text):
    """Changes that others make to the definition are theirs and stay."""
    vm.run("enable", "--yes", *ALL, domain.uuid)
    vm.virt.virsh("desc", domain.uuid, "--config", "--new-desc", "a tenant's \u202eown words")
    path = os.path.join(vm.virt.work, "other.xml")
    with open(path, "w") as file:
        file.write("<sound model='ich9'/>")
    vm.virt.virsh("attach-device", domain.uuid, path, "--config")
    done = vm.run("disable", "--yes", domain.uuid)
    now = vm.definition(domain)
    check(done.returncode == 0 and "somebody else" in done.stderr and "own words" in now and "ich9" in now,
          "what somebody else has changed since stays, and that is said", done)
    check(vm.export_root not in now and "scaph-" + domain.uuid not in now and "memfd" not in now and not vm.left(domain),
          "and nothing of ours does", now)
    vm.virt.virsh("define", domain.write_xml())
    check(vm.definition(domain) == text, "(the definition is put back)")


def foreign_things(vm, domain, text):
    """What is in the way and not ours is refused, and not touched."""
    share = os.path.join(vm.virt.share_root, domain.uuid)
    os.makedirs(share)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "others", share], check=True)
    done = vm.run("enable", "--yes", domain.uuid)
    check(done.returncode == 1 and os.path.ismount(share) and vm.definition(domain) == text,
          "another mount in the place is refused and stays", done)
    subprocess.run(["umount", share], check=True)
    os.rmdir(share)
    file = f"/dev/shm/scaph-{domain.uuid}"
    for make in (lambda: os.symlink("/etc/passwd", file), lambda: os.mkfifo(file),
                 lambda: (open(file, "w").close(), os.chown(file, 12345, 12345))):
        make()
        before = os.lstat(file)
        done = vm.run("enable", "--yes", "--transport", "ivshmem", domain.uuid)
        after = os.lstat(file)
        check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and
              (before.st_uid, before.st_mode, before.st_ino) == (after.st_uid, after.st_mode, after.st_ino),
              "a file of a stranger in the place is refused in one line and stays", done)
        os.unlink(file)
    os.mkdir(share)
    with open(os.path.join(share, "theirs"), "w"):
        pass
    done = [vm.run(*words, domain.uuid) for words in (("enable", "--yes"), ("disable", "--yes"))]
    check([d.returncode for d in done] == [0, 0] and os.listdir(share) == ["theirs"] and vm.definition(domain) == text,
          "files that lay in the folder before are there afterwards", done)
    os.unlink(os.path.join(share, "theirs"))
    os.rmdir(share)
    os.symlink("/tmp", share)
    done = vm.run("enable", "--yes", domain.uuid)
    check(done.returncode == 1 and vm.definition(domain) == text, "a link in the place of the folder is refused", done)
    os.unlink(share)
    vm.run("disable", "--yes", domain.uuid)
    check(not vm.left(domain), "and nothing is left", vm.left(domain))


def after_reboot(vm, domain, text):
    """Everything that a reboot takes is made again by one command, before there is a libvirt to ask."""
    vm.run("enable", "--yes", *ALL, domain.uuid)
    good = vm.run("repair", "-c", "test:///no/such/file")
    check(good.returncode == 0 and good.stdout == "", "repair without a domain leaves what is whole alone", good)
    for root in (vm.export_root, vm.virt.share_root):
        subprocess.run(["umount", os.path.join(root, domain.uuid)], check=True)
    os.rmdir(os.path.join(vm.export_root, domain.uuid))
    os.unlink(f"/dev/shm/scaph-{domain.uuid}")
    found = vm.run("check")
    check(found.returncode == 1 and found.stdout.count("mended by: repair") == 3, "after a reboot check finds three things", found)
    done = vm.run("repair", "-c", "test:///no/such/file")
    check(done.returncode == 0 and not vm.whole(domain), "repair makes them, and asks no libvirt", (done, vm.whole(domain)))
    check(vm.run("check").returncode == 0, "and check finds nothing wrong")
    vm.run("disable", "--yes", domain.uuid)
    check(vm.definition(domain) == text and not vm.left(domain), "disabled, nothing is left")


def saved(vm, domain, text):
    """What virsh managedsave kept is the machine of then; whoever changes the definition is told."""
    vm.run("enable", "--yes", "--transport", "ivshmem", domain.uuid)
    vm.virt.virsh("start", domain.uuid)
    vm.virt.virsh("managedsave", domain.uuid)
    found = vm.run("check", domain.uuid)
    check(found.returncode == 1 and "managedsave-remove" in found.stdout, "check finds an image that the next start would take", found)
    done = vm.run("disable", "--yes", domain.uuid)
    check(done.returncode == 0 and "managedsave-remove" in done.stderr and vm.definition(domain) == text and not vm.left(domain),
          "disable says so too", done)
    vm.virt.virsh("managedsave-remove", domain.uuid)


def read_only_from_the_start(vm, domain):
    """A namespace that takes a copy of every mount as it appears never has a writable one of the export."""
    os.makedirs(vm.export_root, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "scaph-test", vm.export_root], check=True)
    subprocess.run(["mount", "--make-shared", vm.export_root], check=True)
    inside = os.path.join(vm.export_root, domain.uuid)
    script = f"echo ready; read line; grep {domain.uuid} /proc/self/mountinfo; : >{inside}/x && echo written; read line"
    slave = subprocess.Popen(["unshare", "-m", "--propagation", "slave", "sh", "-c", script], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    slave.stdout.readline()
    vm.run("enable", "--yes", domain.uuid)
    slave.stdin.write("\n")
    line, refusal = slave.stdout.readline(), slave.stdout.readline()
    check(line.split()[4:6] == [inside, "ro,nosuid,nodev,noexec"] or line.split()[5].startswith("ro,nosuid,nodev,noexec"),
          "a slave mount namespace has a copy of the export, read-only", line)
    check("Read-only" in refusal, "root there cannot write to it", refusal)
    vm.run("disable", "--yes", domain.uuid)
    slave.communicate("\n")
    subprocess.run(["umount", vm.export_root], check=True)


def refusals(vm, domain):
    for words, wanted in ((("enable",), "which domain"), (("frob", "x"), "no such command"), (("enable", "no such"), "no such domain"),
                          (("enable", "--transport", "nfs", "x"), "must be virtiofs"), (("enable", "a", "b"), "one domain"),
                          (("enable", "-c", "qemu:///nowhere", "x"), "give -c URI"), (("enable", ""), "empty"),
                          (("enable", "--nothing", "x"), "unknown option"), (("enable", "--profile", "none", "x"), "must be trusted"), (("list", "--share-root", "x"), "absolute"),
                          (("list", "--share-root", "/a\nb"), "control character")):
        done = vm.run(*words)
        check(done.returncode == 1 and wanted in done.stderr and len(done.stderr.splitlines()) == 1 and not done.stdout,
              f"{' '.join(words)!r}: refused in one line", done)
    # A name that is another domain's UUID.
    squatter = vm.virt.domain(domain.uuid, plan9=False, share=False)
    done = vm.run("enable", "--yes", domain.uuid)
    check(done.returncode == 1 and "one domain and the UUID" in done.stderr and not vm.left(squatter) and not vm.left(domain),
          "words that could be two domains are refused", done)
    vm.virt.virsh("undefine", squatter.uuid)


def undefined(vm):
    domain = vm.virt.domain("short-lived " + str(uuids.uuid4()), plan9=False, share=False)
    vm.run("enable", "--yes", *ALL, domain.uuid)
    vm.virt.virsh("undefine", domain.uuid)
    done = vm.run("disable", "--yes", domain.name)
    check(done.returncode == 0 and not vm.left(domain), "a domain that was undefined meanwhile is cleared away by its name", done)


def main():
    if not virts.ready():
        return
    with virts.Virt() as virt:
        vm = Vm(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), virt)
        domain = virt.domain("plain $(id) \u202e", plan9=False, share=False)
        text = vm.definition(domain)
        asks(vm, domain, text)
        each_step(vm, domain, text, "kill")
        each_step(vm, domain, text, "fail")
        somebody_else(vm, domain, text)
        foreign_things(vm, domain, text)
        after_reboot(vm, domain, text)
        saved(vm, domain, text)
        read_only_from_the_start(vm, domain)
        refusals(vm, domain)
        undefined(vm)
        odd_names(vm)
    tap.plan()


if __name__ == "__main__":
    main()
