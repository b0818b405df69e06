"""Who trades on a demo that is left running: twelve traders on both exchanges, long and short, in nine markets.

Their ladders are narrow, so that something happens every few seconds. They are as traders are: most of them run, one
has stopped, one has not begun, one has too little in the account, and two have orders of their own beside the bot's.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from blitz.bots.paper_accounts import PAPER_BALANCE
from blitz.core.ladder_settings import LadderSettings, parse_settings

TRADER = "trader@example.com"
"""The one with a history, whose password is told."""
ADMIN = "admin@example.com"
AMOUNTS = ("100", "100", "200", "400")


class Does(StrEnum):
    """What a trader has done with the bot."""

    RUNS = "runs"
    STOPPED = "stopped"
    """Started it, and stopped it again in the middle of a cycle."""
    WAITS = "waits"
    """Has not started it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One trader."""

    email: str
    settings: LadderSettings
    does: Does = Does.RUNS
    balance: Decimal = PAPER_BALANCE
    """USDT in the paper account at the beginning."""
    has_own_orders: bool = False
    """Rests orders by hand on the same market."""


def ladder(
    exchange: str,
    coin: str,
    side: str,
    *,
    gap: str,
    leverage: str = "20",
    take_profit: str = "6",
    stop_loss: str = "40",
) -> LadderSettings:
    """A ladder of four legs, `gap` percent under the entry, then twice and four times that."""
    gaps = (Decimal(0), Decimal(gap), 2 * Decimal(gap), 4 * Decimal(gap))
    return parse_settings(
        {
            "exchange": exchange, "symbol": f"{coin}/USDT:USDT", "side": side, "leverage": leverage,
            "grids": [{"amount": amount, "gap": str(each)} for amount, each in zip(AMOUNTS, gaps, strict=True)],
            "rounds": len(AMOUNTS), "take_profit": take_profit, "stop_loss": stop_loss, "repeat": True, "mode": "paper",
        }
    )  # fmt: skip


HERO = Part(
    email=TRADER,
    settings=ladder("bybit", "BTC", "long", gap="0.5", leverage="10", take_profit="4", stop_loss="60"),
)
CAST = (
    Part(email="mina@example.com", settings=ladder("bingx", "BTC", "short", gap="0.3")),
    Part(email="jonas@example.com", settings=ladder("bybit", "ETH", "long", gap="0.2")),
    Part(email="priya@example.com", settings=ladder("bingx", "ETH", "short", gap="0.25")),
    Part(email="tomas@example.com", settings=ladder("bybit", "SOL", "short", gap="0.2")),
    Part(email="leila@example.com", settings=ladder("bingx", "SOL", "long", gap="0.3"), has_own_orders=True),
    Part(email="henrik@example.com", settings=ladder("bybit", "XRP", "long", gap="0.3"), has_own_orders=True),
    Part(email="yuki@example.com", settings=ladder("bingx", "DOGE", "long", gap="0.25")),
    Part(email="sofia@example.com", settings=ladder("bybit", "BNB", "short", gap="0.3")),
    Part(email="marco@example.com", settings=ladder("bybit", "LINK", "long", gap="0.4"), does=Does.STOPPED),
    Part(email="amara@example.com", settings=ladder("bingx", "ADA", "short", gap="0.3"), does=Does.WAITS),
    Part(email="felix@example.com", settings=ladder("bybit", "AVAX", "long", gap="0.3"), balance=Decimal(250)),
)
