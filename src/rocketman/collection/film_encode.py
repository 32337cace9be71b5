"""Frames and sound -> an MP4 file as YouTube wants it, and sound at its loudness.

Level 5. Calls FFmpeg through PyAV (extra `film`). Video: H.264 High, yuv420p, BT.709, 30 frames a
second. Sound: AAC, 48 kHz, stereo, -14 LUFS with true peaks below -1 dB (EBU R 128, ITU-R BS.1770).
The index lies before the data, so that playing begins at once. Frames and blocks of sound come one
after another, so memory does not grow with the film. Next: `film.py` signs what is written here.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from rocketman.collection.film_cuts import FPS
from rocketman.collection.film_frames import Frame
from rocketman.collection.sound_instruments import RATE, Wave

LOUDNESS = -14.0
"""LUFS, integrated: what YouTube plays at."""
CEILING = 0.74
"""Of full scale: where peaks are held; AAC and the true peak between samples add up to 1.5 dB."""
CRF, PRESET = 19, "veryfast"
SOUND_BITS = 256_000
AHEAD = 6
"""Frames drawn ahead of the encoder."""
CHUNK = RATE
"""Samples of sound that are worked on at a time."""


class AudioError(ValueError):
    """A file of sound that cannot be used; the message is one sentence."""


class Sound:
    """Stereo sound of 48 kHz in a file of bare 32-bit floats, played at a gain, with a limiter."""

    def __init__(self, path: Path, blocks: Iterable[Wave]) -> None:
        """Store the blocks and find the gain that brings them to LOUDNESS."""
        self.path = path
        self.gain = 0.0
        with path.open("wb") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block, np.float32).tobytes())
        self.loudness, self.peak = measure(self.blocks())
        for _ in range(3):  # a limiter takes some loudness away: ask for a little more
            if self.loudness < -60 or abs(self.loudness - LOUDNESS) < 0.1:
                break
            self.gain = min(40.0, self.gain + LOUDNESS - self.loudness)
            self.loudness, self.peak = measure(self.blocks())

    def blocks(self) -> Iterator[Wave]:
        """The sound (n, 2), from the start."""
        limiter = f"limit={CEILING}:level=0:attack=8:release=120"
        graph = _graph([("volume", f"{self.gain:.4f}dB"), ("alimiter", limiter)])
        with self.path.open("rb") as file:
            start = 0
            while data := file.read(CHUNK * 8):  # two channels of four bytes
                block = np.frombuffer(data, np.float32).reshape(-1, 2)
                graph.push(_audio(block, start))
                start += len(block)
                yield from _pulled(graph)
        graph.push(None)
        yield from _pulled(graph)


def measure(blocks: Iterable[Wave]) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dB of full scale."""
    graph = _graph([("ebur128", "peak=true:metadata=1")])
    found = {"lavfi.r128.I": "-70", "lavfi.r128.true_peak": "0"}
    start = 0
    for block in blocks:
        graph.push(_audio(block, start))
        start += len(block)
        for frame in _frames(graph):
            found.update(frame.metadata)
    graph.push(None)
    for frame in _frames(graph):
        found.update(frame.metadata)
    peak = float(found["lavfi.r128.true_peak"])
    return float(found["lavfi.r128.I"]), 20 * float(np.log10(max(peak, 1e-6)))


def decoded(path: Path, samples: int) -> Iterator[Wave]:
    """A file's sound as stereo of 48 kHz, exactly `samples` long, faded out where it is cut.

    What is shorter ends in silence. AudioError if it holds no sound that can be read.
    """
    left = samples
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise AudioError(f"{path} holds no sound.")
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    block = np.array(part.to_ndarray().T[:left], np.float32)
                    yield _faded(block, left)
                    left -= len(block)
                if left <= 0:
                    return
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        told = getattr(error, "strerror", None) or "it is not a file of sound"
        raise AudioError(f"{path} cannot be played: {told}.") from error
    if left == samples:
        raise AudioError(f"{path} holds no sound.")
    while left > 0:
        block = np.zeros((min(left, CHUNK), 2), np.float32)
        yield block
        left -= len(block)


def _faded(block: Wave, left: int) -> Wave:
    """The last three seconds before the film ends grow silent."""
    fade = 3 * RATE
    if left - len(block) < fade:
        rest = left - np.arange(len(block))
        block *= np.clip(rest / fade, 0, 1).astype(np.float32)[:, None]
    return block


def encode(
    path: Path,
    size: tuple[int, int],
    count: int,
    frame: Callable[[int], Frame],
    sound: Sound | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write frames 0 to `count` - 1 and the sound. OSError if the disk refuses.

    Frames are drawn by two threads while FFmpeg encodes in its own.
    """
    container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
    try:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.time_base = Fraction(1, FPS)
        video.options = {
            "preset": PRESET, "crf": str(CRF), "profile": "high", "g": str(FPS), "bf": "2",
            "colorprim": "bt709", "transfer": "bt709", "colormatrix": "bt709",
        }  # fmt: skip
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
        context.color_range = 1  # limited
        context.thread_count = 2
        voice = None
        if sound:
            voice = container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=SOUND_BITS)
        blocks = sound.blocks() if sound else iter(())
        heard = 0
        for k, planes in enumerate(_drawn(count, frame)):
            if voice:
                while heard * FPS < k * RATE and (block := next(blocks, None)) is not None:
                    container.mux(voice.encode(_audio(block, heard)))
                    heard += len(block)
            container.mux(video.encode(_picture(planes, k, size)))
            if on_progress:
                on_progress(k + 1, count)
        container.mux(video.encode(None))
        if voice:
            for block in blocks:
                container.mux(voice.encode(_audio(block, heard)))
                heard += len(block)
            container.mux(voice.encode(None))
    except BaseException:
        with contextlib.suppress(Exception):  # of a broken film nothing needs to be finished
            container.close()
        raise
    container.close()


def _drawn(count: int, frame: Callable[[int], Frame]) -> Iterator[Frame]:
    """The frames in order, some of them drawn ahead."""
    with ThreadPoolExecutor(2, thread_name_prefix="frames") as pool:
        waiting: deque[Future[Frame]] = deque()
        try:
            for k in range(count + AHEAD):
                if k < count:
                    waiting.append(pool.submit(frame, k))
                if k >= AHEAD and waiting:
                    yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _picture(planes: Frame, k: int, size: tuple[int, int]) -> av.VideoFrame:
    y, u, v = planes
    stacked = np.concatenate((y.ravel(), u.ravel(), v.ravel())).reshape(-1, size[0])
    picture = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    picture.pts, picture.time_base = k, Fraction(1, FPS)
    return picture


def _audio(block: Wave, start: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(block.T, np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    return frame


def _graph(filters: list[tuple[str, str]]) -> Graph:
    """Stereo floats in, these filters, what they make out."""
    graph = Graph()
    last = graph.add_abuffer(
        format="fltp", sample_rate=RATE, layout="stereo", time_base=Fraction(1, RATE)
    )
    for name, arguments in [*filters, ("aformat", "sample_fmts=fltp"), ("abuffersink", "")]:
        step = graph.add(name, arguments) if arguments else graph.add(name)
        last.link_to(step)
        last = step
    graph.configure()
    return graph


def _frames(graph: Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame


def _pulled(graph: Graph) -> Iterator[Wave]:
    for frame in _frames(graph):
        yield np.asarray(frame.to_ndarray().T, np.float32)
