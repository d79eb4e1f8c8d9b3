# SPDX-License-Identifier: Apache-2.0
"""A real libvirtd of our own with tiny guests, in a mount namespace where nothing of the machine's libvirt is seen.

Everything lies in one folder; libvirtd's own places are mounted over, so that whatever happens all of it is gone with the namespace.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid as uuids

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/guest"))
import initramfs  # noqa: E402
import kernel  # noqa: E402
from line import Line  # noqa: E402

PLACES = ("/etc/libvirt", "/run/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt")
BOOT_S = 150

QEMU_CONF = """
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
"""
LIBVIRTD_CONF = """
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:stderr"
"""


def enter_namespace():
    """Begin this program anew in a mount namespace of its own."""
    if os.environ.get("SCAPH_LIBVIRT_NAMESPACE"):
        return
    os.environ["SCAPH_LIBVIRT_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])


def ready():
    """Whether it can run here, in a namespace of its own from now on; else the plan says why not."""
    why = missing()
    if why:
        print(f"1..0 # skip: {why}")
        return False
    enter_namespace()
    return True


def missing():
    """Why it cannot run here, or None."""
    if os.geteuid() != 0:
        return "libvirtd, its guests and their shares need root"
    for program in ("libvirtd", "virsh", "qemu-system-x86_64"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            return f"{program} is not installed"
    return None


class Domain:
    """One guest's definition, share, and line. Its name may be anything libvirt accepts.

    Without a kernel it is a machine that finds nothing to boot: for those who ask libvirt only. shmem: the name of a shared
    memory device, if not its own. share: it has the share that an operator would have made by hand.
    """

    def __init__(self, virt, name, ivshmem=False, plan9=True, vcpus=1, shmem=None, share=True):
        self.virt = virt
        self.name = name
        self.uuid = str(uuids.uuid4())
        self.share = os.path.join(virt.share_root, self.uuid)
        self.socket = os.path.join(virt.work, self.uuid + ".sock")
        self.shmem = shmem or f"scaph-{self.uuid}"
        self.plan9 = plan9
        self.vcpus = vcpus
        self.line = None
        self.ivshmem = f"/dev/shm/{self.shmem}" if ivshmem else None
        self.by_hand = share
        if share:
            os.makedirs(self.share)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755,nosuid,nodev,noexec", "scaph", self.share],
                           check=True)
        if self.ivshmem:
            with open(self.ivshmem, "xb") as file:
                os.posix_fallocate(file.fileno(), 0, 1 << 20)

    def xml(self):
        devices = ""
        if self.plan9:
            devices += (f"<filesystem type='mount' accessmode='passthrough'><source dir='{self.share}'/>"
                        "<target dir='scaph9p'/><readonly/></filesystem>")
        if self.ivshmem:
            devices += (f"<shmem name='{self.shmem}' role='master'><model type='ivshmem-plain'/>"
                        "<size unit='M'>1</size></shmem>")
        boot = (f"<kernel>{self.virt.image}</kernel><initrd>{self.virt.initrd}</initrd>"
                "<cmdline>console=ttyS0 quiet panic=-1</cmdline>" if self.virt.image else "")
        memory = 192 if boot else 32
        name = self.name.replace("&", "&amp;").replace("<", "&lt;").replace("\t", "&#9;").replace("\r", "&#13;")
        return (f"<domain type='qemu'><name>{name}</name><uuid>{self.uuid}</uuid>"
                f"<memory unit='MiB'>{memory}</memory><vcpu>{self.vcpus}</vcpu>"
                "<os><type arch='x86_64' machine='q35'>hvm</type>"
                f"{boot}</os><features><acpi/></features><cpu mode='maximum'/>"
                "<on_reboot>restart</on_reboot><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
                "<controller type='usb' model='none'/><memballoon model='none'/>"
                f"<serial type='file'><source path='{self.virt.work}/{self.uuid}.console'/><target port='0'/></serial>"
                f"<serial type='unix'><source mode='bind' path='{self.socket}'/><target port='1'/></serial>"
                f"{devices}</devices></domain>")

    def write_xml(self):
        path = os.path.join(self.virt.work, self.uuid + ".xml")
        with open(path, "w") as file:
            file.write(self.xml())
        return path

    def define(self):
        self.virt.virsh("define", self.write_xml())

    def create(self):
        """Run it without a definition that outlives it."""
        self.virt.virsh("create", self.write_xml())

    def start(self):
        """Its line is connected at once: QEMU throws away what a guest says to nobody."""
        self.virsh("start")
        self.connect()

    def connect(self):
        self.close_line()
        end = time.monotonic() + 10
        while not self.line:
            try:
                self.line = Line(self.socket)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def close_line(self):
        if self.line:
            self.line.close()
        self.line = None

    def await_ready(self):
        """Until it has booted."""
        self.line.await_ready(BOOT_S)

    def mount(self):
        """Make its share readable inside; returns what scaph takes as path."""
        if self.plan9:
            self.line.run("mount -t 9p -o ro,trans=virtio,version=9p2000.L scaph9p /9p")
            return "/9p"
        return self.line.run("for d in /sys/bus/pci/devices/*; do [ $(cat $d/vendor) = 0x1af4 ] && "
                             "[ $(cat $d/device) = 0x1110 ] && basename $d; done; true").strip()

    def virsh(self, command, *words):
        return self.virt.virsh(command, self.uuid, *words)

    def pid(self):
        """Its QEMU, found without libvirt and by nothing but its command line; None: there is none."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if "qemu-system" in words[0].decode(errors="replace") and self.uuid.encode() in words:
                return int(entry)
        return None

    def kill(self):
        """End its QEMU; returns once it is gone."""
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
        while pid and os.path.exists(f"/proc/{pid}"):
            time.sleep(0.01)

    def release(self):
        """What it took of this machine."""
        self.close_line()
        if self.ivshmem and os.path.exists(self.ivshmem):
            os.unlink(self.ivshmem)
        if self.by_hand:
            subprocess.run(["umount", "-l", self.share], check=False)


