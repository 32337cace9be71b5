"""Credits of a picture: the training pictures most like it, and those that shaped it most.

Two lists of training pictures, kept apart because they answer two questions:

    similar       nearest by the probes' features and by colours: likeness, and no more than that
    influential   learning them moved the weights as learning this picture would (influence.py)

Either is added up by author: the share of an author is that of their pictures among the TOP ones,
each counting by the cube of how far it stands out from all, so that the first ones count most. Both
are means over views, told with the interval that holds 90 % of them when the views are drawn again
(bootstrap). Light; the influential ones need PyTorch. Next: `collection/report.py`, `cli_audit.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rocketman.audits.index import TrainingIndex
from rocketman.audits.variety import PIXELS, pixel_vectors
from rocketman.provenance.verify import plain, verify
from rocketman.weights import Model, ModelError, embedded, open_model

if TYPE_CHECKING:
    from rocketman.audits.influence import Influence

TOP = 20
"""Training pictures that count for a picture."""
SHARPNESS = 3
"""The power: with 1, the many that are a little alike outweighed the one that is much alike."""
LISTED = 5
"""Of them, those that are named."""
HALF_VIEWS = 8
"""Views of what is shown, and as many of how it looks."""
RESAMPLES = 200
INTERVAL = (0.05, 0.95)
UNNAMED = "an author whom the data set does not name"

Floats = NDArray[np.float32]
Group = tuple[str, str]
"""(author, source)."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share in [0, 1], and the interval that holds 90 % of its resamples."""

    share: float
    low: float
    high: float


NOTHING = Share(share=0, low=0, high=0)


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training picture in one of the two lists."""

    row: int
    about: dict[str, str]
    """file, sha256, caption, author, license, source."""
    score: float
    """In standard deviations of all training pictures."""
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Half:
    """One of the two lists, added up."""

    pictures: tuple[Training, ...]
    """The first LISTED."""
    shares: dict[Group, Share]
    """Largest first; together 1."""


@dataclass(frozen=True, kw_only=True)
class Credits:
    """The answer for one picture."""

    similar: Half
    influential: Half | None
    """None without PyTorch, or where the index keeps no gradients."""
    groups: tuple[Group, ...]
    """All that the model learnt from; most pictures first."""
    pictures: int
    """That the model learnt from."""

    @property
    def line(self) -> str:
        """The credit line."""
        shares = (self.influential or self.similar).shares
        return credit_line(self.groups, self.pictures, shares, stands_out(shares))

    @property
    def authors(self) -> list[dict[str, Any]]:
        """A row for each author and source that has a share, as scripts read it."""
        pull = self.influential.shares if self.influential else None
        return author_rows(self.similar.shares, pull)

    @property
    def words(self) -> str:
        """Both lists for a person, and the credit line."""
        lines = [self.line]
        halves = {"similar": self.similar, "influential": self.influential}
        for name, half in halves.items():
            for each in half.pictures if half else ():
                lines.append(
                    f"{name:<12}{each.about['file']}  {each.score:.2f} "
                    f"({each.low:.2f} to {each.high:.2f})  {each.about['caption']}"
                )
        return "\n".join(lines)

    def as_json(self, file: str) -> dict[str, Any]:
        """What scripts read: file, credit_line, credits by author, similar, influential."""

        def listed(half: Half | None) -> list[dict[str, Any]] | None:
            if half is None:
                return None
            return [
                {**each.about, "score": round(each.score, 4)}
                | {"low": round(each.low, 4), "high": round(each.high, 4)}
                for each in half.pictures
            ]

        return {
            "file": file,
            "credit_line": self.line,
            "credits": self.authors,
            "similar": listed(self.similar),
            "influential": listed(self.influential),
        }


def credits(
    pictures: Sequence[Image.Image],
    index: TrainingIndex,
    influence: Influence | None = None,
) -> list[Credits]:
    """The credits of each picture, of any size, whoever made it."""
    near = similarities(pictures, index)
    pull = influence.scores(pictures) if influence else None
    groups = tuple(zip(index.columns["author"], index.columns["source"], strict=True))
    counted = {group: groups.count(group) for group in dict.fromkeys(groups)}
    return [
        Credits(
            similar=half(near[k], groups, index),
            influential=None if pull is None else half(pull[k], groups, index),
            groups=tuple(sorted(counted, key=lambda group: -counted[group])),
            pictures=len(index),
        )
        for k in range(len(pictures))
    ]


def load_influence(folder: Path) -> tuple[Influence | None, str]:
    """The gradients of a model folder; where there are none to ask, None and why."""
    if find_spec("torch") is None:
        why = "Influence is not measured: for it run pip install 'rocketman-diffusion[train]'."
        return None, why
    from rocketman.audits.influence import Influence

    try:
        return Influence(folder), ""
    except ModelError as error:
        return None, f"Influence is not measured: {error}"


def similarities(pictures: Sequence[Image.Image], index: TrainingIndex) -> Floats:
    """(pictures, views, N): likeness to each training picture, in standard deviations of them.

    A view is a group of the probes' features or a region of the picture in its colours; their mean
    weighs what is shown and how it looks alike. Of a picture or its mirror image, whichever is
    nearer to the training picture.
    """
    mirrored = [ImageOps.mirror(each) for each in pictures]
    plain, turned = _views(pictures, index), _views(mirrored, index)
    nearer = (turned.mean(axis=1) > plain.mean(axis=1))[:, None]  # (Q, 1, N)
    return np.where(nearer, turned, plain)


def _views(pictures: Sequence[Image.Image], index: TrainingIndex) -> Floats:
    mean, colours = _colours(index)
    asked = _unit(pixel_vectors(pictures) - mean)
    shown = _contributions(index.probes.features(pictures), index.bank.features)
    looks = _contributions(_by_region(asked), _by_region(colours))
    return np.concatenate([shown, looks], axis=1)


def _contributions(asked: Floats, bank: Floats) -> Floats:
    """(Q, D), (N, D) of unit length -> (Q, HALF_VIEWS, N): the cosine by groups of dimensions.

    Scaled so that the mean over the groups is the cosine in standard deviations.
    """
    q, n = (each.reshape(len(each), HALF_VIEWS, -1) for each in (asked, bank))
    parts = np.einsum("qvd,nvd->qvn", q, n)
    spread = parts.sum(axis=1).std(axis=1)[:, None, None]
    return np.asarray(HALF_VIEWS * parts / np.maximum(spread, 1e-9), np.float32)


def _by_region(vectors: Floats) -> Floats:
    """Colours (n, 32 * 32 * 3), reordered so that each eighth is a region: 4 down, 2 across."""
    side = PIXELS
    tiles = vectors.reshape(-1, 4, side // 4, 2, side // 2, 3).transpose(0, 1, 3, 2, 4, 5)
    return tiles.reshape(len(vectors), -1)


@lru_cache(maxsize=1)
def _colours(index: TrainingIndex) -> tuple[Floats, Floats]:
    """The training pictures' mean colours, and what each has beside them, of unit length."""
    vectors = pixel_vectors([Image.fromarray(each) for each in index.thumbnails])
    mean = vectors.mean(axis=0)
    return mean, _unit(vectors - mean)


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-9), np.float32)


