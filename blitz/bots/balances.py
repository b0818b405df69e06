"""What is in a trader's account, for the preview: asked at most once in ten seconds, and never waited for long.

Read with the trader's own key, and only on the account that the stored settings trade on: choosing another exchange or
mode in a form sends a key nowhere. What is not known in time is said as unknown, and is there for the next who asks.
"""

import threading
from dataclasses import dataclass

import structlog

from blitz.bots.paper_accounts import PAPER_BALANCE
from blitz.bots.venues import Venues
from blitz.clock import Clock
from blitz.core.calls import Refusal, Rejected, Unknown
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance
from blitz.core.ladder_settings import LadderSettings, Mode
from blitz.errors import BlitzError
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.storage.users import User

log = structlog.get_logger(__name__)

FRESH_MS = 10_000
PATIENCE_SECONDS = 0.4
"""How long a page waits for an answer before it goes on without."""
AT_ONCE_MAX = 8
"""Reads on their way; further ones are not begun."""

NO_KEY = "The balance is not known: no API key is stored."
NOT_STORED = "The balance is not known: save this exchange and mode first."
NOT_YET = "The balance is not known yet: the exchange has not answered."
REFUSED = "The balance is not known: the exchange refuses the stored key."
NEW_ACCOUNT = "A new paper account begins with this balance."


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBalance:
    """A balance, or why there is none."""

    balance: AccountBalance | None
    note: str | None = None

    @property
    def is_coming(self) -> bool:
        """Whether it is worth asking again in a moment."""
        return self.note == NOT_YET


@dataclass(slots=True)
class _Read:
    """One question to an exchange."""

    began_ms: int
    done: threading.Event
    answer: KnownBalance = KnownBalance(balance=None, note=NOT_YET)


class Balances:
    """Remembers what was read. Safe to use from many threads."""

    def __init__(self, exchanges: Exchanges, venues: Venues, clock: Clock) -> None:
        self._exchanges = exchanges
        self._venues = venues
        self._clock = clock
        self._reads: dict[tuple[int, str, str], _Read] = {}
        self._guard = threading.Lock()

    def known(self, user: User, settings: LadderSettings) -> KnownBalance:
        """What is known of the account that `settings` trade on."""
        is_stored = settings.account == user.settings.account
        if not is_stored and (settings.mode is not Mode.PAPER or user.has_keys):
            return KnownBalance(balance=None, note=NOT_STORED)
        try:
            keys = self._venues.credentials(user.id, settings)
        except BlitzError:
            keys = None
        if keys is None:
            return KnownBalance(balance=None, note=NO_KEY)
        read = self._current((user.id, settings.account, keys.api_key), self._venues.of(settings), keys)
        if read is None:
            return KnownBalance(balance=None, note=NOT_YET)
        read.done.wait(PATIENCE_SECONDS)
        return read.answer

    def _current(self, name: tuple[int, str, str], venue: Venue, keys: Credentials) -> _Read | None:
        """The read that is under way or fresh, else a new one; None when too many are under way."""
        now = self._clock.monotonic_ms()
        with self._guard:
            self._reads = {
                key: each
                for key, each in self._reads.items()
                if not each.done.is_set() or now - each.began_ms < FRESH_MS
            }
            if name in self._reads:
                return self._reads[name]
            if sum(not each.done.is_set() for each in self._reads.values()) >= AT_ONCE_MAX:
                return None
            read = self._reads[name] = _Read(began_ms=now, done=threading.Event())
        threading.Thread(target=self._ask, args=(read, venue, keys), name="balance", daemon=True).start()
        return read

    def _ask(self, read: _Read, venue: Venue, keys: Credentials) -> None:
        try:
            read.answer = _known(venue, self._exchanges.balance(venue, keys))
        except BlitzError as problem:
            log.info("The balance was not read.", action="balance_unread", reason=str(problem))
        finally:
            read.done.set()


def _known(venue: Venue, answer: AccountBalance | Rejected | Unknown) -> KnownBalance:
    if isinstance(answer, AccountBalance):
        return KnownBalance(balance=answer)
    if isinstance(answer, Rejected) and answer.refusal is Refusal.KEY:
        if venue.mode is Mode.PAPER:  # it is opened when the bot first starts
            return KnownBalance(balance=AccountBalance(equity=PAPER_BALANCE, available=PAPER_BALANCE), note=NEW_ACCOUNT)
        return KnownBalance(balance=None, note=REFUSED)
    return KnownBalance(balance=None, note=NOT_YET)
