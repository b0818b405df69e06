"""Engine values as the venue writes them: market rows. Pure; used by REST answers and public streams alike."""

from decimal import Decimal

from blitz.paper.engine import Book, FundingRate, Instrument, Kline, PublicTrade, Ticker
from blitz.paper.wire.text import JsonObject, average, plain


def instrument_row(instrument: Instrument) -> JsonObject:
    """A row of instruments-info."""
    return {
        "symbol": instrument.symbol,
        "contractType": "LinearPerpetual",
        "status": instrument.status,
        "baseCoin": instrument.base_coin,
        "quoteCoin": instrument.quote_coin,
        "settleCoin": instrument.settle_coin,
        "symbolType": "",
        "launchTime": str(instrument.launch_ms),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(instrument.price_decimals()),
        "unifiedMarginTrade": True,
        "fundingInterval": instrument.funding_interval_minutes,
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
        **_instrument_filters(instrument),
    }


def _instrument_filters(instrument: Instrument) -> JsonObject:
    return {
        "leverageFilter": {
            "minLeverage": plain(instrument.min_leverage),
            "maxLeverage": plain(instrument.max_leverage),
            "leverageStep": plain(instrument.leverage_step),
        },
        "priceFilter": {
            "minPrice": plain(instrument.min_price),
            "maxPrice": plain(instrument.max_price),
            "tickSize": plain(instrument.tick_size),
        },
        "lotSizeFilter": {
            "maxOrderQty": plain(instrument.max_quantity),
            "minOrderQty": plain(instrument.min_quantity),
            "qtyStep": plain(instrument.quantity_step),
            "postOnlyMaxOrderQty": plain(instrument.max_quantity),
            "maxMktOrderQty": plain(instrument.max_market_quantity),
            "minNotionalValue": plain(instrument.min_notional),
        },
    }


def risk_limit_rows(instrument: Instrument) -> list[JsonObject]:
    """The tiers of risk-limit, lowest first."""
    return [
        {
            "id": number,
            "symbol": instrument.symbol,
            "riskLimitValue": plain(tier.limit_value),
            "maintenanceMargin": plain(tier.maintenance_rate),
            "initialMargin": average(1 / tier.max_leverage),
            "isLowestRisk": 1 if number == 1 else 0,
            "maxLeverage": plain(tier.max_leverage),
            "mmDeduction": plain(tier.deduction),
        }
        for number, tier in enumerate(instrument.tiers, start=1)
    ]


def ticker_row(ticker: Ticker, funding_interval_minutes: int) -> JsonObject:
    """A row of market/tickers and of the `tickers` topic."""
    previous = plain(ticker.previous_price_24h)
    return {
        "symbol": ticker.symbol,
        "tickDirection": "PlusTick" if ticker.last_price >= ticker.previous_price_24h else "MinusTick",
        "lastPrice": plain(ticker.last_price),
        "markPrice": plain(ticker.mark_price),
        "indexPrice": plain(ticker.index_price),
        "bid1Price": plain(ticker.bid_price),
        "bid1Size": plain(ticker.bid_size),
        "ask1Price": plain(ticker.ask_price),
        "ask1Size": plain(ticker.ask_size),
        "prevPrice24h": previous,
        "prevPrice1h": previous,
        "price24hPcnt": average(ticker.change_24h),
        "highPrice24h": plain(ticker.high_24h),
        "lowPrice24h": plain(ticker.low_24h),
        "volume24h": plain(ticker.volume_24h),
        "turnover24h": plain(ticker.turnover_24h),
        "openInterest": plain(ticker.open_interest),
        "openInterestValue": plain(ticker.open_interest_value),
        "fundingRate": plain(ticker.funding_rate),
        "nextFundingTime": str(ticker.next_funding_ms),
        "fundingIntervalHour": str(funding_interval_minutes // 60),
    }


def book_row(book: Book, depth: int, now_ms: int) -> JsonObject:
    """The result of market/orderbook."""
    return {
        "s": book.symbol,
        "b": level_rows(book.bids[:depth]),
        "a": level_rows(book.asks[:depth]),
        "ts": now_ms,
        "u": book.update_id,
        "seq": book.update_id,
        "cts": book.at_ms,
    }


def level_rows(levels: tuple[tuple[Decimal, Decimal], ...]) -> list[tuple[str, str]]:
    """Price and size of each level, best first."""
    return [(plain(price), plain(size)) for price, size in levels]


def kline_row(kline: Kline) -> list[str]:
    """A row of market/kline: seven strings."""
    figures = (kline.open, kline.high, kline.low, kline.close, kline.volume, kline.turnover)
    return [str(kline.start_ms), *(plain(figure) for figure in figures)]


def kline_event_row(kline: Kline, now_ms: int) -> JsonObject:
    """A row of the `kline` topic. Its end is the last millisecond of the bar, as on the venue."""
    return {
        "start": kline.start_ms,
        "end": kline.end_ms - 1,
        "interval": kline.interval,
        "open": plain(kline.open),
        "high": plain(kline.high),
        "low": plain(kline.low),
        "close": plain(kline.close),
        "volume": plain(kline.volume),
        "turnover": plain(kline.turnover),
        "confirm": kline.confirmed,
        "timestamp": now_ms,
    }


def recent_trade_row(trade: PublicTrade) -> JsonObject:
    """A row of market/recent-trade."""
    return {
        "execId": trade.trade_id,
        "symbol": trade.symbol,
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": trade.side.value,
        "time": str(trade.at_ms),
        "isBlockTrade": False,
        "seq": str(trade.sequence),
    }


def trade_event_row(trade: PublicTrade) -> JsonObject:
    """A row of the `publicTrade` topic."""
    return {
        "T": trade.at_ms,
        "s": trade.symbol,
        "S": trade.side.value,
        "v": plain(trade.size),
        "p": plain(trade.price),
        "L": "ZeroPlusTick",
        "i": trade.trade_id,
        "BT": False,
        "seq": trade.sequence,
    }


def funding_row(funding: FundingRate) -> JsonObject:
    """A row of market/funding/history."""
    return {
        "symbol": funding.symbol,
        "fundingRate": plain(funding.rate),
        "fundingRateTimestamp": str(funding.at_ms),
    }
