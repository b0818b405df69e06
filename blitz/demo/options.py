"""What a demo is started with, read and checked before anything starts."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from blitz.core.ladder_settings import DEFAULT_SETTINGS, LadderSettings, Mode, parse_settings
from blitz.core.tags import symbol_code
from blitz.errors import ConfigurationProblem, SettingsProblem
from blitz.paper.config import PaperStartError, parse_speed

SEED = 1
SYNTHETIC_BARS = 2_000
"""Minutes of the made-up market that a demo without a candle file plays."""
SETTINGS_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The command line of a demo."""

    candles: Path | None = None
    """CSV with timestamp,open,high,low,close,volume; without it a made-up market plays."""
    settings: Path | None = None
    """JSON with the settings of the ladder."""
    speed: str | None = None
    """Market seconds per second, or `max`; unset is `max`."""
    cycles: int | None = None
    """End after this many cycles; unset plays the market to its end."""
    json: bool = False
    """Print one object instead of a report for people."""
    seed: int = SEED
    """Of the made-up market."""

    @property
    def feed(self) -> str:
        """The paper exchange's name for the market that plays."""
        return f"candles:{self.candles.resolve()}" if self.candles else f"synthetic:{self.seed}"

    @property
    def bars_max(self) -> int | None:
        """How many bars play at most; a candle file plays to its end."""
        return None if self.candles else SYNTHETIC_BARS

    @property
    def pace(self) -> Decimal | None:
        """Market seconds per second; None plays as fast as the bot answers. Raises `ConfigurationProblem`."""
        if self.speed is None or self.speed == "max":
            return None
        try:
            pace = Decimal(self.speed)
        except InvalidOperation:
            pace = Decimal(0)
        if not pace.is_finite() or pace <= 0:
            raise ConfigurationProblem(f"--speed {self.speed[:20]} is not possible; give a number above 0, or max.")
        return pace


def read_market_speed(text: str) -> str:
    """How many steps a made-up market takes a second, as the paper exchange is told. Raises `ConfigurationProblem`."""
    try:
        speed = parse_speed(text)
    except PaperStartError as problem:
        raise ConfigurationProblem(f"--speed {text[:20]}: {problem}") from problem
    if speed is None:
        raise ConfigurationProblem("--speed max has no meaning with --serve: give the steps a second, such as 4.")
    return text


def read_settings(options: DemoOptions) -> LadderSettings:
    """The ladder of the demo: always paper. Raises `ConfigurationProblem` or `SettingsProblem`."""
    if options.settings is None:
        return DEFAULT_SETTINGS
    try:
        text = options.settings.read_text("utf-8")
        raw = json.loads(text[:SETTINGS_BYTES_MAX], parse_float=Decimal)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise ConfigurationProblem(f"{options.settings} is not readable as JSON: {problem}.") from problem
    if not isinstance(raw, dict):
        raise SettingsProblem(
            {"settings": ["must be an object with the fields of a ladder, such as symbol and grids."]}
        )
    return parse_settings(raw | {"mode": Mode.PAPER.value})


def venue_symbol(settings: LadderSettings) -> str:
    """The paper exchange's name of the market: BTC/USDT:USDT is BTCUSDT there."""
    return symbol_code(settings.symbol.partition(":")[0])
