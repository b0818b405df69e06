"""What a bot hears: its account's private stream, and the prices at which something of its must happen.

News are letters in the bot's mailbox. Most echo what the bot did itself or has read already: those wake its thread for
a moment and are laid aside, because a look costs three requests. While the stream is up the bot looks only when it
hears something new, when a price should have filled an order of its, and every quarter of an hour for good measure.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from blitz.bots.mailbox import Letter, Mailbox, Told, Wake
from blitz.core.credentials import Credentials
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import Direction, Fill, OpenOrder, OrderType, Side
from blitz.core.records import SlotState
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams.happenings import (
    AccountTouched,
    FillSeen,
    Heard,
    LinkDown,
    LinkUp,
    News,
    OrderSeen,
    PositionSeen,
    Unread,
)
from blitz.exchange.streams.hub import StreamHandle
from blitz.exchange.streams.prices import Levels

IDLE_LOOK_SECONDS = 900.0
"""How often a bot looks whose stream is up and to which nothing happens: three to six requests, under half of one per
minute."""
TROUBLED_LOOK_SECONDS = 60.0
"""How often while something needs the trader's attention: what he sets right, such as the margin mode, nobody tells."""
GOLDEN_RATIO = 0.6180339887
"""Its multiples, less the whole parts, lie as far from each other as can be."""
FOLLOWED_SECONDS = 1.0
"""The exits are where they belong, so the look can wait until everybody else's are: a thousand looks right behind a
thousand fills kept the last exits waiting for seconds."""
GIVES_WAY_SECONDS = 5.0
"""So long after it was due, such a look gives way to a crowd that is told of fills; then it comes all the same."""
JUST_TOLD_SECONDS = 1.0
"""So long after a fill was told, its bot may not have come to follow it yet."""
HELD_SECONDS = 0.1
"""So long, news of orders and positions are gathered before they are delivered: each delivery wakes a thread, and most
of what goes with a fill says nothing that the fill itself has not said. A bot that is about to look fetches them."""
REACHED_SECONDS = 0.5
"""So long after a price has reached an order of ours its fill must have been told of; otherwise the bot looks."""
LATE_SECONDS = 0.02
"""A streams' thread that comes later than this to what is due has frames to read."""
LATE_MAX = 6
"""So often in a row that is a reason to wait; a machine may be late for good."""
FRUITLESS_SECONDS = 5.0
"""A price may linger at a level without filling it: after a look that found nothing, the next one waits this long, and
twice as long each time up to the longest."""
FRUITLESS_MAX_SECONDS = 80.0


