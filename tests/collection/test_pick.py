"""The page to choose on: who may write, what an act changes, and that no title is markup."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rocketman.collection import pick
from rocketman.collection import plan as plans
from rocketman.collection.run import run
from rocketman.collection.store import Store, StoreError

Make = Callable[..., Path]
EVIL = "</title><script>alert(1)</script>\"'&$title"


class Client:
    """Talks to a served page as a browser does, or as somebody else would."""

    def __init__(self, port: int, page: pick.Page) -> None:
        self.port, self.page = port, page

    def send(
        self, method: str, name: str, body: object = None, secret: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        own = {"Host": f"127.0.0.1:{self.port}"}
        if method == "POST":
            own |= {"Origin": f"http://{own['Host']}", "Content-Type": "application/json"}
        own |= {key.replace("_", "-"): value for key, value in headers.items()}
        text = None if body is None else json.dumps(body)
        link.request(method, f"/{secret or self.page.secret}/{name}", text, own)
        reply = link.getresponse()
        content = reply.read()
        link.close()
        return reply.status, dict(reply.getheaders()), content

    def act(self, **table: object) -> dict[str, Any]:
        status, _, body = self.send("POST", "acts", table)
        found = json.loads(body)
        assert isinstance(found, dict)
        assert (status == 200) == ("error" not in found)
        return found


@pytest.fixture
def folder(collection: Make) -> Path:
    made = collection()
    run(made)
    return made


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    with pick.running(folder) as (server, page):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Client(server.server_port, page)
        server.shutdown()
        thread.join()


def test_acts_go_into_the_database_and_back_out(client: Client, folder: Path) -> None:
    state = json.loads(client.send("GET", "state")[2])
    assert len(state["pictures"]) == 12
    assert (state["undo"], state["redo"], state["waiting"]) == (False, False, 0)
    first = state["pictures"][0]
    assert (first["rank"], first["of"], first["id"] in state["wall"]) == (1, 2, True)
    assert first["why"]
    assert client.act(do="pick", id=2)["wall"][0] == 2
    assert client.act(do="rate", id=2, rating=4)["marks"]["2"]["rating"] == 4
    assert client.act(do="reject", id=2)["marks"]["2"]["state"] == "rejected"
    assert client.act(do="undo")["turned"]["kind"] == "reject"
    assert client.act(do="redo")["marks"]["2"]["state"] == "rejected"
    for _ in range(3):
        live = client.act(do="undo")
    assert (live["marks"], live["undo"], live["redo"]) == ({}, False, True)
    with Store(folder) as store:
        assert store.acts() == []
    assert client.page.done == {"pick": 1, "rate": 1, "reject": 1, "undo": 4, "redo": 1}


@pytest.mark.parametrize(
    "table",
    [
        {"do": "pick", "id": 99},
        {"do": "rate", "id": 1, "rating": 6},
        {"do": "rate", "id": 1},
        {"do": "undo"},
        {"do": "drop"},
        [1],
    ],
)
def test_what_makes_no_sense_is_refused_in_words(client: Client, table: object) -> None:
    status, _, body = client.send("POST", "acts", table)
    assert status == 409
    assert json.loads(body)["error"].endswith(".")


def test_strangers_are_refused(client: Client, folder: Path) -> None:
    act = {"do": "pick", "id": 1}
    own = f"127.0.0.1:{client.port}"
    assert client.send("GET", "state", secret="guess")[0] == 403
    assert client.send("GET", "state", Host="evil.example")[0] == 403  # DNS rebinding
    assert client.send("POST", "acts", act, secret="guess")[0] == 403
    assert client.send("POST", "acts", act, Origin="https://evil.example")[0] == 403
    assert client.send("POST", "acts", act, Origin="null")[0] == 403
    assert client.send("POST", "acts", act, Sec_Fetch_Site="cross-site")[0] == 403
    assert client.send("POST", "acts", act, Content_Type="text/plain")[0] == 404
    assert client.send("POST", "acts", {"do": "x" * 20_000})[0] == 413
    assert client.send("PUT", "acts", act, Origin=f"http://{own}")[0] == 501
    with Store(folder) as store:
        assert store.acts() == []
    host = f"localhost:{client.port + 1}"  # a port forwarded to a phone
    assert client.send("POST", "acts", act, Host=host, Origin=f"http://{host}")[0] == 200


def test_only_pictures_of_the_collection_are_served(client: Client, folder: Path) -> None:
    status, headers, body = client.send("GET", "pictures/1")
    with Store(folder) as store:
        file = str(store.rows()[0].file)
        store._db.execute("UPDATE pictures SET file = '../collection.toml' WHERE id = 2")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert body == (folder / "pictures" / file).read_bytes()
    for name in ("pictures/2", "pictures/99", "pictures/../collection.toml", f"pictures/{file}"):
        assert client.send("GET", name)[0] == 404
    (folder / "pictures" / file).unlink()
    assert client.send("GET", "pictures/1")[0] == 404


def test_a_browser_that_hangs_up_is_no_news(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", client.port)) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # by a reset
        asked = f"GET /{client.page.secret}/pictures/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        link.sendall(asked.encode() * 50)
        link.recv(1)
    assert client.send("GET", "state")[0] == 200
    assert capsys.readouterr().err == ""


def test_the_page_loads_nothing_from_elsewhere_and_no_title_is_markup(
    collection: Make, client: Client
) -> None:
    quoted = '"' + EVIL.replace('"', '\\"') + '"'
    folder = collection(edit=('title = "Night"', f"title = {quoted}"))
    text = pick.Page(folder, plans.read(folder)).html()
    assert "<script>" not in text
    assert "alert(1)&lt;/script&gt;&quot;&#x27;&amp;$title" in text
    status, headers, _ = client.send("GET", "")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    for name in ("pick.js", "pick.css", "gallery.css", "stars.svg"):
        status, headers, body = client.send("GET", name)
        assert status == 200
        found = re.findall(rb"(?:url\(|fetch\(|src=)\s*.?(https?:)?//", body)
        assert not found, name


def test_every_key_does_something_that_is_there() -> None:
    script = pick._read("pick.js")
    actions = script[script.index("const actions = {") :]
    names = [name for key in pick.KEYS for name in key.names.split()]
    assert len(names) == len(set(names))
    for key in pick.KEYS:
        assert f"\n  {key.does}:" in actions, key
    page = pick._read("pick.html")
    for does in re.findall(r'data-does="(\w+)"', page):
        assert f"\n  {does}:" in actions, does


def test_nothing_to_choose_from(collection: Make) -> None:
    folder = collection()
    with Store(folder, create=True), pytest.raises(StoreError, match="collection run"):
        pick.serve(folder, print)
