#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module against a real scaphd.

Usage: test_python.py SCAPHD SCAPH LIBRARY MODULE_FOLDER. Prints TAP.
"""

import os
import sys
import threading
import time

from bench import Bench, await_that

os.environ["SCAPH_LIBRARY"] = os.path.abspath(sys.argv[3])
sys.path.insert(0, os.path.abspath(sys.argv[4]))
import scaph  # noqa: E402

UUID = "5c0ffee0-0000-4000-8000-000000000003"


def raised(kind, call):
    try:
        call()
    except kind as error:
        return error
    except Exception as error:  # the wrong one
        print(f"# raised {error!r}")
    return None


def records(b, share):
    with scaph.open(share) as reader:
        early = raised(scaph.UnprovenError, reader.latest)
        b.check(early and share in str(early), "before the proof there is no figure", early)
        first = reader.latest(timeout=2)
        taken = []
        for record in reader:
            taken.append(record)
            if len(taken) == 60:
                break
        b.check(all(b_.number == a.number + 1 and b_.package_uj >= a.package_uj for a, b_ in zip(taken, taken[1:])),
                "sixty records in order", taken[:3])
        b.check(first.epoch_id == taken[0].epoch_id and first.core_uj is None and scaph.Flag.IS_ESTIMATED in first.flags,
                "what is not known is None", first)
        span, total = scaph.between(taken[0], taken[-1]), reader.totals
        b.check(span.package_uj == taken[-1].package_uj - taken[0].package_uj and abs(span.watts * span.duration_ns / 1e3 -
                                                                                    span.package_uj) < 2000, "their difference", span)
        b.check(total.package_uj >= span.package_uj and reader.lost == 0 and reader.age_ns < 10**9, "sums, losses, age", total)
        b.check(raised(scaph.GapError, lambda: scaph.between(taken[-1], taken[0])), "backwards there is none")
        b.check(0 < reader.window(1).watts < 200, "a window", reader.window(1))
        info, bulletin = reader.info, reader.bulletin()
        b.check((info.uuid, info.source, info.mode, info.is_host, info.window_ns) == (UUID, "model", "coherent", False, 20000000) and
                info.origin_mono_ns is None, "what the segment says of itself", info)
        b.check(bulletin.state == scaph.State.LIVE and bulletin.wall_ns and bulletin.residual_uj is None and
                abs(bulletin.wall_ns - time.time_ns()) < 5e9, "and about once a second", bulletin)
    with scaph.open(share, history=True, mode="snapshot") as reader:
        old = next(iter(reader))
        b.check(old.number < taken[-1].number and reader.info.mode == "snapshot", "history from its oldest record", old)


def energy(b, share):
    with scaph.open(share) as reader:
        reader.latest(timeout=2)
        reader.sync_clock()
        clock, newest = reader.clock(), reader.latest()
        b.check(clock.error_ns < 5_000_000 and 0 <= time.monotonic_ns() - newest.mono_ns - clock.offset_ns < 5e8,
                f"the host's clock to {clock.error_ns / 1e6:.2f} ms", clock)
        with reader.meter() as meter:
            b.check(raised(ValueError, meter.energy), "a block that goes on has no energy yet")
            time.sleep(0.2)
        figure = meter.energy()
        least, best, most = figure.package_uj
        b.check(0 < least <= best <= most and figure.bound_uj == max(most - best, best - least) and figure.dram_uj is None and
                0.2e9 <= figure.duration_ns < 2e9, f"a block: {figure.joules:.3f} J +- {figure.bound_joules:.3f} J", figure)
        whole = reader.window(3)
        b.check(least <= whole.package_uj * 1.01, "no more than in all", (figure, whole))
        now = time.monotonic_ns()
        b.check(raised(scaph.NotYetError, lambda: reader.energy_between(now, now + 10**9)), "not yet")
        b.check(raised(scaph.GapError, lambda: reader.energy_between(now - 3600 * 10**9, now - 10**9)), "before the epoch")
        b.check(raised(OSError, lambda: reader.energy_between(now, now)), "no span at all")


def several(b, share, daemon):
    """Readers in threads of their own; the last records, and silence."""
    counts = {}

    def follow(path):
        with scaph.open(path) as reader:
            try:
                for _ in reader.records(timeout=3):
                    counts[path] = counts.get(path, 0) + 1
            except scaph.StaleError as error:
                counts[path, "end"] = str(error)

    paths = [os.path.join(share, "scaph.ring"), os.path.join(b.host, UUID + ".ring"), os.path.join(b.host, "host.ring")]
    threads = [threading.Thread(target=follow, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    await_that(lambda: all(counts.get(path, 0) > 20 for path in paths))
    daemon.terminate()
    daemon.wait()
    for thread in threads:
        thread.join(10)
    b.check(all(counts.get(path, 0) > 20 for path in paths), "three readers, three threads", counts)
    b.check(all("scaphd was stopped" in counts.get((path, "end"), "") for path in paths[:1]), "and why there is no more", counts)


def refusals(b):
    b.check(raised(FileNotFoundError, lambda: scaph.open(b.work + "/nothing")), "no file: FileNotFoundError")
    b.check(raised(ValueError, lambda: scaph.open(b.work, mode="fast")), "no such mode")
    path = os.path.join(b.work, "text")
    with open(path, "w") as file:
        file.write("no segment\n" * 2000)
    with scaph.open(path) as reader:
        error = raised(scaph.RefusedError, lambda: reader.latest(timeout=1))
        b.check(error and path in str(error) and reader.reason, "no segment: RefusedError says why", error)
    b.check(raised(ValueError, reader.latest), "a closed reader says so")


def main():
    with Bench(sys.argv[1], sys.argv[2]) as b:
        load = b.load()
        share = b.share(UUID)
        daemon = b.daemon(domain=f"one@{UUID}=pid:{load.pid}")
        await_that(lambda: os.path.exists(os.path.join(share, "scaph.ring")))
        records(b, share)
        energy(b, share)
        refusals(b)
        several(b, share, daemon)
    return b.failed > 0


if __name__ == "__main__":
    sys.exit(main())
