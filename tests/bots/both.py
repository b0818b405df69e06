"""Runs the same tests on every exchange: what holds on one has to hold on the others."""

import pytest

BOTH = pytest.mark.parametrize("exchange", ["bybit", "bingx"], indirect=True)
