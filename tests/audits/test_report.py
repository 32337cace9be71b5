"""The report: figures are counted, answers say no more than they do, the page shows both."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rocketman.cli import app
from rocketman.provenance import credentials, picture
from rocketman.provenance.picture import Recipe

pytest.importorskip("jinja2")

from rocketman.collection import gallery, report, report_words
from rocketman.collection.store import Store

TEXT = """\
title = "Night <b>music</b>"
artist = "A. Curator"
model = "{model}"

[pictures]
steps = 1
size = 64
candidates = 2

[lists]
suit = ["white", "red"]
instrument = ["a harp", "a drum"]

[[prompts]]
template = "an astronaut in a {{suit}} suit playing {{instrument}} above mars"
title = "{{instrument}}, {{suit}}"
"""


@pytest.fixture(scope="module")
def folder(audited: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection, drawn, judged and audited by the commands."""
    from rocketman.audits.influence import write_influence

    write_influence(audited, data)
    folder = tmp_path_factory.mktemp("reports") / "night"
    folder.mkdir()
    (folder / "collection.toml").write_text(TEXT.format(model=audited), encoding="utf-8")
    for command in (
        ["collection", "run", str(folder)],
        ["collection", "pick", str(folder), "--pick", "1", "--reject", "4", "--rate", "5=4"],
        ["audit", "collection", str(folder)],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "report" / "report.json").read_text())
    return found


def test_what_scripts_read(document: dict[str, object], folder: Path) -> None:
    with Store(folder) as store:
        files = {str(row.file) for row in store.rows()}
    rows, newness, variety = document["credits"], document["newness"], document["variety"]
    assert isinstance(rows, list)
    assert isinstance(newness, list)
    assert isinstance(variety, dict)
    assert {row["author"] for row in rows} == {"A", "B"}
    for name in ("similar_share", "influence_share"):
        assert sum(row[name] for row in rows) == pytest.approx(1, abs=1e-3)
    assert all(row["low"] <= row["influence_share"] <= row["high"] for row in rows)
    assert len(newness) == 4
    assert all(each["file"] in files and each["verdict"] in ("new", "close") for each in newness)
    assert 1 <= variety["vendi"] <= variety["n"] == 4


def test_the_person_is_counted(document: dict[str, object]) -> None:
    people = document["human"]
    assert isinstance(people, dict)
    assert people["prompts_written"] == 4
    assert people["candidates_drawn"] == 8
    assert people["candidates_judged"] == 3
    assert (people["picked"], people["rejected"], people["rated"]) == (1, 1, 1)
    assert people["first_act"] <= people["last_act"]


def test_credentials_are_read_not_assumed(document: dict[str, object]) -> None:
    assert document["credentials"] == {"valid": 4, "say_ai": 4}
    mark = document["watermark"]
    assert isinstance(mark, dict)
    assert (mark["marked"], mark["of"]) == (0, 4), "64 pixels a side carry none"


def test_answers_hold_their_figures(document: dict[str, object]) -> None:
    answers = report_words.answers(document)
    assert [each.question for each in answers] == [
        "Is it AI?",
        "Who deserves credit?",
        "Is it new?",
        "Does it all look alike?",
    ]
    assert all(each.figures and each.limits for each in answers)
    ai, credit, new, _ = answers
    assert "4 of 4 say so in signed credentials" in ai.answer
    assert "None carries the invisible mark" in ai.answer
    assert "A. Curator, 1 picked by hand out of 8 candidates" in credit.answer
    assert any("Similar is not owed" in limit for limit in credit.limits)
    assert new.answer.startswith("Yes. 4 of 4 are new")
    assert "108 pictures of the same kind that the model never saw" in new.answer
    assert document["newness_control"] == {"pictures": 108, "held_out": True}


def test_training_pictures_as_yardstick_are_called_so(document: dict[str, object]) -> None:
    control = {"pictures": 16, "held_out": False}
    new = report_words.is_it_new({**document, "newness_control": control})
    assert "The yardstick is 16 training pictures, each beside the others" in new.answer
    assert not any("real" in " ".join(figure) for figure in new.figures)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.images_without_alt = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [value for name in ("src", "href") if (value := found.get(name))]
        self.ids += [value] if (value := found.get("id")) else []
        self.images_without_alt += tag == "img" and "alt" not in found

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page(folder: Path, document: dict[str, object]) -> None:
    place = folder / "report"
    page = _Page((place / "index.html").read_text(encoding="utf-8"))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (place / link).is_file(), link
    assert page.images_without_alt == 0
    assert "Night <b>music</b>" in page.text, "what a curator writes is no HTML"
    text = " ".join(page.text.split())
    for each in report_words.answers(document):
        assert all(value in text for _, value in each.figures)
        assert all(limit in text for limit in each.limits)
    assert report_words.disclosure(document) in text


def test_the_gallery_shows_and_signs_credits(folder: Path, document: dict[str, object]) -> None:
    built = gallery.build(folder)
    assert not any("since the report" in remark for remark in built.remarks)
    index = _Page(built.index.read_text(encoding="utf-8"))
    assert "report/index.html" in index.links
    assert (folder / "gallery" / "report" / "index.html").is_file()
    pictures = document["pictures"]
    assert isinstance(pictures, list)
    for each in pictures:
        stem = each["file"].removesuffix(".png")
        page = _Page((folder / "gallery" / "pictures" / f"{stem}.html").read_text(encoding="utf-8"))
        assert each["credit_line"] in page.text
        assert each["credit_line"].startswith("Training pictures that count most")
        signed = credentials.read(folder / "gallery" / "images" / each["file"])
        assert signed.credit == each["credit_line"]


def test_a_mark_is_put_to_the_test(tmp_path: Path) -> None:
    """On a picture that is really marked; a picture with another's mark does not count."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8))
    image = coarse.resize((256, 256), Image.Resampling.BICUBIC)
    recipe = Recipe(
        prompt="a harp",
        seed=1,
        sampler="euler",
        num_inference_steps=1,
        guidance_scale=1,
        width=256,
        height=256,
        model="m",
        model_hash="0" * 12,
        version="0",
    )
    path = picture.save(image, tmp_path / "harp.png", recipe)
    marked = Image.open(path).convert("RGB")
    number = report._mark(marked, path)
    assert number is not None
    assert report._mark(image, path) is None, "the pixels carry none"
    found = report.survival([(number, marked), (None, image)])
    assert (found["marked"], found["of"]) == (1, 2)
    by = {each["edit"]: each["read"] for each in found["edits"]}
    assert by["none"] == by["mirrored"] == by["saved as JPEG of quality 50"] == 1
    other = report.survival([(number ^ 1, marked)])
    assert all(each["read"] == 0 for each in other["edits"]), "a wrong number is no find"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "collection.toml").unlink(), "collection.toml"),
        (lambda folder: next((folder / "pictures").glob("*.png")).write_bytes(b""), "damaged"),
        (lambda folder: (folder / "report" / ".rocketman-report").unlink(), "move it away"),
    ],
)
def test_wrong_use(folder: Path, tmp_path: Path, spoil: object, sentence: str) -> None:
    import shutil

    copy = shutil.copytree(folder, tmp_path / "night")
    for path in (copy / "pictures").glob("*.png"):
        if sentence == "damaged":
            path.write_bytes(b"")
    assert callable(spoil)
    spoil(copy)
    result = CliRunner().invoke(app, ["audit", "collection", str(copy)])
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_report_there_are_no_credits(tmp_path: Path) -> None:
    assert report.credit_lines(tmp_path) == {}
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text("[1]")
    assert report.credit_lines(tmp_path) == {}
