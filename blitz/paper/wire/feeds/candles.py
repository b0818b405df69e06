"""Candle files: CSV in, checked candles out, and back. Every complaint names the line. It never guesses or repairs."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
BAR_MS = 60_000
SECONDS_BELOW = 100_000_000_000
"""A bare number below this is Unix seconds (until the year 5138), above it milliseconds (since 1973)."""


class CandleFileError(Exception):
    """A candle file cannot be used. The message is one sentence naming file, line and fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One bar: its opening moment in ms UTC and four prices in quote per base. Volume as the file has it."""

    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def walk(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Open, the extreme nearer to it, the other extreme, close: the order in which a bar is replayed.

        With both equally near, the low comes first.
        """
        if self.high - self.open < self.open - self.low:
            return (self.open, self.high, self.low, self.close)
        return (self.open, self.low, self.high, self.close)


def read_candles(path: Path) -> list[Candle]:
    """Read the whole file. Raises `CandleFileError` for the first thing wrong with it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            candles = list(_candles(text, path.name))
    except OSError as problem:
        raise CandleFileError(f"The candle file {path} cannot be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise CandleFileError(f"The candle file {path.name} is not text in UTF-8.") from None
    if not candles:
        raise CandleFileError(f"The candle file {path.name} has no candles.")
    return candles


def write_candles(path: Path, candles: Iterable[Candle]) -> None:
    """Write a file that `read_candles` reads."""
    rows = (f"{bar.start_ms},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}" for bar in candles)
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")


def _candles(text: TextIO, name: str) -> Iterator[Candle]:
    rows = csv.reader(text)
    try:
        header = tuple(cell.strip().lower() for cell in next(rows, []))
        if header[: len(COLUMNS)] != COLUMNS:
            raise CandleFileError(f"{name}, line 1: the first line must be {','.join(COLUMNS)}.")
        last: Candle | None = None
        for row in rows:
            if not row:
                continue
            candle = _candle(row, f"{name}, line {rows.line_num}")
            if last is not None and candle.start_ms <= last.start_ms:
                raise CandleFileError(f"{name}, line {rows.line_num}: the timestamp is not after the one before.")
            last = candle
            yield candle
    except csv.Error as problem:
        raise CandleFileError(f"{name}, line {rows.line_num}: {problem}.") from None


def _candle(row: list[str], where: str) -> Candle:
    if len(row) < len(COLUMNS):
        raise CandleFileError(f"{where}: {len(COLUMNS)} columns are needed, {len(row)} found.")
    start_ms = _moment(row[0].strip(), where)
    opened, high, low, close = (
        _price(cell, column, where) for column, cell in zip(COLUMNS[1:5], row[1:5], strict=True)
    )
    volume = _number(row[5], "volume", where)
    if volume < 0:
        raise CandleFileError(f"{where}: the volume is negative.")
    if not low <= min(opened, close) or not high >= max(opened, close):
        raise CandleFileError(f"{where}: open and close must lie between low and high.")
    return Candle(start_ms=start_ms, open=opened, high=high, low=low, close=close, volume=volume)


def _moment(text: str, where: str) -> int:
    """Read ISO date and time (UTC when no zone is given), or Unix seconds or milliseconds."""
    if text.isdigit():
        number = int(text)
        return number * 1000 if number < SECONDS_BELOW else number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CandleFileError(f"{where}: the timestamp {text!r} is not a date and time.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _price(text: str, column: str, where: str) -> Decimal:
    price = _number(text, column, where)
    if price <= 0:
        raise CandleFileError(f"{where}: {column} must be above zero, not {text.strip()}.")
    return price


def _number(text: str, column: str, where: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise CandleFileError(f"{where}: {column} is not a number: {text.strip()!r}.") from None
    if not number.is_finite():
        raise CandleFileError(f"{where}: {column} is not a finite number.")
    return number
