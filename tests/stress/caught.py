#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Passes if a mutant is found out by the words that say so, not by any other way of failing.

Usage: caught.py WORDS PROGRAM [ARGUMENT]...

What it does wrong may need two cores at once to show, so on a loaded machine it is run again until it is
caught, for BUDGET_S at most. It gets a folder of its own to play in, for a sanitizer that stops it
leaves no time to tidy up.
"""

import os
import subprocess
import sys
import tempfile
import time

BUDGET_S = 240
SKIPPED = 77  # as meson reads it


def run(command, timeout_s):
    """Exit status and all that was printed; the status is None if it was not done in time."""
    with tempfile.TemporaryDirectory(prefix="scaph-caught-", dir="/dev/shm") as parent:
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
                env=os.environ | {"SCAPH_STAGE_PARENT": parent},
            )
        except subprocess.TimeoutExpired:
            return None, "not done in time"
    return done.returncode, done.stdout


def main():
    words, *command = sys.argv[1:]
    end = time.monotonic() + BUDGET_S
    runs = 0
    while (left_s := end - time.monotonic()) > 0:
        runs += 1
        status, text = run(command, left_s)
        if text.startswith("1..0 # skip"):
            print(text, end="")
            return SKIPPED
        found = [line for line in text.splitlines() if words in line]
        if found and status:
            print(f"caught in run {runs}:", *found[:3], sep="\n")
            return 0
        # A run that failed in another way is no reason to try again.
        if status != 0:
            break
    print(f"not caught in {runs} runs:\n{text[-2000:]}")
    return 1


sys.exit(main())
