#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph record and --replay: what was seen comes back as it was, at any speed, and a file of anybody's hurts nobody; json --file.

Usage: test_replay.py SCAPHD SCAPH. Prints TAP.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time
import urllib.request

from bench import Bench, arguments

HEAD = struct.Struct("<8sIIQI32sI")
FRAME = struct.Struct("<IIQII")
INFO = struct.Struct("<256s40s16s16s16s16sQQQII")
RECORD = struct.Struct("<8QIIQ")
BULLETIN = struct.Struct("<QIIQ12QIIII")
STATE = struct.Struct("<iI248s")
FIELDS = ("number", "mono_ns", "package_uj", "core_uj", "dram_uj", "idle_uj", "cpu_ns", "breaks", "epoch", "name", "uuid", "source",
          "meter", "profile", "mode", "window_ms", "estimated", "lost", "subject", "schema", "stale", "reason")

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state = state >> 8 ^ TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def head(version=1, magic=b"SCAPHREC", size=64, folder=0):
    start = HEAD.pack(magic, version, size, 10**18, folder, bytes(32), 0)[:60]
    return start + struct.pack("<I", crc32c(start))


def frame(kind, payload, at_ns=0, track=0):
    bare = FRAME.pack(kind, len(payload), at_ns, track, 0)
    return FRAME.pack(kind, len(payload), at_ns, track, crc32c(bare + payload)) + payload


def info(name=b"web", uuid=b"6ba7b810-9dad-11d1-80b4-00c04fd430c8", epoch=7, window_ns=20000000, host=0):
    return INFO.pack(name, uuid, b"model", b"bpf", b"trusted", b"coherent", epoch, window_ns, 0, host, 1)


def bulletin(load_ppm):
    """One that tells what measuring costs."""
    return BULLETIN.pack(7, 1, 0, 1 << 11, *[0] * 10, 5, 1000, load_ppm, 10000, 0, 4)


def record(number, package_uj=None, epoch=7, flags=0x113, lost=0):
    package_uj = number * 200000 if package_uj is None else package_uj
    words = epoch, number, (number + 1) * 20000000, package_uj, package_uj // 2, 0, 0, number * 1000000
    return RECORD.pack(*(word % 2**64 for word in words), 0, flags, lost)


class Player:
    def __init__(self, b):
        self.b = b

    def __call__(self, path, *words, view="json", speed="max", seconds=30):
        return subprocess.run([self.b.scaph, view, "--replay", path, "--replay-speed", speed, *words], capture_output=True, text=True,
                              timeout=seconds)

    def lines(self, path, *words):
        return [json.loads(line) for line in self(path, "-s", "0", *words).stdout.splitlines()]


def bad_words(b):
    for what, wanted, words in (("no file", "which file", ["record"]), ("two files", "one file", ["record", "a", "b"]),
                                ("a step", "unknown option", ["record", "-s", "1", "a"]),
                                ("a folder that is not there", "/nix/da", ["record", "/nix/da/x"]),
                                ("two places", "--replay", ["text", "--replay", "x", "--path", "y"]),
                                ("no recording there", "/nix/da", ["json", "--replay", "/nix/da"]),
                                ("a file that cannot be", "/nix/da", ["json", "--file", "/nix/da/x"])):
        b.refused(f"refused: {what}", [wanted], *words, program=b.scaph)
    path = os.path.join(b.work, "none")
    b.refused("nothing to record", ["no segment"], "record", "--path", "/nix/da", path, program=b.scaph)
    b.check(not os.path.exists(path), "and then there is no file")


