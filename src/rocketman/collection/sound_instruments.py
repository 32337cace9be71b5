"""The band: every instrument of the grammar, and the pad behind it, synthesised note by note.

Level 5, numpy alone: no samples, so no licence but ours. Three physical ideas make all of it:

    struck, plucked   a sum of decaying modes; string, bar and membrane differ in their modes
    blown, bowed      harmonics of one phase that carries the vibrato, brighter as they grow louder
    noise             breath, bow, snare and jingles: noise in a band, under an envelope

`note` gives one mono note, peak at about 1, as long as it rings. What a player may play, and how
(`PLAYERS`), is read by `sound.py`, which composes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples a second."""

LOOP = 1 << 18
"""Samples of the pad's endless loops, five and a half seconds."""

Wave = NDArray[np.float32]
Floats = NDArray[np.float64]
Style = Literal["sing", "pluck", "beat"]


@dataclass(frozen=True)
class Player:
    """One instrument of the band."""

    voice: Callable[[float, float, float, np.random.Generator], Wave]
    """(frequency in Hz, seconds held, loudness in [0, 1], chance) -> a mono note."""
    low: int
    high: int
    """Its comfortable range as MIDI notes."""
    style: Style = "sing"
    """One long line; or a line with broken chords under it; or rhythm."""


def hertz(note: float) -> float:
    """The frequency of a MIDI note; 69 is 440 Hz."""
    return float(440 * 2 ** ((note - 69) / 12))


# --- struck and plucked -------------------------------------------------------------------------


def modes(frequencies: Floats, amplitudes: Floats, decays: Floats, seconds: float) -> Wave:
    """A sum of sines that die away: amplitude e^(-t / decay) each, silent modes left out.

    Written as two small tables of powers and their product, which costs a matrix product instead of
    a sine a sample.
    """
    heard = (frequencies < 0.45 * RATE) & (np.abs(amplitudes) > 1e-4)
    step = (2j * np.pi * frequencies[heard] - 1 / decays[heard]) / RATE
    count = max(1, int(seconds * RATE))
    block = int(np.ceil(np.sqrt(count)))
    inside = np.exp(step[:, None] * np.arange(block)).astype(np.complex64)
    starts = np.exp(np.outer(np.arange(0, count, block), step)) * amplitudes[heard]
    return np.asarray((starts.astype(np.complex64) @ inside).imag.ravel()[:count], np.float32)


def string(
    frequency: float,
    seconds: float,
    loud: float,
    rng: np.random.Generator,
    *,
    ring: float,
    bright: float,
    place: float,
    stiff: float = 1e-5,
    body: Floats | None = None,
) -> Wave:
    """A plucked or hammered string.

    ring: seconds in which the lowest harmonic falls to 1 / e at 200 Hz; high notes ring shorter.
    bright: the part of its strength that each octave of harmonics keeps. place: where it is
    plucked, as a part of its length. stiff: how much its harmonics stretch.
    """
    k: Floats = np.arange(1.0, 1 + min(48, int(0.4 * RATE / frequency)))
    partials = frequency * k * np.sqrt((1 + stiff * k * k) / (1 + stiff))
    strength = np.sin(np.pi * k * place) * (bright * (0.75 + 0.35 * loud)) ** np.log2(k) / k**0.35
    if body is not None:
        strength *= _formants(np.asarray(partials, np.float64), body)
    decay = ring * (200 / frequency) ** 0.45 / (1 + 0.16 * (k - 1) * (frequency / 200) ** 0.3)
    wave = modes(partials, strength, decay, min(seconds + 2.5, 6 * float(decay[0])))
    damp = np.exp(-np.maximum(np.arange(len(wave)) / RATE - seconds, 0) / 0.35)
    pluck = _noise(len(wave), 900, 6000, rng) * _decay(len(wave), 0.006) * 0.08 * loud
    return _level(_touch((wave + pluck * np.abs(wave).max()) * damp, 0.0012))


def bar(
    frequency: float,
    ratios: tuple[float, ...],
    ring: float,
    click: float,
    rng: np.random.Generator,
) -> Wave:
    """A struck bar or bell: its modes stand at `ratios` of the lowest one."""
    ratio = np.array(ratios)
    decay = ring * (500 / frequency) ** 0.5 / ratio**0.9
    strength = 1 / (1 + 1.4 * np.arange(len(ratio))) ** 1.2
    wave = modes(frequency * ratio, strength, decay, 5 * float(decay[0]))
    knock = _noise(len(wave), 800, 5000, rng) * _decay(len(wave), 0.004) * click
    return _level(_touch(wave + knock, 0.0008))


