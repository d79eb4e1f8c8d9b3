# SPDX-License-Identifier: Apache-2.0
"""A workbench for tests of the programs: folders, loads and daemons that are gone at the end."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402


class Bench(Tap):
    def __init__(self, scaphd, scaph):
        self.scaphd = os.path.abspath(scaphd)
        self.scaph = os.path.abspath(scaph)
        super().__init__()
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.work = tempfile.mkdtemp(prefix="scaph-test-", dir=base)
        self.shares = os.path.join(self.work, "shares")
        self.host = os.path.join(self.work, "host")
        os.makedirs(self.shares)
        self.processes = []
        self.before = []  # words that start a daemon in surroundings of its own, under the PID they are given

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.work, ignore_errors=True)
        self.plan()

    def start(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def load(self, busy=True):
        return self.start("sh", "-c", "while :; do :; done" if busy else "exec sleep 1000")

    def share(self, name):
        path = os.path.join(self.shares, name)
        os.makedirs(path, exist_ok=True)
        return path

    def options(self, **changed):
        """Options of a daemon on this bench; None leaves one out, a list repeats it."""
        values = {"source": "model", "model-watts": "10:50", "share-root": self.shares, "host-dir": self.host,
                  "state-dir": self.state, "shm-dir": self.work, "libvirt": "none",
                  "profile": "*=trusted", **changed}
        # Of nothing that is configured on this machine.
        words = ["--config", "/dev/null", "--allow-plain-dir"]
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    words += ["--" + name, one]
        return words

    @property
    def state(self):
        return os.path.join(self.work, "state")

    def daemon(self, keep=False, **changed):
        """A running daemon, publishing; its counters begin at 0 unless those of the one before are kept."""
        counters = os.path.join(self.state, "counters")
        if not keep and os.path.exists(counters):
            os.unlink(counters)
        process = self.start(*self.before, self.scaphd, *self.options(**changed), stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr:
            said.append(line)
            if "publishing" in line:
                return process
        raise RuntimeError("scaphd did not start: " + "".join(said))

    def refused(self, what, wanted, *words, program=None, status=1, seconds=10):
        """The program ends by itself, non-zero, with exactly one line that holds every wanted word."""
        done = subprocess.run([program or self.scaphd, *words], capture_output=True, text=True, timeout=seconds,
                              stdin=subprocess.DEVNULL)
        lines = [line for line in done.stderr.splitlines() if ": domain " not in line]
        good = done.returncode == status and len(lines) == 1 and all(word in lines[0] for word in wanted)
        self.check(good, what, f"status {done.returncode}\n{done.stderr}{done.stdout}")
        return done

    def json(self, path, *words, seconds=30):
        done = subprocess.run([self.scaph, "json", "--path", path, *words], capture_output=True, text=True,
                              timeout=seconds)
        return done


def await_that(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def arguments():
    return sys.argv[1], sys.argv[2]
