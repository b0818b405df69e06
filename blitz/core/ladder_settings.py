"""What a trader chooses, read and checked.

`parse_settings` turns whatever a form, a file or the API sent into `LadderSettings`, or refuses with every
problem named at its field. Market rules (smallest leg, leverage limit) are checked by
`core.preview`, which knows a price.
Values are `Decimal` from the first moment: a `float` never gets in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from blitz.core.orders import Side
from blitz.errors import SettingsProblem

LEGS_MAX = 50
AMOUNT_MAX = Decimal(10_000_000)
LEVERAGE_MAX = Decimal(200)
ROE_MAX = Decimal(10_000)
NUMBER_TEXT_MAX = 40
DIGITS_MAX = 18
INT_BITS_MAX = 4_096

FLAGS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
NO_GAP = ("", "-", "–")
"""How people write that leg 0 has no gap."""
Choice = TypeVar("Choice", bound=StrEnum)

_SYMBOL = re.compile(r"[A-Z0-9]{1,24}/USDT(:USDT)?")


class Mode(StrEnum):
    """Whose money it is."""

    PAPER = "paper"
    """The embedded paper exchange; nothing real."""
    DEMO = "demo"
    """The exchange's own play money: its demo account, or its testnet when `testnet` is set."""
    LIVE = "live"
    """Real money."""


class MarginMode(StrEnum):
    """What stands behind a position."""

    CROSS = "cross"
    """The whole balance."""
    ISOLATED = "isolated"
    """Only the position's own margin."""


class ExchangeName(StrEnum):
    """Exchanges a bot can trade on."""

    BYBIT = "bybit"
    BINGX = "bingx"

    @property
    def label(self) -> str:
        """Its name as people write it."""
        return {"bybit": "Bybit", "bingx": "BingX"}[self.value]


TESTNETS = frozenset({ExchangeName.BYBIT})
"""Exchanges that have a testnet beside their demo account: other addresses, other keys, prices of its own."""


