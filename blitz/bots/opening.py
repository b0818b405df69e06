"""Opening: what a bot stands on before its first pass. Its journal is read, its account and its market are connected.

Everything here may be tried again; nothing is sent that places or moves an order.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from blitz.bots.driver import Driver
from blitz.bots.paper_accounts import WrongSecret
from blitz.bots.venues import Venues
from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import LadderSettings, Mode
from blitz.core.memory import BotMemory, recall
from blitz.core.records import Remembered
from blitz.core.refusals import KEY_REJECTED_CODE
from blitz.errors import BlitzError, GatewayProblem
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.journal import BotJournal, open_cycle
from blitz.storage.users import User, UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BotParts:
    """What every bot works with; shared by all of them."""

    clock: Clock
    database: Database
    users: UserStore
    store: BotStore
    exchanges: Exchanges
    venues: Venues
    poll_seconds: float | None = 1.0
    """How long a bot waits between looks when nothing happens; None: only when it is woken (a replay)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A bot's connection to its market: built when it starts and again when a new cycle has new settings."""

    memory: BotMemory
    venue: Venue
    credentials: Credentials
    driver: Driver
    clock: Clock
    journal: BotJournal


class MissingCredentials(BlitzError):
    """The settings need an API key, and none is stored or the stored one is certainly wrong."""


class NotLive(BlitzError):
    """The settings trade real money, and the trader has not gone live with this key on this exchange."""

    def __init__(self) -> None:
        super().__init__(
            "Live is chosen, and nobody has gone live with this key yet: nothing is placed with real money. Open "
            "Settings, press Go live, and confirm with your password."
        )


def open_market(
    parts: BotParts,
    user_id: int,
    *,
    by_trader: bool,
    begins: bool,
    leaving: threading.Event,
    on_remembered: Callable[[Remembered], None],
) -> Opened:
    """Connect to the market that the open cycle, or else the settings, are about.

    `by_trader`: the trader pressed Start; `begins`: no pass has come to a verdict yet; `leaving`: once set, nothing is
    sent any more. `on_remembered` is told what the journal holds before anything else can fail. Raises
    `MissingCredentials`, `NotLive`, `SecretUnreadable`, `GatewayProblem` and `DatabaseProblem`.
    """
    chosen = _account_to_trade_on(parts, user_id, by_trader=by_trader)
    journal = BotJournal(parts.database, user_id, parts.venues.of(chosen).account)
    remembered = journal.load()
    on_remembered(remembered)
    in_force = remembered.cycle.settings if remembered.cycle else chosen
    if remembered.cycle is None and must_go_live(user_of(parts, user_id)):
        raise NotLive
    venue, credentials = parts.venues.of(in_force), _account_opened(parts, user_id, in_force)
    gateway = parts.exchanges.gateway(venue, credentials, in_force)
    clock = parts.exchanges.clock(venue)
    memory = recall(
        user_id=user_id,
        settings=in_force,
        instrument=parts.exchanges.instrument(venue, in_force.symbol),
        traits=gateway.traits,
        remembered=remembered,
    )
    memory.started_by_trader = by_trader and begins
    driver = Driver(gateway, journal, clock, leaving)
    return Opened(memory=memory, venue=venue, credentials=credentials, driver=driver, clock=clock, journal=journal)


def is_outdated(parts: BotParts, user_id: int, opened: Opened) -> bool:
    """Between cycles settings may have changed; and a key that the exchange refuses may have been replaced."""
    memory = opened.memory
    if memory.must_reload:
        return True
    if memory.cycle is None:
        user = user_of(parts, user_id)
        if user.settings != memory.settings or must_go_live(user):
            return True
    refused = memory.attention is not None and memory.attention.code == KEY_REJECTED_CODE
    return refused and parts.venues.credentials(user_id, memory.settings) != opened.credentials


def must_go_live(user: User) -> bool:
    """Say whether a new cycle of this user would trade real money that nobody has allowed."""
    return user.settings.mode is Mode.LIVE and not user.is_armed


def user_of(parts: BotParts, user_id: int) -> User:
    """The user. Raises `GatewayProblem` when there is none any more."""
    user = parts.users.by_id(user_id)
    if user is None:
        raise GatewayProblem("This user does not exist any more.")
    return user


def _account_to_trade_on(parts: BotParts, user_id: int, *, by_trader: bool) -> LadderSettings:
    """The settings that name the account.

    A bot that resumes, and a recover, go on with the cycle that is open, whatever was saved meanwhile: settings take
    effect with the next cycle, and a new mode must not begin to trade because the server was restarted.
    """
    settings = user_of(parts, user_id).settings
    if by_trader:
        return settings
    cycle = open_cycle(parts.database, user_id)
    return cycle.settings if cycle else settings


def _account_opened(parts: BotParts, user_id: int, settings: LadderSettings) -> Credentials:
    credentials = parts.venues.credentials(user_id, settings)
    if credentials is None:
        raise MissingCredentials("Enter API key and secret under Settings first.")
    try:
        parts.venues.open_account(settings, credentials)
    except WrongSecret as problem:
        raise MissingCredentials(str(problem)) from problem
    return credentials
