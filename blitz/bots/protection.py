"""Whether a position is protected, since when, and if not, why: a pure state machine over what each pass saw.

`bots.sight` makes a `Sight` of a pass, the bot's thread folds it in with `after`, and whoever reads asks `as_of` a
moment: a picture that nobody could renew for longer than the bound is not called protected any more. Nothing here reads
a clock, logs or stores; `bots.incidents` does the telling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from blitz.clock import iso_utc
from blitz.core.orders import ZERO

INCIDENT_AFTER_MS = 5_000
"""A position may be without certain protection this long (L1); beyond it that is an incident."""

INCIDENT_AFTER_RESTART_MS = 15_000
"""The same bound, counted from the start of the process, for bots that resume (L1)."""


class Cover(StrEnum):
    """What is known of a position's exits."""

    UNSEEN = "unseen"
    """Nobody has looked at the exchange in this process, and no position is remembered."""
    NO_POSITION = "no_position"
    PROTECTED = "protected"
    """Every exit the settings ask for rests, for the whole position."""
    UNPROTECTED = "unprotected"
    UNKNOWN = "unknown"
    """A position is or may be open, and nobody can look. Never read as protected (S9)."""


class CauseCode(StrEnum):
    """Why a position is not protected, for programs; each has its remedy in `web.feed`."""

    BEING_PLACED = "being_placed"
    BEING_MOVED = "being_moved"
    REFUSED = "refused"
    TOO_SMALL = "too_small"
    MARKET_CLOSED = "market_closed"
    KEY_REJECTED = "key_rejected"
    UNANSWERED = "unanswered"
    CANCELLED_BY_HAND = "cancelled_by_hand"
    IDS_AMBIGUOUS = "ids_ambiguous"
    CLOSING = "closing"
    EXCHANGE_UNREAD = "exchange_unread"
    BOOKS_DIFFER = "books_differ"
    JOURNAL_UNWRITTEN = "journal_unwritten"
    BOT_HANGS = "bot_hangs"
    IN_LINE = "in_line"
    STOPPED = "stopped"
    STOPPED_WITH_LEGS = "stopped_with_legs"
    SWITCHED_OFF = "switched_off"
    NOT_OURS = "not_ours"


WANTED_SO = frozenset({CauseCode.SWITCHED_OFF, CauseCode.NOT_OURS})
"""Shown, but never an incident: the trader's own choice, or the trader's own position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why: a code for programs, and a trader's sentence. The same code with other figures is the same cause."""

    code: CauseCode
    said: str


