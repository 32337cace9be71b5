"""The gallery in a real browser, from `file://`: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

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


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_guessing_real_or_generated(browser: Any, collection: Make, width: int) -> None:
    from rocketman.collection.gallery import build
    from rocketman.collection.run import run

    folder = collection(candidates=1, edit=('licence = "', 'renders = "renders"\nlicence = "'))
    run(folder)
    renders = folder / "renders" / "test"
    renders.mkdir(parents=True)
    rows = []
    for k, instrument in enumerate(["harp", "drum", "guitar"]):
        Image.new("RGB", (32, 32), (80 * k, 60, 60)).save(renders / f"{k}.png")
        text = f"an astronaut in a red suit playing a {instrument} above mars"
        rows.append(json.dumps({"file_name": f"{k}.png", "text": text}))
    (renders / "metadata.jsonl").write_text("\n".join(rows))
    index = build(folder).index.as_uri()

    page = browser.new_page(viewport={"width": width, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(index)
    page.get_by_role("link", name="Real or generated?").click()
    page.wait_for_selector(".playing")
    assert page.locator(".pair:visible").count() == 1
    assert not page.locator(".onward").is_visible()
    for k in range(3):
        right = page.locator(".pair:visible details").get_attribute("data-generated")
        if k == 0:  # wrongly, by a tap
            page.locator(f".pair:visible figure:not(.{right}) button").click()
            assert page.locator(".score").inner_text().startswith(f"No: the {right} one")
        else:
            page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight"}[str(right)])
        page.keyboard.press("Enter")
    assert page.locator(".score").inner_text().startswith("You found 2 of 3.")
    assert "50 of 100 tries" in page.locator(".score").inner_text()
    assert page.locator(".pair:visible").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []

    still = browser.new_context(java_script_enabled=False).new_page()
    still.goto(page.url)
    assert still.locator(".pair:visible").count() == 3
    assert not still.get_by_text("one is generated:").first.is_visible()
    still.get_by_text("The answer").first.click()
    assert still.get_by_text("one is generated:").first.is_visible()
