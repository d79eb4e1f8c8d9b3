#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module's structures, constants and functions are those of scaph.h. Usage: python_binding.py HEADER MODULE_FOLDER"""

import ctypes
import re
import sys

sys.path.insert(0, sys.argv[2])
from scaph import binding, errors, figures, reader  # noqa: E402

TYPES = {"size_t": ctypes.c_size_t, "uint64_t": ctypes.c_uint64, "int64_t": ctypes.c_int64, "uint32_t": ctypes.c_uint32,
         "int": ctypes.c_int, "struct scaph_bounds": binding.CBounds}
STRUCTURES = {"record": binding.CRecord, "span": binding.CSpan, "bounds": binding.CBounds, "energy": binding.CEnergy,
              "clock": binding.CClock, "options": binding.COptions, "info": binding.CInfo, "bulletin": binding.CBulletin}


def fields_of(body):
    for kind, name, size in re.findall(r"((?:struct )?\w+) (\w+)(?:\[(\d+)\])?;", body):
        yield name, ctypes.c_char * int(size) if size else TYPES[kind]


def constants(text, enum):
    body = re.search(rf"enum {enum} {{(.*?)}};", text, re.S).group(1)
    return {name: int(eval(value.replace("U", ""))) for name, value in re.findall(r"(SCAPH_\w+)\s*=\s*([^,]+),", body)}


def main():
    with open(sys.argv[1]) as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    wrong = []
    found = dict(re.findall(r"struct scaph_(\w+) {(.*?)};", text, re.S))
    if set(found) != set(STRUCTURES):
        wrong.append(f"structures: {sorted(set(found) ^ set(STRUCTURES))}")
    for name in set(found) & set(STRUCTURES):
        if list(fields_of(found[name])) != list(STRUCTURES[name]._fields_):
            wrong.append(f"fields of scaph_{name}")
    declared = {name: arguments.count(",") + 1 for name, arguments in re.findall(r"\b(scaph_\w+)\(([^;]*)\);", text)}
    if declared != {name: len(arguments) for name, (_, arguments) in binding.FUNCTIONS.items()}:
        wrong.append("functions, or how many arguments they have")
    for enum, prefix, ours in (("scaph_result", "SCAPH_", errors.Result), ("scaph_record_flag", "SCAPH_", figures.Flag),
                               ("scaph_bulletin_state", "SCAPH_BULLETIN_", figures.State)):
        if constants(text, enum) != {prefix + it.name: it.value for it in ours}:
            wrong.append(f"enum {enum}")
    valid = constants(text, "scaph_bulletin_valid")
    if set(valid.values()) != set(figures._VALID.values()):
        wrong.append("enum scaph_bulletin_valid")
    modes = {f"SCAPH_OPEN_{name.upper()}": value for name, value in reader.MODES.items()}
    if constants(text, "scaph_open_mode") != modes:
        wrong.append("enum scaph_open_mode")
    print("\n".join(wrong) or "the same")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
