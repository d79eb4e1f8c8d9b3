# SPDX-License-Identifier: Apache-2.0
"""The tiny guest's root: busybox, our static programs, the modules its devices need, and an init that obeys a serial line."""

import os
import re
import shutil
import subprocess
import tempfile

from line import OBEY

MODULES = ("virtio_pci", "virtio_net", "virtiofs", "9p", "9pnet_virtio")
BUSYBOX = "/bin/busybox"

# Commands come one a line on the second serial port; output and exit status go back between marks.
INIT = """#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
busybox --install -s /bin
mkdir -p /tmp /virtiofs /9p /out
mount -t tmpfs tmp /tmp
for module in $(cat /modules); do insmod /lib/$module || echo "insmod $module failed"; done
exec <>/dev/ttyS1 >&0 2>&1
stty -F /dev/ttyS1 raw -echo 115200
""" + OBEY.replace("@FILE@", "/tmp/.output")


def _modules(root, version, names):
    """Module files in the order in which they must be loaded."""
    files = []
    for name in names:
        shown = subprocess.run(["modprobe", "--show-depends", "-d", root, "-S", version, name],
                               capture_output=True, text=True, check=True)
        for line in shown.stdout.splitlines():
            words = line.split()
            if words[0] == "insmod" and words[1] not in files:
                files.append(words[1])
    return files


def _libraries(program):
    """What a program is linked with here, the loader among it; nothing for a static one."""
    shown = subprocess.run(["ldd", program], capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", shown.stdout)


def build(path, module_root, version, programs, modules=MODULES, init=INIT):
    """Write the initramfs; programs maps the name in the guest's /bin to a program here, whose libraries go along."""
    with tempfile.TemporaryDirectory() as tree:
        for folder in ("bin", "lib", "proc", "sys", "dev"):
            os.mkdir(os.path.join(tree, folder))
        shutil.copy(BUSYBOX, os.path.join(tree, "bin/busybox"))
        os.symlink("busybox", os.path.join(tree, "bin/sh"))
        for name, source in programs.items():
            shutil.copy(source, os.path.join(tree, "bin", name))
            for library in _libraries(source):
                os.makedirs(tree + os.path.dirname(library), exist_ok=True)
                shutil.copy(library, tree + library)
        loaded = _modules(module_root, version, modules)
        for module in loaded:
            shutil.copy(module, os.path.join(tree, "lib"))
        with open(os.path.join(tree, "modules"), "w") as file:
            file.write("\n".join(os.path.basename(m) for m in loaded) + "\n")
        with open(os.path.join(tree, "init"), "w") as file:
            file.write(init)
        os.chmod(os.path.join(tree, "init"), 0o755)
        names = subprocess.run(["find", ".", "-print0"], cwd=tree, capture_output=True, check=True)
        with open(path, "wb") as file:
            subprocess.run(["cpio", "-o0", "-H", "newc", "--quiet"], cwd=tree, input=names.stdout, stdout=file,
                           check=True)
