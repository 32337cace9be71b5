"""The gallery: every link leads somewhere, nothing comes from elsewhere, no title can break it."""

from __future__ import annotations

import errno
import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

pytest.importorskip("jinja2")

from rocketman.collection import gallery
from rocketman.collection.gallery import GalleryError, build
from rocketman.collection.run import run
from rocketman.collection.store import Store, StoreError
from rocketman.provenance import picture

Make = Callable[..., Path]
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.path = path
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> set[str]:
        """Every address that the page loads or leads to."""
        found = {
            attributes[name]
            for _, attributes in self.tags
            for name in ("href", "src")
            if name in attributes
        }
        for _, attributes in self.tags:
            found |= {part.split()[0] for part in attributes.get("srcset", "").split(",") if part}
        return found


@pytest.fixture
def drawn(collection: Make) -> Callable[..., Path]:
    """A collection, drawn."""

    def make(edit: tuple[str, str] | None = None) -> Path:
        folder = collection(edit=edit)
        run(folder)
        return folder

    return make


def pages(folder: Path) -> list[Page]:
    return [Page(path) for path in sorted((folder / "gallery").rglob("*.html"))]


def snapshot(folder: Path) -> dict[str, bytes]:
    root = folder / "gallery"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(
    drawn: Callable[..., Path],
) -> None:
    folder = drawn()
    built = build(folder)
    assert built.pictures == 6
    assert built.index == folder / "gallery" / "index.html"
    assert len(pages(folder)) == 7
    for page in pages(folder):
        for link in page.links() - {"#"}:
            if link == "https://creativecommons.org/licenses/by/4.0/":
                continue
            assert (page.path.parent / unquote(link)).is_file(), (page.path, link)
        loaded = [*page.all("script"), *page.all("img"), *page.all("source")]
        assert not [tag for tag in loaded if "//" in tag.get("src", "") + tag.get("srcset", "")]


