"""Drives a pass against the world: venue calls go to the gateway, changes to the journal, the rest to the clock.

This is the whole bridge between the pure core and everything real. A simulator has its own.
"""

import threading
import time
from typing import TypeVar

import structlog

from blitz.clock import Clock, VenueTime
from blitz.core.calls import (
    AmendOrder,
    Call,
    CancelOrder,
    ClockRead,
    Done,
    NotSaved,
    PrepareAccount,
    ReadClock,
    ReplaceOrder,
    Reply,
    Save,
    SendOrder,
    Step,
)
from blitz.errors import BlitzError, DatabaseProblem
from blitz.exchange.gateway import ExchangeGateway
from blitz.storage.journal import BotJournal

T = TypeVar("T")

log = structlog.get_logger(__name__)


WRITES = (SendOrder, AmendOrder, ReplaceOrder, CancelOrder, PrepareAccount)


class PassAbandoned(BlitzError):
    """The server is going down: the pass ends before its next write, as it might by a kill."""


class Driver:
    """Carries out the calls of one bot. Used by that bot's thread only.

    Once `leaving` is set nothing is sent, amended or cancelled any more (S11): the answer to a call may have come late.
    """

    def __init__(
        self, gateway: ExchangeGateway, journal: BotJournal, clock: Clock, leaving: threading.Event | None = None
    ) -> None:
        self._leaving = leaving or threading.Event()
        self._gateway = gateway
        self._journal = journal
        self._clock = clock
        self.waiting_since: float | None = None
        """Monotonic seconds since which one call has not been answered; None between calls. Any thread may read it."""

    def run(self, step: Step[T], *, woken: bool = False, bare: bool = False) -> T:
        """Drive `step` to its end and answer what it returns. Raises `PassAbandoned`.

        `woken`: something has happened, so that its reads go before those of bots whose timer is over. `bare`: a
        position may be open that is not protected, so that they go before anybody's entry as well.
        """
        self._gateway.woken, self._gateway.bare = woken, bare
        reply: Reply | None = None
        while True:
            try:
                call = next(step) if reply is None else step.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            self.waiting_since = time.monotonic()
            try:
                reply = self._carry_out(call)
            finally:
                self.waiting_since = None

    def hurry(self) -> None:
        """A fill was told: what waits in line for something else than an exit is given up. Any thread may call it."""
        self._gateway.hurry()

    @property
    def in_line(self) -> bool:
        """The call that is not answered yet waits for its turn in the rate budget. Any thread may ask."""
        return self._gateway.in_line

    def _carry_out(self, call: Call) -> Reply:
        if isinstance(call, WRITES) and self._leaving.is_set():
            raise PassAbandoned
        match call:
            case ReadClock():
                if call.ask_in_doubt:
                    self._gateway.ask_time_in_doubt()
                doubt = self._clock.doubt() if isinstance(self._clock, VenueTime) else ""
                return ClockRead(now_ms=self._clock.now_ms(), doubt=doubt)
            case Save():
                return self._save(call)
            case _:
                return self._gateway.execute(call)

    def _save(self, call: Save) -> Reply:
        try:
            self._journal.save(call.changes, durable=call.durable)
        except DatabaseProblem as problem:
            log.error("The journal could not be written.", problem=str(problem))
            return NotSaved(reason=str(problem))
        return Done()
