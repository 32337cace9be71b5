"""The soundtrack: every instrument in tune and in its range, every cut at its length and level."""

from __future__ import annotations

import numpy as np
import pytest

from rocketman import captions
from rocketman.collection import sound
from rocketman.collection.film_cuts import FPS, cut_list, length
from rocketman.collection.sound_instruments import LOOP, PLAYERS, RATE, hertz, pad

PITCHED = sorted(name for name, player in PLAYERS.items() if player.style != "beat")


def spectrum(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = 1 << 18
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), size))
    return np.fft.rfftfreq(size, 1 / RATE), power


def test_the_band_has_every_instrument_of_the_grammar() -> None:
    assert set(PLAYERS) == set(captions.INSTRUMENTS)


@pytest.mark.parametrize("name", PITCHED)
def test_a_note_is_in_tune_and_does_not_click(name: str) -> None:
    player = PLAYERS[name]
    frequency = hertz((player.low + player.high) // 2)
    wave = player.voice(frequency, 1.0, 0.8, np.random.default_rng(0))
    assert wave.dtype == np.float32
    assert np.isfinite(wave).all()
    assert 0.9 < np.abs(wave).max() < 1.4
    assert abs(wave[0]) < 0.05
    assert abs(wave[-1]) < 0.02
    heard, power = spectrum(wave[4800:])
    near = (heard > 0.94 * frequency) & (heard < 1.06 * frequency)
    found = heard[near][power[near].argmax()]
    assert abs(1200 * np.log2(found / frequency)) < 9, found
    assert power[near].max() > 0.02 * power.max()


def test_instruments_do_not_sound_alike() -> None:
    """Brightness of the same pitch."""

    def centroid(name: str) -> float:
        wave = PLAYERS[name].voice(hertz(64), 0.8, 0.7, np.random.default_rng(0))
        heard, power = spectrum(wave[2400:])
        return float((heard * power).sum() / power.sum())

    assert centroid("french horn") < centroid("trumpet")
    assert centroid("cello") < centroid("violin")
    assert centroid("keyboard") < centroid("grand piano")


def test_a_drum_decays_and_jingles_lie_high() -> None:
    wave = PLAYERS["drum"].voice(90, 1, 0.8, np.random.default_rng(0))
    assert wave[: RATE // 10].std() > 20 * wave[-RATE // 10 :].std()
    heard, power = spectrum(PLAYERS["tambourine"].voice(90, 1, 0.8, np.random.default_rng(0)))
    assert heard[power.argmax()] > 4000


def test_the_pads_loop_has_no_seam() -> None:
    loop = pad(220, np.random.default_rng(0))
    assert loop.shape == (LOOP, 2)
    inside = np.abs(np.diff(loop, axis=0)).max()
    assert np.abs(loop[0] - loop[-1]).max() <= inside


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("an astronaut in a red suit playing an electric guitar above mars", "electric guitar"),
        ("a Guitar above mars", "guitar"),
        ("a drum kit, beside the moon", "drum kit"),
        ("a drum above the moon", "drum"),
        ("an astronaut in a blue suit above mars", None),
        ("drumming and bassoons", None),
    ],
)
def test_the_instrument_of_a_prompt(prompt: str, name: str | None) -> None:
    assert sound.instrument_of(prompt) == name


def test_notes_stay_in_the_players_range() -> None:
    cuts = cut_list(24)
    for seed in range(6):
        piece = sound.compose(seed)
        for variation, name in enumerate(PITCHED):
            player = PLAYERS[name]
            cut = cuts[1 + variation % 24]
            notes = sound.melody(piece, cut, player, variation)
            assert len(notes) >= 4
            assert all(player.low <= note.pitch <= player.high for note in notes), name
            assert all(0 <= note.beat < cut.frames / 25 for note in notes)
            scale = {(piece.root + step) % 12 for step in piece.scale}
            assert {note.pitch % 12 for note in notes} <= scale


def test_a_soundtrack_is_as_long_as_its_film_and_the_same_each_time() -> None:
    cuts = cut_list(2, draft=True)
    blocks = list(sound.soundtrack(cuts, ["harp", "drum"], 3))
    assert len(blocks) == len(cuts)
    whole = np.concatenate(blocks)
    assert whole.shape == (length(cuts) * RATE // FPS, 2)
    assert np.isfinite(whole).all()
    assert np.abs(whole).max() < 3
    assert np.abs(whole[-10:]).max() < 1e-3
    again = np.concatenate(list(sound.soundtrack(cuts, ["harp", "drum"], 3)))
    assert np.array_equal(whole, again)
    other = np.concatenate(list(sound.soundtrack(cuts, ["harp", "drum"], 4)))
    assert not np.array_equal(whole, other)


def test_the_instrument_leads_and_without_one_the_pad_is_alone() -> None:
    cuts = cut_list(2, draft=True)
    played, alone = (
        list(sound.soundtrack(cuts, names, 3))[1] for names in (["trumpet", None], [None, None])
    )
    assert np.std(played) > 1.3 * np.std(alone) > 0
    heard, with_trumpet = spectrum(played[:, 0])
    _, pad_alone = spectrum(alone[:, 0])
    high = heard > 1500
    assert with_trumpet[high].sum() > 4 * pad_alone[high].sum()
