"""How urgent a request is, and how long it may wait for its turn: decided by the call that it is made for."""

from dataclasses import dataclass

from blitz.core.calls import (
    AmendOrder,
    CancelOrder,
    PrepareAccount,
    ReadAccount,
    ReadInstrument,
    ReadOpenOrders,
    ReplaceOrder,
    SendOrder,
)
from blitz.core.orders import OrderType, Role
from blitz.exchange.budget import Priority
from blitz.exchange.gateway import VenueCall

READ_WITHIN_MS = 30_000
"""A read may wait this long. Given up sooner it would only stand at the end of the line again."""
PROTECT_WITHIN_MS = 15_000
"""A cancel, or an exit that is moved: two windows of Bybit and a half, more than a thousand exits at once need."""
PREPARE_WITHIN_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a request is for."""

    priority: Priority = Priority.ROUTINE
    within_ms: int = READ_WITHIN_MS
    opens: bool = False
    """It opens a position."""


ROUTINE = Errand()


def errand_of(call: VenueCall, now_ms: int, *, woken: bool = False, bare: bool = False) -> Errand:
    """The errand of a call at `now_ms` of the venue's clock.

    `woken`: an event led to it, not the timer. `bare`: the bot may hold a position that is not protected.

    A look begins with the open orders. Once it has begun, the rest of it is not routine any more: three reads that lie
    far apart tell no story.
    """
    match call:
        case SendOrder() | ReplaceOrder():
            is_entry = call.order.key.role is Role.LEG
            # An intent has its own end; after it nobody may send.
            within_ms = min(max(0, call.expires_ms - now_ms), PROTECT_WITHIN_MS)
            return Errand(
                priority=Priority.ENTRY if is_entry else Priority.PROTECT,
                within_ms=within_ms,
                opens=is_entry and call.order.type is OrderType.MARKET,
            )
        case AmendOrder() | CancelOrder():
            return Errand(priority=Priority.PROTECT, within_ms=PROTECT_WITHIN_MS)
        case PrepareAccount():
            return Errand(priority=Priority.ENTRY, within_ms=PREPARE_WITHIN_MS)
        case _ if bare:
            return Errand(priority=Priority.COVER)
        case ReadOpenOrders() | ReadInstrument() | ReadAccount() if not woken:
            return ROUTINE
        case _:
            return Errand(priority=Priority.FOLLOW)
