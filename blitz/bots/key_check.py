"""Asks the exchange of a trader's settings about the trader's stored key: does it work, and what may it do.

Called by the web right after a key was stored, and on demand. Sends no order and changes nothing at an exchange; only
on paper the account of the key is opened, as saving it does.
"""

from dataclasses import dataclass, replace

from blitz.bots.paper_accounts import WrongSecret
from blitz.bots.venues import Venues
from blitz.core.calls import Rejected
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.key_check import (
    NOT_NEEDED,
    UNASKED,
    WORKS_ON_PAPER,
    KeyCheck,
    Verdict,
    of_answers,
    of_refusal,
)
from blitz.core.ladder_settings import LadderSettings, Mode
from blitz.errors import GatewayProblem
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.storage.users import UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """Looks at stored keys."""

    users: UserStore
    exchanges: Exchanges
    venues: Venues

    def check(self, user_id: int) -> KeyCheck | None:
        """Ask about the user's key where the settings trade; None when one is needed and none is stored.

        Raises `SecretUnreadable`.
        """
        user, keys = self.users.by_id(user_id), self.users.credentials(user_id)
        if user is None:
            return None
        if user.settings.mode is Mode.PAPER:
            return self._on_paper(user.settings, keys)
        return None if keys is None else self._asked(self.venues.of(user.settings), keys)

    def _on_paper(self, settings: LadderSettings, keys: Credentials | None) -> KeyCheck:
        if keys is None:
            return KeyCheck(verdict=Verdict.NOT_NEEDED, message=NOT_NEEDED)
        try:
            self.venues.open_account(settings, keys)
        except WrongSecret as problem:
            return KeyCheck(verdict=Verdict.REFUSED, message=str(problem))
        except GatewayProblem as problem:
            return KeyCheck(verdict=Verdict.UNKNOWN, message=UNASKED, words=str(problem))
        found = self._asked(self.venues.of(settings), keys)
        if found.verdict in {Verdict.REFUSED, Verdict.UNKNOWN}:
            return found
        # What a made-up key may do with made-up money concerns nobody.
        return replace(found, verdict=Verdict.WORKS, message=WORKS_ON_PAPER, findings=(), rights=None)

    def _asked(self, venue: Venue, keys: Credentials) -> KeyCheck:
        rights = self.exchanges.key_rights(venue, keys)
        if not isinstance(rights, KeyRights):
            fault = self.exchanges.key_fault(venue, rights) if isinstance(rights, Rejected) else None
            return of_refusal(rights, fault)
        balance = self.exchanges.balance(venue, keys)
        if not isinstance(balance, AccountBalance):
            fault = self.exchanges.key_fault(venue, balance) if isinstance(balance, Rejected) else None
            return of_refusal(balance, fault, rights)
        return of_answers(rights, balance)
