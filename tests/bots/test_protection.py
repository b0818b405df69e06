"""Protection as a state machine: what a pass saw, in; since when, why and whether that may still be said, out."""

import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from blitz.bots.incidents import CROWD, TELL_PAUSE_SECONDS, Incidents, ProtectionFigures
from blitz.bots.protection import (
    HANGS,
    INCIDENT_AFTER_MS,
    Cause,
    CauseCode,
    Cover,
    Protection,
    Sight,
    after,
    ended,
    unread,
)
from blitz.bots.sight import remembered_as, sight_of, unreachable
from blitz.core.bot import PassResult
from blitz.core.calls import AmendOrder, Refusal, Rejected, SendOrder
from blitz.core.look import BOOKS_DISAGREE, JOURNAL_UNWRITTEN
from blitz.core.memory import Attention, ExitTrouble
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT
from blitz.core.records import EventKind, SlotState
from blitz.web.remedies import REMEDIES
from tests.core.ladders import LONG
from tests.core.rig import Rig

HELD = Decimal("0.016")
COVERED = Sight(cover=Cover.PROTECTED, quantity=HELD)
FLAT = Sight(cover=Cover.NO_POSITION)
REFUSED = Cause(code=CauseCode.REFUSED, said="The exchange refuses the take-profit (110007: no).")
BARE = Sight(cover=Cover.UNPROTECTED, quantity=HELD, cause=REFUSED)
AWAY = unreachable("timeout")
UNREAD = Sight(cover=Cover.UNKNOWN, quantity=HELD, cause=AWAY)


def seen_in_turn(*sights: tuple[int, Sight]) -> Protection:
    """The protection after these looks, each `(moment, what was seen)`."""
    protection = Protection()
    for now_ms, sight in sights:
        protection = after(protection, sight, began_ms=now_ms, now_ms=now_ms)
    return protection


# Since when


@pytest.mark.parametrize(
    ("looks", "cover", "since_ms"),
    [
        ([(1, COVERED), (2, COVERED)], Cover.PROTECTED, 1),
        ([(1, COVERED), (2, BARE), (3, BARE)], Cover.UNPROTECTED, 2),
        ([(1, BARE), (2, COVERED)], Cover.PROTECTED, 2),
        ([(1, BARE), (2, FLAT)], Cover.NO_POSITION, None),
        ([(1, BARE), (2, FLAT), (3, BARE)], Cover.UNPROTECTED, 3),
        ([(1, COVERED), (2, UNREAD), (3, COVERED)], Cover.PROTECTED, 1),
        ([(1, COVERED), (2, UNREAD), (9_000, COVERED)], Cover.PROTECTED, 9_000),
        ([(1, COVERED), (2, UNREAD), (3, BARE)], Cover.UNPROTECTED, 2),
        ([(1, BARE), (2, UNREAD), (3, BARE)], Cover.UNPROTECTED, 1),
        ([(1, FLAT), (2, replace(UNREAD, quantity=Decimal(0)))], Cover.NO_POSITION, None),
        ([(1, FLAT), (2, UNREAD), (3, BARE)], Cover.UNPROTECTED, 2),
    ],
)
def test_a_stretch_lasts_until_the_exchange_shows_otherwise(looks, cover, since_ms):
    protection = seen_in_turn(*looks)

    assert (protection.cover, protection.since_ms) == (cover, since_ms)


def test_a_failed_look_is_forgiven_within_the_bound_and_then_nothing_is_known():
    protection = seen_in_turn((0, COVERED), (1_000, UNREAD), (2_000, UNREAD))

    within, beyond = protection.as_of(1_000 + INCIDENT_AFTER_MS), protection.as_of(1_001 + INCIDENT_AFTER_MS)

    assert (within.cover, within.since_ms) == (Cover.PROTECTED, 0)
    assert (beyond.cover, beyond.since_ms, beyond.is_protected) == (Cover.UNKNOWN, 1_000, False)
    assert beyond.why.startswith("The exchange cannot be read: timeout. When it was last seen, every exit rested")


