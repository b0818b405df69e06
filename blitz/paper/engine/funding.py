"""Funding: when it is due, at which rate, and who is charged.

Rate per eight hours: premium + clamp(0.01 % − premium, ±0.05 %), where the premium is the mark price's distance from
the index price. It is zero while the mark follows last, so the rate is then 0.01 %. Longs pay a positive rate.
"""

from decimal import Decimal

from blitz.paper.engine.floor import Floor
from blitz.paper.engine.klines import MINUTE_MS
from blitz.paper.engine.market import Market
from blitz.paper.engine.settlement import Settlement
from blitz.paper.engine.tickers import FundingRate

INTEREST_RATE = Decimal("0.0001")
CLAMP = Decimal("0.0005")
RATE_LIMIT = Decimal("0.0075")
RATE_QUANTUM = Decimal("0.00000001")
EIGHT_HOURS_MINUTES = 480
INTERVALS_AT_ONCE_MAX = 90
"""Intervals charged when much time passed at once (a month of eight hours); older ones are let go."""


def funding_rate(market: Market) -> Decimal:
    """The rate the next settlement of a market would use now."""
    if market.funding_rate_fixed is not None:
        return market.funding_rate_fixed
    premium = (market.mark - market.last) / market.last
    rate = premium + min(max(INTEREST_RATE - premium, -CLAMP), CLAMP)
    scaled = rate * market.instrument.funding_interval_minutes / EIGHT_HOURS_MINUTES
    return min(max(scaled, -RATE_LIMIT), RATE_LIMIT).quantize(RATE_QUANTUM)


def next_funding_ms(market: Market, now_ms: int) -> int:
    """When the market's next funding is due; intervals count from midnight UTC."""
    if market.next_funding_ms:
        return market.next_funding_ms
    interval_ms = market.instrument.funding_interval_minutes * MINUTE_MS
    return (now_ms // interval_ms + 1) * interval_ms


class Funding:
    """Charges positions when their market's funding time has passed."""

    def __init__(self, floor: Floor, settlement: Settlement) -> None:
        self._floor = floor
        self._settlement = settlement
        self._due_ms = 0
        """Nothing is due before; 0 when not known."""

    def settle(self, now_ms: int) -> bool:
        """Charge every funding time that has passed since the last call, each at the current mark price.

        The first call only notes the time: a venue that has just opened owes nothing for before. Returns whether
        a funding time had passed.
        """
        if now_ms < self._due_ms:
            return False
        passed = False
        for market in self._floor.markets.values():
            if not market.next_funding_ms:
                market.next_funding_ms = next_funding_ms(market, now_ms)
            if now_ms >= market.next_funding_ms:
                self._settle_market(market, now_ms)
                passed = True
        self._due_ms = min((market.next_funding_ms for market in self._floor.markets.values()), default=0)
        return passed

    def _settle_market(self, market: Market, now_ms: int) -> None:
        interval_ms = market.instrument.funding_interval_minutes * MINUTE_MS
        due = (now_ms - market.next_funding_ms) // interval_ms + 1
        for _ in range(min(due, INTERVALS_AT_ONCE_MAX)):
            self._charge(market, now_ms)
        market.next_funding_ms += due * interval_ms

    def _charge(self, market: Market, now_ms: int) -> None:
        symbol = market.instrument.symbol
        rate = funding_rate(market)
        market.funding_rates.append(FundingRate(symbol=symbol, rate=rate, mark_price=market.mark, at_ms=now_ms))
        for key in tuple(market.holders):
            account = self._floor.accounts[key]
            for position_idx in (0, 1, 2):
                if account.holding(symbol, position_idx).size:
                    self._settlement.fund(account, market, position_idx, rate, now_ms)
