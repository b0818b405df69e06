"""Which venue a trader's settings mean on this server, and with whose key."""

from dataclasses import dataclass

from blitz.bots.paper_accounts import keys_on, open_paper_account
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName, LadderSettings, Mode
from blitz.exchange.connection import Venue
from blitz.storage.users import UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """Knows where each mode trades. Addresses are without a trailing slash."""

    paper_url: str
    """The paper exchange."""
    users: UserStore
    rehearsal_url: str = ""
    """What answers demo and live on this machine in the exchange's place; empty, as a rule, for the exchange itself."""

    def venue(self, exchange: ExchangeName, mode: Mode, *, testnet: bool = False) -> Venue:
        """The venue of an exchange in a mode; `testnet` counts in demo only."""
        return Venue(
            exchange=exchange,
            mode=mode,
            base_url=self.paper_url if mode is Mode.PAPER else self.rehearsal_url,
            testnet=testnet and mode is Mode.DEMO,
        )

    def of(self, settings: LadderSettings) -> Venue:
        """The venue that these settings trade on."""
        return self.venue(settings.exchange, settings.mode, testnet=settings.testnet)

    def credentials(self, user_id: int, settings: LadderSettings) -> Credentials | None:
        """The trader's key for this venue; None when one is needed and none is stored.

        Paper needs none: a paper account is made by itself, unless the trader's own key names one.
        """
        stored = self.users.credentials(user_id)
        if stored is None and settings.mode is Mode.PAPER:
            stored = keys_on(settings.exchange, self.users.paper_credentials(user_id))
        return stored

    def open_account(self, settings: LadderSettings, credentials: Credentials) -> None:
        """See to it that the account exists; only paper can open one. Raises `GatewayProblem`, `WrongSecret`."""
        if settings.mode is Mode.PAPER:
            open_paper_account(self.paper_url, settings.exchange, credentials)
