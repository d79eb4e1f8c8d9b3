# SPDX-License-Identifier: Apache-2.0
"""A machine of two packages for tests: msrfs in place of /dev/cpu, a sysfs tree, a /proc/cpuinfo. Needs root and /dev/fuse.

Usually CPU 0 of this machine belongs to the first package and every other to the second; their ids are sparse. /proc stays the
real one: a program under test is started in a mount namespace of its own in which only cpuinfo is another.
"""

import os
import subprocess
import time

PACKAGES = (0, 3)  # as sysfs numbers them

# Registers by zone, as the vendors' manuals have them.
INTEL = {"unit": 0x606, "package": 0x611, "core": 0x639, "dram": 0x619, "uncore": 0x641, "psys": 0x64d}
# The one for cores is the core's through which it is read, not the package's.
AMD = {"unit": 0xC0010299, "package": 0xC001029B, "core": 0xC001029A}

# A Skylake server: its dram counts 2^-16 J whatever the unit register says.
SKYLAKE_SERVER = {"vendor": "GenuineIntel", "family": 6, "model": 85, "registers": INTEL, "fixed_units": {"dram": 16}}
# A Kaby Lake desktop: every zone counts in the unit of the register.
KABY_LAKE = {"vendor": "GenuineIntel", "family": 6, "model": 158, "registers": INTEL, "fixed_units": {}}
ZEN2 = {"vendor": "AuthenticAMD", "family": 23, "model": 49, "registers": AMD, "fixed_units": {}}


def missing():
    """Why such a machine cannot be had here, or None."""
    if os.geteuid() != 0:
        return "msrfs needs root to mount"
    if not os.path.exists("/dev/fuse"):
        return "msrfs needs /dev/fuse; load the module fuse"
    return None


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(f"{text}\n")


class Host:
    """counters: (index of a package, zone) -> (unit, start, course of power as in machine.h); units: by package, of which there
    are one or two; steps_ns: period and jitter of the counters' steps, whole milliseconds unless given.
    """

    def __init__(self, msrfs, folder, model, units, counters, steps_ns=None):
        self.model, self.units, self.counters = model, units, counters
        self.steps_ns = steps_ns
        self.msrfs = msrfs
        self.folder = folder
        self.msr, self.sysfs, self.cpuinfo, self.log = (os.path.join(folder, name)
                                                        for name in ("cpu", "sys", "cpuinfo", "msrfs.log"))
        self.cpus = os.sysconf("SC_NPROCESSORS_CONF")
        self.package_of = {cpu: min(cpu, len(units) - 1) for cpu in range(self.cpus)}  # index into PACKAGES
        os.makedirs(self.msr)
        self.write_sysfs()
        self.write_cpuinfo()
        self.process = None

    def write_sysfs(self):
        root = os.path.join(self.sysfs, "devices/system/cpu")
        everything = f"0-{self.cpus - 1}" if self.cpus > 1 else "0"
        for name, text in (("possible", everything), ("present", everything), ("online", everything), ("isolated", ""),
                           ("nohz_full", "")):
            put(f"{root}/{name}", text)
        for cpu, package in self.package_of.items():
            put(f"{root}/cpu{cpu}/online", "1")
            for name, value in (("physical_package_id", PACKAGES[package]), ("die_id", 0), ("core_id", cpu)):
                put(f"{root}/cpu{cpu}/topology/{name}", value)

    def write_cpuinfo(self):
        put(self.cpuinfo, "\n".join(
            f"processor\t: {cpu}\nvendor_id\t: {self.model['vendor']}\ncpu family\t: {self.model['family']}\n"
            f"model\t\t: {self.model['model']}\nmodel name\t: a machine of a test\nphysical id\t: {PACKAGES[package]}\n"
            f"core id\t\t: {cpu}\n" for cpu, package in self.package_of.items()))

    def set_online(self, cpu, online):
        """As a hotplug has it: the CPU leaves sysfs' list, and its register file refuses."""
        if not online:
            self.command(f"offline {cpu}")
        root = os.path.join(self.sysfs, "devices/system/cpu")
        left = sorted(it for it in self.package_of if it != cpu or online)
        put(f"{root}/cpu{cpu}/online", int(online))
        put(f"{root}/online", ",".join(map(str, left)))
        if online:
            self.command(f"online {cpu}")

    def config(self):
        lines = [f"cpu {cpu} {PACKAGES[package]}" for cpu, package in self.package_of.items()]
        registers = self.model["registers"]
        if self.steps_ns:
            lines.append("steps {} {}".format(*self.steps_ns))
        for package, unit in enumerate(self.units):
            # The other fields of the unit register are power and time: not zero, and not energy.
            lines.append(f"fixed {PACKAGES[package]} {registers['unit']:#x} {0xa0003 | unit << 8:#x}")
        for (package, zone), (unit, start, course) in self.counters.items():
            lines.append(f"counter {PACKAGES[package]} {registers[zone]:#x} {unit} {start:#x} {course}")
        return "\n".join(lines)

    def __enter__(self):
        path = os.path.join(self.folder, "msrfs.conf")
        put(path, self.config())
        self.process = subprocess.Popen([self.msrfs, self.msr, "--config", path, "--log", self.log],
                                        stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not os.path.exists(self.msr + "/control"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError("msrfs did not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        """The exit status of msrfs, for a test of it."""
        self.process.terminate()
        try:
            return_code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return_code = self.process.wait()
        subprocess.run(["umount", "-l", self.msr], stderr=subprocess.DEVNULL)
        self.status = return_code

    def command(self, text):
        """One of msrfs: holds when this returns."""
        control = os.open(self.msr + "/control", os.O_WRONLY)
        try:
            os.write(control, text.encode())
        finally:
            os.close(control)

    def fault(self, word, package, zone):
        self.command(f"{word} {PACKAGES[package]} {self.model['registers'][zone]:#x}")

    def wrap(self, *command):
        """The words that start a command, under the PID it is given, where /proc/cpuinfo is this machine's."""
        script = 'mount --bind "$1" /proc/cpuinfo && shift && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self.cpuinfo, *command]

    def options(self):
        """Those of scaphd that let it see this machine."""
        return {"msr-path": self.msr, "sysfs": self.sysfs}
