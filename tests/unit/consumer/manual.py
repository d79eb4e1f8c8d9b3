#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public call has a manual page that names it, stands in libscaph.3, and is used in an example.

Usage: manual.py HEADER SOURCE_DOCS BUILT_DOCS
"""

import glob
import os
import re
import sys


def text_of(path):
    with open(path) as file:
        return file.read()


def page_of(call, source, built):
    """The page's text, through the file that leads to it."""
    path = os.path.join(source, "man", call + ".3")
    if os.path.exists(path):
        return text_of(path)
    link = os.path.join(built, call + ".3")
    found = re.fullmatch(r"\.so man3/(\w+\.3)\n", text_of(link)) if os.path.exists(link) else None
    return text_of(os.path.join(source, "man", found.group(1))) if found else ""


def main():
    header, source, built = sys.argv[1:]
    declared = re.findall(r"\b(scaph_\w+)\([^;]*\);", re.sub(r"/\*.*?\*/", "", text_of(header), flags=re.S))
    examples = "".join(map(text_of, glob.glob(os.path.join(source, "examples/*.c"))))
    overview = text_of(os.path.join(source, "man/libscaph.3"))
    wrong = []
    for call in declared:
        page = page_of(call, source, built)
        names, synopsis = re.search(r"\.SH NAME\n(.*?)\.SH SYNOPSIS\n(.*?)\.SH", page, re.S).groups() if page else ("", "")
        wrong += [f"{call}: no page names it"] * (call not in re.findall(r"\w+", names) or f"{call}(" not in synopsis)
        wrong += [f"{call}: not in libscaph.3"] * (call not in re.findall(r"\w+", overview))
        wrong += [f"{call}: no example calls it"] * (f"{call}(" not in examples)
    for name in re.findall(r"\b(\w+)\.c\b", "".join(map(text_of, glob.glob(os.path.join(source, "man/scaph_*.3"))))):
        if not os.path.exists(os.path.join(source, "examples", name + ".c")):
            wrong.append(f"{name}.c: named by a page and not there")
    print("\n".join(wrong) or f"{len(declared)} calls")
    return bool(wrong) or not declared


if __name__ == "__main__":
    sys.exit(main())