def drum(frequency: float, ring: float, bend: float, slap: float, rng: np.random.Generator) -> Wave:
    """A membrane (Bessel modes) that starts `bend` sharper than it ends, with the stick's slap."""
    ratio = np.array((1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.5, 4.06))
    strength = np.array((1, 0.5, 0.34, 0.24, 0.2, 0.16, 0.1, 0.08, 0.05))
    count = int(5 * ring * RATE)
    t = np.arange(count) / RATE
    phase = np.cumsum(frequency * (1 + bend * np.exp(-t / 0.035))) / RATE
    wave = np.zeros(count)
    for k, (r, a) in enumerate(zip(ratio, strength, strict=True)):
        wave += a * np.sin(2 * np.pi * r * phase) * np.exp(-t * (1 + 0.7 * k) / ring)
    stick = _noise(count, 300, 4500, rng) * _decay(count, 0.014) * slap
    return _level(_touch(wave.astype(np.float32) + stick, 0.001))


def rattle(low: float, high: float, ring: float, rng: np.random.Generator) -> Wave:
    """A burst of noise in a band of Hz: cymbals, snares, jingles."""
    count = int(6 * ring * RATE)
    return _level(_touch(_noise(count, low, high, rng) * _decay(count, ring), 0.0015))


# --- blown and bowed ----------------------------------------------------------------------------


def sung(
    frequency: float,
    seconds: float,
    loud: float,
    rng: np.random.Generator,
    *,
    harmonics: Floats,
    attack: float = 0.09,
    release: float = 0.16,
    dark: float = 0.8,
    vibrato: float = 0.004,
    rate: float = 5.2,
    scoop: float = 0.004,
    breath: float = 0.0,
    body: Floats | None = None,
    detune: tuple[float, ...] = (0.0,),
) -> Wave:
    """A blown or bowed note: harmonics of one phase, which carries the vibrato.

    harmonics: amplitude of each at full strength. dark: how much a soft tone lacks of the next
    harmonic; tones begin soft, so they open up. vibrato: part of the frequency, coming in late.
    scoop: how far below its pitch a tone begins. breath: noise around the tone. detune: cents of
    the reeds that sound together.
    """
    count = int((seconds + release) * RATE)
    t = np.arange(count) / RATE
    swell = np.clip(t / attack, 0, 1) ** 0.8 * (1 - 0.18 * np.exp(-t / 0.5))
    swell *= 0.86 + 0.14 * np.sin(np.pi * np.clip(t / max(seconds, 0.1), 0, 1))
    end = np.clip((seconds + release - t) / release, 0, 1)
    envelope = swell * end**1.5
    late = np.clip((t - 0.25) / 0.5, 0, 1)
    waver = vibrato * late * np.sin(2 * np.pi * rate * t + rng.uniform(0, 2 * np.pi))
    drift = 0.0008 * np.interp(t, np.linspace(0, t[-1], 8), rng.normal(0, 1, 8))
    bend = 1 + waver + drift - scoop * np.exp(-t / 0.045)
    kept = int(min(len(harmonics), 0.42 * RATE / frequency))
    shape = harmonics[:kept].copy()
    if body is not None:
        shape *= _formants(frequency * np.arange(1.0, kept + 1), body)
    tilt = 1 - dark * (1 - (0.35 + 0.65 * loud) * envelope) * 0.55
    wave = np.zeros(count)
    for cents in detune:
        turn = np.cumsum(frequency * 2 ** (cents / 1200) * bend) / RATE + rng.uniform()
        z = np.exp(2j * np.pi * turn) * tilt
        total = np.zeros(count, np.complex128)
        for amplitude in shape[::-1]:  # Horner: sum of shape[k] z^(k + 1)
            total = (total + amplitude) * z
        wave += total.imag
    wave *= envelope * (1 + 0.05 * late * np.sin(2 * np.pi * rate * t))
    made = _level(wave.astype(np.float32))
    if breath:
        air = _noise(count, 0.9 * frequency, 2.2 * frequency + 600, rng)
        puff = 1 + 2.5 * np.exp(-t / 0.05)
        made = made + (breath * air * envelope * puff).astype(np.float32)
    return made


def _falling(count: int, power: float, *, odd: float = 1.0, even: float = 1.0) -> Floats:
    """Amplitudes that fall with the number of the harmonic."""
    k = np.arange(1, count + 1)
    return np.asarray(np.where(k % 2 == 1, odd, even) / k**power, np.float64)


def _formants(frequency: Floats, body: Floats) -> Floats:
    """How strongly a body with (centre Hz, width Hz, gain) resonances sounds at a frequency."""
    gain = np.full(len(frequency), 0.35)
    for centre, width, more in body:
        gain += more / (1 + ((frequency - centre) / width) ** 2)
    return gain


