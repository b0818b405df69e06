"""How the exchanges stand towards this server, in figures: requests, bans and clocks. No user is named."""

from collections.abc import Mapping
from dataclasses import dataclass

from blitz.exchange.exchanges import Exchanges


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFigures:
    """One venue as of now."""

    venue: str
    """Such as `Bybit (live)`."""
    in_window: int
    """Requests in the fullest window of this server's address."""
    window_limit: int
    window_seconds: float
    counts: bool
    """Whether this venue's limits are counted at all."""
    in_flight: int
    waiting: Mapping[str, int]
    """Requests that stand in line, by priority."""
    banned_seconds: float
    """How long the exchange will still keep this address out; 0 when it does not."""
    users_shut_out: int
    requests_total: int
    not_sent_total: int
    """Requests whose turn did not come in time."""
    bans_total: int
    clock_offset_seconds: float | None
    """How far the exchange's clock is ahead of this machine's; None before it has told its time."""
    clock_unsure_seconds: float | None
    """How far off that may be; None when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFigures:
    """How the connections stand on which the exchanges tell what happens."""

    ready: int
    waiting: int
    """Not up yet, or to be opened again."""
    reconnects: int
    """Since the process started."""


def stream_figures(exchanges: Exchanges) -> StreamFigures | None:
    """Every stream that was asked for; None on a server without streams."""
    standing = exchanges.streams()
    if standing is None:
        return None
    return StreamFigures(ready=standing.ready, waiting=standing.waiting, reconnects=standing.reconnects)


def venue_figures(exchanges: Exchanges, now_ms: int) -> list[VenueFigures]:
    """Every venue that was ever asked for something."""
    clocks = exchanges.clocks()
    figures = []
    for standing in exchanges.standings():
        clock = clocks.get(standing.name)
        is_known = clock is not None and clock.is_measured
        unsure_ms = clock.unsure_ms if clock is not None else None
        figures.append(
            VenueFigures(
                venue=standing.name,
                in_window=standing.in_window,
                window_limit=standing.limit,
                window_seconds=standing.window_ms / 1000,
                counts=standing.counts,
                in_flight=standing.in_flight,
                waiting={priority.name.lower(): count for priority, count in standing.waiting.items()},
                banned_seconds=max(0, (standing.banned_until_ms or 0) - now_ms) / 1000,
                users_shut_out=standing.users_shut_out,
                requests_total=standing.turns_total,
                not_sent_total=standing.refused_total,
                bans_total=standing.bans_total,
                clock_offset_seconds=clock.offset_ms / 1000 if clock is not None and is_known else None,
                clock_unsure_seconds=None if unsure_ms is None else unsure_ms / 1000,
            )
        )
    return figures
