"""The gallery in a real browser, from `file://`: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


@pytest.fixture
def index(collection: Make) -> str:
    """The address of a built gallery's index."""
    from rocketman.collection.gallery import build
    from rocketman.collection.run import run

    folder = collection()
    run(folder)
    return build(folder).index.as_uri()


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1440])
def test_looking_through_the_gallery(browser: Any, index: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(index)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".work").nth(1).click()
    shown = page.locator("dialog .caption")
    assert shown.inner_text() == "A drum, white"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert shown.inner_text() == "A guitar, red"  # round to the last
    page.get_by_role("button", name="Next picture").click()
    assert shown.inner_text() == "A harp, white"
    assert page.evaluate("document.querySelector('dialog img').naturalWidth") > 0
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.evaluate("document.activeElement.className") == "work"  # where one was

    page.get_by_label("Light").check()
    page.locator(".work").first.click()
    page.locator("dialog .caption a").click()
    page.wait_for_url("**/pictures/*.html")
    assert page.get_by_label("Light").is_checked()  # it is remembered from page to page
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/pictures/*drum*.html")
    assert page.locator("h1").inner_text() == "A drum, white"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []


@pytest.mark.slow
def test_without_javascript_pictures_open_on_their_own_pages(browser: Any, index: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(index)
    page.get_by_label("Light").check()
    page.locator(".work").nth(2).click()
    page.wait_for_url("**/pictures/*.html")
    assert page.locator("h1").inner_text() == "A guitar, white"
    page.locator("a[rel=next]").click()
    page.wait_for_url("**red**")