class Worth(IntEnum):
    """What a letter is worth to a bot."""

    ECHO = 0
    """It says what the bot has done itself or read already."""
    HINT = 1
    """It goes with a fill: nothing new to a bot whose exits have followed that fill and which is about to look."""
    NEWS = 2
    """The bot has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardPosition:
    """The position that the last look showed."""

    quantity: Decimal
    leverage: Decimal


class Listening:
    """One bot's ears. Made by its thread; `_hear` and `_reached` run on the streams' thread."""

    def __init__(self, exchanges: Exchanges, mailbox: Mailbox, on_fill: Callable[[], None]) -> None:
        """`on_fill` is called on the streams' thread when a fill is told; it must not wait."""
        self._on_fill = on_fill
        self._exchanges = exchanges
        self._mailbox = mailbox
        self._account: tuple[Venue, Credentials] | None = None
        self._market = ""
        self._stream: StreamHandle | None = None
        self._levels: Levels | None = None
        self._awaited: tuple[Decimal | None, Decimal | None] | None = None
        self._fruitless = 0
        self._position: HeardPosition | None = None
        self.look_is_due = False
        """The exits went with a fill just now, and the look for it is still to come. The bot's thread says so."""
        self._held: deque[News | Unread] = deque()
        """Gathered on the streams' thread; whichever thread comes first takes them."""
        self._delivery_is_due = False
        """Known to the streams' thread alone."""
        self._filled = 0.0
        """When the last fill was told, monotonic seconds."""

    # The bot's thread

    def listen_to(self, venue: Venue, credentials: Credentials, market: str) -> None:
        """Listen to this account from now on; one that is listened to already is left as it is."""
        self._market = market
        if self._account == (venue, credentials):
            return
        self.close()
        self._account = (venue, credentials)
        self._stream = self._exchanges.listen(venue, credentials, self._hear)

    def close(self) -> None:
        """Listen no more."""
        if self._stream is not None:
            self._stream.close()
        if self._levels is not None:
            self._levels.is_over = True
        self._stream = self._levels = self._account = None

    @property
    def is_up(self) -> bool:
        """Whether whatever happens is told of."""
        stream = self._stream
        return stream is not None and stream.is_up

    @property
    def trouble(self) -> str | None:
        """Why the stream is not up, as a sentence; None while it is, or where there are no streams."""
        stream = self._stream
        return None if stream is None or stream.is_up else stream.reason

    @property
    def last_price(self) -> Decimal | None:
        """The last price of the market as it is pushed; None while it is not. Safe in any thread."""
        account, market = self._account, self._market
        feed = self._exchanges.prices(account[0]) if account is not None and self.is_up else None
        return None if feed is None else feed.last_price(market)

    def looked(self, seen: Seen) -> None:
        """A look has shown this: wait for its levels from now on."""
        self._position = HeardPosition(quantity=seen.position.quantity, leverage=seen.position.leverage)
        self._wait_for_prices(nearest_levels(seen.own.values()))

    def fills_told(self, letters: Iterable[Letter]) -> list[Fill]:
        """The fills among these letters."""
        return [news.fill for news in news_in(letters) if isinstance(news, FillSeen)]

    def take_held(self) -> tuple[News, ...]:
        """What was gathered and not delivered yet. Safe in any thread."""
        taken: list[News] = []
        while self._held:
            with suppress(IndexError):  # the other thread was quicker
                taken += self._in_words(self._held.popleft())
        return tuple(taken)

    def gives_way(self, due: float) -> bool:
        """Whether a look behind a followed fill, which is `due` then, still waits for the exits of others."""
        return self._exchanges.is_crowded and time.monotonic() < due + GIVES_WAY_SECONDS

    def is_only_of_fills(self, letters: Sequence[Letter]) -> bool:
        """Whether these letters tell of fills and what goes with them, and of nothing else."""
        if not all(isinstance(letter, Told) for letter in letters):
            return False
        return all(isinstance(news, FillSeen | OrderSeen | PositionSeen) for news in news_in(letters))

    def worth(self, letters: Sequence[Letter], memory: BotMemory) -> "Worth":
        """What these letters are worth: the most that any of them is."""
        if not all(isinstance(letter, Told) for letter in letters):
            return Worth.NEWS
        return max((self._worth(news, memory) for news in news_in(letters)), default=Worth.ECHO)

    def _worth(self, news: News, memory: BotMemory) -> "Worth":
        match news:
            case FillSeen(fill=fill):
                is_known = fill.exec_id in memory.ledger.seen or fill.exec_id in memory.booked_before
                return Worth.ECHO if is_known else Worth.NEWS
            case OrderSeen(record=record):
                worth = order_worth(record.order, memory, terminal=record.terminal)
                return min(worth, Worth.HINT) if self.look_is_due and not is_cancelled(news) else worth
            case PositionSeen() as told:
                return Worth.HINT if self._position_is_new(told, memory.ledger.side) else Worth.ECHO
        return Worth.NEWS

    def _position_is_new(self, told: PositionSeen, side: Side) -> bool:
        if told.side is not None and told.side is not side:
            return False
        last = self._position
        same_leverage = last is not None and told.leverage in {None, last.leverage}
        return last is None or told.quantity != last.quantity or not same_leverage

    def _wait_for_prices(self, awaited: tuple[Decimal | None, Decimal | None]) -> None:
        feed = self._exchanges.prices(self._account[0]) if self._account else None
        if feed is None or self._stream is None:
            return
        waits_already = self._levels is not None and not self._levels.is_over
        if awaited == self._awaited and waits_already:
            return
        self._fruitless = self._fruitless + 1 if awaited == self._awaited else 0
        if self._levels is not None:
            self._levels.is_over = True
        self._awaited = awaited
        levels = Levels(low=awaited[0], high=awaited[1], on_reached=lambda: self._reached(levels))
        self._levels = levels
        feed.wait_for(self._market, levels)

    # The streams' thread

    def _hear(self, news: Heard) -> None:
        match news:
            case Unread():
                self._hold(news)
            case AccountTouched():
                self._mailbox.put(Wake())
            case FillSeen(fill=fill) if fill.symbol == self._market:
                self._filled = time.monotonic()
                self._mailbox.put(Told(news=(news,)))
                self._on_fill()
            case OrderSeen() | PositionSeen() if self._is_of_market(news):
                self._hold(news)
            case LinkUp() | LinkDown():
                self._mailbox.put(Told(news=(news,)))

    def _is_of_market(self, news: News) -> bool:
        match news:
            case OrderSeen(record=record):
                return record.order.symbol == self._market
            case PositionSeen(symbol=symbol):
                return symbol == self._market
        return True

    def _in_words(self, held: News | Unread) -> list[News]:
        """What it says of the market. Safe in any thread."""
        return [held] if not isinstance(held, Unread) else list(filter(self._is_of_market, held.happenings()))

    def _hold(self, news: News | Unread) -> None:
        if not self._delivery_is_due:
            self._delivery_is_due = True
            self._deliver_later(HELD_SECONDS)
        self._held.append(news)

    def _deliver_later(self, wait: float) -> None:
        due = time.monotonic() + wait
        self._exchanges.later(wait, lambda: self._deliver_held(due))

    def _deliver_held(self, due: float) -> None:
        now = time.monotonic()
        # Reading it takes time that others' fills need; it goes with one for which the bot looks anyway.
        if now - due > LATE_SECONDS and now - self._filled < JUST_TOLD_SECONDS:
            self._deliver_later(REACHED_SECONDS)
            return
        self._delivery_is_due = False
        gathered = [news for held in list(self._held) for news in self._in_words(held)]
        may_wait = self.look_is_due and not any(map(is_cancelled, gathered))
        if not may_wait and (held := self.take_held()):
            self._mailbox.put(Told(news=held))

    def _reached(self, levels: Levels) -> None:
        """The price is where something must happen: see to it that the bot looks unless it is told of it now."""
        wait = REACHED_SECONDS
        if self._fruitless:
            wait = min(FRUITLESS_MAX_SECONDS, FRUITLESS_SECONDS * 2 ** (self._fruitless - 1))
        self._look_later(wait, levels)

    def _look_later(self, wait: float, levels: Levels, times_late: int = 0) -> None:
        due = time.monotonic() + wait
        self._exchanges.later(wait, lambda: self._look_unless_done(levels, due, times_late))

    def _look_unless_done(self, levels: Levels, due: float, times_late: int) -> None:
        if self._levels is not levels:  # a look since has shown that what rested there is done
            return
        now = time.monotonic()
        looks_anyway = self.look_is_due or now - self._filled < JUST_TOLD_SECONDS
        # What tells of the fill may wait to be read, behind everybody else's.
        is_late = now - due > LATE_SECONDS and times_late < LATE_MAX
        if looks_anyway or is_late:
            self._look_later(REACHED_SECONDS, levels, times_late + is_late)
        else:
            self._mailbox.put(Wake())


