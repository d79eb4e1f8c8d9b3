#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph-vm --proxmox over recorded files of Proxmox VE and stand-ins for its commands: reconstructed, see machines/README.md and pve.py;
no Proxmox has been asked. Mounts, store, daemon and the QEMU at the end are real. Usage: test_proxmox.py SCAPHD SCAPH SCAPH_VM HOOK. Prints TAP.
"""

import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys

from bench import Bench, await_that
from machines import RECORDED

WEB, DB = "7b10d7af-b932-4c66-b2c3-3996152ec465", "0e5a4d0c-61bd-4b4c-9f0f-3a9d1a0b6c77"


class Pve:
    def __init__(self, b, program):
        self.b, self.program = b, program
        self.root = os.path.join(b.work, "pve")
        self.bin = os.path.join(b.work, "bin")
        self.export = os.path.join(b.work, "export")
        self.store = os.path.join(b.work, "store")
        os.mkdir(self.bin)
        for name in ("qm", "pvesh"):
            shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pve.py"), os.path.join(self.bin, name))
        self.fresh()

    def fresh(self):
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(os.path.join(RECORDED, "proxmox/etc"), self.root)
        os.mkdir(self.root + "/run")

    def words(self):
        return ["--share-root", self.b.shares, "--export-root", self.export, "--state-dir", self.store, "--shm-dir", self.b.work,
                "--daemon-dir", self.b.state, "--pve-dir", self.root, "--qemu-server-dir", self.root + "/run"]

    def run(self, command, vmid, *more, fail="0", proxmox=True):
        environment = {**os.environ, "PATH": self.bin + ":" + os.environ["PATH"], "FAKE_PVE": self.root, "FAKE_PVE_FAIL": fail}
        if os.path.exists(self.root + "/calls"):
            os.unlink(self.root + "/calls")
        words = ["--proxmox"] if proxmox else []
        return subprocess.run([self.program, command, *words, *self.words(), *more, *([str(vmid)] if vmid else [])],
                              capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, env=environment)

    def text(self, path):
        with open(os.path.join(self.root, path)) as file:
            return file.read()

    def left(self):
        """What is mounted or kept of it, and what differs in its files from the recorded ones."""
        with open("/proc/mounts") as file:
            mounts = [line.split()[1] for line in file if self.b.work in line]
        recorded = os.path.join(RECORDED, "proxmox/etc")
        names = [f"qemu-server/{leaf}" for leaf in os.listdir(recorded + "/qemu-server")] + ["mapping/directory.cfg"]
        differ = [name for name in names if not filecmp.cmp(f"{recorded}/{name}", f"{self.root}/{name}", shallow=False)]
        kept = os.listdir(self.store) if os.path.isdir(self.store) else []
        return mounts + differ + kept


def enable(b, pve):
    done = pve.run("enable", 100, "--dry-run")
    b.check(done.returncode == 0 and "qm set 100 --virtiofs0 dirid=scaph-100,cache=never" in done.stdout and
            "pvesh create /cluster/mapping/dir --id scaph-100 --map node=" in done.stdout and not pve.left(),
            "--dry-run shows the commands and does nothing", done.stdout + done.stderr)
    done = pve.run("enable", 100)
    b.check(done.returncode == 1 and "--yes" in done.stderr and not pve.left(), "without a terminal nothing is done", done.stderr)
    done = pve.run("enable", 100, "--yes")
    b.check(done.returncode == 0 and "mount -t virtiofs -o ro,nosuid,nodev,noexec scaph-100 /var/scaphandre" in done.stdout, "enable", done.stdout + done.stderr)
    b.check("virtiofs0: dirid=scaph-100,cache=never\n" in pve.text("qemu-server/100.conf") and
            f"path={pve.export}/{WEB}" in pve.text("mapping/directory.cfg"), "configuration and mapping are there")
    try:
        open(f"{pve.export}/{WEB}/x", "w").close()
        b.check(False, "the guest's view is read-only")
    except OSError as error:
        b.check(error.errno == 30, "the guest's view is read-only", error)
    calls = pve.text("log")
    done = pve.run("enable", 100, "--yes")
    b.check(done.returncode == 0 and "right already" in done.stdout and pve.text("log") == calls, "again: nothing is changed", done.stdout)


def known(b, pve):
    """list, check and repair know it by its UUID, without a libvirt; what is wrong names what mends it."""
    uri = ("-c", "test:///nothing-is-there")
    done = pve.run("list", None, "--json", *uri, proxmox=False)
    rows = json.loads(done.stdout or "[]")
    b.check(done.returncode == 0 and len(rows) == 1 and rows[0]["vmid"] == 100 and rows[0]["uuid"] == WEB and rows[0]["defined"] and
            not rows[0]["running"] and rows[0]["transports"] == ["virtiofs"], "list --json", done.stdout + done.stderr)
    with open(pve.root + "/run/100.pid", "w") as file:
        file.write(f"{os.getpid()}\n")
    done = pve.run("list", None, *uri, proxmox=False)
    b.check(done.returncode == 0 and " running " in done.stdout and "100 (" in done.stdout, "list, while it runs", done.stdout + done.stderr)
    done = pve.run("check", None, *uri, proxmox=False)
    b.check(done.returncode == 1 and "no scaphd runs" in done.stdout, "check: nobody writes for it", done.stdout + done.stderr)
    os.unlink(pve.root + "/run/100.pid")
    done = pve.run("check", WEB, *uri, proxmox=False)
    b.check(done.returncode == 0 and "good" in done.stdout, "check: good", done.stdout + done.stderr)
    done = pve.run("repair", WEB, *uri, proxmox=False)
    b.check(done.returncode == 0 and "fresh share" in done.stdout, "repair", done.stdout + done.stderr)
    path = os.path.join(pve.root, "qemu-server/100.conf")
    text = pve.text("qemu-server/100.conf")
    with open(path, "w") as file:
        file.write(text.replace("virtiofs0: dirid=scaph-100,cache=never\n", ""))
    done = pve.run("check", None, *uri, proxmox=False)
    b.check(done.returncode == 1 and "lacks the device" in done.stdout and "enable --proxmox 100" in done.stdout, "check: no device",
            done.stdout + done.stderr)
    os.unlink(path)
    done = pve.run("check", None, *uri, proxmox=False)
    b.check(done.returncode == 1 and "no longer on this node" in done.stdout and "disable --proxmox 100" in done.stdout,
            "check: it is gone", done.stdout + done.stderr)
    done = pve.run("repair", WEB, *uri, proxmox=False)
    b.check(done.returncode == 1 and "disable --proxmox 100" in done.stderr, "repair: it is gone", done.stdout + done.stderr)
    with open(path, "w") as file:
        file.write(text)


def reboot(b, pve, hook):
    """Mounts are gone as after a reboot of the host: repair asks nobody, the hookscript calls it and never fails."""
    for folder in (pve.export, b.shares):
        subprocess.run(["umount", f"{folder}/{WEB}"], check=True)
    done = pve.run("repair", None, proxmox=False)
    b.check(done.returncode == 0 and len([line for line in pve.left() if WEB in line and line.startswith("/")]) == 2,
            "repair mounts what is lacking", done.stdout + done.stderr)
    program = os.path.join(pve.bin, "scaph-vm")
    with open(program, "w") as file:
        file.write(f"#!/bin/sh\necho \"$@\" >> {b.work}/hooked\nexit 1\n")
    os.chmod(program, 0o755)
    with open(os.path.join(pve.bin, "sleep"), "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(os.path.join(pve.bin, "sleep"), 0o755)
    ends = [subprocess.run([hook, "100", phase], env={**os.environ, "PATH": pve.bin + ":" + os.environ["PATH"]}, timeout=30).returncode
            for phase in ("pre-start", "post-start", "pre-stop", "post-stop", "")]
    with open(f"{b.work}/hooked") as file:
        calls = file.read().splitlines()
    b.check(ends == [0] * 5 and set(calls) == {"repair --yes"} and len(calls) == 5, "the hookscript repairs before a start, and never fails it",
            (ends, calls))


def disable(b, pve):
    done = pve.run("disable", 100, "--yes")
    b.check(done.returncode == 0 and not pve.left(), "disable leaves nothing", (done.stdout, done.stderr, pve.left()))
    done = pve.run("disable", 100, "--yes")
    b.check(done.returncode == 0 and "nothing of ours" in done.stdout, "again: nothing of ours", done.stdout)


def failures(b, pve):
    """Whichever command fails, before or after it has done its work, all is undone."""
    for fail in ("1", "1+", "2", "2+"):
        done = pve.run("enable", 100, "--yes", fail=fail)
        b.check(done.returncode == 1 and "all was undone" in done.stderr and not pve.left(), f"call {fail} fails: undone",
                (done.stderr, pve.left()))
    os.rename(pve.bin + "/pvesh", pve.bin + "/gone")
    done = pve.run("enable", 100, "--yes")
    os.rename(pve.bin + "/gone", pve.bin + "/pvesh")
    b.check(done.returncode == 1 and "is this a host of Proxmox VE?" in done.stderr and not pve.left(), "without pvesh: undone", done.stderr)
    pve.run("enable", 100, "--yes")
    done = pve.run("disable", 100, "--yes", fail="2")
    b.check(done.returncode == 1, "disable that fails says so", done.stderr)
    done = pve.run("disable", 100, "--yes")
    b.check(done.returncode == 0 and not pve.left(), "and is ended by the next", (done.stderr, pve.left()))


def killed(b, pve):
    """kill -9 while Proxmox's command runs: the next run goes on from there."""
    for command, calls in (("enable", 2), ("disable", 2)):
        for at in range(1, calls + 1):
            if command == "disable":
                pve.run("enable", 100, "--yes")
            name = {"enable": ("pvesh", "qm"), "disable": ("qm", "pvesh")}[command][at - 1]
            os.rename(f"{pve.bin}/{name}", f"{pve.bin}/real")
            with open(f"{pve.bin}/{name}", "w") as file:
                file.write("#!/bin/sh\nkill -9 $PPID\n")
            os.chmod(f"{pve.bin}/{name}", 0o755)
            done = pve.run(command, 100, "--yes")
            os.rename(f"{pve.bin}/real", f"{pve.bin}/{name}")
            hints = [pve.run("repair", None, proxmox=False).stderr, pve.run("repair", WEB, proxmox=False).stderr,
                     pve.run("check", None, proxmox=False).stdout]
            b.check(all(f"{command} --proxmox 100" in hint for hint in hints), f"{command} killed at call {at}: what goes on from there is named",
                    hints)
            again = pve.run(command, 100, "--yes")
            good = done.returncode == -signal.SIGKILL and again.returncode == 0
            if command == "enable":
                good = good and "virtiofs0: dirid=scaph-100" in pve.text("qemu-server/100.conf")
                again = pve.run("disable", 100, "--yes")
            b.check(good and not pve.left(), f"{command} killed at call {at}: the next ends it", (again.stderr, pve.left()))