def account_name(exchange: str, mode: str, *, testnet: bool) -> str:
    """Names the kind of account that a journal belongs to, such as `bybit:paper` or `bybit:testnet`."""
    return f"{exchange}:{'testnet' if testnet and mode == Mode.DEMO else mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One leg as the trader wrote it."""

    amount: Decimal
    """Margin in USDT."""
    gap: Decimal
    """Percent from the previous leg's price; ignored for leg 0."""

    def to_json(self) -> dict[str, str]:
        """The stored and shown form."""
        return {"amount": plain(self.amount), "gap": plain(self.gap)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderSettings:
    """Everything that decides a cycle. Frozen into the cycle when it starts."""

    exchange: ExchangeName
    symbol: str
    """As stored, such as BTC/USDT:USDT; it is part of every tag."""
    side: Side
    leverage: Decimal
    margin_mode: MarginMode
    grids: tuple[GridRow, ...]
    rounds: int
    """How many legs may be used, leg 0 included."""
    take_profit: Decimal
    """ROE percent; 0 is off."""
    stop_loss: Decimal
    """ROE percent; 0 is off."""
    repeat: bool
    mode: Mode
    testnet: bool = False
    """In demo: the exchange's testnet instead of its demo account. Means nothing in the other modes."""

    @property
    def account(self) -> str:
        """The kind of account that these settings trade on, such as `bybit:paper`."""
        return account_name(self.exchange.value, self.mode.value, testnet=self.testnet)

    @property
    def legs(self) -> tuple[GridRow, ...]:
        """The rows that are used: min(rounds, len(grids)) of them."""
        return self.grids[: self.rounds]

    def to_json(self) -> dict[str, object]:
        """The stored and shown form; numbers are strings. `parse_settings` reads it back to an equal value."""
        return {
            "exchange": self.exchange.value,
            "symbol": self.symbol,
            "side": self.side.value,
            "leverage": plain(self.leverage),
            "margin_mode": self.margin_mode.value,
            "grids": [row.to_json() for row in self.grids],
            "rounds": self.rounds,
            "take_profit": plain(self.take_profit),
            "stop_loss": plain(self.stop_loss),
            "repeat": self.repeat,
            "mode": self.mode.value,
            "testnet": self.testnet,
        }


def plain(number: Decimal) -> str:
    """Write a number without exponent, trailing zeros or a lone minus: 1E+1 is "10", 0.500 is "0.5", -0.0 is "0"."""
    text = format(number.copy_abs() if number == 0 else number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


DEFAULT_SETTINGS = LadderSettings(
    exchange=ExchangeName.BYBIT,
    symbol="BTC/USDT:USDT",
    side=Side.LONG,
    leverage=Decimal(10),
    margin_mode=MarginMode.CROSS,
    grids=tuple(
        GridRow(amount=Decimal(amount), gap=Decimal(gap)) for amount, gap in ((100, 0), (100, 1), (200, 1), (400, 2))
    ),
    rounds=4,
    take_profit=Decimal(5),
    stop_loss=Decimal(0),
    repeat=True,
    mode=Mode.PAPER,
    testnet=False,
)


def parse_settings(raw: Mapping[str, object], *, base: LadderSettings = DEFAULT_SETTINGS) -> LadderSettings:
    """Read settings from plain data; a field that is absent keeps its value from `base`.

    One follows another: when `base` uses every leg it has (`rounds` is their number), new `grids` without `rounds` use
    all theirs. A smaller or larger `rounds` was chosen, and stays.

    Raises `SettingsProblem` with every field that is wrong. Unknown fields are refused too, because a
    misspelt `take_proft` would silently trade something else.
    """
    return _Reader(raw, base).settings()


class _Reader:
    """Reads one mapping and collects what is wrong with it, so that all is said at once."""

    def __init__(self, raw: Mapping[str, object], base: LadderSettings) -> None:
        self._raw = raw
        self._base = base
        self._errors: dict[str, list[str]] = {}

    def settings(self) -> LadderSettings:
        """Read every field, then either answer or raise with all problems."""
        base = self._base
        for unknown in sorted(set(map(str, self._raw)) - set(base.to_json())):
            self._refuse(unknown[:40], f"is not a setting; the settings are {', '.join(base.to_json())}.")
        grids = self._grids()
        read = LadderSettings(
            exchange=self._choice("exchange", ExchangeName, base.exchange),
            symbol=self._symbol(),
            side=self._choice("side", Side, base.side),
            leverage=self._number("leverage", base.leverage, least=Decimal(1), most=LEVERAGE_MAX),
            margin_mode=self._choice("margin_mode", MarginMode, base.margin_mode),
            grids=grids,
            rounds=self._rounds(len(grids)),
            take_profit=self._percent("take_profit", base.take_profit),
            stop_loss=self._percent("stop_loss", base.stop_loss),
            repeat=self._flag("repeat", default=base.repeat),
            mode=self._choice("mode", Mode, base.mode),
            testnet=self._flag("testnet", default=base.testnet),
        )
        self._check_testnet_exists(read)
        if not self._errors:
            self._check_prices_stay_positive(read)
        if self._errors:
            raise SettingsProblem(self._errors)
        return read

    def _refuse(self, field: str, sentence: str) -> None:
        self._errors.setdefault(field, []).append(sentence)

    def _choice(self, field: str, kind: type[Choice], default: Choice) -> Choice:
        value = self._raw.get(field, default)
        text = value.strip().lower() if isinstance(value, str) else None
        for member in kind:
            if member.value == text:
                return member
        self._refuse(field, f"{_shown(value)} is not possible; choose {' or '.join(member.value for member in kind)}.")
        return default

    def _symbol(self) -> str:
        value = self._raw.get("symbol", self._base.symbol)
        text = value.strip().upper() if isinstance(value, str) else ""
        if value is None or (isinstance(value, str) and not text):
            self._refuse("symbol", "is missing; write it like BTC/USDT:USDT.")
            return self._base.symbol
        if _SYMBOL.fullmatch(text) is None:
            self._refuse("symbol", f"{_shown(value)} is not a USDT perpetual; write it like BTC/USDT:USDT.")
            return self._base.symbol
        return text

    def _number(self, field: str, default: Decimal, *, least: Decimal, most: Decimal) -> Decimal:
        try:
            return bounded(self._raw.get(field, default), least=least, most=most)
        except ValueError as problem:
            self._refuse(field, str(problem))
            return default

    def _percent(self, field: str, default: Decimal) -> Decimal:
        value = self._raw.get(field, default)
        if value is None or value == "":
            return Decimal(0)
        return self._number(field, default, least=Decimal(0), most=ROE_MAX)

    def _flag(self, field: str, *, default: bool) -> bool:
        value = self._raw.get(field, default)
        if isinstance(value, bool):
            return value
        read = FLAGS.get(_shown(value).strip().lower())
        if read is None:
            self._refuse(field, f"{_shown(value)} is not possible; choose true or false.")
            return default
        return read

    def _rounds(self, rows: int) -> int:
        if "rounds" not in self._raw:
            nobody_limits = self._base.rounds == len(self._base.grids)
            return rows if nobody_limits else self._base.rounds
        most = Decimal(LEGS_MAX)
        rounds = self._number("rounds", Decimal(rows or 1), least=Decimal(1), most=most)
        if rounds != rounds.to_integral_value():
            self._refuse("rounds", f"{plain(rounds)} is not a whole number; choose 1 to {LEGS_MAX}.")
        return int(rounds)

    def _grids(self) -> tuple[GridRow, ...]:
        value = self._raw.get("grids", self._base.grids)
        if value is self._base.grids:
            return self._base.grids
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
            self._refuse("grids", 'must be a list of legs like [{"amount": "100", "gap": "1"}], with at least one leg.')
            return ()
        if len(value) > LEGS_MAX:
            self._refuse("grids", f"has {len(value)} legs; at most {LEGS_MAX} are possible.")
            return ()
        return tuple(row for index, item in enumerate(value) if (row := self._grid_row(index, item)) is not None)

    def _grid_row(self, index: int, item: object) -> GridRow | None:
        if not isinstance(item, Mapping):
            self._refuse("grids", f'Leg {index}: must be an object like {{"amount": "100", "gap": "1"}}.')
            return None
        unknown = sorted(set(map(str, item)) - {"amount", "gap"})
        if unknown:
            self._refuse("grids", f"Leg {index}: {unknown[0][:40]} is not known; a leg has amount and gap.")
            return None
        try:
            amount = bounded(item.get("amount"), least=Decimal(0), most=AMOUNT_MAX)
            if amount == 0:
                raise ValueError("must be above 0.")
        except ValueError as problem:
            self._refuse("grids", f"Leg {index}: amount {problem}")
            return None
        gap = self._gap(index, item.get("gap"))
        return None if gap is None else GridRow(amount=amount, gap=gap)

    def _gap(self, index: int, value: object) -> Decimal | None:
        if index == 0 and (value is None or (isinstance(value, str) and value in NO_GAP)):
            return Decimal(0)
        try:
            gap = bounded(value, least=Decimal(0), most=Decimal(99))
            if gap == 0 and index > 0:
                raise ValueError("must be above 0: a leg at the price of the one before it is not a ladder.")
        except ValueError as problem:
            self._refuse("grids", f"Leg {index}: gap {problem}")
            return None
        return gap

    def _check_testnet_exists(self, read: LadderSettings) -> None:
        if read.testnet and read.mode is Mode.DEMO and read.exchange not in TESTNETS:
            self._refuse("testnet", "is not something this exchange has; use its demo account.")

    def _check_prices_stay_positive(self, read: LadderSettings) -> None:
        """A target or stop that lies at or beyond price zero can never be reached."""
        falling = {"take_profit": read.side is Side.SHORT, "stop_loss": read.side is Side.LONG}
        for field, falls in falling.items():
            percent: Decimal = getattr(read, field) / read.leverage
            if falls and percent >= 100:
                most = plain(read.leverage * 100)
                self._refuse(field, f"would need a price of zero or less; stay below {most} % at this leverage.")


def bounded(value: object, *, least: Decimal, most: Decimal) -> Decimal:
    """Read one number; `0.5`, `"0.5"` and `"0.5%"` are the same. Raises `ValueError` with a sentence.

    Floats are refused on purpose: whoever parses JSON must keep the digits (`parse_float=Decimal`).
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{_shown(value)} is not a number.")
    text = _text(value).strip().removesuffix("%").strip()
    try:
        # `Decimal` also reads digits of other scripts and underscores; a form or an API never means them.
        number = Decimal(text) if len(text) <= NUMBER_TEXT_MAX and text.isascii() and "_" not in text else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise ValueError(f"{_shown(value)} is not a number.")
    if not least <= number <= most:
        raise ValueError(f"{_shown(value)} is out of range; choose {plain(least)} to {plain(most)}.")
    if len(number.as_tuple().digits) > DIGITS_MAX or abs(number.adjusted()) > DIGITS_MAX:
        raise ValueError(f"{_shown(value)} has too many digits; {DIGITS_MAX} are the most.")
    return number + 0


def _shown(value: object) -> str:
    """What was sent, short enough to repeat in a sentence."""
    text = "nothing" if value is None or value == "" else _text(value)
    return text if len(text) <= 40 else text[:40] + "…"


def _text(value: object) -> str:
    """`str(value)`, also for a whole number too long for Python to write out."""
    if isinstance(value, int) and value.bit_length() > INT_BITS_MAX:
        return f"about 2**{value.bit_length()}"
    return str(value)
