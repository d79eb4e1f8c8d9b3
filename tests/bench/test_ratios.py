#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the transport costs, as ratios to floors and peers of the same run. Usage: test_ratios.py SCAPH_BENCH

Prints TAP. No time is held, only ratios, and those with room for a machine that others use: what the quiet machine gives
stands in docs/performance.md. What runs beside a measurement can only make a ratio worse; so up to three runs are made,
and each ratio must hold in one of them.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

RUNS = 3
tap = Tap()


def per_record_ns(mrec_s):
    return 1000 / mrec_s


def ratios(run):
    """Name -> (ratio, what it may be at most)."""
    floor, line, peers = run["copy64_ns"], run.get("line_p50_ns"), run["peers"]
    held = {
        "publish with checksum, hot / ck_sequence's write": (run["publish_hot_ns"] / peers["ck_sequence"]["publish_ns"], 4.4),
        "publish with checksum, hot / libqb's write": (run["publish_hot_ns"] / peers["libqb"]["publish_ns"], 1),
        "publish over 1,000 segments / copy of 64 bytes": (run["publish_cold_ns"] / floor, 25),
        # It is a call, with one more in it: on some processors calls are dear beside copies.
        "latest, again / a call into a library": (run["latest_idle_ns"] / run["call_ns"], 3),
        "drain, a record / copy of 64 bytes": (run["drain_ns"] / floor, 4),
        "snapshot, a record / copy of 64 bytes": (per_record_ns(run["snapshot_mrec_s"]) / floor, 15),
        "latest / a text file's read, 150th": (150 * run["latest_idle_ns"] / peers["textfile"]["read_ns"], 1),
        "publish / a text file's write, 100th": (100 * run["publish_hot_ns"] / peers["textfile"]["publish_ns"], 1),
        "next / libqb's read": (run["next_ns"] / peers["libqb"]["read_ns"], 3),
    }
    if line:
        held.update({
            # Two lines one after the other at the worst, head and slot; 0.4 where the two cores are far apart.
            "latest beside a flat-out writer / line": (run["latest_flatout_ns"] / line, 2),
            "its retries, p90": (run["latest_retries_p90"], 1),
            "one way, p50 / line": (run["oneway_p50_ns"] / line, 1.35),
            "one way, p99 / its p50": (run["oneway_p99_ns"] / run["oneway_p50_ns"], 3),
            "publish at 1 kHz beside a spinning reader, p50 / line": (run["publish_tick_p50_ns"] / line, 1),
            # It is lines going over, not copies: how many, the processor and whatever runs beside decide for both alike.
            "stream, bare lines / records": (run["line_stream_mrec_s"] / run["stream_mrec_s"], 5),
        })
    return held


def measure(program):
    done = subprocess.run([program, "--short", "--json"], capture_output=True, text=True, timeout=90)
    if done.returncode:
        sys.exit(f"scaph-bench: exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def main():
    program = sys.argv[1]
    best, limits, runs = {}, {}, []
    while len(runs) < RUNS and (not runs or any(best[name] > limits[name] for name in best)):
        runs.append(measure(program))
        for name, (ratio, limit) in ratios(runs[-1]).items():
            best[name] = min(ratio, best.get(name, ratio))
            limits[name] = limit
    peers = runs[-1]["peers"]
    tap.check(not any("missing" in peer for peer in peers.values()), "every peer is there", peers)
    for name, ratio in best.items():
        tap.check(ratio <= limits[name], f"{name}: {ratio:.2f}, at most {limits[name]}", runs)
    if "line_p50_ns" in runs[-1]:
        tap.check(all(run["latest_wrong"] == 0 for run in runs), "no wrong and no missing record beside a flat-out writer")
        tap.check(peers["textfile"]["bad_reads"] > 0, "the text file's empty and wrong reads are counted", peers["textfile"])
    print(f"# {len(runs)} runs on {runs[0]['machine']}")
    tap.plan()


if __name__ == "__main__":
    main()