def refusals(b, pve):
    for what, vmid, words, more in (("no VMID", "web", ["VMID"], []), ("one too low", "99", ["VMID"], []), ("one not there", "777", ["qm list"], []),
                                    ("one without a UUID", "101", ["smbios1", "uuidgen"], []), ("a template", "900", ["template"], []),
                                    ("9p", "100", ["9p"], ["--transport", "9p"])):
        done = pve.run("enable", vmid, "--yes", *more)
        b.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and all(word in done.stderr for word in words) and not pve.left(),
                f"refused: {what}", (done.stderr, pve.left()))
    with open(pve.root + "/mapping/directory.cfg", "a") as file:
        file.write("scaph-100\n\tmap node=elsewhere,path=/srv\n\n")
    done = pve.run("enable", 100, "--yes")
    b.check(done.returncode == 1 and "leads elsewhere" in done.stderr, "refused: a mapping of our name that is another's", done.stderr)
    pve.fresh()
    done = pve.run("check", 100)
    b.check(done.returncode == 1 and "enable and disable" in done.stderr, "refused: --proxmox with another command", done.stderr)


def second_device(b, pve):
    """Another's virtiofs0, pending changes and snapshots of the same names: ours comes beside."""
    done = pve.run("enable", 102, "--yes", "--transport", "virtiofs", "--transport", "ivshmem")
    text = pve.text("qemu-server/102.conf").split("[before-upgrade]")[0]
    b.check(done.returncode == 0 and "virtiofs1: dirid=scaph-102,cache=never" in text and "virtiofs0: dirid=media" in text and
            f"ivshmem: size=1,name=scaph-{DB}" in text, "beside another's device, and with memory of its own", (done.stderr, text))
    done = pve.run("disable", 102, "--yes")
    b.check(done.returncode == 0 and not pve.left(), "and away again", (done.stderr, pve.left()))


