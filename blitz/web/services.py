"""The parts that the web works with, handed over once.

`blitz.app.create_app` stores one `Services` in the app; every view takes it from `services()`. Nothing here builds
anything: `blitz.server` does, for the real server, and `tests/web/conftest.py` for the tests.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import Any, Protocol, cast

from flask import current_app

from blitz.bots.balances import KnownBalance
from blitz.bots.bells import Bells
from blitz.bots.glance import BotGlance
from blitz.bots.incidents import ProtectionFigures
from blitz.bots.venue_figures import StreamFigures, VenueFigures
from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.going_live import LiveCheck
from blitz.core.instrument import Instrument
from blitz.core.key_check import KeyCheck
from blitz.core.ladder_settings import LadderSettings
from blitz.settings import Settings
from blitz.storage.admin_acts import ActStore
from blitz.storage.api_tokens import ApiTokenStore
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.invitations import Invitations
from blitz.storage.notices import NoticeStore
from blitz.storage.people import People
from blitz.storage.preferences import PreferenceStore
from blitz.storage.profits import Profits
from blitz.storage.sessions import SessionStore
from blitz.storage.setup import SetupTokens
from blitz.storage.throttle import SignInThrottle
from blitz.storage.users import User, UserStore

EXTENSION = "blitz"


class Manager(Protocol):
    """What the web asks of `blitz.bots.manager.SimpleBotManager`."""

    bells: Bells
    """Wake whoever watches a bot."""

    def start_bot_for_user(self, user_id: int) -> dict[str, Any]:
        """Start the user's bot; `status` says whether that happened."""

    def stop_bot_for_user(
        self, user_id: int, *, legs: str = "pull", when: str = "now", position: str = "keep"
    ) -> dict[str, Any]:
        """Stop the user's bot in one of the ways of the contract."""

    def get_bot_status(self, user_id: int) -> dict[str, Any]:
        """The last published state; cheap, and never a call to an exchange."""

    def recover_orders_for_user(self, user_id: int, *, dry_run: bool = False) -> dict[str, Any]:
        """Create what is missing, or with `dry_run` only list it."""

    def give_up_cycle(self, user_id: int, cycle: int | None = None) -> dict[str, Any]:
        """Close the open cycle in the books while no bot runs; nothing at the exchange is touched."""

    def get_all_bot_statuses(self) -> dict[str, Any]:
        """Every managed bot, in the documented shape."""

    def overview(self) -> dict[int, BotGlance]:
        """Every bot that runs or has ended in this process, at a glance."""

    def bots_told(self) -> int:
        """How many bots are told by their streams of whatever happens."""

    def protection_figures(self) -> ProtectionFigures:
        """How many positions are open, protected and not, and how many incidents there are."""


class Desk(Protocol):
    """What the web asks of `blitz.bots.markets.MarketDesk`. Every method may raise `GatewayProblem`."""

    def instrument(self, settings: LadderSettings) -> Instrument:
        """The rules of the market these settings trade."""

    def last_price(self, settings: LadderSettings) -> Decimal:
        """Its last price, quote currency."""

    def check_tags(self, user_id: int, settings: LadderSettings) -> None:
        """Raise `SettingsProblem` when the user's order ids would be too long for the venue."""

    def open_account(self, settings: LadderSettings, keys: Credentials) -> None:
        """Open the paper account that a user's own keys name. Raises `SettingsProblem` for a wrong secret."""

    def candles(
        self, settings: LadderSettings, timeframe: str, limit: int, before_ms: int | None = None
    ) -> Sequence[Mapping[str, str | int]]:
        """Its newest candles that begin before `before_ms`, oldest first."""

    def symbols(self, settings: LadderSettings) -> list[str]:
        """Every market a bot may trade where these settings trade."""

    def balance(self, user: User, settings: LadderSettings) -> KnownBalance:
        """What is in the trader's account there, as far as it is known within a moment. Raises nothing."""

    def venue_figures(self, now_ms: int) -> Sequence[VenueFigures]:
        """How each exchange stands towards this server. Asks nobody."""

    def stream_figures(self) -> StreamFigures | None:
        """How the streams stand; None on a server without streams."""


class LiveDesk(Protocol):
    """What the web asks of `blitz.bots.going_live.GoingLive`.

    Both raise `GatewayProblem` when the market cannot be read, `SettingsProblem` for a ladder that it would refuse.
    """

    def check(self, user_id: int) -> LiveCheck:
        """What the exchange says of key and balance, and what the ladder may cost."""

    def go(self, user_id: int, peer: str) -> LiveCheck:
        """Check once more and, when nothing stands against it, remember that the trader went live."""


class KeyDesk(Protocol):
    """What the web asks of `blitz.bots.key_check.KeyDesk`."""

    def check(self, user_id: int) -> KeyCheck | None:
        """What the exchange of the settings says of the stored key; None when one is needed and none is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a view may need."""

    settings: Settings
    database: Database
    users: UserStore
    preferences: PreferenceStore
    sessions: SessionStore
    tokens: ApiTokenStore
    setup: SetupTokens
    throttle: SignInThrottle
    bots: BotStore
    history: History
    manager: Manager
    desk: Desk
    live: LiveDesk
    keys: KeyDesk
    people: People
    profits: Profits
    invitations: Invitations
    notices: NoticeStore
    acts: ActStore
    clock: Clock
    cookie_key: str
    """Signs the tokens of forms; not the key of the stored secrets."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What pages show about the server itself.

    `paper_feed` is the market that paper trades, `rehearsal` the address that stands in for the exchanges, if any.
    """
    closing: Event = field(default_factory=Event)
    """Set once the server shuts down: event streams end, commands answer 503."""
    began: float = field(default_factory=time.monotonic)
    """When the server started, monotonic seconds."""


def services() -> Services:
    """The parts of the app that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
