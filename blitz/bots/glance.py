"""One bot at a glance: what a list of thousands shows of each, from pictures in memory alone."""

from dataclasses import dataclass
from typing import cast

from blitz.bots.protection import Cover, Protection
from blitz.bots.status import BotSnapshot, BotStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class BotGlance:
    """A bot that runs, or has ended in this process."""

    status: BotStatus
    message: str
    uptime: int
    """Seconds; 0 when it does not run."""
    account: str
    exchange: str
    mode: str
    symbol: str
    side: str
    cycle: int | None
    legs_filled: int
    legs: int
    cover: Cover
    since_ms: int | None
    """Protected: since when. Otherwise: since when nobody can say that it is."""
    why: str
    is_alarming: bool
    """Open and not certainly protected, and not by its trader's choice."""
    has_position: bool
    """A position is, or may be, open."""


def glance(snapshot: BotSnapshot, protection: Protection, uptime: int) -> BotGlance:
    """The glance at a bot; `protection` is as of now."""
    settings, cycle = snapshot.settings, snapshot.cycle or {}
    return BotGlance(
        status=snapshot.status,
        message=snapshot.message,
        uptime=uptime,
        account=settings.account,
        exchange=settings.exchange.value,
        mode=settings.mode.value,
        symbol=settings.symbol,
        side=settings.side.value,
        cycle=cast("int | None", cycle.get("number")),
        legs_filled=cast(int, cycle.get("legs_filled", 0)),
        legs=cast(int, cycle.get("legs", 0)),
        cover=protection.cover,
        since_ms=protection.since_ms,
        why=protection.why,
        is_alarming=protection.is_alarming,
        has_position=protection.is_open,
    )
