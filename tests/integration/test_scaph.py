#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph as a user meets it: bad input, a hostile or absent segment, streams that stop, pipes that close.

Usage: test_scaph.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import random
import signal
import struct
import subprocess
import threading
import time

from bench import Bench, arguments

RING = "scaph.ring"
KEYS = {"schema", "subject", "name", "uuid", "epoch", "number", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj",
        "cpu_ns", "breaks", "power_w", "window_ms", "estimated", "stale", "reason", "lost", "mode", "source", "meter",
        "profile"}


def bad_words(b):
    def refused(what, wanted, *words):
        b.refused(what, wanted, *words, program=b.scaph)

    refused("no subcommand", ["--help"])
    refused("a subcommand that is none", ["nonsense"], "nonsense")
    refused("a subcommand with a slash", ["../x"], "../x")
    for view in ("text", "json"):
        refused(f"{view}: an unknown option", ["--bogus"], view, "--bogus")
        refused(f"{view}: a stray word", ["stray"], view, "stray")
        refused(f"{view}: an option without its value", ["needs a value"], view, "--path")
        for words in (("-n", "0"), ("-n", "-1"), ("-n", "x"), ("-s", "-1"), ("-s", "nan"), ("-s", "inf"), ("-s", "1x"),
                      ("--wait", "x"), ("--timeout", "-1"), ("-t", "-3"), ("--replay-speed", "0"), ("--replay-speed", "nan"),
                      ("--replay-speed", "2000")):
            refused(f"{view} {' '.join(words)}", [words[0].replace("-t", "--timeout") if len(words[0]) == 2 else words[0]], view, *words)


def bad_segments(b):
    path = os.path.join(b.work, "bad.ring")
    folder = os.path.join(b.work, "empty")
    os.mkdir(folder)

    def refused(what, wanted, where=path):
        for view in ("text", "json"):
            done = b.refused(f"{view}: {what}", [os.path.basename(where), wanted], view, "--path", where, "-n", "1",
                             program=b.scaph)
            b.check(done.stdout == "", f"{view}: {what}: no figure")

    refused("a path that is not there", "no segment", os.path.join(b.work, "nix"))
    refused("an empty folder", "no segment", folder)
    with open(path, "wb"):
        pass
    refused("a file of zero length", "8 KiB")
    with open(path, "wb") as file:
        file.write(os.urandom(5000))
    refused("a short file", "8 KiB")
    with open(path, "wb") as file:
        file.write(random.Random(1).randbytes(200_000))
    refused("garbage", "not a scaphring segment")
    os.unlink(path)
    os.mkfifo(path)
    refused("a fifo", "not a file a segment can be")
    os.unlink(path)
    refused("a device", "not a file a segment can be", "/dev/null")


def sealed(data):
    """A descriptor's checksum put right, so that only what was changed in it is wrong."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    state = 0xFFFFFFFF
    covered = data[:56] + bytes(4) + data[60:640]
    for byte in covered:
        state = state >> 8 ^ table[(state ^ byte) & 0xFF]
    struct.pack_into("<I", data, 56, state ^ 0xFFFFFFFF)
    return data


def other_layouts(b, share):
    """A live segment's bytes with one thing changed."""
    with open(os.path.join(share, RING), "rb") as file:
        live = file.read()
    path = os.path.join(b.work, "layout.ring")
    for what, at, code, value, wanted in (
            ("a newer layout", 20, "<I", 2, "newer scaphd"), ("a feature it must know", 40, "<Q", 1, "feature"),
            ("another byte order", 24, "<I", 0x04030201, "byte order"), ("a ring outside the file", 392, "<Q", 1 << 40, "outside"),
            ("a window of 0", 336, "<Q", 0, "window")):
        data = bytearray(live)
        struct.pack_into(code, data, at, value)
        with open(path, "wb") as file:
            file.write(sealed(data))
        b.refused(what, ["layout.ring", wanted], "json", "--path", path, "-n", "1", program=b.scaph)
    with open(path, "wb") as file:
        file.write(live[:100_000])
    b.refused("a truncated segment", ["layout.ring", "truncated"], "json", "--path", path, "-n", "1", program=b.scaph)
    with open(path, "wb") as file:
        file.write(live)
    b.refused("a dead writer's segment", ["layout.ring", "moved"], "json", "--path", path, "-n", "1", program=b.scaph)


