"""Runs the same tests on every exchange: what holds on one has to hold on the others."""

import pytest

BOTH = pytest.mark.parametrize("exchange", ["bybit", "bingx"], indirect=True)
ON_BYBIT = pytest.mark.parametrize("exchange", ["bybit"], indirect=True)
"""For what only this exchange has, such as an account that nets long and short from the start."""