def half(parts: Floats, groups: Sequence[Group], index: TrainingIndex) -> Half:
    """One list and its shares, from estimates (parts, N) whose mean is the score."""
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=RESAMPLES)
    resampled = np.asarray(drawn.astype(np.float32) @ parts / len(parts), np.float32)  # (R, N)
    scores = parts.mean(axis=0)
    low, high = np.quantile(resampled, INTERVAL, axis=0)
    first = np.argsort(-scores, kind="stable")[:LISTED]
    return Half(
        pictures=tuple(
            Training(
                row=int(row),
                about=index.describe(int(row)),
                score=float(scores[row]),
                low=float(low[row]),
                high=float(high[row]),
            )
            for row in first
        ),
        shares=shares(scores, resampled, groups),
    )


def shares(scores: Floats, resampled: Floats, groups: Sequence[Group]) -> dict[Group, Share]:
    """Each group's share of one picture's scores (N,), with intervals from resamples (R, N)."""
    names = list(dict.fromkeys(groups))
    place = np.array([names.index(group) for group in groups])
    own = share_of(scores[None], place, len(names))[0]
    low, high = np.quantile(share_of(resampled, place, len(names)), INTERVAL, axis=0)
    order = [k for k in np.argsort(-own, kind="stable") if own[k] > 0 or high[k] > 0]
    return {
        names[k]: Share(
            share=float(own[k]), low=float(min(low[k], own[k])), high=float(max(high[k], own[k]))
        )
        for k in order
    }


