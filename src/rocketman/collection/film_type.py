"""Type for the film: which font has a letter, how wide a line is, where it breaks, how it is drawn.

Level 5. Reads the fonts in `fonts/` (Newsreader and Inter, latin and extended latin; OFL-1.1), and
where those lack a letter, the fonts of the system. Draws coverage masks with Pillow; colours come
later. A letter that no font has is left out, and `Type.missing` names it, so that nobody finds an
empty box in a finished film. Next: `film_frames.py`.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFont, features

Face = Literal["serif", "italic", "sans"]

SYSTEM_FONTS = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoNaskhArabic-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKjp-Regular.otf",
    "wqy-zenhei.ttc",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "tahoma.ttf",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "Nirmala.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
)
"""Asked for by name, in this order; Pillow looks in the system's folders."""
PROBE = 40
"""Pixels at which a glyph is compared with the font's empty box."""

Font = ImageFont.FreeTypeFont


@dataclass
class Type:
    """Sets lines of text, and remembers the letters that no font had."""

    missing: set[str] = field(default_factory=set)
    shaped: bool = False
    """Whether any line ran from right to left."""

    def width(self, text: str, face: Face, size: int, spacing: float = 0) -> float:
        """Pixels from the first letter's start to the last one's end."""
        return sum(
            font.getlength(part) + spacing * len(part)
            for font, part in self._runs(text, face, size)
        )

    def wrap(self, text: str, face: Face, size: int, width: float) -> list[str]:
        """Lines of at most `width` pixels, broken between words, and inside one if it must be."""
        lines: list[str] = []
        line = ""
        for word in text.split():
            for piece in self._pieces(word, face, size, width):
                longer = f"{line} {piece}".strip()
                if line and self.width(longer, face, size) > width:
                    lines.append(line)
                    longer = piece
                line = longer
        return [*lines, line] if line else lines

    def draw(
        self,
        mask: Image.Image,
        at: tuple[float, float],
        text: str,
        face: Face,
        size: int,
        ink: int = 255,
        spacing: float = 0,
    ) -> None:
        """Draw a line on an L mask; `at` is the left end of its baseline, `ink` how strongly."""
        x, y = at
        runs = self._runs(text, face, size)
        backwards = _is_rtl(text)
        self.shaped |= backwards
        for font, part in reversed(runs) if backwards else runs:
            for piece in part if spacing else [part]:
                layer = Image.new("L", mask.size)
                ImageDraw.Draw(layer).text((x, y), piece, fill=ink, font=font, anchor="ls")
                mask.paste(ImageChops.lighter(mask, layer))
                x += font.getlength(piece) + spacing

    def _pieces(self, word: str, face: Face, size: int, width: float) -> list[str]:
        """A word, cut where it alone is wider than a line."""
        pieces = [""]
        for letter in word:
            if pieces[-1] and self.width(pieces[-1] + letter, face, size) > width:
                pieces.append("")
            pieces[-1] += letter
        return pieces

    def _runs(self, text: str, face: Face, size: int) -> list[tuple[Font, str]]:
        """The text in parts of one font each, without the letters that no font has."""
        runs: list[tuple[str, str]] = []
        for letter in unicodedata.normalize("NFC", text):
            before = runs[-1][0] if runs else None
            name = before if before and _has(before, letter) else _font_with(letter, face)
            if name is None:
                self.missing.add(letter)
            elif name == before:
                runs[-1] = (name, runs[-1][1] + letter)
            else:
                runs.append((name, letter))
        return [(_open(name, size), part) for name, part in runs]


def _font_with(letter: str, face: Face) -> str | None:
    """The name of the first font that has a letter."""
    own = (f"{face}-latin.woff2", f"{face}-latin-ext.woff2")
    return next((name for name in (*own, *_system_fonts()) if _has(name, letter)), None)


@cache
def _has(name: str, letter: str) -> bool:
    """Whether a font draws a letter as something else than its empty box."""
    if unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp"):
        return True
    font = _open(name, PROBE, ImageFont.Layout.BASIC)
    drawn, box = font.getmask(letter), font.getmask("\U0010fffd")
    if drawn.size != box.size:
        return drawn.getbbox() is not None
    return bytes(drawn) != bytes(box)


@cache
def _system_fonts() -> tuple[str, ...]:
    found = []
    for name in SYSTEM_FONTS:
        try:
            ImageFont.truetype(name, PROBE)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


@cache
def _open(name: str, size: int, layout: ImageFont.Layout | None = None) -> Font:
    if name not in SYSTEM_FONTS:
        file = resources.files("rocketman.collection").joinpath("fonts", name)
        return ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=layout)
    return ImageFont.truetype(name, size, layout_engine=layout)


def _is_rtl(text: str) -> bool:
    """Whether the first letter that has a direction runs from right to left."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


def can_shape() -> bool:
    """Whether this Pillow joins Arabic letters and the like, and sets them from the right."""
    return bool(features.check("raqm")) and bool(features.check("fribidi"))