def shapes(b, share):
    done = b.json(share, "-n", "3", "-s", "0.1")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    b.check(len(lines) == 3 and all(KEYS <= set(line) for line in lines), "json has every key", done.stdout)
    first, second = lines[0], lines[1]
    b.check(first["schema"] == 1 and len(first["epoch"]) == 16 and int(first["epoch"], 16) and first["power_w"] is None and
            isinstance(second["power_w"], float) and first["core_uj"] is None and first["stale"] is False and
            first["reason"] is None and first["estimated"] is True and first["window_ms"] == 20.0 and
            first["mode"] == "coherent", "json values are bare and absent ones null", done.stdout)
    b.check(abs(second["power_w"] - (second["package_uj"] - first["package_uj"]) /
                (second["mono_ns"] - first["mono_ns"]) * 1e3) < 1e-4, "power is energy over time", done.stdout)
    done = subprocess.run([b.scaph, "text", "--path", share, "-n", "2", "-s", "0.2"], capture_output=True, text=True)
    b.check(done.returncode == 0 and "ESTIMATED" in done.stdout and done.stdout.count(" W ") >= 2,
            "text says that an estimate is one", done.stdout)
    done = subprocess.run([b.scaph, "json", "-n", "1"], capture_output=True, text=True, env={"SCAPH_PATH": share})
    b.check(done.returncode == 0, "$SCAPH_PATH is looked at", done.stderr)
    done = subprocess.run([b.scaph, "text", "--path", b.host, "-n", "1"], capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    powers = {row[0]: float(row[1]) for row in rows if len(row) > 2 and row[2] == "W"}
    total = powers.pop("total", 0)
    rest = [float(line[28:41].rstrip("W ")) for line in done.stdout.splitlines() if line.startswith("(host itself)")]
    b.check(rest and abs(sum(powers.values()) + sum(rest) - total) < 0.03, "the host's column adds up", done.stdout)


def first_figure_is_fast(b, share):
    start = time.monotonic()
    done = subprocess.run([b.scaph, "text", "--path", share, "-n", "1"], capture_output=True, text=True)
    took = time.monotonic() - start
    b.check(done.returncode == 0 and took < 1, "the first figure is there within a second", took)
    print(f"# first figure after {took * 1000:.0f} ms")


def closed_pipe(b, share):
    done = subprocess.run(f"{b.scaph} json -s 0 --path {share} | head -n 1; echo ${{PIPESTATUS[0]}} >&2",
                          shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=20)
    b.check(len(done.stdout.splitlines()) == 1 and done.stderr == "0\n", "a closed pipe ends it quietly", done.stderr)


def signals(b, share):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([b.scaph, "json", "-s", "0", "--path", share], stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.send_signal(number)
        b.check(process.wait(5) == 0, f"{number.name} ends it")
        process.stdout.close()


def stop_and_go(b, share, daemon):
    """What a reader said of a daemon that was stopped for three seconds: times and lines, when it stopped, when it went on."""
    reader = subprocess.Popen([b.scaph, "json", "-s", "0", "--path", share, "--timeout", "12"], stdout=subprocess.PIPE,
                              text=True)
    seen = []

    def listen():
        for line in reader.stdout:
            seen.append((time.monotonic(), json.loads(line)))

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(1)
    stopped = time.monotonic()
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(3)
    daemon.send_signal(signal.SIGCONT)
    going = time.monotonic()
    thread.join()
    reader.wait()
    return seen, stopped, going


def stops_and_goes(b, share, daemon):
    """A stopped daemon is said within the limit, figures come back by themselves, and no power spans the pause wrongly.

    A reader that is held up itself calls nobody stale before it has looked twice: so it may have three tries.
    """
    late = []
    for _ in range(3):
        seen, stopped, going = stop_and_go(b, share, daemon)
        stale = [at - stopped for at, line in seen if line["stale"]]
        late.append(stale[:1])
        if stale and stale[0] < 1.6:
            break
    back = [at for at, line in seen if at > going and not line["stale"]]
    b.check(late[-1] and late[-1][0] < 1.6, "a stopped daemon is said to be stale", late)
    b.check(all(line["package_uj"] is None and line["power_w"] is None and "stale" in line["reason"]
                for _, line in seen if line["stale"]), "without any figure", [line for _, line in seen if line["stale"]])
    b.check(back and back[0] - going < 0.6, "figures come back by themselves", back[:1])


def hung_child(b, share):
    """The reading process does not answer: the command leaves at its time all the same."""
    for words, least, most in ((("--timeout", "2"), 1.9, 3), ((), 9.5, 12)):
        process = subprocess.Popen([b.scaph, "json", "-s", "1", "--path", share, *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        start = time.monotonic()
        while True:
            children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
            if children:
                break
        os.kill(int(children[0]), signal.SIGSTOP)
        out, err = process.communicate(timeout=20)
        took = time.monotonic() - start
        b.check(process.returncode == 1 and least < took < most and len(err.splitlines()) == 1,
                f"a hung reader is left after {most - 1} s", f"{took} {err}")


def odd_names(b):
    load = b.load()
    name = "a\x1b[31m\u202eb\n\"x"
    os.makedirs(os.path.join(b.shares, name))
    daemon = b.daemon(domain=f"{name}=pid:{load.pid}")
    share = os.path.join(b.shares, name)
    done = subprocess.run([b.scaph, "text", "--path", share, "-n", "1"], capture_output=True)
    b.check(done.returncode == 0 and b"\x1b" not in done.stdout and "\u202e".encode() not in done.stdout and
            b"a\\x1b[31m\\xe2\\x80\\xaeb\\x0a\\x22x" in done.stdout, "a name with control and bidi characters is escaped",
            done.stdout)
    done = b.json(share, "-n", "1")
    b.check(json.loads(done.stdout)["name"] == name, "json carries it whole", done.stdout)
    daemon.terminate()
    daemon.wait()


def waits(b):
    """Reader before writer."""
    load = b.load()
    share = os.path.join(b.shares, "late")
    reader = subprocess.Popen([b.scaph, "json", "--path", share, "-n", "2", "--wait", "10", "--timeout", "15"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    b.share("late")
    time.sleep(0.5)
    daemon = b.daemon(domain=f"late=pid:{load.pid}")
    out, err = reader.communicate(timeout=20)
    b.check(reader.returncode == 0 and len(out.splitlines()) == 2, "--wait: share and writer may come later", err)
    daemon.terminate()
    daemon.wait()


def main():
    with Bench(*arguments()) as b:
        load = b.load()
        share = b.share("web")
        bad_words(b)
        bad_segments(b)
        daemon = b.daemon(domain=f"web=pid:{load.pid}")
        time.sleep(0.5)
        other_layouts(b, share)
        shapes(b, share)
        first_figure_is_fast(b, share)
        closed_pipe(b, share)
        signals(b, share)
        stops_and_goes(b, share, daemon)
        hung_child(b, share)
        daemon.terminate()
        daemon.wait()
        odd_names(b)
        waits(b)


if __name__ == "__main__":
    main()
