"""What a pass may ask of the world, and what the world may answer.

A pass is a generator: it yields a `Call`, the driver carries it out (a thread for real, a simulator in its own world)
and sends the `Reply` back in. There are three kinds of answer to anything asked of a venue: the thing itself, a
definite `Rejected`, and `Unknown`. Unknown is never read as no, zero or flat (S9), and the types keep it so.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import DesiredOrder, Fill, OpenOrder, OrderRecord, VenuePosition
from blitz.core.records import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClock:
    """What time is it? Asked once per pass, and once more right before each intent."""

    ask_in_doubt: bool = False
    """Where the time is in doubt, ask the venue first: a pass begins, and would hold entries back for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOpenOrders:
    """Every order that rests on this market, ours or not, read to its last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosition:
    """The position on our side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFills:
    """Every fill on this market and side since `since_ms`, oldest first, read to its last page."""

    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrder:
    """What became of one order, alive or not. Asks by order id, or by client id when that is empty."""

    order_id: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrice:
    """The last traded price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInstrument:
    """The market's rules, read from the venue at most `max_age_ms` ago."""

    max_age_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccount:
    """How the account is set up, as far as the position does not show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareAccount:
    """Set margin mode and leverage for this market; "already so" counts as done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """Send a new order. The driver drops it unsent (`NotSent`) when the clock is past `expires_ms`."""

    order: DesiredOrder
    client_id: str
    """Not sent along with a stop where `VenueTraits.stops_carry_ids` is false."""
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder:
    """Change a resting order to these values; None leaves a value alone. Safe to repeat."""

    order_id: str
    quantity: Decimal | None
    price: Decimal | None
    trigger: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder:
    """Take back a resting order of ours and send another one in its place, in one request.

    Only where `VenueTraits.amends_price` is false. If the first cannot be taken back, the second is not sent. Answered
    by `Accepted` (the old order is gone, the new one rests under this id), `Rejected` (nothing was done; with
    `Refusal.GONE` the old order had ended already), `Pulled`, `Unknown` or `NotSent`.
    """

    order_id: str
    """Of the order that goes."""
    order: DesiredOrder
    """The one that comes, with the quantity it is still to trade."""
    client_id: str
    """The new order's; empty where its type carries none."""
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Take back one order of ours, by its venue order id."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Write these changes in one transaction; `durable` means that they survive a power cut once answered."""

    changes: Sequence[Change]
    durable: bool = False


Call = (
    ReadClock
    | ReadOpenOrders
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
    | Save
)


class Refusal(StrEnum):
    """What a definite refusal means for the bot. The adapter decides by the venue's code, never by exception class."""

    TAKEN = "taken"
    """The client order id was used before."""
    GONE = "gone"
    """The order does not exist or can no longer be changed."""
    NO_POSITION = "no_position"
    """A reduce-only order found nothing, or not enough, to reduce."""
    MARGIN = "margin"
    """Not enough margin."""
    UNCHANGED = "unchanged"
    """Already as asked."""
    CLOCK = "clock"
    """The request's time was outside the venue's window."""
    KEY = "key"
    """The key is wrong, expired, or may not do this."""
    LIMIT = "limit"
    """Too many requests; nothing was done."""
    FILTER = "filter"
    """Price, quantity or notional break a rule of the market, or too many orders rest."""
    TRIGGER_PASSED = "trigger_passed"
    """A stop's trigger lies on the wrong side of the price: the market is already beyond it."""
    CLOSED_MARKET = "closed_market"
    """The market or the venue does not trade now."""
    ACCOUNT = "account"
    """The account stands in the way: its mode, its other orders or its other position."""
    OTHER = "other"
    """Refused for a reason this project does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The venue said no, or the market's rules did before anything was sent; either way that is certain."""

    refusal: Refusal
    code: str
    message: str
    """The venue's words, free of secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """Half of a `ReplaceOrder` was done: the old order is taken back, the new one was refused. Nothing rests (A17)."""

    refusal: Refusal
    """Why the new order was refused."""
    code: str
    message: str
    """The venue's words, free of secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No trustworthy answer: it may or may not have happened."""

    reason: str
    wait_ms: int = 0
    """Asking again sooner is certainly pointless: the exchange listens to nobody here until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request never left this machine, and that is certain."""

    reason: str
    in_line: bool = False
    """Others went first and nothing else stands in the way: its turn would have come later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRead:
    """The venue's time."""

    now_ms: int
    """Milliseconds since the epoch."""
    doubt: str = ""
    """Why it is not known well enough to open anything, in a sentence; empty when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrdersRead:
    """All of them: a page that could not be read makes the whole answer `Unknown`."""

    orders: tuple[OpenOrder, ...]
    left_ms: int | None = None
    """When the request left after its turn had come, by the venue's clock; None: when it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRead:
    """The position; a quantity of zero here really means flat."""

    position: VenuePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsRead:
    """Fills, oldest first, each exec id once."""

    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRead:
    """The order's record; None says that the venue answered and knows no such order."""

    record: OrderRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRead:
    """Last traded price in quote currency."""

    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentRead:
    """The market's rules. A market that the venue does not list any more comes with `trading` false."""

    instrument: Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """The account's margin mode; None when it is one that this project has no word for."""

    margin_mode: MarginMode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A write was carried out: account prepared, order amended or cancelled, changes saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue took the new order and gave it this id."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSaved:
    """The journal could not write; nothing of the transaction is stored."""

    reason: str


Reply = (
    ClockRead
    | OpenOrdersRead
    | PositionRead
    | FillsRead
    | OrderRead
    | PriceRead
    | InstrumentRead
    | AccountRead
    | Done
    | Accepted
    | NotSaved
    | Rejected
    | Pulled
    | Unknown
    | NotSent
)

T = TypeVar("T")
Step = Generator[Call, Reply, T]
"""A piece of a pass that ends with a T."""

Expected = TypeVar("Expected")


def ask(call: Call, expected: type[Expected]) -> Step[Expected | Rejected | Unknown]:
    """Yield a call to the venue and narrow its answer to the three kinds."""
    reply = yield call
    if isinstance(reply, (expected, Rejected, Unknown)):
        return reply
    raise AssertionError(f"{type(call).__name__} was answered with {reply!r}")


def read_clock() -> Step[int]:
    """Yield for the time, in milliseconds."""
    reply = yield ReadClock()
    assert isinstance(reply, ClockRead), f"ReadClock was answered with {reply!r}"
    return reply.now_ms


def save(*changes: Change, durable: bool = False) -> Step[bool]:
    """Yield changes to the journal; False when they could not be written."""
    if not changes:
        return True
    reply = yield Save(changes=changes, durable=durable)
    assert isinstance(reply, Done | NotSaved), f"Save was answered with {reply!r}"
    return isinstance(reply, Done)