# --- pieces -------------------------------------------------------------------------------------


def _noise(count: int, low: float, high: float, rng: np.random.Generator) -> Wave:
    """Noise between two frequencies, with soft edges, standard deviation 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    f = np.fft.rfftfreq(count, 1 / RATE) + 1e-9
    spectrum *= 1 / np.sqrt((1 + (low / f) ** 4) * (1 + (f / high) ** 4))
    wave = np.fft.irfft(spectrum, count)
    return np.asarray(wave / max(float(wave.std()), 1e-9), np.float32)


def _decay(count: int, seconds: float) -> Wave:
    return np.exp(-np.arange(count) / (RATE * seconds)).astype(np.float32)


def _touch(wave: Wave, seconds: float) -> Wave:
    """Rise from nothing, so that it does not click; end in nothing too."""
    rise, fall = int(seconds * RATE), min(len(wave) // 4, RATE // 20)
    wave = wave.copy()
    wave[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[: len(wave)]
    if fall:
        wave[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return wave


def _level(wave: Wave) -> Wave:
    return np.asarray(wave / max(float(np.abs(wave).max()), 1e-9), np.float32)


# --- the players --------------------------------------------------------------------------------

_BOX = np.array(((110, 40, 0.9), (210, 60, 0.8), (420, 150, 0.5), (1100, 600, 0.3)))
_FIDDLE = np.array(((280, 60, 0.8), (460, 90, 0.9), (1000, 400, 0.5), (2700, 700, 0.8)))
_CELLO = np.array(((105, 40, 0.7), (185, 60, 0.9), (400, 150, 0.7), (1700, 700, 0.4)))
_BELL = np.array(((1200, 500, 1.0), (2400, 900, 0.5)))
_HORN = np.array(((350, 180, 1.0), (700, 300, 0.4)))
_SAX = np.array(((450, 180, 0.7), (1150, 350, 0.9), (2500, 700, 0.35)))


def _string(**of: float | Floats) -> Callable[[float, float, float, np.random.Generator], Wave]:
    return lambda f, s, v, rng: string(f, s, v, rng, **of)  # type: ignore[arg-type]


def _sung(**of: object) -> Callable[[float, float, float, np.random.Generator], Wave]:
    return lambda f, s, v, rng: sung(f, s, v, rng, **of)  # type: ignore[arg-type]


def _driven(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    """An electric guitar: a string into an overdriven amplifier, whose box lets no hiss out."""
    wave = string(f, s, v, rng, ring=3.2, bright=0.66, place=0.22)
    driven = np.fft.rfft(np.tanh(2.2 * wave))
    driven /= 1 + (np.fft.rfftfreq(len(wave), 1 / RATE) / 2800) ** 4
    t = np.arange(len(wave)) / RATE
    shake = 1 + 0.16 * np.sin(2 * np.pi * 4.6 * t)
    return _level((np.fft.irfft(driven, len(wave)) * shake).astype(np.float32))


def _electric_piano(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    """Tines and tone bars: a long pure tone, and a short bright one on top."""
    ratios = np.array((1.0, 2.0, 3.0, 4.0, 7.1, 14.2))
    strength = np.array((1.0, 0.32, 0.12, 0.06, 0.1 * v, 0.06 * v))
    decays = np.array((2.6, 1.5, 0.9, 0.7, 0.22, 0.09)) * (300 / f) ** 0.35
    wave = _touch(modes(f * ratios, strength, decays, s + 1.5), 0.002)
    t = np.arange(len(wave)) / RATE
    damp = np.exp(-np.maximum(t - s, 0) / 0.25) * (1 + 0.14 * np.sin(2 * np.pi * 4.1 * t))
    return _level(wave * damp.astype(np.float32))


def _hit(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    return drum(f, 0.3, 0.35, 0.3 + 0.4 * v, rng)


def _kit(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    """By pitch: the kick lies low, then the snare, then the hi-hat."""
    if f < 70:
        return drum(52, 0.16, 1.6, 0.12, rng)
    if f < 400:
        body, wires = drum(186, 0.09, 0.25, 0.2, rng), rattle(1500, 9000, 0.075, rng)
        count = max(len(body), len(wires))
        body, wires = (np.pad(each, (0, count - len(each))) for each in (body, wires))
        return _level(body * np.float32(0.6) + wires * np.float32(0.5))
    return rattle(7000, 15000, 0.035 + 0.1 * v * v, rng)


def _jingles(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    """Little cymbals of many pitches, and the hand on the wood."""
    tones = rng.uniform(5200, 13500, 40)
    ring = modes(tones, rng.uniform(0.3, 1, 40), rng.uniform(0.05, 0.22, 40), 0.9)
    hand = rattle(500, 3000, 0.012, rng)
    wave = _level(_touch(ring, 0.003))
    wave[: len(hand)] += np.float32(0.5 * v) * hand[: len(wave)]
    return _level(wave)


PLAYERS: dict[str, Player] = {
    "guitar": Player(_string(ring=1.9, bright=0.62, place=0.21, body=_BOX), 48, 76, "pluck"),
    "electric guitar": Player(_driven, 50, 79),
    "bass": Player(_string(ring=2.2, bright=0.5, place=0.13, stiff=4e-5), 31, 52),
    "harp": Player(_string(ring=2.4, bright=0.5, place=0.43), 50, 88, "pluck"),
    "banjo": Player(_string(ring=0.85, bright=0.78, place=0.11), 55, 79, "pluck"),
    "ukulele": Player(_string(ring=0.85, bright=0.58, place=0.25, body=_BOX), 60, 81, "pluck"),
    "grand piano": Player(_string(ring=3.4, bright=0.5, place=0.12, stiff=3e-4), 45, 88, "pluck"),
    "keyboard": Player(_electric_piano, 50, 84, "pluck"),
    "violin": Player(
        _sung(harmonics=_falling(22, 0.95), attack=0.13, vibrato=0.006, rate=5.6, breath=0.012,
              body=_FIDDLE, dark=0.5), 60, 88,
    ),
    "cello": Player(
        _sung(harmonics=_falling(24, 1.15), attack=0.16, vibrato=0.005, rate=5.0, breath=0.014,
              body=_CELLO, dark=0.5), 40, 67,
    ),
    "trumpet": Player(
        _sung(harmonics=_falling(20, 0.55), attack=0.06, vibrato=0.003, body=_BELL, scoop=0.008),
        58, 80,
    ),
    "trombone": Player(
        _sung(harmonics=_falling(22, 0.7), attack=0.09, vibrato=0.003, body=_HORN, scoop=0.02),
        43, 67,
    ),
    "french horn": Player(
        _sung(harmonics=_falling(14, 1.0), attack=0.11, vibrato=0.0015, body=_HORN), 48, 72
    ),
    "saxophone": Player(
        _sung(harmonics=_falling(20, 0.8), attack=0.07, vibrato=0.006, rate=4.9, body=_SAX,
              breath=0.03, scoop=0.015, dark=0.55), 50, 75,
    ),
    "flute": Player(
        _sung(harmonics=np.array((1, 0.34, 0.16, 0.06, 0.03, 0.015)), attack=0.08, vibrato=0.004,
              breath=0.035), 62, 90,
    ),
    "clarinet": Player(
        _sung(harmonics=_falling(17, 0.9, even=0.08), attack=0.06, vibrato=0.0008, breath=0.01),
        52, 82,
    ),
    "accordion": Player(
        _sung(harmonics=_falling(18, 0.75, even=0.7), attack=0.05, vibrato=0.0, release=0.09,
              detune=(-7.0, 0.0, 8.0), dark=0.3), 55, 81,
    ),
    "xylophone": Player(
        lambda f, s, v, rng: bar(f, (1, 3.0, 6.15, 9.9), 0.32, 0.25 * v, rng), 65, 96, "pluck"
    ),
    "drum": Player(_hit, 36, 60, "beat"),
    "drum kit": Player(_kit, 36, 60, "beat"),
    "tambourine": Player(_jingles, 36, 60, "beat"),
}  # fmt: skip
"""By the instrument's name in a prompt."""


def bell(f: float, s: float, v: float, rng: np.random.Generator) -> Wave:
    """A small glass bell, for the opening and wherever nobody plays."""
    return bar(f, (1, 2.76, 5.4, 8.93), 1.1, 0.03, rng)


def pad(frequency: float, rng: np.random.Generator) -> Wave:
    """One pitch of the choir of strings behind it all: (LOOP, 2), to be repeated without a seam.

    Every harmonic is a narrow band of noise, as of many players (Nasca's PADsynth).
    """
    f = np.fft.rfftfreq(LOOP, 1 / RATE)
    spectrum = np.zeros(len(f))
    for k in range(1, 1 + min(14, int(5000 / frequency))):
        width = frequency * k * 0.0045 + 0.4
        spectrum += np.exp(-(((f - k * frequency) / width) ** 2)) / width / k**1.5
    phases = rng.uniform(0, 2 * np.pi, (2, len(f)))
    loop = np.fft.irfft(spectrum * np.exp(1j * phases), LOOP)
    return np.asarray(loop.T / loop.std() * 0.2, np.float32)
