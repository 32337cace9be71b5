"""The card of a data set: README.md with Hugging Face front matter, and sample.jpg beside it.

Reads any data set that `sources.py` knows; every number in the card is counted there. Level 3.
Next: `cli_dataset.py` writes one after every rendering and packing.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from pathlib import Path

from rocketman.captions import INSTRUMENTS, SUITS, Split
from rocketman.data.check import count_factors
from rocketman.data.pictures import FORMATS, BadPicture
from rocketman.data.show import contact_sheet, open_splits
from rocketman.data.sources import Row, Source
from rocketman.files import write_whole

CARD, SAMPLE = "README.md", "sample.jpg"
RIGHTS = "## Rights\n\n| | pictures |"
"""Every card has this: by it a card of ours is known from someone's own README.md."""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
MARKS: dict[Split, str] = {"train": "", "validation": " v", "test": " t"}
COLUMNS = {
    "file_name": "the picture",
    "text": "its full caption",
    "captions": "all its captions: the full one, a short one, paraphrases",
    "suit": "colour of the space suit, empty where there is none",
    "instrument": "what is played or floats there, empty where there is none",
    "place": "where",
    "relation": "playing, beside, instrument alone, astronaut alone",
    "view": "how it is taken: close, medium or wide; on which side a thing floats",
    "seed": "of the data set",
    "index": "of the scene: seed and index make the picture again",
    "author": "who made the picture",
    "license": "its licence",
    "source": "the program and its version",
    "sha256": "of the picture's file",
    "original": "name and sha256 of the file that was packed",
}


def write_card(folder: Path) -> Path:
    """Write FOLDER/README.md and, unless it would lie among the pictures of the data set,
    FOLDER/sample.jpg; returns the first.

    ValueError, in one sentence, if the folder holds no picture that can be read, or files of these
    names that are not ours.
    """
    sources = open_splits(folder)
    names = (CARD,) if _is_flat(folder, sources) else (CARD, SAMPLE)
    readme = folder / CARD
    ours = readme.is_file() and RIGHTS.encode() in readme.read_bytes()
    for name in names:
        if (folder / name).exists() and not ours:
            raise ValueError(f"{folder / name} is not of a card of ours: move it away first.")
    sample = io.BytesIO()
    contact_sheet(folder, columns=8, rows=4).save(sample, "JPEG", quality=88, optimize=True)
    write_whole(folder / CARD, card(folder, sources).encode())
    if SAMPLE in names:
        write_whole(folder / SAMPLE, sample.getvalue())
    return folder / CARD


def _is_flat(folder: Path, sources: dict[Split, Source]) -> bool:
    """Whether every picture in `folder` itself counts as one of the data set."""
    return any(
        source.name == str(folder) and any(path.suffix.lower() in FORMATS for path in source.files)
        for source in sources.values()
    )


def card(folder: Path, sources: dict[Split, Source]) -> str:
    """The text of the card."""
    rows = [row for source in sources.values() for row in source.rows]
    sheet = f"![Pictures of the data set with their captions]({SAMPLE})\n"
    sections = [
        _front_matter(folder, rows, sources),
        f"# {_title(folder, rows)}\n",
        "" if _is_flat(folder, sources) else sheet,
        _summary(rows, sources),
        _split_table(rows, sources),
        _factors(rows),
        _columns(rows),
        _rights(rows),
    ]
    return "\n".join(section for section in sections if section)


def _front_matter(folder: Path, rows: list[Row], sources: dict[Split, Source]) -> str:
    """What Hugging Face's hub and `datasets` read."""
    licenses = {str(row.get("license", "unknown")).lower() for row in rows}
    lines = [
        "---",
        f"pretty_name: {_title(folder, rows)}",
        f"license: {licenses.pop() if len(licenses) == 1 else 'other'}",
        "language: [en]",
        "task_categories: [text-to-image]",
        f"size_categories: [{next((name for n, name in SIZES if len(rows) < n), 'n>1M')}]",
        f"tags: [{'synthetic, rendered, blender, astronauts, music' if _ours(rows) else 'image'}]",
    ]
    patterns = {}
    for split in sources:
        if any(folder.glob(f"{split}-*.tar")):
            patterns[split] = f"{split}-*.tar"
        elif (folder / split / "metadata.jsonl").is_file():
            patterns[split] = f"{split}/**"
    if patterns:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split, pattern in patterns.items():
            lines += [f"  - split: {split}", f'    path: "{pattern}"']
    return "\n".join([*lines, "---", ""])


