# SPDX-License-Identifier: Apache-2.0
"""Commands to a tiny guest over its serial line, which is a Unix socket here: one at a time, with output and exit status."""

import select
import socket
import time


class LineError(RuntimeError):
    """The guest did not do what was asked of it."""


class Line:
    def __init__(self, path, alive=lambda: True):
        self.alive = alive
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._pending = b""
        self._command = 0

    def close(self):
        self._socket.close()

    def _read_until(self, mark, seconds):
        end = time.monotonic() + seconds
        while mark not in self._pending:
            left = end - time.monotonic()
            if left <= 0 or not self.alive():
                raise LineError(f"no {mark.decode().strip()} within {seconds} s")
            if select.select([self._socket], [], [], min(left, 0.5))[0]:
                came = self._socket.recv(65536)
                if not came:
                    raise LineError("the serial line was closed")
                self._pending += came.replace(b"\r", b"")
        text, self._pending = self._pending.split(mark, 1)
        return text

    def await_ready(self, seconds):
        """Its init is there and obeys."""
        self._read_until(b"@@READY\n", seconds)

    def run_status(self, command, seconds=60):
        """Run a shell command in the guest: (exit status, output)."""
        self._command += 1
        self._socket.sendall(f"{self._command} {command}\n".encode())
        text = self._read_until(f"@@END {self._command} ".encode(), seconds)
        status = self._read_until(b"\n", 5)
        return int(status), text.decode(errors="replace")

    def run(self, command, seconds=60):
        """Run a shell command in the guest that must succeed; returns its output."""
        status, text = self.run_status(command, seconds)
        if status:
            raise LineError(f"in the guest: {command}: status {status}: {text}")
        return text
