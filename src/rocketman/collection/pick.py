"""The page on which a person chooses: all candidates, a keyboard, unlimited undo.

Level 5. Serves `templates/pick.*` and the collection's pictures from this machine to this machine;
what is done on the page goes through `store.py`, as it does from scripts. Standard library only.

Anyone on this machine and any web site in the same browser can knock at a local port, so that a
request has to name the secret of this run in its address and this machine as its host (no DNS
rebinding), and a write has to come from our own page. The page may load nothing from elsewhere and
run nothing but its own file; titles and prompts reach it as data, never as markup.
Next: `gallery.py` shows what was chosen.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from rocketman.collection import curate, rank
from rocketman.collection import plan as plans
from rocketman.collection.alike import folds
from rocketman.collection.curate import Mark
from rocketman.collection.plan import Plan
from rocketman.collection.run import PICTURES
from rocketman.collection.store import Act, Kind, Row, Store, StoreError
from rocketman.collection.wording import command

KINDS: tuple[Kind, ...] = ("rate", "pick", "reject", "unset")
LOCAL = ("127.0.0.1", "localhost", "::1")
MAX_BODY = 1 << 14
"""Bytes of a write; an act has 40."""

_STATIC = {
    "pick.css": "text/css",
    "pick.js": "text/javascript",
    "gallery.css": "text/css",
    "stars.svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Key:
    """A line of the table that both makes the keys work and explains them."""

    names: str
    """Apart by spaces, as `pick.js` names them: Shift+z, ArrowLeft, Space, ?."""
    does: str
    """A function of `actions` in `pick.js`; the page's buttons name the same ones."""
    words: str


KEYS = (
    Key("0 1 2 3 4 5", "rate", "Rate it"),
    Key("p", "pick", "Pick it for the wall"),
    Key("x", "reject", "Reject it, into the bin"),
    Key("u", "unset", "Unset: out of the bin, no mark, no rating"),
    Key("z", "undo", "Undo, all the way back"),
    Key("Shift+z", "redo", "Redo"),
    Key("ArrowLeft", "left", "One to the left; of a pair, the left one"),
    Key("ArrowRight", "right", "One to the right; of a pair, the right one"),
    Key("ArrowUp", "up", "One up; of a pair, another candidate in its place"),
    Key("ArrowDown", "down", "One down; of a pair, another candidate in its place"),
    Key("Space", "zoom", "Zoom in and out"),
    Key("c", "pair", "Compare two candidates, side by side"),
    Key("f", "unfold", "Unfold what looks alike, and fold it again"),
    Key("n", "next", "On to the next prompt with nothing picked"),
    Key("b", "bin", "Into the bin and out again"),
    Key("/", "filter", "Filter by words of the prompt"),
    Key("?", "help", "These keys"),
    Key("Escape", "back", "Back"),
)


@dataclass
class Page:
    """One collection on one server."""

    folder: Path
    plan: Plan
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    done: Counter[str] = field(default_factory=Counter)
    """What was done here, by kind of act."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    scores: dict[int, float] = field(default_factory=dict)
    """By picture, as the page was last told."""

    def html(self) -> str:
        """The page itself; everything that a stranger may have written comes later, as data."""
        rows = "\n".join(
            f'<tr data-keys="{escape(key.names)}" data-does="{key.does}"><th scope="row">'
            + " ".join(f"<kbd>{escape(_shown(name))}</kbd>" for name in key.names.split())
            + f"</th><td>{escape(key.words)}</td></tr>"
            for key in KEYS
        )
        return Template(_read("pick.html")).substitute(title=escape(self.plan.title), keys=rows)

    def state(self) -> dict[str, Any]:
        """All that the page shows. What was drawn since the last time is measured here."""
        with self.lock, Store(self.folder) as store:
            rows = store.rows()
            ranking = rank.rank(self.plan, store, rows)
            self.scores = ranking.scores
            titles = {prompt.text: prompt.title for prompt in self.plan.prompts}
            pictures = []
            for position in dict.fromkeys(row.position for row in rows):
                group = [row for row in rows if row.position == position and row.file]
                ordered = curate.ranked(group, {}, self.scores)
                hashes = [ranking.fingerprints.get(row.id) for row in ordered]
                alike = folds([h for h in hashes if h is not None])
                seen = [row for row, h in zip(ordered, hashes, strict=True) if h is not None]
                heads = {row.id: seen[head].id for row, head in zip(seen, alike, strict=True)}
                for place, row in enumerate(ordered, start=1):
                    pictures.append(
                        {
                            "id": row.id,
                            "prompt": row.prompt,
                            "title": titles.get(row.prompt, row.prompt),
                            "seed": row.seed,
                            "rank": place,
                            "of": len(ordered),
                            "score": self.scores.get(row.id),
                            "parts": ranking.parts.get(row.id, {}),
                            "why": ranking.why(row.id),
                            "like": heads.get(row.id, row.id),
                        }
                    )
            return {
                "folder": str(self.folder),
                "pictures": pictures,
                "waiting": len(rows) - len(pictures),
                "weights": rank.WEIGHTS,
                "remarks": ranking.remarks,
                **self._live(store, rows),
            }

    def act(self, request: object) -> dict[str, Any]:
        """Do what the page asks for; what changed. ValueError, StoreError if it makes no sense."""
        with Store(self.folder) as store:
            last: Act | None = None
            match request:
                case {"do": "undo"}:
                    last = store.undo()
                    self.done["undo"] += 1
                case {"do": "redo"}:
                    last = store.redo()
                    self.done["redo"] += 1
                case {"do": "rate", "id": int(picture), "rating": 0 | 1 | 2 | 3 | 4 | 5 as rating}:
                    store.record([("rate", picture, rating)])
                    self.done["rate"] += 1
                case {"do": ("pick" | "reject" | "unset") as kind, "id": int(picture)}:
                    store.record([(kind, picture, None)])
                    self.done[kind] += 1
                case _:
                    raise ValueError("There is no such act.")
            return {"turned": last and vars(last), **self._live(store, store.rows())}

    def file(self, name: str) -> Path | None:
        """The file of a picture of this collection, by the picture's id."""
        with Store(self.folder) as store:
            row = next((row for row in store.rows() if str(row.id) == name), None)
        if row is None or row.file is None or Path(row.file).name != row.file:
            return None
        return self.folder / PICTURES / row.file

    def _live(self, store: Store, rows: list[Row]) -> dict[str, Any]:
        """What acts change."""
        done, undone = store.history()
        marks = curate.marks(done)
        return {
            "marks": {picture: vars(mark) for picture, mark in marks.items() if mark != Mark()},
            "wall": [row.id for row in curate.chosen(rows, marks, self.scores)],
            "undo": bool(done),
            "redo": bool(undone),
        }


