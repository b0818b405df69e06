"""Stages for tests of bots: in the machine's time, and in hurried time for what waits for windows to pass."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots.stage import HurriedClock, Stage, Trader, opened_stage

HURRY = 5


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> str:
    """Where the traders of a test trade; `tests.bots.both.BOTH` runs a test on each exchange."""
    return str(getattr(request, "param", "bybit"))


@pytest.fixture
def side() -> str:
    """The side of a ladder; `tests.bots.both.BOTH_SIDES` runs a test on each."""
    return "long"


@pytest.fixture
def stage(tmp_path: Path, exchange: str) -> Iterator[Stage]:
    """A paper exchange with BTC at 60000, a database and a manager."""
    with opened_stage(tmp_path, exchange=exchange) as opened:
        yield opened


@pytest.fixture
def hurried(tmp_path: Path, exchange: str) -> Iterator[Stage]:
    """The same, where exchange and server agree on a clock that runs five times as fast."""
    with opened_stage(tmp_path, HurriedClock(HURRY), exchange=exchange) as opened:
        yield opened


@pytest.fixture
def alice(stage: Stage) -> Trader:
    """A trader with the ladder of the worked check, which is the default one."""
    return stage.trader()