def test_pages_say_what_a_picture_is(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    with Store(folder) as store:
        store.record([("pick", 2, None)])
        file = store.rows()[1].file
    build(folder)
    page = Page(folder / "gallery" / "pictures" / f"{str(file).removesuffix('.png')}.html")
    [image] = page.all("img")
    assert image["alt"] == (
        "Generated picture of an astronaut in a white suit playing a harp above Mars"
    )
    assert (image["width"], image["height"]) == ("16", "16")
    assert "A harp, white" in page.text
    assert "A synthetic picture" in page.text
    assert "Picked by hand from 2 candidates" in " ".join(page.text.split())
    assert "trainedAlgorithmicMedia" in page.text
    original = folder / "gallery" / "images" / str(file)
    drawn_one = folder / "pictures" / str(file)
    assert picture.read(original) == picture.read(drawn_one)
    with Image.open(original) as shown, Image.open(drawn_one) as first:
        assert shown.tobytes() == first.tobytes()
    assert b"one of 2 candidates" in original.read_bytes(), "signed again: who chose it"


def test_images_come_in_modern_kinds_and_later_ones_are_lazy(drawn: Callable[..., Path]) -> None:
    folder = drawn(('"red"]', '"red", "blue"]'))
    build(folder)
    index = Page(folder / "gallery" / "index.html")
    images = index.all("img")
    assert [("loading" in image) for image in images] == [False] * 6 + [True] * 3
    assert all(image["src"].endswith(".webp") and image["alt"] for image in images)
    for path in (folder / "gallery" / "images").iterdir():
        with Image.open(path) as image:
            image.load()


def test_no_title_breaks_a_page(drawn: Callable[..., Path]) -> None:
    arabic = "وحيدًا في الفضاء"
    evil = "</title><script>alert(1)</script>\"'&"
    quoted = '"' + evil.replace('"', '\\"') + '"'
    folder = drawn(
        ('title = "Night"\nstatement = "They play."', f"title = {quoted}\nstatement = {quoted}")
    )
    text = (folder / "collection.toml").read_text(encoding="utf-8")
    text = text.replace('title = "{instrument}, {suit}"', f"title = '''{arabic} {evil}'''")
    (folder / "collection.toml").write_text(text, encoding="utf-8")
    build(folder)
    for page in pages(folder):
        scripts = page.all("script")
        assert [script.get("src", script.get("type")) for script in scripts] in (
            ["gallery.js"],
            ["application/ld+json", "../gallery.js"],
        )
        assert "alert(1)" in page.text
    heading = next(page for page in pages(folder) if page.path.parent.name == "pictures")
    assert arabic in heading.text
    assert {"dir": "auto"} in heading.all("h1")
    feed = ET.parse(folder / "gallery" / "feed.xml").getroot()
    assert feed.findtext(f"{ATOM}title") == evil
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == f"{arabic} {evil}"


def test_a_known_address_gives_sitemap_feed_and_link_previews(drawn: Callable[..., Path]) -> None:
    folder = drawn(('licence = "', 'url = "https://example.org/night"\nlicence = "'))
    assert "sitemap" not in " ".join(build(folder).remarks)
    gallery = folder / "gallery"
    addresses = [e.text or "" for e in ET.parse(gallery / "sitemap.xml").iter(f"{SITEMAP}loc")]
    assert len(addresses) == 7
    assert addresses[0] == "https://example.org/night/"
    for address in addresses[1:]:
        assert (gallery / address.removeprefix("https://example.org/night/")).is_file()
    feed = ET.parse(gallery / "feed.xml").getroot()
    assert len(feed.findall(f"{ATOM}entry")) == 6
    assert feed.findtext(f"{ATOM}updated", "").endswith("+00:00")
    for page in pages(folder):
        [card] = [meta for meta in page.all("meta") if meta.get("property") == "og:image"]
        path = gallery / card["content"].removeprefix("https://example.org/night/")
        with Image.open(path) as image:
            assert image.size == (1200, 630)


def test_without_an_address_it_says_what_is_missing(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    assert "sitemap" in build(folder).remarks[-1]
    assert not (folder / "gallery" / "sitemap.xml").exists()
    ET.parse(folder / "gallery" / "feed.xml")


def test_the_same_collection_gives_the_same_files(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    build(folder)
    before = snapshot(folder)
    build(folder)
    after = snapshot(folder)
    assert set(after) == set(before)
    signed = {name for name in before if before[name] != after[name]}
    assert {Path(name).suffix for name in signed} == {".png"}, "a signature is drawn anew"
    for name in signed:
        with Image.open(io.BytesIO(before[name])) as old:
            assert old.tobytes() == Image.open(io.BytesIO(after[name])).tobytes()
    assert not list(folder.glob(".gallery*"))


def test_it_follows_the_curator(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    build(folder)
    with Store(folder) as store:
        store.record(
            [("reject", 1, None), ("reject", 2, None), ("pick", 4, None), ("pick", 3, None)]
        )
    built = build(folder)
    assert built.pictures == 6  # one prompt left out, one shown twice
    assert "No picture to show for 1 of 6 prompts" in " ".join(built.remarks)


def test_what_is_in_the_way_stays(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    (folder / "gallery").mkdir()
    (folder / "gallery" / "mine.txt").write_text("mine")
    with pytest.raises(GalleryError, match="not built by Rocketman"):
        build(folder)
    assert (folder / "gallery" / "mine.txt").read_text() == "mine"


def test_a_full_disk_is_said_in_words(
    drawn: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = drawn()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # of a write, which names no file

    monkeypatch.setattr(gallery, "swap", full)
    with pytest.raises(GalleryError, match=r"cannot be written: No space left on device\.$"):
        build(folder)


def test_a_picture_that_is_gone_or_damaged_is_named(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    with Store(folder) as store:
        store.record([("pick", store.rows()[0].id, None)])
    build(folder)
    before = snapshot(folder)
    with Store(folder) as store:
        path = folder / "pictures" / str(store.rows()[0].file)
    path.write_bytes(b"no picture")
    with pytest.raises(GalleryError, match="is damaged: delete it"):
        build(folder)
    path.unlink()
    with pytest.raises(GalleryError, match=r"is gone: `rocketman collection run"):
        build(folder)
    assert snapshot(folder) == before  # the old gallery is whole
    run(folder)
    build(folder)


def test_nothing_drawn_yet(collection: Make) -> None:
    folder = collection()
    with Store(folder, create=True), pytest.raises(StoreError, match=r"picture to show: .* run "):
        build(folder)


def test_nothing_left_to_show(drawn: Callable[..., Path]) -> None:
    folder = drawn()
    with Store(folder) as store:
        store.record(("reject", row.id, None) for row in store.rows())
    with pytest.raises(StoreError, match=r"\(12\) are rejected, and `rocketman collection pick"):
        build(folder)
