# SPDX-License-Identifier: Apache-2.0
"""Simulated hosts for the profile tests: a script of windows in, what the guests' files hold out."""

import array
import os
import shutil
import struct
import subprocess
import tempfile

WINDOW_NS = 20_000_000
WINDOWS_PER_S = 50
TRUSTED, SHARED, OFF = 1, 2, 3
RECORD = struct.Struct("<QQQQQQHH")
ROW_BYTES = 60  # record bytes 8-59 and the exact figure
STATUS_BYTES = 8 + 320 - 48


class Host:
    """One package; domains are (vcpus, profile). A window is (energy_uj, busy_ns, [cpu_ns of each domain])."""

    def __init__(self, simulate, domains, cpus=8, idle_uw=0):
        self.simulate = simulate
        self.domains = domains
        self.script = array.array("Q", [len(domains), 1, cpus, idle_uw])
        for vcpus, profile in domains:
            self.script.extend((vcpus, profile))

    def window(self, energy_uj, busy_ns, cpu_ns):
        self.script.append(WINDOW_NS)
        self.script.append(energy_uj)
        self.script.append(busy_ns)
        self.script.extend(cpu_ns)

    def play(self, every=1):
        """(records, statuses): for each domain its rows' bytes, in order; and the same of the statuses."""
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        folder = tempfile.mkdtemp(prefix="scaph-simulate-", dir=base)
        try:
            outputs = [os.path.join(folder, name) for name in ("records", "statuses")]
            subprocess.run([self.simulate, folder, str(every), *outputs], input=self.script.tobytes(), check=True)
            found = []
            for path, size in zip(outputs, (ROW_BYTES, STATUS_BYTES)):
                with open(path, "rb") as file:
                    data = file.read()
                count = len(self.domains)
                rows = [data[at:at + size] for at in range(0, len(data), size)]
                found.append([rows[i::count] for i in range(count)])
            return found
        finally:
            shutil.rmtree(folder)


def record(row):
    """(mono_ns, package_uj, idle_uj, cpu_ns, flags, exact_uj) of a row."""
    mono_ns, package_uj, _, _, idle_uj, cpu_ns, _, flags = RECORD.unpack_from(row)
    return mono_ns, package_uj, idle_uj, cpu_ns, flags, struct.unpack_from("<Q", row, 52)[0]
