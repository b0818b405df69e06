"""Benches: what a promise about speed or size is measured with. Never part of a test's verdict.

`reaction` asks how long it takes from the exchange sending a fill until the new take-profit has arrived there, what a
bot weighs, and what it asks of the exchange while nothing happens. Server and paper exchange are the real programs in
processes of their own, over real HTTP and websockets. `page` asks the same of what a person sees, in a real browser.
"""

from blitz.bench.page import PageOptions, run_page
from blitz.bench.reaction import ReactionOptions, run_reaction

__all__ = ["PageOptions", "ReactionOptions", "run_page", "run_reaction"]
