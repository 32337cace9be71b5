"""The film: what is promised of the file, the words beside it, and that nothing half is left."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")

import itertools

import av

from rocketman.collection import film, film_cards, film_cuts, film_texts
from rocketman.collection.film import FilmError, make
from rocketman.collection.film_cuts import FPS, Cut, chapters, cut_list, length
from rocketman.collection.film_encode import AudioError, measure
from rocketman.collection.film_frames import Room, planes, rgb
from rocketman.collection.film_type import Type
from rocketman.collection.run import run
from rocketman.provenance.verify import verify

Make = Callable[..., Path]


@pytest.fixture
def drawn(collection: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection, drawn; films of it may be small."""
    monkeypatch.setattr(film, "SIZES", (144, 1080))
    folder = collection(candidates=1)
    run(folder)
    return folder


# --- the cut list -------------------------------------------------------------------------------


def test_twenty_four_pictures_make_three_minutes() -> None:
    cuts = cut_list(24)
    assert length(cuts) / FPS == pytest.approx(183.3, abs=0.1)
    assert all(cut.end == after.start for cut, after in itertools.pairwise(cuts))
    assert [cut.picture for cut in cuts[1:-1]] == list(range(24))


@pytest.mark.parametrize("pictures", [1, 2, 3, 16, 17, 24, 25, 200])
def test_chapters_are_those_youtube_shows(pictures: int) -> None:
    groups = chapters(cut_list(pictures))
    assert len(groups) >= 3
    assert groups[0][0].start == 0
    assert all(group[-1].end - group[0].start >= 10 * FPS for group in groups)
    assert sum(len(group) for group in groups) == pictures + 2


@pytest.mark.parametrize("pictures", [1, 2, 24])
def test_a_draft_takes_ten_seconds(pictures: int) -> None:
    assert length(cut_list(pictures, draft=True)) == 10 * FPS


# --- frames -------------------------------------------------------------------------------------


def room(picture: Image.Image, cuts: tuple[Cut, ...], height: int = 144) -> Room:
    type_, scale = Type(), height / 1080
    empty = film_cards.card(type_, scale, [])
    words = film_cards.label(type_, scale, [film_cards.Line("Harp", "serif", 48)])
    return Room(
        cuts, height, 1, lambda _: film_cards.hang(picture, scale), lambda _: words, empty, empty
    )


def test_colours_survive_the_way_to_yuv_and_back() -> None:
    colours = np.full((4, 4, 3), (200, 90, 40), np.float32)
    made = planes(colours)
    frame = tuple(
        np.rint(plane + base).astype(np.uint8)
        for plane, base in zip(made, (16, 128, 128), strict=True)
    )
    back = np.asarray(rgb((frame[0], frame[1], frame[2])), int)
    assert np.abs(back - (200, 90, 40)).max() <= 3


def test_the_picture_hangs_where_the_frame_says() -> None:
    red = Image.new("RGB", (16, 16), (220, 30, 30))
    cuts = cut_list(2)
    made = np.asarray(rgb(room(red, cuts).frame(cuts[1].start + 100)), int)
    x, y = (round(c * 144 / 1080) for c in film_cards.PRINT_CENTRE)
    middle = made[y - 8 : y + 8, x - 8 : x + 8].mean(axis=(0, 1))
    assert middle[0] > 150
    assert middle[1] < 70
    assert made[:8, -8:].mean() < 25  # the room is dark
    label = made[50:100, 168:230].max()
    assert label > 130


def test_frames_are_the_same_each_time_and_move_smoothly() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)).resize((64, 64))
    cuts = cut_list(2)
    first, second = room(image, cuts), room(image, cuts)
    assert all(
        np.array_equal(a, b) for a, b in zip(first.frame(420), second.frame(420), strict=True)
    )
    start = cuts[1].start + 60
    shown = [first.frame(k)[0].astype(int) for k in range(start, start + 12)]
    steps = [np.abs(b - a).mean() for a, b in itertools.pairwise(shown)]
    assert max(steps) < 1.6 * min(steps)  # no frame stands still, none jumps


def test_the_film_begins_and_ends_in_the_dark() -> None:
    cuts = cut_list(1)
    white = room(Image.new("RGB", (16, 16), "white"), cuts)
    for k in (0, length(cuts) - 1):
        assert white.frame(k)[0].mean() < 19


# --- type ---------------------------------------------------------------------------------------


