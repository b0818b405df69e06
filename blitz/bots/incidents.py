"""Incidents: positions that were without certain protection for longer than the bound. Told once each, and counted.

A bot's thread judges its own position after each pass, the manager's watchdog judges everybody's in between, so that a
thread that hangs or has ended is judged the same way. Telling happens outside of the lock, in the order in which things
happened, and in a crowd it gives way: a thousand lines at once would hold up the exits that they are about.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

import structlog

from blitz.bots.protection import INCIDENT_AFTER_MS, Cause, Cover, Protection
from blitz.clock import iso_utc
from blitz.core.ladder_settings import plain
from blitz.core.records import EventKind

log = structlog.get_logger(__name__)

CHANGE_EVERY_MS = 30_000
"""A cause that changes back and forth is told this often at most."""

CROWD = 20
"""So many untold lines are told with pauses in between."""
TELL_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A position that has been without certain protection for too long."""

    symbol: str
    quantity: Decimal
    cover: Cover
    """Unprotected, or unknown because nobody can look."""
    cause: Cause
    """As it was told last."""
    since_ms: int
    """Since when nobody can say that the position is protected; the incident began one bound later."""
    told_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionFigures:
    """What operators watch, over all positions this server knows of."""

    open: int
    protected: int
    unprotected: int
    """Open and not certainly protected, those included that are so by their trader's choice."""
    incidents_open: int
    unprotected_seconds_max: float
    """The longest stretch without certain protection that goes on now, choices left out; 0 without one."""
    incidents_total: int
    """Since the process started."""


class Incidents:
    """Everybody's incidents. `tell` adds a line to a trader's feed; it may be called by any thread."""

    def __init__(self, tell: Callable[[int, EventKind, Mapping[str, str]], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._open: dict[int, Incident] = {}
        self._total = 0
        self._untold: deque[Callable[[], None]] = deque()
        self._telling = threading.Lock()

    def judge(
        self, user_id: int, symbol: str, read: Callable[[], Protection], now_ms: int, *, not_before_ms: int = 0
    ) -> None:
        """Let the user's incident begin, change its cause, or end; `tell` follows.

        `read` is called under the lock: of two threads that judge at once, the later one never sees the older picture.
        """
        with self._lock:
            protection = read()
            before = self._open.get(user_id)
            incident = _next(before, symbol, protection, now_ms, not_before_ms)
            if incident is None:
                self._open.pop(user_id, None)
            else:
                self._open[user_id] = incident
            self._total += before is None and incident is not None
            if incident is not None and (before is None or before.told_ms != incident.told_ms):
                self._untold.append(partial(self._tell_of, user_id, incident, has_begun=before is None))
            elif before is not None and incident is None:
                self._untold.append(partial(self._tell_end, user_id, before, protection, now_ms))

    def tell(self) -> None:
        """Tell what came of judging, unless there is a crowd of it: then that is left to `tell_slowly`."""
        if len(self._untold) < CROWD and self._telling.acquire(blocking=False):
            try:
                self._tell_some(0.0)
            finally:
                self._telling.release()

    def tell_slowly(self, within_seconds: float) -> None:
        """Tell what is untold, with pauses in between; what is left after this long waits for the next time."""
        with self._telling:
            self._tell_some(within_seconds)

    def _tell_some(self, within_seconds: float) -> None:
        ends = time.monotonic() + within_seconds
        while self._untold:
            self._untold.popleft()()
            if within_seconds:
                time.sleep(TELL_PAUSE_SECONDS)
                if time.monotonic() > ends:
                    return

    def of(self, user_id: int) -> Incident | None:
        """The user's open incident, if any."""
        with self._lock:
            return self._open.get(user_id)

    def figures(self, protections: list[Protection], now_ms: int) -> ProtectionFigures:
        """Count positions and incidents. The protections are those of all bots as of `now_ms`."""
        held = [one for one in protections if one.is_open]
        protected = sum(one.is_protected for one in held)
        stretches = [now_ms - one.since_ms for one in held if one.is_alarming and one.since_ms is not None]
        with self._lock:
            incidents, total = list(self._open.values()), self._total
        stretches += [now_ms - incident.since_ms for incident in incidents]
        return ProtectionFigures(
            open=len(held),
            protected=protected,
            unprotected=len(held) - protected,
            incidents_open=len(incidents),
            unprotected_seconds_max=max([0, *stretches]) / 1000,
            incidents_total=total,
        )

    def _tell_of(self, user_id: int, incident: Incident, *, has_begun: bool) -> None:
        is_known = incident.cover is Cover.UNPROTECTED
        sentence = "A position is unprotected." if is_known else "Nobody can tell whether a position is protected."
        if not has_begun:
            sentence = "A position is unprotected for another reason."
        log.error(
            sentence,
            action="unprotected",
            user_id=user_id,
            symbol=incident.symbol,
            quantity=plain(incident.quantity),
            state=incident.cover.value,
            cause=incident.cause.code.value,
            said=incident.cause.said,
            since=iso_utc(incident.since_ms),
        )
        told = {"cause": incident.cause.said, "code": incident.cause.code.value, "since": iso_utc(incident.since_ms)}
        place = {"symbol": incident.symbol, "quantity": plain(incident.quantity), "state": incident.cover.value}
        self._tell(user_id, EventKind.UNPROTECTED, told | place)

    def _tell_end(self, user_id: int, incident: Incident, protection: Protection, now_ms: int) -> None:
        seconds, how = (now_ms - incident.since_ms) / 1000, protection.cover.value
        log.info(
            "A position is no longer unprotected.",
            action="protected_again",
            user_id=user_id,
            symbol=incident.symbol,
            quantity=plain(protection.quantity),
            now=how,
            seconds=round(seconds, 1),
        )
        self._tell(user_id, EventKind.PROTECTED_AGAIN, {"how": how, "seconds": str(round(seconds))})


def _next(
    before: Incident | None, symbol: str, protection: Protection, now_ms: int, not_before_ms: int
) -> Incident | None:
    """The user's incident after this picture of the position; pure."""
    if protection.cover is Cover.UNSEEN:
        return before  # a bot that was just started has not looked yet
    if not protection.is_alarming or protection.since_ms is None or protection.cause is None:
        return None
    if before is None:
        lasts = now_ms - protection.since_ms > INCIDENT_AFTER_MS and now_ms >= not_before_ms
        return (
            Incident(
                symbol=symbol,
                quantity=protection.quantity,
                cover=protection.cover,
                cause=protection.cause,
                since_ms=protection.since_ms,
                told_ms=now_ms,
            )
            if lasts
            else None
        )
    if protection.cause.code is before.cause.code or now_ms - before.told_ms < CHANGE_EVERY_MS:
        return before
    return replace(
        before,
        quantity=protection.quantity,
        cover=protection.cover,
        cause=protection.cause,
        told_ms=now_ms,
    )
