"""The figures of a report as answers to four questions, each with what it does not prove.

Level 5, standard library only. Reads the document of `report.py`, so that no sentence can say more
than the figures that stand beside it; docs/questions.md has the general answers. Next:
`report_page.py` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rocketman.collection.wording import counted

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One question, answered."""

    name: str
    question: str
    answer: str
    figures: tuple[tuple[str, str], ...]
    """(what was measured, what came out)."""
    limits: tuple[str, ...]
    """What this does not prove."""


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A law or rule, and what is here for it."""

    name: str
    asks: str
    here: str
    missing: str


def answers(document: Document) -> tuple[Answer, ...]:
    """The four answers."""
    return (is_it_ai(document), who_deserves(document), is_it_new(document), is_it_alike(document))


def is_it_ai(document: Document) -> Answer:
    count = document["collection"]["pictures"]
    signed, mark = document["credentials"], document["watermark"]
    held = signed.get("valid", 0) + signed.get("untrusted", 0)
    lived = ["unedited" if each["edit"] == "none" else each["edit"] for each in mark["edits"]]
    marked = "None carries the invisible mark: it needs 256 pixels a side."
    if mark["marked"]:
        marked = (
            f"{of(mark['marked'], count)} carry an invisible mark in their pixels, {tested(mark)}"
        )
    return Answer(
        name="ai",
        question="Is it AI?",
        answer=(
            f"Yes. A neural network drew every picture from noise, following a sentence. "
            f"{of(signed['say_ai'], count)} say so in signed credentials that hold. {marked}"
        ),
        figures=(
            ("credentials intact", of(held, count)),
            ("of these, signer known on this computer", of(signed.get("valid", 0), held)),
            ("credentials say: made by a generative model", of(signed["say_ai"], count)),
            ("the right mark in the pixels", of(mark["marked"], count)),
            *(
                (f"mark read, {name}", of(each["read"], each["of"]))
                for name, each in zip(lived, mark["edits"], strict=True)
                if each["of"]
            ),
            ("false alarms, bound derived", f"below one in {round(1 / mark['false_alarm']):,}"),
        ),
        limits=(
            "A signature proves who signed and that nothing was changed since; not that the "
            "signer tells the truth.",
            "Most web sites drop credentials, and who wants the mark gone can remove it, or copy "
            "it onto another picture: a picture without them may still be made by AI.",
        ),
    )


def tested(mark: Mapping[str, Any]) -> str:
    """What became of the mark when pictures were edited, as the end of a sentence."""
    worst = min(mark["edits"], key=lambda each: each["read"] / each["of"])
    tried, count = worst["of"], len(mark["edits"]) - 1
    if worst["read"] == tried:
        return f"and it was read in all {tried} that were tried, after each of {count} edits."
    return f"and was read least often when {worst['edit']}: in {of(worst['read'], tried)} tried."


def who_deserves(document: Document) -> Answer:
    rows, model, people = document["credits"], document["model"], document["human"]
    authors = list(dict.fromkeys(row["author"] for row in rows))
    measured = rows[0]["influence_share"] is not None
    total = f"{model['training_pictures']:,}"
    if len(authors) == 1:
        training = f"All {total} pictures of the model's training index are by {authors[0]}."
    else:
        told = ", ".join(
            f"{row['author']} {percent(shown(row))} ({percent(row['low'])} to "
            f"{percent(row['high'])})"
            for row in rows
        )
        by = "influence" if measured else "likeness"
        training = f"Of the {total} pictures of the model's training index, shares by {by}: {told}."
    named = {party["part"]: party["who"] for party in document["parties"]}
    figures = [("training pictures", total), ("their authors", str(len(authors)))]
    if len(rows) == 1:  # else there is a table of them
        figures.append(("their share by likeness", percent(rows[0]["similar_share"])))
        if measured:
            figures.append(("their share by influence", percent(rows[0]["influence_share"])))
    figures += [
        ("prompts written", str(people["prompts_written"])),
        ("candidates drawn", str(people["candidates_drawn"])),
        ("candidates that a person judged", str(people["candidates_judged"])),
        (
            "picked, rejected, rated by hand",
            f"{people['picked']}, {people['rejected']}, {people['rated']}",
        ),
    ]
    if people["first_act"]:
        figures.append(("judged", span(people["first_act"], people["last_act"])))
    limits = [
        "Similar is not owed: a picture can resemble one that it has nothing from.",
        "What a person did outside of this program, such as thinking, is not counted.",
        "Nothing here settles who owns a picture or who should be paid.",
    ]
    if measured:
        limits.insert(
            1,
            "Influence is an estimate from gradients; its interval says only how far its parts "
            "agree. Where the truth was known, the right author came first for 100 of 100 pictures "
            "drawn much as trained, but for 7 of 20 where a style was asked for in a way never "
            "trained (benchmarks/credits.md).",
        )
    else:
        limits.insert(1, "Influence was not measured here, only likeness.")
    return Answer(
        name="credit",
        question="Who deserves credit?",
        answer=(
            f"Four parties. {training} The model was trained by: {named['trained the model']}. "
            f"The prompts were written by: {named['wrote the prompt']}. The pictures were chosen "
            f"by: {named['chose the picture']}, {people['picked']} picked by hand out of "
            f"{counted(people['candidates_drawn'], 'candidate')}."
        ),
        figures=tuple(figures),
        limits=tuple(limits),
    )


def is_it_new(document: Document) -> Answer:
    found = document["newness"]
    by = {
        verdict: sum(each["verdict"] == verdict for each in found)
        for verdict in ("new", "close", "copy")
    }
    nearest = min(found, key=lambda each: each["percentile"])
    control = document["newness_control"]
    [title] = [p["title"] for p in document["pictures"] if p["file"] == nearest["file"]]
    which = "pictures of the same kind that the model never saw"
    kind, one = "real pictures", "a training picture"
    if not control["held_out"]:
        which = "training pictures, each beside the others, as too few were held out"
        kind, one = "training pictures", "another one"
    opening = (
        "Yes" if not by["close"] + by["copy"] else "Mostly" if by["new"] > len(found) / 2 else "No"
    )
    return Answer(
        name="new",
        question="Is it new?",
        answer=(
            f"{opening}. {of(by['new'], len(found))} {'is' if by['new'] == 1 else 'are'} new, "
            f"{by['close']} close to a training picture, {by['copy']} a copy of one. "
            f"The yardstick is {control['pictures']} {which}: a "
            f"picture is close if at most 1 % of them come as near to {one}."
        ),
        figures=(
            ("new", of(by["new"], len(found))),
            ("close", of(by["close"], len(found))),
            ("copy", of(by["copy"], len(found))),
            ("nearest of all", f"{title}: {nearest['percentile']:.3g} % of {kind} as near"),
            (f"{kind} as yardstick", str(control["pictures"])),
            ("training pictures compared with", f"{document['model']['training_pictures']:,}"),
        ),
        limits=(
            "Compared with the pictures in this model's training index, not with all pictures in "
            "the world.",
            "New pixels are not a new idea: every picture here joins what the training pictures "
            "show.",
        ),
    )


def is_it_alike(document: Document) -> Answer:
    found = document["variety"]
    n = found["n"]
    low, high = found["vendi_interval"]
    repeated = sum(len(group) for group in found["repeats"])
    opening = "No more than the pictures that the model learnt from."
    if found["vendi"] < found["training"]:
        opening = "More than the pictures that the model learnt from."
    spread = "" if low == high else f" ({low:.2f} to {high:.2f})"
    return Answer(
        name="alike",
        question="Does it all look alike?",
        answer=(
            f"{opening} Of any {n} of these pictures, {found['vendi']:.1f} are different in "
            f"effect; of {n} training pictures {found['training']:.1f}. {repeated or 'No'} "
            "pictures repeat one another."
        ),
        figures=(
            (
                f"Vendi score of {n}, by what is shown",
                f"{found['vendi']:.2f}{spread}",
            ),
            (f"the same of {n} training pictures", f"{found['training']:.2f}"),
            (f"Vendi score of {n}, by pixels", f"{found['vendi_pixels']:.2f}"),
            (f"the same of {n} training pictures", f"{found['training_pixels']:.2f}"),
            ("groups that repeat one another", str(len(found["repeats"]))),
        ),
        limits=(
            "What is shown is told by a small network that knows this model's world alone: "
            "differences that its captions never name hardly count.",
            "Whether pictures bore a person, no number says.",
        ),
    )


def disclosure(document: Document) -> str:
    """Text to publish beside the collection."""
    about, people = document["collection"], document["human"]
    by = f" by {about['artist']}" if about["artist"] else ""
    return (
        f"Every picture in “{about['title']}”{by} is synthetic: the neural network "
        f"{document['model']['name']} ({document['model']['hash']}) drew it from noise, following "
        f"one sentence. No photograph shows any of this. {counted(about['pictures'], 'picture')} "
        f"{'was' if about['pictures'] == 1 else 'were'} chosen from "
        f"{counted(people['candidates_drawn'], 'candidate')}, {people['picked']} of them by hand. "
        f"{document['credit_line']} The files carry Content Credentials (C2PA)"
        + (" and an invisible mark." if document["watermark"]["marked"] else ".")
    )


def duties(document: Document) -> tuple[Duty, ...]:
    """Rules that a publisher may fall under. Help, not legal advice."""
    count, mark = document["collection"]["pictures"], document["watermark"]
    signed = of(
        document["credentials"].get("valid", 0) + document["credentials"].get("untrusted", 0), count
    )
    marked = of(mark["marked"], count)
    stamped = (
        "The signature carries a trusted time only if ROCKETMAN_TIMESTAMP_URL was set when the "
        "pictures were drawn."
    )
    return (
        Duty(
            name="European Union: AI Act, Article 50, and its code of practice of June 2026",
            asks="Providers mark output so that machines can tell; the code asks for signed, "
            "time-stamped metadata and an imperceptible watermark. Publishers label deep fakes.",
            here=f"Signed metadata in {signed}, watermark in {marked}, and a detector for both: "
            "rocketman verify.",
            missing=stamped,
        ),
        Duty(
            name="California: AI Transparency Act (SB 942, as amended by AB 853)",
            asks="Providers with more than a million monthly users: a latent disclosure with the "
            "provider's name, system and version, time and an identifier, an offered visible one, "
            "and a free detection tool.",
            here=f"Signer, system, version and identifier in {signed}; the text above as a visible "
            "disclosure; rocketman verify is free.",
            missing=stamped,
        ),
        Duty(
            name="China: labelling measures of 2025 and GB 45438-2025",
            asks="A visible label, and an implicit one in the file's metadata.",
            here="The implicit label is written where ROCKETMAN_AIGC_PRODUCER names the producer.",
            missing="The visible label on the picture is yours to add.",
        ),
        Duty(
            name="YouTube: altered or synthetic content",
            asks="Tick the box where realistic content was made or changed by AI; C2PA 2.1 or "
            "later is read where a file carries it.",
            here="A film made by rocketman collection film carries C2PA credentials, and the "
            "disclosure in its description.",
            missing="Whether your pictures count as realistic is yours to judge. In doubt, tick.",
        ),
    )


def of(part: int, whole: int) -> str:
    return f"{part} of {whole}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def shown(row: Mapping[str, Any]) -> float:
    share = row["similar_share"] if row["influence_share"] is None else row["influence_share"]
    return float(share)


def moment(at: str) -> str:
    """2026-11-25T09:02:08+00:00 -> 2026-11-25 09:02 UTC"""
    return f"{at[:10]} {at[11:16]} UTC"


def span(first: str, last: str) -> str:
    """Two moments; the day once, if it is the same, and one where there is no other."""
    if first[:16] == last[:16]:
        return moment(first)
    if first[:10] == last[:10]:
        return f"{first[:10]}, {first[11:16]} to {last[11:16]} UTC"
    return f"{moment(first)} to {moment(last)}"
