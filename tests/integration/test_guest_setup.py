#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph guest-setup on trees that stand for guests: what it makes, twice, undone, stopped at each step, and led astray.

Usage: test_guest_setup.py SCAPH_GUEST_SETUP FAULT_LIBRARY. Prints TAP. Groups are made as root only.
"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

tap = Tap()
check = tap.check

FSTAB = "# by hand\nUUID=1234 / ext4 errors=remount-ro 0 1\n/dev/sr0\t/media/cdrom0\tudf,iso9660 user,noauto 0 0"
UNIT = "etc/systemd/system/var-scaphandre.mount"
WANTS = "etc/systemd/system/multi-user.target.wants/var-scaphandre.mount"
RULES = "etc/udev/rules.d/70-scaph.rules"
LIST = "var/lib/scaph/guest-setup"
EXPORTER = "usr/lib/systemd/system/scaph-exporter.service"


def put(path, text="", mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def text_of(path):
    with open(path) as file:
        return file.read()


class Image:
    """A system in a folder, and a sysfs beside it."""

    def __init__(self, program, library, work, systemd=True):
        self.program, self.library = program, library
        self.base = tempfile.mkdtemp(dir=work)
        self.root = os.path.join(self.base, "image")
        self.sysfs = os.path.join(self.base, "sysfs")
        put(self.path("etc/fstab"), FSTAB, 0o640)
        put(self.path("etc/group"), "root:x:0:\nusers:x:100:web\n")
        put(self.path("etc/gshadow"), "root:*::\nusers:*::\n", 0o640)
        os.makedirs(self.path("var/lib"))
        os.makedirs(self.sysfs)
        if systemd:
            put(self.path("usr/lib/systemd/systemd"), "", 0o755)
            put(self.path(EXPORTER), "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")

    def path(self, name):
        return os.path.join(self.root, name)

    def run(self, *words, fault=None):
        environment = dict(os.environ)
        if fault:
            environment |= {"LD_PRELOAD": self.library, "SCAPH_FAULT": fault}
        return subprocess.run([self.program, "--root", self.root, *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env=environment)

    def state(self):
        """All that is there: kind, mode, content. What the group's programs keep of the file before is theirs."""
        found = {}
        for folder, names, leaves in os.walk(self.root):
            for name in names + leaves:
                path = os.path.join(folder, name)
                if name in ("group-", "gshadow-", ".pwd.lock"):
                    continue
                if os.path.islink(path):
                    found[path] = os.readlink(path)
                elif path == self.path(LIST):
                    found[path] = True  # a folder for the list to lie in may be listed or not
                elif os.path.isfile(path):
                    found[path] = (text_of(path), os.stat(path).st_mode)
                else:
                    found[path] = None
        return found

    def virtio(self, number, kind, tag=None, bound=True):
        device = os.path.join(self.sysfs, f"bus/virtio/devices/virtio{number}")
        put(os.path.join(device, "device"), f"0x{kind:04x}\n")
        if bound:
            os.makedirs(os.path.join(device, "driver"))
        if tag:
            put(os.path.join(device, "mount_tag"), tag)

    def virtiofs_tag(self, number, tag):
        put(os.path.join(self.sysfs, f"fs/virtiofs/{number}/tag"), tag + "\n")

    def ivshmem(self, address):
        device = os.path.join(self.sysfs, "bus/pci/devices", address)
        put(os.path.join(device, "vendor"), "0x1af4\n")
        put(os.path.join(device, "device"), "0x1110\n")
        put(os.path.join(device, "resource2"), "\0" * (1 << 20), 0o600)
        return os.path.join(device, "resource2")


def refused(done, what, *wanted):
    """One line with each of these words, and nothing done."""
    good = done.returncode == 1 and len(done.stderr.splitlines()) == 1 and all(word in done.stderr for word in wanted)
    check(good, what, (done.returncode, done.stderr, done.stdout))


def bad_words(image):
    for what, wanted, words in (("an unknown option", "--bogus", ["--bogus"]), ("a stray word", "stray", ["stray"]),
                                ("a transport that is none", "nfs", ["--transport", "nfs"]),
                                ("two folders at once", "give one", ["--transport", "virtiofs", "--transport", "9p"]),
                                ("no device to see", "--transport", []),
                                *((f"--dir {dir!r}", "--dir", ["--transport", "9p", "--dir", dir])
                                  for dir in ("relative", "/", "/a/", "/a//b", "/a/../b", "/a/.", "/a\nb", "/a\\b", "/a ", "")),
                                *((f"--tag {tag!r}", "--tag", ["--transport", "9p", "--tag", tag])
                                  for tag in ("", "a\nb", "x" * 37, " a", "a\\"))):
        refused(image.run(*words), f"refused: {what}", wanted)
    done = subprocess.run([image.program, "--root", "/nix/da", "--transport", "9p"], capture_output=True, text=True)
    refused(done, "refused: a root that is not there", "/nix/da")


def systemd(image):
    before = image.state()
    shown = image.run("--transport", "virtiofs", "--exporter", "--dry-run")
    check(shown.returncode == 0 and image.state() == before and all(
        word in shown.stdout for word in ("Type=virtiofs", "What=scaph\n", "Where=/var/scaphandre", WANTS, "enable scaph-exporter",
                                          "nothing was done")), "--dry-run shows it all and does nothing", shown)
    done = image.run("--transport", "virtiofs", "--exporter")
    check(done.returncode == 0 and not done.stderr, "systemd: set up", done)
    check(os.readlink(image.path(WANTS)) == "/" + UNIT and "nofail" not in text_of(image.path("etc/fstab")),
          "by a unit that is wanted at each start, and fstab is left alone")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", image.path(UNIT)], capture_output=True, text=True)
    check(verified.returncode == 0 and not verified.stderr, "systemd finds nothing wrong with the unit", verified)
    enabled = os.path.lexists(image.path("etc/systemd/system/multi-user.target.wants/scaph-exporter.service"))
    check(enabled, "the exporter is enabled")
    after = image.state()
    again = image.run("--transport", "virtiofs", "--exporter")
    check(again.returncode == 0 and image.state() == after and "already" in again.stdout, "a second run changes nothing", again)
    listed = image.run("--undo", "--dry-run")
    check(image.state() == after and UNIT in listed.stdout, "--undo --dry-run only lists", listed)
    done = image.run("--undo")
    check(done.returncode == 0 and image.state() == before, "undone: as it was", (done, image.state()))
    check(image.run("--undo").returncode == 0, "undone twice")


def exporter_that_is_not_there(image):
    os.unlink(image.path(EXPORTER))
    before = image.state()
    refused(image.run("--transport", "virtiofs", "--exporter"), "no exporter's unit: refused", "not installed")
    check(image.state() == before, "and nothing done")


def escaped(image):
    """Names of units as systemd itself makes them."""
    for dir in ("/var/scaphandre", "/mnt/a b", "/.hidden/x.y", "/a-b/c_d:e", "/srv/100%", "/x/\"q'$(id);&", "/#h"):
        wanted = subprocess.run(["systemd-escape", "--path", "--suffix=mount", dir], capture_output=True, text=True,
                                check=True).stdout.strip()
        done = image.run("--transport", "9p", "--dir", dir, "--tag", "a %b")
        path = image.path("etc/systemd/system/" + wanted)
        good = done.returncode == 0 and os.path.exists(path)
        check(good and f"Where={dir.replace('%', '%%')}\n" in text_of(path) and "What=a %%b\n" in text_of(path),
              f"a unit for {dir}", done)
        if ":" not in dir:  # it reads what is behind a colon as another name
            verified = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
            check(verified.stderr == "", "which systemd takes", verified)
        image.run("--undo")


def fstab(image):
    before = image.state()
    done = image.run("--transport", "9p", "--dir", "/mnt/a b", "--tag", "a #b")
    text = text_of(image.path("etc/fstab"))
    check(done.returncode == 0 and text.startswith(FSTAB + "\n") and
          text.splitlines()[-1].split() == ["a\\040\\043b", "/mnt/a\\040b", "9p",
                                            "ro,nosuid,nodev,noexec,trans=virtio,version=9p2000.L,nofail", "0", "0"],
          "without systemd: a line behind those of others", (done, text))
    check(os.stat(image.path("etc/fstab")).st_mode & 0o777 == 0o640, "fstab keeps its mode")
    found = subprocess.run(["findmnt", "--tab-file", image.path("etc/fstab"), "-n", "-o", "SOURCE,FSTYPE", "--target", "/mnt/a b"],
                           capture_output=True, text=True).stdout.split()
    check(found == ["a", "#b", "9p"], "which libmount reads as it was meant", found)
    after = image.state()
    check(image.run("--transport", "9p", "--dir", "/mnt/a b", "--tag", "a #b").returncode == 0 and image.state() == after,
          "a second run changes nothing")
    image.run("--transport", "virtiofs", "--dir", "/mnt/a b")
    text = text_of(image.path("etc/fstab"))
    check(text.count("scaph guest-setup:") == 1 and "scaph /mnt/a\\040b virtiofs" in text, "another tag takes the line's place", text)
    with open(image.path("etc/fstab"), "a") as file:
        file.write("/dev/sdb /srv ext4 defaults 0 2\n")
    image.run("--undo")
    text = text_of(image.path("etc/fstab"))
    check(text == FSTAB + "\n/dev/sdb /srv ext4 defaults 0 2\n", "undone: what others wrote since stays", text)
    put(image.path("etc/fstab"), FSTAB, 0o640)
    check(image.state() == before, "and nothing else is left", image.state())
    by_hand = FSTAB + "\nscaph /var/scaphandre/ virtiofs ro 0 0\n"
    put(image.path("etc/fstab"), by_hand, 0o640)
    done = image.run("--transport", "virtiofs")
    check(done.returncode == 0 and text_of(image.path("etc/fstab")) == by_hand and "left as it is" in done.stderr,
          "an entry by hand is left as it is", done)
    image.run("--undo")
    check(text_of(image.path("etc/fstab")) == by_hand, "also by --undo")
    put(image.path("etc/fstab"), FSTAB, 0o640)


def led_astray(image, work):
    """Links out of the image, and things in the place of files."""
    outside = os.path.join(work, "outside")
    put(os.path.join(outside, "fstab"), "outside\n")
    os.unlink(image.path("etc/fstab"))
    os.symlink(os.path.join(outside, "fstab"), image.path("etc/fstab"))
    refused_at = image.run("--transport", "9p")
    check(refused_at.returncode == 1 and "/etc/fstab" in refused_at.stderr and
          text_of(os.path.join(outside, "fstab")) == "outside\n", "a link in fstab's place is refused", refused_at)
    check(not os.path.exists(image.path("var/scaphandre")), "and what was done before it is undone")
    os.unlink(image.path("etc/fstab"))
    os.mkfifo(image.path("etc/fstab"))
    check(image.run("--transport", "9p").returncode == 1, "a fifo in its place is refused, and waited for by nobody")
    os.unlink(image.path("etc/fstab"))
    put(image.path("etc/fstab"), FSTAB, 0o640)
    os.rmdir(image.path("var/lib"))
    os.symlink(outside, image.path("var/lib"))
    before = set(os.listdir(outside))
    image.run("--transport", "9p")
    check(set(os.listdir(outside)) == before, "a folder that links out of the image leads nowhere")
    os.unlink(image.path("var/lib"))
    os.mkdir(image.path("var/lib"))
    for text in ("garbage", "scaph guest-setup 1\nfile 0 /etc/passwd\n", "scaph guest-setup 1\nfile 00000000 relative\n",
                 "scaph guest-setup 1\n" + "folder 00000000 /x\n" * 100):
        put(image.path(LIST), text)
        refused(image.run("--undo"), f"a list that is none is refused: {text[:40]!r}", "guest-setup")
    shutil.rmtree(image.path("var/lib/scaph"))


def changed_since(image):
    image.run("--transport", "virtiofs")
    with open(image.path(UNIT), "a") as file:
        file.write("# mine\n")
    refused(image.run("--transport", "virtiofs"), "a unit that was changed is not written over", UNIT)
    done = image.run("--undo")
    check(done.returncode == 0 and os.path.exists(image.path(UNIT)) and "changed" in done.stderr and
          not os.path.lexists(image.path(WANTS)), "undone: it is left, with a note", done)
    os.unlink(image.path(UNIT))


def seen(make):
    """Devices as sysfs shows them."""
    def dry(image, *words):
        return image.run("--sysfs", image.sysfs, "--dry-run", *words)

    image = make()
    refused(dry(image), "no device: three causes", "scaph-vm enable", "shut it down and start it", "modprobe")
    image.virtio(0, 2)
    image.virtio(1, 9, bound=False)
    refused(dry(image), "a 9p device without its driver", "modprobe 9pnet_virtio")
    image = make()
    image.virtio(0, 9, "data")
    image.virtio(1, 26)
    image.virtiofs_tag(1, "home\x1b")
    refused(dry(image), "other tags are named", "data", "home\\x1b", "--tag")
    check("What=data\n" in dry(image, "--tag", "data").stdout, "--tag takes one of them")
    image.virtio(2, 9, "scaph9p")
    check("Type=9p\n" in dry(image).stdout, "9p by its tag", dry(image))
    image.virtiofs_tag(2, "scaph")
    check("Type=virtiofs\n" in dry(image).stdout, "virtiofs before 9p", dry(image))
    check("Type=9p\n" in dry(image, "--transport", "9p").stdout, "unless asked otherwise")
    image = make()
    image.virtio(0, 26)
    check("Type=virtiofs\n" in dry(image).stdout, "virtiofs under a kernel that shows no tags")


def ivshmem(make):
    image = make()
    resource = image.ivshmem("0000:00:05.0")
    before = image.state()
    if os.geteuid() != 0:
        return
    done = image.run("--sysfs", image.sysfs, "--exporter")
    check(done.returncode == 0 and "no figures yet" in done.stderr, "ivshmem: set up, and it is said that nothing is in it", done)
    gid = [int(line.split(":")[2]) for line in text_of(image.path("etc/group")).splitlines() if line.startswith("scaph:")]
    status = os.stat(resource)
    check(gid and status.st_gid == gid[0] and status.st_mode & 0o777 == 0o640, "the group is made, and may read the device", gid)
    rule = text_of(image.path(RULES))
    check('KERNEL=="0000:00:05.0"' in rule and "chgrp scaph" in rule, "by a rule for this device alone", rule)
    done = image.run("--undo")
    status = os.stat(resource)
    check(done.returncode == 0 and image.state() == before and status.st_gid == 0 and status.st_mode & 0o777 == 0o600,
          "undone: group, rule and right are gone", (done, image.state()))
    image.run("--sysfs", image.sysfs)
    group = text_of(image.path("etc/group"))
    put(image.path("etc/group"), group.replace("scaph:x:%d:" % gid[0], "scaph:x:%d:web" % gid[0]))
    done = image.run("--undo")
    check(done.returncode == 0 and "has members" in done.stderr and "scaph:" in text_of(image.path("etc/group")),
          "undone: a group with members stays", done)


def stopped_at_each_step(make):
    """Killed, it can be undone or gone on with; failing, it undoes itself."""
    for systemd in (True, False):
        image = make(systemd=systemd)
        before = image.state()
        image.run("--transport", "virtiofs")
        whole = image.state()
        image.run("--undo")
        # No step of a whole run is missed: the first number that disturbs nothing ends it.
        for what in ("kill", "fail"):
            step, wrong = 0, []
            while True:
                step += 1
                done = image.run("--transport", "virtiofs", fault=f"{what}:{step}")
                if done.returncode == 0 and image.state() == whole:
                    break
                if what == "fail" and (done.returncode != 1 or image.state() != before):
                    wrong.append((step, done, sorted(set(image.state()) ^ set(before))))
                if step % 2:
                    again = image.run("--transport", "virtiofs")
                    if again.returncode or image.state() != whole:
                        wrong.append((step, again, sorted(set(image.state()) ^ set(whole))))
                done = image.run("--undo")
                if done.returncode or image.state() != before:
                    wrong.append((step, done, sorted(set(image.state()) ^ set(before))))
                    break
            image.run("--undo")
            check(step > 10 and not wrong, f"{'systemd' if systemd else 'fstab'}: {what} at each of {step - 1} steps", wrong)


def changes_go_back(make):
    """A later run with other words that fails at any step leaves the earlier one's work as it was."""
    for systemd in (True, False):
        image = make(systemd=systemd)
        image.run("--transport", "virtiofs")
        before, wrong, step = image.state(), [], 0
        while True:
            step += 1
            done = image.run("--transport", "9p", fault=f"fail:{step}")
            if done.returncode == 0:
                break
            if image.state() != before:
                wrong.append((step, done, [one for one in before if image.state().get(one) != before[one]]))
        check(step > 3 and not wrong, f"{'systemd' if systemd else 'fstab'}: a change that fails at any of {step - 1} steps goes back", wrong)
        image.run("--undo")
        check(not os.path.exists(image.path(LIST)) and text_of(image.path("etc/fstab")) == FSTAB, "and can be undone")


def main():
    program, library = map(os.path.abspath, sys.argv[1:3])
    # Where fsync costs nothing.
    work = tempfile.mkdtemp(prefix="scaph-guest-setup-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        def make(systemd=True):
            return Image(program, library, work, systemd)

        bad_words(make())
        systemd(make())
        exporter_that_is_not_there(make())
        escaped(make())
        fstab(make(systemd=False))
        led_astray(make(systemd=False), work)
        changed_since(make())
        seen(make)
        ivshmem(make)
        stopped_at_each_step(make)
        changes_go_back(make)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tap.plan()


if __name__ == "__main__":
    main()
