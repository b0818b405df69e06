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
from blitz.core.ladder_settings import DEFAULT_SETTINGS, MarginMode
from blitz.exchange.exchanges import Exchanges
from tests.exchange.world import CREDENTIALS, limit, send, venue_at

FRESH = ReadInstrument(max_age_ms=0)


def with_rules(**changes):
    """An edit that changes BTC's row; `status=None` takes the row out."""

    def edit(path, body):
        if path != "/v5/market/instruments-info":
            return body
        answer = json.loads(body)
        rows = answer["result"]["list"]
        for row in rows:
            if row["symbol"] == "BTCUSDT":
                for name, value in changes.items():
                    place = next((part for part in row.values() if isinstance(part, dict) and name in part), row)
                    place[name] = value
        answer["result"]["list"] = [row for row in rows if row["status"] is not None]
        return json.dumps(answer).encode()

    return edit


@pytest.fixture
def gateway(world, liar):
    """A gateway that reaches the paper exchange through somebody who may change what it says."""
    liar.behind, liar.edit = world.url, lambda path, body: body
    opened = Exchanges(world.clock).gateway(venue_at(liar.url), CREDENTIALS, DEFAULT_SETTINGS)
    opened.execute(ReadPosition())
    return opened


@pytest.mark.parametrize(
    ("said", "read"),
    [("REGULAR_MARGIN", MarginMode.CROSS), ("ISOLATED_MARGIN", MarginMode.ISOLATED), ("PORTFOLIO_MARGIN", None)],
)
def test_the_margin_mode_is_read_and_one_without_a_word_is_neither(gateway, liar, said, read):
    def edit(path, body):
        answer = json.loads(body)
        if path == "/v5/account/info":
            answer["result"]["marginMode"] = said
        return json.dumps(answer).encode()

    liar.edit = edit
    assert gateway.execute(ReadAccount()) == AccountRead(margin_mode=read)


def test_new_rules_are_read_and_what_is_sent_is_built_by_them(gateway, liar):
    liar.edit = with_rules(tickSize="10", qtyStep="0.01", minOrderQty="0.01")
    old = gateway.execute(send(limit("0.02", "59410")))
    assert isinstance(old, Accepted)
    answer = gateway.execute(FRESH)
    assert isinstance(answer, InstrumentRead)
    assert (answer.instrument.tick, answer.instrument.step) == (Decimal(10), Decimal("0.01"))
    refused = gateway.execute(send(limit("0.016", "59405"), "sm_leg_2_7_BTCUSDTUSDT"))
    assert isinstance(refused, Rejected)
    assert (refused.refusal, refused.code) == (Refusal.FILTER, "not sent")
    assert isinstance(gateway.execute(send(limit("0.02", "59400"), "sm_leg_2_7_BTCUSDTUSDT")), Accepted)


def test_rules_that_are_young_enough_cost_no_request(gateway, liar):
    before = len(liar.asked)
    assert isinstance(gateway.execute(ReadInstrument(max_age_ms=60_000)), InstrumentRead)
    assert len(liar.asked) == before


@pytest.mark.parametrize("status", ["Closed", None])
def test_a_market_that_is_closed_or_not_listed_does_not_trade(gateway, liar, status):
    liar.edit = with_rules(status=status)
    answer = gateway.execute(FRESH)
    assert isinstance(answer, InstrumentRead)
    assert not answer.instrument.trading
    assert answer.instrument.tick == Decimal("0.1")
    liar.edit = with_rules()
    again = gateway.execute(FRESH)
    assert isinstance(again, InstrumentRead)
    assert again.instrument.trading


def test_rules_that_cannot_be_read_are_unknown_and_the_old_ones_stay(gateway, liar):
    liar.edit, liar.status, liar.body = None, 503, b""
    assert isinstance(gateway.execute(FRESH), Unknown)
    liar.edit = lambda path, body: body
    assert isinstance(gateway.execute(send(limit())), Accepted)