def test_a_bare_position_that_nobody_can_read_stays_unprotected_and_names_what_is_in_the_way():
    protection = seen_in_turn((0, BARE), (1_000, UNREAD))

    assert protection.as_of(2_000).cause == REFUSED
    assert protection.as_of(9_000).cause == AWAY
    assert (protection.as_of(9_000).cover, protection.as_of(9_000).since_ms) == (Cover.UNPROTECTED, 0)


def test_a_look_that_mended_the_position_itself_counts_from_its_end():
    sight = replace(BARE, is_mended=True)

    assert after(Protection(), sight, began_ms=0, now_ms=20_000).since_ms == 20_000
    assert after(Protection(), BARE, began_ms=0, now_ms=20_000).since_ms == 0


def test_a_thread_that_hangs_leaves_only_unknown():
    protection = unread(seen_in_turn((0, COVERED)), HANGS, since_ms=1_000)

    assert (protection.as_of(6_001).cover, protection.as_of(6_001).cause) == (Cover.UNKNOWN, HANGS)


@pytest.mark.parametrize(
    ("looks", "legs_rest", "cover", "code"),
    [
        ([(1, COVERED)], False, Cover.PROTECTED, None),
        ([(1, COVERED)], True, Cover.UNPROTECTED, CauseCode.STOPPED_WITH_LEGS),
        ([(1, BARE)], False, Cover.UNPROTECTED, CauseCode.STOPPED),
        ([(1, COVERED), (2, UNREAD)], False, Cover.UNKNOWN, CauseCode.STOPPED),
        ([(1, FLAT)], True, Cover.NO_POSITION, None),
        ([], False, Cover.UNSEEN, None),
    ],
)
def test_a_bot_that_ended_claims_nothing_that_nobody_watches(looks, legs_rest, cover, code):
    protection = ended(seen_in_turn(*looks), legs_rest=legs_rest, now_ms=9_000)

    assert protection.cover is cover
    assert (protection.cause and protection.cause.code) is code
    assert protection.as_of(10**9) == protection


# Why


def resting(**changes: object) -> Rig:
    rig = Rig(settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    return rig


def cause_of(rig: Rig, result: PassResult | None = None) -> Cause:
    sight = sight_of(rig.memory, result or rig.last, rig.venue.now_ms)
    assert sight.cause is not None, sight
    return sight.cause


def bare(rig: Rig) -> Rig:
    """Take the take-profit out of the picture of the last pass."""
    assert rig.last.seen is not None
    own = {key: order for key, order in rig.last.seen.own.items() if key != TAKE_PROFIT}
    rig.last = replace(rig.last, words=(), seen=replace(rig.last.seen, own=own))
    return rig


def troubled(refusal: Refusal | None, code: str = "110017", message: str = "no") -> Rig:
    rig = bare(resting())
    rig.memory.exit_trouble[TAKE_PROFIT] = ExitTrouble(refusal=refusal, code=code, message=message, at_ms=1)
    return rig


def test_a_laid_ladder_is_protected():
    rig = resting()

    assert sight_of(rig.memory, rig.last, rig.venue.now_ms) == Sight(cover=Cover.PROTECTED, quantity=HELD)


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (Refusal.OTHER, CauseCode.REFUSED, "The exchange refuses the take-profit (110017: no). It is tried again."),
        (
            Refusal.KEY,
            CauseCode.KEY_REJECTED,
            "The exchange refuses the API key (110017: no), so the take-profit cannot be placed.",
        ),
        (
            Refusal.CLOSED_MARKET,
            CauseCode.MARKET_CLOSED,
            "The market is closed (110017: no); the take-profit is placed when it trades again.",
        ),
        (
            None,
            CauseCode.UNANSWERED,
            "The exchange did not answer to the take-profit (no); it is being looked up and sent again.",
        ),
    ],
)
def test_what_the_exchange_last_said_to_the_take_profit_is_the_cause(refusal, code, said):
    assert cause_of(troubled(refusal)) == Cause(code=code, said=said)