def running(b, pve):
    """Devices of a machine that runs are pending; its share is detached."""
    with open(pve.root + "/run/100.pid", "w") as file:
        file.write(f"{os.getpid()}\n")
    done = pve.run("enable", 100, "--yes")
    b.check(done.returncode == 0 and "cold start" in done.stdout and "[PENDING]\nvirtiofs0: dirid=scaph-100" in pve.text("qemu-server/100.conf"),
            "of one that runs it is pending, and said", done.stdout + done.stderr)
    open(f"{b.shares}/{WEB}/held", "w").close()
    with open(f"{pve.export}/{WEB}/held"):
        done = pve.run("disable", 100, "--yes")
    b.check(done.returncode == 0 and not pve.left(), "its view is taken from under it", (done.stderr, pve.left()))
    os.unlink(pve.root + "/run/100.pid")


def gone(b, pve):
    pve.run("enable", 100, "--yes")
    os.rename(pve.root + "/qemu-server/100.conf", pve.root + "/away")
    done = pve.run("enable", 100, "--yes")
    b.check(done.returncode == 1 and "disable --proxmox" in done.stderr, "one that was destroyed cannot be enabled", done.stderr)
    done = pve.run("disable", 100, "--yes")
    pve.fresh()
    b.check(done.returncode == 0 and not pve.left(), "but disabled", (done.stderr, pve.left()))


