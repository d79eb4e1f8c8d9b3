#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph run: a command's energy against a power that is known, its share, its status, signals and streams, and no figure where
there is none.

Usage: test_run.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import pty
import signal
import subprocess
import time

from bench import Bench, arguments, await_that

WATTS = 30  # whatever the machine does: the model's idle and full power
KEYS = {"schema", "command", "status", "signal", "duration_s", "subject", "name", "uuid", "source", "meter", "profile", "window_ms",
        "estimated", "covered_s", "records", "gaps", "lost", "package_uj", "bound_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns",
        "power_w", "highest_w", "command_cpu_ns", "command_fraction", "command_uj", "reason"}
BURN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass"


class Run:
    def __init__(self, b):
        self.b = b
        self.out = os.path.join(b.work, "report")

    def __call__(self, *words, options=(), path=None, seconds=30, **how):
        """Run a command; returns what came of it and the report, if it is JSON."""
        if os.path.exists(self.out):
            os.unlink(self.out)
        done = subprocess.run([self.b.scaph, "run", "--json", "-o", self.out, "--path", path or self.b.host, *options, "--", *words],
                              capture_output=True, text=True, timeout=seconds, **how)
        text = ""
        if os.path.exists(self.out):
            with open(self.out) as file:
                text = file.read()
        return done, json.loads(text) if text else None


def bad_words(b):
    for what, wanted, words in (("no command", "which command", []), ("only options", "which command", ["--json"]),
                                ("an unknown option", "--bogus", ["--bogus", "true"]), ("--wait x", "--wait", ["--wait", "x", "true"]),
                                ("an output that cannot be", "/nix/da", ["-o", "/nix/da", "true"]),
                                ("a path that is not there", "was not run", ["--path", "/nix/da", "touch", os.path.join(b.work, "ran")]),
                                ("a program's own options", "scaph: run", ["--path", b.host, "--", "/nix/da", "--help"])):
        status = 127 if "program" in what else 125
        b.refused(f"refused: {what}", [wanted], "run", *words, program=b.scaph, status=status)
    b.refused("a folder is no command", ["Permission denied"], "run", "--path", b.host, "/etc", program=b.scaph, status=126)
    b.check(not os.path.exists(os.path.join(b.work, "ran")), "a command that nobody can measure is not begun")


def figures(b, run):
    """The host draws 30 W: energy is 30 times the time, to within the bound that is told."""
    done, report = run("sleep", "1")
    b.check(KEYS == set(report) and report["schema"] == 1 and report["command"] == ["sleep", "1"] and report["subject"] == "host",
            "every key is there", report)
    truth_uj = WATTS * report["duration_s"] * 1e6
    b.check(abs(report["package_uj"] - truth_uj) <= report["bound_uj"] + truth_uj / 200,
            "energy is power by time, within its bound", report)
    b.check(abs(report["power_w"] - WATTS) < WATTS / 20 and report["highest_w"] >= report["power_w"] * 0.95 and abs(report["covered_s"] -
            report["duration_s"]) < 0.02 and 40 <= report["records"] <= 60 and report["core_uj"] is None and report["reason"] is None,
            "mean and highest power, and no zone that is not there", report)
    b.check(0 < report["bound_uj"] <= report["package_uj"] / 4, "the bound is what two windows of fifty hold, late ones too", report)
    for span in (0.1, 0.15, 0.3):
        done, report = run("sleep", str(span))
        truth_uj = WATTS * report["duration_s"] * 1e6
        b.check(report["records"] < 2 or abs(report["package_uj"] - truth_uj) <= report["bound_uj"] + truth_uj / 200,
                f"so it is for {span} s", report)


