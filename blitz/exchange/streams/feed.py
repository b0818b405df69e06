"""The prices of one venue: a public stream per hundred or so markets, shared by every bot.

Bots ask to be told when a market's last price reaches a level (`prices`). Who merely shows a price asks for the last
one. Everything but asking happens on the loop thread.
"""

from collections.abc import Callable
from decimal import Decimal

from blitz.exchange.streams.dialect import PublicDialect
from blitz.exchange.streams.happenings import Heard, LinkDown, PriceSeen
from blitz.exchange.streams.hub import StreamHandle, StreamHub
from blitz.exchange.streams.prices import Levels, PriceBoard

MARKETS_PER_STREAM = 100
"""BingX allows 200 topics per socket, Bybit 21,000 characters per request."""
ENTRIES_KEPT = 64
"""Below this many entries a board's heaps are not worth tidying."""


class PriceFeed:
    """The last prices of one venue."""

    def __init__(
        self, hub: StreamHub, venue: str, new_dialect: Callable[[], PublicDialect], *, counts: bool = True
    ) -> None:
        """`counts`: whether the venue counts connections."""
        self._counts = counts
        self._hub = hub
        self._venue = venue
        self._new_dialect = new_dialect
        self._boards: dict[str, PriceBoard] = {}
        self._newest: tuple[PublicDialect, StreamHandle] | None = None
        self._markets: set[str] = set()
        """Those that the newest stream tells of."""
        hub.every_tick(self._tidy)

    def last_price(self, symbol: str) -> Decimal | None:
        """The last price of a market that is watched; None while the stream is down. Safe in any thread."""
        board = self._boards.get(symbol)
        return board.price if board else None

    def wait_for(self, symbol: str, levels: Levels) -> None:
        """Tell `levels` when the price of the market reaches one of them. Safe in any thread."""
        self._hub.call(lambda: self._board(symbol).wait_for(levels))

    def _board(self, symbol: str) -> PriceBoard:
        board = self._boards.get(symbol)
        if board is None:
            board = self._boards[symbol] = PriceBoard()
            self._ask_for(symbol)
        return board

    def _ask_for(self, symbol: str) -> None:
        if self._newest is None or len(self._markets) >= MARKETS_PER_STREAM:
            dialect = self._new_dialect()
            markets: set[str] = set()
            handle = self._hub.open(
                self._venue, dialect, lambda news: self._hear(news, markets), counts=self._counts, for_prices=True
            )
            self._newest, self._markets = (dialect, handle), markets
        dialect, handle = self._newest
        self._markets.add(symbol)
        handle.say(dialect.add(symbol))

    def _hear(self, news: Heard, markets: set[str]) -> None:
        if isinstance(news, PriceSeen):
            board = self._boards.get(news.symbol)
            if board is not None:
                board.moved(news.price)
        elif isinstance(news, LinkDown):
            for symbol in markets:
                self._boards[symbol].price = None  # an old price would pass for the present one

    def _tidy(self) -> None:
        for board in self._boards.values():
            if board.size > ENTRIES_KEPT:
                board.forget_over()
