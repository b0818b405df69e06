"""`run.py demo`: one trader, one bot, the paper exchange and a replayed market, over real HTTP; then the books.

Nothing in here trades or keeps books: it starts the real server, signs in as a trader would, lets the market play, and
prints what the bot and the exchange each say. `run.py demo --serve` leaves a server running instead, to show around.
"""

from blitz.demo.lively import LivelyOptions, run_lively
from blitz.demo.options import DemoOptions
from blitz.demo.run import run_demo

__all__ = ["DemoOptions", "LivelyOptions", "run_demo", "run_lively"]