def test_a_position_below_the_minimum_is_named_as_such():
    rig = troubled(Refusal.FILTER, "10001", "qty invalid")
    rig.memory.instrument = replace(rig.memory.instrument, quantity_min=Decimal(1))

    assert cause_of(rig) == Cause(
        code=CauseCode.TOO_SMALL,
        said="The position of 0.016 is smaller than the exchange's minimum of 1: it refuses the take-profit "
        "(10001: qty invalid).",
    )


def test_an_order_cancelled_by_hand_outweighs_an_older_refusal():
    rig = troubled(Refusal.OTHER)
    rig.memory.gone_ms[TAKE_PROFIT] = 2

    assert cause_of(rig).code is CauseCode.CANCELLED_BY_HAND
    rig.memory.gone_ms[TAKE_PROFIT] = 0
    assert cause_of(rig).code is CauseCode.REFUSED


def test_a_slot_without_an_answer_is_being_looked_up():
    rig = bare(resting())
    rig.memory.put(replace(rig.memory.slot(TAKE_PROFIT), state=SlotState.UNKNOWN))

    assert cause_of(rig).code is CauseCode.UNANSWERED


def test_an_exit_whose_first_try_is_doubted_is_being_looked_up():
    rig = bare(resting())
    rig.memory.put(replace(rig.memory.slot(TAKE_PROFIT), doubted_until_ms=rig.venue.now_ms + 1))

    assert cause_of(rig).code is CauseCode.UNANSWERED


def test_ids_that_are_all_taken_are_named_with_what_to_look_for():
    rig = bare(resting())
    rig.memory.attention = Attention(code="ids_ambiguous", message="Look for another server.")

    assert cause_of(rig) == Cause(code=CauseCode.IDS_AMBIGUOUS, said="Look for another server.")


def test_a_take_profit_for_a_part_is_being_moved():
    rig = resting()
    assert rig.last.seen is not None
    position = replace(rig.last.seen.position, quantity=Decimal("0.032"))
    rig.last = replace(rig.last, words=(), seen=replace(rig.last.seen, position=position))

    assert cause_of(rig).said == "The take-profit rests for 0.016 of 0.032 and is being moved."


def test_without_any_other_fact_it_is_being_placed_and_closing_is_named():
    rig = bare(resting())

    assert cause_of(rig).said == "No take-profit rests yet; it is being placed."
    rig.memory.closing_by_trader = True
    assert cause_of(rig).code is CauseCode.CLOSING


def test_both_exits_are_named_when_both_lack():
    rig = bare(resting(stop_loss=Decimal(40)))
    assert rig.last.seen is not None
    own = {key: order for key, order in rig.last.seen.own.items() if key != STOP_LOSS}
    rig.last = replace(rig.last, seen=replace(rig.last.seen, own=own))

    said = cause_of(rig).said

    assert said.endswith("placed. The stop-loss does not rest for the whole position either.")


def test_exits_that_are_switched_off_are_said_to_be_and_raise_no_alarm():
    rig = resting(take_profit=Decimal(0))
    protection = after(Protection(), sight_of(rig.memory, rig.last, rig.venue.now_ms), began_ms=0, now_ms=0)

    assert protection.why == "Take-profit and stop-loss are both switched off in the settings."
    assert (protection.is_protected, protection.is_alarming) == (False, False)
    assert unread(protection, AWAY, since_ms=1) == protection


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (PassResult(refusal=Refusal.KEY, trouble="10003: API key is invalid"), CauseCode.KEY_REJECTED),
        (PassResult(trouble=BOOKS_DISAGREE), CauseCode.BOOKS_DIFFER),
        (PassResult(trouble=JOURNAL_UNWRITTEN), CauseCode.JOURNAL_UNWRITTEN),
        (PassResult(trouble="no answer within 10 s"), CauseCode.EXCHANGE_UNREAD),
        (PassResult(refusal=Refusal.LIMIT, trouble="10006: too many visits"), CauseCode.EXCHANGE_UNREAD),
    ],
)
def test_a_pass_that_could_not_look_says_why(result, code):
    rig = resting()
    sight = sight_of(rig.memory, result, rig.venue.now_ms)

    assert (sight.cover, sight.quantity) == (Cover.UNKNOWN, HELD)
    assert cause_of(rig, result).code is code


