"""What BingX's answers are worth: its numbers decide, the half-done is told as such, the rest is unknown."""

import json

import ccxt
import pytest

from blitz.core.calls import Accepted, Pulled, Refusal, Rejected, Unknown
from blitz.exchange.bingx import replacing
from blitz.exchange.bingx.codes import ENVELOPE, data_of
from blitz.exchange.bingx.gateway import TRAITS


def error(code, message="", *, kind=ccxt.ExchangeError, **data):
    """An error as ccxt raises it: its own id, then the body."""
    body = {"code": code, "msg": message} | ({"data": data} if data else {})
    return kind(f"bingx {json.dumps(body)}")


REFUSALS = [
    (100001, "", Refusal.KEY), (100412, "", Refusal.KEY), (100413, "", Refusal.KEY), (100004, "", Refusal.KEY),
    (100419, "", Refusal.KEY), (100414, "risk control", Refusal.KEY), (100202, "", Refusal.MARGIN),
    (101204, "", Refusal.MARGIN), (101253, "", Refusal.MARGIN), (80012, '{"Code":101253}', Refusal.MARGIN),
    (100421, "Null timestamp or timestamp mismatch", Refusal.CLOCK),
    (100421, "This pair is currently restricted from API trading", Refusal.CLOSED_MARKET),
    (100400, "invalid quantity", Refusal.FILTER), (80014, "", Refusal.FILTER), (101400, "", Refusal.FILTER),
    (110425, "", Refusal.FILTER),
    (109400, "In the Hedge mode, the 'ReduceOnly' field can not be filled.", Refusal.ACCOUNT),
    (109400, "In the One-way mode, the 'PositionSide' field can only be set to BOTH.", Refusal.ACCOUNT),
    (109400, "quantity is required", Refusal.FILTER), (101205, "", Refusal.NO_POSITION),
    (110424, "", Refusal.NO_POSITION), (101290, "", Refusal.NO_POSITION), (101481, "", Refusal.TAKEN),
    (109201, "", Refusal.TAKEN), (80016, "", Refusal.GONE), (80017, "", Refusal.GONE), (80018, "", Refusal.GONE),
    (109414, "", Refusal.GONE), (109421, "", Refusal.GONE), (110411, "", Refusal.TRIGGER_PASSED),
    (109418, "", Refusal.CLOSED_MARKET), (109425, "", Refusal.CLOSED_MARKET), (429, "", Refusal.LIMIT),
    (418, "", Refusal.LIMIT), (999999, "", Refusal.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("code", "message", "refusal"), REFUSALS)
@pytest.mark.parametrize("written", [int, str])
def test_the_number_decides_whether_it_is_written_as_number_or_text(code, message, refusal, written):
    said = ENVELOPE.classified(error(written(code), message))
    assert isinstance(said, Rejected)
    assert (said.refusal, said.code) == (refusal, str(code))


@pytest.mark.parametrize("kind", [ccxt.ExchangeError, ccxt.InsufficientFunds, ccxt.NetworkError, ccxt.DuplicateOrderId])
def test_the_class_that_ccxt_chose_decides_nothing(kind):
    said = ENVELOPE.classified(error(109421, kind=kind))
    assert isinstance(said, Rejected)
    assert said.refusal is Refusal.GONE


@pytest.mark.parametrize("code", [100410, 100500, 109500, 110500, 80019, 0, "100410"])
def test_busy_is_unknown_because_the_order_may_exist(code):
    assert isinstance(ENVELOPE.classified(error(code, "busy")), Unknown)


def test_service_unavailable_is_unknown_unless_it_wraps_another_refusal():
    assert isinstance(ENVELOPE.classified(error(80012, "service unavailable")), Unknown)


@pytest.mark.parametrize("code", ["", "x", None, True, 1.5, [1]])
def test_a_code_that_is_none_is_unknown(code):
    assert isinstance(ENVELOPE.classified(error(code)), Unknown)


@pytest.mark.parametrize("answer", [None, "", [], {}, {"data": {}}, {"code": 0}, {"code": 0, "data": []}])
def test_an_incomplete_envelope_is_no_answer(answer):
    assert isinstance(ENVELOPE.asked(lambda: data_of(answer)), Unknown)


def replaced(cancelled, replaced=None, **words):
    data = {"cancelResult": cancelled, "cancelMsg": "", "replaceMsg": ""} | words
    if replaced is not None:
        data["replaceResult"] = replaced
    if replaced in {True, "true"}:
        data["newOrderResponse"] = {"orderId": 77}
    return {"code": 0, "msg": "", "data": data}


def test_a_replacement_that_worked_has_a_new_order():
    assert replacing.outcome(replaced("true", "true")) == Accepted(order_id="77")
    assert replacing.outcome(replaced(True, True)) == Accepted(order_id="77")


@pytest.mark.parametrize("words", ["order not exist", "code 109421", "Order has been filled"])
def test_an_old_order_that_had_ended_keeps_the_new_one_away(words):
    reply = replacing.outcome(replaced("false", "false", cancelMsg=words))
    assert isinstance(reply, Rejected)
    assert reply.refusal is Refusal.GONE


def test_an_old_order_that_cannot_be_cancelled_stays_for_all_we_know():
    reply = replacing.outcome(replaced("false", "false", cancelMsg="nobody knows"))
    assert isinstance(reply, Rejected)
    assert reply.refusal is Refusal.OTHER


@pytest.mark.parametrize(
    ("words", "refusal", "code"),
    [
        ("code:101204, margin", Refusal.MARGIN, "101204"), ('{"Code":110424}', Refusal.NO_POSITION, "110424"),
        ("101481 duplicate", Refusal.TAKEN, "101481"), ("no reason", Refusal.OTHER, ""),
        ("order 1736012449498123500 failed", Refusal.OTHER, ""),
    ],
)  # fmt: skip
def test_an_old_order_without_a_successor_is_pulled(words, refusal, code):
    assert replacing.outcome(replaced("true", "false", replaceMsg=words)) == Pulled(
        refusal=refusal, code=code, message=words
    )


@pytest.mark.parametrize(
    "answer", [replaced("true"), replaced("perhaps", "true"), replaced(None, None), {"code": 0, "data": {}}]
)
def test_an_outcome_that_is_missing_is_unknown(answer):
    assert isinstance(ENVELOPE.asked(lambda: replacing.outcome(answer)), Unknown)


@pytest.mark.parametrize("code", [100413, 100421, 429, 109421, 109418])
def test_a_refusal_of_the_whole_changes_nothing(code):
    assert isinstance(replacing.refused(error(code, "timestamp")), Rejected)


@pytest.mark.parametrize("code", [101204, 101481, 110424, 100400, 100410, 999999])
def test_an_error_that_may_have_come_after_the_cancel_is_unknown(code):
    assert isinstance(replacing.refused(error(code)), Unknown)


def test_an_error_that_carries_both_outcomes_is_read_by_them():
    pulled = replacing.refused(error(101204, "margin", cancelResult="true", replaceResult="false"))
    assert pulled == Pulled(refusal=Refusal.MARGIN, code="101204", message="margin")
    kept = replacing.refused(error(109421, "gone", cancelResult="false", replaceResult="false"))
    assert kept == Rejected(refusal=Refusal.GONE, code="109421", message="gone")


def test_the_protocol_is_told_what_bingx_cannot_do():
    assert (TRAITS.id_length_max, TRAITS.amends_price, TRAITS.stops_carry_ids) == (40, False, False)
