#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a real guest and its host for a minute: both agree with the ring; and a share that hangs.

Usage: test_prometheus.py BUILD_DIR. Prints TAP. Needs root (virtiofsd, a tmpfs mount).
"""

import os
import shutil
import signal
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "../../tools/guest"), os.path.join(here, "../integration"), os.path.join(here, "..")]
import guest as guests  # noqa: E402
import prom  # noqa: E402
from tap import Tap  # noqa: E402

SECONDS = 60

tap = Tap()
check = tap.check


def values_of(port):
    return prom.samples(prom.fetch(f"http://127.0.0.1:{port}/metrics")[2])


def await_figures(port, seconds):
    """Until energy comes: the values with it, or the last ones without."""
    end = time.monotonic() + seconds
    while True:
        try:
            values = values_of(port)
            if values["scaph_up"] == 1:
                return values
        except OSError as error:
            values = error
        if time.monotonic() > end:
            return values
        time.sleep(0.1)


def a_minute(guest, host_port, scaph):
    """The guest under a load that comes and goes, seen from both sides."""
    guest.run("(timeout 90 sh -c 'while :; do timeout 4 sh -c \"while :; do :; done\"; sleep 2; done' &) ; true")
    ring = prom.Ring(scaph, os.path.join(guest.host_dir, guest.uuid + ".ring"))
    server = prom.Prometheus(os.path.join(guest.work, "prometheus"), {"guest": guest.port, "host": host_port})
    try:
        time.sleep(SECONDS + 8)
        at_s = time.time()
        time.sleep(1)
        for job in ("guest", "host"):
            prom.compare(check, server, ring, job,
                         f'scaph_vm_energy_joules_total{{job="{job}",uuid="{guest.uuid}",zone="package"}}', at_s, SECONDS)
            slow = server.query(f'max_over_time(scrape_duration_seconds{{job="{job}"}}[60s])', at_s)
            print(f"# {job}: slowest scrape {float(slow[0]['value'][1]) * 1000:.0f} ms" if slow else f"# {job}: no scrape")
    finally:
        ring.close()
        server.close()


def energy_at_once(guest, host_port):
    """What the guest and its host say that the guest has used, of one moment."""
    return [prom.find(await_figures(port, 10), "scaph_vm_energy_joules_total", guest.uuid, "package")
            for port in (guest.port, host_port)]


def hung_share(guest, host_port):
    """virtiofsd stands still: scrapes are answered, soon without figures; then they come back, and no energy is lost."""
    before = energy_at_once(guest, host_port)
    os.killpg(guest.virtiofsd.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    slowest, silent = 0, None
    while time.monotonic() < stopped + 14:
        start = time.monotonic()
        values = values_of(guest.port)
        slowest = max(slowest, time.monotonic() - start)
        if silent is None and not any("joules" in series or "watts" in series for series in values):
            silent = time.monotonic() - stopped
        time.sleep(0.2)
    os.killpg(guest.virtiofsd.pid, signal.SIGCONT)
    check(slowest < 1, "stopped virtiofsd: every scrape is answered within a second", slowest)
    check(silent is not None and silent < 4.5 and values["scaph_up"] == 0 and values["scaph_reader_responding"] == 0,
          "soon without figures", f"{silent} {values}")
    after = energy_at_once(guest, host_port)
    own, wanted = after[0] - before[0], after[1] - before[1]
    check(wanted > 50 and abs(own / wanted - 1) < 0.03, "after it goes on there are figures, and no energy is lost",
          f"{own} J in the guest, {wanted} J on the host")
    print(f"# slowest scrape on a hung share {slowest * 1000:.0f} ms, without figures after {silent:.1f} s, "
          f"{own:.1f} J meanwhile, {wanted:.1f} J on the host")


def main():
    missing = [name for name in ("prometheus", "promtool") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print("1..0 # skip: virtiofsd and the share's tmpfs need root" if not missing else f"1..0 # skip: no {missing[0]}")
        return 0
    build = os.path.abspath(sys.argv[1])
    scaph = os.path.join(build, "consumer/scaph")
    with guests.Guest(build, programs={"scaph-prometheus": os.path.join(build, "consumer/scaph-prometheus")},
                      port=prom.free_port()) as guest:
        guest.boot()
        guest.run("(scaph prometheus --path /virtiofs --web.listen-address :8080 >/tmp/prometheus 2>&1 &) ; true")
        daemon = guest.scaphd("--profile", f"{guest.uuid}=trusted")
        host_port = prom.free_port()
        exporter = subprocess.Popen([scaph, "prometheus", "--path", guest.host_dir, "--web.listen-address",
                                     f"127.0.0.1:{host_port}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            values = await_figures(guest.port, 20)
            if not check(isinstance(values, dict) and values["scaph_up"] == 1, "the guest serves its own figures",
                         f"{values}\n{guest.run('cat /tmp/prometheus')}"):
                return 1
            text = prom.fetch(f"http://127.0.0.1:{guest.port}/metrics")[2]
            check(prom.promtool(text) == "" and f'uuid="{guest.uuid}"' in text and 'mode="snapshot"' in text and
                  "scaph_host" not in text, "of itself and nothing else; promtool is content", prom.promtool(text) + text)
            await_figures(host_port, 5)
            a_minute(guest, host_port, scaph)
            hung_share(guest, host_port)
        finally:
            exporter.terminate()
            exporter.wait()
        guest.stop(daemon)
    tap.plan()
    return 0


if __name__ == "__main__":
    sys.exit(main())