class Virt:
    """libvirtd; build: the folder with the programs that its guests are given, None: they boot nothing; programs: more of them."""

    def __init__(self, build=None, start=True, programs=None):
        self.programs = programs or {}
        self.work = tempfile.mkdtemp(prefix="scaph-libvirt-", dir="/dev/shm")
        self.share_root = os.path.join(self.work, "shares")
        self.domains = []
        self.libvirtd = None
        self.image = None
        os.mkdir(self.share_root)
        try:
            self._prepare(build)
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    def _prepare(self, build):
        if build:
            self.image, root, version = kernel.fetch(os.path.join(build, "guest"))
            self.initrd = os.path.join(self.work, "initrd")
            initramfs.build(self.initrd, root, version, {
                "scaph": os.path.join(build, "consumer/scaph-static"),
                "scaph-guest-setup": os.path.join(build, "consumer/scaph-guest-setup"), **self.programs})
        for place in PLACES:
            os.makedirs(place, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "scaph-test", place], check=True)
        for name, text in (("qemu.conf", QEMU_CONF), ("libvirtd.conf", LIBVIRTD_CONF)):
            with open(os.path.join("/etc/libvirt", name), "w") as file:
                file.write(text)

    def start(self, wait=True):
        log = open(os.path.join(self.work, "libvirtd.log"), "ab")
        # Its usual PID file lies outside of what is mounted over, and is locked by the machine's own.
        self.libvirtd = subprocess.Popen(["libvirtd", "-p", "/run/libvirt/libvirtd.pid"],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        log.close()
        if wait:
            self.wait()

    def wait(self):
        """Until it answers."""
        end = time.monotonic() + 30
        while subprocess.run(["virsh", "-c", "qemu:///system", "list"], capture_output=True).returncode:
            if time.monotonic() > end or self.libvirtd.poll() is not None:
                with open(os.path.join(self.work, "libvirtd.log"), errors="replace") as file:
                    raise RuntimeError("libvirtd did not start: " + file.read()[-2000:])
            time.sleep(0.1)

    def kill(self):
        self.libvirtd.kill()
        self.libvirtd.wait()

    def virsh(self, *words, check=True):
        done = subprocess.run(["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"virsh {' '.join(words)}: {done.stderr}")
        return done.stdout

    def domain(self, *arguments, **options):
        domain = Domain(self, *arguments, **options)
        self.domains.append(domain)
        domain.define()
        return domain

    def close(self):
        """Whatever state it is in: a QEMU outlives both its libvirtd and this namespace."""
        for domain in self.domains:
            domain.kill()
        if self.libvirtd:
            self.kill()
        for domain in self.domains:
            domain.release()
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
