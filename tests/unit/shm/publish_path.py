#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""publish_path.py PROGRAM - publishing a record costs no lock, full barrier, division or system call.

Disassembles scaph_writer_publish and everything it calls, in a program that links the writer. Stops at the
first instruction that does not belong there. Exit 77: not an x86-64 program.
"""
import re
import subprocess
import sys

START = "scaph_writer_publish"
LEAST_INSTRUCTIONS = 30
# A sanitizer's own calls are not ours; whoever measures does not measure such a build.
INSTRUMENTATION = re.compile(r"__(asan|tsan|ubsan|sanitizer|gcov)|_mcount")
FORBIDDEN = re.compile(
    r"^(lock\b|xchg .*\(|[mls]fence|syscall|sysenter|int +\$0x80|i?div|div[sp][sd]|vdiv|cpuid|rdtsc|pause)"
)


def functions(program):
    """Name -> instructions of every function in the program."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", program], check=True, capture_output=True, text=True
    ).stdout
    if "x86-64" not in text:
        print("publish_path: not an x86-64 program: nothing is known about its instructions")
        sys.exit(77)
    found, name = {}, None
    for line in text.splitlines():
        head = re.match(r"^[0-9a-f]+ <([^>]+)>:$", line)
        if head:
            name = head.group(1)
            found[name] = []
        elif name and ":\t" in line:
            found[name].append(line.split(":\t", 1)[1].strip())
    return found


def callees(instructions):
    """Names of functions that are called or jumped to outside the function itself."""
    for line in instructions:
        target = re.match(r"^(?:call|jmp|j[a-z]+) +[0-9a-f]+ <([^>+]+)>", line)
        if target:
            yield target.group(1)


def judge(found):
    """Walk from START; return the number of instructions seen and the first complaint or None."""
    waiting, seen, count = [START], set(), 0
    while waiting:
        name = waiting.pop()
        if name in seen or INSTRUMENTATION.search(name):
            continue
        seen.add(name)
        if name not in found or "@plt" in name:
            return count, f"{name} is called: outside of this program, so perhaps a system call"
        for line in found[name]:
            count += 1
            if FORBIDDEN.match(line):
                return count, f"{name}: {line}"
            if line.startswith("call") and "*" in line:
                return count, f"{name}: {line}: an indirect call"
        waiting += list(callees(found[name]))
    return count, None


def self_check():
    """The judgement must be able to fail."""
    bad = ["lock cmpxchg %rax,(%rdi)", "mfence", "syscall", "div %rcx", "idivq 0x8(%rsp)",
           "xchg %rax,(%rdi)", "call *%rax", "call 10 <write@plt>"]
    for line in bad:
        if judge({START: ["mov %rax,(%rdi)", line]})[1] is None:
            sys.exit(f"publish_path: would not see: {line}")


def main():
    self_check()
    count, complaint = judge(functions(sys.argv[1]))
    if complaint:
        sys.exit(f"publish_path: {complaint}")
    if count < LEAST_INSTRUCTIONS:
        sys.exit(f"publish_path: only {count} instructions found: this is not the publish path")
    print(f"publish_path: {count} instructions from {START} on, none of them forbidden")


main()
