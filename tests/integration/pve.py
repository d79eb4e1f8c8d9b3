#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qm and pvesh of Proxmox VE, as far as scaph-vm calls them: called by one of these names, over the files beneath FAKE_PVE.

Not Proxmox: it does to the files what qm(1) and the source of qemu-server say. Of a machine that runs, devices become pending.
FAKE_PVE_FAIL=N: the Nth call fails, before it has done anything, or with FAKE_PVE_FAIL=N+ after it.
"""

import os
import re
import sys

ROOT = os.environ["FAKE_PVE"]


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def write(path, text):
    with open(os.path.join(ROOT, path), "w") as file:
        file.write(text)


def call():
    """How many there have been, this one among them."""
    try:
        number = int(read("calls")) + 1
    except FileNotFoundError:
        number = 1
    write("calls", str(number))
    with open(os.path.join(ROOT, "log"), "a") as file:
        file.write(" ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\n")
    return number


def sections(text):
    """Those of a file, the first without a name; each a list of lines."""
    found, name = {"": []}, ""
    for line in text.splitlines():
        if re.match(r"\[.*\]$", line):
            name = line
            found[name] = []
        elif line:
            found[name].append(line)
    return found


def qm(words):
    if words[0] != "set" or len(words) != 4:
        sys.exit("400 unexpected: " + " ".join(words))
    path = f"qemu-server/{words[1]}.conf"
    parts = sections(read(path))
    running = os.path.exists(os.path.join(ROOT, f"run/{words[1]}.pid"))
    if any(line.startswith("lock:") for line in parts[""]):
        sys.exit("VM is locked")
    key = words[3] if words[2] == "--delete" else words[2].lstrip("-")
    if words[2] == "--delete":
        if running and any(line.startswith(key + ":") for line in parts[""]):
            parts.setdefault("[PENDING]", []).append("delete: " + key)
        lines = parts["[PENDING]"] if running and "[PENDING]" in parts else parts[""]
        lines[:] = [line for line in lines if not line.startswith(key + ":")]
    else:
        if key.startswith("virtiofs"):
            known(words[3].split(",")[0].replace("dirid=", ""))
        lines = parts.setdefault("[PENDING]", []) if running else parts[""]
        lines[:] = sorted([line for line in lines if not line.startswith(key + ":")] + [f"{key}: {words[3]}"])
    text = "\n".join(parts.pop("")) + "\n"
    for name in sorted(parts, key=lambda name: name != "[PENDING]"):
        if parts[name]:
            text += f"\n{name}\n" + "\n".join(parts[name]) + "\n"
    write(path, text)


def known(mapping):
    if mapping not in read("mapping/directory.cfg").splitlines():
        sys.exit(f"no such directory mapping '{mapping}'")


def pvesh(words):
    text = read("mapping/directory.cfg")
    if words[:2] == ["create", "/cluster/mapping/dir"]:
        options = dict(zip(words[2::2], words[3::2]))
        folder = re.search(r"path=(.*)", options["--map"]).group(1)
        if not os.path.isdir(folder):
            sys.exit(f"Path {folder} does not exist")
        if options["--id"] in text.splitlines():
            sys.exit("dir ID already defined")
        write("mapping/directory.cfg", f"{text}{options['--id']}\n\tmap {options['--map']}\n\n")
    elif words[0] == "delete":
        name = words[1].rsplit("/", 1)[1]
        known(name)
        write("mapping/directory.cfg", re.sub(rf"^{re.escape(name)}\n(\t.*\n)*\n?", "", text, flags=re.M))
    else:
        sys.exit("unexpected: " + " ".join(words))


def main():
    fail = os.environ.get("FAKE_PVE_FAIL", "0")
    number = call()
    if fail == str(number):
        sys.exit("500 got no response")
    {"qm": qm, "pvesh": pvesh}[os.path.basename(sys.argv[0])](sys.argv[1:])
    if fail == f"{number}+":
        sys.exit("500 got timeout")


if __name__ == "__main__":
    main()
