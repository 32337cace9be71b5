"""The collection file: what it makes, how little a change changes, and every complaint's line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rocketman.collection import plan
from rocketman.collection.plan import Plan
from rocketman.collection.tables import PlanError
from rocketman.request import DEFAULT_GUIDANCE_SCALE, DEFAULT_STEPS

GOOD = """\
title = "Night"
order = "written"

[pictures]
steps = 5
seed = 1

[lists]
suit = ["white", "orange"]
instrument = ["a harp", "a drum", "a guitar"]
place = ["above Mars", "above the Moon", "at sunrise"]

[[prompts]]
template = "an astronaut in a {suit} suit playing {instrument}"
"""


def read(tmp_path: Path, text: str) -> Plan:
    (tmp_path / "collection.toml").write_text(text, encoding="utf-8")
    return plan.read(tmp_path)


def texts(made: Plan) -> list[str]:
    return [prompt.text for prompt in made.prompts]


def test_the_example_is_a_collection_of_24(tmp_path: Path) -> None:
    path = plan.write_example(tmp_path / "new")
    made = plan.read(path.parent)
    assert made.title == "It's lonely out in space"
    assert len(made.prompts) == 24
    drawn_as_alone = (DEFAULT_STEPS, DEFAULT_GUIDANCE_SCALE)
    assert (made.steps, made.guidance_scale) == drawn_as_alone
    assert "orange suit playing" in " ".join(texts(made))
    assert not [text for text in texts(made) if "trumpet" in text and "night" in text]
    with pytest.raises(PlanError, match="there already"):
        plan.write_example(path.parent)


def test_every_combination_in_written_order(tmp_path: Path) -> None:
    made = texts(read(tmp_path, GOOD))
    assert len(made) == 6
    assert made[0] == "an astronaut in a white suit playing a harp"
    assert made[3] == "an astronaut in an orange suit playing a harp"  # the article follows


def test_zip_pairs_the_lists(tmp_path: Path) -> None:
    text = GOOD.replace("in a {suit} suit playing {instrument}", "with {instrument} {place}")
    made = texts(read(tmp_path, text + 'combine = "zip"\n'))
    assert made == [
        "an astronaut with a harp above Mars",
        "an astronaut with a drum above the Moon",
        "an astronaut with a guitar at sunrise",
    ]


def test_a_sample_changes_little_when_the_file_does(tmp_path: Path) -> None:
    sample = GOOD.replace("playing {instrument}", "playing {instrument} {place}")
    four = texts(read(tmp_path, sample + 'combine = "sample"\ncount = 4\n'))
    six = texts(read(tmp_path, sample + 'combine = "sample"\ncount = 6\n'))
    assert six[:4] == four
    assert four == texts(read(tmp_path, sample + 'combine = "sample"\ncount = 4\n'))
    other = sample.replace("seed = 1", "seed = 2") + 'combine = "sample"\ncount = 4\n'
    assert four != texts(read(tmp_path, other))
    grown = sample.replace('"orange"', '"orange", "red"') + 'combine = "sample"\ncount = 6\n'
    kept = [text for text in texts(read(tmp_path, grown)) if "red" not in text]
    assert kept == six[: len(kept)]


def test_a_seed_belongs_to_the_prompt_not_to_its_place(tmp_path: Path) -> None:
    first, second = read(tmp_path, GOOD), read(tmp_path, GOOD.replace("written", "shuffled"))
    assert texts(first) != texts(second)
    assert sorted(texts(first)) == sorted(texts(second))
    assert [first.seed_of(text) for text in texts(first)] == [
        second.seed_of(text) for text in texts(first)
    ]
    assert len({first.seed_of(text) for text in texts(first)}) == 6


def test_keep_out_and_order_by_lists(tmp_path: Path) -> None:
    text = GOOD.replace('order = "written"', 'order = ["instrument"]\nkeep_out = ["white DRUM"]')
    assert [made.removeprefix("an astronaut in ") for made in texts(read(tmp_path, text))] == [
        "a white suit playing a harp",
        "an orange suit playing a harp",
        "an orange suit playing a drum",
        "a white suit playing a guitar",
        "an orange suit playing a guitar",
    ]


def test_the_same_prompt_twice_is_one(tmp_path: Path) -> None:
    again = '[[prompts]]\ntemplate = "an astronaut in a white suit playing a harp"\n'
    assert len(read(tmp_path, GOOD + again).prompts) == 6


def test_braces_in_a_value_are_only_text(tmp_path: Path) -> None:
    made = texts(read(tmp_path, GOOD.replace('"a drum"', '"a {suit} drum"')))
    assert "an astronaut in a white suit playing a {suit} drum" in made


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ('title = "Night"', 'titel = "Night"', 1, "did you mean title?"),
        ('title = "Night"', 'title = ""', 1, "title is empty"),
        ('title = "Night"', 'title = "a\\u0001b"', 1, "control character U+0001"),
        ('title = "Night"', "title = 3", 1, "text in quotes"),
        ('title = "Night"', 'title = "N"\nurl = "example.org"', 2, "https://"),
        ('title = "Night"', "", None, "title is missing"),
        ('order = "written"', 'order = "random"', 2, '"shuffled"'),
        ('order = "written"', 'order = ["plaec"]', 2, "did you mean place?"),
        ('order = "written"', 'keep_out = ["suit"]', 2, "leaves no prompt"),
        ('order = "written"', 'keep_out = ["..."]', 2, "has no words"),
        ('order = "written"', 'keep_out = "suit"', 2, "a list of texts"),
        ("steps = 5", "steps = 0", 5, "from 1 to 1000"),
        ("steps = 5", "steps = true", 5, "whole number"),
        ("steps = 5", "steps = 5.5", 5, "whole number"),
        ("steps = 5", "guidance_scale = nan", 5, "from 0 to 30"),
        ("steps = 5", "guidance_scale = 31", 5, "from 0 to 30"),
        ("steps = 5", "stepps = 5", 5, "did you mean steps?"),
        ("steps = 5", "steps = ", 5, "not TOML"),
        ("seed = 1", "seed = -1", 6, "from 0 to"),
        ("[pictures]", "[picturs]", 4, "did you mean pictures?"),
        ('suit = ["white", "orange"]', "suit = []", 9, "is empty"),
        ('suit = ["white", "orange"]', "suit = [1, 2]", 9, "list of texts"),
        ('suit = ["white", "orange"]', "", 14, "[lists] has no suit"),
        ("{instrument}", "{instruments}", 14, "did you mean instrument?"),
        ("{instrument}", "{instrument", 14, "brace"),
        ('template = "', 'combine = "zip"\ntemplate = "', 15, "one length"),
        ('template = "', 'combine = "sample"\ntemplate = "', 13, "count is missing"),
        ('template = "', 'combine = "sample"\ncount = 7\ntemplate = "', 15, "there are 6"),
        ('template = "', 'count = 7\ntemplate = "', 14, "sample"),
        ('template = "', 'title = "{place}"\ntemplate = "', 14, "template has no place"),
        ("[[prompts]]", "[prompts]", 13, "[[prompts]]"),
        ("[[prompts]]", "[[prompts", 13, "not TOML"),
    ],
)
def test_complaints_name_the_line(
    tmp_path: Path, before: str, after: str, line: int | None, what: str
) -> None:
    assert before in GOOD
    with pytest.raises(PlanError) as caught:
        read(tmp_path, GOOD.replace(before, after, 1))
    sentence = str(caught.value)
    assert what in sentence
    assert (
        (f"collection.toml, line {line}: " in sentence) if line else (".toml, line" not in sentence)
    )
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_lines_after_long_strings_are_right(tmp_path: Path) -> None:
    text = 'statement = """\nsteps = 1\n\n[lists]\n"""\n' + GOOD.replace("steps = 5", "steps = 0")
    with pytest.raises(PlanError, match="line 10: steps"):
        read(tmp_path, text)


def test_ten_million_combinations_are_counted_not_made(tmp_path: Path) -> None:
    lists = "".join(f"l{k} = {[str(n) for n in range(10)]}\n" for k in range(7))
    template = " ".join(f"{{l{k}}}" for k in range(7))
    text = f'title = "Many"\n[lists]\n{lists}[[prompts]]\ntemplate = "{template}"\n'
    started = time.perf_counter()
    with pytest.raises(PlanError, match=r"line 11: the lists combine to 10,000,000 prompts"):
        read(tmp_path, text)
    assert time.perf_counter() - started < 1


def test_too_many_candidates_are_refused(tmp_path: Path) -> None:
    lists = f"l = {[str(n) for n in range(2000)]}\n"
    text = f'title = "Many"\n[pictures]\ncandidates = 51\n[lists]\n{lists}[[prompts]]\n'
    with pytest.raises(PlanError, match=r"line 3: 2,000 prompts .* 102,000 pictures"):
        read(tmp_path, text + 'template = "{l}"\n')


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="collection new"):
        plan.read(tmp_path)
    (tmp_path / "collection.toml").write_bytes(b'title = "x"\nartist = "\xff"\n')
    with pytest.raises(PlanError, match="line 2: this is not UTF-8"):
        plan.read(tmp_path)
    with pytest.raises(PlanError, match="no \\[\\[prompts\\]\\]"):
        read(tmp_path, 'title = "x"\n')
    assert read(tmp_path, "\ufeff" + GOOD).title == "Night"
