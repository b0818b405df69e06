"""Which links send next: a few in each turn of the event loop, since what they send only leaves at its end.

A falling price may fill a thousand accounts at once. If the loop prepared all their frames first, the first of them
would learn of its fill when the last one's was ready, a fifth of a second later.
"""

import asyncio
from collections import deque

LINKS_PER_TURN = 4


class Departures:
    """One for all links of a server. Everything happens on its loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._room = LINKS_PER_TURN
        """How many more may send in this turn of the loop."""

    async def turn(self) -> None:
        """Wait until this link may send; at once unless others have used up this turn of the loop."""
        if self._room == LINKS_PER_TURN:
            asyncio.get_running_loop().call_soon(self._begin)
        if self._room:
            self._room -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _begin(self) -> None:
        """A turn of the loop begins."""
        self._room = LINKS_PER_TURN
        while self._waiting and self._room:
            place = self._waiting.popleft()
            if not place.done():  # its link has closed meanwhile
                place.set_result(None)
                self._room -= 1
        if self._room < LINKS_PER_TURN:
            asyncio.get_running_loop().call_soon(self._begin)
