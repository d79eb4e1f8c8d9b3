#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In one real guest: both reading modes are chosen right, every record arrives over every path, nothing hangs.

Usage: test_guest.py BUILD_DIR. Prints TAP. Needs root (virtiofsd, a tmpfs mount).
"""

import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/guest"))
import guest as guests  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

SECONDS = 10
WINDOW_S = 0.02
FIELDS = ("epoch", "number", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns", "breaks")

tap = Tap()
check = tap.check


def note(text):
    print(f"# {text}", flush=True)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def reader_before_writer(guest):
    status, text = guest.run_status("scaph json --path /virtiofs --timeout 20 -n 1")
    check(status == 1 and "no segment there" in text, "before the writer a reader says so and fails", text)
    # The reader waits while the daemon is not there yet; the daemon is started meanwhile.
    guest.run("scaph json --path /virtiofs --wait 60 --timeout 90 -n 1 >/out/early 2>&1 & true")


def profile_off(guest):
    daemon = guest.scaphd("--profile", "*=off")
    time.sleep(1.5)
    status, text = guest.run_status("scaph text --path /virtiofs --timeout 20 -n 1")
    check(status == 1 and "profile" in text and " W " not in text, "profile off: a reason and no figure", text)
    status, text = guest.run_status(f"scaph json --path {guest.pci} --timeout 20 -n 1")
    check(status == 1 and "package_uj" not in text, "profile off: none over ivshmem either", text)
    guest.stop(daemon)


def every_record(guest):
    """All paths at once for SECONDS with guest and host under load, and the host's own copy beside them."""
    paths = {"virtiofs": "/virtiofs", "9p": "/9p", "ivshmem": guest.pci}
    want = int(SECONDS / WINDOW_S)
    load = subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True)
    guest.run("(timeout 25 sh -c 'while :; do :; done' &) ; true")
    command = "".join(f"scaph json --path {path} -s 0 -n {want} --timeout 60 >/tmp/{name} 2>&1 & "
                      for name, path in paths.items()) + "wait; cp /tmp/virtiofs /tmp/9p /tmp/ivshmem /out/"
    host = subprocess.Popen([os.path.join(guest.build, "consumer/scaph"), "json", "-s", "0", "-n", str(want + 200),
                             "--timeout", "60", "--path", os.path.join(guest.host_dir, guest.uuid + ".ring")],
                            stdout=subprocess.PIPE, text=True)
    guest.run(command, 90)
    load.kill()
    load.wait()
    host_lines = {line["mono_ns"]: line for line in lines_of(host.communicate()[0])}
    seen = {}
    for name in paths:
        with open(os.path.join(guest.out, name)) as file:
            text = file.read()
        lines = lines_of(text)
        numbers = [line["number"] for line in lines]
        mode = "coherent" if name == "ivshmem" else "snapshot"
        check(all(line["mode"] == mode for line in lines) and lines, f"{name}: found to be {mode}", text[-2000:])
        check(len(lines) == want and numbers == list(range(numbers[0], numbers[0] + want)),
              f"{name}: every record of {SECONDS} s, consecutive", f"{len(lines)} lines\n{text[-2000:]}")
        check(not any(line["stale"] or line["reason"] for line in lines) and lines[-1]["lost"] == 0,
              f"{name}: nothing stale, nothing lost under load",
              [line for line in lines if line["stale"] or line["reason"]])
        seen[name] = {line["number"]: tuple(line[field] for field in FIELDS) for line in lines}
    common = set(seen["virtiofs"]) & set(seen["9p"]) & set(seen["ivshmem"])
    check(len(common) > want * 0.8 and all(seen["virtiofs"][n] == seen["9p"][n] == seen["ivshmem"][n] for n in common),
          "equal content over the three paths", len(common))
    at_host = [(seen["ivshmem"][n], host_lines[seen["ivshmem"][n][2]]) for n in common
               if seen["ivshmem"][n][2] in host_lines]
    check(len(at_host) > want * 0.8 and all(own[3:] == tuple(line[field] for field in FIELDS[3:])
                                           for own, line in at_host),
          "equal to the host's own figures", len(at_host))
    note(f"{len(common)} records of three paths equal, {len(at_host)} of them beside the host's")