def test_an_entry_that_was_never_answered_may_have_opened_a_position():
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()

    sight = sight_of(rig.memory, PassResult(trouble="timeout"), rig.venue.now_ms)

    assert (sight.cover, sight.quantity) == (Cover.UNKNOWN, HELD)


def test_after_a_restart_what_the_journal_knows_to_be_open_is_unknown_and_not_flat():
    remembered = resting().journal.load()

    protection = remembered_as(Protection(), remembered, now_ms=7)

    assert (protection.cover, protection.quantity, protection.since_ms) == (Cover.UNKNOWN, HELD, 7)
    assert protection.why == "The exchange has not been read yet."
    assert remembered_as(Protection(), replace(remembered, cycle=None, fills=()), now_ms=7) == Protection()


# The fact that the core keeps for it


@pytest.mark.parametrize(
    ("answer", "refusal", "code"),
    [
        (Rejected(refusal=Refusal.OTHER, code="110007", message="no"), Refusal.OTHER, "110007"),
        ("lost_request", None, ""),
    ],
)
def test_the_core_remembers_what_was_last_said_to_an_exit_until_it_rests(answer, refusal, code):
    rig = resting()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.fault(SendOrder, answer, tag="sm_tp")
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.run_pass()

    trouble = rig.memory.exit_trouble[TAKE_PROFIT]
    assert (trouble.refusal, trouble.code) == (refusal, code)

    rig.venue.now_ms += 60_000
    rig.rest()
    assert "tp" in rig.quantities()
    assert rig.memory.exit_trouble == {}


def test_the_core_remembers_a_refused_move_of_an_exit_and_nothing_of_a_leg():
    rig = resting()
    refused = Rejected(refusal=Refusal.OTHER, code="110009", message="not now")
    rig.venue.fault(AmendOrder, refused)
    rig.venue.fault(AmendOrder, refused)
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.venue.fault(SendOrder, refused, tag="sm_leg_2")
    rig.venue.move("59400")
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.run_pass()

    assert rig.memory.exit_trouble.keys() == {TAKE_PROFIT}
    assert cause_of(rig).said == "The exchange refuses the take-profit (110009: not now). It is tried again."


# Incidents


class Feed:
    """What incidents tell a trader."""

    def __init__(self) -> None:
        self.lines: list[tuple[EventKind, str]] = []
        self.incidents = Incidents(self._tell)

    def _tell(self, user_id: int, kind: EventKind, data: Mapping[str, str]) -> None:
        assert user_id == 7
        self.lines.append((kind, data.get("code") or data["how"]))

    def judge(self, protection: Protection, now_ms: int, *, not_before_ms: int = 0) -> None:
        read = protection.as_of(now_ms)
        self.incidents.judge(7, LONG.symbol, lambda: read, now_ms, not_before_ms=not_before_ms)
        self.incidents.tell()


def test_an_incident_begins_once_beyond_the_bound_and_ends_with_its_duration():
    feed, bare_now = Feed(), seen_in_turn((0, BARE))
    with capture_logs() as lines:
        for now_ms in (0, 5_000):
            feed.judge(bare_now, now_ms)
        assert feed.incidents.of(7) is None
        for now_ms in (5_001, 6_000, 7_000):
            feed.judge(bare_now, now_ms)
        feed.judge(Protection(), 7_500)  # a bot that was just started says nothing
        feed.judge(seen_in_turn((8_000, COVERED)), 8_000)
        feed.judge(seen_in_turn((8_000, COVERED)), 9_000)

    assert feed.lines == [(EventKind.UNPROTECTED, "refused"), (EventKind.PROTECTED_AGAIN, "protected")]
    assert [(line["log_level"], line["action"]) for line in lines] == [
        ("error", "unprotected"),
        ("info", "protected_again"),
    ]
    assert {**lines[0], "event": ""} == {
        "event": "",
        "log_level": "error",
        "action": "unprotected",
        "user_id": 7,
        "symbol": "BTC/USDT:USDT",
        "quantity": "0.016",
        "state": "unprotected",
        "cause": "refused",
        "said": REFUSED.said,
        "since": "1970-01-01T00:00:00",
    }
    assert lines[1]["seconds"] == 8.0


