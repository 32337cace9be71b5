"""What a collection costs beside drawing its pictures: run, ranking, gallery, its index.

    python benchmarks/collection.py [--model DIR] [--pictures 200] [--steps 20] [--json]

The run's own share is what is left of its time when drawing and saving, as `rocketman generate`
does them, are taken out. The index is weighed by Chromium (extra packages: playwright), served from
this machine, without scrolling, on a desktop and on a phone. Needs the extra `gallery`.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rocketman.collection import gallery, pick, rank
from rocketman.collection import plan as plans
from rocketman.collection.run import run
from rocketman.collection.store import Store
from rocketman.generate import Picture, Pipeline
from rocketman.request import DEFAULT_STEPS

COLLECTION = """\
title = "A benchmark"
{model}
[pictures]
steps = {steps}
candidates = 1
[lists]
suit = ["white", "orange", "blue", "red"]
instrument = ["a guitar", "a harp", "a trumpet", "a drum", "a keyboard", "a saxophone"]
place = ["above the blue earth", "above the earth at night", "above the moon", "above mars"]
how = ["playing", "beside", "with"]
[[prompts]]
template = "an astronaut in a {{suit}} suit {{how}} {{instrument}} {{place}}"
combine = "sample"
count = {count}
"""
SCREENS = {"desktop": (1440, 900, 1), "phone": (360, 800, 3)}
"""Width, height, device pixels a pixel."""


class Watch:
    """Adds up the time spent inside what it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def call(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **more: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*arguments, **more)
            finally:
                self.seconds += time.perf_counter() - started

        return timed

    def stream(self, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """The same for what yields: only the time until each next thing counts."""

        def timed(*arguments: Any, **more: Any) -> Iterator[Any]:
            things = work(*arguments, **more)
            following = self.call(lambda: next(things, None))
            while (thing := following()) is not None:
                yield thing

        return timed


def timed_run(folder: Path) -> dict[str, float]:
    """Draw the collection; its own share is all but drawing, saving and loading the model."""
    inside = Watch()
    stream, save, load = Pipeline.stream, Picture.save, Pipeline.__init__
    Pipeline.stream = inside.stream(stream)  # type: ignore[method-assign]
    Picture.save = inside.call(save)  # type: ignore[method-assign]
    Pipeline.__init__ = inside.call(load)  # type: ignore[method-assign]
    started = time.perf_counter()
    try:
        drawn, _ = run(folder)
    finally:
        Pipeline.stream, Picture.save = stream, save  # type: ignore[method-assign]
        Pipeline.__init__ = load  # type: ignore[method-assign]
    seconds = time.perf_counter() - started
    return {
        "pictures": drawn,
        "seconds_per_picture": round(seconds / drawn, 4),
        "own_seconds_per_picture": round((seconds - inside.seconds) / drawn, 5),
        "own_share": round((seconds - inside.seconds) / inside.seconds, 4),
    }


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


def ranked(folder: Path) -> None:
    with Store(folder) as store:
        rank.rank(plans.read(folder), store, store.rows())


def index_weight(place: Path) -> dict[str, int]:
    """Bytes that a browser loads for the index before anybody scrolls, by screen."""
    from playwright.sync_api import sync_playwright

    handler = functools.partial(_Quiet, directory=str(place))
    weights = {}
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as driver,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (width, height, scale) in SCREENS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=scale
            )
            sizes: list[int] = []
            page.on("response", functools.partial(_weigh, sizes))
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.wait_for_load_state("networkidle")
            weights[name] = sum(sizes)
        server.shutdown()
    return weights


def _weigh(sizes: list[int], reply: Any) -> None:
    sizes.append(len(reply.body()))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description="Time what surrounds the drawing.")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--keep", type=Path, help="a folder to work in, kept afterwards")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        model = f'model = "{arguments.model.resolve()}"' if arguments.model else ""
        text = COLLECTION.format(model=model, count=arguments.pictures, steps=arguments.steps)
        (folder / plans.FILE).write_text(text, encoding="utf-8")
        document: dict[str, Any] = {"run": timed_run(folder)}
        document["rank_seconds"] = timed(lambda: ranked(folder))
        document["rank_again_seconds"] = timed(lambda: ranked(folder))
        document["gallery_seconds"] = timed(lambda: gallery.build(folder))
        document["gallery_again_seconds"] = timed(lambda: gallery.build(folder))
        page = pick.Page(folder, plans.read(folder))
        document["pick_page_seconds"] = timed(page.state)
        document["index_bytes"] = index_weight(folder / gallery.FOLDER)
    if arguments.json:
        print(json.dumps(document))
        return
    cost = document["run"]
    print(f"{'pictures':<40}{cost['pictures']:10d}")
    print(f"{'a picture, drawn and saved by the run':<40}{cost['seconds_per_picture']:10.3f} s")
    print(f"{'the run itself, a picture':<40}{1000 * cost['own_seconds_per_picture']:10.2f} ms")
    print(f"{'the run itself, of drawing and saving':<40}{100 * cost['own_share']:10.2f} %")
    print(f"{'ranking all, the first time':<40}{document['rank_seconds']:10.2f} s")
    print(f"{'ranking all, again':<40}{document['rank_again_seconds']:10.2f} s")
    print(f"{'gallery, the first time':<40}{document['gallery_seconds']:10.2f} s")
    print(f"{'gallery, again':<40}{document['gallery_again_seconds']:10.2f} s")
    print(f"{'what the page to choose on is told':<40}{document['pick_page_seconds']:10.2f} s")
    for screen, size in document["index_bytes"].items():
        print(f"{f'index before scrolling, {screen}':<40}{size / 1000:10.0f} kB")


if __name__ == "__main__":
    main()
