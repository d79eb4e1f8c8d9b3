# SPDX-License-Identifier: Apache-2.0
"""Commands to a tiny guest over its serial line, which is a Unix socket here: one at a time, with output and exit status."""

import select
import socket
import time


# The guest's side. A machine that is busy loses bytes of the line: what does not have the length that it says is asked for again.
# @FILE@: for a command's output.
OBEY = r"""echo "@@READY"
while read -r head command; do
	id=${head#@}
	id=${id%:*}
	if [ "$head" != "@$id:${#command}" ]; then
		echo "@@AGAIN"
		continue
	fi
	(eval "$command") >@FILE@ 2>&1 </dev/null
	status=$?
	cat @FILE@
	echo "@@END $id $status"
done
"""
AGAIN = b"@@AGAIN\n"
SENT_MAX = 5


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

    def _read_until(self, *marks, seconds):
        """What comes before the first of these marks, and which one that is."""
        end = time.monotonic() + seconds
        while not (found := [(self._pending.index(mark), mark) for mark in marks if mark in self._pending]):
            left = end - time.monotonic()
            if left <= 0 or not self.alive():
                raise LineError(f"no {marks[0].decode().strip()} within {seconds} s; what came last: {self._pending[-2000:]!r}")
            if select.select([self._socket], [], [], min(left, 0.5))[0]:
                came = self._socket.recv(65536)
                if not came:
                    raise LineError("the serial line was closed")
                self._pending += came.replace(b"\r", b"")
        at, mark = min(found)
        text, self._pending = self._pending[:at], self._pending[at + len(mark):]
        return text, mark

    def await_ready(self, seconds):
        """Its init is there and obeys."""
        self._read_until(b"@@READY\n", seconds=seconds)

    def run_status(self, command, seconds=60):
        """Run a shell command of one line in the guest: (exit status, output)."""
        self._command += 1
        command = command.strip(" \t")
        line = f"@{self._command}:{len(command.encode())} {command}\n".encode()
        for _ in range(SENT_MAX):
            self._socket.sendall(line)
            text, mark = self._read_until(f"@@END {self._command} ".encode(), AGAIN, seconds=seconds)
            if mark != AGAIN:
                return int(self._read_until(b"\n", seconds=5)[0]), text.decode(errors="replace")
        raise LineError(f"{command}: came mutilated {SENT_MAX} times")

    def run(self, command, seconds=60):
        """Run a shell command in the guest that must succeed; returns its output."""
        status, text = self.run_status(command, seconds)
        if status:
            raise LineError(f"in the guest: {command}: status {status}: {text}")
        return text
