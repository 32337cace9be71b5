"""The soundtrack: a short piece for pad and soloists, composed from the collection's seed.

Level 5. Reads the cut list (`film_cuts.py`) and the instrument of each picture; gives stereo blocks
of 48 kHz, cut after cut, so that a long film needs no more memory than a short one.

    seed -> key, mode, chords, theme (two bars)
    cut  -> the theme, varied, in the range of the picture's instrument; percussion plays rhythm
         -> pad + solo + echo + reverb -> blocks, the ends of one cut ringing into the next

Every picture hears the same theme, so the film is one piece. A picture without instrument has the
pad alone. The same collection sounds the same. Next: `film_encode.py` brings it to its loudness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rocketman.captions import words
from rocketman.collection.film_cuts import BEAT, FPS, Cut
from rocketman.collection.sound_instruments import (
    LOOP,
    PLAYERS,
    RATE,
    Player,
    Wave,
    bell,
    hertz,
    pad,
)

SECOND = BEAT / FPS
"""Of a beat."""
BAR = 4
TAIL = 8.0
"""Seconds that a cut rings on."""
PAD_LEVEL, SOLO_LEVEL, BEAT_LEVEL = 0.05, 0.1, 0.075
"""Root mean square of the pad, and of a solo while it sounds."""

_SCALES = {
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
_CHORDS = (
    ("aeolian", (0, 5, 2, 6)),
    ("aeolian", (0, 3, 5, 6)),
    ("dorian", (0, 3, 0, 6)),
    ("dorian", (0, 2, 3, 6)),
    ("ionian", (5, 3, 0, 4)),
    ("ionian", (0, 2, 3, 5)),
    ("lydian", (0, 1, 5, 4)),
)
"""Modes and the steps on which their four bars stand."""
_RHYTHMS = (
    ((0, 1.5), (1.5, 0.5), (2, 2), (4, 1), (5, 1), (6, 2)),
    ((0, 2), (2, 1), (3, 1), (4, 3), (7, 1)),
    ((0, 1), (1, 1), (2, 2), (4, 1.5), (5.5, 0.5), (6, 2)),
    ((0, 3), (3, 1), (4, 1), (5, 1), (6, 2)),
    ((0, 1), (1, 0.5), (1.5, 1.5), (3, 1), (4, 2), (6, 2)),
)
"""Themes in time: (beat, length)."""


@dataclass(frozen=True)
class Piece:
    """What all parts of the soundtrack share."""

    seed: int
    root: int
    """MIDI note of the key, below the middle."""
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    theme: tuple[tuple[float, float, int], ...]
    """(beat, length in beats, step of the scale above the root)."""

    def pitch(self, step: int) -> int:
        """The MIDI note of a step of the scale; step 7 is the octave."""
        octave, place = divmod(step, len(self.scale))
        return self.root + 12 * octave + self.scale[place]

    def chord(self, bar: int) -> tuple[int, ...]:
        """Steps of the chord in a bar of the film: triad, seventh or ninth."""
        base = self.chords[bar % len(self.chords)]
        return (base, base + 2, base + 4, base + (8 if bar % 2 else 6))


@dataclass(frozen=True)
class Note:
    """A note of a cut."""

    beat: float
    length: float
    pitch: int
    loud: float


def instrument_of(prompt: str) -> str | None:
    """The first instrument that a prompt names; "electric guitar" goes before "guitar"."""
    text = " ".join(words(prompt))
    found = [
        (match.start(), -len(name), name)
        for name in PLAYERS
        if (match := re.search(rf"\b{name}\b", text))
    ]
    longest = [
        each for each in found if not any(each[2] in other[2].split(" ", 1)[1:] for other in found)
    ]
    return min(longest)[2] if longest else None


def compose(seed: int) -> Piece:
    """Key, chords and theme."""
    rng = np.random.default_rng((seed, 11))
    mode, chords = _CHORDS[rng.integers(len(_CHORDS))]
    scale, root = _SCALES[mode], int(rng.integers(45, 52))
    piece = Piece(seed, root, scale, chords, ())
    steps = []
    step = int(rng.choice((7, 9, 11)))
    for k, (beat, length) in enumerate(_RHYTHMS[rng.integers(len(_RHYTHMS))]):
        if k:
            leap = int(rng.choice((-2, -1, -1, 1, 1, 2, 3)))
            back = -1 if step > 12 else 1 if step < 6 else 0
            step += back * abs(leap) if back else leap
        if length >= 2 or beat % BAR == 0:
            step = _nearest(piece.chord(int(beat) // BAR), step)
        steps.append((float(beat), float(length), step))
    return Piece(seed, root, scale, chords, tuple(steps))


def soundtrack(cuts: Sequence[Cut], instruments: Sequence[str | None], seed: int) -> Iterator[Wave]:
    """Stereo blocks (n, 2), a cut each; together exactly as long as the film."""
    piece, room = compose(seed), _reverb(seed)
    band = _Band(piece)

    def part(number: int) -> Wave:
        return _cut(piece, band, room, cuts, number, instruments)

    ringing = np.zeros((0, 2), np.float32)
    with ThreadPoolExecutor(2) as pool:  # two cuts ahead, not all of them: memory
        waiting = [pool.submit(part, k) for k in range(min(2, len(cuts)))]
        for k, cut in enumerate(cuts):
            made = waiting.pop(0).result()
            if k + 2 < len(cuts):
                waiting.append(pool.submit(part, k + 2))
            made[: len(ringing)] += ringing
            end = _samples(cut.end) - _samples(cut.start)
            ringing = made[end:]
            block = made[:end]
            if cut is cuts[-1]:
                fade = min(end, int(3.0 * RATE))
                block[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 1.5
            yield block


# --- composing a cut ----------------------------------------------------------------------------


def melody(piece: Piece, cut: Cut, player: Player, variation: int) -> list[Note]:
    """The theme in a player's range, varied; in a long cut its end is echoed."""
    beats = cut.frames // BEAT
    bar = cut.start // BEAT // BAR
    middle = (player.low + player.high) / 2 - 1
    theme = [(at, length, step) for at, length, step in piece.theme if at < beats]
    if variation % 4 == 1:  # mirrored
        pivot = theme[0][2]
        theme = [(at, length, 2 * pivot - step) for at, length, step in theme]
    if variation % 4 == 3:  # begun from above
        theme = [(at, length, step + (2 if at < BAR else 0)) for at, length, step in theme]
    mean = sum(piece.pitch(step) for _, _, step in theme) / len(theme)
    octave = round((middle - mean) / 12)
    if beats > 8:
        theme += [(8 + at, length, step - 1) for at, length, step in theme[:3] if at < beats - 9]
    notes = []
    for at, length, step in theme:
        if length >= 2 or at % BAR == 0:
            step = _nearest(piece.chord(bar + int(at) // BAR), step)
        pitch = _into(piece.pitch(step) + 12 * octave, player)
        loud = 0.66 + (0.16 if at % BAR == 0 else 0) + 0.1 * float(np.sin(np.pi * at / 8))
        length = min(length, beats - at + 0.5)
        if variation % 4 == 2 and length >= 2:  # a turn before the long notes
            above = _into(piece.pitch(step + 1) + 12 * octave, player)
            notes.append(Note(at, 0.5, above, 0.9 * loud))
            at, length = at + 0.5, length - 0.5
        notes.append(Note(at, length, pitch, loud))
    return notes


def broken_chords(piece: Piece, cut: Cut, player: Player) -> list[Note]:
    """Eighth notes under a plucked melody, low in the player's range."""
    notes = []
    for eighth in range(2 * (cut.frames // BEAT)):
        if eighth % 2 == 0 and eighth % 8 == 0:
            continue  # the melody's own beat
        chord = piece.chord((cut.start // BEAT + eighth // 2) // BAR)
        pitch = piece.pitch(chord[(0, 2, 1, 3, 2, 1, 0, 2)[eighth % 8]])
        while pitch < player.low:
            pitch += 12
        while pitch > player.low + 16:
            pitch -= 12
        notes.append(Note(eighth / 2, 0.5, pitch, 0.3 + 0.06 * (eighth % 4 == 2)))
    return notes


def rhythm(piece: Piece, cut: Cut, name: str) -> list[Note]:
    """Two bars of a slow pattern: a drum's two pitches, a kit, jingles."""
    rng = np.random.default_rng((piece.seed, 13, len(name)))
    notes: list[Note] = []
    root = _into(piece.pitch(piece.chords[0]), Player(bell, 36, 47))
    for eighth in range(2 * (cut.frames // BEAT)):
        at, place = eighth / 2, eighth % 16
        accent = 0.95 if place % 8 == 0 else 0.7
        if name == "drum kit":
            notes.append(Note(at, 0.5, 78, 0.28 + 0.25 * (eighth % 2 == 0)))
            if place in (0, 5, 8, 11):
                notes.append(Note(at, 0.5, 36, accent))
            if place in (4, 12):
                notes.append(Note(at, 0.5, 55, 0.75))
        elif name == "tambourine":
            if eighth % 2 == 0 or place in (7, 15):
                notes.append(Note(at, 0.5, 60, 0.95 if place % 4 == 2 else 0.45))
        elif place in (0, 3, 6, 8, 11, 12, 14) and (place in (0, 8) or rng.random() < 0.9):
            notes.append(Note(at, 1, root + (7 if place in (3, 11, 14) else 0), accent))
    return notes


def _nearest(chord: Sequence[int], step: int) -> int:
    """The step of a chord, in any octave, that is closest."""
    return min(
        (tone + 7 * octave for tone in chord[:3] for octave in range(-2, 5)),
        key=lambda tone: (abs(tone - step), tone),
    )


def _into(pitch: int, player: Player) -> int:
    while pitch < player.low:
        pitch += 12
    while pitch > player.high:
        pitch -= 12
    return pitch


# --- playing it ---------------------------------------------------------------------------------


class _Band:
    """Plays single pitches; the pad's loops are kept, since the same few return."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self.pad = lru_cache(maxsize=24)(self._pad)

    def _pad(self, pitch: int) -> Wave:
        return pad(hertz(pitch), np.random.default_rng((self._piece.seed, 17, pitch)))


def _cut(
    piece: Piece,
    band: _Band,
    room: Wave,
    cuts: Sequence[Cut],
    number: int,
    instruments: Sequence[str | None],
) -> Wave:
    """One cut with all that rings on after it, (n, 2)."""
    cut = cuts[number]
    rng = np.random.default_rng((piece.seed, 19, number))
    count = _samples(cut.frames) + int(TAIL * RATE)
    behind = _pad_part(piece, band, cut, count, last=cut is cuts[-1])
    dry, wet = behind, 0.5 * behind
    name = instruments[cut.picture] if cut.picture >= 0 else None
    if name is not None:
        solo = _solo(piece, cut, name, number, count, rng)
        dry, wet = dry + solo, wet + (0.2 if PLAYERS[name].style == "beat" else 0.42) * solo
        wet += 0.3 * _echo(solo)
    if cut.kind != "picture" or (name is not None and PLAYERS[name].style == "beat"):
        glass = Player(bell, 72, 91)
        notes = melody(piece, cut, glass, 0 if cut.kind != "credits" else 2)
        bells = _play(notes, glass, count, rng, 0.2) * np.float32(0.55)
        dry, wet = dry + 0.6 * bells, wet + 0.8 * bells
    return np.asarray(dry + _convolved(wet, room), np.float32)


def _pad_part(piece: Piece, band: _Band, cut: Cut, count: int, last: bool) -> Wave:
    """The chords under a cut, each swelling over the one before it, and their roots far below."""
    part = np.zeros((count, 2), np.float32)
    beats = cut.frames // BEAT
    first = cut.start // BEAT
    starts = sorted({0, *(b - first for b in range(first, first + beats) if b % BAR == 0)})
    for k, at in enumerate(starts):
        bar = (first + at) // BAR
        chord = piece.chord(bar)
        if last and k == len(starts) - 1:
            chord = (0, 2, 4, 8)
        until = starts[k + 1] if k + 1 < len(starts) else beats
        span = (until - at) * SECOND + 2.6
        pitches = [(piece.pitch(chord[0]) - 12 * (piece.pitch(chord[0]) > 50), 1.0)]
        pitches += [(_around(piece.pitch(step), 53), 0.62) for step in chord[1:]]
        t = np.arange(int(span * RATE)) / RATE
        rise, fall = np.clip(t / 2.2, 0, 1), np.clip((span - t) / 2.6, 0, 1)
        swell = (np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)).astype(np.float32)[:, None]
        start = int(at * SECOND * RATE)
        for pitch, level in pitches:
            loop = band.pad(pitch)
            turn = (cut.start * RATE // FPS + start) % LOOP
            tiled = np.take(loop, np.arange(turn, turn + len(t)), axis=0, mode="wrap")
            end = min(count, start + len(t))
            part[start:end] += (np.float32(level) * swell * tiled)[: end - start]
    return part * np.float32(PAD_LEVEL / 0.3)


def _around(pitch: int, low: int) -> int:
    """The same note within the octave above `low`."""
    return low + (pitch - low) % 12


def _solo(
    piece: Piece, cut: Cut, name: str, number: int, count: int, rng: np.random.Generator
) -> Wave:
    """The picture's instrument, brought to the same loudness as all others."""
    player = PLAYERS[name]
    level = SOLO_LEVEL
    if player.style == "beat":
        notes, level = rhythm(piece, cut, name), BEAT_LEVEL
    else:
        notes = melody(piece, cut, player, number)
        if player.style == "pluck":
            notes += broken_chords(piece, cut, player)
    solo = _play(notes, player, count, rng, 0.22 * (-1) ** number)
    windows = solo[: len(solo) // 4800 * 4800].reshape(-1, 9600)
    power = np.sort((windows**2).mean(axis=1))[::-1]
    sounding = power[: max(1, 2 * cut.frames // FPS)].mean()  # the loudest windows of 0.1 s
    return solo * np.float32(level / max(float(np.sqrt(sounding)), 1e-9))


def _play(
    notes: Sequence[Note], player: Player, count: int, rng: np.random.Generator, side: float
) -> Wave:
    """Notes as stereo sound, off the beat by a few milliseconds as people are."""
    mono = np.zeros(count, np.float32)
    for note in notes:
        wave = player.voice(hertz(note.pitch), note.length * SECOND * 0.97, note.loud, rng)
        start = max(0, int((note.beat * SECOND + rng.normal(0, 0.006)) * RATE))
        end = min(count, start + len(wave))
        mono[start:end] += np.float32(note.loud) * wave[: end - start]
    angle = (1 + side) * np.pi / 4
    return mono[:, None] * np.array((np.cos(angle), np.sin(angle)), np.float32)


def _echo(solo: Wave) -> Wave:
    """Three quarters of a beat later on the other side, and once more."""
    late = int(0.75 * SECOND * RATE)
    made = np.zeros_like(solo)
    made[late:] += 0.6 * solo[:-late, ::-1]
    made[2 * late :] += 0.3 * solo[: -2 * late]
    return made


def _reverb(seed: int) -> Wave:
    """The answer of a large dark room, (n, 2): noise in three bands that die at their own pace."""
    rng = np.random.default_rng((seed, 23))
    count = int(4.2 * RATE)
    t = np.arange(count) / RATE
    f = np.fft.rfftfreq(count, 1 / RATE)
    made = np.zeros((count, 2))
    for side in range(2):
        spectrum = np.fft.rfft(rng.standard_normal(count))
        for low, high, ring in ((90, 700, 0.62), (700, 3000, 0.48), (3000, 9000, 0.22)):
            band = np.fft.irfft(spectrum * ((f >= low) & (f < high)), count)
            made[:, side] += band * np.exp(-t / ring)
    made *= np.clip(t / 0.03, 0, 1)[:, None]
    return np.asarray(made / np.sqrt((made**2).sum(axis=0)), np.float32)


def _convolved(wave: Wave, room: Wave) -> Wave:
    """The room's answer to a wave, cut at the wave's own length."""
    size = 1 << int(np.ceil(np.log2(len(wave) + len(room))))
    product = np.fft.rfft(wave, size, axis=0) * np.fft.rfft(room, size, axis=0)
    return np.asarray(np.fft.irfft(product, size, axis=0)[: len(wave)], np.float32)


def _samples(frames: int) -> int:
    return frames * RATE // FPS
