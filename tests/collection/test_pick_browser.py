"""The page to choose on in a real browser: keyboard, finger, reload."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rocketman.collection import curate, pick
from rocketman.collection.run import run
from rocketman.collection.store import Store

Make = Callable[..., Path]
DOCK = ".dock .buttons button"


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


@pytest.fixture
def served(collection: Make) -> Iterator[tuple[Path, str]]:
    """(folder, address)"""
    folder = collection(candidates=3)
    run(folder)
    with pick.running(folder) as (server, page):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, pick.address(server, page)
        server.shutdown()
        thread.join()


def opened(browser: Any, address: str, width: int, **more: Any) -> tuple[Any, list[str]]:
    page = browser.new_context(viewport={"width": width, "height": 800}, **more).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(address) else errors.append(r.url))
    page.goto(address)
    page.wait_for_selector(".card[aria-current]")
    return page, errors


def marks(folder: Path) -> dict[int, tuple[str, int | None]]:
    with Store(folder) as store:
        found = curate.marks(store.acts())
    return {picture: (mark.state, mark.rating) for picture, mark in found.items()}


def current(page: Any) -> int:
    found = page.locator(".card[aria-current]")
    return int(found.get_attribute("data-id")) if found.count() else 0


@pytest.mark.slow
def test_choosing_by_keyboard(browser: Any, served: tuple[Path, str]) -> None:
    folder, address = served
    page, errors = opened(browser, address, 1440)

    def press(keys: str) -> int:
        for key in keys.split():
            page.keyboard.press(key)
            page.evaluate("sending")  # until the answer is shown
        return current(page)

    first = current(page)
    second = press("4 p ArrowRight")
    assert marks(folder) == {first: ("picked", 4)}
    press("x")  # into the bin, and on to the next
    assert marks(folder)[second] == ("rejected", None)
    assert current(page) not in (first, second)
    assert press("b") == second  # the bin holds it
    assert press("u") == 0  # and now nothing
    assert second not in [p for p, (state, _) in marks(folder).items() if state]
    press("b z")
    assert marks(folder)[second] == ("rejected", None)
    press("z z z")
    assert marks(folder) == {}
    press("Shift+Z Shift+Z Shift+Z Shift+Z")
    assert marks(folder)[first] == ("picked", 4)

    page.keyboard.press("/")
    page.keyboard.type("guitar red 0")  # keys that mean something elsewhere are words here
    assert page.locator(".card:visible").count() == 0
    for _ in range(2):
        page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    assert page.locator(".subject:visible h2").all_inner_texts() == ["A guitar, red"]
    chosen = press("ArrowRight Space")
    page.reload()  # keeps one's place
    page.wait_for_selector("#stage img")
    assert current(page) == chosen
    assert page.locator(".subject:visible").count() == 0 or page.locator("#filter").input_value()
    assert "of the collection" in page.locator("#told").inner_text()
    press("Escape c")
    assert page.locator("#sides img").count() == 2
    left = press("ArrowLeft")
    right = press("ArrowRight")
    assert left != right
    other = press("ArrowDown")
    assert other not in (left, right)
    press("p Escape")
    assert marks(folder)[other] == ("picked", None)
    press("?")
    assert page.locator("#help th").count() == len(pick.KEYS)
    assert page.locator("#help kbd").first.is_visible()
    press("Escape")
    assert errors == []


@pytest.mark.slow
def test_choosing_by_finger(browser: Any, served: tuple[Path, str]) -> None:
    folder, address = served
    page, errors = opened(browser, address, 360, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(".card").nth(1).tap()
    second = current(page)
    page.locator(".card").nth(1).tap()
    page.wait_for_selector("#stage img")
    page.get_by_role("button", name="Pick", exact=True).tap()
    page.get_by_role("button", name="Rate 5").tap()
    page.evaluate("sending")
    page.locator("#stage .shut").tap()
    assert marks(folder) == {second: ("picked", 5)}
    page.get_by_role("button", name="Undo").tap()
    page.evaluate("sending")
    assert marks(folder) == {second: ("picked", None)}
    for button in page.locator("button:visible, select:visible, input:visible").all():
        box = button.bounding_box()
        target = button.evaluate("e => (e.closest('label') ?? e).getBoundingClientRect().height")
        assert max(box["height"], target) >= 44, button.evaluate("e => e.outerHTML")
    assert errors == []


@pytest.mark.slow
def test_what_a_script_did_is_seen_on_coming_back(browser: Any, served: tuple[Path, str]) -> None:
    folder, address = served
    page, _ = opened(browser, address, 1440)
    with Store(folder) as store:
        store.record([("pick", 5, None)])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(".card.picked[data-id='5']")
