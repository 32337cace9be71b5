"""Is this machine fit? What Rocketman needs, looked at and tried, each in a line.

Level 4. Draws one picture, signs one file, names the extras that are there. Next: `cli.py` prints.
"""

from __future__ import annotations

import io
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rocketman import __version__
from rocketman.runtime import available_cores

EXTRAS = {"train": "torch", "scenes": "bpy", "gallery": "jinja2", "film": "av"}
"""Each extra and the module that tells whether it is installed."""


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    what: str
    fine: bool
    text: str


def examine() -> Iterator[Finding]:
    """Look at one thing after another; what goes wrong is a finding, never an error."""
    cores = available_cores()
    yield Finding(
        "machine",
        True,
        f"Rocketman {__version__}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {cores} core{'' if cores == 1 else 's'}",
    )
    yield from _tried("drawing", _draw)
    yield from _tried("signing", _sign)
    yield from _tried("disk", _write)
    there = [name for name, module in EXTRAS.items() if find_spec(module)]
    missing = [name for name in EXTRAS if name not in there]
    text = f"installed: {', '.join(there) or 'none'}"
    if missing:
        text += (
            f"; to add one: pip install 'rocketman-diffusion[{missing[0]}]' ({', '.join(missing)})"
        )
    yield Finding("extras", True, text)


def _tried(what: str, trial: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding(what, True, trial())
    except Exception as error:  # whatever goes wrong is what the doctor is asked about
        yield Finding(what, False, f"{error or type(error).__name__}")


def _draw() -> str:
    import onnxruntime

    from rocketman.generate import load

    start = time.perf_counter()
    pipeline = load()
    loaded = time.perf_counter() - start
    pipeline("a harp above mars", seed=1, num_inference_steps=1)
    start = time.perf_counter()
    [picture] = pipeline("a harp above mars", seed=1)
    drawn = time.perf_counter() - start
    model = pipeline.model
    return (
        f"{picture.image.width} pixels in {drawn:.2f} s, after {loaded:.2f} s of loading the model "
        f"{model.name} ({model.hash}) into onnxruntime {onnxruntime.__version__}, "
        f"{pipeline.provider}"
    )


def _sign() -> str:
    from PIL import Image

    from rocketman.provenance import credentials, identity
    from rocketman.provenance.credentials import Claim

    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    claim = Claim(model="none", model_hash="none", version=__version__)
    start = time.perf_counter()
    signed = credentials.sign(file.getvalue(), claim)
    took = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signed.png"
        path.write_bytes(signed)
        state = credentials.read(path)
    if state.state not in ("valid", "untrusted"):
        raise ValueError(state.why)
    return f"{state.signer}, {1000 * took:.0f} ms a file; identity in {identity.folder()}"


def _write() -> str:
    import shutil

    with tempfile.TemporaryFile() as file:
        file.write(bytes(1 << 20))
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return f"{free:.0f} GB free in {Path.cwd()}"
