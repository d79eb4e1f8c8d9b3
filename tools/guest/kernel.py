# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel package, downloaded and unpacked under the build folder, never installed."""

import glob
import os
import re
import subprocess

META_PACKAGE = "linux-image-amd64"


def _real_package():
    """The package that the meta-package stands for today."""
    for update_first in (False, True):
        if update_first:
            sudo = [] if os.geteuid() == 0 else ["sudo"]
            subprocess.run(sudo + ["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run(["apt-cache", "show", META_PACKAGE], capture_output=True, text=True)
        found = re.search(r"^Depends: (linux-image-\S+)", shown.stdout, re.M)
        if found:
            return found.group(1)
    raise RuntimeError(f"apt knows no {META_PACKAGE}: check /etc/apt/sources.list")


def fetch(cache):
    """Return (kernel image, module root, version), downloading into cache what is not there yet."""
    os.makedirs(cache, exist_ok=True)
    root = os.path.join(cache, "root")
    if not glob.glob(os.path.join(root, "boot", "vmlinuz-*")):
        package = _real_package()
        subprocess.run(["apt-get", "download", "-q", package], cwd=cache, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deb = glob.glob(os.path.join(cache, package + "_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
        os.unlink(deb)
    image = glob.glob(os.path.join(root, "boot", "vmlinuz-*"))[0]
    version = os.path.basename(image)[len("vmlinuz-"):]
    if not os.path.exists(os.path.join(root, "lib/modules", version, "modules.dep.bin")):
        subprocess.run(["depmod", "-b", root, version], check=True)
    return image, root, version
