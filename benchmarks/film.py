"""How long a film takes, against how long it lasts, and how much memory.

Makes DIR/film of a drawn collection and prints one JSON document:

    python benchmarks/film.py DIR [--draft] [--size 1080]

`ratio` is time over duration; `ratio_of_two_cores` is processor time over duration and two cores,
which is what two quiet cores would need at least, also where others keep the machine busy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

from rocketman.collection.film import make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--size", type=int, default=1080)
    options = parser.parse_args()
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    made = make(options.folder, draft=options.draft, size=options.size)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = {
        "film_seconds": round(made.seconds, 2),
        "height": options.size,
        "seconds": round(seconds, 1),
        "ratio": round(seconds / made.seconds, 2),
        "ratio_of_two_cores": round(busy / 2 / made.seconds, 2),
        "peak_memory_mb": round(after.ru_maxrss / 1024),
        "megabits_a_second": round(made.size * 8e-6 / made.seconds, 1),
        "loudness": made.loudness,
        "load": [round(each, 1) for each in os.getloadavg()],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
