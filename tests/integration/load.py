#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A load with a rhythm: threads that compute for a while and rest for a while, until they are killed.

Usage: load.py THREADS BUSY_MS REST_MS [CPU]

With a CPU it stays there. BUSY_MS or REST_MS 0: it never does; a load that never rests takes only time that nobody else wants.
"""

import hashlib
import os
import sys
import threading
import time

BLOCK = bytes(1 << 20)  # hashing it lets the other threads run


def run(busy_s, rest_s):
    while True:
        end = time.monotonic() + busy_s
        while busy_s and time.monotonic() < end:
            hashlib.blake2b(BLOCK[:1 << 18]).digest()
        if rest_s:
            time.sleep(rest_s)


def main():
    threads, busy_ms, rest_ms, *cpu = map(int, sys.argv[1:])
    if cpu:
        os.sched_setaffinity(0, cpu)
    if not rest_ms:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        busy_ms = 1000
    for _ in range(threads - 1):
        threading.Thread(target=run, args=(busy_ms / 1000, rest_ms / 1000), daemon=True).start()
    run(busy_ms / 1000, rest_ms / 1000 if busy_ms else 1000)


if __name__ == "__main__":
    main()
