#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaph prometheus on a host: bad input, what is served, what is not while nothing comes, and a real Prometheus's rate().

Usage: test_prometheus.py SCAPHD SCAPH. Prints TAP.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

# Where Debian has the parser, for a Python that is not Debian's.
sys.path.append("/usr/lib/python3/dist-packages")

from bench import Bench, arguments, await_that
import prom

SECONDS = 60
TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exporter:
    """A running scaph prometheus; its port is one that was free."""

    def __init__(self, b, *words, path=None):
        self.process = b.start(b.scaph, "prometheus", "--web.listen-address", "127.0.0.1:0", "--path", path or b.host, *words,
                               stderr=subprocess.PIPE, text=True)
        self.first_line = self.process.stderr.readline()
        self.url = "/".join(self.first_line.split()[2].split("/")[:3])
        self.port = int(self.url.rsplit(":", 1)[1])
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def values(self):
        return prom.samples(prom.fetch(self.url + "/metrics")[2])

    def child(self):
        """The reading process; never 0, to which signals would go to ourselves."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                children = file.read().split()
            if children:
                return int(children[0])
        raise RuntimeError("there is no reading process")

    def up(self):
        return self.values()["scaph_up"] == 1

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(5)


def bad_words(b):
    def refused(what, wanted, *words):
        b.refused(what, wanted, "prometheus", *words, program=b.scaph)

    refused("an unknown option", ["--bogus", "prometheus --help"], "--bogus")
    refused("a stray word", ["stray"], "stray")
    refused("an option without its value", ["needs a value"], "--web.listen-address")
    for address in ("8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1:80",
                    "", ":", "a b:80", "[]:1"):
        refused(f"address {address!r}", ["--web.listen-address", "127.0.0.1:8080" if address != "a b:80" else "address"],
                "--web.listen-address", address)
    refused("an address of another machine", ["203.0.113.7:80", "no address of this machine"], "--web.listen-address",
            "203.0.113.7:80")
    refused("seventeen addresses", ["16"], *["--web.listen-address=127.0.0.1:0"] * 17)
    for path in ("metrics", "", "/a b", "/<x>", "/healthz", "/readyz"):
        refused(f"telemetry path {path!r}", ["--web.telemetry-path"], "--web.telemetry-path", path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused("a port in use", [port, "in use", "--web.listen-address"], "--web.listen-address", "127.0.0.1:" + port)


def reader_first(b, load):
    """The exporter is there before the daemon is: it says so, and goes on by itself."""
    exporter = Exporter(b)
    b.check("127.0.0.1" in exporter.first_line and "this machine only; --web.listen-address :" in exporter.first_line,
            "says where it listens, and how others would reach it", exporter.first_line)
    values = exporter.values()
    b.check(values["scaph_up"] == 0 and values["scaph_reader_responding"] == 1 and not any("joules" in v for v in values),
            "before the daemon: up is 0, no energy", values)
    page = prom.fetch(exporter.url + "/")[2]
    ready = prom.fetch(exporter.url + "/readyz")
    b.check(ready[0] == 503 and "no segment" in ready[2] and prom.fetch(exporter.url + "/healthz")[0] == 200,
            "not ready, and why, but healthy", ready)
    b.check("no segment there" in page, "and the page says why", page)
    daemon = b.daemon(domain=[f"web=pid:{load.pid}", f"a\"b\n\\\u202e<i>=pid:{b.load(False).pid}"])
    b.check(await_that(exporter.up, 5), "figures come by themselves")
    return exporter, daemon


def served(b, exporter):
    url = exporter.url
    time.sleep(1.5)
    status, headers, text = prom.fetch(url + "/metrics")
    values = prom.samples(text)
    b.check(status == 200 and headers["Content-Type"] == TYPE, "Content-Type is what Prometheus 3 asks for", headers)
    b.check(prom.promtool(text) == "", "promtool check metrics is clean", prom.promtool(text) + text)
    b.check(all(ord(c) >= 32 or c == "\n" for c in text) and "\u202e" not in text and
            'vm="a\\\\x22b\\\\x0a\\\\x5c\\\\xe2\\\\x80\\\\xae<i>"' in text, "a hostile name is an escaped label", text)
    parts = [prom.find(values, "scaph_vm_power_watts", f'vm="{vm}') for vm in ("web", "a")]
    total = prom.find(values, "scaph_host_power_watts")
    b.check(None not in parts and 0 < sum(parts) <= total * 1.01, "domains have part in the host's power", f"{parts} {total}")
    b.check(prom.find(values, "scaph_vm_estimated", "web") == 1 and prom.find(values, "scaph_host_estimated") == 1 and
            prom.find(values, "scaph_vm_info", "web", 'source="model"') == 1, "an estimate is called one")
    b.check(sum(name.startswith("scaph_vm_energy_joules_total") for name in values) == 2 and
            not any('zone="idle"' in name or 'zone="core"' in name for name in values), "no zone contains another", values)
    b.check("scaph_build_info" in text and prom.find(values, "scaph_host_residual_joules_total") is not None and
            prom.find(values, "scaph_host_unattributed_joules_total") == 0, "build info, residual, unattributed")
    status, headers, page = prom.fetch(url + "/")
    b.check(status == 200 and headers["Content-Type"].startswith("text/html") and 'href="/metrics"' in page and
            "<i>" not in page and "&lt;i&gt;" in page and " W<" in page, "the page links the metrics and escapes names", page)
    b.check(prom.fetch(url + "/healthz")[::2] == (200, "ok\n") and prom.fetch(url + "/readyz")[::2] == (200, "ok\n"),
            "healthz and readyz")
    b.check(prom.fetch(url + "/nix")[0] == 404 and prom.fetch(url + "/metrics", method="POST")[0] == 405 and
            prom.fetch(url + "/metrics", method="HEAD")[::2] == (200, ""), "404, 405, HEAD")
    b.check(os.listdir(f"/proc/{exporter.process.pid}/task") == [str(exporter.process.pid)], "one thread")
    held = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{exporter.process.pid}/fd")]
    with open(f"/proc/{exporter.process.pid}/maps") as maps:
        b.check(not any(b.host in name for name in held) and b.host not in maps.read(), "the serving process holds no segment")


def openmetrics(b, exporter):
    """By negotiation, through a parser that is not ours: the same series with the same types."""
    # Here, so that main() can say that it is missing.
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
    from prometheus_client.parser import text_string_to_metric_families as loose
    url = exporter.url + "/metrics"
    status, headers, text = prom.fetch(url, headers={"Accept": "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.3"})
    b.check(status == 200 and headers["Content-Type"] == OPENMETRICS and headers["Vary"] == "Accept",
            "OpenMetrics for who names it", headers)
    try:
        families = list(strict(text))
    except ValueError as error:
        families = []
        b.check(False, "the parser of OpenMetrics takes it", f"{error}\n{text}")
    samples = {(one.name, tuple(sorted(one.labels.items()))): one for family in families for one in family.samples}
    plain = [one for family in loose(prom.fetch(url)[2]) for one in family.samples]
    names = {(one.name, tuple(sorted(one.labels.items()))) for one in plain}
    b.check(len(samples) > 20 and set(samples) == names, "both forms have the same series", set(samples) ^ names)
    b.check(all(one.timestamp is None for one in samples.values()), "no timestamps")
    units = {family.name: (family.type, family.unit) for family in families}
    b.check(units.get("scaph_vm_energy_joules") == ("counter", "joules") and units.get("scaph_host_power_watts") == ("gauge", "watts")
            and units.get("scaph_vm_cpu_seconds") == ("counter", "seconds") and units.get("scaph_vm") == ("info", "")
            and units.get("scaph_vm_lost_records") == ("counter", ""), "types and units are said", units)
    for accept in ("*/*", "text/plain", "application/openmetrics-text;q=0.2,text/plain;q=0.5", "application/openmetrics-text;q=2",
                   '"' * 3000):
        b.check(prom.fetch(url, headers={"Accept": accept})[1]["Content-Type"] == TYPE, f"text for {accept[:60]}")


def addresses(b):
    exporter = Exporter(b, "--web.listen-address", "[::1]:0", "--web.listen-address", ":0", "--web.telemetry-path", "/x/y")
    urls = [exporter.url + "/x/y"]
    await_that(lambda: len(exporter.said) >= 2)
    urls += [line.split()[2].replace("[::]", "127.0.0.1").replace("0.0.0.0", "127.0.0.1") for line in exporter.said]
    b.check(len(urls) == 3 and all(prom.fetch(url)[0] == 200 for url in urls), "several addresses, IPv6, another path", urls)
    b.check("machine only" not in exporter.said[1], "an address for everybody is not called private", exporter.said)
    b.check(prom.fetch(urls[0].replace("/x/y", "/metrics"))[0] == 404, "the usual path is not there then")
    b.check(exporter.end() == 0, "ended")


def slow_clients(b, exporter):
    """Connections that say nothing, or half a request, keep nobody."""
    idle = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(20)]
    for sock in idle[:10]:
        sock.send(b"GET /metrics HTT")
    start = time.monotonic()
    b.check(exporter.up() and time.monotonic() - start < 1, "idle and half connections keep no scrape waiting")
    for sock in idle:
        sock.close()


def daemon_dies(b, exporter, daemon, load):
    """SIGKILL and a new daemon: no figure in between, and no counter steps back."""
    before = exporter.values()
    daemon.kill()
    daemon.wait()
    time.sleep(2.5)
    dead = exporter.values()
    b.check(dead["scaph_up"] == 0 and prom.find(dead, "scaph_vm_up", "web") == 0 and
            prom.find(dead, "scaph_vm_state", "web") == 2 and not any("joules" in v or "watts" in v for v in dead),
            "a dead daemon: stale, neither energy nor power", dead)
    ready = prom.fetch(exporter.url + "/readyz")
    b.check(ready[0] == 503 and "come" in ready[2], "not ready while stale", ready)
    daemon = b.daemon(domain=f"web=pid:{load.pid}")
    b.check(await_that(exporter.up, 5), "a new daemon: figures again")
    after = exporter.values()
    counters = [name for name in after if name.split("{")[0].endswith("_total") and name in before]
    b.check(len(counters) > 5 and all(after[name] >= before[name] for name in counters), "no counter steps back",
            [(name, before[name], after[name]) for name in counters if after[name] < before[name]])
    b.check(prom.find(after, "scaph_vm_energy_joules_total", "web") - prom.find(before, "scaph_vm_energy_joules_total", "web")
            < 50 * 3, "nothing is counted for the time without a daemon", f"{before}\n{after}")
    return daemon


def domain_ends(b):
    load = b.load()
    os.mkdir(b.work + "/none")
    daemon = b.daemon(domain=[f"gone=pid:{load.pid}"], **{"host-dir": b.work + "/host2", "state-dir": b.work + "/state2",
                                                          "share-root": b.work + "/none"})
    own = Exporter(b, path=b.work + "/host2")
    b.check(await_that(lambda: prom.find(own.values(), "scaph_vm_up", "gone") == 1, 5), "a domain is there")
    load.kill()
    load.wait()
    # Told until the next survey finds its file gone: looked for, not waited for.
    looks = []
    await_that(lambda: prom.find((looks.append(own.values()) or looks[-1]), "scaph_vm_up", "gone") != 1 and
               prom.find(looks[-1], "scaph_vm_state", "gone") in (3, None), 5)
    values = looks[-1]
    b.check(prom.find(values, "scaph_vm_state", "gone") == 3 and prom.find(values, "scaph_vm_power_watts", "gone") is None and
            prom.find(values, "scaph_host_up") == 1, "a domain that ended has no power; the host goes on", values)
    daemon.terminate()
    daemon.wait()
    own.end()


def hung_reader(b, exporter):
    """The reading process stands still: every scrape is answered, soon without figures; a new one loses no energy."""
    before = exporter.values()
    child = exporter.child()
    stopped = time.monotonic()
    os.kill(child, signal.SIGSTOP)
    slowest, silent = 0, None
    while time.monotonic() < stopped + 8:
        start = time.monotonic()
        values = exporter.values()
        slowest = max(slowest, time.monotonic() - start)
        if silent is None and not any("joules" in name or "watts" in name for name in values):
            silent = time.monotonic() - stopped
            ready = prom.fetch(exporter.url + "/readyz")
            b.check(ready[0] == 503 and "does not answer" in ready[2], "not ready while the reader hangs", ready)
            b.check(values["scaph_up"] == 0 and values["scaph_reader_responding"] == 0 and
                    prom.find(values, "scaph_vm_state", "web") == 7, "a hung reader: up is 0, and why", values)
        time.sleep(0.2)
    b.check(slowest < 1, "every scrape is answered within a second", slowest)
    b.check(silent is not None and silent < 4, "after 3 s without figures", silent)
    b.check(prom.fetch(exporter.url + "/healthz")[0] == 200 and "does not answer" in prom.fetch(exporter.url + "/")[2],
            "the page says so")
    b.check(sum("hangs" in line for line in exporter.said) == 1, "so does one line", exporter.said)
    b.check(await_that(exporter.up, 8) and exporter.child() != child and
            exporter.values()["scaph_reader_replaced_total"] == 1, "then it is replaced")
    after = exporter.values()
    took = time.monotonic() - stopped
    name = next(name for name in before if name.startswith("scaph_host_energy_joules_total"))
    power = prom.find(after, "scaph_host_power_watts")
    b.check(10 * took < after[name] - before[name] < 50 * (took + 0.5), "and no energy is lost",
            f"{after[name] - before[name]} J in {took} s at {power} W")
    print(f"# slowest scrape {slowest * 1000:.0f} ms, without figures after {silent:.1f} s, replaced after {took:.1f} s")


def hung_from_the_start(b):
    """No reader has ever answered: a scrape is answered all the same."""
    exporter = Exporter(b)
    os.kill(exporter.child(), signal.SIGSTOP)
    start = time.monotonic()
    values = exporter.values()
    b.check(time.monotonic() - start < 1, "a reader that hangs at once keeps no scrape waiting", values)
    os.kill(exporter.child(), signal.SIGKILL)
    b.check(await_that(exporter.up, 5), "one that died is replaced")
    b.check(exporter.end() == 0, "ended")


def signals(b):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        exporter = Exporter(b)
        exporter.values()
        child = exporter.child()
        b.check(exporter.end(number) == 0, f"{number.name} ends it")
        b.check(await_that(lambda: not os.path.exists(f"/proc/{child}") or
                           open(f"/proc/{child}/stat").read().split()[2] == "Z"), "and its reader")
        b.check(not exporter.said, "quietly", exporter.said)


def a_minute(b):
    """A real Prometheus over a load that comes and goes; and the exporter's own cost meanwhile."""
    load = b.start("sh", "-c", "while :; do timeout 3 sh -c 'while :; do :; done'; sleep 2; done")
    uuid = "0f9e8d7c-6b5a-4c3d-8e2f-102030405060"
    busy = b.load()
    daemon = b.daemon(domain=[f"busy@{uuid}=pid:{busy.pid}"])
    exporter = Exporter(b)
    b.check(await_that(exporter.up, 5), "figures for Prometheus")
    rings = {"domain": prom.Ring(b.scaph, os.path.join(b.host, uuid + ".ring")),
             "host": prom.Ring(b.scaph, os.path.join(b.host, "host.ring"))}
    server = prom.Prometheus(os.path.join(b.work, "prometheus"), {"host": exporter.port})
    try:
        b.check(await_that(server.ready, 30), "Prometheus runs")
        time.sleep(SECONDS + 5)
        at_s = time.time()
        time.sleep(1)
        series = {"domain": f'scaph_vm_energy_joules_total{{uuid="{uuid}",zone="package"}}',
                  "host": 'scaph_host_energy_joules_total{zone="package"}'}
        for what, ring in rings.items():
            prom.compare(b.check, server, ring, what, series[what], at_s, SECONDS)
        scraped = server.query('avg_over_time(up{job="host"}[60s])', at_s)
        slow = server.query('max_over_time(scrape_duration_seconds{job="host"}[60s])', at_s)
        b.check(scraped and float(scraped[0]["value"][1]) == 1 and float(slow[0]["value"][1]) < 0.5,
                "every scrape succeeded, and fast", f"{scraped} {slow}")
        with open(f"/proc/{exporter.process.pid}/stat") as own, open(f"/proc/{exporter.child()}/stat") as child:
            ticks = sum(int(word) for file in (own, child) for word in file.read().rsplit(")", 1)[1].split()[11:13])
        print(f"# slowest scrape {float(slow[0]['value'][1]) * 1000:.1f} ms; "
              f"CPU time of both processes {ticks * 10} ms in {SECONDS} s")
    finally:
        for ring in rings.values():
            ring.close()
        server.close()
        load.kill()
    exporter.end()
    daemon.terminate()
    daemon.wait()


def main():
    missing = [name for name in ("prometheus", "promtool") if not shutil.which(name)]
    if not importlib.util.find_spec("prometheus_client"):
        missing.append("python3-prometheus-client")
    if missing:
        print(f"1..0 # skip: {' and '.join(missing)} not installed")
        return 0
    with Bench(*arguments()) as b:
        bad_words(b)
        load = b.load()
        exporter, daemon = reader_first(b, load)
        served(b, exporter)
        openmetrics(b, exporter)
        addresses(b)
        slow_clients(b, exporter)
        daemon = daemon_dies(b, exporter, daemon, load)
        domain_ends(b)
        hung_reader(b, exporter)
        hung_from_the_start(b)
        signals(b)
        b.check(exporter.end() == 0, "ended")
        daemon.terminate()
        daemon.wait()
        load.kill()
        a_minute(b)
    return 0


if __name__ == "__main__":
    sys.exit(main())
