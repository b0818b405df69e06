"""Engine values as BingX writes them: market rows. Pure."""

from decimal import Decimal

from blitz.paper.engine import Book, FundingRate, Instrument, Kline, PublicTrade, Side, Ticker
from blitz.paper.wire.bingx.rows import number
from blitz.paper.wire.bingx.symbols import on_the_wire
from blitz.paper.wire.text import JsonObject, average, plain

HUNDRED = Decimal(100)


def decimals(step: Decimal) -> int:
    """Digits after the point that a multiple of a step needs."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def contract_row(terms: Instrument, place: int) -> JsonObject:
    """A row of quote/contracts, from the market on BingX's terms."""
    return {
        "contractId": str(100 + place),
        "symbol": on_the_wire(terms.symbol),
        "size": "0",
        "quantityPrecision": decimals(terms.quantity_step),
        "pricePrecision": decimals(terms.tick_size),
        "feeRate": number(terms.taker_fee_rate),
        "makerFeeRate": number(terms.maker_fee_rate),
        "takerFeeRate": number(terms.taker_fee_rate),
        "tradeMinLimit": 0,
        "tradeMinQuantity": number(terms.min_quantity),
        "tradeMinUSDT": number(terms.min_notional),
        "maxLongLeverage": number(terms.max_leverage),
        "maxShortLeverage": number(terms.max_leverage),
        "currency": terms.quote_coin,
        "asset": terms.base_coin,
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        "ensureTrigger": True,
        "triggerFeeRate": "0.00050000",
        "brokerState": True,
        "launchTime": terms.launch_ms,
        "maintainTime": 0,
        "offTime": 0,
        "displayName": on_the_wire(terms.symbol),
    }


def ticker_row(ticker: Ticker, last_size: Decimal, now_ms: int) -> JsonObject:
    """A row of quote/ticker."""
    change = ticker.last_price - ticker.previous_price_24h
    return {
        "symbol": on_the_wire(ticker.symbol),
        "priceChange": plain(change),
        "priceChangePercent": average(ticker.change_24h * HUNDRED),
        "lastPrice": plain(ticker.last_price),
        "lastQty": plain(last_size),
        "highPrice": plain(ticker.high_24h),
        "lowPrice": plain(ticker.low_24h),
        "volume": plain(ticker.volume_24h),
        "quoteVolume": plain(ticker.turnover_24h),
        "openPrice": plain(ticker.previous_price_24h),
        "openTime": now_ms - 86_400_000,
        "closeTime": now_ms,
        "askPrice": plain(ticker.ask_price),
        "askQty": plain(ticker.ask_size),
        "bidPrice": plain(ticker.bid_price),
        "bidQty": plain(ticker.bid_size),
    }


def premium_row(ticker: Ticker, interval_minutes: int) -> JsonObject:
    """A row of quote/premiumIndex."""
    return {
        "symbol": on_the_wire(ticker.symbol),
        "markPrice": plain(ticker.mark_price),
        "indexPrice": plain(ticker.index_price),
        "lastFundingRate": plain(ticker.funding_rate),
        "nextFundingTime": ticker.next_funding_ms,
        "fundingIntervalHours": interval_minutes // 60,
    }


def level_rows(levels: tuple[tuple[Decimal, Decimal], ...]) -> list[list[str]]:
    """Price and size of each level."""
    return [[plain(price), plain(size)] for price, size in levels]


def depth_row(book: Book, depth: int, now_ms: int) -> JsonObject:
    """The data of quote/depth. Both sides fall, so the best ask comes last; sizes are in coins either way."""
    bids = level_rows(book.bids[:depth])
    asks = level_rows(book.asks[:depth])[::-1]
    return {"T": now_ms, "bids": bids, "asks": asks, "bidsCoin": bids, "asksCoin": asks}


def trade_row(trade: PublicTrade) -> JsonObject:
    """A row of quote/trades."""
    return {
        "time": trade.at_ms,
        "isBuyerMaker": trade.side is Side.SELL,
        "price": plain(trade.price),
        "qty": plain(trade.size),
        "quoteQty": plain(trade.price * trade.size),
    }


def kline_row(kline: Kline) -> JsonObject:
    """A row of quote/klines, version 3."""
    return {
        "open": plain(kline.open),
        "close": plain(kline.close),
        "high": plain(kline.high),
        "low": plain(kline.low),
        "volume": plain(kline.volume),
        "time": kline.start_ms,
    }


def funding_row(funding: FundingRate) -> JsonObject:
    """A row of quote/fundingRate."""
    return {
        "symbol": on_the_wire(funding.symbol),
        "fundingRate": plain(funding.rate),
        "fundingTime": funding.at_ms,
    }
