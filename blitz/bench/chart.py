"""The chart of a page bench: five thousand candles, moved by the mouse, and how long each frame stood."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from blitz.bench.browser import FRAMES_BEGIN, FRAMES_END
from blitz.bench.page_figures import Panned

CANDLES = 5_000
CANDLES_SECONDS = 30.0
CANDLES_PATH = "/api/bot/candles"
DRAGS, STEPS, DRAG_PIXELS = 4, 25, 500
PRESSES = 10
"""Of the key that goes forty candles back."""
WIDER = 25
"""So many times the plus key."""


def pan(page: Any) -> tuple[Panned, ...]:
    """Drag the chart to and fro, with every candle in view and with few of them; nothing where there is no chart."""
    loaded = _Loaded(page)
    page.reload()
    try:
        page.wait_for_selector("#chart canvas", timeout=5_000)
    except page_timeout():
        return ()
    page.focus("#chart")
    page.keyboard.press("Home")  # as many as fit
    deadline = time.monotonic() + CANDLES_SECONDS
    while loaded.candles < CANDLES and time.monotonic() < deadline:
        for _ in range(PRESSES):
            page.keyboard.press("Shift+ArrowLeft")  # and older ones come
        page.wait_for_timeout(100)
    many = Panned.of("as many in view as fit", loaded.candles, _drag(page))
    page.keyboard.press("End")
    for _ in range(WIDER):
        page.keyboard.press("+")
    return (many, Panned.of("few in view", loaded.candles, _drag(page)))


def page_timeout() -> type[Exception]:
    """What playwright raises when something does not come."""
    from playwright.sync_api import TimeoutError as NotInTime

    late: type[Exception] = NotInTime
    return late


class _Loaded:
    """How many candles the page has asked for: the newest once, then older ones page by page."""

    def __init__(self, page: Any) -> None:
        self._pages: dict[str, int] = {}
        page.on("requestfinished", self._count)

    @property
    def candles(self) -> int:
        """So far."""
        return sum(self._pages.values())

    def _count(self, request: Any) -> None:
        url = urlsplit(request.url)
        asked = parse_qs(url.query)
        if url.path == CANDLES_PATH and ("before" in asked or not self._pages):
            self._pages[asked.get("before", [""])[0]] = int(asked.get("limit", ["0"])[0])


def _drag(page: Any) -> list[float]:
    """Drag to the left and to the right; answers how long each frame stood, in milliseconds."""
    page.query_selector("#chart").scroll_into_view_if_needed()
    box = page.query_selector("#chart").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(FRAMES_BEGIN)
    for number in range(DRAGS):
        way = DRAG_PIXELS / 2 if number % 2 else -DRAG_PIXELS / 2
        page.mouse.move(x - way, y)
        page.mouse.down()
        page.mouse.move(x + way, y, steps=STEPS)
        page.mouse.up()
    frames_ms: list[float] = page.evaluate(FRAMES_END)
    return frames_ms