def share(b, run):
    """CPU time of the command and of children that it waited for, in that of all."""
    done, report = run("sh", "-c", f"python3 -c '{BURN.format(0.3)}'; python3 -c '{BURN.format(0.3)}'")
    own_s = report["command_cpu_ns"] / 1e9
    b.check(0.6 <= own_s < 1.2, "a command's CPU time is its children's too", report)
    dynamic_uj = report["package_uj"] - (report["idle_uj"] or 0)
    b.check(abs(report["command_fraction"] - min(1, report["command_cpu_ns"] / report["cpu_ns"])) < 1e-6 and
            abs(report["command_uj"] - report["command_fraction"] * dynamic_uj) <= 2 + dynamic_uj / 1e6,
            "its share is that part of what is not idle", report)
    done, report = run("sleep", "0.5")
    b.check(report["command_cpu_ns"] < 2e8 and (report["command_uj"] or 0) <= report["package_uj"], "a command that sleeps has next to none",
            report)


def no_figure(b, run):
    done, report = run("true")
    b.check(done.returncode == 0 and (report["package_uj"] is None) == (report["records"] < 2) and
            (report["records"] >= 2 or "needs two" in report["reason"]), "below two records there is no figure, and it is said why", report)
    done = subprocess.run([b.scaph, "run", "--path", b.host, "--", "true"], capture_output=True, text=True)
    b.check(done.returncode == 0 and done.stdout == "", "as text too", done)
    done, report = run("sh", "-c", "exit 5", path="/nix/da", options=["--anyway"])
    b.check(done.returncode == 5 and report["package_uj"] is None and "no segment" in report["reason"] and report["status"] == 5,
            "--anyway: run without figures, and said", (done, report))


def statuses_and_streams(b, run):
    for words, wanted in ((["sh", "-c", "exit 3"], 3), (["sh", "-c", "exit 255"], 255), (["sh", "-c", "kill -9 $$"], 137),
                          (["sh", "-c", "kill -TERM $$"], 143)):
        done, report = run(*words)
        b.check(done.returncode == wanted and report["status"] == wanted and report["signal"] == (wanted - 128 if 128 < wanted < 200
                                                                                                 else None),
                f"{words[-1]}: status {wanted}", (done, report))
    done = subprocess.run([b.scaph, "run", "--path", b.host, "--", "cat"], input=bytes(range(256)) * 400, capture_output=True)
    b.check(done.stdout == bytes(range(256)) * 400 and b"scaph run" in done.stderr, "streams go through untouched, the report is on "
            "standard error", done.stderr)
    done = subprocess.run([b.scaph, "run", "--path", b.host, "--", "sh", "-c", "ls -l /proc/$$/fd | wc -l; cat /proc/self/status"],
                          capture_output=True, text=True)
    lines = done.stdout.splitlines()
    masks = {line.split()[0]: int(line.split()[1], 16) for line in lines if line.startswith(("SigBlk", "SigIgn"))}
    with open("/proc/self/status") as file:
        ours = {line.split()[0]: int(line.split()[1], 16) for line in file if line.startswith(("SigBlk", "SigIgn"))}
    # Python ignores SIGPIPE and puts it right for its children, as subprocess says.
    python = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    b.check(int(lines[0]) <= 5 and masks["SigBlk:"] == 0 and masks["SigIgn:"] & ~python == ours["SigIgn:"] & ~python,
            "the command has its own signals, and no descriptor of ours", (done.stdout, ours))


