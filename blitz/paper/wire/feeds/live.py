"""Prices from a real exchange's public market data, through ccxt. Needs the network; trades nothing.

ccxt is imported only here and only when such a feed was chosen. A source that fails is asked again later; meanwhile the
last prices stand.
"""

import asyncio
import logging
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from blitz.paper.config import PaperStartError
from blitz.paper.engine import Instrument
from blitz.paper.wire.host import VenueHost

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
FAILURE_SECONDS_MAX = 60.0


class LiveSource:
    """A public price source. Blocking: call it from a worker thread."""

    def __init__(self, name: str, url: str = "") -> None:
        """`name` is ccxt's id of the exchange; `url` points it at another server. Raises `PaperStartError`."""
        import ccxt

        if name not in ccxt.exchanges:
            raise PaperStartError(f"The live feed knows no exchange called {name!r}.")
        self.failures: tuple[type[Exception], ...] = (ccxt.BaseError,)
        settings: dict[str, Any] = {"enableRateLimit": True, "options": {"defaultType": "swap"}}
        if name == "bybit":
            settings["options"]["fetchMarkets"] = {"types": ["linear"]}
        if url:
            settings["urls"] = {"api": {"public": url, "private": url}}
        self._exchange = getattr(ccxt, name)(settings)
        self._exchange.number = str
        self._exchange.has["fetchCurrencies"] = False
        self._symbols: dict[str, str] = {}

    def prices(self, instruments: dict[str, Instrument]) -> dict[str, Decimal]:
        """Last prices by venue symbol, for those of our instruments that the source lists."""
        if not self._symbols:
            self._symbols = self._find(instruments)
        tickers = self._exchange.fetch_tickers(list(self._symbols))
        return {
            self._symbols[symbol]: Decimal(ticker["last"])
            for symbol, ticker in tickers.items()
            if symbol in self._symbols and ticker.get("last")
        }

    def _find(self, instruments: dict[str, Instrument]) -> dict[str, str]:
        markets = self._exchange.load_markets()
        named = {unified_symbol(instrument): symbol for symbol, instrument in instruments.items()}
        return {symbol: ours for symbol, ours in named.items() if symbol in markets}


def unified_symbol(instrument: Instrument) -> str:
    """What ccxt calls an instrument, for example `BTC/USDT:USDT`."""
    return f"{instrument.base_coin}/{instrument.quote_coin}:{instrument.settle_coin}"


async def run_live(host: VenueHost, source: LiveSource, poll_seconds: float = POLL_SECONDS) -> None:
    """Follow the source until cancelled. Each new price is a jump: what lay between two looks is not known."""
    failures = 0
    while True:
        try:
            prices = await asyncio.to_thread(source.prices, host.venue.instruments)
        except source.failures as problem:
            failures += 1
            log.warning("the live feed failed (%d in a row): %s", failures, type(problem).__name__)
            await asyncio.sleep(min(FAILURE_SECONDS_MAX, poll_seconds * 2**failures))
            continue
        failures = 0
        _follow(host, prices)
        await asyncio.sleep(poll_seconds)


def _follow(host: VenueHost, prices: dict[str, Decimal]) -> None:
    now_ms = host.clock.now_ms()
    for symbol, price in prices.items():
        tick = host.venue.instruments[symbol].tick_size
        rounded = max(tick, (price / tick).to_integral_value(rounding=ROUND_HALF_EVEN) * tick)
        if rounded != host.venue.ticker(symbol, now_ms).last_price:
            host.move_price(symbol, rounded, sweep=False)
    host.pass_time()
