# SPDX-License-Identifier: Apache-2.0
"""Collects every record of some segments while a daemon runs. A thread of its own.

Mappings outlive the files: what was published last is still there when the daemon has ended and taken its files away.
"""

import threading

from look import Segment

PERIOD_S = 0.5  # far less than a ring holds
ORIGIN, EPOCH = 368, 32
STATUS_GEN, STATUS_MONO, STATUS_FLOAT, STATUS_OWN = 0x1100, 0x1128, 0x1200, 0x1208


class Ring:
    """One segment: records and statuses by time; a guest's segment does not tell its origin, so its times count from there."""

    def __init__(self, path):
        self.segment = Segment(path)
        self.records, self.statuses = {}, {}
        self.epoch, self.next = None, 0
        self.epochs = 0
        self.missed = 0

    def origin_ns(self):
        return self.segment.word(ORIGIN)

    def take(self):
        epoch = self.segment.word(EPOCH)
        if epoch != self.epoch:
            self.epoch, self.next = epoch, 0
            self.epochs += 1
        last = self.segment.number()
        while last is not None and self.next <= last:
            record = self.segment.record(self.next)
            if record:
                self.records[self.origin_ns() + record["mono_ns"]] = record
            else:
                self.missed += 1
            self.next += 1
        self.take_status()

    def take_status(self):
        for _ in range(1000):
            before = self.segment.word(STATUS_GEN)
            status = {"mono_ns": self.origin_ns() + self.segment.word(STATUS_MONO), **self.segment.status(),
                      "float_uj": self.segment.word(STATUS_FLOAT, "q"), "own_uj": self.segment.word(STATUS_OWN)}
            if not before & 1 and self.segment.word(STATUS_GEN) == before:
                self.statuses[status["mono_ns"]] = status
                return


class Watch:
    """rings: by the key that the caller gives to a path, once there is something in it."""

    def __init__(self, keys):
        self.keys = keys  # returns a path by key
        self.rings = {}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.failure = None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        """After the daemon has ended: what was published last is taken too."""
        self.stopping.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def run(self):
        try:
            while not self.stopping.wait(PERIOD_S):
                self.look()
            for ring in self.rings.values():
                ring.take()
        except Exception as error:  # told by the thread that waits
            self.failure = error

    def look(self):
        for key, path in self.keys().items():
            if key not in self.rings:
                try:
                    self.rings[key] = Ring(path)
                except (OSError, ValueError):
                    continue  # not begun yet
        for ring in self.rings.values():
            ring.take()

    def missed(self):
        return sum(ring.missed for ring in self.rings.values())
