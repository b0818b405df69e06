"""One rate budget for the whole process: nothing leaves for an exchange without a turn from here.

`limits` is what a venue allows, as data. `windows` counts requests so that no stretch of time holds more than that,
whatever the network does. `line` decides who goes next; it is pure, so that tests can drive it through time. `rate`
gives turns to threads. `answers` reads what a venue says about limits in its answers.
"""

from blitz.exchange.budget.answers import Answer, Reader, Told, read_bingx, read_bybit
from blitz.exchange.budget.limits import BINGX, BYBIT, Limits, Priority
from blitz.exchange.budget.line import Turn
from blitz.exchange.budget.rate import NoTurn, RateBudget, Standing, Turnstile

__all__ = [
    "BINGX",
    "BYBIT",
    "Answer",
    "Limits",
    "NoTurn",
    "Priority",
    "RateBudget",
    "Reader",
    "Standing",
    "Told",
    "Turn",
    "Turnstile",
    "read_bingx",
    "read_bybit",
]
