"""Statistics as the API answers them: plain names, numbers as strings, times in UTC."""

from decimal import Decimal
from typing import Any

from blitz.clock import iso_utc
from blitz.core.ladder_settings import plain
from blitz.storage.statistics import Day, EndedCycle, Statistics


def figures_row(found: Statistics) -> dict[str, Any]:
    """The figures of a span."""
    fall = found.drawdown
    return {
        "cycles": found.cycles,
        "not_entered": found.not_entered,
        "won": found.won,
        "lost": found.lost,
        "even": found.even,
        "realised": plain(found.realised),
        "fees": plain(found.fees),
        "funding": plain(found.funding),
        "net": plain(found.net),
        "average_profit": _plain_or_none(found.average_profit),
        "win_rate": _plain_or_none(found.win_rate),
        "average_seconds": found.average_seconds,
        "longest": _named(found.longest),
        "deepest": _named(found.deepest),
        "best": _named(found.best),
        "worst": _named(found.worst),
        "drawdown": {
            "amount": plain(fall.amount),
            "from_at": None if fall.from_ms is None else iso_utc(fall.from_ms),
            "to_at": None if fall.to_ms is None else iso_utc(fall.to_ms),
        },
    }


def day_row(day: Day) -> dict[str, Any]:
    """One day of the user's zone."""
    return {
        "day": day.day.isoformat(),
        "cycles": day.cycles,
        "won": day.won,
        "realised": plain(day.realised),
        "fees": plain(day.fees),
        "funding": plain(day.funding),
        "profit": plain(day.profit),
        "cumulative": plain(day.cumulative),
    }


def _named(cycle: EndedCycle | None) -> dict[str, Any] | None:
    if cycle is None:
        return None
    return {
        "number": cycle.number,
        "profit": plain(cycle.profit),
        "seconds": cycle.seconds,
        "legs_filled": cycle.legs_filled,
    }


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