def comes_back(b, play, share, load):
    """Beside a live view of the same segment: every record, every field."""
    path = os.path.join(b.work, "web.rec")
    live = subprocess.Popen([b.scaph, "json", "-s", "0", "--path", share, "--timeout", "4"], stdout=subprocess.PIPE, text=True)
    done = subprocess.run([b.scaph, "record", "--path", share, "-t", "3", path], capture_output=True, text=True)
    b.check(done.returncode == 0 and not done.stdout and not done.stderr, "recorded", done)
    b.refused("a file that is there is not written over", ["already"], "record", "--path", share, path, program=b.scaph)
    wanted = {line["number"]: line for line in map(json.loads, live.communicate()[0].splitlines()) if line["number"] is not None}
    lines = play.lines(path)
    numbers = [line["number"] for line in lines]
    b.check(len(lines) > 20 and numbers == list(range(numbers[0], numbers[0] + len(numbers))), "every record of that time",
            (len(lines), numbers[:5]))
    common = [(line, wanted[line["number"]]) for line in lines if line["number"] in wanted]
    b.check(len(common) > len(lines) // 2 and all(one[key] == other[key] for one, other in common for key in FIELDS),
            "each as the live view had it", [(one, other) for one, other in common if any(one[k] != other[k] for k in FIELDS)][:1])
    powers = [(one["power_w"], other["power_w"]) for one, other in common if one["power_w"] and other["power_w"]]
    b.check(powers and all(abs(one - other) < 1e-6 for one, other in powers), "and with its power", powers[:3])
    text = play(path, "-s", "0.5", view="text").stdout.splitlines()
    b.check(text[0].startswith("web (") and "ESTIMATED" in text[0] and sum(" W " in line for line in text) >= 4, "as text", text)
    b.check(play(path, view="stdout").stdout == play(path, view="text").stdout != "", "stdout is text", text)
    return path, lines


def paced(b, play, path, lines):
    """At the recording's own pace, and at four times that."""
    recorded_s = (lines[-1]["mono_ns"] - lines[0]["mono_ns"]) / 1e9
    took = {}
    for speed in ("1", "4", "max"):
        start = time.monotonic()
        play(path, "-s", "0", speed=speed)
        took[speed] = time.monotonic() - start
    b.check(took["1"] > recorded_s * 0.8 and took["1"] > took["4"] * 1.5 and took["4"] > recorded_s / 4 * 0.8 and took["max"] < took["1"],
            "at its own pace, four times, and as fast as possible", (recorded_s, took))
    print(f"# {recorded_s:.2f} s played in {took}")


def host(b, play):
    """A host's folder, whose domains come and go."""
    path = os.path.join(b.work, "host.rec")
    subprocess.run([b.scaph, "record", "--path", b.host, "-t", "3", path], check=True)
    done = play(path, "-s", "0.5", view="text")
    tables = done.stdout.split("\n\n")[:-1]
    good = len(tables) >= 3 and all("web" in table and "total" in table and "(host itself)" in table for table in tables)
    b.check(good, "a host's recording is a table again", done)
    b.check({line["name"] for line in play.lines(path) if line["subject"] == "domain"} == {"web"}, "with every domain")


def stops(b, play, share, daemon):
    """A daemon that stopped while it was recorded is stale in the recording, and power does not span it."""
    path = os.path.join(b.work, "stops.rec")
    recorder = subprocess.Popen([b.scaph, "record", "--path", share, path])
    time.sleep(1.5)
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    daemon.send_signal(signal.SIGCONT)
    time.sleep(1)
    recorder.send_signal(signal.SIGINT)
    b.check(recorder.wait(10) == 0, "Ctrl-C ends a recording in order")
    lines = play.lines(path)
    stale = [at for at, line in enumerate(lines) if line["stale"]]
    b.check(stale and all(lines[at]["package_uj"] is None and "stale" in lines[at]["reason"] for at in stale) and
            stale[-1] + 1 < len(lines) and lines[stale[-1] + 1]["power_w"] is None, "a silence is a silence again, with its reason",
            [lines[at] for at in stale[:2]])
    done = play(path, "-s", "0", "-n", "3")
    b.check(len(done.stdout.splitlines()) == 3 and done.returncode == 0, "-n holds")


def cut_anywhere(b, play, path):
    """Every length of the first frames, and some more: what is whole is shown, one line says the rest, nothing crashes."""
    with open(path, "rb") as file:
        data = file.read()
    short = os.path.join(b.work, "short.rec")
    whole = len(play.lines(path))
    wrong = []
    cuts = list(range(0, 600, 7)) + [random.Random(1).randrange(600, len(data)) for _ in range(40)]
    for cut in cuts:
        with open(short, "wb") as file:
            file.write(data[:cut])
        done = play(short, "-s", "0")
        shown = len(done.stdout.splitlines())
        if len(done.stderr.splitlines()) > 1 or done.returncode not in (0, 1) or (done.returncode == 0) != (shown > 0) or shown > whole:
            wrong.append((cut, done))
    b.check(not wrong, f"cut at {len(cuts)} places", wrong[:2])


