"""Hypothesis strategies for everything a bot may ask its journal to write."""

from decimal import Decimal

from hypothesis import strategies as st

from blitz.core.ladder_settings import ExchangeName, GridRow, LadderSettings, MarginMode, Mode
from blitz.core.orders import BookedFill, Direction, Fill, FillKind, OrderKey, OrderType, Role, Side
from blitz.core.records import (
    BotEvent,
    Cycle,
    CycleEnd,
    CycleSaved,
    DesiredSaved,
    EventKind,
    EventNoted,
    FillBooked,
    IdRegime,
    RegimeLearnt,
    Slot,
    SlotSaved,
    SlotState,
)

SYMBOLS = st.sampled_from(["BTC/USDT:USDT", "BTC/USDT", "1000PEPE/USDT:USDT"])
MONEY = st.decimals(min_value=-(10**15), max_value=10**15, places=15)
POSITIVE = st.decimals(min_value=Decimal("0.000001"), max_value=10**6, places=6)
TIMES = st.integers(min_value=0, max_value=2**53)
WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.text(alphabet="abcdef0123456789-_", max_size=36)

KEYS = st.one_of(
    st.builds(OrderKey, role=st.just(Role.LEG), leg=st.integers(0, 49)),
    st.sampled_from([OrderKey(role=Role.TAKE_PROFIT), OrderKey(role=Role.STOP_LOSS)]),
)

SLOTS = st.builds(
    Slot,
    key=KEYS,
    symbol=SYMBOLS,
    state=st.sampled_from(SlotState),
    generation=st.integers(0, 36**4 - 1),
    used=st.booleans(),
    burnt=st.booleans(),
    client_id=IDS,
    order_id=IDS,
    last_order_id=IDS,
    cycle=st.integers(0, 10**6),
    type=st.sampled_from(OrderType),
    direction=st.sampled_from(Direction),
    quantity=MONEY,
    price=st.none() | MONEY,
    trigger=st.none() | MONEY,
    sent_ms=TIMES,
    doubted_until_ms=TIMES,
)

SETTINGS = st.builds(
    LadderSettings,
    exchange=st.sampled_from(ExchangeName),
    symbol=SYMBOLS,
    side=st.sampled_from(Side),
    leverage=st.decimals(min_value=1, max_value=100, places=2),
    margin_mode=st.sampled_from(MarginMode),
    grids=st.lists(
        st.builds(GridRow, amount=POSITIVE, gap=st.decimals(min_value=Decimal("0.01"), max_value=99, places=2)),
        min_size=1,
        max_size=5,
    ).map(tuple),
    rounds=st.integers(1, 50),
    take_profit=st.decimals(min_value=0, max_value=50, places=4),
    stop_loss=st.decimals(min_value=0, max_value=50, places=4),
    repeat=st.booleans(),
    mode=st.sampled_from(Mode),
)

CYCLES = st.builds(
    Cycle,
    number=st.integers(1, 5),
    settings=SETTINGS,
    started_ms=TIMES,
    ended_ms=st.none() | TIMES,
    end=st.none() | st.sampled_from(CycleEnd),
    realised=MONEY,
    fees=MONEY,
    funding=MONEY,
    legs_filled=st.integers(0, 50),
)

FILLS = st.builds(
    BookedFill,
    fill=st.builds(
        Fill,
        exec_id=st.text(alphabet="0123456789abcdef", min_size=1, max_size=3),
        order_id=IDS,
        client_id=WORDS,
        symbol=SYMBOLS,
        kind=st.sampled_from(FillKind),
        direction=st.sampled_from(Direction),
        quantity=MONEY,
        price=MONEY,
        fee=MONEY,
        is_maker=st.booleans(),
        at_ms=st.integers(1, 20),
        sequence=st.integers(0, 5),
    ),
    cycle=st.integers(0, 5),
    key=st.none() | KEYS,
)

EVENTS = st.builds(
    BotEvent,
    kind=st.sampled_from(EventKind),
    at_ms=TIMES,
    cycle=st.integers(0, 10**6),
    data=st.dictionaries(WORDS, WORDS, max_size=3),
)

CHANGES = st.one_of(
    st.builds(SlotSaved, slot=SLOTS),
    st.builds(CycleSaved, cycle=CYCLES),
    st.builds(FillBooked, booked=FILLS),
    st.builds(RegimeLearnt, regime=st.sampled_from(IdRegime)),
    st.builds(EventNoted, event=EVENTS),
    st.builds(DesiredSaved, desired=st.sampled_from(["running", "stopped", "after_cycle"]), at_ms=TIMES),
)
