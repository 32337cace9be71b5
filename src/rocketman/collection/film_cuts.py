"""The cut list of a film: title card, pictures, credits, each on the beat of the music.

Level 5. Standard library only; counts in frames. Next: `film_frames.py` draws the frames,
`sound.py` composes to the same cuts, `film_texts.py` writes chapters and subtitles from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FPS = 30
BEAT = 25
"""Frames: 72 beats a minute."""
TITLE, FEW, MANY, CREDITS = 12, 12, 8, 16
"""Beats of the title card, of a picture in a short and in a long film, of the credits."""
LONG = 16
"""Above so many pictures a film is long: 24 pictures make three minutes."""
DRAFT = 3
"""Beats of each of the four cuts of a draft: ten seconds."""
SHORTEST_CHAPTER = 10 * FPS
"""Below it, and below three chapters, YouTube shows none."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One part of the film."""

    kind: Literal["title", "picture", "credits"]
    start: int
    """Its first frame."""
    frames: int
    picture: int = -1
    """Place of its picture among those shown, from 0."""

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start + self.frames


def cut_list(pictures: int, draft: bool = False) -> tuple[Cut, ...]:
    """The cuts of a film of so many pictures, at least one. A draft shows two of them at most."""
    each = FEW if pictures <= LONG else MANY
    title, end = TITLE, CREDITS
    if draft:
        pictures = min(pictures, 2)
        title = end = DRAFT
        each = 2 * DRAFT // pictures
    plan: list[tuple[Literal["title", "picture", "credits"], int, int]] = [("title", title, -1)]
    plan += [("picture", each, k) for k in range(pictures)]
    plan += [("credits", end, -1)]
    cuts: list[Cut] = []
    start = 0
    for kind, beats, picture in plan:
        cuts.append(Cut(kind=kind, start=start, frames=beats * BEAT, picture=picture))
        start += beats * BEAT
    return tuple(cuts)


def length(cuts: Sequence[Cut]) -> int:
    """Frames of the whole film."""
    return cuts[-1].end


def chapters(cuts: Sequence[Cut], shortest: int = SHORTEST_CHAPTER) -> list[list[Cut]]:
    """The cuts in groups of at least `shortest` frames; title and credits stand alone.

    What is left over before the credits joins the group before it. Of a draft nothing is that long.
    """
    groups: list[list[Cut]] = []
    for cut in cuts:
        last = groups[-1] if groups else []
        if cut.kind == "picture" and len(groups) > 1 and last[-1].end - last[0].start < shortest:
            last.append(cut)
        else:
            groups.append([cut])
    if len(groups) > 3 and groups[-2][-1].end - groups[-2][0].start < shortest:
        left = groups.pop(-2)
        groups[-2] += left
    return groups
