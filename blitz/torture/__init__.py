"""`run.py torture`: kills, stops and deploys the real server in the middle of trading, and checks what is left.

The paper exchange runs in one process, the server in another, and everything here talks to both over HTTP only. It
shares no code with what it judges: tags are parsed, ladders computed and books added up once more, in its own words.
"""

from blitz.torture.options import TortureOptions
from blitz.torture.run import run_torture

__all__ = ["TortureOptions", "run_torture"]
