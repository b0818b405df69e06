"""Codes are classified by number, as everywhere; and each of them is one that the venue has."""

import json

import ccxt
import pytest

from blitz.core.calls import Refusal
from blitz.exchange.experimental.binance import BINANCE
from blitz.exchange.experimental.bitget import BITGET
from blitz.exchange.experimental.gate import GATE
from blitz.exchange.experimental.okx import OKX
from tests.exchange.experimental.venues import ALL, KEYS

NAMES = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


def known_to_ccxt(profile):
    """Every code in ccxt's own table of this venue, for the kind of contract that we trade."""
    table = profile.client(KEYS).exceptions
    return set(table["exact"]) | set(table.get("linear", {}).get("exact", {}))


@NAMES
def test_every_code_is_one_that_the_venue_has(profile):
    known = known_to_ccxt(profile)

    assert set(profile.refusals) - known == profile.undocumented
    assert profile.unknown - known == set()


@NAMES
def test_no_code_both_refuses_and_leaves_it_open(profile):
    assert not set(profile.refusals) & profile.unknown


@NAMES
@pytest.mark.parametrize(
    "refusal", [Refusal.KEY, Refusal.CLOCK, Refusal.LIMIT, Refusal.MARGIN, Refusal.GONE, Refusal.FILTER,
                Refusal.NO_POSITION, Refusal.TRIGGER_PASSED, Refusal.CLOSED_MARKET, Refusal.ACCOUNT],
)  # fmt: skip
def test_every_venue_has_a_code_for_what_a_bot_must_tell_apart(profile, refusal):
    assert refusal in profile.refusals.values()


@NAMES
def test_an_id_that_is_taken_is_known_where_the_venue_refuses_it(profile):
    assert (Refusal.TAKEN in profile.refusals.values()) == profile.traits.ids_enforced


SAID = [
    (OKX, {"code": "0", "data": [{"ordId": "1", "sCode": "0"}], "msg": ""}, ""),
    (OKX, {"code": "1", "data": [{"sCode": "51016", "sMsg": "Client order ID already exists"}], "msg": ""}, "51016"),
    (OKX, {"code": "2", "data": [{"sCode": "0"}, {"sCode": "51008"}], "msg": ""}, "51008"),
    (OKX, {"code": "50011", "data": [], "msg": "Too Many Requests"}, "50011"),
    (BITGET, {"code": "00000", "msg": "success", "data": {"orderId": "1"}}, ""),
    (BITGET, {"code": "40786", "msg": "Duplicate clientOid", "data": None}, "40786"),
    (GATE, {"id": 95938572327, "status": "open"}, ""),
    (GATE, {"label": "INSUFFICIENT_AVAILABLE", "message": "insufficient"}, "INSUFFICIENT_AVAILABLE"),
    (BINANCE, {"orderId": 1, "status": "NEW"}, ""),
    (BINANCE, {"code": 200, "msg": "success"}, ""),
    (BINANCE, {"code": -4116, "msg": "ClientOrderId is duplicated."}, "-4116"),
]


@pytest.mark.parametrize(("profile", "answer", "code"), SAID)
def test_the_code_of_an_answer(profile, answer, code):
    assert profile.code_of(answer) == code


MEANT = [
    (OKX, "51016", Refusal.TAKEN),
    (OKX, "51008", Refusal.MARGIN),
    (OKX, "59000", Refusal.ACCOUNT),
    (OKX, "50004", None),
    (OKX, "99999", Refusal.OTHER),
    (BITGET, "40786", Refusal.TAKEN),
    (BITGET, "40774", Refusal.ACCOUNT),
    (BITGET, "40015", None),
    (GATE, "INCREASE_POSITION", Refusal.NO_POSITION),
    (GATE, "NO_CHANGE", Refusal.UNCHANGED),
    (GATE, "SERVER_ERROR", None),
    (BINANCE, "-4116", Refusal.TAKEN),
    (BINANCE, "-4059", Refusal.UNCHANGED),
    (BINANCE, "-4046", Refusal.UNCHANGED),
    (BINANCE, "-2022", Refusal.NO_POSITION),
    (BINANCE, "-2021", Refusal.TRIGGER_PASSED),
    (BINANCE, "-1007", None),
]


@pytest.mark.parametrize(("profile", "code", "meaning"), MEANT)
def test_what_a_code_means_for_a_bot(profile, code, meaning):
    assert profile.meaning(code) is meaning


def test_ccxts_classes_would_have_misled():
    """The reason why codes are read by number: a duplicate id and a wrong price are the same class there."""
    okx, binance = OKX.client(KEYS), BINANCE.client(KEYS)
    body = {"code": "1", "data": [{"sCode": "51016", "sMsg": "Duplicated client order ID"}], "msg": ""}

    with pytest.raises(ccxt.InvalidOrder) as duplicate:
        okx.handle_errors(200, "", "", "POST", {}, json.dumps(body), body, {}, "")

    assert not isinstance(duplicate.value, ccxt.DuplicateOrderId)
    assert binance.exceptions["linear"]["exact"]["-4116"] is ccxt.InvalidOrder
