#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told: ready, status, alive while windows close and only then, stopping.

Usage: test_notify.py SCAPHD SCAPH. Prints TAP. The manager is a socket here. One thread alone is held up as a debugger does it:
the process lives, its main thread too, but no window closes.
"""

import ctypes
import glob
import os
import socket
import subprocess
import time

from bench import Bench, arguments

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
ALIVE_S = 2
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, tid):
    if libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def hear(self, seconds, until=None):
        """What comes in that time, or up to and with the line that is waited for."""
        heard, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                heard += self.socket.recv(4096).decode().splitlines()
            except TimeoutError:
                break
            if until and until in heard:
                break
        return heard


def main():
    with Bench(*arguments()) as b:
        load = b.load()
        manager = Manager(os.path.join(b.work, "notify"))
        daemon = b.start(b.scaphd, *b.options(domain=f"a=pid:{load.pid}"), stderr=subprocess.DEVNULL,
                         env={**os.environ, "NOTIFY_SOCKET": manager.path})
        heard = manager.hear(20, "READY=1")
        b.check("READY=1" in heard, "it says that it is ready", heard)
        b.check(any(line.startswith("STATUS=1 domain, window ") and "source model (estimated)" in line for line in heard),
                "and what it does", heard)
        b.check("WATCHDOG=1" in manager.hear(5 * ALIVE_S, "WATCHDOG=1"), "and, again and again, that it lives")
        tid = next(int(os.path.basename(os.path.dirname(path))) for path in glob.glob(f"/proc/{daemon.pid}/task/*/comm")
                   if open(path).read().strip() == "scaph-publisher")
        ptrace(PTRACE_SEIZE, tid)
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
        # What was on its way, and the one look that may have seen the last window.
        manager.hear(2.5 * ALIVE_S)
        heard = manager.hear(4 * ALIVE_S)
        b.check("WATCHDOG=1" not in heard, "not while no window closes, though its main thread lives", heard)
        ptrace(PTRACE_DETACH, tid)
        b.check("WATCHDOG=1" in manager.hear(5 * ALIVE_S, "WATCHDOG=1"), "and again when they do")
        daemon.terminate()
        heard = manager.hear(10, "STOPPING=1")
        b.check("STOPPING=1" in heard, "it says that it stops", heard)
        b.check(daemon.wait(10) == 0, "and does")
    return b.failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
