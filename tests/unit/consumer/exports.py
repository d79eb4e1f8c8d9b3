#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library exports just what the public header declares. Usage: exports.py LIBRARY HEADER"""

import re
import subprocess
import sys

shown = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], capture_output=True, text=True, check=True).stdout
exported = {line.split()[2].split("@")[0] for line in shown.splitlines() if line.split()[1] in "TWBDR"}
with open(sys.argv[2]) as file:
    text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
declared = set(re.findall(r"\b(scaph_\w+)\([^;]*\);", text))
print("not exported:", sorted(declared - exported), "not declared:", sorted(exported - declared))
sys.exit(declared != exported)
