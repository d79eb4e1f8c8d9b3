# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus that scrapes exporters, and the ring's own energy over the very span that Prometheus saw."""

import bisect
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request

ORIGIN_AT = 368  # origin_mono_ns in the descriptor of a host segment: proto/SPEC.md


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def fetch(url, seconds=5, method="GET", headers=None):
    """(status, headers, text), whatever the status."""
    request = urllib.request.Request(url, method=method, data=b"x" if method == "POST" else None,
                                     headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def samples(text):
    """{name{labels}: value} of an exposition."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            if series in found:
                raise ValueError("twice: " + series)
            found[series] = float(value)
    return found


def find(values, name, *words):
    """The one value of a metric whose labels hold every word; None if there is none."""
    hits = [value for series, value in values.items()
            if re.fullmatch(re.escape(name) + r"(\{.*\})?", series) and all(word in series for word in words)]
    if len(hits) > 1:
        raise ValueError(f"{name} {words}: {len(hits)} series")
    return hits[0] if hits else None


def promtool(text):
    """What promtool has against an exposition; "" if nothing."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


class Prometheus:
    """Scrapes {job: port} once a second; ended by close()."""

    def __init__(self, folder, jobs):
        os.makedirs(folder)
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w") as file:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                                          for job, port in jobs.items()]}, file)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(os.path.join(folder, "log"), "w+")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={self.url[7:]}"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def query(self, expression, at_s):
        words = urllib.parse.urlencode({"query": expression, "time": f"{at_s:.3f}"})
        answer = json.loads(fetch(f"{self.url}/api/v1/query?{words}")[2])
        return answer["data"]["result"]

    def ready(self):
        try:
            return fetch(self.url + "/-/ready")[0] == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


class Ring:
    """Every record of one host segment from now on, by this machine's wall clock."""

    def __init__(self, scaph, path):
        with open(path, "rb") as file:
            self.origin_ns = struct.unpack_from("<Q", file.read(1024), ORIGIN_AT)[0]
        self.process = subprocess.Popen([scaph, "json", "-s", "0", "--path", path], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.wall_s, self.joules = [], []
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        for line in self.process.stdout:
            record = json.loads(line)
            if record["package_uj"] is None:
                continue
            at_ns = self.origin_ns + record["mono_ns"] + time.time_ns() - time.monotonic_ns()
            self.wall_s.append(at_ns / 1e9)
            self.joules.append(record["package_uj"] / 1e6)

    def at(self, wall_s):
        """Joules at a time, between the two records around it."""
        i = bisect.bisect(self.wall_s, wall_s)
        if not 0 < i < len(self.wall_s):
            raise ValueError("the ring was not read then")
        before, after = self.wall_s[i - 1], self.wall_s[i]
        part = (wall_s - before) / (after - before)
        return self.joules[i - 1] + part * (self.joules[i] - self.joules[i - 1])

    def close(self):
        self.process.terminate()
        self.thread.join()
        self.process.wait()
        self.process.stdout.close()


def compare(check, prometheus, ring, what, series, at_s, seconds):
    """rate() over the last seconds, as Prometheus computes it, against the ring between the same two moments."""
    rate = prometheus.query(f"rate({series}[{seconds}s])", at_s)
    raw = prometheus.query(f"{series}[{seconds}s]", at_s)
    if not check(len(rate) == 1 and len(raw) == 1 and len(raw[0]["values"]) > seconds * 0.9,
                 f"{what}: Prometheus has it from nearly every second", f"{rate}\n{raw}"):
        return
    first, last = (float(raw[0]["values"][i][0]) for i in (0, -1))
    got = float(rate[0]["value"][1])
    wanted = (ring.at(last) - ring.at(first)) / (last - first)
    check(wanted > 1 and abs(got / wanted - 1) < 0.01, f"{what}: rate() agrees with the ring within 1 %",
          f"rate() {got} W, the ring {wanted} W over {last - first} s")
    print(f"# {what}: rate() {got:.4f} W, ring {wanted:.4f} W, {100 * (got / wanted - 1):+.3f} % over {last - first:.1f} s",
          flush=True)
