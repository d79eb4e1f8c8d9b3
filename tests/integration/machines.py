# SPDX-License-Identifier: Apache-2.0
"""A proc of a host that is not at hand: recorded processes, each with a real one behind it that can be metered and ended.

Numbers, starts and ends are those of the real process; executable, users, parent and words are the recorded ones.
"""

import os
import shutil
import time

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "machines")


class Process:
    def __init__(self, path):
        self.name = os.path.basename(path).rsplit(".", 1)[0]
        self.parent = None
        with open(path) as file:
            lines = file.read().splitlines()
        at = lines.index("argv")
        self.argv = lines[at + 1:]
        for line in lines[:at]:
            key, _, value = line.partition(" ")
            setattr(self, key, value)


class Machines:
    def __init__(self, bench, name="proc"):
        self.bench = bench
        self.root = os.path.join(bench.work, name)
        os.mkdir(self.root)
        for name in ("stat", "cpuinfo"):
            os.symlink("/proc/" + name, os.path.join(self.root, name))
        self.real = {}

    def play(self, tree):
        """All of a recorded tree."""
        folder = os.path.join(RECORDED, tree)
        for leaf in sorted(leaf for leaf in os.listdir(folder) if leaf.endswith(".process")):
            self.add(Process(os.path.join(folder, leaf)))

    def recorded(self, tree, name):
        return Process(os.path.join(RECORDED, tree, name + ".process"))

    def add(self, process, name=None):
        """Returns its number. Whatever is not to be there is None in the process."""
        real = self.bench.load(busy=False)
        self.real[name or process.name] = real
        folder = os.path.join(self.root, str(real.pid))
        beside = folder + ".new"
        os.mkdir(beside)
        users = (process.uid.split() * 4)[:4] if len(process.uid.split()) == 1 else process.uid.split()
        os.symlink(process.exe, os.path.join(beside, "exe"))
        self.write(beside, "cmdline", b"".join(word.encode() + b"\0" for word in process.argv))
        self.write(beside, "status", f"Name:\tx\nUid:\t{chr(9).join(users)}\nGid:\t0\t0\t0\t0\n".encode())
        self.write(beside, "comm", os.path.basename(process.exe.split(" ")[0])[:15].encode() + b"\n")
        with open(f"/proc/{real.pid}/stat") as file:
            head, _, tail = file.read().rpartition(")")
        fields = tail.split()
        if process.parent:
            fields[1] = str(self.real[process.parent].pid)
        self.write(beside, "stat", f"{head}) {' '.join(fields)}\n".encode())
        os.rename(beside, folder)
        return real.pid

    @staticmethod
    def write(folder, name, content):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)

    def path(self, name, leaf=""):
        return os.path.join(self.root, str(self.real[name].pid), leaf)

    def end(self, name):
        real = self.real.pop(name)
        shutil.rmtree(os.path.join(self.root, str(real.pid)))
        real.kill()
        real.wait()

    def grow_up(self):
        """Until all are old enough to be told of."""
        time.sleep(1.2)
