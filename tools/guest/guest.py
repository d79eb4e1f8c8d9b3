# SPDX-License-Identifier: Apache-2.0
"""A real tiny guest under QEMU: one share over virtiofs and 9p, an ivshmem device, commands over a serial line, and if asked
for one port of its own that this machine alone can reach.

Used by tests/vm and by the demo. A Guest owns its folder, its two tmpfs mounts, its ivshmem file and its processes, and
takes all of them away in close(), whatever happened.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid as uuids

import initramfs
import kernel
from line import Line, LineError

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
IVSHMEM_BYTES = 1 << 20
GUEST_ADDRESS, GUEST_PORT = "10.0.2.15", 8080
KVM_DEADLINE_S = 10
TCG_DEADLINE_S = 120


GuestError = LineError


class Guest:
    def __init__(self, build, cache=None, verbose=False, programs=None, port=None):
        """programs: further ones for its /bin, by name; port: this machine's, which leads to the guest's GUEST_PORT."""
        self.build = os.path.abspath(build)
        self.cache = cache or os.path.join(self.build, "guest")
        self.verbose = verbose
        self.programs = programs or {}
        self.port = port
        self.uuid = str(uuids.uuid4())
        self.work = tempfile.mkdtemp(prefix="scaph-guest-")
        self.share_root = os.path.join(self.work, "shares")
        self.share = os.path.join(self.share_root, self.uuid)
        self.out = os.path.join(self.work, "out")
        self.ivshmem = f"/dev/shm/scaph-{self.uuid}"
        self.processes = []
        self.mounted = False
        self.line = None
        self.qemu = None
        self.virtiofsd = None
        self.accel = None

    def say(self, text):
        if self.verbose:
            print(text, flush=True)

    def _start(self, *command, **options):
        log = open(os.path.join(self.work, os.path.basename(command[0]) + ".log"), "ab")
        # A process group of its own: a Ctrl-C on the terminal is ours to act on, in order.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, **options)
        log.close()
        self.processes.append(process)
        return process

    def _prepare(self):
        os.makedirs(self.share)
        os.mkdir(self.out)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755,nosuid,nodev,noexec", "scaph", self.share],
                       check=True)
        self.mounted = True
        with open(self.ivshmem, "xb") as file:
            os.posix_fallocate(file.fileno(), 0, IVSHMEM_BYTES)
        image, root, version = kernel.fetch(self.cache)
        self.say(f"kernel {version}, from Debian's package")
        initrd = os.path.join(self.work, "initrd")
        initramfs.build(initrd, root, version, {"scaph": os.path.join(self.build, "consumer/scaph-static"), **self.programs})
        return image, initrd

    def _network(self):
        """User networking that leads in, by one port of this machine's loopback, and not out."""
        if not self.port:
            return []
        way = f"hostfwd=tcp:127.0.0.1:{self.port}-{GUEST_ADDRESS}:{GUEST_PORT}"
        return ["-netdev", f"user,id=net,restrict=on,{way}", "-device", "virtio-net-pci,netdev=net,romfile="]

    def _boot(self, image, initrd, accel, deadline_s):
        paths = {name: os.path.join(self.work, name) for name in ("vfs.sock", "line.sock", "console.log")}
        for name in ("vfs.sock", "line.sock"):
            if os.path.exists(paths[name]):
                os.unlink(paths[name])
        self.virtiofsd = self._start(VIRTIOFSD, "-f", f"--socket-path={paths['vfs.sock']}", "-o", f"source={self.share}")
        self._await(lambda: os.path.exists(paths["vfs.sock"]), 10, "virtiofsd made no socket")
        self.qemu = self._start(
            "qemu-system-x86_64", "-machine", f"q35,accel={accel},memory-backend=mem", "-cpu",
            "host" if accel == "kvm" else "max", "-m", "512", "-smp", "2", "-nodefaults", "-display", "none",
            "-no-reboot", "-object", "memory-backend-memfd,id=mem,size=512M,share=on",
            "-kernel", image, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1",
            "-serial", f"file:{paths['console.log']}",
            "-chardev", f"socket,id=line,path={paths['line.sock']},server=on,wait=off", "-serial", "chardev:line",
            "-chardev", f"socket,id=vfs,path={paths['vfs.sock']}",
            "-device", "vhost-user-fs-pci,chardev=vfs,tag=scaph",
            "-fsdev", f"local,id=p9,path={self.share},security_model=none,readonly=on",
            "-device", "virtio-9p-pci,fsdev=p9,mount_tag=scaph9p",
            "-fsdev", f"local,id=out,path={self.out},security_model=none",
            "-device", "virtio-9p-pci,fsdev=out,mount_tag=out",
            "-object", f"memory-backend-file,id=ivm,size=1M,mem-path={self.ivshmem},share=on",
            "-device", "ivshmem-plain,memdev=ivm", *self._network())
        self._await(lambda: os.path.exists(paths["line.sock"]) or self.qemu.poll() is not None, 10, "QEMU did not start")
        self.line = Line(paths["line.sock"], lambda: self.qemu.poll() is None)
        self.line.await_ready(deadline_s)
        self.accel = accel

    def _await(self, condition, seconds, message):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise GuestError(message)
            time.sleep(0.02)

    def boot(self, try_kvm=False):
        """Boot: KVM first if asked to and there, else emulation. Mounts the share both ways."""
        image, initrd = self._prepare()
        if try_kvm and os.access("/dev/kvm", os.R_OK | os.W_OK):
            self.say(f"trying KVM for {KVM_DEADLINE_S} s")
            try:
                self._boot(image, initrd, "kvm", KVM_DEADLINE_S)
            except (GuestError, OSError) as error:
                self.say(f"KVM does not work here ({error}); emulating")
                self._stop_processes()
        if not self.accel:
            self._boot(image, initrd, "tcg", TCG_DEADLINE_S)
        self.run("mount -t virtiofs scaph /virtiofs")
        self.run("mount -t 9p -o ro,trans=virtio,version=9p2000.L scaph9p /9p")
        self.run("mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 out /out")
        found = self.run("for d in /sys/bus/pci/devices/*; do "
                         "[ $(cat $d/vendor) = 0x1af4 ] && [ $(cat $d/device) = 0x1110 ] && basename $d; done; true")
        self.pci = found.strip()
        if self.port:
            self.run(f"ifconfig lo 127.0.0.1 up; ifconfig eth0 {GUEST_ADDRESS} netmask 255.255.255.0 up")

    def run_status(self, command, seconds=60):
        """Run a shell command in the guest: (exit status, output)."""
        return self.line.run_status(command, seconds)

    def run(self, command, seconds=60):
        """Run a shell command in the guest that must succeed; returns its output."""
        return self.line.run(command, seconds)

    def start(self, *command):
        """Start a program on the host that ends with the guest; log_of() has what it said."""
        return self._start(*command)

    def scaphd(self, *options):
        """Start the daemon on the host with this guest as its only domain."""
        command = [os.path.join(self.build, "producer/scaphd"), "--source", "model", "--model-watts", "12:85",
                   "--domain", f"guest@{self.uuid}=pid:{self.qemu.pid}", "--share-root", self.share_root,
                   "--state-dir", os.path.join(self.work, "state"), "--host-dir", self.host_dir,
                   "--libvirt", "none", *options]
        return self._start(*command)

    @property
    def host_dir(self):
        return os.path.join(self.work, "host")

    def log_of(self, program):
        path = os.path.join(self.work, program + ".log")
        with open(path, errors="replace") as file:
            return file.read()

    def stop(self, process):
        """End one of our processes; a stopped one is let go on first, or it could not hear."""
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def _stop_processes(self):
        for process in reversed(list(self.processes)):
            self.stop(process)
        if self.line:
            self.line.close()
            self.line = None

    def close(self):
        self._stop_processes()
        if self.mounted:
            subprocess.run(["umount", self.share], check=False)
            self.mounted = False
        if os.path.exists(self.ivshmem):
            os.unlink(self.ivshmem)
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