def signals(b):
    """What a terminal sends goes to both and ends the command only; what is sent to scaph run is handed on."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen([b.scaph, "run", "--path", b.host, "--", "sh", "-c", "echo begun; exec sleep 60"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        b.check(process.returncode == 128 + number and "scaph run" in err, f"{number.name} is handed on, and the report comes", err)
    master, slave = pty.openpty()
    process = subprocess.Popen(["setsid", "-c", "-w", b.scaph, "run", "--path", b.host, "--", "sh", "-c",
                                "trap 'echo caught; exit 7' INT; echo begun; while :; do sleep 0.1; done"],
                               stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(slave)
    process.stdout.readline()
    time.sleep(0.3)
    os.write(master, b"\x03")
    out, err = process.communicate(timeout=10)
    os.close(master)
    b.check(process.returncode == 7 and "caught" in out and "scaph run" in err, "Ctrl-C is the command's to act on", (process.returncode,
                                                                                                                out, err))


def daemon_goes(b, run, daemon):
    """Records stop while the command runs: what is covered is said, and nothing is invented for the rest."""
    process = subprocess.Popen([b.scaph, "run", "--json", "--path", b.host, "--", "sh", "-c", "echo begun; sleep 3"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(1)
    daemon.terminate()
    daemon.wait()
    out, err = process.communicate(timeout=20)
    report = json.loads(err)
    b.check(process.returncode == 0 and 0.5 < report["covered_s"] < 2 and report["reason"] and report["command_uj"] is None and
            abs(report["power_w"] - WATTS) < WATTS / 10, "a daemon that ends: figures for the time that it lived, and why", report)


def hung_reader(b):
    """The watching process does not answer: the command's status comes all the same."""
    process = subprocess.Popen([b.scaph, "run", "--path", b.host, "--", "sh", "-c", "echo begun; sleep 1; exit 4"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        children = file.read().split()
    os.kill(int(children[0]), signal.SIGSTOP)
    start = time.monotonic()
    out, err = process.communicate(timeout=20)
    b.check(process.returncode == 4 and time.monotonic() - start < 8 and "no answer" in err and len(err.splitlines()) == 1,
            "a hung share: the command's status, and one line", err)


def domain(b, run):
    """A domain's own segment, as in a guest: this test is the domain."""
    share = b.share("me")
    daemon = b.daemon(domain=f"me=pid:{os.getpid()}", **{"model-watts": f"{WATTS}:{WATTS}"})
    await_that(lambda: os.path.exists(os.path.join(share, "scaph.ring")))
    end = time.process_time() + 0.5
    process = subprocess.Popen([b.scaph, "run", "--json", "--path", share, "--", "sleep", "1"], stderr=subprocess.PIPE, text=True)
    while time.process_time() < end:
        pass
    report = json.loads(process.communicate(timeout=20)[1])
    b.check(report["subject"] == "domain" and report["name"] == "me" and 0 < report["package_uj"] <= WATTS * 1.1e6 *
            report["duration_s"] and report["cpu_ns"] > 0, "a domain's segment", report)
    daemon.terminate()
    daemon.wait()


def long_windows(b, run):
    """Windows of a second, as long as they may be: waited for at both ends."""
    load = b.load(busy=False)
    b.share("slow")
    daemon = b.daemon(domain=f"slow=pid:{load.pid}", window="1000", **{"model-watts": f"{WATTS}:{WATTS}"})
    done, report = run("sleep", "2.5")
    truth_uj = WATTS * report["duration_s"] * 1e6
    b.check(2 <= report["records"] <= 3 and abs(report["covered_s"] - report["duration_s"]) < 1 and
            abs(report["package_uj"] - truth_uj) <= report["bound_uj"] + truth_uj / 200, "windows of a second", report)
    done, report = run("sleep", "0.5")
    b.check(report["package_uj"] is None and "needs two" in report["reason"], "of which half a second has not two", report)
    daemon.terminate()
    daemon.wait()


def main():
    with Bench(*arguments()) as b:
        run = Run(b)
        b.share("web")
        load = b.load()
        daemon = b.daemon(domain=f"web=pid:{load.pid}", **{"model-watts": f"{WATTS}:{WATTS}"})
        time.sleep(0.5)
        bad_words(b)
        figures(b, run)
        share(b, run)
        no_figure(b, run)
        statuses_and_streams(b, run)
        signals(b)
        hung_reader(b)
        daemon_goes(b, run, daemon)
        domain(b, run)
        long_windows(b, run)


if __name__ == "__main__":
    main()
