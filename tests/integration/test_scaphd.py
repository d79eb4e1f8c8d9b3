#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaphd as an operator meets it: bad input, hostile shares, domains that end, replayed traces.

Usage: test_scaphd.py SCAPHD SCAPH. Prints TAP. Parts that need root say so.
"""

import json
import os
import signal
import socket
import subprocess
import time

from bench import Bench, arguments, await_that

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
RING = "scaph.ring"


def bad_options(b, pid):
    domain = f"a=pid:{pid}"
    b.refused("unknown option", ["--bogus", "--help"], "--bogus")
    b.refused("an option without its value", ["--window", "needs a value"], "--window")
    b.refused("a stray word", ["stray"], "stray")
    b.refused("no source", ["--source model --model-watts"], *b.options(source=None))
    b.refused("a source that is none", ["magic", "model"], *b.options(source="magic"))
    b.refused("a model without watts", ["--model-watts"], *b.options(**{"model-watts": None}))
    for watts in ("12", "12:", "85:12", "-1:5", "nan:5", "1:inf", "1:2:3"):
        b.refused(f"--model-watts {watts}", ["--model-watts"], *b.options(**{"model-watts": watts}))
    for window in ("0", "1001", "x", "20ms", "-5"):
        b.refused(f"--window {window}", ["--window", "1 to 1000"], *b.options(window=window))
    b.refused("a window the meter cannot carry", ["--window 1", "cputime"], *b.options(window="1", meter="cputime"))
    b.refused("a meter that is none", ["--meter", "bpf", "cputime"], *b.options(meter="sundial"))
    b.refused("a group that is none", ["--group"], *b.options(group="no-such-group"))
    b.refused("a missing share root", ["no such folder", "--share-root"], *b.options(**{"share-root": b.work + "/nix"}))
    for text in ("a", "a=4711", "=pid:1", "a=pid:", "a=pid:x", "a=pid:-1", "a=pid:99999999999", "x" * 256 + f"=pid:{pid}",
                 f"a@6ba7b810-9dad-11d1-80b4-00c04fd430g8=pid:{pid}"):
        b.refused(f"--domain {text[:40]}", ["--domain"], *b.options(domain=text))
    b.refused("a process that is not there", ["no process 4194304"], *b.options(domain="a=pid:4194304"))
    b.refused("two domains of one process", ["processes in common"], *b.options(domain=[domain, f"b=pid:{pid}"]))
    b.refused("two domains of one UUID", ["same UUID"],
              *b.options(domain=[f"a@{UUID}=pid:{pid}", f"b@{UUID}=pid:1"]))
    for rule, word in (("x", "must be"), ("web=trusted", "by UUID"), ("w*=trusted", "by UUID"), ("*=exact", "no profile"),
                       ("*=", "no profile")):
        b.refused(f"--profile {rule}", ["--profile", word], *b.options(domain=domain, profile=rule))


def bad_files(b, pid):
    path = os.path.join(b.work, "scaphd.ini")

    def write(text):
        with open(path, "w") as file:
            file.write(text)

    b.refused("a configuration that is not there", ["nix.ini", "readable"], "--config", b.work + "/nix.ini")
    write("[scaphd]\nsource = model\nwindwo = 20\n")
    b.refused("an unknown key", ["scaphd.ini:3", "windwo"], "--config", path)
    write("[scaphd]\nwindow = 0\n")
    b.refused("a bad value in a file", ["scaphd.ini:2", "window"], "--config", path)
    write("[other]\nsource = model\n")
    b.refused("an unknown section", ["scaphd.ini:2", "[scaphd]"], "--config", path)
    write("[scaphd]\nnonsense\n")
    b.refused("a line that is none", ["scaphd.ini:2"], "--config", path)
    write(f"[scaphd]\nsource = model\nmodel-watts = 1:2\nwindow = 500\nshare-root = {b.shares}\nhost-dir = {b.host}\n"
          f"state-dir = {b.work}\nallow-plain-dir = yes\ndomain = one=pid:{pid}\ndomain = init=pid:1\n")
    done = subprocess.run([b.scaphd, "--config", path, "--window", "40", "--check"], capture_output=True, text=True)
    b.check(done.returncode == 0 and "40 ms" in done.stdout and "one" in done.stdout and "init" in done.stdout,
            "a good file: keys repeat, the command line wins", done.stdout + done.stderr)
    b.check(not os.path.exists(b.host), "--check makes nothing")


def bad_folders(b):
    for name in ("host-dir", "state-dir"):
        open_to_all = os.path.join(b.work, "open")
        os.makedirs(open_to_all, exist_ok=True)
        os.chmod(open_to_all, 0o777)
        b.refused(f"a {name} that others may write to", ["others", "--" + name], *b.options(**{name: open_to_all}))
        b.refused(f"a {name} that cannot be made", ["--" + name], *b.options(**{name: "/proc/nix"}))


def bad_traces(b):
    path = os.path.join(b.work, "trace")
    for text, word in (("nonsense\n", "trace:1"), ("scaphring-trace 2\n", "trace:1"),
                       ("scaphring-trace 1\nzones core\n", "trace:2"), ("scaphring-trace 1\n0 1\n", "trace:2"),
                       ("scaphring-trace 1\nzones package package\n", "trace:2"),
                       ("scaphring-trace 1\nzones package\nidle_watts -1\n", "trace:3"),
                       ("scaphring-trace 1\nzones package\n5 1\n5 2\n", "trace:4"),
                       ("scaphring-trace 1\nzones package\n5 1 9\n", "trace:3"),
                       ("scaphring-trace 1\nzones package dram\n5 1\n", "trace:3"),
                       ("scaphring-trace 1\nzones package\n5 99999999999999999999\n", "trace:3"),
                       ("scaphring-trace 1\nzones package\nwhat ever\n", "trace:3"),
                       ("scaphring-trace 1\nzones package\n5 1\n", "at least two")):
        with open(path, "w") as file:
            file.write(text)
        b.refused(f"a bad trace: {word}", [word], *b.options(source="replay:" + path))
    b.refused("a trace that is not there", ["nix"], *b.options(source="replay:" + b.work + "/nix"))


def hostile_places(b, pid):
    """What a guest that may write to its share can have put where the segment belongs."""
    share = b.share("a")
    ring = os.path.join(share, RING)
    words = b.options(domain=f"a=pid:{pid}")

    def attempt(what, word, undo=os.unlink):
        before = os.lstat(ring)
        b.refused(what, ["scaph.ring", word], *words)
        b.check(os.lstat(ring).st_ino == before.st_ino and os.lstat(ring).st_size == before.st_size, f"{what} is left alone")
        undo(ring)

    os.symlink("/etc/passwd", ring)
    attempt("a symbolic link", "symbolic link")
    os.mkdir(ring)
    attempt("a folder", "no regular file", os.rmdir)
    os.mkfifo(ring)
    attempt("a fifo", "no regular file")
    server = socket.socket(socket.AF_UNIX)
    server.bind(ring)
    attempt("a socket", "no regular file")
    server.close()
    with open(ring, "w") as file:
        file.write("mine")
    os.link(ring, os.path.join(share, "other"))
    attempt("a file with another link", "hard links")
    os.unlink(os.path.join(share, "other"))
    if os.geteuid() == 0:
        with open(ring, "w") as file:
            file.write("theirs")
        os.chown(ring, 65534, 65534)
        attempt("a file of another owner", "owner")
    os.rename(share, share + ".real")
    os.symlink("a.real", share)
    b.refused("a share that is a link", ["share of a", "symbolic"], *words)
    os.unlink(share)
    os.rename(share + ".real", share)
    done = subprocess.run([b.scaphd, *b.options(domain=f"../a=pid:{pid}"), "--check"], capture_output=True, text=True)
    b.check(done.returncode == 0 and "none found" in done.stdout, "a name with a slash is no path", done.stdout)
    words.remove("--allow-plain-dir")
    if not b.work.startswith("/dev/shm"):
        b.refused("a share on a disk", ["tmpfs", "--allow-plain-dir"], *words)


def full_tmpfs(b, pid):
    share = b.share("full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "scaph-test", share], check=True)
    try:
        b.refused("a full tmpfs", ["no space", "larger tmpfs"], *b.options(domain=f"full=pid:{pid}"))
        b.check(os.listdir(share) == [], "a full tmpfs is left empty")
        os.chmod(share, 0o700)
        b.refused("a full host folder", ["host.ring", "no space"], *b.options(domain=f"a=pid:{pid}", **{"host-dir": share}))
    finally:
        subprocess.run(["umount", share], check=True)


def takes_over(b, pid):
    """The same file over restarts, grown if it is short; one daemon at a time."""
    share = b.share("a")
    ring = os.path.join(share, RING)
    with open(ring, "wb") as file:
        file.write(b"garbage" * 100)
    inode = os.stat(ring).st_ino
    epochs = set()
    for _ in range(2):
        daemon = b.daemon(domain=f"a=pid:{pid}")
        done = b.json(share, "-n", "1", "--wait", "5")
        b.check(done.returncode == 0 and os.stat(ring).st_ino == inode, "an existing file is taken over", done.stderr)
        epochs.add(json.loads(done.stdout)["epoch"])
        b.refused("a second daemon on the same root", ["another scaphd"], *b.options(domain=f"a=pid:{pid}"))
        b.refused("a second daemon with the same state", ["state", "another scaphd"],
                  *b.options(**{"share-root": b.work, "host-dir": b.work + "/host2"}))
        daemon.send_signal(signal.SIGTERM)
        b.check(daemon.wait(5) == 0, "SIGTERM ends it in order")
        b.check(os.listdir(b.host) == [], "and takes the host's segments away", os.listdir(b.host))
    b.check(len(epochs) == 2, "each start is a new epoch", epochs)
    b.check(os.stat(ring).st_mode & 0o777 == 0o640, "a trusted segment is for owner and group", oct(os.stat(ring).st_mode))


def cut_share(b):
    """A segment cut under the daemon: said once; the other domain misses nothing."""
    victim, other = b.load(), b.load(False)
    daemon = b.daemon(domain=[f"victim=pid:{victim.pid}", f"other=pid:{other.pid}"],
                      **{"profile": "*=trusted"}) if b.share("victim") and b.share("other") else None
    reader = b.start(b.scaph, "json", "--path", os.path.join(b.shares, "other"), "-s", "0", "-n", "150", "--timeout", "20",
                     stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    os.truncate(os.path.join(b.shares, "victim", RING), 0)
    lines = [json.loads(line) for line in reader.communicate()[0].splitlines()]
    numbers = [line["number"] for line in lines]
    b.check(len(lines) == 150 and numbers == list(range(numbers[0], numbers[0] + 150)) and not lines[-1]["lost"],
            "a segment cut under the daemon: the other domain misses nothing", numbers)
    b.check(daemon.poll() is None, "the daemon lives")
    daemon.terminate()
    said = daemon.stderr.read()
    b.check(said.count("was cut under us") == 1 and "victim" in said, "and says so once", said)
    daemon.wait()


def domain_ends(b):
    first, second = b.load(False), b.load()
    b.share("first"), b.share("second")
    daemon = b.daemon(domain=[f"first=pid:{first.pid}", f"second=pid:{second.pid}"])
    time.sleep(0.3)
    first.kill()
    first.wait()
    path = os.path.join(b.shares, "first")
    b.check(await_that(lambda: "process has ended" in b.json(path, "-n", "1").stderr, 8),
            "a domain whose process ends is retired, and its reader told why", b.json(path, "-n", "1").stderr)
    done = b.json(os.path.join(b.shares, "second"), "-n", "1")
    b.check(done.returncode == 0, "the other goes on", done.stderr)
    daemon.terminate()
    said = daemon.stderr.read()
    b.check(said.count("has ended; its segment is retired") == 1, "one line of log", said)
    daemon.wait()


def replay(b):
    """A known trace gives known figures: a wrap inside, idle split, and an end that is said."""
    path = os.path.join(b.work, "trace")
    step_uj, steps, wrap = 50_000, 120, 1_000_000
    with open(path, "w") as file:
        file.write(f"scaphring-trace 1\nzones package dram\nrange package {wrap - 1}\nidle_watts 1.0\n")
        for i in range(steps + 1):
            file.write(f"{i * 20_000_000} {(900_000 + i * step_uj) % wrap} {i * 1000}\n")
    load = b.load()
    b.share("r")
    daemon = b.daemon(source="replay:" + path, domain=f"r=pid:{load.pid}", **{"model-watts": None})
    host = b.start(b.scaph, "json", "--path", os.path.join(b.host, "host.ring"), "-s", "0", "-n", "170", "--timeout", "20",
                   stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in host.communicate()[0].splitlines()]
    known = [line for line in lines if line["package_uj"] is not None]
    lost = [line for line in lines if line["package_uj"] is None]
    b.check(known and known[-1]["package_uj"] >= (steps - 2) * step_uj and known[-1]["package_uj"] <= steps * step_uj,
            "a replayed counter that wraps adds up", known[-1:])
    b.check(all(line["package_uj"] % step_uj == 0 and line["dram_uj"] * 50 == line["package_uj"] for line in known),
            "to the microjoule, in every zone", known[:3])
    b.check(all(abs(line["idle_uj"] - line["mono_ns"] / 1000) < 60_000 for line in known if line["mono_ns"] < 2e9),
            "the idle part is the trace's", known[:3])
    b.check(lost and all(line["dram_uj"] is None and line["breaks"] == 1 for line in lost),
            "after its end there is no energy, and a break", lost[:1])
    b.check(all(line["estimated"] is False and line["source"] == "replay" for line in lines), "it is called a replay")
    daemon.terminate()
    b.check("has ended" in daemon.stderr.read(), "the end of the trace is said")
    daemon.wait()


def ivshmem(b):
    """Only an existing file of the right size, and only where the UUID was given."""
    load = b.load()
    path = os.path.join(b.work, "scaph-" + UUID)
    with open(path, "wb") as file:
        file.truncate(1 << 20)
    b.share("i")
    daemon = b.daemon(domain=f"i@{UUID}=pid:{load.pid}")
    share, memory = (b.json(p, "-n", "1", "--wait", "3") for p in (os.path.join(b.shares, "i"), path))
    b.check(share.returncode == 0 and memory.returncode == 0 and
            json.loads(share.stdout)["epoch"] == json.loads(memory.stdout)["epoch"],
            "share and ivshmem carry the same epoch", share.stderr + memory.stderr)
    b.check(os.path.getsize(path) == 1 << 20, "an ivshmem file keeps its size")
    daemon.terminate()
    daemon.wait()
    if os.geteuid() == 0:
        # Put there before QEMU came, by somebody who wants to read along.
        os.chown(path, 12345, 12345)
        b.refused("an ivshmem file of a stranger", ["another owner"], *b.options(domain=f"i@{UUID}=pid:{load.pid}"))
        theirs = b.start("setpriv", "--reuid=12345", "--clear-groups", "sleep", "1000")
        await_that(lambda: "\t12345" in open(f"/proc/{theirs.pid}/status").read())
        daemon = b.daemon(domain=f"i@{UUID}=pid:{theirs.pid}")
        b.check(b.json(path, "-n", "1", "--wait", "3").returncode == 0, "one of the process's own user is written")
        daemon.terminate()
        daemon.wait()
        os.chown(path, 0, 0)
    else:
        print("# skip: files of others need root")
    for size, word in ((1 << 19, "power of two"), ((1 << 20) + 4096, "power of two")):
        os.truncate(path, size)
        b.refused(f"an ivshmem file of {size} bytes", [word], *b.options(domain=f"i@{UUID}=pid:{load.pid}"))
    os.unlink(path)


def shared(b):
    """The profile of whoever is given none: CPU time at a price, and until there is one no figure but the reason."""
    load = b.load()
    path = b.share("shared")
    b.share("open")
    daemon = b.daemon(domain=[f"shared=pid:{load.pid}", f"open@{UUID}=pid:{b.load().pid}"], profile=f"{UUID}=trusted")
    time.sleep(1)
    line = json.loads(b.json(path, "-n", "2").stdout.splitlines()[-1])
    b.check(line["profile"] == "shared" and line["package_uj"] is None and "no price" in line["reason"] and line["cpu_ns"] > 0,
            "shared: before there is a price no energy, and the reason", line)
    exact = json.loads(b.json(os.path.join(b.shares, "open"), "-n", "1").stdout)
    b.check(exact["profile"] == "trusted" and exact["package_uj"] > 0, "trusted by UUID: exact at once", exact)
    b.check(os.stat(os.path.join(path, RING)).st_mode & 0o777 == 0o644, "a shared segment may be read by all in the guest")
    b.check(await_that(lambda: json.loads(b.json(path, "-n", "1").stdout)["package_uj"], 20), "after some 10 s it has figures")
    first, *_, line = [json.loads(text) for text in b.json(path, "-n", "3").stdout.splitlines()]
    spent = {field: line[field] - first[field] for field in ("package_uj", "idle_uj", "cpu_ns")}
    price = (spent["package_uj"] - spent["idle_uj"]) * 1000 / spent["cpu_ns"]
    b.check(17 < price < 23 and line["core_uj"] is None, "CPU time costs the model's 20 W a CPU", (price, line))
    daemon.terminate()
    daemon.wait()
    daemon = b.daemon(keep=True, domain=f"shared=pid:{load.pid}", profile=None)
    time.sleep(0.5)
    again = json.loads(b.json(path, "-n", "1").stdout)
    b.check(again["package_uj"] and again["package_uj"] >= line["package_uj"] and again["epoch"] != line["epoch"],
            "a restarted daemon still knows price and counters", again)
    daemon.terminate()
    daemon.wait()


def privileges(b):
    load = b.load()
    daemon = b.daemon(domain=f"p=pid:{load.pid}")
    left = []
    for task in os.listdir(f"/proc/{daemon.pid}/task"):
        with open(f"/proc/{daemon.pid}/task/{task}/status") as file:
            left += [line for line in file if line.startswith(("CapEff", "CapPrm")) and int(line.split()[1], 16)]
    b.check(not left, "every thread has dropped every capability", left)
    daemon.terminate()
    daemon.wait()


def main():
    with Bench(*arguments()) as b:
        load = b.load(False)
        bad_options(b, load.pid)
        bad_files(b, load.pid)
        bad_folders(b)
        bad_traces(b)
        hostile_places(b, load.pid)
        if os.geteuid() == 0:
            full_tmpfs(b, load.pid)
        else:
            print("# skip: a full tmpfs needs root to mount one")
        takes_over(b, load.pid)
        cut_share(b)
        domain_ends(b)
        replay(b)
        ivshmem(b)
        shared(b)
        privileges(b)


if __name__ == "__main__":
    main()
