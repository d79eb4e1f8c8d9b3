#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed is whole: units that systemd takes and finds safe, pages that man takes, completion that bash takes, and all of
it goes again.

Usage: test_installed.py BUILD_DIR MESON_SOURCE_ROOT. Prints TAP. Needs no root and starts nothing. What the units do when they run is
test_system.py's.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tap import Tap  # noqa: E402

EXPOSURE_MAX = {"scaphd.service": 2.0, "scaph-exporter.service": 1.5}
PROGRAMS = {"scaph": ("text", "json", "prometheus", "record", "run", "doctor", "guest-setup"), "scaph-guest-setup": (), "scaph-prometheus": (), "scaph-vm": ("enable",), "scaphd": ()}
LONG_OPTION = re.compile(r"--[a-z][a-z-]+(?:\.[a-z-]+)*")
tap = Tap()
check = tap.check


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def install(build, place):
    """Return the files, as paths from the place."""
    done = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", place)
    check(done.returncode == 0, "it installs into a folder", done.stdout + done.stderr)
    return sorted(os.path.relpath(os.path.join(folder, leaf), place) for folder, _, leaves in os.walk(place) for leaf in leaves)


def find(files, leaf):
    return next((path for path in files if os.path.basename(path) == leaf), None)


def units(place, files):
    """As they are, but for the programs, which are not where they say."""
    folder = os.path.join(place, "units")
    os.mkdir(folder)
    for path in files:
        if path.endswith((".service", ".path")):
            with open(os.path.join(place, path)) as file:
                text = file.read()
            with open(os.path.join(folder, os.path.basename(path)), "w") as file:
                file.write(re.sub(r"^(ExecStart=)", rf"\1{place}", text, flags=re.M))
    names = sorted(os.listdir(folder))
    check(names == ["scaph-auto.path", "scaph-auto.service", "scaph-exporter.service", "scaph-shares.service", "scaphd.service"], f"five units: {', '.join(names)}")
    done = run("systemd-analyze", "verify", "--man=no", *(os.path.join(folder, name) for name in names),
               env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    said = [line for line in (done.stdout + done.stderr).splitlines() if folder in line or "scaph" in line]
    check(done.returncode == 0 and not said, "systemd-analyze verify finds nothing", "\n".join(said) or done.stderr)
    for name, most in EXPOSURE_MAX.items():
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager", os.path.join(folder, name))
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        check(found and float(found.group(1)) <= most, f"exposure of {name}: {found and found.group(1)}, at most {most}", done.stdout)


def users_and_folders(place, files):
    for leaf, kind, program in (("scaphring.conf", "sysusers.d", "systemd-sysusers"),
                                ("scaphring.conf", "tmpfiles.d", "systemd-tmpfiles")):
        path = next((path for path in files if path.endswith(f"{kind}/{leaf}")), None)
        options = ["--dry-run"] if program == "systemd-sysusers" else ["--create", "--root", os.path.join(place, "empty")]
        os.makedirs(os.path.join(place, "empty/etc"), exist_ok=True)
        if program == "systemd-sysusers":
            options += ["--root", os.path.join(place, "empty")]
        if os.geteuid() != 0 and program == "systemd-tmpfiles":
            continue
        done = run(program, *options, os.path.join(place, path or "missing"))
        check(path and done.returncode == 0 and not re.search("[Ii]gnor|[Ff]ail|[Uu]nknown", done.stderr),
              f"{program} takes {kind}/{leaf}", done.stdout + done.stderr)


def pages(place, files):
    """Every program and the file format has one, and groff has nothing to say about any."""
    for program in PROGRAMS:
        check(find(files, program + ".1") or find(files, program + ".8"), f"{program} has a manual page")
    check(find(files, "scaph-ring.5"), "the file format has a manual page")
    for path in files:
        if "/man/" in path:
            done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", os.path.join(place, path),
                       # A page that only names another does so from where the sections lie.
                       cwd=os.path.dirname(os.path.dirname(os.path.join(place, path))),
                       env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "140", "LC_ALL": "C.UTF-8"})
            check(done.returncode == 0 and not done.stderr, f"man has no warning of {os.path.basename(path)}", done.stderr)
            done = run("lexgrog", os.path.join(place, path))
            check(done.returncode == 0, f"apropos finds {os.path.basename(path)}", done.stdout + done.stderr)


def layout(source):
    """The page of the format has every field of the specification at its place."""
    with open(os.path.join(source, "proto/SPEC.md")) as file:
        fields = set(re.findall(r"^\| (\d+) \| (?:[ui]\d+\S*|8 x \S+ bytes) \| (\w+) \|", file.read(), re.M))
    with open(os.path.join(source, "docs/man/scaph-ring.5")) as file:
        shown = set(re.findall(r"^ *(\d+)  \S+ +(\w+)", file.read(), re.M))
    check(len(fields) > 50 and fields == shown, f"scaph-ring(5) has the {len(fields)} fields of SPEC.md", sorted(fields ^ shown))


def completion(place, files):
    for program, words in PROGRAMS.items():
        path = find(files, program)
        here = next((p for p in files if p.endswith("completions/" + program)), None)
        if not check(here, f"bash completion for {program}"):
            continue
        offered, wanted = set(), set()
        for before in ([word] for word in words) if words else ([],):
            at = len(before) + 1
            line = " ".join(f"'{word}'" for word in [program, *before, "--"])
            done = run("bash", "--norc", "-c", f"source '{place}/{here}'; COMP_WORDS=({line}); COMP_CWORD={at}; "
                       f"handler=$(complete -p {program}); handler=${{handler#*-F }}; ${{handler%% *}} {program}; "
                       "printf '%s\\n' \"${COMPREPLY[@]}\"")
            check(done.returncode == 0 and not done.stderr, f"bash takes the completion of {' '.join([program, *before])}",
                  done.stderr)
            offered |= set(done.stdout.split())
            program_path = next(p for p in files if p.endswith("bin/" + program))
            wanted |= set(LONG_OPTION.findall(run(os.path.join(place, program_path), *before, "--help").stdout.split("Example")[0]))
        check(path and wanted and wanted - {"--version"} <= offered, f"completion of {program} has every option",
              sorted(wanted - offered))


def uninstall(build, place):
    done = run("ninja", "-C", build, "uninstall")
    left = [os.path.relpath(os.path.join(folder, name), place) for folder, folders, leaves in os.walk(place)
            for name in [*folders, *leaves]]
    left = [path for path in left if path.split("/")[0] not in ("units", "empty", "kept")]
    check(done.returncode == 0 and not left, "ninja uninstall leaves nothing", "\n".join(left) + done.stdout[-2000:])


def main():
    build, source = sys.argv[1:3]
    place = tempfile.mkdtemp(prefix="scaph-installed-")
    log = os.path.join(build, "meson-logs/install-log.txt")
    kept = os.path.join(place, "kept")
    # What somebody installed from here is to be uninstalled from here later too.
    if os.path.exists(log):
        shutil.copy(log, kept)
    try:
        files = install(build, place)
        units(place, files)
        users_and_folders(place, files)
        pages(place, files)
        layout(source)
        completion(place, files)
        uninstall(build, place)
    finally:
        if os.path.exists(kept):
            shutil.copy(kept, log)
        shutil.rmtree(place, ignore_errors=True)
    tap.plan()


if __name__ == "__main__":
    main()