def test_letters_that_no_font_has_are_named_not_boxed() -> None:
    type_ = Type()
    mask = Image.new("L", (400, 80))
    type_.draw(mask, (10, 60), "\U00013000\ue123", "serif", 48)
    assert mask.getbbox() is None
    assert type_.missing == {"\U00013000", "\ue123"}
    type_.draw(mask, (10, 60), "Łódź", "serif", 48)
    assert mask.getbbox() is not None
    assert len(type_.missing) == 2


def test_lines_break_between_words_and_inside_long_ones() -> None:
    type_ = Type()
    lines = type_.wrap("one two three " + "x" * 80, "sans", 20, 200)
    assert len(lines) > 3
    assert all(type_.width(line, "sans", 20) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "") == "onetwothree" + "x" * 80


# --- the file -----------------------------------------------------------------------------------


def probe(path: Path) -> dict[str, dict[str, str]]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    found = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    return {each["codec_type"]: each for each in json.loads(found.stdout)["streams"]}


def heard(path: Path) -> tuple[float, float]:
    """Loudness and true peak of a file's sound, decoded."""
    with av.open(str(path)) as container:
        blocks = (np.array(frame.to_ndarray().T, np.float32) for frame in container.decode(audio=0))
        return measure(blocks)


def test_a_whole_film_keeps_its_promises(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, beats in (("TITLE", 3), ("FEW", 2), ("CREDITS", 3)):  # six pictures, 18 beats
        monkeypatch.setattr(film_cuts, name, beats)
    made = make(drawn, size=144)
    assert made.path == drawn / "film" / "film.mp4"
    assert made.seconds == 15
    assert sorted(path.name for path in made.path.parent.iterdir()) == [
        "description.txt", "film.mp4", "subtitles.srt", "thumbnail.jpg", "title.txt",
    ]  # fmt: skip
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(made.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec.name, video.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
        assert (video.width, video.height) == (256, 144)
        assert video.average_rate == 30
        assert (video.color_primaries, video.color_trc, video.colorspace) == (1, 1, 1)
        assert video.color_range == 1
        assert (audio.codec.name, audio.rate, audio.layout.name) == ("aac", 48000, "stereo")
        assert sum(1 for _ in container.decode(video=0)) == 450
    loudness, peak = heard(made.path)
    assert loudness == pytest.approx(-14, abs=0.4)
    assert peak <= -1
    verdict = verify(made.path)
    assert verdict.good
    assert verdict.note is None
    assert "this is a film" in verdict.words
    assert verdict.credentials.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert verdict.recipe is not None
    assert verdict.recipe["pictures"][0]["prompt"].startswith("an astronaut")
    with Image.open(made.path.parent / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size == (1280, 720)
    assert (made.path.parent / "thumbnail.jpg").stat().st_size < 2_000_000
    assert verify(made.path.parent / "thumbnail.jpg").good
    assert (made.path.parent / "title.txt").read_text() == "Night\n"


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe_agrees_on_a_silent_draft(drawn: Path) -> None:
    made = make(drawn, size=144, draft=True, silent=True)
    assert made.path.name == "draft.mp4"
    assert [path.name for path in made.path.parent.iterdir()] == ["draft.mp4"]
    found = probe(made.path)
    assert set(found) == {"video"}
    video = found["video"]
    assert (video["profile"], video["pix_fmt"], video["r_frame_rate"]) == (
        "High",
        "yuv420p",
        "30/1",
    )
    tags = ("color_space", "color_transfer", "color_primaries")
    assert [video[tag] for tag in tags] == ["bt709"] * 3
    assert video["color_range"] == "tv"
    assert float(video["duration"]) == pytest.approx(10)


def test_ones_own_sound_is_brought_to_the_same_loudness(drawn: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.wav"
    rng = np.random.default_rng(0)
    t = np.arange(44_100 * 14) / 44_100
    sound = 0.02 * np.sin(2 * np.pi * 330 * t) * (1 + 0.5 * np.sin(t)) + 0.002 * rng.normal(
        0, 1, len(t)
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    made = make(drawn, size=144, draft=True, audio=path)
    loudness, peak = heard(made.path)
    assert loudness == pytest.approx(-14, abs=0.4)
    assert peak <= -1


# --- words --------------------------------------------------------------------------------------


def test_words_are_ready_to_paste(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rocketman.collection import plan as plans
    from rocketman.collection.works import load_works

    plan = plans.read(drawn)
    works, _ = load_works(plan)
    cuts = cut_list(len(works))
    text = film_texts.description(plan, works, cuts, film_texts.credits(plan, works, "a song"))
    assert text.startswith("They play.\n")
    found = re.findall(r"^(\d\d):(\d\d) (.+)$", text, re.MULTILINE)
    assert len(found) >= 3
    assert found[0][:2] == ("00", "00")
    seconds = [60 * int(minutes) + int(rest) for minutes, rest, _ in found]
    assert min(np.diff(seconds)) >= 10
    for words in ("A. Curator", "a song", "CC-BY-4.0", "synthetic", "tiny"):
        assert words in text
    assert len(text) <= 5000
    srt = film_texts.subtitles(plan, works, cuts)
    times = re.findall(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})", srt)
    assert len(times) == len(works) + 2
    assert all(start < end for start, end in times)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
    assert "Generated picture of an astronaut in a white suit playing a harp" in srt


def test_titles_that_are_no_latin_or_no_text(collection: Make) -> None:
    from rocketman.collection import plan as plans

    folder = collection(
        edit=('title = "Night"', 'title = "<script>alert(1)</script> وحيد \U00013000"')
    )
    plan = plans.read(folder)
    assert "<" not in film_texts.title_text(plan)
    type_ = Type()
    film_cards.card(type_, 0.2, [((170, 0, 1280), film_texts.title_lines(plan))])
    assert "\U00013000" in type_.missing
    [remark] = [r for r in film._remarks(plan, [], type_) if "No font" in r]
    assert "\U00013000" in remark


# --- what goes wrong ----------------------------------------------------------------------------


def test_what_cannot_be_filmed_is_one_sentence(drawn: Path, tmp_path: Path) -> None:
    def refused(kind: type[Exception], words: str, **options: object) -> None:
        with pytest.raises(kind, match=words) as error:
            make(drawn, **{"size": 144, **options})  # type: ignore[arg-type]
        assert str(error.value).count(". ") == 0
        assert not (drawn / "film").exists()

    refused(FilmError, "The size is one of", size=100)
    refused(FilmError, "leave out one", audio=tmp_path / "x", silent=True)
    refused(AudioError, "no such file", audio=tmp_path / "nowhere.mp3", draft=True)
    noise = tmp_path / "noise.mp3"
    noise.write_bytes(b"no sound at all" * 50)
    refused(AudioError, "cannot be played", audio=noise, draft=True)
    refused(AudioError, "holds no sound", audio=next((drawn / "pictures").iterdir()), draft=True)
    picture = next((drawn / "pictures").glob("*.png"))
    whole = picture.read_bytes()
    picture.write_bytes(whole[:200])
    refused(FilmError, "is damaged: delete it, and `rocketman collection run")
    picture.unlink()
    refused(FilmError, "is gone: `rocketman collection run")


def test_a_collection_without_pictures(collection: Make) -> None:
    folder = collection(candidates=1)
    command = [sys.executable, "-m", "rocketman", "collection", "film", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "`rocketman collection run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_no_half_film(drawn: Path) -> None:
    made = make(drawn, size=144, draft=True, silent=True)
    before = made.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(OSError, match="nothing changed"):
            make(drawn, size=144, draft=True, silent=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path.name for path in (drawn / "film").iterdir()] == ["draft.mp4"]
    assert made.path.read_bytes() == before


def test_a_draft_leaves_the_film_alone_that_is_being_made(drawn: Path) -> None:
    of_another, left = (drawn / "film" / f".{name}.part.film.mp4" for name in ("1", "2"))
    of_another.parent.mkdir()
    for path in (of_another, left):
        path.write_bytes(b"half a film")
    os.utime(left, (0, 0))  # by a process that was killed long ago
    make(drawn, size=144, draft=True, silent=True)
    assert of_another.exists()
    assert not left.exists()
    shutil.rmtree(drawn / "film")


def test_ctrl_c_leaves_no_half_film(drawn: Path) -> None:
    command = [sys.executable, "-m", "rocketman", "collection", "film", str(drawn), "--silent"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list((drawn / "film").glob(".*.part.film.mp4")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "no film was written" in err
    assert "Traceback" not in err
    assert not (drawn / "film").exists()


def test_without_pyav_it_says_what_to_install(
    collection: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rocketman import cli

    monkeypatch.setitem(sys.modules, "av", None)
    for name in ("film", "film_encode"):
        monkeypatch.delitem(sys.modules, f"rocketman.collection.{name}", raising=False)
    monkeypatch.setattr(sys, "argv", ["rocketman", "collection", "film", str(collection())])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "pip install 'rocketman-diffusion[film]'" in capsys.readouterr().err