def lives(b, pve):
    """The share that was made is written for a machine as Proxmox starts it, but for -id, which Debian's QEMU does not have."""
    pve.run("enable", 100, "--yes")
    b.start("qemu-system-x86_64", "-name", "web,debug-threads=on", "-no-shutdown", "-smbios", f"type=1,uuid={WEB}", "-S",
            "-accel", "tcg", "-nodefaults", "-display", "none", "-m", "16", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemon = b.daemon(discover="qemu", meter="cputime")
    ring = f"{pve.export}/{WEB}/scaph.ring"
    await_that(lambda: os.path.exists(ring), 15)
    done = b.json(f"{pve.export}/{WEB}", "-n", "1")
    b.check(done.returncode == 0 and WEB in done.stdout, "scaphd finds the machine, and its view is read", done.stdout + done.stderr)
    done = pve.run("disable", 100, "--yes")
    b.check(done.returncode == 0 and not pve.left(), "disable while scaphd has it open", (done.stderr, pve.left()))
    b.check(daemon.poll() is None, "the daemon goes on")


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: mounts need root")
        return
    if not os.environ.get("SCAPH_PVE_NAMESPACE"):
        os.environ["SCAPH_PVE_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])
    with Bench(sys.argv[1], sys.argv[2]) as b:
        pve = Pve(b, os.path.abspath(sys.argv[3]))
        refusals(b, pve)
        enable(b, pve)
        known(b, pve)
        reboot(b, pve, os.path.abspath(sys.argv[4]))
        disable(b, pve)
        failures(b, pve)
        killed(b, pve)
        second_device(b, pve)
        running(b, pve)
        gone(b, pve)
        if shutil.which("qemu-system-x86_64"):
            lives(b, pve)
        else:
            print("# skip: qemu-system-x86 is not installed")


if __name__ == "__main__":
    main()