def news_in(letters: Iterable[Letter]) -> Iterator[News]:
    """What streams told in these letters."""
    for letter in letters:
        if isinstance(letter, Told):
            yield from letter.news


def is_cancelled(news: News) -> bool:
    """Whether it tells of an order that ended without having filled: perhaps an exit that somebody took away."""
    return isinstance(news, OrderSeen) and news.record.terminal and news.record.order.remaining > 0


def order_worth(order: OpenOrder, memory: BotMemory, *, terminal: bool) -> Worth:
    """What an order event is worth: an order of ours as we left it says nothing, one that fills announces a fill."""
    slot = next((one for one in memory.slots.values() if order.order_id in {one.order_id, one.last_order_id}), None)
    booked = memory.ledger.order_filled.get(order.order_id)
    if slot is None:
        return Worth.NEWS if booked is None else Worth.ECHO
    if order.filled > (booked or Decimal(0)):
        return Worth.HINT
    if slot.order_id != order.order_id:  # what the slot's order came in the place of
        return Worth.ECHO if terminal else Worth.NEWS
    if slot.state is not SlotState.LIVE:
        return Worth.ECHO if terminal else Worth.NEWS
    as_left = (order.quantity, order.price, order.trigger) == (slot.quantity, slot.price, slot.trigger)
    return Worth.ECHO if as_left and not terminal else Worth.NEWS


def nearest_levels(orders: Iterable[OpenOrder]) -> tuple[Decimal | None, Decimal | None]:
    """The nearest price below and the nearest above at which one of these orders does something."""
    lows: list[Decimal] = []
    highs: list[Decimal] = []
    for order in orders:
        level = order.trigger if order.type is OrderType.STOP_MARKET else order.price
        if level is None:
            continue
        # A resting limit waits on its own side of the price, a stop on the other.
        waits_below = (order.direction is Direction.BUY) == (order.type is OrderType.LIMIT)
        (lows if waits_below else highs).append(level)
    return max(lows, default=None), min(highs, default=None)


def looks_after(user_id: int) -> float:
    """Seconds from a fill that the exits have followed until this bot looks; not all bots at once."""
    return FOLLOWED_SECONDS * (1 + user_id * GOLDEN_RATIO % 1)


def idle_wait(user_id: int, now: float, *, in_trouble: bool = False) -> float:
    """Seconds until this bot looks although nothing happened.

    Every bot has its own place in the period, so that they never look together, whenever they were started.
    """
    place, period = user_id * GOLDEN_RATIO % 1, TROUBLED_LOOK_SECONDS if in_trouble else IDLE_LOOK_SECONDS
    return period - (now + place * period) % period
