# SPDX-License-Identifier: Apache-2.0
"""A whole Debian with systemd as its first process, under QEMU's emulation, and the project installed in it.

debootstrap makes it once, under the build folder, from the mirror that apt is configured for; a disk of it, made without a mount,
is then each test's own. A Machine owns its folder and its QEMU, and takes both away in close(). Commands go over a serial line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../../tools/guest")]
import initramfs  # noqa: E402
import kernel  # noqa: E402
from line import OBEY, Line, LineError  # noqa: E402

SUITE = "bookworm"
# What the programs are linked with comes along by these; nothing of what only builds.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "libpam-systemd", "kmod", "procps", "curl", "libcap-ng0", "libinih1", "libjansson4",
            "libmicrohttpd12", "liburcu8", "libvirt-daemon-system", "libvirt-daemon-driver-qemu", "libvirt-clients",
            "qemu-system-x86", "libxml2", "libuuid1", "libbpf1", "libsystemd0", "libacl1", "acl")
MODULES = ("virtio_pci", "virtio_blk", "ext4")
MODULES_LATER = ("msr", "autofs4", "virtio_rng", "fuse", "loop")
DISK_BYTES = 4 << 30
BOOT_S = 400

# The tiny init of the first moments: the disk's modules, then the disk's own init.
INIT = """#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules); do busybox insmod /lib/$module; done
busybox mkdir -p /new
busybox mount -t ext4 /dev/vda /new
busybox umount /proc
exec busybox switch_root /new /sbin/init
"""

LINE_SCRIPT = r"""#!/bin/bash
exec <>/dev/ttyS1 >&0 2>&1
stty raw -echo 115200
export LC_ALL=C
""" + OBEY.replace("@FILE@", "/run/line.output")
LINE_UNIT = """[Unit]
DefaultDependencies=no
After=sysinit.target
[Service]
Type=simple
ExecStart=/usr/local/libexec/test-line
StandardInput=null
Restart=always
[Install]
WantedBy=multi-user.target
"""
SILENT = ("serial-getty@ttyS0.service", "getty@tty1.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
          "fstrim.timer", "dpkg-db-backup.timer", "systemd-networkd-wait-online.service", "libvirt-guests.service")


def mirror():
    """The first Debian archive that apt is configured for."""
    shown = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
                           capture_output=True, text=True).stdout
    for line in shown.splitlines():
        uri, release = line.split()[:2]
        if release == SUITE and "security" not in uri:
            return uri.rstrip("/")
    return "http://deb.debian.org/debian"


def _put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def _take_modules(root, module_root, version):
    """Only what this machine can load: a tenth of Debian's."""
    target = f"{root}/lib/modules/{version}"
    source = f"{module_root}/lib/modules/{version}"
    os.makedirs(target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(f"{source}/{name}", target)
    for name in MODULES + MODULES_LATER:
        shown = subprocess.run(["modprobe", "--show-depends", "-d", module_root, "-S", version, name], capture_output=True,
                               text=True).stdout
        for line in shown.splitlines():
            if line.startswith("insmod "):
                place = os.path.relpath(line.split()[1], module_root)
                os.makedirs(os.path.dirname(f"{root}/{place}"), exist_ok=True)
                shutil.copy(f"{module_root}/{place}", f"{root}/{place}")
    subprocess.run(["depmod", "-b", root, version], check=True)


def base(cache):
    """The folder of a plain Debian, made once."""
    root = os.path.join(cache, "debian")
    if os.path.exists(os.path.join(root, "made")):
        return root
    shutil.rmtree(root, ignore_errors=True)
    debs = os.path.join(cache, "debs")
    os.makedirs(debs, exist_ok=True)
    with open(os.path.join(cache, "debootstrap.log"), "w") as log:
        subprocess.run(["debootstrap", f"--cache-dir={debs}", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, root,
                        mirror()], check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    shutil.rmtree(os.path.join(root, "var/cache/apt/archives"))
    shutil.rmtree(os.path.join(root, "var/lib/apt/lists"))
    _, module_root, version = kernel.fetch(cache)
    _take_modules(root, module_root, version)
    _put(root + "/etc/fstab", "/dev/vda / ext4 defaults 0 1\n")
    _put(root + "/etc/hostname", "machine\n")
    _put(root + "/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0o444)
    _put(root + "/usr/local/libexec/test-line", LINE_SCRIPT, 0o755)
    _put(root + "/etc/systemd/system/test-line.service", LINE_UNIT)
    wants = root + "/etc/systemd/system/multi-user.target.wants"
    os.makedirs(wants, exist_ok=True)
    os.symlink("/etc/systemd/system/test-line.service", wants + "/test-line.service")
    for unit in SILENT:
        os.symlink("/dev/null", f"{root}/etc/systemd/system/{unit}")
    # Its network needs a bridge and dnsmasq, and no domain here has one.
    for path in ("autostart/default.xml", "default.xml"):
        path = f"{root}/etc/libvirt/qemu/networks/{path}"
        if os.path.lexists(path):
            os.unlink(path)
    with open(os.path.join(root, "made"), "w"):
        pass
    return root


class Machine:
    def __init__(self, build, cache=None):
        """build: of the project, whose DESTDIR installation goes onto the disk."""
        self.build = os.path.abspath(build)
        self.cache = cache or os.path.join(self.build, "system")
        os.makedirs(self.cache, exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="scaph-system-")
        self.disk = os.path.join(self.work, "disk")
        self.console = os.path.join(self.work, "console.log")
        self.qemu = self.line = None

    def make_disk(self):
        """A plain Debian, and the project beside it, to be unpacked in it."""
        root, tree = os.path.join(self.work, "root"), os.path.join(self.work, "project")
        subprocess.run(["cp", "-a", "--reflink=auto", base(self.cache), root], check=True)
        log = os.path.join(self.build, "meson-logs/install-log.txt")
        kept = open(log).read() if os.path.exists(log) else None
        subprocess.run(["meson", "install", "-C", self.build, "--no-rebuild", "--quiet", "--destdir", tree], check=True,
                       stdout=subprocess.DEVNULL)
        with open(log) as file:
            installed = [line.strip()[len(tree):] for line in file if line.startswith(tree)]
        if kept is not None:
            _put(log, kept)
        # What ninja uninstall goes by, in its order: a folder after what is in it.
        _put(root + "/srv/test/installed", "\n".join(installed) + "\n")
        subprocess.run(["tar", "-C", tree, "-cf", root + "/srv/test/project.tar", "."], check=True)
        with open(self.disk, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", root, self.disk], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(root)
        shutil.rmtree(tree)

    def boot(self):
        """From power-on until all that is enabled has started, or failed to."""
        image, module_root, version = kernel.fetch(self.cache)
        initrd, sock = os.path.join(self.work, "initrd"), os.path.join(self.work, "line.sock")
        initramfs.build(initrd, module_root, version, {}, modules=MODULES, init=INIT)
        if os.path.exists(sock):
            os.unlink(sock)
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", "2048", "-nodefaults", "-display",
             "none", "-no-reboot", "-kernel", image, "-initrd", initrd, "-append",
             "console=ttyS0 quiet panic=-1 apparmor=0 systemd.show_status=0 random.trust_cpu=on",
             "-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe", "-device", "virtio-rng-pci",
             "-serial", f"file:{self.console}", "-chardev", f"socket,id=line,path={sock},server=on,wait=off",
             "-serial", "chardev:line"], stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 20
        while not os.path.exists(sock):
            if time.monotonic() > end or self.qemu.poll() is not None:
                raise LineError("QEMU did not start")
            time.sleep(0.05)
        self.line = Line(sock, lambda: self.qemu.poll() is None)
        self.line.await_ready(BOOT_S)
        return self.line.run_status("systemctl is-system-running --wait", BOOT_S)[1].strip()

    def reboot(self):
        """In order, until the machine lets go; then as after power-on."""
        self.line.run("systemctl --no-block reboot")
        self.qemu.wait(200)
        self.line.close()
        return self.boot()

    def run(self, command, seconds=120):
        return self.line.run(command, seconds)

    def run_status(self, command, seconds=120):
        return self.line.run_status(command, seconds)

    def close(self):
        if self.line:
            self.line.close()
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
