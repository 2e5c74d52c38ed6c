"""The report in a real browser: on a phone and on a desk, by day and by night.

Needs Debian's ``chromium`` and ``chromium-driver`` and selenium; skipped where they are not.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from speckle_core import PatternSet
from speckle_core.report.examples import collect
from speckle_core.report.html import ReportInput, render
from tests.report.test_html import EXPERIMENT, NETWORK

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="chromium and chromedriver are not here"
)
EVIL = '<img src=x onerror=alert(1)>"'


@pytest.fixture(scope="module")
def address(items: Any, grid: Any, history: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The place of a report with names that try to break out of it."""
    rates = np.full((30, 3), 0.1)
    rates[np.arange(30), np.searchsorted([2, 3, 5], NETWORK.predicted)] = 0.8
    network = attrs.evolve(NETWORK, probabilities=rates)
    images = np.random.default_rng(0).exponential(size=(30, 33, 33)).astype(np.float32)
    name = f"a-name-of-a-classifier-that-is-far-too-long-for-a-phone {EVIL}"
    page = render(
        ReportInput(
            title=EVIL,
            experiment={**EXPERIMENT, "name": EVIL},
            seed=7,
            gallery=items(2),
            grid=grid,
            blocked=None,
            history=history(3),
            network=(name, network),
            baselines={EVIL + "2": attrs.evolve(network, predicted=network.labels)},
            verdict=f"{EVIL} reads all.",
            versions={"speckle-core": "0.1.0"},
            timings={"train": 200.0},
            command=f"speckle run {EVIL}",
            examples=collect(network, PatternSet.from_arrays(images, network.labels, grid)),
        )
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page, "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def show(browser: Any, address: str, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.get(address)


# What sticks out of the page's width, unless it stands in a box that scrolls by itself.
CUT_OFF = """
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll("body *")].filter(e => {
  if (e.closest(".scroll, .plate, pre, details:not([open]), template")) return false;
  const box = e.getBoundingClientRect();
  return box.width > 0 && (box.right > wide + 1 || box.left < -1);
}).map(e => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40));
"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_its_screen_and_the_browser_complains_of_nothing(
    browser: Any, address: str, width: int, scheme: str, tmp_path: Path
) -> None:
    show(browser, address, width, scheme)
    size = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert size[0] == size[1]
    assert browser.execute_script(CUT_OFF) == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 25, 31)"}[scheme]
    drawn = browser.execute_script(
        "return document.querySelector('picture img').currentSrc.slice(0, 5000)"
    )
    png = browser.execute_script("return document.querySelector('picture img').src.slice(0, 5000)")
    assert (drawn == png) == (scheme == "light")
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    (tmp_path / "page.png").write_bytes(base64.b64decode(picture["data"]))


def test_names_that_try_to_run_a_script_are_words_in_the_page(browser: Any, address: str) -> None:
    show(browser, address, 1280, "light")
    assert browser.find_element("tag name", "h1").text == EVIL
    assert browser.title == EVIL
    assert browser.execute_script("return document.images.length") > 5
    assert browser.execute_script(
        "return [...document.images].every(i => i.currentSrc.startsWith('data:image/webp'))"
    )
    assert browser.execute_script("return [...document.images].every(i => i.naturalWidth > 0)")


def test_a_cell_of_the_matrix_shows_its_patterns_when_it_is_clicked(
    browser: Any, address: str
) -> None:
    show(browser, address, 390, "light")
    box = browser.find_element("id", "cell")
    assert box.find_elements("tag name", "img") == []
    for cell, many, word in (("cell-2-3", 3, "n = 2, read as 3"), ("cell-5-2", 1, "read as 2")):
        button = browser.find_element("css selector", f"button[data-cell={cell}]")
        browser.execute_script("arguments[0].scrollIntoView()", button)
        button.click()
        assert len(box.find_elements("tag name", "img")) == many
        assert word in box.text
        assert button.get_attribute("aria-pressed") == "true"
    pressed = browser.find_elements("css selector", "button[aria-pressed=true]")
    assert len(pressed) == 1
