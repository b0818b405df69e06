"""Opening: what a bot stands on before its first pass. Its journal is read, its account and its market are connected.

Everything here may be tried again; nothing is sent that places or moves an order.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from blitz.bots.driver import Driver
from blitz.bots.paper_accounts import WrongSecret
from blitz.bots.unfinished import unfinished_of
from blitz.bots.venues import Venues
from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import LadderSettings, Mode
from blitz.core.memory import BotMemory, recall
from blitz.core.records import Remembered
from blitz.core.refusals import KEY_REJECTED_CODE
from blitz.errors import BlitzError, GatewayProblem, SecretUnreadable
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

    def __init__(self, sentence: str, refused: str = "") -> None:
        super().__init__(sentence)
        self.refused = refused
        """How the exchange refused the key that is stored; empty when it was not even asked."""


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
    on_remembered: Callable[[Remembered, LadderSettings], None],
) -> Opened:
    """Connect to the market that the open cycle, or else the settings, are about.

    `by_trader`: the trader pressed Start; `begins`: no pass has come to a verdict yet; `leaving`: once set, nothing is
    sent any more. `on_remembered` is told what the journal holds, and the settings in force, before anything else can
    fail. Raises `MissingCredentials`, `NotLive`, `GatewayProblem` and `DatabaseProblem`.
    """
    chosen = settings_to_trade(parts, user_id)
    journal = BotJournal(parts.database, user_id, chosen.account)
    remembered = journal.load()
    in_force = remembered.cycle.settings if remembered.cycle else chosen
    on_remembered(remembered, in_force)
    if remembered.cycle is None and must_go_live(user_of(parts, user_id)):
        raise NotLive
    venue, credentials = parts.venues.of(in_force), _account_opened(parts, user_id, in_force, remembered)
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


def settings_to_trade(parts: BotParts, user_id: int) -> LadderSettings:
    """The settings in force: of the cycle that is open, on whatever account, or else the stored ones.

    Whatever was saved meanwhile takes effect with the next cycle. Nobody else would follow what is open, and a new mode
    must not begin to trade because the server was restarted or Start was pressed.
    """
    cycle = open_cycle(parts.database, user_id)
    return cycle.settings if cycle else user_of(parts, user_id).settings


def refuse_impossible(parts: BotParts, user_id: int) -> None:
    """Raise `MissingCredentials` or `NotLive` when no bot of this user could even begin. Asks no exchange."""
    user, cycle = user_of(parts, user_id), open_cycle(parts.database, user_id)
    try:
        stored_key(parts, user_id, cycle.settings if cycle else user.settings)
    except MissingCredentials as problem:
        if cycle is not None:
            journal = BotJournal(parts.database, user_id, cycle.settings.account)
            raise _waiting_for_key(str(problem), journal.load()) from problem
        raise
    if cycle is None and must_go_live(user):
        raise NotLive


def stored_key(parts: BotParts, user_id: int, settings: LadderSettings) -> Credentials:
    """The user's key for these settings. Raises `MissingCredentials`."""
    try:
        credentials = parts.venues.credentials(user_id, settings)
    except SecretUnreadable as problem:
        raise MissingCredentials(str(problem)) from problem
    if credentials is None:
        raise MissingCredentials("No API key is stored: enter API key and secret under Account first.")
    return credentials


def _account_opened(parts: BotParts, user_id: int, settings: LadderSettings, remembered: Remembered) -> Credentials:
    try:
        credentials = stored_key(parts, user_id, settings)
        parts.venues.open_account(settings, credentials)
    except (MissingCredentials, WrongSecret) as problem:
        refused = str(problem) if isinstance(problem, WrongSecret) else ""
        raise _waiting_for_key(str(problem), remembered, refused) from problem
    return credentials


def _waiting_for_key(why: str, remembered: Remembered, refused: str = "") -> MissingCredentials:
    """What to tell when there is no key: with a cycle open, also what may lie at the exchange and the ways on."""
    unfinished = unfinished_of(remembered)
    return MissingCredentials(unfinished.cannot_go_on(why) if unfinished else why, refused)
