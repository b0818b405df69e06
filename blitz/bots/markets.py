"""The market desk: rules, prices and candles for the pages, and paper accounts under a trader's own key.

Sends no order. Only reading a balance needs a key, the trader's own.
"""

from decimal import Decimal

from blitz.bots.balances import Balances, KnownBalance
from blitz.bots.paper_accounts import WrongSecret
from blitz.bots.venue_figures import StreamFigures, VenueFigures, stream_figures, venue_figures
from blitz.bots.venues import Venues
from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.tags import TagBook
from blitz.errors import SettingsProblem
from blitz.exchange.exchanges import Exchanges
from blitz.storage.users import User


class MarketDesk:
    """Answers what a page asks about a market. Every method may raise `GatewayProblem` with a sentence."""

    def __init__(self, exchanges: Exchanges, venues: Venues, clock: Clock) -> None:
        self._exchanges = exchanges
        self._venues = venues
        self._balances = Balances(exchanges, venues, clock)

    def instrument(self, settings: LadderSettings) -> Instrument:
        """The rules of the market these settings trade."""
        return self._exchanges.instrument(self._venues.of(settings), settings.symbol)

    def last_price(self, settings: LadderSettings) -> Decimal:
        """Its last price, quote currency."""
        return self._exchanges.last_price(self._venues.of(settings), settings.symbol)

    def check_tags(self, user_id: int, settings: LadderSettings) -> None:
        """Raise `SettingsProblem` when this user's order ids on this market would be longer than the venue takes."""
        limit = self._exchanges.traits(self._venues.of(settings)).id_length_max
        TagBook(user_id=user_id, symbol=settings.symbol, length_max=limit).check(len(settings.legs))

    def open_account(self, settings: LadderSettings, keys: Credentials) -> None:
        """See to it that the account these keys name exists; only paper can open one, elsewhere nothing is done.

        Raises `SettingsProblem` when paper knows the key with another secret.
        """
        try:
            self._venues.open_account(settings, keys)
        except WrongSecret as problem:
            raise SettingsProblem({"api_secret": [str(problem)]}) from problem

    def candles(
        self, settings: LadderSettings, timeframe: str, limit: int, before_ms: int | None = None
    ) -> list[dict[str, str | int]]:
        """Its newest candles that begin before `before_ms`, oldest first: time in seconds since the epoch, the rest
        as texts."""
        return self._exchanges.candles(self._venues.of(settings), settings.symbol, timeframe, limit, before_ms)

    def symbols(self, settings: LadderSettings) -> list[str]:
        """Every market a bot may trade where these settings trade."""
        return self._exchanges.symbols(self._venues.of(settings))

    def balance(self, user: User, settings: LadderSettings) -> KnownBalance:
        """What is in the trader's account there, as far as it is known within a moment. Raises nothing."""
        return self._balances.known(user, settings)

    def venue_figures(self, now_ms: int) -> list[VenueFigures]:
        """How each exchange stands towards this server. Asks nobody."""
        return venue_figures(self._exchanges, now_ms)

    def stream_figures(self) -> StreamFigures | None:
        """How the streams stand; None on a server without streams. Asks nobody."""
        return stream_figures(self._exchanges)
