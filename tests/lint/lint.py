#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a compiler does not know.

Usage: lint.py CHECK ROOT [ARGUMENT]...   run one check over the tree; each line printed is a finding
       lint.py --self-test                seed a violation of each check and see it found
"""

import os
import re
import subprocess
import sys
import tempfile

# Who may include whom: proto <- shm <- producer, and proto <- shm <- consumer <- tools.
LAYERS = {
    "proto": {"proto"},
    "shm": {"proto", "shm"},
    "producer": {"proto", "shm", "producer"},
    "consumer": {"proto", "shm", "consumer"},
    "tools": {"consumer", "tools"},
    # Measures both ends, against floors that are made of atomics.
    "tools/bench": {"proto", "shm", "consumer", "tools"},
    # Names and UUIDs as the daemon has them; no byte of a segment.
    "tools/vm": {"proto", "tools"},
}

# The same among producer's rooms; what lies in none (main, daemon and what they print) may include all.
ROOMS = {
    "process": {"process"},
    "config": {"config", "process"},
    "control": {"control", "process"},
    "machine": {"machine", "config", "process"},
    "source": {"source", "account", "machine", "config", "process"},
    "account": {"account", "process"},
    "meter": {"meter", "machine", "config", "process"},
    "domain": {"domain", "config", "process"},
    "publish": {"publish", "account", "source", "meter", "machine", "domain", "config", "process"},
}

# Each third-party header is known by one file, or one folder, in each program that is ours.
LIBRARIES = {
    "ini.h": ("producer/config/config.c", "tools/vm/settings.c"),
    "jansson.h": ("consumer/command/view_json.c", "consumer/doctor/report_json.c", "consumer/run/report_json.c", "tools/bench/json.c"),
    "microhttpd.h": "consumer/prometheus/http.c",
    "cap-ng.h": "producer/process/privilege.c",
    "systemd/sd-daemon.h": "producer/process/notify.c",
    "libvirt/libvirt.h": ("producer/domain/libvirt.c", "tools/vm/virt.c"),
    "libvirt/virterror.h": ("producer/domain/libvirt.c", "tools/vm/virt.c"),
    "libxml/parser.h": ("producer/domain/shmem_xml.c", "tools/vm/xml_tree.c"),
    "libxml/parserInternals.h": "tools/vm/xml_tree.c",
    "libxml/tree.h": "producer/domain/shmem_xml.c",
    "urcu/urcu-memb.h": "producer/publish/table.c",
    "urcu/rculist.h": "producer/publish/table.c",
    "fuse_lowlevel.h": "tests/msrfs/msrfs.c",
    "acl/libacl.h": "tools/vm/daemon_user.c",
    "sys/acl.h": "tools/vm/daemon_user.c",
    "bpf/bpf.h": "producer/meter/bpf/",
    "bpf/bpf_core_read.h": "producer/meter/bpf/",
    "bpf/bpf_helpers.h": "producer/meter/bpf/",
    "bpf/libbpf.h": "producer/meter/bpf/",
    "ck_ring.h": "tools/bench/peers/ck_ring.c",
    "ck_sequence.h": "tools/bench/peers/ck_sequence.c",
    "pcp/mmv_dev.h": "tools/bench/peers/mmv.c",
    "pcp/mmv_stats.h": "tools/bench/peers/mmv.c",
    "pcp/pmapi.h": "tools/bench/peers/mmv.c",
    "qb/qbrb.h": "tools/bench/peers/libqb.c",
    "runtime.skel.h": "producer/meter/bpf/",
}

# What the daemon shares with a program in the kernel is ordered in one folder too.
ATOMICS_TOO = "producer/meter/bpf/"

ATOMICS = re.compile(r"\b(atomic_\w+\(|_Atomic\b|__atomic_|__sync_|stdatomic\.h)")
LABEL = re.compile(r"/\* ([WR]\d+): .*?; pairs with ([WR]\d+) in (\S+?)\.(?= |\*|$)")
ORDERING = re.compile(r"atomic_thread_fence|memory_order_(acquire|release|acq_rel|seq_cst)")


def files(root, *endings):
    """The project's files with one of the endings, as paths from the root."""
    found = []
    for folder, names, leaves in os.walk(root):
        names[:] = [n for n in names if n != ".git" and not n.startswith("build")]
        for leaf in leaves:
            if leaf.endswith(endings):
                found.append(os.path.relpath(os.path.join(folder, leaf), root))
    return sorted(found)


