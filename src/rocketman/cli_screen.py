"""What a terminal shows while a command works: progress, and the picture as it grows.

Level 6. All of it goes to standard error, and only where that is a terminal; it is gone at the end.
The picture is drawn in half blocks, two pixels a character, where the terminal has colours enough.
Rich is imported on first use. Next: `cli.py` and its command files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from rocketman.generate import Step
    from rocketman.sampling import Array

COLUMNS = 32
"""Width of the picture in characters, and its height in pixels."""
ROOM = 6
"""Lines that the terminal must have beside the picture's."""


class Screen:
    """A callback of the pipeline that shows how far it is."""

    def __init__(self, advance: Callable[[str, int, int | None], None]) -> None:
        """advance: takes what is going on, what is done of it, and all of it if that is known."""
        self._advance = advance
        self._done: tuple[int, int | None] = (0, None)
        self.preview: Array | None = None
        """The picture as it is now, (3, H, W) in [-1, 1]."""
        self.phase("loading")

    def __call__(self, step: Step) -> None:
        self._done = (step.done, step.total)
        self.preview = step.preview[0]
        self.phase("drawing")

    def phase(self, name: str) -> None:
        """Say what is going on: loading, drawing or saving."""
        self._advance(name, *self._done)


@contextmanager
def step_bar(preview: bool = False) -> Iterator[Screen]:
    """A progress bar with its phases as a callback of the pipeline, and the picture if wanted."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Screen(lambda *_: None)
        return
    progress = Progress(console=console)  # not started: it is shown as a part of what is live
    task = progress.add_task("", total=None)

    def advance(name: str, done: int, total: int | None) -> None:
        progress.update(task, description=f"{name:<7}", completed=done, total=total)

    screen = Screen(advance)
    size = _preview_size(console) if preview else 0

    def shown() -> Group:
        if size and screen.preview is not None:
            return Group(HalfBlocks(screen.preview, size), progress)
        return Group(progress)

    with Live(
        console=console,
        get_renderable=shown,
        transient=True,
        refresh_per_second=8,
        redirect_stdout=False,  # standard output is for results
    ):
        yield screen


@contextmanager
def bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, where that is a terminal; call it with (done, total)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(
        console=console,
        transient=True,
        redirect_stdout=False,  # standard output is for results
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class HalfBlocks:
    """A picture in characters: the upper half of each is one pixel, the lower half another."""

    def __init__(self, picture: Array, size: int) -> None:
        """picture: (3, H, W) in [-1, 1]. size: its width in characters, an even number."""
        self.picture = picture
        self.size = size

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from PIL import Image
        from rich.color import Color
        from rich.segment import Segment
        from rich.style import Style

        from rocketman.painter import to_image

        small = to_image(self.picture).resize((self.size, self.size), Image.Resampling.BOX)
        pixels: Any = small.load()
        for y in range(0, self.size, 2):
            for x in range(self.size):
                upper, lower = Color.from_rgb(*pixels[x, y]), Color.from_rgb(*pixels[x, y + 1])
                yield Segment("\N{UPPER HALF BLOCK}", Style(color=upper, bgcolor=lower))
            yield Segment.line()


def _preview_size(console: Console) -> int:
    """Characters across that a picture may take in this terminal; 0 if it cannot show one."""
    colours = console.color_system in ("truecolor", "256") and not console.no_color
    blocks = console.encoding.startswith("utf") and console.file.isatty()
    if not (colours and blocks) or console.is_dumb_terminal:
        return 0
    size = min(COLUMNS, console.width, 2 * (console.height - ROOM)) // 2 * 2
    return size if size >= COLUMNS // 2 else 0
