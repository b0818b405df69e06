"""Market tables, public reads and clients: loaded once, shared by all, and honest when the exchange is silent."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from blitz.clock import ManualClock, SystemClock
from blitz.core.calls import PositionRead, ReadPosition
from blitz.core.ladder_settings import ExchangeName
from blitz.errors import GatewayProblem
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.markets import REFRESH_MS, MarketTables
from blitz.exchange.profiles import PROFILES
from blitz.exchange.venue_clock import VenueClock
from tests.bots.both import BOTH
from tests.exchange.world import CREDENTIALS, SECRET, SYMBOL, market, send, settings_of, venue_at


@pytest.mark.parametrize(
    ("exchange", "name", "notional_min", "taker_rate"),
    [("bybit", "BTCUSDT", Decimal(5), Decimal("0.00055")), ("bingx", "BTC-USDT", Decimal(2), Decimal("0.0005"))],
    indirect=["exchange"],
)
def test_the_rules_of_a_market_are_exact(world, name, notional_min, taker_rate):
    rules = world.exchanges.instrument(world.venue, SYMBOL)
    assert (rules.tick, rules.step, rules.quantity_min) == (Decimal("0.1"), Decimal("0.001"), Decimal("0.001"))
    assert (rules.notional_min, rules.leverage_max) == (notional_min, Decimal(100))
    assert (rules.taker_rate, rules.maker_rate) == (taker_rate, Decimal("0.0002"))
    assert (rules.symbol, rules.venue_symbol, rules.trading) == (SYMBOL, name, True)


@BOTH
def test_a_symbol_without_its_settle_coin_is_the_same_market(world):
    assert world.exchanges.instrument(world.venue, "BTC/USDT") == world.exchanges.instrument(world.venue, SYMBOL)


@BOTH
def test_an_unknown_market_is_named(world):
    with pytest.raises(GatewayProblem, match="NOPE/USDT is not a USDT perpetual"):
        world.exchanges.instrument(world.venue, "NOPE/USDT")


@BOTH
def test_every_listed_market_is_a_usdt_perpetual(world):
    symbols = world.exchanges.symbols(world.venue)
    assert len(symbols) >= 10
    assert all(symbol.endswith("/USDT:USDT") for symbol in symbols)


@BOTH
def test_however_many_ask_the_table_is_loaded_once(world, liar):
    with_counts = venue_at(liar.url, world.exchange)
    liar.behind, liar.edit = world.url, lambda path, body: body
    exchanges = Exchanges(SystemClock())
    with ThreadPoolExecutor(16) as pool:
        rules = list(pool.map(lambda _: exchanges.instrument(with_counts, SYMBOL), range(32)))
    assert len({rule.tick for rule in rules}) == 1
    pages = [path for path in liar.asked if "instruments-info" in path or "quote/contracts" in path]
    assert len(pages) == {"bybit": 2, "bingx": 1}[world.exchange]  # at Bybit also those before their launch
    assert len(liar.asked) == len(pages)


@BOTH
def test_all_clients_of_a_venue_share_one_table_and_one_session(world):
    first, second = world.gateway()._client, world.gateway()._client
    assert first.markets is second.markets
    assert first.session is second.session


@BOTH
def test_a_refresh_that_fails_keeps_the_old_table(world, liar):
    clock = ManualClock(SystemClock().now_ms())
    tables = MarketTables(clock, Clients())
    liar.behind, liar.edit = world.url, lambda path, body: body
    old = tables.master(venue_at(liar.url, world.exchange))
    liar.edit, liar.status, liar.body = None, 503, b""
    clock.advance(REFRESH_MS + 1)
    assert tables.master(venue_at(liar.url, world.exchange)) is old


@BOTH
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'{"code":0,"data":[]}', b'{"retCode":0,"result":{"list":[]}}', b"7"]
)
def test_a_market_list_that_cannot_be_read_is_said_in_a_sentence(liar, body, exchange):
    liar.body = body
    with pytest.raises(GatewayProblem, match="market list"):
        Exchanges(SystemClock()).instrument(venue_at(liar.url, exchange), SYMBOL)


@BOTH
def test_an_exchange_that_is_not_there_is_said_in_a_sentence(exchange):
    with pytest.raises(GatewayProblem, match="could not be read"):
        Exchanges(SystemClock()).symbols(venue_at("http://127.0.0.1:9", exchange))


@BOTH
def test_prices_and_candles_are_texts_oldest_first(world):
    world.price("60010")
    assert world.exchanges.last_price(world.venue, SYMBOL) == Decimal(60010)
    candles = world.exchanges.candles(world.venue, SYMBOL, "1m", 5)
    assert candles
    assert [row["time"] for row in candles] == sorted(row["time"] for row in candles)
    assert candles[-1]["close"] == "60010"
    assert all(isinstance(candles[-1][name], str) for name in ("open", "high", "low", "close", "volume"))


@BOTH
def test_a_timeframe_nobody_offers_is_refused(world):
    with pytest.raises(GatewayProblem, match="not a timeframe"):
        world.exchanges.candles(world.venue, SYMBOL, "7s", 5)


@BOTH
def test_a_public_read_that_fails_is_said_in_a_sentence(world):
    world.exchanges.instrument(world.venue, SYMBOL)
    ticker, klines = {
        "bybit": ("market/tickers", "market/kline"),
        "bingx": ("swap/v2/quote/ticker", "swap/v3/quote/klines"),
    }[world.exchange]
    world.fault("garbage_body", endpoint=ticker)
    world.fault("http_status", endpoint=klines, status="503")
    with pytest.raises(GatewayProblem, match="does not answer"):
        world.exchanges.last_price(world.venue, SYMBOL)
    with pytest.raises(GatewayProblem, match="does not answer"):
        world.exchanges.candles(world.venue, SYMBOL, "1m", 5)


def test_secrets_do_not_show_in_what_is_printed():
    assert SECRET not in repr(CREDENTIALS)


def test_a_client_asks_no_account_questions_before_its_first_order(world, liar):
    liar.behind, liar.edit = world.url, lambda path, body: body
    gateway = world.gateway_at(liar.url)
    gateway.execute(ReadPosition())
    gateway.execute(send(market()))
    assert [path.partition("?")[0] for path in liar.asked] == ["/v5/position/list", "/v5/order/create"]


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"\xff\xfe", b'{"retCode":0,"result":{},"time":null}', b'{"retCode":0,"result":{}}', b'{"code":0}',
        b'{"code":0,"data":{}}', b'{"code":0,"data":{"serverTime":"noon"}}', b'{"code":1,"data":{"serverTime":1}}',
    ],
)  # fmt: skip
def test_a_clock_that_gets_no_time_keeps_its_offset(liar, body, exchange):
    liar.body = body
    here = ManualClock(SystemClock().now_ms())
    profile = PROFILES[ExchangeName(exchange)]
    clock = VenueClock(here, profile.server_time_ms)
    clock.measure(profile.client(venue_at(liar.url, exchange), here))
    assert clock.offset_ms == 0


@BOTH
def test_a_clock_takes_the_middle_of_the_round_trip(world):
    world.post("clock", advance_ms="5000")
    profile = PROFILES[world.venue.exchange]
    clock = VenueClock(SystemClock(), profile.server_time_ms)
    clock.measure(profile.client(world.venue, SystemClock()))
    assert 4_900 < clock.offset_ms < 5_100


@BOTH
@pytest.mark.parametrize("answer", [b"", b'{"retCode":0,"result":{}}', b'{"code":0,"data":{}}'])
def test_no_account_is_opened_before_the_exchange_has_told_its_time(world, liar, answer):
    # Fences count on it: by our own wall clock alone, a jump of that would cut them short.
    liar.behind = world.url
    liar.edit = lambda path, body: answer if path.endswith("/time") else body
    exchanges, venue = Exchanges(SystemClock()), venue_at(liar.url, world.exchange)
    with pytest.raises(GatewayProblem, match="does not tell its time"):
        exchanges.gateway(venue, CREDENTIALS, settings_of(exchange=world.exchange))
    liar.edit = lambda path, body: body
    gateway = exchanges.gateway(venue, CREDENTIALS, settings_of(exchange=world.exchange))
    assert isinstance(gateway.execute(ReadPosition()), PositionRead)