def spoiled_anywhere(b, play, path):
    """A bit turned over: what was before it is right, nothing behind it is shown."""
    with open(path, "rb") as file:
        data = file.read(20000)
    bad = os.path.join(b.work, "bad.rec")
    with open(bad, "wb") as file:
        file.write(data)
    good = play(bad, "-s", "0").stdout
    rng, wrong = random.Random(2), []
    for _ in range(150):
        copy = bytearray(data)
        copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
        with open(bad, "wb") as file:
            file.write(copy)
        done = play(bad, "-s", "0")
        if done.returncode not in (0, 1) or not good.startswith(done.stdout) or len(done.stderr.splitlines()) != 1:
            wrong.append(done)
    b.check(not wrong, "150 single bits turned over", wrong[:1])


def hostile(b, play):
    """Frames whose checksums are right and whose content is not."""
    path = os.path.join(b.work, "hostile.rec")

    def written(*parts):
        with open(path, "wb") as file:
            file.write(b"".join(parts))
        return path

    for what, wanted, parts in (
            ("an empty file", "not a recording", []), ("garbage", "not a recording", [random.Random(3).randbytes(5000)]),
            ("a newer version", "newer", [head(version=2)]), ("a head of another size", "spoiled", [head(size=65)]),
            ("a head alone", "no figure", [head()]),
            ("a frame of four gigabytes", "spoiled", [head(), FRAME.pack(2, 0xFFFFFFFF, 0, 0, 0) + bytes(2000)]),
            ("a record of another size", "spoiled", [head(), frame(1, info()), frame(2, record(0)[:-1])]),
            ("a track beyond all", "spoiled", [head(), frame(1, info(), track=8192)]),
            ("time that goes back", "spoiled", [head(), frame(1, info(), at_ns=5), frame(2, record(0), at_ns=4)]),
            ("records of a segment never described", "no figure", [head(), frame(2, record(0)), frame(2, record(1))])):
        done = play(written(*parts), "-s", "0")
        b.check(done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1 and wanted in done.stderr,
                f"{what}: refused", done)
    done = play(written(head(), frame(1, info(name=b"\x1b]0;x\x07" * 36, uuid=b"y" * 40)), frame(99, b"later"), frame(2, record(0) + b"added"),
                        *(frame(2, record(n), at_ns=n * 20000000) for n in range(100))), "-s", "0.5", view="text")
    b.check(done.returncode == 0 and "\x1b" not in done.stdout and " W " in done.stdout, "texts without an end, control characters, a "
            "frame of a later version: shown safely", done)
    parts = [part for n in range(100) for part in (frame(2, record(n), at_ns=n * 20000000),
                                                   frame(2, record(n), at_ns=n * 20000000, track=1))]
    done = play(written(head(folder=1), frame(1, info()), frame(1, info(name=b"vm", host=1), track=1), frame(4, bulletin(2500), track=1),
                        *parts), "-s", "0.5", view="text")
    b.check(done.returncode == 0 and "scaphd takes 0.25 %" in done.stdout, "a host's bulletin: what measuring cost", done)
    odd = [record(n, package_uj=p, flags=f, epoch=e, lost=2**64 - 1) for n, p, f, e in
           ((0, 2**64 - 1, 0xFFFFFFFF, 1), (2**64 - 1, 0, 0x1F, 1), (0, 5, 0, 0), (1, 5, 0x1F, 2**64 - 1), (1, 4, 0x1F, 2**64 - 1))]
    for view, step in (("json", "0"), ("text", "0"), ("text", "0.02"), ("json", "0.5")):
        done = play(written(head(folder=1), frame(1, info(window_ns=2**64 - 1)), frame(1, info(window_ns=0), track=8191),
                            *(frame(2, part, at_ns=n * 10**7, track=8191 * (n % 2)) for n, part in enumerate(odd * 4))), "-s", step, view=view)
        b.check(done.returncode in (0, 1) and len(done.stderr.splitlines()) <= 1, f"{view} -s {step}: numbers at their ends", done)
    done = play(written(head(), frame(1, info()), frame(2, record(0)), frame(2, record(1), at_ns=2**64 - 1)), "-s", "0")
    b.check(done.returncode == 1 and "spoiled" in done.stderr and len(done.stdout.splitlines()) == 1, "a frame at the end of time", done)
    # More than is ever true at one moment: bounded memory, one line.
    flood = frame(2, record(1), at_ns=1)
    done = play(written(head(), frame(1, info()), frame(2, record(0)), flood * 200000), "-s", "1", seconds=60)
    b.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1, "a flood at one moment is refused", done)
    os.unlink(path)
    os.mkfifo(path)
    b.refused("a fifo", ["not a recording"], "text", "--replay", path, program=b.scaph)
    b.refused("a folder", ["not a recording"], "text", "--replay", b.work, program=b.scaph)


