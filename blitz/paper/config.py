"""What a paper exchange is started with. Read by `blitz.paper.server`; nothing here starts anything."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

ID_REGIMES = ("never", "reusable", "unenforced")
EXCHANGES = ("bybit", "bingx")
FEED_KINDS = ("synthetic", "candles", "manual", "live")


class PaperStartError(Exception):
    """The paper exchange cannot start. The message is one sentence that says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """An account to open at start: API key, secret, first deposit in USDT, and the exchange it belongs to."""

    key: str
    secret: str
    balance: Decimal
    exchange: str = "bybit"

    @classmethod
    def parse(cls, text: str) -> "AccountSpec":
        """Read `KEY:SECRET:BALANCE[:EXCHANGE]`. Raises `PaperStartError`, never repeating the secret."""
        parts = text.split(":")
        if len(parts) not in (3, 4) or not parts[0] or not parts[1]:
            raise PaperStartError("An account is written KEY:SECRET:BALANCE, for example demo:secret:10000.")
        exchange = parts[3] if len(parts) == 4 else "bybit"
        if exchange not in EXCHANGES:
            raise PaperStartError(f"The exchange of account {parts[0]} is one of {', '.join(EXCHANGES)}.")
        return cls(key=parts[0], secret=parts[1], balance=parse_balance(parts[2], parts[0]), exchange=exchange)


def parse_balance(text: str, key: str) -> Decimal:
    """Read a deposit in USDT: a finite number, zero or more."""
    try:
        balance = Decimal(text)
    except InvalidOperation:
        raise PaperStartError(f"The balance of account {key} is not a number: {text!r}.") from None
    if not balance.is_finite() or balance < 0:
        raise PaperStartError(f"The balance of account {key} must be zero or more, not {text}.")
    return balance


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """Where prices come from: a kind and what follows its colon."""

    kind: str
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> "FeedSpec":
        """Read `synthetic[:SEED]`, `candles:FILE`, `manual` or `live:EXCHANGE[@URL]`."""
        kind, _, argument = text.partition(":")
        if kind not in FEED_KINDS:
            raise PaperStartError(f"The feed {text!r} is not known. Choose one of: {', '.join(FEED_KINDS)}.")
        if kind in ("candles", "live") and not argument:
            raise PaperStartError(f"The feed {kind} needs a name after a colon, such as {kind}:NAME.")
        if kind == "synthetic" and argument and not argument.isdigit():
            raise PaperStartError(f"The seed of the synthetic feed is a whole number, not {argument!r}.")
        return cls(kind=kind, argument=argument)


def parse_speed(text: str) -> Decimal | None:
    """Paper seconds per real second; `None` for `max`, where time moves only by `POST /__paper/advance`."""
    if text == "max":
        return None
    try:
        speed = Decimal(text)
    except InvalidOperation:
        raise PaperStartError(f"The speed is a number or max, not {text!r}.") from None
    if not speed.is_finite() or not 0 < speed <= 100_000:
        raise PaperStartError(f"The speed must be above 0 and at most 100000, not {text}.")
    return speed


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConfig:
    """Everything a paper exchange is started with.

    `port` 0 takes any free port. `speed` is venue seconds per real second when bars are replayed, price steps per
    second in the synthetic market, and without meaning for the other feeds; `max` makes time wait for
    `POST /__paper/advance` (candles, synthetic). `symbol` is the market that bars move. Without `state_path` nothing
    survives the process. `seed` decides order ids and, unless the feed names its own, the synthetic market.
    """

    host: str = "127.0.0.1"
    port: int = 0
    accounts: tuple[AccountSpec, ...] = ()
    feed: str = "synthetic"
    speed: str = "1"
    symbol: str = "BTCUSDT"
    state_path: Path | None = None
    id_regime: str = "never"
    enforce_limits: bool = True
    seed: int = 0
    tls_certificate: Path | None = None
    """A PEM file with certificate and key: then it speaks HTTPS and wss."""

    def __post_init__(self) -> None:
        FeedSpec.parse(self.feed)
        parse_speed(self.speed)
        if self.id_regime not in ID_REGIMES:
            raise PaperStartError(f"The id regime {self.id_regime!r} is not one of {', '.join(ID_REGIMES)}.")
        if not 0 <= self.port <= 65535:
            raise PaperStartError(f"The port must be between 0 and 65535, not {self.port}.")
