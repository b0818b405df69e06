"""A bot's mailbox: whatever should wake it or tell it something lands here, in order.

Putting never blocks. Wake-ups are folded: however many arrive, the bot looks once.
"""

import queue
from concurrent.futures import Future
from dataclasses import dataclass, field

from blitz.core.work import Mode
from blitz.exchange.streams.happenings import News


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Look now. `token` lets the sender wait until a pass that began later has answered."""

    token: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the bot in this way."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCycle:
    """Finish the open cycle, then end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a recover found and did."""

    words: tuple[str, ...]
    complete: bool
    """False when something could not be read or sent; `trouble` says what."""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """Create what is missing and answer with a `Recovery`."""

    dry_run: bool
    answer: "Future[Recovery]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """The server goes down: leave at once, send and cancel nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A stream told something, in this order."""

    news: tuple[News, ...]


Letter = Wake | Told | Stop | LastCycle | Recover | Shutdown


class Mailbox:
    """Letters for one bot. Any thread may put, only the bot takes."""

    def __init__(self) -> None:
        self._letters: queue.SimpleQueue[Letter] = queue.SimpleQueue()
        self._wake_waits = False

    def put(self, letter: Letter) -> None:
        """Leave a letter. A plain wake-up is dropped while another one waits, so a flood cannot pile up."""
        if letter == Wake():
            if self._wake_waits:
                return
            self._wake_waits = True  # of two at once both may land: that is one look more, never one less
        self._letters.put(letter)

    def take_all(self, timeout_seconds: float | None) -> list[Letter]:
        """Wait for the first letter, then take everything that is there; empty after the timeout."""
        taken: list[Letter] = []
        try:
            taken.append(
                self._letters.get(timeout=timeout_seconds) if timeout_seconds != 0 else self._letters.get_nowait()
            )
            while True:
                taken.append(self._letters.get_nowait())
        except queue.Empty:
            # Behind all of them: a wake-up that was taken with the rest must not pass for one that still waits.
            self._wake_waits = False
            return taken
