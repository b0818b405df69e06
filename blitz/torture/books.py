"""Compares the server's books with the exchange's: no execution lacks, and the sums agree to the last digit (S6)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from blitz.torture.truth import Execution, Money


def lost_fills(executions: Iterable[Execution], venue_symbol: str, booked: Collection[str]) -> list[Execution]:
    """Executions on the bot's market that the server's books do not have."""
    return [one for one in executions if one.symbol == venue_symbol and one.exec_id not in booked]


def doubled_fills(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Exec ids that the server's books have more than once."""
    times = Counter(str(row["exec_id"]) for row in rows)
    return [exec_id for exec_id, count in times.items() if count > 1]


def summed(cycles: Iterable[Mapping[str, Any]]) -> Money:
    """The server's books: every cycle, the open one included."""
    total = Money()
    for cycle in cycles:
        total = total.plus(Money.read(cycle))
    return total
