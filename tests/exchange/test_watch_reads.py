"""Reads that watch over account and market: margin mode, and rules that are read anew and count at once (C6, C7)."""

import json
from decimal import Decimal

import pytest

from blitz.core.calls import (
    Accepted,
    AccountRead,
    InstrumentRead,
    ReadAccount,
    ReadInstrument,
    ReadPosition,
    Refusal,
    Rejected,
    Unknown,
)
from blitz.core.ladder_settings import MarginMode
from blitz.exchange.exchanges import Exchanges
from tests.bots.both import BOTH
from tests.exchange.world import CREDENTIALS, limit, send, settings_of, venue_at

FRESH = ReadInstrument(max_age_ms=0)


RULES = {
    "bybit": ("/v5/market/instruments-info", "BTCUSDT"),
    "bingx": ("/openApi/swap/v2/quote/contracts", "BTC-USDT"),
}
COARSE: dict[str, dict[str, object]] = {
    "bybit": {"tickSize": "10", "qtyStep": "0.01", "minOrderQty": "0.01"},
    "bingx": {"tickSize": 10, "quantityPrecision": 2, "tradeMinQuantity": 0.01},
}
"""A tick of 10 and a step of 0.01, as each exchange writes it."""


def with_rules(exchange, **changes):
    """An edit that changes BTC's row; `status=None` takes the row out."""
    where, market = RULES[exchange]

    def edit(path, body):
        if path != where:
            return body
        answer = json.loads(body)
        rows = answer["data"] if exchange == "bingx" else answer["result"]["list"]
        for row in rows:
            if row["symbol"] == market:
                for name, value in changes.items():
                    place = next((part for part in row.values() if isinstance(part, dict) and name in part), row)
                    place[name] = value
        rows[:] = [row for row in rows if row["status"] is not None]
        return json.dumps(answer).encode()

    return edit


@pytest.fixture
def gateway(world, liar):
    """A gateway that reaches the paper exchange through somebody who may change what it says."""
    liar.behind, liar.edit = world.url, lambda path, body: body
    venue, settings = venue_at(liar.url, world.exchange), settings_of(exchange=world.exchange)
    opened = Exchanges(world.clock).gateway(venue, CREDENTIALS, settings)
    opened.execute(ReadPosition())
    return opened


MARGIN = [
    ("bybit", "/v5/account/info", "REGULAR_MARGIN", MarginMode.CROSS),
    ("bybit", "/v5/account/info", "ISOLATED_MARGIN", MarginMode.ISOLATED),
    ("bybit", "/v5/account/info", "PORTFOLIO_MARGIN", None),
    ("bingx", "/openApi/swap/v2/trade/marginType", "CROSSED", MarginMode.CROSS),
    ("bingx", "/openApi/swap/v2/trade/marginType", "ISOLATED", MarginMode.ISOLATED),
    ("bingx", "/openApi/swap/v2/trade/marginType", "SEPARATE_ISOLATED", None),
]


@pytest.mark.parametrize(("exchange", "where", "said", "read"), MARGIN, indirect=["exchange"])
def test_the_margin_mode_is_read_and_one_without_a_word_is_neither(gateway, liar, where, said, read):
    def edit(path, body):
        answer = json.loads(body)
        if path == where:
            answer.get("result", answer.get("data")).update({"marginMode": said, "marginType": said})
        return json.dumps(answer).encode()

    liar.edit = edit
    assert gateway.execute(ReadAccount()) == AccountRead(margin_mode=read)


@BOTH
def test_new_rules_are_read_and_what_is_sent_is_built_by_them(gateway, liar, exchange):
    liar.edit = with_rules(exchange, **COARSE[exchange])
    old = gateway.execute(send(limit("0.02", "59410")))
    assert isinstance(old, Accepted)
    answer = gateway.execute(FRESH)
    assert isinstance(answer, InstrumentRead)
    assert (answer.instrument.tick, answer.instrument.step) == (Decimal(10), Decimal("0.01"))
    refused = gateway.execute(send(limit("0.016", "59405"), "sm_leg_2_7_BTCUSDTUSDT"))
    assert isinstance(refused, Rejected)
    assert (refused.refusal, refused.code) == (Refusal.FILTER, "not sent")
    assert isinstance(gateway.execute(send(limit("0.02", "59400"), "sm_leg_2_7_BTCUSDTUSDT")), Accepted)


@BOTH
def test_rules_that_are_young_enough_cost_no_request(gateway, liar):
    before = len(liar.asked)
    assert isinstance(gateway.execute(ReadInstrument(max_age_ms=60_000)), InstrumentRead)
    assert len(liar.asked) == before


@BOTH
@pytest.mark.parametrize("status", ["25", None])
def test_a_market_that_is_closed_or_not_listed_does_not_trade(gateway, liar, status, exchange):
    liar.edit = with_rules(exchange, status=status)
    answer = gateway.execute(FRESH)
    assert isinstance(answer, InstrumentRead)
    assert not answer.instrument.trading
    assert answer.instrument.tick == Decimal("0.1")
    liar.edit = with_rules(exchange)
    again = gateway.execute(FRESH)
    assert isinstance(again, InstrumentRead)
    assert again.instrument.trading


@BOTH
def test_rules_that_cannot_be_read_are_unknown_and_the_old_ones_stay(gateway, liar):
    liar.edit, liar.status, liar.body = None, 503, b""
    assert isinstance(gateway.execute(FRESH), Unknown)
    liar.edit = lambda path, body: body
    assert isinstance(gateway.execute(send(limit())), Accepted)
