"""Our books beside the exchange's, after a demo."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from blitz.core.orders import FillKind, Role
from blitz.core.records import CycleEnd
from blitz.demo.stage import Stage
from blitz.storage.history import History

PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What both sides say. Money in USDT; fees and funding are positive when paid."""

    candles: int
    cycles: int
    stopped: int
    """Cycles that ended by their stop-loss."""
    ladder_fills: int
    """Legs beyond the entry that filled."""
    realised: Decimal
    fees: Decimal
    funding: Decimal
    exchange_realised: Decimal
    exchange_fees: Decimal
    exchange_funding: Decimal
    seconds: float
    position: str
    """What is still open at the end, in words; empty when flat."""

    @property
    def difference(self) -> Decimal:
        """The sum of the three differences, each taken without its sign."""
        return (
            abs(self.realised - self.exchange_realised)
            + abs(self.fees - self.exchange_fees)
            + abs(self.funding - self.exchange_funding)
        )


def compare(stage: Stage, *, candles: int, seconds: float) -> Books:
    """Read both sides. Ours come from the journal, theirs from the exchange's own state."""
    totals = stage.services.history.totals(stage.user_id)
    theirs = stage.exchange_books()
    return Books(
        candles=candles,
        cycles=totals.cycles,
        stopped=_stopped(stage.services.history, stage.user_id),
        ladder_fills=_ladder_fills(stage.services.history, stage.user_id),
        realised=totals.realised,
        fees=totals.fees,
        funding=totals.funding,
        exchange_realised=Decimal(theirs["realised"]),
        exchange_fees=Decimal(theirs["fees"]),
        exchange_funding=Decimal(theirs["funding"]),
        seconds=seconds,
        position=_position(theirs),
    )


def _stopped(history: History, user_id: int) -> int:
    stopped, before = 0, None
    while page := history.cycles(user_id, before_number=before, limit=PAGE):
        stopped += sum(1 for cycle in page if cycle.end is CycleEnd.STOP_LOSS)
        before = page[-1].number
    return stopped


def _ladder_fills(history: History, user_id: int) -> int:
    """Legs that filled, each counted once however many fills it took."""
    legs: set[tuple[int, int]] = set()
    before = None
    while page := history.fills(user_id, before_id=before, limit=PAGE):
        for row in page:
            key = row.booked.key
            if key is not None and key.role is Role.LEG and key.leg > 0 and row.booked.fill.kind is FillKind.TRADE:
                legs.add((row.booked.cycle, key.leg))
        before = page[-1].id
    return len(legs)


def _position(theirs: dict[str, Any]) -> str:
    held = [row for row in theirs["positions"] if Decimal(row["size"]) != 0]
    return ", ".join(f"{row['side']} {row['size']} {row['symbol']} at {_average(row)}" for row in held)


def _average(row: dict[str, Any]) -> Decimal:
    """The average entry price, short enough to read."""
    return Decimal(row["avgPrice"]).quantize(Decimal("0.01"))
