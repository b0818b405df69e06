"""What a browser calls itself, in the words of people. Rough on purpose: it helps to tell one's own sign-ins apart.

Nobody is let in or kept out by it; whatever a browser claims is only ever shown to its own user.
"""

import re

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Whale/", "Whale"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""The first one whose mark is found: most of them also name those that come later."""
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
NAME_MAX = 40

_PROGRAM = re.compile(r"[A-Za-z][\w.-]*")


def browser_of(agent: str) -> str:
    """The browser's name; of a program the first word it says, such as curl; empty when it says none."""
    for mark, name in BROWSERS:
        if mark in agent:
            return name
    found = _PROGRAM.match(agent)
    return found[0][:NAME_MAX] if found and found[0] != "Mozilla" else ""


def system_of(agent: str) -> str:
    """What the browser runs on; empty when it does not say."""
    return next((name for mark, name in SYSTEMS if mark in agent), "")
