"""Going live: looks at key, balance and ladder at the exchange, and remembers that a trader went live.

Called by the web, which has asked for the password again before. Sends no order. A running cycle keeps the mode it
began with; what is decided here counts when a bot begins, and between two cycles.
"""

from dataclasses import dataclass, replace

import structlog

from blitz.bots.venues import Venues
from blitz.clock import Clock
from blitz.core.calls import Rejected, Unknown
from blitz.core.credentials import Credentials
from blitz.core.going_live import (
    AccountBalance,
    Finding,
    KeyRights,
    LiveCheck,
    about_key,
    about_stake,
    against_key,
    stake_of,
)
from blitz.core.key_check import PASSING
from blitz.core.ladder_settings import Mode
from blitz.core.preview import preview_ladder
from blitz.core.records import BotEvent, EventKind
from blitz.errors import SecretUnreadable
from blitz.exchange.exchanges import Exchanges
from blitz.storage.users import User, UserStore

log = structlog.get_logger(__name__)

NOT_CHOSEN = Finding(
    code="mode_not_live", message="The stored settings do not trade live. Choose live under Settings and save, first."
)
NO_KEY = Finding(code="missing_credentials", message="Enter API key and secret under Account first.")
CHANGED = Finding(
    code="changed_meanwhile", message="Key, exchange or mode were changed meanwhile. Look at the check again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingLive:
    """The deliberate act before real money is traded."""

    clock: Clock
    users: UserStore
    exchanges: Exchanges
    venues: Venues

    def check(self, user_id: int) -> LiveCheck:
        """Look at everything anew.

        Raises `GatewayProblem` when the market cannot be read, `SettingsProblem` for a ladder that it would refuse.
        """
        chosen = self._chosen(user_id)
        return LiveCheck(refusals=(chosen,)) if isinstance(chosen, Finding) else self._checked(*chosen)

    def go(self, user_id: int, peer: str) -> LiveCheck:
        """Check once more and, when nothing stands against it, remember that the trader went live.

        `peer` is the address of the other end, for the log. Raises as `check` does.
        """
        chosen = self._chosen(user_id)
        if isinstance(chosen, Finding):
            return LiveCheck(refusals=(chosen,))
        user, keys = chosen
        found, exchange = self._checked(user, keys), user.settings.exchange
        if not found.refusals and not self.users.go_live(user_id, keys, exchange, self._told(user, found)):
            found = replace(found, refusals=(CHANGED,))
        if found.refusals:
            codes = ", ".join(each.code for each in found.refusals)
            log.warning("Going live was refused.", action="live_refused", user_id=user_id, peer=peer, codes=codes)
        else:
            log.warning("A trader went live.", action="went_live", user_id=user_id, peer=peer, exchange=exchange.value)
        return found

    def _chosen(self, user_id: int) -> tuple[User, Credentials] | Finding:
        """The trader and the keys that are to be checked."""
        user = self.users.by_id(user_id)
        if user is None or user.settings.mode is not Mode.LIVE:
            return NOT_CHOSEN
        try:
            keys = self.users.credentials(user_id)
        except SecretUnreadable as problem:
            return replace(NO_KEY, message=str(problem))
        return NO_KEY if keys is None else (user, keys)

    def _checked(self, user: User, keys: Credentials) -> LiveCheck:
        settings, venue = user.settings, self.venues.of(user.settings)
        rights = self.exchanges.key_rights(venue, keys)
        if not isinstance(rights, KeyRights):
            return LiveCheck(refusals=(_unread("what this key may do", rights),))
        against = tuple(against_key(rights))
        balance = self.exchanges.balance(venue, keys)
        if not isinstance(balance, AccountBalance):
            return LiveCheck(refusals=(*against, _unread("the balance", balance)), rights=rights)
        rules = self.exchanges.instrument(venue, settings.symbol)
        price = self.exchanges.last_price(venue, settings.symbol)
        stake = stake_of(preview_ladder(settings, rules, price, balance=balance.equity), balance)
        warnings = (*about_key(rights), *about_stake(stake))
        return LiveCheck(refusals=against, warnings=warnings, rights=rights, stake=stake)

    def _told(self, user: User, found: LiveCheck) -> BotEvent:
        """The line of the trader's feed: who, when, where, with which key, and what was warned of."""
        data = {
            "who": user.email,
            "exchange": user.settings.exchange.value,
            "key": user.key_hint,
            "warned": " ".join(each.message for each in found.warnings),
        }
        return BotEvent(kind=EventKind.WENT_LIVE, at_ms=self.clock.now_ms(), data=data)


def _unread(what: str, answer: Rejected | Unknown) -> Finding:
    """Why something was not read: the exchange refuses the key, or it did not say, which is not a yes."""
    if isinstance(answer, Rejected) and answer.refusal not in PASSING:
        said = f"The exchange refuses this key ({answer.code}: {answer.message}). Check key and secret under Account."
        return Finding(code="key_rejected", message=said)
    reason = answer.reason if isinstance(answer, Unknown) else f"{answer.code}: {answer.message}"
    said = f"The exchange did not say {what}, and that is not a yes: {reason.rstrip('.')}. Try again in a moment."
    return Finding(code="unknown", message=said)
