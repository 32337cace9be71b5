"""A small collection over the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

TEXT = """\
title = "Night"
statement = "They play."
artist = "A. Curator"
licence = "CC-BY-4.0"
model = "{model}"

[pictures]
steps = 1
size = 16
candidates = {candidates}

[lists]
suit = ["white", "red"]
instrument = ["a harp", "a drum", "a guitar"]

[[prompts]]
template = "an astronaut in a {{suit}} suit playing {{instrument}} above Mars"
title = "{{instrument}}, {{suit}}"
"""

Make = Callable[..., Path]


@pytest.fixture
def collection(tmp_path: Path, model_folder: Path) -> Make:
    """Writes a collection of 6 prompts; `edit` replaces a text of its file by another."""

    def make(candidates: int = 2, edit: tuple[str, str] | None = None) -> Path:
        folder = tmp_path / "night"
        folder.mkdir(exist_ok=True)
        text = TEXT.format(model=model_folder, candidates=candidates)
        if edit:
            assert edit[0] in text
            text = text.replace(*edit)
        (folder / "collection.toml").write_text(text, encoding="utf-8")
        return folder

    return make
