"""The browser of a page bench: Debian's chromium, driven by playwright, which is a package for development."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blitz.bench.exchange import BenchProblem

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZE = {"width": 1280, "height": 860}
LOCALE = "en-US"

WATCH = """() => {
  const place = document.querySelector("#position");
  window.seen = [];
  new MutationObserver(() => seen.push([Date.now(), place.textContent]))
    .observe(place, { childList: true, characterData: true, subtree: true });
  return place.textContent;
}"""
"""Notes each new text of the position, with the moment it stood in the page."""

USABLE = """(() => {
  const place = PLACE;
  const isShown = (selector) => {
    const found = document.querySelector(selector);
    return Boolean(found) && found.getClientRects().length > 0 && /[^\\s–…]/.test(found.textContent);
  };
  const isEnabled = (selector) => document.querySelector(selector)?.disabled === false;
  const look = () => {
    const isDone = document.readyState === "complete" && place.shown.every(isShown) && place.enabled.every(isEnabled);
    if (isDone) window.usableAt = performance.now();
    else requestAnimationFrame(look);
  };
  look();
})();"""
"""Notes when the page can be used: everything loaded, the figures shown, the buttons enabled."""

FRAMES_BEGIN = """() => {
  window.frames_ms = [];
  window.framesEnd = false;
  let last = performance.now();
  const tick = (now) => { frames_ms.push(now - last); last = now; if (!framesEnd) requestAnimationFrame(tick); };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
}"""
FRAMES_END = "() => { window.framesEnd = true; return window.frames_ms; }"


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window. Raises `BenchProblem` when this machine has none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as problem:
        raise BenchProblem(
            "The page bench needs playwright, which only the development packages have: install requirements-dev.txt "
            "into the environment that runs this."
        ) from problem
    path = Path(os.environ.get("CHROMIUM", CHROMIUM))
    if not path.exists():
        raise BenchProblem(f"The page bench needs chromium at {path}; install it, or name another in CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=SWITCHES)
        try:
            yield browser
        except Error as problem:
            raise BenchProblem(f"The browser did not get through: {problem.message.splitlines()[0]}") from problem
        finally:
            browser.close()


def signed_in(browser: Any, url: str, email: str, password: str) -> Any:
    """Sign in as a person does; answers a context with the cookie."""
    context = browser.new_context(base_url=url, viewport=SIZE, locale=LOCALE, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/login")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")
    page.close()
    return context
