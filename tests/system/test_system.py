#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The services in a whole Debian with systemd as its first process: they start, their sandboxes hold, watts are read, what hangs is
started again, a reboot keeps what it should, and nothing is left when all is taken away.

Usage: test_system.py BUILD_DIR. Prints TAP. Needs root (debootstrap, the disk's owners). Some minutes: only in make test-long.
"""

import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), HERE]
import machine as machines  # noqa: E402
from tap import Tap  # noqa: E402

WEB, LOAD = (f"6ba7b810-9dad-11d1-80b4-00c04fd430c{i}" for i in (1, 2))
SHARES, EXPORTS = "/var/lib/libvirt/scaphandre", "/var/lib/scaph/export"
DOMAIN = ("<domain type=\"qemu\"><name>web</name><uuid>{}</uuid><memory unit=\"MiB\">64</memory><vcpu>1</vcpu><os><type arch=\"x86_64\" "
          "machine=\"pc\">hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>").format(WEB)
CONFIG = ["[scaphd]", "source = model", "model-watts = 12:85", "profile = *=trusted",
          f"domain = load@{LOAD}=cgroup:system.slice/load.service"]
# A domain of the configuration has to be there when scaphd begins.
LOAD_UNIT = ["[Unit]", "Before=scaphd.service", "[Service]", "ExecStart=sh -c \"while :; do :; done\"", "[Install]",
             "WantedBy=multi-user.target"]
# What a purge does by hand, as README has it.
GOODBYE = "scaph-vm disable --yes web; systemctl disable --now scaphd scaph-exporter scaph-shares scaph-auto.path"
LEFTOVERS = ("rm -rf /etc/scaph /etc/default/scaph-exporter /var/lib/scaph /run/scaph /run/scaphd; rmdir " + SHARES +
             "; userdel scaphd; groupdel scaph; systemctl daemon-reload")
tap = Tap()
check = tap.check


def properties(machine, unit, *names):
    shown = machine.run(f"systemctl show {unit} " + " ".join(f"-p {name}" for name in names))
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def journal(machine, unit):
    return machine.run(f"journalctl -b -u {unit} -o cat --no-pager | tail -30")


def await_it(machine, command, seconds=60):
    """Until it succeeds: whether it did."""
    end = time.monotonic() + seconds
    while machine.run_status(command)[0]:
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def figures(machine, path, user=None, lines=2):
    """The last line of scaph json on a segment; None: there is none."""
    status, said = machine.run_status(f"{f'setpriv {user} ' if user else ''}scaph json -s 0.5 -n {lines} --wait 20 --timeout 40 "
                                      f"--path {path}", 90)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return rows[-1] if status == 0 and rows else None


def tree(machine):
    """Everything on the disk but what lives by itself, and what users and units there are."""
    machine.run("find / -xdev \\( -path /var/log -o -path /tmp -o -path /var/tmp -o -path /var/cache -o -path /srv/test -o -path /root -o -path /run "
                "-o -path /proc -o -path /sys -o -path /dev -o -path /var/lib/libvirt/qemu -o -path /var/lib/systemd "
                "-o -path /etc/libvirt/qemu \\) -prune -o -print | sort >/srv/test/tree")
    return set(machine.run("cat /srv/test/tree /etc/passwd /etc/group /etc/shadow | cut -d: -f1,4").splitlines())


def install(machine):
    """As README has it after make install."""
    before = tree(machine)
    machine.run("tar -C / --no-same-owner --keep-directory-symlink -xf /srv/test/project.tar && ldconfig")
    machine.run("systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload")
    check(machine.run("id -gn scaphd").strip() == "scaph", "the user is made, in the group")
    return before


def refused(machine):
    """A host without counters: told once, in words that mend it."""
    check(machine.run_status("systemctl start scaphd")[0] != 0, "without a counter scaphd does not start")
    said = journal(machine, "scaphd")
    check("--source model" in said or "by name" in said, "and its log says what mends that", said)
    machine.run("systemctl stop scaphd; systemctl reset-failed scaphd; true")


def configure(machine):
    machine.run("mkdir -p /etc/scaph")
    for line in CONFIG:
        machine.run(f"echo '{line}' >>/etc/scaph/scaphd.conf")
    for line in LOAD_UNIT:
        machine.run(f"echo '{line}' >>/etc/systemd/system/load.service")
    machine.run("systemctl daemon-reload; systemctl enable --now load")
    machine.run(f"echo '{DOMAIN}' >/srv/test/web.xml; virsh define /srv/test/web.xml && virsh dumpxml --inactive web >/srv/test/before.xml")


def services(machine):
    status, said = machine.run_status("systemctl enable --now scaphd scaph-exporter scaph-shares")
    check(status == 0, "all three start, scaphd with the usual configuration file", said + journal(machine, "scaphd"))
    shown = properties(machine, "scaphd", "Type", "ActiveState", "StatusText", "User", "WatchdogUSec")
    check(shown["ActiveState"] == "active" and re.match("1 domain, window 20 ms, source model", shown["StatusText"]),
          "scaphd says that it is ready, and what it does", shown)
    check(machine.run("systemctl --failed --no-legend --plain").strip() == "", "no unit has failed")
    for unit, most in (("scaphd", 2.0), ("scaph-exporter", 1.5)):
        shown = machine.run(f"systemd-analyze security {unit} --no-pager | grep Overall")
        check(float(shown.split(":")[1].split()[0]) <= most, f"running, {unit}'s exposure is at most {most}: {shown.strip()}")


def sandbox(machine):
    """What a thread of either could do if it were somebody else's."""
    states = machine.run("cat /proc/$(pidof scaphd)/task/*/status")
    sets = set(re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\t(\w+)", states, re.M))
    check(sets == {"0" * 16}, "no thread of scaphd has a capability left", sets)
    check(set(re.findall(r"^NoNewPrivs:\t(\d)", states, re.M)) == {"1"} and set(re.findall(r"^Seccomp:\t(\d)", states, re.M)) == {"2"},
          "nor gets one, nor leaves its filter of system calls")
    users = machine.run("ps -o user= -C scaphd; ps -o user= -C scaph-prometheus").split()
    check(users[0] == "scaphd" and "root" not in users, "neither is root", users)
    # Root, put in its place: it is the mounts that refuse, not only the owners.
    for folder in ("/etc", "/usr", "/opt", "/var/lib", "/var/lib/libvirt", "/boot"):
        touch = f"touch {folder}/written && rm {folder}/written"
        check(machine.run_status(touch)[0] == 0 and machine.run_status(f"nsenter -t $(pidof scaphd) -m sh -c '{touch}'")[0] != 0,
              f"in its place not even root writes to {folder}")
    machine.run("touch /home/seen")
    check("seen" not in machine.run_status("nsenter -t $(pidof scaphd) -m ls /home")[1], "nor sees homes")
    machine.run("rm /home/seen")
    links = machine.run("nsenter -t $(pidof scaphd) -n ip -o link 2>/dev/null || nsenter -t $(pidof scaphd) -n cat /proc/net/dev | tail -n +3")
    check(links.count("\n") <= 1 and "lo" in links, "scaphd has no network", links)
    for unit in ("scaphd", "scaph-exporter"):
        allowed = properties(machine, unit, "SystemCallFilter")["SystemCallFilter"].split()
        check(len(allowed) > 100 and not {"ptrace", "mount", "setuid", "init_module", "keyctl"} & set(allowed),
              f"{unit} may neither trace, mount, load a module nor change its user")


def meter(machine):
    """The exact meter loads in the sandbox, with the unit's own capabilities."""
    machine.run("sed -i /^domain/d /etc/scaph/scaphd.conf; echo 'meter = bpf' >>/etc/scaph/scaphd.conf")
    check(machine.run_status("systemctl restart scaphd")[0] == 0, "in its sandbox scaphd loads the meter bpf", journal(machine, "scaphd"))
    check("meter bpf" in properties(machine, "scaphd", "StatusText")["StatusText"], "and says so")
    machine.run(f"sed -i /^meter/d /etc/scaph/scaphd.conf; echo '{CONFIG[-1]}' >>/etc/scaph/scaphd.conf")
    machine.run("systemctl restart scaphd")
    # The msr driver stands for a host with registers: what they say here is nothing, and that is found out by reading them.
    said = machine.run("systemd-run --wait --pipe -q -p User=scaphd -p Group=scaph -p DevicePolicy=closed -p 'DeviceAllow=char-cpu/msr r' "
                       "-p 'AmbientCapabilities=CAP_SYS_RAWIO CAP_DAC_READ_SEARCH' head -c 8 /dev/cpu/0/msr 2>&1 | cat")
    check("ermission" not in said and "not permitted" not in said, "with its two capabilities its user opens an MSR file", said)


def shares(machine):
    """A share that comes while scaphd runs, in its mount namespace; real libvirt, a real QEMU of libvirt's own user."""
    status, said = machine.run_status("scaph-vm enable --yes --transport 9p --transport ivshmem web", 200)
    check(status == 0, "scaph-vm enables a domain", said)
    status, said = machine.run_status("virsh start web", 200)
    check(status == 0, "which starts", said)
    row = figures(machine, f"{EXPORTS}/{WEB}")
    check(row and row["uuid"] == WEB and row["power_w"] > 0 and row["profile"] == "trusted",
          f"and its share, mounted after scaphd began, has its watts: {row and row['power_w']}", journal(machine, "scaphd"))
    row = figures(machine, f"/dev/shm/scaph-{WEB}")
    check(row and row["power_w"] > 0, "and so has the file behind its ivshmem device, which is QEMU's", journal(machine, "scaphd"))
    check(": good" in machine.run_status("scaph-vm check web")[1], "scaph-vm check finds nothing")
    owner = machine.run(f"stat -c '%U %G %a' {SHARES}/{WEB}/scaph.ring /dev/shm/scaph-{WEB}").split("\n")
    check(owner[0] == "scaphd root 640" and owner[1].startswith("libvirt-qemu"), "the segment is scaphd's, the file stays QEMU's", owner)
    # A share by hand, for a domain of the configuration.
    machine.run(f"mkdir {SHARES}/{LOAD}; echo 'scaph {SHARES}/{LOAD} tmpfs size=1m,mode=755,uid=scaphd,nosuid,nodev,noexec 0 0' >>/etc/fstab; "
                f"systemctl daemon-reload; mount {SHARES}/{LOAD}")
    row = figures(machine, f"{SHARES}/{LOAD}")
    check(row and row["power_w"] > 5, f"and so has one that was mounted by hand: {row and row['power_w']}", journal(machine, "scaphd"))


def host_figures(machine):
    """Root and the group see every domain; nobody else does."""
    check(figures(machine, f"/run/scaph/host/{LOAD}.ring", "--reuid nobody --regid nogroup --groups scaph"), "who is in the group scaph reads the host's figures")
    check(figures(machine, f"/run/scaph/host/{LOAD}.ring", "--reuid nobody --regid nogroup --clear-groups") is None, "who is not does not")
    check(await_it(machine, f"curl -s 127.0.0.1:8080/metrics | grep -q 'scaph_vm_power_watts.*{LOAD}'"), "the exporter serves them", journal(machine, "scaph-exporter"))
    ports = machine.run("cat /proc/net/tcp /proc/net/tcp6 | grep ' 0A '")
    check(":1F90" in ports and "00000000:1F90" not in ports, "to this machine only", ports)
    machine.run("echo 'ARGS=\"--web.listen-address 127.0.0.1:8081\"' >/etc/default/scaph-exporter; systemctl restart scaph-exporter")
    check(await_it(machine, "curl -s 127.0.0.1:8081/metrics | grep -q scaph_up"), "and where its arguments say", journal(machine, "scaph-exporter"))


def discovery(machine):
    """Without libvirt, as the manual page has it: machines by their processes, which takes one capability more."""
    machine.run("mkdir /etc/systemd/system/scaphd.service.d; printf '[Service]\\nAmbientCapabilities=CAP_SYS_PTRACE\\nCapabilityBoundingSet="
                "CAP_SYS_PTRACE\\n' >/etc/systemd/system/scaphd.service.d/discover.conf; systemctl daemon-reload; "
                "printf 'libvirt = none\\ndiscover = qemu\\n' >>/etc/scaph/scaphd.conf; systemctl restart scaphd")
    check(await_it(machine, "systemctl show -p StatusText scaphd | grep -q '2 domains'"), "without libvirt QEMU is found by its process",
          journal(machine, "scaphd"))
    row = figures(machine, f"{EXPORTS}/{WEB}")
    check(row and row["power_w"] > 0, "and has its watts in its share", journal(machine, "scaphd"))
    machine.run("rm -r /etc/systemd/system/scaphd.service.d; systemctl daemon-reload; sed -i '/^libvirt/d;/^discover/d' "
                "/etc/scaph/scaphd.conf; systemctl restart scaphd")


def energy(machine):
    row = figures(machine, f"/run/scaph/host/{LOAD}.ring")
    return row["package_uj"] if row else -1


def watchdog(machine):
    before, first = energy(machine), machine.run("pidof scaphd").strip()
    time.sleep(14)
    check(machine.run("pidof scaphd").strip() == first, "the watchdog leaves a scaphd alone that works")
    machine.run(f"kill -STOP {first}")
    check(await_it(machine, f"p=$(pidof scaphd) && [ $p != {first} ]"), "one that is stopped is started again", journal(machine, "scaphd"))
    check("watchdog" in journal(machine, "scaphd").lower(), "by the watchdog", journal(machine, "scaphd"))
    check(await_it(machine, "systemctl is-active -q scaphd"), "and is ready again")
    after = energy(machine)
    check(after >= before > 0, f"its counters went on: {before} to {after} uJ")
    machine.run("systemctl stop scaphd; systemctl start scaphd")
    check(energy(machine) >= after, "and over stop and start")


def reboot(machine):
    before = energy(machine)
    state = machine.reboot()
    check(state == "running", f"after a reboot every unit is up: {state}", machine.run("systemctl --failed --no-legend --plain"))
    check(machine.run_status(f"findmnt {SHARES}/{WEB} && findmnt {EXPORTS}/{WEB} && [ -f /dev/shm/scaph-{WEB} ]")[0] == 0,
          "the share, its read-only view and the ivshmem file are there again")
    order = [int(properties(machine, unit, name)[name]) for unit, name in
             (("scaph-shares", "ExecMainExitTimestampMonotonic"), ("libvirtd", "ExecMainStartTimestampMonotonic"))]
    check(0 < order[0] <= order[1] or order[1] == 0, "before libvirt began", order)
    check(": good" in machine.run_status("scaph-vm check web")[1], "scaph-vm check finds nothing", machine.run_status("scaph-vm check web")[1])
    active = machine.run_status("for u in scaphd scaph-exporter scaph-shares; do systemctl is-active $u; done")[1].split()
    check(active == ["active"] * 3, "all three run", journal(machine, "scaphd"))
    after = energy(machine)
    check(0 <= after < before, f"counters began anew: {before} then, {after} uJ now")
    status, said = machine.run_status("virsh start web", 200)
    row = figures(machine, f"{EXPORTS}/{WEB}")
    check(status == 0 and row and row["power_w"] > 0, "the domain starts and has its watts", said + journal(machine, "scaphd"))
    check(await_it(machine, "curl -s 127.0.0.1:8081/metrics | grep -q scaph_vm_power_watts"), "and the exporter serves them")


def goodbye(machine, before):
    status, said = machine.run_status("virsh destroy web; " + GOODBYE, 200)
    check(machine.run_status("virsh dumpxml --inactive web >/srv/test/after.xml; cmp /srv/test/before.xml /srv/test/after.xml")[0] == 0,
          "disabled, the domain's definition is what it was, byte for byte", said)
    machine.run(f"systemctl disable --now load; rm /etc/systemd/system/load.service; umount {SHARES}/{LOAD}; sed -i /^scaph/d /etc/fstab; rmdir {SHARES}/{LOAD}; virsh undefine web")
    machine.run("while read -r path; do if [ -d \"$path\" ] && [ ! -L \"$path\" ]; then rmdir --ignore-fail-on-non-empty \"$path\"; "
                "else rm -f \"$path\"; fi; done </srv/test/installed")
    machine.run_status(LEFTOVERS)
    # The last but one state of the list of users is shadow's own to keep.
    left = {path for path in tree(machine) - before if not re.match(r"/etc/(\.pwd\.lock|[a-z]+-|ld\.so\.cache)$", path)}
    check(not left, "uninstalled, nothing is left: no file, user, group, link", "\n".join(sorted(left)))
    said = machine.run_status("findmnt | grep scaph; ls /dev/shm /run | grep scaph; systemctl list-unit-files | grep scaph")[1]
    check(not said, "no mount, unit or folder", said)


def main():
    if os.geteuid() != 0:
        print("1..0 # skip: debootstrap and a disk with its owners need root")
        return
    with machines.Machine(sys.argv[1]) as machine:
        machine.make_disk()
        state = machine.boot()
        check(state == "running", f"Debian with systemd as its first process: {state}")
        before = install(machine)
        refused(machine)
        configure(machine)
        for part in (services, sandbox, meter, shares, discovery, host_figures, watchdog, reboot):
            try:
                part(machine)
            except (machines.LineError, KeyError, ValueError) as error:
                check(False, f"{part.__name__}: cut short", error)
        goodbye(machine, before)
    tap.plan()


if __name__ == "__main__":
    main()