def serve(folder: Path, on_ready: Callable[[str], None]) -> Counter[str]:
    """Serve the page until Ctrl-C. Returns what was done on it, by kind of act.

    `on_ready` gets the address, with its secret. PlanError or StoreError if there is nothing to
    choose from.
    """
    with running(folder) as (server, page):
        on_ready(address(server, page))
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
        return page.done


@contextmanager
def running(folder: Path) -> Iterator[tuple[ThreadingHTTPServer, Page]]:
    """A server for a collection, bound to a free port of this machine and closed afterwards."""
    page = Page(folder, plans.read(folder))
    with Store(folder) as store:
        if not store.count()[0]:
            raise StoreError(
                "There is no picture to choose from: "
                f"{command('collection run', folder)} draws them."
            )
    handler = type("Handler", (_Handler,), {"page": page})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        yield server, page


def address(server: ThreadingHTTPServer, page: Page) -> str:
    """http://127.0.0.1:PORT/SECRET/"""
    return f"http://127.0.0.1:{server.server_port}/{page.secret}/"


class _Handler(BaseHTTPRequestHandler):
    page: Page
    protocol_version = "HTTP/1.1"
    timeout = 30

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a browser that hung up is no news
            super().handle()

    def do_GET(self) -> None:
        name = self._asked()
        if name is None:
            return
        head, _, rest = name.partition("/")
        if name == "":
            self._send(self.page.html().encode(), "text/html; charset=utf-8")
        elif name in _STATIC:
            self._send(_read(name).encode(), _STATIC[name])
        elif name == "state":
            self._answer(self.page.state)
        elif head == "pictures" and (path := self.page.file(rest)) and path.is_file():
            self._send(path.read_bytes(), "image/png", cache="private, max-age=86400")
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        name = self._asked()
        if name is None:
            return
        own = f"http://{self.headers.get('Host')}"
        fetched = self.headers.get("Sec-Fetch-Site", "same-origin")
        if self.headers.get("Origin") != own or fetched != "same-origin":
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        if name != "acts" or self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        self._answer(lambda: self.page.act(json.loads(body)))

    def _asked(self) -> str | None:
        """What is asked for below the secret; None, after a refusal, for strangers."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        _, secret, *rest = [*urlsplit(self.path).path.split("/", 2), ""]
        known = secrets.compare_digest(secret.encode(), self.page.secret.encode())
        if host not in LOCAL or not known:
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return rest[0]

    def _answer(self, work: Callable[[], dict[str, Any]]) -> None:
        """The JSON of some work, or one sentence on why it could not be done."""
        status = HTTPStatus.OK
        try:
            table = work()
        except (StoreError, ValueError, sqlite3.Error, OSError) as error:
            status, table = HTTPStatus.CONFLICT, {"error": str(error)}
        self._send(json.dumps(table).encode(), "application/json", status)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # a body that was not read is not the next request
        self._send(status.phrase.encode(), "text/plain", status)

    def _send(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        cache: str = "no-store",
    ) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", cache)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "Rocketman"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for people, and the address is a secret."""


def _shown(key: str) -> str:
    """A key as it is written on a keyboard."""
    arrows = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}
    return arrows.get(key, key.upper() if len(key) == 1 else key.replace("+z", " Z"))


def _read(name: str) -> str:
    template = resources.files("rocketman.collection").joinpath("templates", name)
    return template.read_text(encoding="utf-8")
