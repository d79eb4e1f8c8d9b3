#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines found by their processes: recorded hosts of Proxmox and Nova, and real QEMUs. Usage: test_discover.py SCAPHD SCAPH.
Prints TAP.

The recorded hosts are reconstructed, see machines/README.md. A real QEMU stands at its first instruction: its process is what matters.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time

from bench import Bench, arguments, await_that
from look import Segment
from machines import Machines

WEB, DB = "7b10d7af-b932-4c66-b2c3-3996152ec465", "0e5a4d0c-61bd-4b4c-9f0f-3a9d1a0b6c77"
NOVA = "3f2b1c9e-52a0-4c7e-9a55-0b8e4a6f1d23"
OWN = "6ba7b810-9dad-11d1-80b4-00c04fd430c"
STRANGER = 54321  # nobody's number
COMMON = {"discover": "qemu", "libvirt": "none", "meter": "cputime"}


class Daemon:
    """One that says into a file, so that it can be asked for at any time."""

    def __init__(self, b, **changed):
        self.b = b
        self.log = os.path.join(b.work, "log")
        with open(self.log, "wb") as file:
            self.process = b.start(*b.before, b.scaphd, *b.options(**{**COMMON, **changed}), stderr=file)
        if not await_that(lambda: "publishing" in self.said() or self.process.poll() is not None):
            raise RuntimeError("it does not start")

    def said(self):
        with open(self.log) as file:
            return file.read()

    def has(self, uuid):
        return os.path.exists(f"{self.b.host}/{uuid}.ring")

    def await_has(self, *uuids):
        return await_that(lambda: all(map(self.has, uuids)), 15)

    def end(self):
        self.process.terminate()
        return self.process.wait(10)


def checked(b, **changed):
    done = subprocess.run([b.scaphd, "--check", *b.options(**{**COMMON, **changed})], capture_output=True, text=True, timeout=20)
    return done.stdout, done.stderr


def domains(out):
    """What --check lists: name and UUID of each domain."""
    lines = out.splitlines()
    return {(a.split(None, 1)[1], b.split()[1]) for a, b in zip(lines, lines[1:]) if a.startswith("domain ") and "uuid" in b}


def recorded(b, pids):
    machines = Machines(b)
    machines.play("proxmox")
    machines.grow_up()
    share, by_name, not_by_name = b.share(WEB), b.share("old-one"), b.share("db")
    words = {"procfs": machines.root, "qemu-server-dir": pids}
    out, said = checked(b, **words)
    b.check({name for name, _ in domains(out)} == {"web", "db", "old-one"} and {WEB, DB} < {uuid for _, uuid in domains(out)},
            "of Proxmox's processes the machines are found, one replaced by an upgrade among them, and nothing else", out + said)
    b.check(said.count("is a QEMU of user 1000,") == 2, "an ordinary user's, and one that is only run as root by him, are named", said)
    daemon = Daemon(b, **words)
    b.check(daemon.await_has(WEB, DB), "they are published", daemon.said())
    b.check(await_that(lambda: os.path.exists(share + "/scaph.ring")) and await_that(lambda: Segment(share + "/scaph.ring").newest()),
            "one finds its share by UUID", daemon.said())
    b.check(await_that(lambda: os.path.exists(by_name + "/scaph.ring")) and not os.path.exists(not_by_name + "/scaph.ring"),
            "one without a UUID finds it by name, one of Proxmox that has one does not", daemon.said())
    twins(b, daemon, machines, pids)
    garbage(b, daemon, machines)
    machines.end("100")
    b.check(await_that(lambda: not daemon.has(WEB)), "one that ends is retired", daemon.said())
    b.check(daemon.end() == 0, "the daemon ends in order", daemon.said())


def twins(b, daemon, machines, pids):
    """Two that say one UUID; by then the thief of the recorded tree has been passed over."""
    machines.add(machines.recorded("proxmox", "100"), "twin")
    b.check(await_that(lambda: not daemon.has(WEB), 15), "of two with one UUID neither is published", daemon.said())
    time.sleep(4.5)  # two looks more
    b.check(daemon.said().count("both say that they are " + WEB) == 1, "which is said once", daemon.said())
    with open(f"{pids}/100.pid", "w") as file:
        file.write(f"{machines.real['100'].pid}\n")
    b.check(daemon.await_has(WEB) and await_that(lambda: f"process {machines.real['100'].pid})" in daemon.said().splitlines()[-1]),
            "but where Proxmox's PID file names one of them, that is it", daemon.said())
    os.unlink(f"{pids}/100.pid")
    await_that(lambda: not daemon.has(WEB), 15)
    machines.end("twin")
    b.check(daemon.await_has(WEB), "and when one is gone the other is", daemon.said())
    child = machines.recorded("proxmox", "100")
    child.argv.remove("-daemonize")
    child.parent = "100"
    before = daemon.said().count("both say")
    machines.add(child, "child")
    time.sleep(4.5)
    b.check(daemon.has(WEB) and daemon.said().count("both say") == before, "a child that has its parent's words is none", daemon.said())
    machines.end("child")