def _ours(rows: list[Row]) -> bool:
    return all(str(row.get("source", "")).startswith("rocketman") for row in rows)


def _title(folder: Path, rows: list[Row]) -> str:
    return "Astronauts in orbit playing instruments" if _ours(rows) else folder.resolve().name


def _summary(rows: list[Row], sources: dict[Split, Source]) -> str:
    sizes = ", ".join(f"{len(source.rows):,} for {split}" for split, source in sources.items())
    width, height = _first_size(sources)
    captions = sum(len(row["captions"]) for row in rows)
    text = f"{len(rows):,} pictures ({sizes}), {captions:,} captions; {width} x {height} pixels."
    if _ours(rows):
        text += " Rendered with Blender's Cycles from scenes that Rocketman draws by seed."
    return f"{text}\n"


def _first_size(sources: dict[Split, Source]) -> tuple[int, int]:
    """Of the first picture that can be read; there is one."""
    for source in sources.values():
        for k in range(len(source.rows)):
            with contextlib.suppress(BadPicture):
                return source.open(k).size
    raise BadPicture("holds no picture that can be read")


def _split_table(rows: list[Row], sources: dict[Split, Source]) -> str:
    """How many pictures show each suit with each instrument, and for which split."""
    meetings: dict[tuple[str, str], Counter[Split]] = {}
    for split, source in sources.items():
        for row in source.rows:
            if row.get("suit") and row.get("instrument"):
                pair = (str(row["suit"]), str(row["instrument"]))
                meetings.setdefault(pair, Counter())[split] += 1
    if not meetings:
        return ""
    suits = [suit for suit in SUITS if any(suit == pair[0] for pair in meetings)]
    lines = [
        "## Splits\n",
        "Pictures in which a suit and an instrument meet, playing or beside. Pairs marked v or t",
        "are kept for validation or test: training never shows them together, nor names them in",
        "any caption. Where a cell has both, training shows the instrument floating beside such a",
        "suit, and nobody there ever plays it.\n",
        f"| | {' | '.join(suits)} |",
        f"|---|{'---|' * len(suits)}",
    ]
    for instrument in INSTRUMENTS:
        cells = []
        for suit in suits:
            found = meetings.get((suit, instrument), Counter())
            cells.append(", ".join(f"{count}{MARKS[split]}" for split, count in found.items()))
        if any(cells):
            lines.append(f"| {instrument} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _factors(rows: list[Row]) -> str:
    counts = {name: Counter[str]() for name in ("relation", "place", "suit", "instrument")}
    for row in rows:
        count_factors(row, counts)
    lines = [
        f"| {name} | {', '.join(f'{level} {n:,}' for level, n in counter.most_common())} |"
        for name, counter in counts.items()
        if counter
    ]
    return "\n".join(["## Counts\n", "| | |", "|---|---|", *lines, ""]) if lines else ""


def _columns(rows: list[Row]) -> str:
    names = dict.fromkeys(name for row in rows for name in row)
    lines = [f"| `{name}` | {COLUMNS.get(name, '')} |" for name in names]
    return "\n".join(["## Columns\n", "| | |", "|---|---|", *lines, ""])


def _rights(rows: list[Row]) -> str:
    lines = [RIGHTS, "|---|---|"]
    for name in ("license", "author", "source"):
        counts = Counter(str(row.get(name) or "not stated") for row in rows)
        lines += [f"| {name}: {value} | {count:,} |" for value, count in counts.most_common(20)]
        if len(counts) > 20:
            lines.append(f"| {name}: {len(counts) - 20:,} others, see the rows | |")
    if _ours(rows):
        lines += [
            "",
            "The surfaces of earth, moon and mars are real maps whose credits are in NOTICE of",
            "Rocketman: NASA, USGS, NOAA and others.",
        ]
    return "\n".join([*lines, ""])
