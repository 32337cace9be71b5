"""Rocketman: train, generate, publish and account for text-to-image diffusion pictures.

    from rocketman import load
    pictures = load()("an astronaut in a white suit playing a harp above mars", seed=1)
    pictures[0].save("harp.png")

The names below are the public API. Each is imported when it is first used, so that
`import rocketman` loads no heavy library.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rocketman.generate import Picture as Picture
    from rocketman.generate import Pipeline as Pipeline
    from rocketman.generate import load as load
    from rocketman.provenance.picture import PictureError as PictureError
    from rocketman.provenance.picture import Recipe as Recipe
    from rocketman.request import RequestError as RequestError
    from rocketman.weights import ModelError as ModelError

__version__ = "0.1.0"

# Nothing leaves this machine. onnxruntime tells its maker of every use, unless this says no before
# it is imported for the first time.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "ModelError": "rocketman.weights",
    "Picture": "rocketman.generate",
    "PictureError": "rocketman.provenance.picture",
    "Pipeline": "rocketman.generate",
    "Recipe": "rocketman.provenance.picture",
    "RequestError": "rocketman.request",
    "load": "rocketman.generate",
}
__all__ = [
    "ModelError",
    "Picture",
    "PictureError",
    "Pipeline",
    "Recipe",
    "RequestError",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rocketman' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