def test_a_crowd_of_incidents_is_told_one_by_one_and_in_the_order_in_which_it_happened():
    told: list[tuple[int, EventKind]] = []
    incidents = Incidents(lambda user_id, kind, data: told.append((user_id, kind)))
    bare, covered = seen_in_turn((0, BARE)), seen_in_turn((8_000, COVERED))
    users = range(CROWD + 5)
    for user_id in users:
        incidents.judge(user_id, LONG.symbol, lambda: bare, 6_000)
    incidents.tell()
    assert told == []
    assert incidents.figures([bare], 6_000).incidents_total == len(users), "known at once, whenever it is told"
    incidents.judge(0, LONG.symbol, lambda: covered, 8_000)
    began = time.monotonic()
    incidents.tell_slowly(0.1)
    assert 0 < len(told) < len(users)
    while len(told) <= len(users):
        incidents.tell_slowly(1.0)
    assert time.monotonic() - began >= len(users) * TELL_PAUSE_SECONDS, "others had the moments in between"
    assert told == [*((user_id, EventKind.UNPROTECTED) for user_id in users), (0, EventKind.PROTECTED_AGAIN)]


def test_a_short_stretch_is_no_incident():
    feed = Feed()
    for now_ms, sight in ((0, BARE), (4_000, COVERED), (4_500, BARE), (9_000, FLAT)):
        feed.judge(seen_in_turn((now_ms, sight)), now_ms)

    assert feed.lines == []


def test_a_cause_that_changes_is_told_at_most_every_thirty_seconds_and_other_words_are_no_change():
    feed = Feed()
    other_words = replace(BARE, cause=replace(REFUSED, said="The exchange refuses the take-profit (110007: still no)."))
    by_hand = replace(BARE, cause=Cause(code=CauseCode.CANCELLED_BY_HAND, said="By hand."))
    for now_ms, sight in ((6_000, BARE), (7_000, other_words), (8_000, by_hand), (9_000, BARE), (36_000, by_hand)):
        feed.judge(seen_in_turn((0, sight)), now_ms)

    assert feed.lines == [(EventKind.UNPROTECTED, "refused"), (EventKind.UNPROTECTED, "cancelled_by_hand")]


def test_after_a_restart_the_bound_is_longer():
    feed, not_looked = Feed(), seen_in_turn((0, UNREAD))
    feed.judge(not_looked, 14_999, not_before_ms=15_000)
    assert feed.lines == []

    feed.judge(not_looked, 15_000, not_before_ms=15_000)

    assert feed.lines == [(EventKind.UNPROTECTED, "exchange_unread")]


def test_what_the_trader_wants_so_is_shown_and_is_no_incident():
    feed = Feed()
    for code in (CauseCode.SWITCHED_OFF, CauseCode.NOT_OURS):
        feed.judge(seen_in_turn((0, replace(BARE, cause=Cause(code=code, said="So it is.")))), 60_000)

    assert feed.lines == []


def test_the_figures_count_what_is_open_and_how_long_the_longest_stretch_is():
    feed = Feed()
    covered, bare_now, flat = (seen_in_turn((1_000, sight)) for sight in (COVERED, BARE, FLAT))
    feed.judge(bare_now, 9_000)

    figures = feed.incidents.figures([covered, covered, bare_now, flat, Protection()], 9_000)

    assert figures == ProtectionFigures(
        open=3, protected=2, unprotected=1, incidents_open=1, unprotected_seconds_max=8.0, incidents_total=1
    )


def test_every_cause_has_its_remedy_in_the_feed():
    assert REMEDIES.keys() == set(CauseCode)
