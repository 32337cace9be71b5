"""The pictures in which no astronaut meets an instrument: python runs/never_met.py DATA OUT

Reads a rendered set, or its thumbnails, and writes the training pictures of astronauts alone and of
instruments alone as a captioned folder. What a network trained on them makes of both together is in
docs/log.md, 2026-11-28.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rocketman.data.sources import read_split


def write_apart(data: Path, out: Path) -> int:
    """OUT/train with a PNG a picture and metadata.jsonl; returns how many there are.

    ValueError if DATA is no rendered set, or OUT is taken.
    """
    source = read_split(data, "train")
    folder = out / "train"
    if folder.exists():
        raise ValueError(f"{folder} is there already; choose another OUT.")
    if not all("relation" in row for row in source.rows):
        raise ValueError(f"{data} does not say who is with what: it must be a rendered set.")
    folder.mkdir(parents=True)
    lines = []
    for k, row in enumerate(source.rows):
        if str(row["relation"]).endswith("alone"):
            source.open(k).save(folder / row["file_name"])
            lines.append(json.dumps(row))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python runs/never_met.py DATA OUT")
    try:
        print(f"{write_apart(Path(sys.argv[1]), Path(sys.argv[2]))} pictures")
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
