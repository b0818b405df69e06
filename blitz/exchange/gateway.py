"""The door to an exchange, as a bot sees it: calls go in, replies come out.

A gateway never raises because of the outside world and never decides what an answer means for the ladder. It is used by
one thread at a time.
"""

from typing import Protocol

from blitz.core.calls import (
    AmendOrder,
    CancelOrder,
    PrepareAccount,
    ReadAccount,
    ReadFills,
    ReadInstrument,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    ReplaceOrder,
    Reply,
    SendOrder,
)
from blitz.core.memory import VenueTraits

VenueCall = (
    ReadOpenOrders
    | ReadPosition
    | ReadFills
    | ReadOrder
    | ReadPrice
    | ReadInstrument
    | ReadAccount
    | PrepareAccount
    | SendOrder
    | AmendOrder
    | ReplaceOrder
    | CancelOrder
)


class ExchangeGateway(Protocol):
    """One user's account on one market."""

    traits: VenueTraits
    woken: bool
    """An event led to what is asked now, not the timer."""
    bare: bool
    """The bot that asks may hold a position that is not protected."""

    @property
    def in_line(self) -> bool:
        """A request waits for its turn in the rate budget. Any thread may ask."""

    def hurry(self) -> None:
        """An exit has to move: give up whatever waits in line for something else. Any thread may call it."""

    def ask_time_in_doubt(self) -> None:
        """Ask the venue for its time where that is in doubt; not again soon after it did not answer."""

    def execute(self, call: VenueCall) -> Reply:
        """Carry out one call and say what came of it: the thing itself, `Rejected`, `Pulled`, `Unknown`, `NotSent`."""