def commands(guest):
    """scaph run over each path: energy between what the model draws idle and full; and a recording made inside, played."""
    for name, path in {"virtiofs": "/virtiofs", "9p": "/9p", "ivshmem": guest.pci}.items():
        command = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; exit 6"
        status, text = guest.run_status(f"scaph run --json --path {path} -- sh -c '{command}'", 90)
        report = (lines_of(text) or [{}])[0]
        check(status == 6 and report.get("records", 0) > 3 and abs(report["covered_s"] - report["duration_s"]) < WINDOW_S and
              0 < report["package_uj"] < 85e6 * report["duration_s"] and 0 < report["bound_uj"] < report["package_uj"] and
              report["command_cpu_ns"] > 0 and 0 < report["command_fraction"] <= 1, f"{name}: scaph run in the guest", text)
    status, text = guest.run_status("scaph record --path /virtiofs -t 2 /tmp/r && scaph json -s 0 --replay /tmp/r --replay-speed max", 60)
    lines = lines_of(text)
    numbers = [line["number"] for line in lines]
    check(status == 0 and len(lines) > 10 and numbers == list(range(numbers[0], numbers[0] + len(lines))) and
          all(line["mode"] == "snapshot" for line in lines), "recorded and played in the guest", text[-1000:])


def hung_share(guest):
    os.killpg(guest.virtiofsd.pid, signal.SIGSTOP)
    for view in ("text", "json"):
        start = time.monotonic()
        status, text = guest.run_status(f"scaph {view} --path /virtiofs --timeout 3 -n 5", 30)
        took = time.monotonic() - start
        check(status == 1 and took < 4.5 and "time limit" in text,
              f"stopped virtiofsd: scaph {view} --timeout 3 is back in time", f"{took:.2f} s, status {status}: {text}")
        note(f"scaph {view} --timeout 3 took {took:.2f} s on a hung share")
    status, text = guest.run_status(f"scaph text --path {guest.pci} --timeout 20 -n 2", 30)
    check(status == 0, "stopped virtiofsd: ivshmem goes on", text)
    os.killpg(guest.virtiofsd.pid, signal.SIGCONT)
    status, text = guest.run_status("scaph text --path /virtiofs --timeout 20 -n 2", 40)
    check(status == 0, "after it goes on, so does the reader", text)


def restart(guest, daemon):
    """The daemon comes back under a reading guest: one event, then figures again; in between stale is said."""
    guest.run("(scaph json --path /virtiofs -s 0 -n 700 --timeout 40 >/out/over 2>&1; echo done >/out/over.done) & true")
    time.sleep(2)
    guest.stop(daemon)
    time.sleep(2)
    daemon = guest.scaphd("--profile", f"{guest.uuid}=trusted")
    end = time.monotonic() + 45
    while not os.path.exists(os.path.join(guest.out, "over.done")) and time.monotonic() < end:
        time.sleep(0.2)
    with open(os.path.join(guest.out, "over")) as file:
        lines = lines_of(file.read())
    epochs = list(dict.fromkeys(line["epoch"] for line in lines if line["epoch"]))
    check(len(epochs) == 2, "a restarted daemon is a new epoch", epochs)
    check(any(line["stale"] for line in lines), "while it is away the guest is told so", lines[-1:])
    new = [line for line in lines if line["epoch"] == epochs[-1]]
    check(new and new[0]["power_w"] is None and new[0]["number"] == 0, "no power across the restart", new[:1])
    return daemon


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root")
        return 0
    with guests.Guest(sys.argv[1]) as guest:
        start = time.monotonic()
        guest.boot()
        note(f"booted in {time.monotonic() - start:.1f} s ({guest.accel})")
        reader_before_writer(guest)
        profile_off(guest)
        daemon = guest.scaphd("--profile", f"{guest.uuid}=trusted")
        end = time.monotonic() + 30
        early = os.path.join(guest.out, "early")
        while time.monotonic() < end and not (os.path.exists(early) and os.path.getsize(early)):
            time.sleep(0.2)
        with open(early) as file:
            text = file.read()
        check("package_uj" in text, "a reader that waits for its share gets figures once there are any", text)
        every_record(guest)
        commands(guest)
        hung_share(guest)
        daemon = restart(guest, daemon)
        guest.stop(daemon)
    tap.plan()
    return 0


if __name__ == "__main__":
    sys.exit(main())