def text_of(root, path):
    with open(os.path.join(root, path), errors="replace") as file:
        return file.read()


def layer_of(path):
    """A room of tools with rules of its own, or the topmost folder."""
    room = "/".join(path.split("/")[:2])
    return room if room in LAYERS else path.split("/")[0]


def is_known_by(path, places):
    """places: a file, a folder with its slash, or a tuple of them."""
    places = (places,) if isinstance(places, str) else places
    return any(path.startswith(place) if place.endswith("/") else path == place for place in places)


def layers(root):
    for path in files(root, ".c", ".h"):
        layer = layer_of(path)
        for number, line in enumerate(text_of(root, path).splitlines(), 1):
            found = re.match(r'#include ["<]([^">]+)[">]', line)
            if not found:
                continue
            name = found.group(1)
            if layer in LAYERS and name.split("/")[0] in LAYERS and name.split("/")[0] not in LAYERS[layer]:
                yield f"{path}:{number}: {layer} must not include {name}"
            own, other = (re.match(r"producer/(\w+)/", where) for where in (path, name))
            if own and own.group(1) in ROOMS and name.startswith("producer/") and (
                    not other or other.group(1) not in ROOMS[own.group(1)]):
                yield f"{path}:{number}: {own.group(1)} must not include {name}"
            if not is_known_by(path, LIBRARIES.get(name, path)):
                yield f"{path}:{number}: {name} is known by {LIBRARIES[name]} alone"


def orderings(root):
    """Atomics in shm/ alone; every ordering labelled; every label with its partner, and both in SPEC.md's table."""
    seen = {}
    for path in files(root, ".c", ".h"):
        text = text_of(root, path)
        lines = text.splitlines()
        if layer_of(path) in LAYERS and not path.startswith(("shm/", "tools/bench/", ATOMICS_TOO)):
            for number, line in enumerate(lines, 1):
                if ATOMICS.search(line):
                    yield f"{path}:{number}: atomics and fences belong into shm/"
        if not path.startswith("shm/"):
            continue
        labelled = re.sub(r"\n\s*\*? ?(?!/)", " ", text)
        for label, partner, where in LABEL.findall(labelled):
            seen.setdefault(label, set()).add((path, partner, where))
        for number, line in enumerate(lines, 1):
            before = " ".join(lines[max(0, number - 8):number])
            if ORDERING.search(line) and not re.search(r"/\* [WR]\d+:", before):
                yield f"{path}:{number}: an ordering without a label"
    spec = text_of(root, "proto/SPEC.md")
    for label, uses in seen.items():
        for path, partner, where in uses:
            if not any(p == where for p, _, _ in seen.get(partner, ())):
                yield f"{path}: {label} pairs with {partner} in {where}, which has no such label"
            if not re.search(rf"^\| {label} \| {re.escape(path)} \|.*\| {partner} \|$", spec, re.M):
                yield f"{path}: {label} with {partner} is not in the table of proto/SPEC.md"
    for label in re.findall(r"^\| ([WR]\d+) \| shm/", spec, re.M):
        if label not in seen:
            yield f"proto/SPEC.md: {label} is in the table and nowhere in shm/"


def formatted(root):
    paths = [os.path.join(root, path) for path in files(root, ".c", ".h")]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", f"--style=file:{root}/.clang-format", *paths],
                          capture_output=True, text=True)
    for path in sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.M))):
        yield f"{os.path.relpath(path, root)}: not as clang-format has it"
    if done.returncode and "error:" not in done.stderr:
        yield done.stderr


def shell(root):
    scripts = [path for path in files(root, "") if re.match(r"#!/bin/(ba)?sh", text_of(root, path)[:20])]
    scripts += files(root, ".bash")
    done = subprocess.run(["shellcheck", *scripts], cwd=root, capture_output=True, text=True)
    yield from done.stdout.splitlines()


def words(root):
    """No paths of one machine, nothing left undone; every source says its licence first."""
    bad = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b")))
    for path in files(root, ".c", ".h", ".py", ".md", ".build", ".sh", ".bash", ".pml", ".1", ".3", ".5", ".8"):
        text = text_of(root, path)
        for number, line in enumerate(text.splitlines(), 1):
            if bad.search(line):
                yield f"{path}:{number}: {line.strip()}"
        if path.endswith((".c", ".h", ".py", ".build")) and "SPDX-License-Identifier" not in text[:200]:
            yield f"{path}: the licence tag is missing"


LONG_OPTION = re.compile(r"--[a-z][a-z-]+(?:\.[a-z-]+)*")


