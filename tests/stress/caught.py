#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Passes if a mutant is found out by the words that say so, not by any other way of failing.

Usage: caught.py WORDS PROGRAM [ARGUMENT]...
"""

import subprocess
import sys

done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
found = [line for line in done.stdout.splitlines() if sys.argv[1] in line]
print("\n".join(found[:3]) or f"not caught:\n{done.stdout[-2000:]}")
sys.exit(0 if found and done.returncode else 1)
