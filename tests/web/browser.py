"""A real browser for the tests: Chromium without a window, driven by Selenium. Tests skip where there is none."""

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver",)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
"""Where the pictures that the tests take go; people look at them."""


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Yield a driver with an empty profile."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (make page)")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = next((found for name in DRIVERS if (found := shutil.which(name))), None)
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its chromedriver here (apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(profile / "saved")})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


def show(driver: Any, width: int, height: int, *, dark: bool = False) -> None:
    """Set the size of the window and the colours that the reader prefers."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": [scheme]})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def picture(driver: Any, name: str, *, whole: bool = True) -> Path:
    """Save what the browser shows, the whole page or the first screen."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
    path = PICTURES / f"{name}.png"
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(base64.b64decode(taken["data"]))
    return part.replace(path)


def complaints(driver: Any) -> list[str]:
    """Return what the browser complained of since the last look: refused scripts, faults."""
    return [entry["message"] for entry in driver.get_log("browser")]
