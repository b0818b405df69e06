"""Runs the same tests on every exchange, and long as well as short: what holds on one has to hold on the others."""

import pytest

BOTH = pytest.mark.parametrize("exchange", ["bybit", "bingx"], indirect=True)
BOTH_SIDES = pytest.mark.parametrize("side", ["long", "short"])
