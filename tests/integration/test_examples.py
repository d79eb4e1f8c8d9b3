#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/examples, each run against a real scaphd.

Usage: test_examples.py SCAPHD SCAPH EXAMPLE... Prints TAP.
"""

import os
import re
import subprocess
import sys
import urllib.request

from bench import Bench, await_that

UUID = "5c0ffee0-0000-4000-8000-000000000002"


class Examples:
    def __init__(self, paths):
        self.paths = {os.path.basename(path).removeprefix("example-"): os.path.abspath(path) for path in paths}

    def run(self, name, *words):
        return subprocess.run([self.paths[name], *words], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def readers(b, examples, share):
    done = examples.run("newest", share)
    b.check(done.returncode == 0 and re.search(rf"^{UUID} by model and \w+, an estimate, windows of 20 ms, read coherent\n"
                                               r"record \d+: \d+\.\d{6} J$", done.stdout, re.M), "newest: whose, and how much", done)
    done = examples.run("newest", b.work + "/nothing")
    b.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1, "newest: one line where nothing is", done)
    done = examples.run("follow", share, "60")
    lines = re.findall(r"^(\d+): (\d+) uJ(?:, (\d+\.\d+) W over the last (\d\.\d\d) s)?$", done.stdout, re.M)
    total = re.search(r"^total: (\d+) uJ in (\d\.\d+) s, 0 records lost$", done.stdout, re.M)
    b.check(done.returncode == 0 and len(lines) == 59 and total, "follow: sixty records, one after the other", done)
    b.check(total and sum(int(line[1]) for line in lines) == int(total.group(1)), "follow: the steps make up the total", done)
    b.check([int(line[0]) for line in lines] == list(range(int(lines[0][0]), int(lines[0][0]) + 59)), "follow: none is missing")
    done = examples.run("batches", share, "1")
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    numbers = [int(row[1]) for row in rows]
    b.check(done.returncode == 0 and len(rows) > 100 and numbers == list(range(numbers[0], numbers[0] + len(rows))),
            f"batches: {len(rows)} records, with those from before", done.stderr)


def several(b, examples):
    done = examples.run("host", b.host, "1")
    watts = dict(re.findall(r"^(\S+) +(\d+\.\d+) W$", done.stdout, re.M))
    b.check(done.returncode == 0 and set(watts) == {UUID, "all"} and 0 < float(watts[UUID]) <= float(watts["all"]) * 1.01,
            "host: every segment of the folder in one program", done)
    b.check(re.search(r"^of no domain +\d+\.\d+ J so far$", done.stdout, re.M), "host: and what belongs to no domain", done)


def metered(b, examples):
    host = os.path.join(b.host, "host.ring")
    done = examples.run("section", host, "120")
    found = re.search(r"^(\d+\.\d+) J, certainly (\d+\.\d+) to (\d+\.\d+) J, in (0\.1\d+) s$", done.stdout, re.M)
    b.check(done.returncode == 0 and found and float(found[2]) <= float(found[1]) <= float(found[3]),
            "section: a piece of the program, with its bounds", done)
    b.check("known to +-0.000 ms" in done.stdout, "section: the host's own clock is known exactly", done)


def server(b, examples):
    process = b.start(examples.paths["server"], os.path.join(b.host, "host.ring"), "0", "4", stdout=subprocess.PIPE, text=True)
    port = int(re.search(r":(\d+)/", process.stdout.readline())[1])
    b.check(process.stdout.readline() == "metering\n", "server: meters")
    for ms in (400, 40, 400, 40):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{ms}", timeout=10) as answer:
            answer.read()
    out, _ = process.communicate(timeout=15)
    rows = re.findall(r"^/(\d+) (\d+\.\d) ms, machine (\d+\.\d+) J \((\d+\.\d+) to (\d+\.\d+)\), of it this request (\d+\.\d+) J$",
                      out, re.M)
    b.check(process.returncode == 0 and [row[0] for row in rows] == ["400", "40", "400", "40"],
            "server: a line for each request", out)
    b.check(all(float(r[3]) <= float(r[2]) <= float(r[4]) and float(r[5]) <= float(r[4]) for r in rows),
            "server: each between its bounds", out)
    long, short = (sum(float(r[5]) for r in rows if r[0] == ms) for ms in ("400", "40"))
    b.check(long > short > 0, f"server: ten times the work takes more: {long:.2f} J, {short:.2f} J", out)


def main():
    examples = Examples(sys.argv[3:])
    with Bench(sys.argv[1], sys.argv[2]) as b:
        load = b.load()
        share = b.share(UUID)
        b.daemon(domain=f"one@{UUID}=pid:{load.pid}")
        await_that(lambda: os.path.exists(os.path.join(share, "scaph.ring")))
        readers(b, examples, share)
        several(b, examples)
        metered(b, examples)
        server(b, examples)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
