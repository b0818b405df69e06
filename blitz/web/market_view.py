"""The market and the balance that a ladder is looked at with. Raises `GatewayProblem` when the exchange is silent."""

from decimal import Decimal

from blitz.bots.balances import KnownBalance
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings, plain
from blitz.errors import SettingsProblem
from blitz.web.language import said
from blitz.web.services import services


def market_of(settings: LadderSettings) -> tuple[Instrument, Decimal]:
    """The market's rules and its last price. Raises `SettingsProblem` for a symbol that does not exist there."""
    desk = services().desk
    if not {settings.symbol, f"{settings.symbol}:USDT"} & set(desk.symbols(settings)):
        sentence = f"{settings.symbol} is not a market of this exchange; choose one from the list."
        raise SettingsProblem({"symbol": [sentence]})
    return desk.instrument(settings), desk.last_price(settings)


def balance_json(known: KnownBalance) -> dict[str, str | bool | None]:
    """The API's form; without a balance `note` says why, and `coming` whether to ask again in a moment."""
    return {
        "equity": plain(known.balance.equity) if known.balance else None,
        "available": plain(known.balance.available) if known.balance else None,
        "note": None if known.note is None else said(known.note),
        "coming": known.is_coming,
    }
