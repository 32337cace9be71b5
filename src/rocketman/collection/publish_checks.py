"""What has to hold of a published folder: words for pictures, links, contrast, weight, credentials.

Level 5, reads DIR/publish. Each check is a small function that says what it looked at and what is
wrong; `checks` runs them all. Next: `cli_collection.py` prints them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rocketman.collection.wording import counted
from rocketman.provenance import credentials

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: of letters of ordinary size."""
HEAVIEST_INDEX = 1_000_000
"""Bytes that the index may load before anybody scrolls."""
BEFORE_SCROLLING = 24
"""Pictures of the index that a browser may load by then; it reaches below the screen's edge."""
SIGNED = (".png", ".jpg", ".mp4")
PAIRS = (("ink", "wall"), ("soft", "wall"), ("ink", "mat"), ("soft", "mat"))
"""Letters and what they stand on, as custom properties of gallery.css."""
THEMES = {"night": r":root\s*\{([^}]*)\}", "light": r":root:has\(#light:checked\)\s*\{([^}]*)\}"}


@dataclass(frozen=True)
class Check:
    """One line of the table."""

    name: str
    looked_at: str
    wrong: tuple[str, ...] = ()
    """A sentence each."""

    @property
    def good(self) -> bool:
        return not self.wrong


def checks(place: Path) -> tuple[Check, ...]:
    """All checks of a published folder."""
    pages = [Page(path) for path in sorted((place / "gallery").rglob("*.html"))]
    index = next(page for page in pages if page.path.name == "index.html")
    return (
        alt_texts(pages),
        links(pages),
        structure(pages),
        contrast((place / "gallery" / "gallery.css").read_text(encoding="utf-8")),
        weight(index),
        signatures(place),
    )


class Page(HTMLParser):
    """A page's tags with their attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def loaded(self) -> Iterator[str]:
        """Addresses that the page loads by itself, or may choose from."""
        for tag, attributes in self.tags:
            yield from (attributes[name] for name in ("src", "poster") if name in attributes)
            yield from (
                part.split()[0] for part in attributes.get("srcset", "").split(", ") if part
            )
            if tag == "link" and attributes.get("rel") in ("stylesheet", "icon"):
                yield attributes["href"]

    def led_to(self) -> Iterator[str]:
        """Addresses that the page leads to."""
        yield from (each["href"] for each in self.all("a") if "href" in each)
        yield from (each["href"] for each in self.all("link") if each["rel"] == "alternate")

    def target(self, address: str) -> Path:
        """The file of a relative address."""
        return self.path.parent / unquote(urlsplit(address).path or self.path.name)


def choices(attributes: dict[str, str]) -> list[str]:
    """The addresses in a `srcset`."""
    return [part.split()[0] for part in attributes.get("srcset", "").split(", ") if part]


def alt_texts(pages: Iterable[Page]) -> Check:
    images = [(page, image) for page in pages for image in page.all("img")]
    wrong = [
        f"{page.path.name}: {image.get('src')} has no words for those who cannot see it."
        for page, image in images
        if not image.get("alt", "").strip()
    ]
    return Check("alt texts", counted(len(images), "image"), tuple(wrong))


def links(pages: Sequence[Page]) -> Check:
    """Every link inside leads somewhere, and nothing is loaded from elsewhere."""
    wrong, count = [], 0
    ids = {page.path.resolve(): set(page.ids) for page in pages}
    for page in pages:
        for address in page.loaded():
            count += 1
            if urlsplit(address).scheme or address.startswith("//"):
                wrong.append(f"{page.path.name} loads {address} from elsewhere.")
            elif not page.target(address).is_file():
                wrong.append(f"{page.path.name} loads {address}, which is not there.")
        for address in page.led_to():
            parts = urlsplit(address)
            if parts.scheme or address == "#":
                continue
            count += 1
            target = page.target(address).resolve()
            if not target.is_file():
                wrong.append(f"{page.path.name} leads to {address}, which is not there.")
            elif parts.fragment and parts.fragment not in ids.get(target, set()):
                wrong.append(f"{page.path.name} leads to {address}: there is no such place.")
    return Check("links", f"{count} addresses", tuple(wrong))


def structure(pages: Sequence[Page]) -> Check:
    """A language, a title, one heading of the first rank, and no id twice."""
    wrong = []
    for page in pages:
        for what, fine in {
            "no language": bool(page.all("html")[0].get("lang")),
            "no title": len(page.all("title")) == 1,
            "not one heading of the first rank": len(page.all("h1")) == 1,
            "an id twice": max(Counter(page.ids).values(), default=0) <= 1,
        }.items():
            if not fine:
                wrong.append(f"{page.path.name} has {what}.")
    return Check("pages", counted(len(pages), "page"), tuple(wrong))


def contrast(css: str) -> Check:
    """The colours of letters against what they stand on, in both lights."""
    ratios = {}
    for theme, pattern in THEMES.items():
        found = re.search(pattern, css)
        colours = dict(re.findall(r"--(\w+):\s*(#[0-9a-f]{6});", found[1] if found else ""))
        for letters, ground in PAIRS:
            name = f"{letters} on {ground} ({theme})"
            if letters not in colours or ground not in colours:
                return Check("contrast", name, (f"gallery.css names no colours for {name}.",))
            ratios[name] = contrast_ratio(colours[letters], colours[ground])
    wrong = [
        f"{name} has a contrast of {ratio:.1f}, and {LEAST_CONTRAST} is the least."
        for name, ratio in ratios.items()
        if ratio < LEAST_CONTRAST
    ]
    lowest = min(ratios, key=lambda name: ratios[name])
    return Check("contrast", f"lowest {ratios[lowest]:.1f} : 1, {lowest}", tuple(wrong))


def contrast_ratio(one: str, other: str) -> float:
    """Between two colours #rrggbb, 1 to 21 (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def weight(index: Page) -> Check:
    """What the index loads before anybody scrolls, at most: the largest image of each choice."""
    own = [index.path, index.path.parent / "stars.svg"]
    own += [index.target(each["href"]) for each in index.all("link") if "stylesheet" in each["rel"]]
    own += [index.target(each["src"]) for each in index.all("script") if "src" in each]
    total = sum(path.stat().st_size for path in own if path.is_file())
    for image in index.all("img")[:BEFORE_SCROLLING]:
        paths = [index.target(address) for address in (*choices(image), image["src"])]
        total += max((path.stat().st_size for path in paths if path.is_file()), default=0)
    told = f"index at most {total / 1000:.0f} kB before scrolling"
    if total <= HEAVIEST_INDEX:
        return Check("weight", told)
    return Check("weight", told, (f"{HEAVIEST_INDEX / 1000:.0f} kB is the most.",))


def signatures(place: Path) -> Check:
    """The credentials of every picture that can be downloaded, and of the film, are valid.

    As `rocketman verify` reads them, but without its guarded process: these files are our own.
    """
    found = [*(place / "gallery" / "images").glob("*.png"), *(place / "film").glob("*")]
    files = sorted(path for path in found if path.suffix in SIGNED)
    wrong = []
    for path in files:
        state = credentials.read(path)
        if state.state != "valid":
            wrong.append(f"{path.name} has {state.state} credentials: {state.why}")
    return Check("credentials", counted(len(files), "file"), tuple(wrong))
