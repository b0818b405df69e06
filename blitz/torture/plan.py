"""Draws what happens in each round. The same seed gives the same choices; only real time differs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from blitz.torture.faults import Fault, draw_faults
from blitz.torture.ladder import Ladder, Market, Rung
from blitz.torture.market import MARKETS
from blitz.torture.options import TortureOptions

HAND_SHARE = 0.5
"""Share of the rounds in which somebody trades by hand on some account."""


class Blow(StrEnum):
    """What is done to the processes in a round."""

    KILL = "kill"
    """SIGKILL of the server in the middle of trading."""
    KILL_AT_START = "kill_at_start"
    """SIGKILL, launch, and SIGKILL again before the start is over."""
    KILL_WHILE_STOPPING = "kill_while_stopping"
    """SIGTERM, and SIGKILL before the server has ended."""
    KILL_NEW_DATABASE = "kill_new_database"
    """A second server with a new database is killed while it makes its tables, and must then start."""
    PAUSE = "pause"
    """SIGSTOP and SIGCONT of the server."""
    DEPLOY = "deploy"
    """SIGTERM, a clean end, and a new start."""
    EXCHANGE_KILL = "exchange_kill"
    """SIGKILL of the exchange, which comes back from its state file."""


WEIGHTS = {
    Blow.KILL: 36,
    Blow.KILL_AT_START: 14,
    Blow.KILL_WHILE_STOPPING: 12,
    Blow.KILL_NEW_DATABASE: 2,
    Blow.PAUSE: 10,
    Blow.DEPLOY: 16,
    Blow.EXCHANGE_KILL: 10,
}

MOMENT_MAX_SECONDS = dict.fromkeys(Blow, 1.5) | {Blow.KILL_AT_START: 2.5, Blow.KILL_WHILE_STOPPING: 0.4}
"""A start takes about a second and a half; after it all bots are busy with what happened meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandAct:
    """What a person does on an account by hand: places an order far from the market, or cancels one of theirs."""

    bot: int
    market: Market
    is_buy: bool
    price: Decimal
    quantity: Decimal
    link_id: str
    cancels: bool
    """First cancel the oldest order placed by hand, if one rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """One round, drawn before it begins. Times are seconds."""

    number: int
    blow: Blow
    trade_seconds: float
    moment_seconds: float
    """From a launch or a request to stop until the kill."""
    away_seconds: float
    """How long the killed or stopped process stays away."""
    faults: tuple[Fault, ...]
    hand: HandAct | None


def draw_round(options: TortureOptions, number: int, accounts: Sequence[tuple[str, Market]]) -> RoundPlan:
    """Draw one round; `accounts` are the bots' keys and markets."""
    chance = random.Random(f"{options.seed}:round:{number}")
    blow = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    return RoundPlan(
        number=number,
        blow=blow,
        trade_seconds=chance.uniform(0.2, 2.5),
        moment_seconds=chance.uniform(0, MOMENT_MAX_SECONDS[blow]),
        away_seconds=chance.uniform(0.5, 4.0) if blow is Blow.PAUSE else chance.uniform(0, 0.8),
        faults=draw_faults(chance, accounts),
        hand=_draw_hand(chance, number, accounts) if chance.random() < HAND_SHARE else None,
    )


def _draw_hand(chance: random.Random, number: int, accounts: Sequence[tuple[str, Market]]) -> HandAct:
    """An order that never fills: far below the market to buy, far above it to sell. Some ids look almost like ours."""
    bot = chance.randrange(len(accounts))
    market = accounts[bot][1] if chance.random() < 0.8 else chance.choice(MARKETS)
    code = market.symbol.replace("/", "").replace(":", "")
    is_buy = chance.random() < 0.5
    return HandAct(
        bot=bot,
        market=market,
        is_buy=is_buy,
        price=market.start_price * (Decimal("0.6") if is_buy else Decimal("1.5")),
        quantity=_smallest(market) * chance.randint(1, 3),
        link_id=chance.choice((f"hand-{number}", f"sm_leg_1_{900_000 + number}_{code}", f"sm_leg_01_{number}_{code}")),
        cancels=chance.random() < 0.4,
    )


def _smallest(market: Market) -> Decimal:
    """Enough for ten USDT at the lowest price used above."""
    steps = int(Decimal(10) / (market.start_price * Decimal("0.6")) / market.step) + 1
    return steps * market.step


def draw_ladder(options: TortureOptions, index: int) -> Ladder:
    """The settings of one trader: markets and sides in turn, sizes and gaps drawn. Far too small to be liquidated."""
    chance = random.Random(f"{options.seed}:trader:{index}")
    rungs = [
        Rung(amount=Decimal(chance.randint(20, 60)), gap=Decimal(chance.randint(15, 60)) / 100)
        for _ in range(chance.randint(3, 6))
    ]
    return Ladder(
        market=MARKETS[index // 2 % len(MARKETS)],
        is_long=index % 2 == 0,
        leverage=Decimal(10),
        rungs=tuple(rungs),
        take_profit=Decimal(chance.randint(3, 8)),
        stop_loss=Decimal(chance.randint(12, 20) if index % 5 == 4 else 0),
        exchange=options.exchange_of(index),
    )