def garbage(b, daemon, machines):
    """Whatever stands where a process should be, the others go on."""
    for name, leaf, content in (("no-users", "status", b""), ("odd-users", "status", b"Name:\tx\nUid:\t0 x\n"), ("no-start", "stat", b"1 (x"),
                                ("no-words", "cmdline", b""), ("noise", "cmdline", os.urandom(1 << 21)), ("many", "cmdline", b"-name\0" * (1 << 17))):
        machines.add(machines.recorded("proxmox", "100"), name)
        machines.write(machines.path(name), leaf, content)
    for name in ("99999999999999999999", "1x", "0"):
        os.mkdir(os.path.join(machines.root, name))
        os.symlink("/usr/bin/kvm", os.path.join(machines.root, name, "exe"))
    machines.add(machines.recorded("proxmox", "101"), "folder")
    os.unlink(machines.path("folder", "cmdline"))
    os.mkdir(machines.path("folder", "cmdline"))
    time.sleep(4.5)
    b.check(daemon.process.poll() is None and daemon.has(WEB) and daemon.has(DB), "noise in the place of processes is passed over", daemon.said())
    for name in ("no-users", "odd-users", "no-start", "no-words", "noise", "many", "folder"):
        machines.end(name)


def nova(b):
    machines = Machines(b, "nova-proc")
    machines.play("nova")
    machines.grow_up()
    words = {"procfs": machines.root}
    if "qemu" not in {entry.pw_name for entry in pwd.getpwall()}:
        out, said = checked(b, **words)
        b.check(not domains(out) and said.count("--discover-user 107") == 2, "a user who is not known here is not trusted", out + said)
    out, said = checked(b, **words, **{"discover-user": "107"})
    b.check(domains(out) == {("instance-0000002a", NOVA)}, "Nova's instance has its own UUID; the QEMU that libvirt only asked is none", out + said)


def start(b, number, *more, user=0):
    """A machine that stands still, as a user."""
    before = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    return b.start(*before, "/usr/bin/qemu-system-x86_64", "-S", "-accel", "tcg", "-nodefaults", "-display", "none", "-m", "16", "-name",
                   f"guest=real,,{number},debug-threads=on", "-uuid", OWN + str(number), *more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def real(b):
    share = b.share(OWN + "1")
    memory = os.path.join(b.work, f"scaph-{OWN}2")
    qemu = start(b, 1)
    stranger = start(b, 4, user=STRANGER)
    daemon = Daemon(b)
    b.check(await_that(lambda: "domain real,1 " in daemon.said()) and daemon.has(OWN + "1"), "a real QEMU that runs is found", daemon.said())
    late = start(b, 2, "-object", f"memory-backend-file,id=m,share=on,size=1M,mem-path={memory}", "-device", "ivshmem-plain,memdev=m")
    b.check(daemon.await_has(OWN + "2") and os.path.getsize(memory) == 1 << 20 and await_that(lambda: "ivshmem open" in daemon.said()),
            "and one that comes later, with its own memory device", daemon.said())
    done = b.json(share, "-n", "1")
    b.check(done.returncode == 0 and OWN + "1" in done.stdout, "scaph reads its share", done.stdout + done.stderr)
    b.check(not daemon.has(OWN + "4") and f"is a QEMU of user {STRANGER}" in daemon.said(), "an ordinary user's real one is not taken", daemon.said())
    if os.geteuid() == 0:
        with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/status") as file:
            capabilities = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff"))
        b.check(not capabilities & 1 << 19, "the main thread keeps no CAP_SYS_PTRACE", hex(capabilities))
    thief = start(b, 1)
    b.check(await_that(lambda: not daemon.has(OWN + "1"), 15), "a second real one with the same UUID: neither", daemon.said())
    thief.kill()
    thief.wait()
    b.check(daemon.await_has(OWN + "1"), "until it ends", daemon.said())
    late.send_signal(signal.SIGKILL)
    late.wait()
    b.check(await_that(lambda: not daemon.has(OWN + "2"), 5), "one that is killed is retired", daemon.said())
    background(b, daemon)
    named_twice(b, daemon, qemu)
    stranger.kill()


def background(b, daemon):
    """-daemonize forks twice, and leaves no parent."""
    pid_file = os.path.join(b.work, "background.pid")
    start(b, 3, "-daemonize", "-pidfile", pid_file).wait()
    with open(pid_file) as file:
        pid = int(file.read())
    try:
        b.check(await_that(lambda: f"process {pid})" in daemon.said(), 15) and daemon.has(OWN + "3"), "one that went to the background is found", daemon.said())
        b.check("both say that they are " + OWN + "3" not in daemon.said(), "and nobody says that it is two", daemon.said())
    finally:
        os.kill(pid, signal.SIGKILL)


def named_twice(b, daemon, qemu):
    daemon.end()
    daemon = Daemon(b, domain=f"mine=pid:{qemu.pid}")
    b.check(await_that(lambda: "--domain names process" in daemon.said()), "a process that --domain names too is said", daemon.said())
    # Others may run machines here meanwhile.
    b.check(not daemon.has(OWN + "1") and f"process {qemu.pid})" in daemon.said() and daemon.said().count(f"process {qemu.pid})") == 1,
            "and counted once, as it was named", (os.listdir(b.host), daemon.said()))
    daemon.end()


def bad_input(b):
    b.refused("a wrong word", ["--discover", "qemu or none"], "--discover", "xen")
    b.refused("a user who is not there", ["--discover-user", "no such user"], *b.options(**COMMON, **{"discover-user": "no-such-user"}))
    b.refused("a number too high", ["--discover-user", "4294967295"], *b.options(**COMMON, **{"discover-user": "4294967295"}))


def main():
    with Bench(*arguments()) as b:
        pids = os.path.join(b.work, "qemu-server")
        os.mkdir(pids)
        bad_input(b)
        recorded(b, pids)
        nova(b)
        if shutil.which("qemu-system-x86_64") and os.geteuid() == 0:
            real(b)
        else:
            print("# skip: real QEMUs need qemu-system-x86 and root")


if __name__ == "__main__":
    main()
