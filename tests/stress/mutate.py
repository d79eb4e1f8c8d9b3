#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A copy of a production source with one thing broken, for a test that must notice it.

Usage: mutate.py MUTATION SOURCE OUTPUT. Each text to be replaced must stand in the source exactly once: a mutation that no
longer fits the code fails the build.
"""

import sys

MUTATIONS = {
    # proto/slot.c: the number alone decides.
    "no-checksum": (
        ("slot->crc == slot_crc(prefix, slot) ? SCAPH_SLOT_OK : SCAPH_SLOT_BAD", "SCAPH_SLOT_OK"),
    ),
    # shm/access_coherent.c: the same where records are taken straight out of the mapping.
    "no-checksum-taking": (
        ("word[7] >> 32 != scaph_crc32c_slot(prefix, word)", "0"),
    ),
    # shm/access_coherent.c: nor is the number looked at a second time.
    "no-recheck": (
        ("word[7] >> 32 != scaph_crc32c_slot(prefix, word)", "0"),
        ("return scaph_word_load(&from[0]) == word[0];", "return true;"),
    ),
    # shm/stream.c: what the first copy did not hold is lost, whatever the second one says.
    "no-reread": (
        ("if (scaph_copies_judge(&cursor->copies, cursor->next_index) == SCAPH_SLOT_OK)\n\t\treturn deliver",
         "if (0)\n\t\treturn deliver"),
    ),
    # producer/publish/division.c: a hundredth of the first domain's time counts as the second's.
    "shifted-energy": (
        ("scaph_attribution_credit(&tally->package, &portions->package, cpu_ns,",
         "if (pub->count > 1 && entry == pub->live[0])\n\t\tcpu_ns -= cpu_ns / 100;\n"
         "\tif (pub->count > 1 && entry == pub->live[1])\n"
         "\t\tcpu_ns += pub->live[0]->reading.package_ns[package] / 100;\n"
         "\tscaph_attribution_credit(&tally->package, &portions->package, cpu_ns,"),
    ),
    # shm/writer.c: the payload moves as plain memory.
    "memcpy-payload": (
        ("\tscaph_word_store(&to[1], record->mono_ns);\n", "\tmemcpy((void *)&to[1], &record->mono_ns, 48);\n"),
        ("\tscaph_word_store(&to[2], record->package_uj);\n", ""),
        ("\tscaph_word_store(&to[3], record->core_uj);\n", ""),
        ("\tscaph_word_store(&to[4], record->dram_uj);\n", ""),
        ("\tscaph_word_store(&to[5], record->idle_uj);\n", ""),
        ("\tscaph_word_store(&to[6], record->cpu_ns);\n", ""),
    ),
}


def main():
    mutation, source, output = sys.argv[1:]
    with open(source) as file:
        text = file.read()
    for old, new in MUTATIONS[mutation]:
        if text.count(old) != 1:
            print(f"mutate: {mutation}: {source}: stands there {text.count(old)} times: {old}", file=sys.stderr)
            return 1
        text = text.replace(old, new)
    with open(output, "w") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
