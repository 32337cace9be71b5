"""One line that stands for many prompts: alternatives and wildcards, in dynamic-prompts' syntax.

    an astronaut in a {red|blue} suit playing a __instruments__ above mars

Level 1, standard library only. `{a|b}` is each of its parts, also inside one another; `__suits__`,
`__instruments__`, `__places__` and `__shots__` are all that a model knows of them. Every
combination is made, in the order of reading. Next: `cli.py` draws them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from rocketman.captions import FACTORS, SHOTS, unknown_words

MOST = 1000
"""Prompts that one line may stand for."""
MOST_BRACES = 100
"""Of one line, wildcards counted as one."""


class PromptError(ValueError):
    """A line that cannot be read; the message is one sentence."""


def known_levels(vocabulary: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Each factor's levels whose every word a model knows."""
    return {
        factor: tuple(level for level in levels if not unknown_words(level, vocabulary))
        for factor, levels in FACTORS.items()
    }


def known_shots(vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """How near a model can be told to stand; none for one that never learnt of it."""
    return tuple(shot for shot in SHOTS if shot in vocabulary)


def wildcards(vocabulary: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What __suits__, __instruments__, __places__ and __shots__ stand for with this vocabulary."""
    levels = {**known_levels(vocabulary), "shot": known_shots(vocabulary)}
    return {f"{factor}s": levels[factor] for factor in ("suit", "instrument", "place", "shot")}


def expand(line: str, cards: Mapping[str, Sequence[str]]) -> list[str]:
    """Every prompt that a line stands for. PromptError for a brace without its partner, a wildcard
    that is none, and more than MOST prompts or MOST_BRACES.
    """
    text = _with_wildcards(line, cards)
    if text.count("{") > MOST_BRACES:
        raise PromptError(f"One line may hold {MOST_BRACES} braces and wildcards; this has more.")
    # not before u: captions say "a ukulele"
    return [re.sub(r"\ba (?=[aeio])", "an ", " ".join(text.split())) for text in _parse(text, line)]


def _with_wildcards(line: str, cards: Mapping[str, Sequence[str]]) -> str:
    """Each __name__ written out as alternatives."""

    def written(found: re.Match[str]) -> str:
        name = found[1].lower()
        if not cards.get(name):
            known = [each for each, levels in cards.items() if levels]
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean __{near[0]}__?" if near else f"known: {', '.join(known)}."
            raise PromptError(f"__{name}__ is no wildcard; {hint}")
        return "{" + "|".join(cards[name]) + "}"

    return re.sub(r"__(\w+?)__", written, line)


def _parse(text: str, line: str) -> list[str]:
    """All texts that `text` stands for; `line` is what the person wrote."""
    open_at = text.find("{")
    close_at = text.find("}")
    if open_at < 0 and close_at < 0:
        return [text]
    if open_at < 0 or (0 <= close_at < open_at):
        raise PromptError(f"There is a }} without its {{ in: {line}")
    depth, parts, start = 0, [], open_at + 1
    for k in range(open_at, len(text)):
        if text[k] == "{":
            depth += 1
        elif text[k] == "|" and depth == 1:
            parts.append(text[start:k])
            start = k + 1
        elif text[k] == "}":
            depth -= 1
            if depth == 0:
                parts.append(text[start:k])
                break
    else:
        raise PromptError(f"There is a {{ without its }} in: {line}")
    middles = [each for part in parts for each in _parse(part, line)]
    ends = _parse(text[k + 1 :], line)
    if len(middles) * len(ends) > MOST:
        raise PromptError(f"One line may stand for {MOST} prompts; this one is more: {line}")
    return [text[:open_at] + middle + end for middle in middles for end in ends]
