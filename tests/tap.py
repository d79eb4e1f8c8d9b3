# SPDX-License-Identifier: Apache-2.0
"""Test results as meson reads them: the Test Anything Protocol."""


class Tap:
    def __init__(self):
        self.checks = 0
        self.failed = 0

    def check(self, good, what, detail=""):
        self.checks += 1
        print(f"{'ok' if good else 'not ok'} {self.checks} - {what}", flush=True)
        if not good:
            self.failed += 1
            for line in str(detail).splitlines()[:40]:
                print(f"# {line}")
        return good

    def plan(self):
        print(f"1..{self.checks}")
