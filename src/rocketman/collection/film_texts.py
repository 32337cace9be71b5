"""The words around a film: label, cards, credits, and what is pasted beside it on YouTube.

Level 5, standard library only. Made from the plan, the works and the cut list. YouTube takes a
title of 100 characters and a description of 5,000, both without angle brackets, and shows chapters
from three on that are ten seconds or longer, the first at 00:00. Next: `film.py` writes the files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rocketman import __version__
from rocketman.collection.film_cards import SOFT, Block, Line
from rocketman.collection.film_cuts import FPS, SHORTEST_CHAPTER, Cut, chapters
from rocketman.collection.plan import Plan
from rocketman.collection.works import Work, licence_url

MAX_TITLE, MAX_DESCRIPTION = 100, 5000

DISCLOSURE = (
    "Every picture in this film is synthetic: a neural network drew it from noise, following one "
    "sentence. No photograph shows any of this."
)


def title_lines(plan: Plan) -> list[Line]:
    """The title card: title, artist, the statement's first paragraph, and what this is."""
    size = 112 if len(plan.title) <= 32 else 84 if len(plan.title) <= 70 else 56
    lines = [Line(plan.title[:240], "serif", size)]
    if plan.artist:
        lines.append(Line(plan.artist, "sans", 28, 200, 30))
    if paragraphs := _paragraphs(plan):
        lines.append(Line(_short(paragraphs[0], 260), "serif", 32, 205, 62))
    lines.append(Line("Synthetic pictures, drawn by a neural network", "sans", 21, SOFT, 58, 0.6))
    return lines


def label_lines(plan: Plan, work: Work, count: int) -> list[Line]:
    """The label beside a print, as in a museum: number, title, artist, prompt, medium."""
    recipe = work.recipe
    lines = [
        Line(f"{work.number} / {count}", "sans", 21, SOFT, 0, 1.5),
        Line(_short(work.title, 120), "serif", 48 if len(work.title) <= 60 else 38, 255, 16),
    ]
    if plan.artist:
        lines.append(Line(plan.artist, "sans", 23, 205, 14))
    if recipe.prompt.lower() != work.title.lower():
        lines.append(Line(f"“{_short(recipe.prompt, 160)}”", "italic", 29, 220, 40))
    lines.append(Line("Synthetic picture: neural network, from noise", "sans", 20, SOFT, 38))
    size = f"{recipe.width} \N{MULTIPLICATION SIGN} {recipe.height} pixels"
    lines.append(Line(f"{size}, seed {recipe.seed}", "sans", 20, SOFT, 2))
    return lines


def thumbnail_lines(plan: Plan) -> list[Line]:
    """Title and artist, large enough for a phone."""
    size = 96 if len(plan.title) <= 34 else 68
    return [Line(_short(plan.title, 90), "serif", size), Line(plan.artist, "sans", 34, 200, 26)]


def credits(plan: Plan, works: Sequence[Work], music: str) -> list[tuple[str, str]]:
    """(what, who) for the closing card and the description."""
    models = sorted({f"{work.recipe.model} ({work.recipe.model_hash})" for work in works})
    picked = sum(work.mark.state == "picked" for work in works)
    rows = [("Pictures", f"drawn from noise by {', '.join(models)}")]
    if plan.artist:
        by_hand = f", {picked} of {len(works)} picked by hand" if picked else ""
        rows.append(("Prompts and selection", f"{plan.artist}{by_hand}"))
    if plan.model is None:
        rows.append(
            (
                "Training pictures",
                "rendered with Blender from scenes by the Rocketman authors, with maps by NASA "
                "Goddard Space Flight Center, NOAA, USGS, and courtesy NASA/JPL-Caltech",
            )
        )
    else:
        rows.append(("Training pictures", "named in the model's own card"))
    if music:
        rows.append(("Music", music))
    rows.append(
        ("Made with", f"Rocketman {__version__}, NumPy, Pillow, ONNX Runtime, FFmpeg and x264")
    )
    rows.append(("Type", "Newsreader by Production Type, Inter by Rasmus Andersson"))
    if plan.licence:
        rows.append(("Licence", plan.licence))
    return rows


