"""The way of a client's requests through the turnstile: asks for turns, and hears what answers say of limits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from blitz.clock import Clock
from blitz.exchange.budget import Answer, Priority, Reader, Turn, Turnstile
from blitz.exchange.errands import ROUTINE, Errand

CODE = re.compile(r'"(?:retCode|code)"\s*:\s*"?(-?\d+)')
"""The venue's code; it stands at the beginning of every answer."""
HEAD_MAX = 300
"""So much of a body is looked at: lists are long, and the code comes before them."""


class Passage:
    """One client's way. Used by one thread at a time, like the client."""

    def __init__(self, turnstile: Turnstile, reader: Reader, user: str, clock: Clock) -> None:
        """`clock` is the venue's: answers name moments by it."""
        self.errand: Errand = ROUTINE
        self._turnstile = turnstile
        self._reader = reader
        self._user = user
        self._clock = clock
        self.in_line = False
        """A request waits for its turn. Any thread may read it."""
        self._turn: Turn | None = None
        self._asked: Turn | None = None
        self.left_ms: int | None = None
        """When the first request of this errand left, by the venue's clock; None until it has."""
        self.trip_ms: tuple[int, int] | None = None
        """When the last request left and when its answer came, by our monotonic clock."""
        self._sent_ms = 0

    def sent_on(self, errand: Errand) -> None:
        """What the next requests are for."""
        self.errand = errand
        self.left_ms = None

    @contextmanager
    def turn(self, path: str, api: Sequence[str], method: str) -> Iterator[None]:
        """Wait for a turn and hold it. The request is to be signed inside: a signature grows old. Raises `NoTurn`."""
        endpoint = f"{method} {'/'.join([*api[:-1], path])}"
        user = "" if api[-1] == "public" else self._user
        self.in_line = True
        try:
            errand = self.errand
            turn = self._turnstile.take(
                user, endpoint, errand.priority, errand.within_ms, self._ask, opens=errand.opens
            )
        finally:
            self.in_line, self._asked = False, None
        with self._turnstile.held(turn):
            self._turn, self.trip_ms = turn, None
            self._sent_ms = self._clock.monotonic_ms()
            if self.left_ms is None:
                self.left_ms = self._clock.now_ms()
            yield

    def _ask(self, turn: Turn) -> None:
        self._asked = turn

    def hurry(self) -> None:
        """Give up waiting, unless it is for an exit or a cancel. Any thread may call it."""
        asked = self._asked
        if asked is not None and asked.priority is not Priority.PROTECT:
            self._turnstile.give_up(asked)

    def heard(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Take in an answer as it came from the wire; the names of its headers are in lower case."""
        if self._turn is None:
            return
        self.trip_ms = self._sent_ms, self._clock.monotonic_ms()
        head = body[:HEAD_MAX]
        code = CODE.search(head)
        answer = Answer(
            status=status,
            headers=headers,
            code=int(code[1]) if code else None,
            words=head,
        )
        told = self._reader(answer, self._turnstile.limits, self._clock.now_ms())
        self._turnstile.heard(self._turn, told)
