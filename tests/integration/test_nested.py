#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scaphd whose source is what another one publishes. Usage: test_nested.py SCAPHD SCAPH. Prints TAP.

The outer daemon has one domain, the inner one divides that domain's energy between two processes. What the inner one counts
must be what the outer one published, to the microjoule, and its own parts must add up to it.
"""

import glob
import os
import signal
import subprocess
import time

from bench import Bench, arguments, await_that
from look import Segment

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c"
FLAG_PACKAGE = 1


class Inner:
    """Options of the inner daemon, in folders of its own."""

    def __init__(self, b):
        self.b = b
        self.host = b.work + "/inner-host"
        self.words = {"host-dir": self.host, "state-dir": b.work + "/inner-state", "share-root": b.work + "/inner-shares",
                      "model-watts": None, "profile": "*=trusted"}
        os.makedirs(b.work + "/inner-shares")

    def options(self, **changed):
        return self.b.options(**{**self.words, **changed})

    def daemon(self, **changed):
        process = self.b.start(self.b.scaphd, *self.options(**changed), stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr:
            said.append(line)
            if "publishing" in line:
                process.said = said
                return process
        raise RuntimeError("the inner scaphd did not start: " + "".join(said))

    def segment(self, word):
        return Segment(next(path for path in glob.glob(self.host + "/*") if word in path))


class Watch:
    """Every figure that the outer daemon published for its domain."""

    def __init__(self, path):
        self.path, self.seen = path, set()

    def look(self):
        self.seen |= {r["package_uj"] for r in Segment(self.path).history() if r["flags"] & FLAG_PACKAGE}


def parts(inner):
    """Total, sum of the domains, residual, unattributed, of moments when all are of one window."""
    for _ in range(200):
        paths = [path for path in glob.glob(inner.host + "/*") if UUID in path]
        segments = [Segment(path) for path in paths]
        host = Segment(next(path for path in glob.glob(inner.host + "/*") if UUID not in path and "scaph" in path))
        before, status = host.newest(), host.status()
        records = [segment.newest() for segment in segments]
        if before and host.newest() == before and before["flags"] & FLAG_PACKAGE:
            return before, records, status
        time.sleep(0.005)
    raise RuntimeError("no quiet moment in 200 looks")


def bad_input(b, inner, domain):
    empty = b.work + "/empty"
    os.makedirs(empty, exist_ok=True)
    with open(b.work + "/noise", "wb") as file:
        file.write(os.urandom(1 << 16))
    for what, source, words in (("no path", "ring", ["ring:PATH"]), ("no such file", "ring:/nonexistent/x", ["No such file"]),
                                ("a folder without a segment", "ring:" + empty, ["scaph.ring"]),
                                ("noise", "ring:" + b.work + "/noise", ["noise"])):
        b.refused(f"a ring that is none: {what}", ["--source"] + words, *inner.options(source=source, domain=domain))


def exact(b, inner, watch, rounds=20):
    """The inner total moves among the outer figures alone, and its parts make it up."""
    totals, wrong = [], []
    for _ in range(rounds):
        watch.look()
        total, records, status = parts(inner)
        totals.append(total["package_uj"])
        given = sum(r["package_uj"] for r in records)
        if given > total["package_uj"]:
            wrong.append((given, total["package_uj"]))
        time.sleep(0.1)
    watch.look()
    b.check(totals == sorted(totals) and totals[-1] > totals[0], "the inner total grows and never steps back", totals)
    b.check(not wrong, "domains never have more than the total", wrong)
    shifts = [figure - totals[0] for figure in watch.seen if all(figure - totals[0] + t in watch.seen for t in totals)]
    b.check(shifts, "every inner total is an outer figure less one constant, to the microjoule", (totals, sorted(watch.seen)[-5:]))


def adds_up(b, inner, what):
    """Residual and unattributed are told once a second: looked at until they are of the newest window."""
    def looked():
        total, records, status = parts(inner)
        given = sum(r["package_uj"] for r in records)
        return abs(total["package_uj"] - given - status["residual_uj"] - status["unattributed_uj"]) <= len(records) + 2

    b.check(await_that(looked, 20), f"{what}: domains + residual + unattributed are the total")


def interrupted(b, inner, watch, outer, domain):
    """The outer one dies and comes back: a gap, not a leap."""
    before = parts(inner)[0]
    outer.send_signal(signal.SIGKILL)
    outer.wait()
    silent = await_that(lambda: not inner.segment(UUID + "1").newest()["flags"] & FLAG_PACKAGE)
    b.check(silent, "the inner one goes on, and says no figure while none comes")
    again = b.daemon(keep=True, domain=domain)
    b.check(await_that(lambda: parts(inner)[0]["breaks"] > before["breaks"] and
                       parts(inner)[0]["package_uj"] > before["package_uj"], 15), "a gap is counted, and energy comes again")
    after = parts(inner)[0]
    now_uj = Segment(watch.path).newest()["package_uj"]
    b.check(after["package_uj"] - before["package_uj"] <= now_uj - min(watch.seen), "no leap: never more than the outer one published",
            (before, after))
    adds_up(b, inner, "after it")
    return again


def priced(b, inner, domain, mine, share):
    """A shared domain's energy comes with its first price: waited for."""
    outer = b.daemon(domain=domain, profile="*=shared", **{"host-dir": b.work + "/priced"})
    daemon = inner.daemon(source="ring:" + share, domain=mine)
    b.check(await_that(lambda: parts(inner)[0]["package_uj"] > 0, 15), "what a shared guest is told can be divided too")
    for process in (daemon, outer):
        process.terminate()
        process.wait()


def main():
    with Bench(*arguments()) as b:
        busy, rest = b.load(), b.load(busy=False)
        share = b.share(UUID + "0")
        domain = [f"guest@{UUID}0=pid:{busy.pid}"]
        inner = Inner(b)
        mine = [f"one@{UUID}1=pid:{busy.pid}", f"two@{UUID}2=pid:{rest.pid}"]
        bad_input(b, inner, mine)
        outer = b.daemon(domain=domain)
        await_that(lambda: os.path.exists(share + "/scaph.ring"))
        b.refused("a window shorter than a step of the source", ["--window 10"],
                  *inner.options(source="ring:" + share, domain=mine, window="10"))
        watch = Watch(share + "/scaph.ring")
        daemon = inner.daemon(source="ring:" + share, domain=mine)
        b.check(any("source ring" in line and "guest" in line for line in daemon.said), "it says whose figures it takes",
                daemon.said)
        time.sleep(1)
        exact(b, inner, watch)
        adds_up(b, inner, "at rest")
        outer = interrupted(b, inner, watch, outer, domain)
        b.check(daemon.poll() is None, "the inner daemon lives")
        for process in (daemon, outer):
            process.terminate()
            process.wait()
        priced(b, inner, domain, mine, share)


if __name__ == "__main__":
    main()