def options(root, *programs):
    """Every long option in --help stands in the manual page, and the other way round. PROGRAM[,SUBCOMMAND...]=PAGE"""
    for argument in programs:
        command, page = argument.split("=")
        program, *subcommands = command.split(",")
        shown = set()
        for subcommand in subcommands or [None]:
            call = [program] + ([subcommand] if subcommand else []) + ["--help"]
            shown |= set(LONG_OPTION.findall(subprocess.run(call, capture_output=True, text=True).stdout))
        if subcommands:
            top = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
            shown |= set(LONG_OPTION.findall(top))
        text = text_of(root, page).replace("\\-", "-")
        documented = set()
        for line in re.findall(r"^\.(?:B|BI|BR) (.*(?:\n)?)", text, re.M):
            documented |= set(LONG_OPTION.findall(line))
        for name in sorted(shown - documented):
            yield f"{page}: {name} of {os.path.basename(program)} is missing"
        for name in sorted(documented - shown):
            yield f"{page}: {name} is no option of {os.path.basename(program)}"


CHECKS = {check.__name__: check for check in (layers, orderings, formatted, shell, words, options)}


def put(root, path, text):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w") as file:
        file.write(text)


def self_test():
    """Each check on a small tree: silent when it is right, not when it is seeded with a fault."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    tag = "/* SPDX-License-Identifier: Apache-2.0 */\n"
    good = {
        "proto/SPEC.md": "| W1 | shm/a.c | x | R1 |\n| R1 | shm/b.c | x | W1 |\n",
        "shm/a.c": tag + "/* W1: it; pairs with R1 in shm/b.c. */\natomic_thread_fence(memory_order_release);\n",
        "shm/b.c": tag + "/* R1: it; pairs with W1 in shm/a.c. */\natomic_thread_fence(memory_order_acquire);\n",
        "run.sh": "#!/bin/sh\necho ok\n",
        "prog": "#!/bin/sh\necho '  --foo N'\n",
        "prog.1": ".TP\n.BI \\-\\-foo \" N\"\n",
        ".clang-format": text_of(here, ".clang-format"),
    }
    bad = {
        "layers": {"shm/c.c": tag + '#include "producer/process/log.h"\n'},
        "orderings": {"shm/c.c": tag + "atomic_thread_fence(memory_order_acquire);\n"},
        "formatted": {"shm/c.c": tag + "int  x ;\n"},
        "shell": {"run.sh": "#!/bin/sh\necho $1 `ls *`\n"},
        "words": {"shm/c.c": "int x;\n"},
        "options": {"prog.1": ".TP\n.BI \\-\\-bar \" N\"\n"},
    }
    extra = {
        "orderings": ({"shm/a.c": tag}, {"producer/c.c": tag + "#include <stdatomic.h>\n"},
                      {"shm/a.c": good["shm/a.c"].replace("shm/b.c", "shm/z.c")}, {"proto/SPEC.md": ""}),
        "layers": ({"producer/meter/meter_bpf.c": tag + "#include <bpf/bpf.h>\n"}, {"tools/bench/c.c": tag + '#include "producer/process/log.h"\n'}, {"tools/vm/c.c": tag + '#include "shm/c.h"\n'}, {"tools/vm/c.c": tag + "#include <libvirt/libvirt.h>\n"}, {"tools/c.c": tag + '#include "shm/c.h"\n'}, {"producer/domain/c.c": tag + '#include "producer/publish/table.h"\n'}, {"consumer/c.c": tag + '#include "producer/process/log.h"\n'}, {"producer/c.c": tag + "#include <jansson.h>\n"},
                   {"tests/c.c": tag + "#include <ini.h>\n"}),
    }
    failed = 0
    for name, check in CHECKS.items():
        for seed in ({}, bad[name], *extra.get(name, ())):
            with tempfile.TemporaryDirectory() as root:
                for path, text in {**good, **seed}.items():
                    put(root, path, text)
                    os.chmod(os.path.join(root, path), 0o755)
                arguments = [f"{root}/prog=prog.1"] if name == "options" else []
                found = list(check(root, *arguments))
            if bool(found) != bool(seed):
                failed += 1
                print(f"{name}: with {list(seed) or 'nothing'} seeded it says {found}")
    return failed


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    found = list(CHECKS[sys.argv[1]](os.path.abspath(sys.argv[2]), *sys.argv[3:]))
    print("\n".join(found))
    return len(found) > 0


if __name__ == "__main__":
    sys.exit(main())