def served(b, path, lines):
    """To Prometheus, at four times its pace: live while it lasts, then stale; energy is what the records differ by."""
    exporter = subprocess.Popen([b.scaph, "prometheus", "--web.listen-address", "127.0.0.1:0", "--replay", path, "--replay-speed", "4"],
                                stderr=subprocess.PIPE, text=True)
    url = exporter.stderr.readline().split()[2]
    last, ended, values = None, False, {}
    end = time.monotonic() + 20
    while not ended and time.monotonic() < end:
        time.sleep(0.1)
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        values = {line.split("{")[0]: float(line.split()[-1]) for line in text.splitlines() if not line.startswith("#")}
        last = values.get("scaph_vm_energy_joules_total", last)
        ended = values.get("scaph_vm_state") == 2
    exporter.terminate()
    whole = (lines[-1]["package_uj"] - lines[0]["package_uj"]) / 1e6
    b.check(exporter.wait(10) == 0 and ended and "scaph_vm_energy_joules_total" not in values and last is not None and 0 < last <= whole * 1.001,
            "served: a counter while it lasts, then stale and no figure", (values, whole, last))
    for what, wanted, words in (("max", "not for a server", ["--replay", path, "--replay-speed", "max"]),
                                ("two places", "--path", ["--replay", path, "--path", "x"]), ("none", "/nix/da", ["--replay", "/nix/da"])):
        b.refused(f"prometheus --replay, {what}: refused", [wanted], "prometheus", *words, program=b.scaph)


def to_file(b, share):
    path = os.path.join(b.work, "out.json")
    with open(path, "w") as file:
        file.write("x" * 100000)
    done = subprocess.run([b.scaph, "json", "--file", path, "--path", share, "-n", "3", "-s", "0"], capture_output=True, text=True)
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    b.check(done.returncode == 0 and done.stdout == done.stderr == "" and len(lines) == 3, "json --file takes the place of what was there",
            done)
    b.refused("a disk that is full", ["/dev/full"], "json", "-f", "/dev/full", "--path", share, "-n", "3", program=b.scaph)
    start = time.monotonic()
    done = subprocess.run([b.scaph, "json", "--path", share, "-t", "1", "-s", "0.1"], capture_output=True, text=True)
    b.check(done.returncode == 0 and 0.9 < time.monotonic() - start < 5 and len(done.stdout.splitlines()) >= 3,
            "-t is --timeout", done)
    done = subprocess.run([b.scaph, "json", "--path", share, "-t", "0", "-n", "2", "-s", "0.1"], capture_output=True, text=True)
    b.check(done.returncode == 0 and len(done.stdout.splitlines()) == 2, "-t 0 sets no end", done)


def full_disk(b, share):
    if os.geteuid() != 0:
        return
    small = os.path.join(b.work, "small")
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "scaph-test", small], check=True)
    try:
        path = os.path.join(small, "x.rec")
        done = b.refused("a disk that fills while it is recorded", ["No space", path], "record", "--path", share, path, program=b.scaph,
                         seconds=30)
        shutil.copy(path, os.path.join(b.work, "full.rec"))
    finally:
        subprocess.run(["umount", small], check=True)
    done = Player(b)(os.path.join(b.work, "full.rec"), "-s", "0")
    b.check(done.returncode == 0 and len(done.stdout.splitlines()) > 10, "what was written of it is played", done)


def main():
    with Bench(*arguments()) as b:
        play = Player(b)
        load = b.load()
        share = b.share("web")
        daemon = b.daemon(domain=f"web=pid:{load.pid}")
        time.sleep(0.5)
        bad_words(b)
        path, lines = comes_back(b, play, share, load)
        paced(b, play, path, lines)
        host(b, play)
        stops(b, play, share, daemon)
        served(b, path, lines)
        cut_anywhere(b, play, path)
        spoiled_anywhere(b, play, path)
        hostile(b, play)
        to_file(b, share)
        full_disk(b, share)


if __name__ == "__main__":
    main()