def closing_blocks(
    rows: Sequence[tuple[str, str]],
) -> list[Block]:
    """The closing card: the disclosure in large type, the credits beside it."""
    listed: list[Line] = []
    for what, who in rows:
        listed.append(Line(what, "sans", 19, SOFT, 22 if listed else 0, 0.6))
        listed.append(Line(_short(who, 170), "serif", 27, 240, 2))
    return [
        ((170, 205, 660), [Line(DISCLOSURE, "serif", 43)]),
        ((1010, 200, 740), listed),
    ]


def title_text(plan: Plan) -> str:
    return _plain(_short(plan.title, MAX_TITLE)) + "\n"


def description(
    plan: Plan, works: Sequence[Work], cuts: Sequence[Cut], rows: Sequence[tuple[str, str]]
) -> str:
    """Statement, chapters, credits, licence and disclosure, at most MAX_DESCRIPTION characters."""
    statement = "\n\n".join(_paragraphs(plan))
    shown = [f"{what}: {who}" for what, who in rows]
    if url := licence_url(plan.licence):
        shown.append(url)
    ends = ["Credits", *shown, "", "About the pictures", DISCLOSURE]
    ends.append("The film carries Content Credentials (C2PA) that say so.")
    if plan.url:
        ends += ["", f"Gallery: {plan.url}"]
    shortest = SHORTEST_CHAPTER
    while True:
        listed = chapter_lines(plan, works, cuts, shortest)
        parts = [_short(statement, 1500), "\n".join(["Chapters", *listed]), "\n".join(ends)]
        text = _plain("\n\n".join(part for part in parts if part)) + "\n"
        if len(text) <= MAX_DESCRIPTION or len(listed) <= 3:
            return text[:MAX_DESCRIPTION]
        shortest *= 2


def chapter_lines(
    plan: Plan, works: Sequence[Work], cuts: Sequence[Cut], shortest: int = SHORTEST_CHAPTER
) -> list[str]:
    """ "00:00 Title", "00:10 First picture", ... as YouTube reads chapters."""
    lines = []
    for group in chapters(cuts, shortest):
        titles = [works[cut.picture].title for cut in group if cut.kind == "picture"]
        name = {"title": plan.title, "credits": "Credits"}.get(group[0].kind) or titles[0]
        if len(titles) > 1:
            name = f"{titles[0]} · {titles[1]}" if len(titles) == 2 else f"{titles[0]}, and on"
        lines.append(f"{_clock(group[0].start)} {_short(' '.join(name.split()), 90)}")
    return lines


def subtitles(plan: Plan, works: Sequence[Work], cuts: Sequence[Cut]) -> str:
    """The film's words as SubRip: title, each picture with its prompt, the disclosure."""
    blocks = []
    for number, cut in enumerate(cuts, start=1):
        if cut.kind == "title":
            text = f"{plan.title}\n{plan.artist}" if plan.artist else plan.title
        elif cut.kind == "credits":
            text = DISCLOSURE
        else:
            work = works[cut.picture]
            text = f"{work.title}\n{work.alt}"
        start, end = _stamp(cut.start), _stamp(cut.end - 3)
        blocks.append(f"{number}\n{start} --> {end}\n{_plain(text)}\n")
    return "\n".join(blocks)


def _paragraphs(plan: Plan) -> list[str]:
    return [" ".join(text.split()) for text in re.split(r"\n\s*\n", plan.statement) if text.strip()]


def _short(text: str, most: int) -> str:
    """At most so many characters, cut after a word, with an ellipsis."""
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rpartition(' ')[0] or text[: most - 1]}…"


def _plain(text: str) -> str:
    """Without what YouTube refuses and subtitles would take for markup."""
    text = text.replace("<", "(").replace(">", ")")
    return "".join(c for c in text if c == "\n" or ord(c) >= 32)


def _clock(frame: int) -> str:
    """mm:ss, or h:mm:ss from an hour on; rounded up, so that a chapter begins in its own cut."""
    seconds = -(-frame // FPS)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes:02}:{seconds % 60:02}"


def _stamp(frame: int) -> str:
    milliseconds = frame * 1000 // FPS
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"
