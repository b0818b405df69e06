"""The adapter's world: a paper exchange per test, and a server that lies."""

from collections.abc import Iterator

import pytest

from tests.exchange.world import Liar, World, lying_server


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> str:
    """Whose adapter is tried; `tests.bots.both.BOTH` runs a test for each."""
    return str(getattr(request, "param", "bybit"))


@pytest.fixture
def world(exchange: str) -> Iterator[World]:
    """A paper exchange with BTC at 60000 and one account of 10,000 USDT."""
    opened = World(exchange)
    yield opened
    opened.close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_server() as server:
        yield server
