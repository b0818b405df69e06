"""Sentences that hold for every input: tags, diff, books, plan and stored settings."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.core.diff import Amend, Cancel, Create, diff
from blitz.core.ladder_settings import (
    ExchangeName,
    GridRow,
    LadderSettings,
    MarginMode,
    Mode,
    parse_settings,
)
from blitz.core.ledger import Ledger
from blitz.core.orders import (
    STOP_LOSS,
    TAKE_PROFIT,
    ZERO,
    BookedFill,
    DesiredOrder,
    Direction,
    Fill,
    FillKind,
    OpenOrder,
    OrderKey,
    OrderType,
    Side,
    leg,
)
from blitz.core.plan import Situation, plan
from blitz.core.preview import preview_ladder
from blitz.core.tags import GENERATION_MAX, TagBook
from blitz.errors import SettingsProblem
from blitz.simulation.ladders import BTC
from tests.core.ladders import LONG

quick = settings(max_examples=150, deadline=None)

keys = st.one_of(st.integers(0, 49).map(leg), st.just(TAKE_PROFIT), st.just(STOP_LOSS))
users = st.integers(1, 999_999_999)
bases = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
symbols = st.builds(lambda base, tail: f"{base}/USDT{tail}", bases, st.sampled_from(["", ":USDT"]))
books = st.builds(lambda user, symbol: TagBook(user_id=user, symbol=symbol), users, symbols)
generations = st.integers(0, GENERATION_MAX)


def money(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False, allow_infinity=False)


# Tags


@quick
@given(books, keys, generations)
def test_reading_a_written_tag_gives_back_key_and_generation_in_any_case(book, key, generation):
    tag = book.write(key, generation)
    assert book.read(tag) == book.read(tag.lower()) == book.read(tag.upper()) == (key, generation)


@quick
@given(books, keys, generations)
def test_every_tag_fits_the_venue_where_the_documented_one_does(book, key, generation):
    if generation or len(book.write(key)) <= 36:
        assert len(book.write(key, generation)) <= 36


@quick
@given(books, keys, generations, keys, generations)
def test_no_two_orders_share_a_tag_even_after_folding_case(book, key, generation, other, later):
    same = (key, generation) == (other, later)
    assert (book.write(key, generation).lower() == book.write(other, later).lower()) is same


@quick
@given(books, keys, generations, users, bases)
def test_nobody_elses_tag_is_read_as_ours(book, key, generation, user, base):
    tag = book.write(key, generation)
    if user != book.user_id:
        assert replace(book, user_id=user).read(tag) is None
    if base != book.symbol.partition("/")[0]:
        assert (
            replace(book, symbol=f"{base}/USDT:USDT").read(tag) is None
            or base == book.symbol.partition("/")[0] + "USDT"
        )


def test_tags_are_the_documented_ones():
    book = TagBook(user_id=42, symbol="BTC/USDT:USDT")
    assert [book.write(key) for key in (leg(0), leg(12), TAKE_PROFIT, STOP_LOSS)] == [
        "sm_leg_0_42_BTCUSDTUSDT",
        "sm_leg_12_42_BTCUSDTUSDT",
        "sm_tp_42_BTCUSDTUSDT",
        "sm_sl_42_BTCUSDTUSDT",
    ]
    assert TagBook(user_id=42, symbol="BTC/USDT").write(TAKE_PROFIT, 36) == "sm_tp_42_BTCUSDT_10"


def test_what_only_looks_like_a_tag_of_ours_is_foreign():
    book = TagBook(user_id=7, symbol="BTC/USDT:USDT")
    for text in (
        "",
        "sm_leg_1_77_BTCUSDTUSDT",
        "sm_leg_1_7_1000BTCUSDTUSDT",
        "sm_leg_01_7_BTCUSDTUSDT",
        "sm_leg_100_7_BTCUSDTUSDT",
        "sm_leg__7_BTCUSDTUSDT",
        "sm_tp_07_BTCUSDTUSDT",
        "sm_tp_7_BTCUSDTUSDT_",
        "sm_tp_7_BTCUSDTUSDT_0",
        "sm_tp_7_BTCUSDTUSDT_01",
        "sm_tp_7_BTCUSDTUSDT_zzzzz",
        "sm_tp_7_BTCUSDTUSDT ",
        "sm_tp_7_BTCUSDTUSDT\n",
        "xsm_tp_7_BTCUSDTUSDT",
        "sm_tp_7_BTCUSDTUSD",
        "sm_tp_٧_BTCUSDTUSDT",
        "sm_xx_7_BTCUSDTUSDT",
    ):
        assert book.read(text) is None, text


# Diff


def resting_for(order: DesiredOrder, order_id: str) -> OpenOrder:
    return OpenOrder(
        order_id=order_id,
        client_id="",
        symbol="BTC/USDT:USDT",
        direction=order.direction,
        type=order.type,
        quantity=order.quantity,
        filled=ZERO,
        price=order.price,
        trigger=order.trigger,
        reduce_only=order.reduce_only,
        side=None,
    )


def applied(actions, resting: dict[OrderKey, OpenOrder]) -> dict[OrderKey, OpenOrder]:
    after = dict(resting)
    for action in actions:
        if isinstance(action, Create):
            assert action.order.key not in after, "two orders of one tag"
            after[action.order.key] = resting_for(action.order, f"new-{action.order.key}")
        elif isinstance(action, Amend):
            old = after[action.key]
            after[action.key] = replace(
                old,
                quantity=old.quantity if action.quantity is None else action.quantity,
                price=old.price if action.price is None else action.price,
                trigger=old.trigger if action.trigger is None else action.trigger,
            )
        else:
            assert isinstance(action, Cancel)
            assert after[action.key] is action.resting
            del after[action.key]
    return after


@st.composite
def situations(draw):
    ladder = replace(
        LONG,
        side=draw(st.sampled_from(Side)),
        take_profit=draw(money("0", "90")),
        stop_loss=draw(money("0", "90")),
        leverage=Decimal(draw(st.integers(1, 100))),
        rounds=draw(st.integers(1, 4)),
    )
    filled = {index: Decimal(draw(st.integers(0, 40))) / 1000 for index in range(4)}
    return Situation(
        settings=ladder,
        instrument=BTC,
        quantity=sum(filled.values(), ZERO),
        average=draw(money("1000", "99999")),
        entry_price=draw(st.none() | money("1000", "99999", places=1)),
        leg_filled=filled,
        entries_allowed=draw(st.booleans()),
    )


@st.composite
def resting_orders(draw, key: OrderKey, side: Side):
    exit_order = key.role is not leg(0).role
    right = side.closing if exit_order else side.opening
    filled = Decimal(draw(st.integers(0, 20))) / 1000
    kind = OrderType.STOP_MARKET if key == STOP_LOSS else OrderType.LIMIT
    return OpenOrder(
        order_id=f"old-{key}",
        client_id="",
        symbol="BTC/USDT:USDT",
        direction=right if draw(st.integers(0, 9)) else right.opposite,
        type=kind,
        quantity=filled + Decimal(draw(st.integers(1, 50))) / 1000,
        filled=filled,
        price=None if key == STOP_LOSS else draw(money("1000", "99999", places=1)),
        trigger=draw(money("1000", "99999", places=1)) if key == STOP_LOSS else None,
        reduce_only=exit_order,
        side=None,
    )


@quick
@given(st.data(), situations())
def test_applying_the_diff_leaves_nothing_to_do(data, situation):
    some = data.draw(st.sets(keys, max_size=6))
    resting = {key: data.draw(resting_orders(key, situation.settings.side)) for key in sorted(some, key=str)}
    wanted = plan(situation)
    once = applied(diff(wanted, resting), resting)
    twice = applied(diff(wanted, once), once)
    assert diff(wanted, twice) == ()
    assert set(twice) == {order.key for order in wanted}
    if not any(isinstance(action, Cancel) and action.key in twice for action in diff(wanted, resting)):
        assert twice == once


@quick
@given(situations())
def test_the_diff_protects_before_it_frees_and_frees_before_it_grows(situation):
    stray = resting_for(
        DesiredOrder(key=leg(49), type=OrderType.LIMIT, direction=Direction.BUY, quantity=Decimal(1), price=Decimal(1)),
        "stray",
    )
    actions = diff(plan(situation), {leg(49): stray})
    ranks = [1 if isinstance(action, Cancel) else 0 if action.order.reduce_only else 2 for action in actions]  # type: ignore[union-attr]
    assert ranks == sorted(ranks)


# Plan


@quick
@given(situations())
def test_the_plan_never_wants_more_than_the_budget_and_exits_fit_the_position(situation):
    ladder, wanted = situation.settings, plan(situation)
    for order in wanted:
        if order.reduce_only:
            assert order.quantity == situation.quantity
            assert order.direction is ladder.side.closing
            continue
        assert order.price is not None
        budget = ladder.grids[order.key.leg].amount * ladder.leverage
        assert order.direction is ladder.side.opening
        assert order.key.leg < ladder.rounds
        assert order.quantity * order.price <= budget
        assert (order.quantity + situation.leg_filled[order.key.leg]) * order.price <= budget


@quick
@given(situations())
def test_a_take_profit_never_sells_at_or_below_its_target(situation):
    for order in plan(situation):
        if order.key == TAKE_PROFIT:
            assert order.price is not None
            ladder, average = situation.settings, situation.average
            target = average * (1 + ladder.side.sign * ladder.take_profit / 100 / ladder.leverage)
            assert (order.price - target) * ladder.side.sign >= 0
            assert (order.price - average) * ladder.side.sign >= BTC.tick
            assert order.price % BTC.tick == 0


def test_flat_or_closing_plans_no_leg():
    entered = Situation(
        settings=LONG, instrument=BTC, quantity=Decimal("0.016"), average=Decimal(60_000), entry_price=Decimal(60_000)
    )
    assert plan(replace(entered, quantity=ZERO)) == ()
    assert plan(replace(entered, quantity=Decimal(-1))) == ()
    assert [order.key for order in plan(replace(entered, entries_allowed=False))] == [TAKE_PROFIT]
    closing = plan(replace(entered, entries_allowed=False, close_at_market=True))
    assert [(order.type, order.quantity) for order in closing] == [(OrderType.MARKET, Decimal("0.016"))]


# Books


def fill_of(number: int, direction: Direction, quantity: Decimal, price: Decimal, fee: Decimal) -> BookedFill:
    fill = Fill(
        exec_id=f"e{number}",
        order_id=f"o{number % 3}",
        client_id="",
        symbol="BTC/USDT:USDT",
        kind=FillKind.TRADE,
        direction=direction,
        quantity=quantity,
        price=price,
        fee=fee,
        is_maker=True,
        at_ms=number,
    )
    return BookedFill(fill=fill, cycle=1, key=leg(0) if number % 2 else None)


fill_parts = st.tuples(
    st.sampled_from(Direction), money("0.001", "9", 8), money("0.1", "99999", 4), money("-1", "9", 8)
)


@quick
@given(st.sampled_from(Side), st.lists(fill_parts, max_size=12), money("0.1", "99999", 1), st.data())
def test_from_flat_to_flat_realised_is_exactly_proceeds_minus_cost_and_no_fill_counts_twice(side, parts, last, data):
    fills = [fill_of(number, *part) for number, part in enumerate(parts)]
    held = sum((f.fill.quantity if f.fill.direction is Direction.BUY else -f.fill.quantity for f in fills), ZERO)
    if held:
        back = Direction.SELL if held > 0 else Direction.BUY
        fills.append(fill_of(len(fills), back, abs(held), last, ZERO))
    shuffled = data.draw(st.permutations(fills))
    book = Ledger(side=side)
    for one in [*shuffled, *fills]:
        book.book(one)
    proceeds = sum(
        ((1 if f.fill.direction is Direction.SELL else -1) * f.fill.quantity * f.fill.price for f in fills), ZERO
    )
    assert (book.quantity, book.cost) == (ZERO, ZERO)
    assert book.realised == proceeds
    assert book.fees == sum((f.fill.fee for f in fills), ZERO)
    assert len(book.seen) == len(fills)


# Settings


@st.composite
def ladders(draw) -> LadderSettings:
    rows = draw(
        st.lists(st.builds(GridRow, amount=money("0.01", "10000000"), gap=money("0.01", "99")), min_size=1, max_size=50)
    )
    side = draw(st.sampled_from(Side))
    leverage = draw(money("1", "200"))
    reach = min(Decimal(10_000), leverage * 100 - Decimal("0.01"))
    return LadderSettings(
        exchange=draw(st.sampled_from(ExchangeName)),
        symbol=draw(symbols),
        side=side,
        leverage=leverage,
        margin_mode=draw(st.sampled_from(MarginMode)),
        grids=tuple(rows),
        rounds=draw(st.integers(1, 50)),
        take_profit=draw(money("0", str(reach))),
        stop_loss=draw(money("0", str(reach))),
        repeat=draw(st.booleans()),
        mode=draw(st.sampled_from(Mode)),
    )


@quick
@given(ladders())
def test_stored_settings_read_back_equal(ladder):
    assert parse_settings(ladder.to_json()) == ladder


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.decimals() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@quick
@given(st.dictionaries(st.sampled_from([*LONG.to_json(), "x"]), json_values, max_size=5))
def test_whatever_is_sent_settings_are_read_or_refused_with_sentences(raw):
    refusal: SettingsProblem | None = None
    try:
        read = parse_settings(raw)
    except SettingsProblem as problem:
        refusal = problem
    if refusal is None:
        assert parse_settings(read.to_json()) == read
    else:
        assert refusal.errors
        assert all(sentence for sentences in refusal.errors.values() for sentence in sentences)


@quick
@given(ladders(), money("0.1", "200000", 1))
def test_a_ladder_is_previewed_or_refused_and_never_costs_more_than_it_was_given(ladder, price):
    refusal: SettingsProblem | None = None
    try:
        shown = preview_ladder(ladder, BTC, price)
    except SettingsProblem as problem:
        refusal = problem
    if refusal is not None:
        assert set(refusal.errors) <= {"grids", "leverage", "stop_loss"}
        return
    assert shown.margin <= sum(row.amount for row in ladder.legs)
    assert len(shown.legs) == min(ladder.rounds, len(ladder.grids))
    assert shown.to_json()["symbol"] == ladder.symbol