NOT_LOOKED = Cause(code=CauseCode.EXCHANGE_UNREAD, said="The exchange has not been read yet.")
ALL_REST = "Every exit rests for the whole position."
WAITS_IN_LINE = Cause(
    code=CauseCode.IN_LINE,
    said="The limit of requests at the exchange is used up, and the bot waits for its turn to look at the position.",
)
HANGS = Cause(
    code=CauseCode.BOT_HANGS, said="The bot waits for an answer in one single call and cannot look at the position."
)
LEGS_UNWATCHED = Cause(
    code=CauseCode.STOPPED_WITH_LEGS,
    said="Entry legs rest while the bot is stopped: nobody moves the exits when one of them fills.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one pass saw of the position. `cause` is set exactly when it is unprotected or unknown."""

    cover: Cover
    quantity: Decimal = ZERO
    cause: Cause | None = None
    is_mended: bool = False
    """The exchange has just accepted the missing exit; the next look only has to confirm it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Whether the position is covered by what should protect it. Times are the machine's, in milliseconds."""

    cover: Cover = Cover.UNSEEN
    since_ms: int | None = None
    """Protected: since when without a break. Otherwise: since when nobody can say that it is protected."""
    cause: Cause | None = None
    why: str = NOT_LOOKED.said
    quantity: Decimal = ZERO
    unread_since_ms: int | None = None
    """Since when looking fails; None after a look that succeeded."""
    unread: Cause | None = None

    @property
    def is_protected(self) -> bool:
        """Whether it was, at the last look. Readers ask `as_of` first."""
        return self.cover is Cover.PROTECTED

    @property
    def is_open(self) -> bool:
        """Whether a position is, or may be, open."""
        return self.cover in {Cover.PROTECTED, Cover.UNPROTECTED, Cover.UNKNOWN}

    @property
    def is_alarming(self) -> bool:
        """Whether this becomes an incident when it lasts."""
        return self.is_open and self.cause is not None and self.cause.code not in WANTED_SO

    def as_of(self, now_ms: int) -> "Protection":
        """What may be said at this moment: a look that has failed for longer than the bound leaves only unknown."""
        if self.unread_since_ms is None or self.unread is None or now_ms - self.unread_since_ms <= INCIDENT_AFTER_MS:
            return self
        if self.cover is not Cover.PROTECTED:
            return replace(self, cause=self.unread, why=self.unread.said)
        why = f"{self.unread.said} When it was last seen, every exit rested for the whole position."
        return replace(self, cover=Cover.UNKNOWN, since_ms=self.unread_since_ms, cause=self.unread, why=why)

    def to_json(self, now_ms: int, incident_since_ms: int | None = None) -> dict[str, object]:
        """The status' `protected`, of a protection as of `now_ms`."""
        return {
            "yes": self.is_protected,
            "since": None if self.since_ms is None else iso_utc(self.since_ms),
            "why": self.why,
            "state": self.cover.value,
            "cause": None if self.cause is None else self.cause.code.value,
            "incident": None if incident_since_ms is None else self._incident(now_ms, incident_since_ms),
        }

    def _incident(self, now_ms: int, since_ms: int) -> Mapping[str, object]:
        seconds = max(0, (now_ms - since_ms) // 1000)
        return {"since": iso_utc(since_ms), "seconds": seconds, "cause": self.why}


def after(before: Protection, sight: Sight, *, began_ms: int, now_ms: int) -> Protection:
    """Fold in what a pass saw that began at `began_ms` and ended now.

    A stretch without certain protection goes on over changes of its cause, and over looks that fail in between.
    """
    if sight.cover is Cover.UNKNOWN:
        assert sight.cause is not None
        return unread(before, sight.cause, since_ms=began_ms, quantity=sight.quantity)
    if sight.cover is Cover.NO_POSITION:
        return Protection(cover=Cover.NO_POSITION, why="There is no position.")
    earlier = before.as_of(now_ms)
    if sight.cover is Cover.PROTECTED:
        since_ms = earlier.since_ms if earlier.is_protected else now_ms
        return Protection(cover=Cover.PROTECTED, since_ms=since_ms, why=ALL_REST, quantity=sight.quantity)
    assert sight.cause is not None
    since_ms = _uncertain_since(before)
    if since_ms is None:
        since_ms = now_ms if sight.is_mended else began_ms
    return Protection(
        cover=sight.cover, since_ms=since_ms, cause=sight.cause, why=sight.cause.said, quantity=sight.quantity
    )


def unread(before: Protection, cause: Cause, *, since_ms: int, quantity: Decimal = ZERO) -> Protection:
    """A look failed that began at `since_ms`. `quantity` is what may be open though no look has shown it."""
    if not before.is_open:
        if quantity == 0:
            return before
        return Protection(cover=Cover.UNKNOWN, since_ms=since_ms, cause=cause, why=cause.said, quantity=quantity)
    if before.cause is not None and before.cause.code in WANTED_SO:
        return before
    first_ms = since_ms if before.unread_since_ms is None else before.unread_since_ms
    return replace(before, unread_since_ms=first_ms, unread=cause)


def ended(before: Protection, *, legs_rest: bool, now_ms: int) -> Protection:
    """The bot's thread has ended: nothing is claimed that nobody watches any more.

    Exits that rest for the whole position go on protecting it. But where entry legs rest too, one that fills is covered
    by nothing, because nobody moves the exits then.
    """
    last = before.as_of(now_ms)
    if last.is_protected and legs_rest:
        return Protection(
            cover=Cover.UNPROTECTED,
            since_ms=now_ms,
            cause=LEGS_UNWATCHED,
            why=LEGS_UNWATCHED.said,
            quantity=last.quantity,
        )
    if last.is_protected:
        why = "Every exit rested for the whole position when the bot last looked; nobody watches while it is stopped."
        return replace(last, why=why, unread=None, unread_since_ms=None)
    if not last.is_alarming:
        return replace(last, unread=None, unread_since_ms=None)
    cause = Cause(code=CauseCode.STOPPED, said=f"The bot is stopped and places nothing. Last seen: {last.why}")
    return replace(last, cause=cause, why=cause.said, unread=None, unread_since_ms=None)


def _uncertain_since(before: Protection) -> int | None:
    """Since when nobody can say that the position is protected; None while somebody can."""
    if before.cover in {Cover.UNPROTECTED, Cover.UNKNOWN}:
        return before.since_ms
    return before.unread_since_ms