def share_of(scores: Floats, place: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(R, count): how much of the weight of the TOP training pictures lies in each group.

    A picture weighs by how far its score stands above the mean of all, to the power SHARPNESS.
    """
    top = np.argsort(-scores, axis=1)[:, :TOP]
    weight = np.take_along_axis(scores, top, 1) - scores.mean(axis=1, keepdims=True)
    weight = np.maximum(weight, 0).astype(np.float64) ** SHARPNESS
    found = np.zeros((len(scores), count))
    for row, (where, much) in enumerate(zip(place[top], weight, strict=True)):
        found[row] = np.bincount(where, much, count)
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.maximum(total, 1e-30), 1 / count)


def together(each: Sequence[dict[Group, Share]]) -> dict[Group, Share]:
    """The shares of several pictures as the mean of theirs, largest first.

    The interval is the mean of theirs too: wider than that of a mean of independent estimates,
    since what errs for one picture may err for all.
    """
    names = list(dict.fromkeys(group for shares in each for group in shares))
    found = {}
    for name in names:
        own = [shares.get(name, NOTHING) for shares in each]
        found[name] = Share(
            share=float(np.mean([share.share for share in own])),
            low=float(np.mean([share.low for share in own])),
            high=float(np.mean([share.high for share in own])),
        )
    return dict(sorted(found.items(), key=lambda item: -item[1].share))


# --- in words -------------------------------------------------------------------------------------

OUR_TRAINER = "The Rocketman authors"
"""Who trained the model that ships."""
NOT_TOLD = "not told by the file"


def parties(
    index: TrainingIndex,
    model: Model,
    prompt: tuple[str, str],
    choice: tuple[str, str],
    upscalers: Iterable[str] = (),
) -> list[dict[str, str]]:
    """The four parties to a picture: {part, who, what}; prompt and choice are (who, what).

    upscalers: networks of others that enlarged it.
    """
    authors = [author for author in dict.fromkeys(index.columns["author"]) if author]
    trainer = OUR_TRAINER if model.folder == embedded() else "not named in the model folder"
    enlarged = [f"enlarged by {name}, of others" for name in sorted(set(upscalers)) if name]
    told = {
        "made the training pictures": (", ".join(authors) or UNNAMED, f"{len(index):,} pictures"),
        "trained the model": (trainer, "; ".join([f"{model.name} ({model.hash})", *enlarged])),
        "wrote the prompt": prompt,
        "chose the picture": choice,
    }
    return [{"part": part, "who": who, "what": what} for part, (who, what) in told.items()]


def author_rows(
    similar: dict[Group, Share], influential: dict[Group, Share] | None
) -> list[dict[str, Any]]:
    """A row for each author and source; low and high belong to influence where it was measured."""
    rows = []
    leading = similar if influential is None else influential
    for group in dict.fromkeys([*leading, *similar]):
        author, source = group
        alike = similar.get(group, NOTHING)
        pull = None if influential is None else influential.get(group, NOTHING)
        told = pull or alike
        rows.append(
            {
                "author": author or UNNAMED,
                "source": source,
                "similar_share": round(alike.share, 4),
                "similar_low": round(alike.low, 4),
                "similar_high": round(alike.high, 4),
                "influence_share": None if pull is None else round(pull.share, 4),
                "low": round(told.low, 4),
                "high": round(told.high, 4),
            }
        )
    return rows


def credit_line(
    groups: Sequence[Group], pictures: int, shares: Mapping[Group, Share], clear: bool = True
) -> str:
    """One line to print below a picture or a collection; unless `clear`, it says so."""
    authors = list(dict.fromkeys(author or UNNAMED for author, _ in groups))
    if len(authors) == 1:
        return f"Training pictures: {pictures:,}, all by {authors[0]}."
    added = by_author(shares).items()
    named = [f"{name} {100 * of.share:.0f} %" for name, of in added if of.share >= 0.005]
    doubt = "" if clear else " (none stands out clearly)"
    return f"Training pictures that count most{doubt}: {', '.join(named)}."


def stands_out(shares: Mapping[Group, Share]) -> bool:
    """Whether the first author's interval lies above all others'."""
    first, *others = by_author(shares).values()
    return all(first.low > other.high for other in others)


def by_author(shares: Mapping[Group, Share]) -> dict[str, Share]:
    """The shares of authors, their sources added up; largest first."""
    added: dict[str, Share] = {}
    for (author, _), of in shares.items():
        before = added.get(author or UNNAMED, NOTHING)
        added[author or UNNAMED] = Share(
            share=before.share + of.share,
            low=before.low + of.low,
            high=min(1.0, before.high + of.high),
        )
    return dict(sorted(added.items(), key=lambda item: -item[1].share))


def parties_of(file: Path, index: TrainingIndex) -> tuple[list[dict[str, str]], str]:
    """The four parties to a picture in a file, as far as its credentials tell; and a sentence if it
    does not say that the model of this index made it, "" if it does."""
    verdict = verify(file)
    signed = verdict.credentials
    prompt = (signed.recipe or {}).get("prompt")
    who = f"signed by {signed.signer}" if signed.recipe and signed.signer else NOT_TOLD
    what = f"“{prompt}”" if prompt else "no prompt in it"
    model = open_model(index.folder.parent)
    upscaler = str((signed.recipe or {}).get("upscaler", ""))
    told = parties(index, model, (who, what), (NOT_TOLD, "one picture"), [upscaler])
    return told, _other_maker(verdict.recipe or {}, model)


def _other_maker(recipe: Mapping[str, Any], model: Model) -> str:
    """A sentence unless a picture's recipe says that this model made it."""
    if (maker := recipe.get("model_hash")) == model.hash:
        return ""
    this = f"{model.name} ({model.hash})"
    says = f"Nothing in it says that the model {this} made it"
    if maker:
        other = f"{plain(recipe.get('model', 'without name'))} ({plain(maker)})"
        says = f"It says that it was made by the model {other}, not by {this}"
    return f"{says}: credits and parties are those of {model.name} alone."
