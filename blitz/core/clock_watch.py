"""Clock watch: without knowing the venue's time well enough, nothing is opened (A12).

Fences count in the venue's time and allow for a second of error; a request stamped further off is refused. Exits go on:
refused ones are tried again, and doubled ones can only shrink what is held. Called by `core.bot` once per pass.
"""

from blitz.core.calls import ClockRead, ReadClock, Step
from blitz.core.memory import BotMemory

CLOCK_UNSURE = "clock_unsure"
"""Attention code: the venue's time is not known well enough."""


def watch_clock(memory: BotMemory) -> Step[int]:
    """Ask for the time, in milliseconds, and hold entries back while it is in doubt."""
    reply = yield ReadClock(ask_in_doubt=True)
    assert isinstance(reply, ClockRead), f"ReadClock was answered with {reply!r}"
    said = f"{reply.doubt} No entry is sent until it is known again; take-profit and stop-loss go on."
    memory.hold(CLOCK_UNSURE, said if reply.doubt else None)
    return reply.now_ms
